// Progress: the live line of a run: phase, elapsed/total, operations a second by outcome, active
// faults.
//
// On a terminal one line that rewrites itself five times a second; elsewhere one plain line every
// five seconds. Goes to standard error, so that standard output holds the result alone.

#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include <boost/asio/awaitable.hpp>

namespace sunder::run {

struct ProgressState {
  std::string phase;
  std::chrono::nanoseconds elapsed{0};
  std::chrono::nanoseconds total{0};  // 0: not known
  std::array<std::uint64_t, 3> outcomes{};
  std::string faults;  // active ones, as a reader calls them
};

class Progress {
 public:
  // `quiet` prints nothing.
  Progress(bool quiet, std::function<ProgressState()> state);

  // Prints until cancelled, then clears the line.
  [[nodiscard]] boost::asio::awaitable<void> show();
  // One line that stays, above the live line.
  void say(const std::string& line);
  void clear();

  // The text of the live line, for tests: "load 12.3/30s · ok 1234/s · fail 3/s · info 0/s ·
  // partition halves".
  [[nodiscard]] static std::string format(const ProgressState& state,
                                          const std::array<double, 3>& rates);

 private:
  void print(const std::array<std::uint64_t, 3>& before, std::chrono::nanoseconds span);

  bool quiet_;
  bool terminal_;
  std::function<ProgressState()> state_;
  std::size_t width_ = 0;  // of what stands on the terminal's line
};

}  // namespace sunder::run
