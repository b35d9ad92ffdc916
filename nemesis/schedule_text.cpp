#include "nemesis/schedule_text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/base/duration.hpp"
#include "nemesis/targets.hpp"

namespace sunder::nemesis {
namespace {

using std::chrono::nanoseconds;

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// Takes the part up to the separator from the front of `text`.
std::string_view take(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return part;
}

Error usage(std::string sentence) {
  return base::make_error(Errc::usage, std::move(sentence));
}

// What nodes tell (nodes/raft/event.hpp).
constexpr std::array<std::string_view, 11> kEventWords{"applied",
                                                       "appended",
                                                       "became-candidate",
                                                       "became-follower",
                                                       "became-leader",
                                                       "committed",
                                                       "recovered",
                                                       "snapshot-installed",
                                                       "snapshot-taken",
                                                       "truncated",
                                                       "vote-granted"};
constexpr std::uint32_t kEventCountMax = 1'000'000;
constexpr std::chrono::nanoseconds kDelayMax = std::chrono::minutes(10);

template <typename Rows>
std::string names_of(const Rows& rows) {
  std::string names;
  for (const auto& row : rows) {
    if (!names.empty()) names += ", ";
    names += row.name;
  }
  return names.empty() ? "none" : names;
}

bool looks_like_nodes(std::string_view word) {
  return word.size() >= 2 && word[0] == 'n' &&
         std::isdigit(static_cast<unsigned char>(word[1])) != 0;
}

Result<void> parse_word(std::string_view word, ScheduleItem& item) {
  const FaultInfo& family = *item.family;
  if (looks_like_nodes(word)) {
    item.shape = find_shape(family, "groups");
    if (item.shape == nullptr) item.shape = find_shape(family, "nodes");
    item.target = word;
    return {};
  }
  item.shape = find_shape(family, word);
  if (item.shape != nullptr && word != "nodes" && word != "groups") return {};
  return usage(fmt::format("fault {} has no shape '{}'; it has: {}; or name nodes, as in n1+n2",
                           family.name,
                           word,
                           names_of(family.shapes)));
}

// A time, or the word of an event.
Result<void> parse_moment(std::string_view text, std::string_view whole, ScheduleItem& item) {
  if (text.empty() || std::isalpha(static_cast<unsigned char>(text.front())) == 0) {
    const auto start = base::parse_duration(text);
    if (start.has_error()) return with_context(start.error(), fmt::format("fault '{}'", whole));
    item.start = *start;
    return {};
  }
  if (std::ranges::find(kEventWords, text) == kEventWords.end()) {
    return usage(fmt::format(
        "fault '{}': no event '{}'; there are: {}", whole, text, fmt::join(kEventWords, ", ")));
  }
  item.start = nanoseconds(0);
  item.at.event = text;
  return {};
}

Result<void> parse_placement(std::string_view text, std::string_view whole, ScheduleItem& item) {
  const std::size_t plus = text.find('+');
  if (plus == std::string_view::npos) {
    return usage(
        fmt::format("fault '{}' needs a placement such as @10s+2s (start + duration)", whole));
  }
  SUNDER_TRY(parse_moment(text.substr(0, plus), whole, item));
  const auto duration = base::parse_duration(text.substr(plus + 1));
  if (duration.has_error()) return with_context(duration.error(), fmt::format("fault '{}'", whole));
  if (duration->count() == 0) {
    return usage(fmt::format("fault '{}' must last longer than nothing", whole));
  }
  item.duration = *duration;
  return {};
}

Result<void> parse_event_parameter(std::string_view name,
                                   std::string_view value,
                                   std::string_view whole,
                                   ScheduleItem& item) {
  if (name == "count") {
    const auto [end, error] =
        std::from_chars(value.data(), value.data() + value.size(), item.at.count);
    const bool whole_number = error == std::errc{} && end == value.data() + value.size();
    if (whole_number && item.at.count >= 1 && item.at.count <= kEventCountMax) return {};
    return usage(fmt::format("fault '{}': count '{}': give 1 to {}", whole, value, kEventCountMax));
  }
  const auto duration = base::parse_duration(value);
  if (duration.has_error()) return with_context(duration.error(), fmt::format("fault '{}'", whole));
  if (name == "after") {
    item.start = *duration;
    return {};
  }
  if (*duration > kDelayMax) {
    return usage(fmt::format("fault '{}': delay must be at most 10m", whole));
  }
  item.at.delay = *duration;
  return {};
}

Result<void> parse_parameter(std::string_view text, std::string_view whole, ScheduleItem& item) {
  std::string_view value = text;
  const std::string_view name = take(value, '=');
  if (name == "seed") {
    std::uint64_t seed = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seed);
    if (error != std::errc{} || end != value.data() + value.size()) {
      return usage(fmt::format("fault '{}': seed '{}' is not a number", whole, value));
    }
    item.seed = seed;
    return {};
  }
  if (name == "after" || name == "delay" || name == "count") {
    if (!item.at.event.empty()) return parse_event_parameter(name, value, whole, item);
    return usage(fmt::format(
        "fault '{}': {} needs a placement by event, as in @became-leader+1s", whole, name));
  }
  const auto& known = item.family->parameters;
  const auto found = std::ranges::find(known, name, &FaultParameter::name);
  if (found == known.end()) {
    return usage(fmt::format("fault {} has no parameter '{}'; it has: {}, seed",
                             item.family->name,
                             name,
                             names_of(known)));
  }
  const auto duration = base::parse_duration(value);
  if (duration.has_error()) return with_context(duration.error(), fmt::format("fault '{}'", whole));
  if (*duration < found->low || *duration > found->high) {
    return usage(fmt::format("fault '{}': {} must be between {} and {}",
                             whole,
                             name,
                             base::format_duration(found->low),
                             base::format_duration(found->high)));
  }
  item.parameters[std::string(name) + "_ms"] = static_cast<double>(duration->count()) / 1e6;
  return {};
}

Result<ScheduleItem> parse_item(std::string_view whole) {
  ScheduleItem item;
  std::string_view rest = whole;
  std::string_view placement = take(rest, ';');
  const bool placed = placement.find('@') != std::string_view::npos;
  std::string_view word = take(placement, '@');
  const bool shaped = word.find(':') != std::string_view::npos;
  const std::string_view family = take(word, ':');
  item.family = find_fault(family);
  if (item.family == nullptr) {
    return usage(
        fmt::format("no fault '{}'; there are: {}, all, none", family, names_of(all_faults())));
  }
  if (shaped) SUNDER_TRY(parse_word(word, item));
  if (placed) {
    if (!shaped) {
      return usage(fmt::format("fault '{}' needs a shape before '@'; {} has: {}",
                               whole,
                               family,
                               names_of(item.family->shapes)));
    }
    SUNDER_TRY(parse_placement(placement, whole, item));
  }
  while (!rest.empty()) SUNDER_TRY(parse_parameter(take(rest, ';'), whole, item));
  if (!placed && (item.seed || !item.parameters.empty())) {
    return usage(fmt::format("fault '{}': parameters need a placement such as @10s+2s", whole));
  }
  return item;
}

}  // namespace

const FaultShape* find_shape(const FaultInfo& family, std::string_view name) {
  const auto found = std::ranges::find(family.shapes, name, &FaultShape::name);
  return found == family.shapes.end() ? nullptr : &*found;
}

Result<std::vector<ScheduleItem>> parse_items(std::string_view text) {
  std::vector<ScheduleItem> items;
  const std::string_view whole = trim(text);
  if (whole == "none") return items;
  if (whole == "all") {
    for (const FaultInfo& family : all_faults()) {
      ScheduleItem item;
      item.family = &family;
      items.push_back(std::move(item));
    }
    return items;
  }
  std::string_view rest = whole;
  do {
    const std::string_view word = trim(take(rest, ','));
    if (word == "all" || word == "none") {
      return usage(fmt::format("'{}' stands alone in a list of faults", word));
    }
    auto item = parse_item(word);
    if (item.has_error()) return item.error();
    items.push_back(std::move(*item));
  } while (!rest.empty());
  return items;
}

Result<void> check_item(const ScheduleItem& item, std::size_t nodes) {
  if (item.shape == nullptr) {
    const bool possible = std::ranges::any_of(
        item.family->shapes, [&](const FaultShape& shape) { return shape.nodes_min <= nodes; });
    if (possible) return {};
    return usage(fmt::format("fault {} is impossible with {} nodes", item.family->name, nodes));
  }
  if (item.shape->nodes_min > nodes) {
    return usage(fmt::format("fault {}:{} needs at least {} nodes, this cluster has {}",
                             item.family->name,
                             item.shape->name,
                             item.shape->nodes_min,
                             nodes));
  }
  const bool of_event = item.shape->name == "subject" || item.shape->name == "others";
  if (of_event && item.at.event.empty()) {
    return usage(fmt::format("fault {}:{} needs a placement by event, as in @became-leader+1s",
                             item.family->name,
                             item.shape->name));
  }
  if (item.shape->name == "nodes") {
    const auto parsed = parse_nodes(item.target, nodes);
    if (parsed.has_error()) return parsed.error();
  }
  if (item.shape->name == "groups") {
    const auto parsed = parse_sides(item.target, nodes);
    if (parsed.has_error()) return parsed.error();
  }
  return {};
}

std::span<const std::string_view> event_words() {
  return kEventWords;
}

std::string exact_duration(std::chrono::nanoseconds duration) {
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
