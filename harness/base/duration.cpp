#include "harness/base/duration.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace sunder::base {
namespace {

struct Unit {
  std::string_view name;
  double nanoseconds;
};

constexpr std::array<Unit, 6> kUnits{{
    {"ns", 1.0},
    {"us", 1e3},
    {"ms", 1e6},
    {"s", 1e9},
    {"m", 60e9},
    {"h", 3600e9},
}};

// Ten years: far beyond any run, far below what 64 bits of nanoseconds hold.
constexpr double kLongest_ns = 10.0 * 365 * 24 * 3600e9;

std::string trim_zeros(std::string text) {
  if (text.find('.') == std::string::npos) return text;
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit_name = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Unit& unit : kUnits) {
    if (error != std::errc{} || unit.name != unit_name) continue;
    const double total = number * unit.nanoseconds;
    if (!std::isfinite(total) || total < 0 || total > kLongest_ns) break;
    return Duration(std::llround(total));
  }
  return make_error(
      Errc::usage,
      fmt::format("'{}' is not a duration: write a number and a unit, such as 250ms, 30s or 5m",
                  text));
}

std::string format_duration(Duration duration) {
  const double ns = static_cast<double>(duration.count());
  if (ns < 1e3) return fmt::format("{}ns", duration.count());
  if (ns < 1e6) return trim_zeros(fmt::format("{:.1f}", ns / 1e3)) + "µs";
  if (ns < 1e9) return trim_zeros(fmt::format("{:.1f}", ns / 1e6)) + "ms";
  if (ns < 120e9) return trim_zeros(fmt::format("{:.2f}", ns / 1e9)) + "s";
  const auto seconds = duration.count() / 1'000'000'000;
  if (seconds % 60 == 0) return fmt::format("{}m", seconds / 60);
  return fmt::format("{}m{}s", seconds / 60, seconds % 60);
}

}  // namespace sunder::base
