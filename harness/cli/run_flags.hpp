// The flags that `run` shares with others, bound to RunOptions.

#pragma once

#include <string>

#include <CLI/App.hpp>

#include "harness/base/error.hpp"
#include "harness/run/options.hpp"

namespace sunder::cli {

// Raw texts of the flags; finish() turns them into options.
struct RunFlagTexts {
  std::string duration;
  std::string clients_see = "side";
  std::string kernel = "host";
  std::string faults;
  std::string out;
  std::size_t nodes = 0;
  std::size_t keys = 0;
  std::uint64_t seed = 0;
  run::RunOptions options;

  void add_to(CLI::App& app);
  [[nodiscard]] Result<run::RunOptions> finish() const;

 private:
  const CLI::App* app_ = nullptr;
};

}  // namespace sunder::cli
