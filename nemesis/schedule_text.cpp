#include "nemesis/schedule_text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/base/duration.hpp"
#include "nemesis/parameters.hpp"
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

constexpr std::uint32_t kEventCountMax = 1'000'000;
constexpr std::chrono::nanoseconds kDelayMax = std::chrono::minutes(10);

// Sorted by name.
constexpr std::array<HarnessEvent, 3> kHarnessEvents{{
    {kAfterAcks, "an operation was acknowledged to a client: after-acks=100 is the hundredth"},
    {kAtStart, "the load begins"},
    {kNodeStarted, "a node's process was started again, and has not said anything yet", true},
}};

// How many letters must be changed, put in or left out to make one word of the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

constexpr std::size_t kWordLengthMax = 40;

// "; did you mean 'kill'?" when some word is near enough to be a slip of the same; else nothing.
std::string suggestion(std::string_view word, const std::vector<std::string_view>& known) {
  std::string_view best;
  std::size_t nearest = std::max<std::size_t>(1, word.size() / 3) + 1;
  if (word.empty() || word.size() > kWordLengthMax) return {};
  for (const std::string_view candidate : known) {
    const std::size_t far = distance(word, candidate);
    if (far < nearest) {
      nearest = far;
      best = candidate;
    }
  }
  return best.empty() ? std::string() : fmt::format(" (did you mean '{}'?)", best);
}

template <typename Rows>
std::string suggestion_of(std::string_view word, const Rows& rows) {
  std::vector<std::string_view> names;
  for (const auto& row : rows) names.push_back(row.name);
  return suggestion(word, names);
}

// One line of what a user typed, whatever it was.
std::string printable(std::string_view text) {
  std::string line;
  for (const char c : text) {
    line += static_cast<unsigned char>(c) < ' ' ? '?' : c;
  }
  return line;
}

template <typename Rows>
std::string names_of(const Rows& rows) {
  std::string names;
  for (const auto& row : rows) {
    if (!names.empty()) names += ", ";
    names += row.name;
  }
  return names.empty() ? "none" : names;
}

// Of clients too: c1>n2.
bool looks_like_nodes(std::string_view word) {
  return word.size() >= 2 && (word[0] == 'n' || word[0] == 'c') &&
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
  return usage(fmt::format("fault {} has no shape '{}'{}; it has: {}; or name nodes, as in n1+n2",
                           family.name,
                           word,
                           suggestion_of(word, family.shapes),
                           names_of(family.shapes)));
}

Result<void> parse_count(std::string_view text, std::string_view whole, ScheduleItem& item) {
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, item.at.count);
  const bool whole_number = error == std::errc{} && end == last;
  if (whole_number && item.at.count >= 1 && item.at.count <= kEventCountMax) return {};
  return usage(fmt::format("fault '{}': count '{}': give 1 to {}", whole, text, kEventCountMax));
}

// A time, or the word of an event with its count.
Result<void> parse_moment(std::string_view text, std::string_view whole, ScheduleItem& item) {
  if (text.empty() || std::isalpha(static_cast<unsigned char>(text.front())) == 0) {
    const auto start = base::parse_duration(text);
    if (start.has_error()) return with_context(start.error(), fmt::format("fault '{}'", whole));
    item.start = *start;
    return {};
  }
  item.start = nanoseconds(0);
  const bool counted = text.find('=') != std::string_view::npos;
  item.at.event = take(text, '=');
  return counted ? parse_count(text, whole, item) : Result<void>();
}

Result<void> parse_placement(std::string_view text, std::string_view whole, ScheduleItem& item) {
  const std::size_t plus = text.find('+');
  SUNDER_TRY(parse_moment(text.substr(0, plus), whole, item));
  item.duration = item.family->usual;
  if (plus == std::string_view::npos) return {};
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
  if (name == "count") return parse_count(value, whole, item);
  const auto duration = base::parse_duration(value);
  if (duration.has_error()) return with_context(duration.error(), fmt::format("fault '{}'", whole));
  if (name == "after") {
    item.start = *duration;
    return {};
  }
  if (*duration > kDelayMax) {
    return usage(fmt::format("fault '{}': {} must be at most 10m", whole, name));
  }
  (name == "within" ? item.at.within : item.at.delay) = *duration;
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
  if (name == "after" || name == "delay" || name == "count" || name == "within") {
    if (!item.at.event.empty()) return parse_event_parameter(name, value, whole, item);
    return usage(fmt::format(
        "fault '{}': {} needs a placement by event, as in @became-leader+1s", whole, name));
  }
  const auto& known = item.family->parameters;
  const auto found = std::ranges::find(known, name, &FaultParameter::name);
  if (found == known.end()) {
    return usage(fmt::format("fault {} has no parameter '{}'{}; it has: {}, seed",
                             item.family->name,
                             name,
                             suggestion_of(name, known),
                             names_of(known)));
  }
  auto canonical = canonical_value(*found, value);
  if (canonical.has_error()) {
    return with_context(canonical.error(), fmt::format("fault '{}'", whole));
  }
  item.parameters.insert_or_assign(std::string(name), std::move(*canonical));
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
    return usage(fmt::format("no fault '{}'{}; there are: {}, all, atlas, none",
                             family,
                             suggestion_of(family, all_faults()),
                             names_of(all_faults())));
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
  while (!rest.empty()) SUNDER_TRY(parse_parameter(trim(take(rest, ';')), whole, item));
  if (!placed && item.seed) {
    return usage(fmt::format("fault '{}': a seed needs a placement such as @10s+2s", whole));
  }
  return item;
}

bool is_of_event(const FaultShape& shape) {
  return shape.name == "subject" || shape.name == "others";
}

}  // namespace

const FaultShape* find_shape(const FaultInfo& family, std::string_view name) {
  const auto found = std::ranges::find(family.shapes, name, &FaultShape::name);
  return found == family.shapes.end() ? nullptr : &*found;
}

bool means_all(std::string_view text) noexcept {
  return trim(text) == "all";
}

bool means_atlas(std::string_view text) noexcept {
  const std::string_view whole = trim(text);
  return whole == "atlas" || whole.starts_with("atlas:");
}

namespace {

// The families behind "atlas:", alone; all without.
Result<std::vector<ScheduleItem>> parse_atlas(std::string_view whole) {
  take(whole, ':');
  if (trim(whole).empty()) return parse_items("all");
  auto items = parse_items(whole);
  if (items.has_error()) return items;
  for (const ScheduleItem& item : *items) {
    if (item.shape == nullptr && item.parameters.empty()) continue;
    return usage(fmt::format("an atlas takes families alone, not {}:…", item.family->name));
  }
  return items;
}

}  // namespace

Result<std::vector<ScheduleItem>> parse_items(std::string_view text) {
  std::vector<ScheduleItem> items;
  const std::string_view whole = trim(text);
  if (whole == "none") return items;
  if (means_atlas(whole)) return parse_atlas(whole);
  if (means_all(whole)) {
    for (const FaultInfo& family : all_faults()) {
      ScheduleItem item;
      item.family = &family;
      items.push_back(std::move(item));
    }
    return items;
  }
  std::string_view rest = whole;
  for (bool more = true; more;) {
    more = rest.find(',') != std::string_view::npos;
    const std::string word = printable(trim(take(rest, ',')));
    if (word == "all" || word == "none" || means_atlas(word)) {
      return usage(fmt::format("'{}' stands alone in a list of faults", word));
    }
    auto item = parse_item(word);
    if (item.has_error()) return item.error();
    items.push_back(std::move(*item));
  }
  return items;
}

std::span<const HarnessEvent> harness_events() {
  return kHarnessEvents;
}

Extent extent_of(const FaultShape& shape) noexcept {
  if (shape.touches) return *shape.touches;
  const std::string_view name = shape.name;
  if (name == "one" || name == "subject" || name == "one-way") return Extent::one;
  if (name == "minority" || name == "leader-minority") return Extent::minority;
  if (name.starts_with("leader")) return Extent::one;
  if (name == "all" || name == "followers" || name == "others") return Extent::all;
  return Extent::majority;
}

static Result<void> check_event(const ScheduleItem& item, const ScheduleOptions& options) {
  const std::string& word = item.at.event;
  if (word.empty()) return {};
  const auto own = std::ranges::find(kHarnessEvents, std::string_view(word), &HarnessEvent::name);
  if (own != kHarnessEvents.end()) {
    if (own->of_node || !is_of_event(*item.shape)) return {};
    return usage(fmt::format(
        "fault {}:{}: no node tells the event '{}'", item.family->name, item.shape->name, word));
  }
  const bool told = std::ranges::find(options.events, word) != options.events.end();
  if (told || options.events.empty()) return {};
  std::vector<std::string_view> known(options.events.begin(), options.events.end());
  for (const HarnessEvent& event : kHarnessEvents) known.push_back(event.name);
  std::ranges::sort(known);
  return usage(fmt::format(
      "no event '{}'{}; there are: {}", word, suggestion(word, known), fmt::join(known, ", ")));
}

bool is_of_leader(const FaultShape& shape) noexcept {
  return shape.name.starts_with("leader") || shape.name.ends_with("leader");
}

// In a mode whose nodes tell their events, and never that they lead, nobody does.
static bool lacks_leader(const FaultShape& shape, const ScheduleOptions& options) {
  const bool needs = is_of_leader(shape) || shape.name == "followers";
  return needs && !options.events.empty() &&
         std::ranges::find(options.events, kBecameLeader) == options.events.end();
}

bool is_possible(const FaultShape& shape, const ScheduleOptions& options) {
  return shape.nodes_min <= options.nodes && !lacks_leader(shape, options);
}

static Result<void> check_leader(const ScheduleItem& item, const ScheduleOptions& options) {
  if (!lacks_leader(*item.shape, options)) return {};
  std::vector<std::string_view> others;
  for (const FaultShape& shape : item.family->shapes) {
    if (is_possible(shape, options)) others.push_back(shape.name);
  }
  return usage(fmt::format("fault {}:{}: no node of this mode leads; there are: {}",
                           item.family->name,
                           item.shape->name,
                           fmt::join(others, ", ")));
}

Result<void> check_item(const ScheduleItem& item, const ScheduleOptions& options) {
  const std::size_t nodes = options.nodes;
  if (item.shape == nullptr) {
    const bool possible = std::ranges::any_of(
        item.family->shapes, [&](const FaultShape& shape) { return shape.nodes_min <= nodes; });
    if (possible) return {};
    const FaultShape& least =
        *std::ranges::min_element(item.family->shapes, {}, &FaultShape::nodes_min);
    return usage(fmt::format(
        "fault {} needs at least {} nodes, this cluster has {}: give --nodes, or other --faults",
        item.family->name,
        least.nodes_min,
        nodes));
  }
  if (item.shape->nodes_min > nodes) {
    return usage(fmt::format("fault {}:{} needs at least {} nodes, this cluster has {}",
                             item.family->name,
                             item.shape->name,
                             item.shape->nodes_min,
                             nodes));
  }
  SUNDER_TRY(check_leader(item, options));
  SUNDER_TRY(check_event(item, options));
  if (is_of_event(*item.shape) && item.at.event.empty()) {
    return usage(fmt::format("fault {}:{} needs a placement by event, as in @became-leader+1s",
                             item.family->name,
                             item.shape->name));
  }
  if (item.shape->name == "nodes") {
    const auto parsed = parse_nodes(item.target, nodes);
    if (parsed.has_error()) return parsed.error();
  }
  if (item.shape->name == "groups") {
    const auto parsed =
        parse_sides(item.target, nodes, options.clients == 0 ? kClients_max : options.clients);
    if (parsed.has_error()) return parsed.error();
  }
  return {};
}

}  // namespace sunder::nemesis
