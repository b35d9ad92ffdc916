// Reads histories in Jepsen's EDN: one vector of maps, or one map a line.

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "harness/history/edn.hpp"
#include "harness/history/event_pairing.hpp"
#include "harness/history/readers.hpp"

namespace sunder::history {
namespace {

struct PlacedEvent {
  TextEvent event;
  std::size_t offset = 0;
};

class EdnReader {
 public:
  EdnReader(std::string_view text, std::string_view source)
      : text_(text), source_(source), parser_(text, source, pairing_.pool()) {}

  [[nodiscard]] Result<History> read(Format& format) {
    SUNDER_TRY(read_events());
    const bool keyed = std::ranges::any_of(
        events_, [](const PlacedEvent& placed) { return !placed.event.key.empty(); });
    format = keyed ? Format::porcupine_kv : Format::edn;
    if (!keyed && has_independent_tuples()) split_tuples();
    for (const PlacedEvent& placed : events_) {
      if (placed.event.is_note) {
        pairing_.note(placed.event.time, placed.event.function);
        continue;
      }
      const Result<void> applied = pairing_.apply(placed.event);
      if (applied.has_error()) {
        return error_at(text_, placed.offset, source_, applied.error().context);
      }
    }
    return pairing_.finish();
  }

 private:
  [[nodiscard]] Result<void> read_events() {
    Result<char> next = parser_.peek();
    if (next.has_error()) return next.error();
    char close = '\0';
    if (*next == '[' || *next == '(') {
      close = *next == '[' ? ']' : ')';
      (void)parser_.take(*next);
    }
    while (true) {
      next = parser_.peek();
      if (next.has_error()) return next.error();
      if (*next == '\0' || (close != '\0' && *next == close)) break;
      const std::size_t offset = parser_.offset();
      parser_.skip_tag();
      SUNDER_TRY(read_event(offset));
    }
    if (close == '\0') return {};
    if (!parser_.take(close)) return parser_.error(fmt::format("expected '{}'", close));
    next = parser_.peek();
    if (next.has_error()) return next.error();
    if (*next != '\0') return parser_.error("expected the end after the history");
    return {};
  }

  [[nodiscard]] Result<void> read_event(std::size_t offset) {
    if (!parser_.take('{')) return parser_.error("expected an operation, a map");
    PlacedEvent placed;
    placed.offset = offset;
    bool has_type = false;
    while (true) {
      const Result<char> next = parser_.peek();
      if (next.has_error()) return next.error();
      if (parser_.take('}')) break;
      const Result<Value> name = parser_.value();
      if (name.has_error()) return name.error();
      const Result<Value> content = parser_.value();
      if (content.has_error()) return content.error();
      if (!name->is_text()) continue;
      if (pool().text_of(*name) == "type") {
        has_type =
            content->is_text() && parse_event_type(pool().text_of(*content), placed.event.type);
      } else {
        take_field(pool().text_of(*name), *content, placed.event);
      }
    }
    if (!has_type) {
      return error_at(text_, offset, source_, "expected :type of :invoke, :ok, :fail or :info");
    }
    events_.push_back(placed);
    return {};
  }

  void take_field(std::string_view name, Value content, TextEvent& event) {
    if (name == "process") {
      event.is_note = !content.is_integer();
      if (!event.is_note) event.process = content.raw();
    } else if (name == "f") {
      event.function = name_text(content);
    } else if (name == "value") {
      event.value = content;
    } else if (name == "key") {
      event.key = name_text(content);
    } else if (name == "error") {
      event.error = name_text(content);
    } else if (name == "node") {
      event.node = name_text(content);
    } else if (name == "time" && content.is_integer()) {
      event.time = content.raw();
    }
  }

  // A name: text as it is, anything else as a reader writes it; nil is no name.
  std::string_view name_text(Value content) {
    if (content.is_nil()) return {};
    if (content.is_text()) return pool().text_of(content);
    return pool().name(pool().symbol(pool().describe(content)));
  }

  [[nodiscard]] bool is_tuple(Value value) {
    if (!value.is_list()) return false;
    const std::span<const Value> items = pool().items_of(value);
    return items.size() == 2 && !items[0].is_list() && !items[0].is_nil();
  }

  // jepsen.independent writes every client's value as [key value]. The rule: there is an
  // invocation, every invocation's value is a pair whose first part is a scalar, and the second
  // part of every cas is itself a pair. A register of plain values fails it at its first read (nil)
  // or write (a scalar), a history of only [from to] at its cas.
  [[nodiscard]] bool has_independent_tuples() {
    bool any = false;
    for (const PlacedEvent& placed : events_) {
      const TextEvent& event = placed.event;
      if (event.is_note || event.type != EventType::invoke) continue;
      if (event.function.empty() || function_of(event.function) == Function::txn) return false;
      if (!is_tuple(event.value)) return false;
      const Value second = pool().items_of(event.value)[1];
      const bool is_cas = function_of(event.function) == Function::cas;
      if (is_cas && (!second.is_list() || pool().items_of(second).size() != 2)) return false;
      any = true;
    }
    return any;
  }

  void split_tuples() {
    for (PlacedEvent& placed : events_) {
      if (placed.event.is_note || !is_tuple(placed.event.value)) continue;
      const std::span<const Value> items = pool().items_of(placed.event.value);
      const Value key = items[0];
      placed.event.value = items[1];
      placed.event.key = name_text(key);
    }
  }

  [[nodiscard]] ValuePool& pool() noexcept { return pairing_.pool(); }

  std::string_view text_;
  std::string_view source_;
  EventPairing pairing_{Dialect{.nil_read_is_unknown = true, .failed_cas_compared = false}};
  EdnParser parser_;
  std::vector<PlacedEvent> events_;
};

}  // namespace

Result<History> read_edn(std::string_view text, std::string_view source, Format& format) {
  return EdnReader(text, source).read(format);
}

}  // namespace sunder::history
