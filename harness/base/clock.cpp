#include "harness/base/clock.hpp"

#include <ctime>

#include <unistd.h>

namespace sunder::base {
namespace {

std::string utc_now(const char* pattern) {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  const std::size_t length = std::strftime(text, sizeof text, pattern, &parts);
  return std::string(text, length);
}

}  // namespace

std::int64_t monotonic_ns() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             MonotonicClock::now().time_since_epoch())
      .count();
}

std::int64_t wall_ns() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::uint64_t fresh_seed() noexcept {
  const auto now = static_cast<std::uint64_t>(monotonic_ns());
  const auto process = static_cast<std::uint64_t>(::getpid());
  // Short enough to retype.
  return (now / 1000 + process * 7919) % 1'000'000'000;
}

std::string utc_compact() {
  return utc_now("%Y%m%dT%H%M%SZ");
}

std::string utc_readable() {
  return utc_now("%Y-%m-%dT%H:%M:%SZ");
}

}  // namespace sunder::base
