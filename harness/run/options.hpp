// RunOptions: the inputs of one run, as given by flags, a campaign's TOML or a stored run.json.
//
// resolve() turns them into a ResolvedRun: defaults filled in, the schedule laid out from the seed,
// everything checked, so that whatever is wrong with the inputs is said before a process is
// started. A ResolvedRun is what run.json holds and what `replay` runs again.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/run/scenario.hpp"
#include "nemesis/nemesis.hpp"

namespace sunder::run {

struct RunOptions {
  std::string scenario;                              // "raft/register"
  std::optional<std::size_t> nodes;                  // the scenario's default
  std::optional<std::chrono::nanoseconds> duration;  // of load + faults; 30 s
  std::optional<std::uint64_t> seed;                 // a fresh one, printed
  std::optional<std::string> faults;                 // the scenario's default; "none"
  std::size_t clients = 10;
  double rate = 0;                  // operations a second of all clients together; 0: closed loop
  std::optional<std::size_t> keys;  // 64
  std::string mix;                  // "read=50,write=30,cas=20"; empty: the workload's
  std::string sabotage;             // empty: none
  bool clients_see_all = false;     // a partition leaves the clients connected to every node
  std::string kernel = "host";      // "uml": under User-Mode Linux
  std::filesystem::path out;        // run directory; empty: runs/<time>-<scenario>-<seed>
};

// What run.json says of a run that has been. Its options' faults are the resolved schedule in
// explicit form.
struct StoredInputs {
  RunOptions options;
  std::vector<std::string>
      families;        // as requested then; an explicit schedule would name only what it contains
  std::string faults;  // as requested then
  std::vector<std::pair<std::string, std::string>> skipped;
  std::string started;
};

struct ResolvedRun {
  RunOptions options;
  const Scenario* scenario = nullptr;
  std::size_t nodes = 0;
  std::chrono::nanoseconds duration{0};
  std::size_t keys = 0;
  std::uint64_t seed = 0;
  std::string faults;                 // as requested
  std::vector<std::string> families;  // requested fault families
  nemesis::Schedule schedule;
  // Families that "all" left out because this machine cannot do them → reason.
  std::vector<std::pair<std::string, std::string>> skipped;
  std::map<std::string, double> mix;
};

// Limits on what one machine is asked to carry.
constexpr std::size_t kNodesMax = 31;
constexpr std::size_t kClientsMax = 200;

[[nodiscard]] Result<ResolvedRun> resolve(const RunOptions& options);
// The same for inputs that were stored: the schedule is taken as it is, the requested families as
// they were.
[[nodiscard]] Result<ResolvedRun> resolve(const StoredInputs& inputs);

// run.json of a run (inputs, resolved schedule, versions, host facts) and its reader. Reading gives
// options whose faults are the resolved schedule in explicit form, so that resolving them again
// gives exactly the same run.
[[nodiscard]] std::string to_json(const ResolvedRun& run, std::string_view started);
[[nodiscard]] Result<StoredInputs> read_inputs(std::string_view json, std::string_view source);

// "sunder run raft/register --seed 7 …": the command that does this run again on any machine.
[[nodiscard]] std::string command_line(const ResolvedRun& run);

}  // namespace sunder::run
