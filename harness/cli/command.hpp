// One command of the sunder program: its flags, its help, what it does. One file each; main.cpp has
// the table.

#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>

#include <CLI/App.hpp>

#include "harness/base/error.hpp"

namespace sunder::cli {

// Adds a subcommand to `app`; returns what to do when the user chose it. The function gives the
// exit code.
using Action = std::function<Result<int>()>;

struct Command {
  CLI::App* parsed = nullptr;
  Action act;
};

[[nodiscard]] Command campaign_command(CLI::App& app);
[[nodiscard]] Command check_command(CLI::App& app);
[[nodiscard]] Command doctor_command(CLI::App& app);
[[nodiscard]] Command fault_command(CLI::App& app);
[[nodiscard]] Command heal_command(CLI::App& app);
[[nodiscard]] Command list_command(CLI::App& app);
[[nodiscard]] Command prove_command(CLI::App& app);
[[nodiscard]] Command replay_command(CLI::App& app);
[[nodiscard]] Command report_command(CLI::App& app);
[[nodiscard]] Command run_command(CLI::App& app);
[[nodiscard]] Command under_uml_command(CLI::App& app);
[[nodiscard]] Command status_command(CLI::App& app);
[[nodiscard]] Command up_command(CLI::App& app);

// Runs this very command line under User-Mode Linux: its exit code.
[[nodiscard]] Result<int> run_again_under_uml(std::size_t memory, bool interactive = false);

// The directory of this program, where the node programs lie too.
[[nodiscard]] std::filesystem::path program_directory();
[[nodiscard]] std::filesystem::path program_path();

}  // namespace sunder::cli
