#include "nemesis/parameters.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/base/assert.hpp"
#include "harness/base/duration.hpp"

namespace sunder::nemesis {
namespace {

using std::chrono::nanoseconds;

struct RateUnit {
  std::string_view name;
  double bits = 1;
};

// The largest first: the canonical form takes the first one that divides.
constexpr std::array<RateUnit, 4> kRateUnits{
    {{"gbit", 1e9}, {"mbit", 1e6}, {"kbit", 1e3}, {"bit", 1}}};
constexpr std::size_t kPatternLengthMax = 120;
constexpr std::string_view kPatternCharacters = "._*?/-[]";

// The number at the beginning of `text`, which is left with what follows; none when there is none.
std::optional<double> take_number(std::string_view& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || !std::isfinite(number)) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::optional<double> parse_rate(std::string_view text) {
  const auto number = take_number(text);
  if (!number) return std::nullopt;
  const auto unit = std::ranges::find(kRateUnits, text, &RateUnit::name);
  if (unit == kRateUnits.end()) return std::nullopt;
  return std::round(*number * unit->bits);
}

// The value as the rows' limits count it; none when the text is of another kind.
std::optional<double> parse_value(ParameterKind kind, std::string_view text) {
  if (kind == ParameterKind::duration) {
    const auto duration = base::parse_duration(text);
    if (duration.has_error()) return std::nullopt;
    return limit(*duration);
  }
  if (kind == ParameterKind::bit_rate) return parse_rate(text);
  if (kind == ParameterKind::percent && text.ends_with('%')) text.remove_suffix(1);
  const auto number = take_number(text);
  return number && text.empty() ? number : std::nullopt;
}

std::string rate_text(double rate) {
  for (const RateUnit& unit : kRateUnits) {
    if (std::fmod(rate, unit.bits) == 0 && rate >= unit.bits) {
      return fmt::format("{}{}", rate / unit.bits, unit.name);
    }
  }
  return fmt::format("{}bit", rate);
}

std::string value_text(ParameterKind kind, double value) {
  switch (kind) {
    case ParameterKind::duration:
      return exact_duration(nanoseconds(std::llround(value)));
    case ParameterKind::percent:
      return fmt::format("{}%", value);
    case ParameterKind::bit_rate:
      return rate_text(value);
    default:
      return fmt::format("{}", value);
  }
}

std::string readable(ParameterKind kind, double value) {
  if (kind != ParameterKind::duration) return value_text(kind, value);
  return base::format_duration(nanoseconds(std::llround(value)));
}

bool fits_pattern(std::string_view text) {
  if (text.empty() || text.size() > kPatternLengthMax) return false;
  return std::ranges::all_of(text, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           kPatternCharacters.find(c) != std::string_view::npos;
  });
}

const FaultParameter& row_of(const PlannedFault& fault, std::string_view name) {
  const FaultInfo* const family = find_fault(fault.family);
  SUNDER_ASSERT(family != nullptr);
  const auto row = std::ranges::find(family->parameters, name, &FaultParameter::name);
  SUNDER_ASSERT(row != family->parameters.end());
  return *row;
}

// The text of the parameter's value; empty when it has none.
std::string_view text_of(const PlannedFault& fault, std::string_view name) {
  const FaultParameter& row = row_of(fault, name);
  const auto given = fault.parameters.find(std::string(name));
  return given == fault.parameters.end() ? row.otherwise : std::string_view(given->second);
}

std::optional<double> value_of(const PlannedFault& fault, std::string_view name) {
  const std::string_view text = text_of(fault, name);
  if (text.empty()) return std::nullopt;
  const auto value = parse_value(row_of(fault, name).kind, text);
  SUNDER_ASSERT(value.has_value());
  return value;
}

}  // namespace

std::string limits_of(const FaultParameter& parameter) {
  if (parameter.kind == ParameterKind::word) {
    return fmt::format("one of: {}", fmt::join(parameter.words, ", "));
  }
  if (parameter.kind == ParameterKind::pattern) {
    return fmt::format("letters, digits and {}, at most {}", kPatternCharacters, kPatternLengthMax);
  }
  return fmt::format("{} to {}",
                     readable(parameter.kind, parameter.low),
                     readable(parameter.kind, parameter.high));
}

std::string_view name_of(ParameterKind kind) noexcept {
  constexpr std::array<std::string_view, 6> names{
      "duration", "percent", "number", "rate", "word", "pattern"};
  return names[static_cast<std::size_t>(kind)];
}

Result<std::string> canonical_value(const FaultParameter& parameter, std::string_view text) {
  const auto refuse = [&](std::string_view must) {
    return base::make_error(
        Errc::usage,
        fmt::format("{} '{}' must be {}{}", parameter.name, text, must, limits_of(parameter)));
  };
  if (parameter.kind == ParameterKind::word) {
    if (std::ranges::find(parameter.words, text) != parameter.words.end()) return std::string(text);
    return refuse("");
  }
  if (parameter.kind == ParameterKind::pattern) {
    if (fits_pattern(text)) return std::string(text);
    return refuse("of ");
  }
  const auto value = parse_value(parameter.kind, text);
  if (!value) return refuse(fmt::format("a {}, ", name_of(parameter.kind)));
  if (!(*value >= parameter.low && *value <= parameter.high)) return refuse("");
  return value_text(parameter.kind, *value);
}

std::optional<nanoseconds> duration_of(const PlannedFault& fault, std::string_view name) {
  SUNDER_ASSERT(row_of(fault, name).kind == ParameterKind::duration);
  const auto value = value_of(fault, name);
  if (!value) return std::nullopt;
  return nanoseconds(std::llround(*value));
}

std::optional<double> number_of(const PlannedFault& fault, std::string_view name) {
  return value_of(fault, name);
}

std::optional<std::string> word_of(const PlannedFault& fault, std::string_view name) {
  const std::string_view text = text_of(fault, name);
  if (text.empty()) return std::nullopt;
  return std::string(text);
}

void set_duration(PlannedFault& fault, std::string_view name, nanoseconds value) {
  set_number(fault, name, limit(value));
}

void set_number(PlannedFault& fault, std::string_view name, double value) {
  set_word(fault, name, value_text(row_of(fault, name).kind, value));
}

void set_word(PlannedFault& fault, std::string_view name, std::string_view value) {
  auto text = canonical_value(row_of(fault, name), value);
  SUNDER_ASSERT(text.has_value());
  fault.parameters.insert_or_assign(std::string(name), std::move(*text));
}

std::string exact_duration(nanoseconds duration) {
  struct Unit {
    std::string_view name;
    std::int64_t nanoseconds;
  };

  constexpr std::array<Unit, 3> units{{{"s", 1'000'000'000}, {"ms", 1'000'000}, {"us", 1'000}}};
  for (const Unit& unit : units) {
    if (duration.count() % unit.nanoseconds == 0) {
      return fmt::format("{}{}", duration.count() / unit.nanoseconds, unit.name);
    }
  }
  return fmt::format("{}ns", duration.count());
}

}  // namespace sunder::nemesis
