// The host a run happens on: facts for run.json, and the harness watching its own delay.
//
// HostWatch wakes every 50 ms and measures how late it was; an overloaded host makes time-based
// promises undetermined, never broken (DESIGN.md §5).

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "harness/base/clock.hpp"
#include "harness/history/run_context.hpp"

namespace sunder::run {

// "0.1.0".
[[nodiscard]] std::string_view version() noexcept;

// {"kernel","Linux 6.1…"}, {"cores","2"}, {"memory","24 GiB"}, {"user","0"}.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> host_facts();

class HostWatch {
 public:
  explicit HostWatch(base::RunClock clock) : clock_(clock) {}

  // Runs until cancelled.
  [[nodiscard]] boost::asio::awaitable<void> watch();

  // It woke at this time of the run, so late. watch() tells it.
  void note_delay(std::int64_t now, double delay_ms);

  // What comes later is not judged, so it excuses nothing.
  void end() noexcept { ended_ = true; }

  // One sample per half second: the worst delay in it, and the CPU pressure.
  [[nodiscard]] const std::vector<history::HostSample>& samples() const noexcept {
    return samples_;
  }

  // Empty, or how the host was overloaded: "the harness itself ran 612 ms late at 12.5 s".
  [[nodiscard]] std::string overload() const;

 private:
  base::RunClock clock_;
  bool ended_ = false;
  std::vector<history::HostSample> samples_;
  std::uint64_t wakes_ = 0;
  std::uint64_t late_wakes_ = 0;
  double worst_ms_ = 0;
  std::int64_t worst_time_ = 0;
};

}  // namespace sunder::run
