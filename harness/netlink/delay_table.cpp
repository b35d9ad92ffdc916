#include "harness/netlink/delay_table.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numbers>

#include <fmt/format.h>
#include <linux/pkt_sched.h>

namespace sunder::netlink {
namespace {

static_assert(kDelay_table_unit == NETEM_DIST_SCALE);

// Enough for the tails that a test of seconds can see; a quarter of iproute2's, because a matrix
// of links sends one table for each.
constexpr int kEntries = 1024;
constexpr int kUniformEntries = 256;

std::int16_t entry(double jitters) {
  constexpr double low = std::numeric_limits<std::int16_t>::min();
  constexpr double high = std::numeric_limits<std::int16_t>::max();
  return static_cast<std::int16_t>(std::lround(std::clamp(jitters * kDelay_table_unit, low, high)));
}

// The middle of the i-th of `count` equal parts of (0, 1).
double quantile_of(int i, int count) {
  return (i + 0.5) / count;
}

// x with P(X <= x) = `probability` for a standard normal X, by bisection.
double normal_quantile(double probability) {
  double low = -10;
  double high = 10;
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    const double below = 0.5 * std::erfc(-middle / std::numbers::sqrt2);
    (below < probability ? low : high) = middle;
  }
  return low;
}

// x^-3 is uniform; moved and scaled to mean 0 as pareto.c does.
double pareto_quantile(double probability) {
  constexpr double kExponent = 3;
  const double x = 1 / std::pow(1 - probability, 1 / kExponent);
  return (x - 1.5) * 4 / 3;
}

template <typename Quantile>
DelayTable make_table(int count, const Quantile& quantile) {
  std::vector<std::int16_t> entries;
  entries.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) entries.push_back(entry(quantile(quantile_of(i, count))));
  return std::make_shared<const std::vector<std::int16_t>>(std::move(entries));
}

bool is_space(char letter) {
  return letter == ' ' || letter == '\n' || letter == '\t' || letter == '\r';
}

}  // namespace

DelayTable uniform_delays() {
  static const DelayTable table =
      make_table(kUniformEntries, [](double probability) { return 2 * probability - 1; });
  return table;
}

DelayTable normal_delays() {
  static const DelayTable table = make_table(kEntries, &normal_quantile);
  return table;
}

DelayTable pareto_delays() {
  static const DelayTable table = make_table(kEntries, &pareto_quantile);
  return table;
}

DelayTable pareto_normal_delays() {
  static const DelayTable table = make_table(kEntries, [](double probability) {
    return 0.25 * normal_quantile(probability) + 0.75 * pareto_quantile(probability);
  });
  return table;
}

Result<DelayTable> parse_delay_table(std::string_view text) {
  std::vector<std::int16_t> entries;
  std::size_t position = 0;
  while (position < text.size()) {
    if (text[position] == '#') {
      position = std::min(text.find('\n', position), text.size());
    } else if (is_space(text[position])) {
      ++position;
    } else {
      std::size_t end = position;
      while (end < text.size() && !is_space(text[end]) && text[end] != '#') ++end;
      const std::string_view word = text.substr(position, end - position);
      std::int16_t value = 0;
      const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), value);
      if (error != std::errc{} || stop != word.data() + word.size()) {
        return base::make_error(
            Errc::unreadable_input,
            fmt::format("delay table: '{}' is not a whole number from -32768 to 32767", word));
      }
      entries.push_back(value);
      position = end;
    }
  }
  if (entries.empty() || entries.size() > NETEM_DIST_MAX) {
    return base::make_error(
        Errc::unreadable_input,
        fmt::format("delay table: has {} entries, give 1 to {}", entries.size(), NETEM_DIST_MAX));
  }
  return std::make_shared<const std::vector<std::int16_t>>(std::move(entries));
}

}  // namespace sunder::netlink
