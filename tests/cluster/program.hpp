// Program: starts the real `sunder` as a user would and reads what it printed.
//
// Output goes to files in a temporary folder; nothing is interpreted by a shell.

#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "tests/cluster/in_universe.hpp"

namespace sunder::tests {

struct Ended {
  int status = 0;  // 128 + N for signal N
  std::string out;
  std::string err;
};

class Program {
 public:
  // Starts `sunder ARGUMENTS…` as `user` with `folder` as working directory, after `prepare` in the
  // new process; when that fails the status is 126.
  Program(User user,
          const std::filesystem::path& folder,
          std::vector<std::string> arguments,
          const std::function<bool()>& prepare = {});
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

  void signal(int number) const;
  // Waits for its end.
  Ended wait();

 private:
  std::filesystem::path out_;
  std::filesystem::path err_;
  pid_t pid_ = -1;
};

// Start and wait.
[[nodiscard]] Ended run_sunder(User user,
                               const std::filesystem::path& folder,
                               std::vector<std::string> arguments);

// The first line of a result that names this promise: "✓ kept  exclusive  …".
[[nodiscard]] std::string line_of(const std::string& out, const std::string& promise);

// Expects that a run kept these promises and ended with 0. On an overloaded host it may say of
// promises about time that it cannot judge them, and ends with 2 then: that is what it promises
// there, of no other promise and for no other reason.
void expect_kept(const Ended& run, const std::vector<std::string>& promises);

// Whether a run's output, or its report.json, says that its host was overloaded.
[[nodiscard]] bool tells_of_overload(const std::string& text);
// Whether any run in the folder says so in its report.
[[nodiscard]] bool any_tells_of_overload(const std::filesystem::path& folder);

// Looks every 10 ms until `condition` holds; false after `limit`.
[[nodiscard]] bool eventually(const std::function<bool()>& condition,
                              std::chrono::seconds limit = std::chrono::seconds(60));

// Process ids whose command line contains `text`, ourselves excluded.
[[nodiscard]] std::vector<pid_t> processes_mentioning(const std::string& text);

}  // namespace sunder::tests
