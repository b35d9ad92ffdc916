// The command line of a node: what every node program takes (DESIGN.md §8), filled in for one node
// of a cluster.

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "harness/cluster/cluster.hpp"
#include "nodes/system.hpp"

namespace sunder::run {

constexpr std::uint16_t kClientPort = 6379;
constexpr std::uint16_t kPeerPort = 7000;

struct NodeCommandInputs {
  const nodes::System& system;
  const nodes::Mode& mode;
  std::size_t nodes = 0;
  std::size_t spares = 0;  // further nodes, which are to join
  std::uint64_t seed = 0;
  std::string sabotage;            // empty: none
  std::filesystem::path programs;  // the directory of node programs
};

[[nodiscard]] cluster::NodeCommand node_command(const NodeCommandInputs& inputs,
                                                std::size_t node,
                                                const std::filesystem::path& data_directory);

}  // namespace sunder::run
