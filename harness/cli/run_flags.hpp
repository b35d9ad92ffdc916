// The flags that `run` shares with others, bound to RunOptions.

#pragma once

#include <string>

#include <CLI/App.hpp>

#include "harness/base/error.hpp"
#include "harness/run/options.hpp"
#include "harness/uml/machine.hpp"

namespace sunder::cli {

// Adds --kernel and --kernel-memory.
void add_kernel_flags(CLI::App& app, std::string& kernel, std::size_t& memory);
// Whether `kernel` is User-Mode Linux and the running one is not.
[[nodiscard]] bool is_elsewhere(std::string_view kernel);

// Raw texts of the flags; finish() turns them into options.
struct RunFlagTexts {
  std::string duration;
  std::string clients_see = "side";
  std::string kernel = "host";
  std::size_t memory = uml::kMemoryDefault;
  std::string faults;
  std::string out;
  std::size_t nodes = 0;
  std::size_t keys = 0;
  std::uint64_t seed = 0;
  run::RunOptions options;

  void add_to(CLI::App& app);
  [[nodiscard]] Result<run::RunOptions> finish() const;
  // The run is meant for another kernel than the one we are on.
  [[nodiscard]] bool elsewhere() const;

 private:
  const CLI::App* app_ = nullptr;
};

}  // namespace sunder::cli
