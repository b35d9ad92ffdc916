// Recorder: writes every event of every client to history.jsonl as it happens, and builds the
// History from the same calls.
//
// An invoke is stamped before its first byte is sent and a completion after its last byte was read:
// call invoke() before and complete() after the client's call, with nothing in between.
//
// Threading: the run's single thread.

#pragma once

#include <array>
#include <cstdint>

#include "harness/base/clock.hpp"
#include "harness/history/history.hpp"
#include "harness/run/directory.hpp"
#include "workloads/workload.hpp"

namespace sunder::run {

class Recorder {
 public:
  Recorder(base::RunClock clock, LineFile file);

  // The pool that values of invocations and completions come from.
  [[nodiscard]] history::ValuePool& pool() noexcept { return builder_.pool(); }

  // The process must have nothing in flight.
  void invoke(std::int64_t process, const workloads::Invocation& invocation);
  void complete(std::int64_t process, const workloads::Completion& completion);

  // Operations completed so far, by outcome (indexed by history::Outcome).
  [[nodiscard]] const std::array<std::uint64_t, 3>& outcomes() const noexcept { return outcomes_; }

  [[nodiscard]] std::uint64_t ok_count() const noexcept { return outcomes_[0]; }

  // Run time of the first ok; negative before it.
  [[nodiscard]] std::int64_t first_ok() const noexcept { return first_ok_; }

  // Empty, or why writing failed: nothing recorded may be lost silently.
  [[nodiscard]] const std::string& failure() const noexcept { return file_.failure(); }

  // The whole history; the recorder is empty afterwards.
  [[nodiscard]] history::History finish() { return builder_.finish(); }

 private:
  base::RunClock clock_;
  LineFile file_;
  history::HistoryBuilder builder_;
  std::int64_t position_ = 0;
  std::array<std::uint64_t, 3> outcomes_{};
  std::int64_t first_ok_ = -1;
};

}  // namespace sunder::run
