#include "harness/run/node_command.hpp"

#include <fmt/format.h>

namespace sunder::run {

cluster::NodeCommand node_command(const NodeCommandInputs& inputs,
                                  std::size_t node,
                                  const std::filesystem::path& data_directory) {
  std::string peers;
  std::string members;
  for (std::size_t peer = 1; peer <= inputs.nodes + inputs.spares; ++peer) {
    peers += fmt::format("{}n{}=10.0.0.{}:{}", peers.empty() ? "" : ",", peer, peer, kPeerPort);
    if (peer <= inputs.nodes) members += fmt::format("{}n{}", members.empty() ? "" : ",", peer);
  }
  cluster::NodeCommand command;
  command.program = inputs.programs / inputs.system.program;
  command.arguments = {
      "--id",
      fmt::format("n{}", node + 1),
      "--listen",
      fmt::format("10.0.0.{}:{}", node + 1, kClientPort),
      "--peers",
      peers,
      "--data-dir",
      data_directory.string(),
      "--mode",
      inputs.mode.name,
      "--seed",
      fmt::format("{}", inputs.seed),
  };
  command.arguments.insert(
      command.arguments.end(), inputs.mode.arguments.begin(), inputs.mode.arguments.end());
  if (!inputs.mode.roles.empty()) {
    const std::vector<std::string>& own = inputs.mode.roles.at(node).arguments;
    command.arguments.insert(command.arguments.end(), own.begin(), own.end());
  }
  if (inputs.spares > 0) {
    command.arguments.emplace_back("--members");
    command.arguments.push_back(members);
  }
  if (!inputs.sabotage.empty()) {
    command.arguments.emplace_back("--sabotage");
    command.arguments.push_back(inputs.sabotage);
  }
  return command;
}

}  // namespace sunder::run
