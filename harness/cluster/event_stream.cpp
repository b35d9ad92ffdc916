#include "harness/cluster/event_stream.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace sunder::cluster {
namespace {

namespace json = boost::json;

constexpr std::size_t kLineBytesMax = 64 * 1024;
constexpr std::int64_t kFormat = 1;

Error not_an_event(std::string_view reason) {
  return make_error(Errc::protocol, fmt::format("not an event: {}", reason));
}

// An integer of either signedness that fits into 63 bits.
std::optional<std::int64_t> integer_of(const json::value* value) {
  if (value == nullptr) return std::nullopt;
  if (value->is_int64()) return value->get_int64();
  return std::nullopt;
}

std::optional<std::uint64_t> count_of(const json::value* value) {
  const auto number = integer_of(value);
  if (!number || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

void add_field(history::NodeEvent& event, const std::string& name, const json::value& value) {
  if (value.is_bool()) {
    event.numbers.emplace_back(name, value.get_bool() ? 1 : 0);
  } else if (const auto number = integer_of(&value)) {
    event.numbers.emplace_back(name, *number);
  } else if (value.is_string()) {
    event.texts.emplace_back(name, std::string(value.get_string()));
  } else {
    event.texts.emplace_back(name, json::serialize(value));
  }
}

}  // namespace

Result<EventLine> parse_event(std::string_view line,
                              std::string_view node,
                              const base::RunClock& clock) {
  boost::system::error_code error;
  json::parse_options limits;
  limits.max_depth = 8;
  const json::value parsed = json::parse(line, error, json::storage_ptr(), limits);
  if (error) return not_an_event(error.message());
  const json::object* const object = parsed.if_object();
  if (object == nullptr) return not_an_event("not an object");
  if (integer_of(object->if_contains("v")) != kFormat) return not_an_event("not version 1");
  const auto sequence = count_of(object->if_contains("seq"));
  if (!sequence) return not_an_event("no seq");
  const auto time = integer_of(object->if_contains("time"));
  if (!time) return not_an_event("no time");
  const json::value* const name = object->if_contains("event");
  if (name == nullptr || !name->is_string()) return not_an_event("no event");
  EventLine result;
  result.event.node = node;
  result.event.sequence = *sequence;
  result.event.time = clock.relative(*time);
  result.event.event = std::string(name->get_string());
  result.dropped = count_of(object->if_contains("dropped"));
  for (const auto& [key, value] : *object) {
    const std::string_view field(key);
    const bool common = field == "v" || field == "node" || field == "seq" || field == "time" ||
                        field == "event" || field == "dropped";
    if (!common) add_field(result.event, std::string(field), value);
  }
  return result;
}

EventStream::EventStream(std::string node, base::RunClock clock, Handler handler)
    : node_(std::move(node)), clock_(clock), handler_(std::move(handler)) {}

void EventStream::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    if (!skipping_) partial_ += piece;
    if (partial_.size() > kLineBytesMax) {
      partial_.clear();
      skipping_ = true;
    }
    if (end == std::string_view::npos) return;
    bytes.remove_prefix(end + 1);
    if (skipping_) {
      ++unreadable_;
    } else {
      take(partial_);
    }
    skipping_ = false;
    partial_.clear();
  }
}

void EventStream::take(std::string_view line) {
  auto parsed = parse_event(line, node_, clock_);
  if (parsed.has_error()) {
    ++unreadable_;
    return;
  }
  const std::uint64_t sequence = parsed->event.sequence;
  if (last_sequence_ && sequence > *last_sequence_ + 1) missing_ += sequence - *last_sequence_ - 1;
  last_sequence_ = sequence;
  told_ = std::max(told_, parsed->dropped.value_or(0));
  handler_(parsed->event);
}

std::uint64_t EventStream::dropped() const noexcept {
  // A number that is missing because its line could not be read shows up in both counts.
  return std::max({missing_, told_, unreadable_});
}

}  // namespace sunder::cluster
