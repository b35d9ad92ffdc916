// Playground: `sunder up`: a cluster to play with, and a command (a shell by default) beside it
// that ends with it. From in there, `sunder fault`, `heal` and `status` act on it (control.hpp).

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/run/options.hpp"

namespace sunder::run {

struct PlaygroundOptions {
  const nodes::System* system = nullptr;
  const nodes::Mode* mode = nullptr;
  std::size_t nodes = 5;
  std::uint64_t seed = 1;
  std::string sabotage;
  std::filesystem::path programs;
  std::vector<std::string> command;  // empty: $SHELL
};

// The command's exit status. Logs and data of the nodes stay in runs/<UTC time>-up-<mode>.
[[nodiscard]] Result<int> play(const PlaygroundOptions& options);

}  // namespace sunder::run
