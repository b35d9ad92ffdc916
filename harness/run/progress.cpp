#include "harness/run/progress.hpp"

#include <cstdio>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "harness/base/deadline.hpp"
#include "harness/base/duration.hpp"

namespace sunder::run {
namespace {

using namespace std::chrono_literals;

std::size_t terminal_columns() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

std::string seconds(std::chrono::nanoseconds duration) {
  return fmt::format("{:.1f}", static_cast<double>(duration.count()) / 1e9);
}

}  // namespace

Progress::Progress(bool quiet, std::function<ProgressState()> state)
    : quiet_(quiet), terminal_(::isatty(STDERR_FILENO) == 1), state_(std::move(state)) {}

std::string Progress::format(const ProgressState& state, const std::array<double, 3>& rates) {
  std::string text = fmt::format("{} {}", state.phase, seconds(state.elapsed));
  text += state.total.count() > 0 ? fmt::format("/{}", base::format_duration(state.total)) : "s";
  text +=
      fmt::format(" · ok {:.0f}/s · fail {:.0f}/s · info {:.0f}/s", rates[0], rates[1], rates[2]);
  if (!state.faults.empty()) text += fmt::format(" · {}", state.faults);
  return text;
}

boost::asio::awaitable<void> Progress::show() {
  if (quiet_) co_return;
  const std::chrono::nanoseconds every = terminal_ ? 200ms : 5s;
  for (;;) {
    const std::array<std::uint64_t, 3> before = state_().outcomes;
    const bool elapsed = co_await base::pause_for(every);
    if (!elapsed) break;
    print(before, every);
  }
  clear();
}

void Progress::print(const std::array<std::uint64_t, 3>& before, std::chrono::nanoseconds span) {
  const ProgressState state = state_();
  std::array<double, 3> rates{};
  for (std::size_t i = 0; i < rates.size(); ++i) {
    rates.at(i) = static_cast<double>(state.outcomes.at(i) - before.at(i)) * 1e9 /
                  static_cast<double>(span.count());
  }
  std::string text = format(state, rates);
  if (!terminal_) {
    fmt::print(stderr, "{}\n", text);
    return;
  }
  const std::size_t columns = terminal_columns();
  if (text.size() + 1 > columns) {
    text.resize(columns - 1);
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0x80) != 0) text.pop_back();
  }
  fmt::print(stderr, "\r\x1b[K{}", text);
  std::fflush(stderr);
  width_ = text.size();
}

void Progress::say(const std::string& line) {
  if (quiet_) return;
  clear();
  fmt::print(stderr, "{}\n", line);
}

void Progress::clear() {
  if (quiet_ || !terminal_ || width_ == 0) return;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
  width_ = 0;
}

}  // namespace sunder::run
