#include "harness/cli/live_line.hpp"

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

namespace sunder::cli {
namespace {

constexpr std::chrono::milliseconds kPause{300};

}  // namespace

LiveLine::LiveLine() : terminal_(::isatty(STDERR_FILENO) == 1), next_(Clock::now() + kPause) {}

LiveLine::~LiveLine() {
  repeating_ = std::jthread();
  if (written_) fmt::print(stderr, "\r\033[K");
}

void LiveLine::say(const std::string& text) {
  if (!terminal_ || Clock::now() < next_) return;
  write(text);
}

void LiveLine::write(const std::string& text) {
  fmt::print(stderr, "\r\033[K{}", text);
  written_ = true;
  next_ = Clock::now() + kPause;
}

void LiveLine::keep_saying(std::string text) {
  if (!terminal_) return;
  repeating_ = std::jthread([this, text = std::move(text)](std::stop_token stop) {
    const Clock::time_point begin = Clock::now();
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    while (!stopped.wait_for(lock, stop, kPause, [] { return false; })) {
      if (stop.stop_requested()) return;
      const auto seconds = std::chrono::duration<double>(Clock::now() - begin).count();
      write(fmt::format("{}: {:.0f} s", text, seconds));
    }
  });
}

}  // namespace sunder::cli
