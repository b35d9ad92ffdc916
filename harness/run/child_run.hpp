// Child run: one `sunder run` as a process of its own, and what became of it.
//
// Campaigns and `sunder prove` start their runs this way: each has its universe, and its death
// harms nobody. A starter that dies takes its runs with it: they are told to stop, and their
// universes end with them.
//
// Threading: the executor's single thread. Errors: a run that could not be started, or left no
// readable report, ends with exit code 3.

#pragma once

#include <chrono>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "harness/run/options.hpp"

namespace sunder::run {

struct ChildEnding {
  int exit_code = 3;
  std::vector<std::string> broken;  // promises
  std::vector<std::string> prices;  // what is not promised, and was shown not to hold
  std::chrono::nanoseconds took{0};
  std::chrono::nanoseconds load{0};  // of it, under load and faults; 0: unknown
};

struct ChildStart {
  RunOptions options;               // seed is set
  std::filesystem::path directory;  // becomes --out
  bool shown = false;               // its live line and promise table appear on our terminal
  std::filesystem::path errors;     // where its standard error goes; empty: ours
};

class ChildRuns {
 public:
  // `program` is ourselves.
  explicit ChildRuns(std::filesystem::path program) : program_(std::move(program)) {}

  // Starts it and waits for its end.
  [[nodiscard]] boost::asio::awaitable<ChildEnding> perform(ChildStart start);
  // Ctrl-C for all that are under way: they heal, stop and report what there is.
  void interrupt() const noexcept;

 private:
  std::filesystem::path program_;
  std::set<int> running_;  // process ids
};

// The command line of `sunder run` for these inputs, without the program.
[[nodiscard]] std::vector<std::string> arguments_of(const ChildStart& start);

}  // namespace sunder::run
