// Reads histories in Jepsen's EDN: one vector of maps, or one map a line.
//
// Plain events go through PlainEdn, the others through EdnParser: both read the same.

#include <fmt/format.h>

#include "harness/history/edn.hpp"
#include "harness/history/event_pairing.hpp"
#include "harness/history/plain_edn.hpp"
#include "harness/history/readers.hpp"

namespace sunder::history {
namespace {

class EdnReader {
 public:
  EdnReader(std::string_view text, std::string_view source, Dialect dialect, ReadProgress& progress)
      : text_(text),
        source_(source),
        progress_(&progress),
        pairing_(dialect),
        parser_(text, source, pairing_.pool()),
        plain_(pairing_) {}

  [[nodiscard]] Result<History> read(Format& format, bool& again) {
    Result<void> read = read_events();
    again = pairing_.must_read_again();
    if (read.has_error()) return std::move(read).error();
    format = keyed_ ? Format::porcupine_kv : Format::edn;
    if (pairing_.is_without_invocations()) progress_->remark(kWithoutInvocations);
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
      // Nearly always a blank and the next map: peek() is for comments and the end.
      const char* const place = PlainEdn::skip_blanks(text_.data() + parser_.offset());
      if (place < text_.data() + text_.size() && *place == '{') {
        parser_.move_to(static_cast<std::size_t>(place - text_.data()));
        next = '{';
      } else {
        next = parser_.peek();
      }
      if (next.has_error()) return next.error();
      if (*next == '\0' || (close != '\0' && *next == close)) break;
      const std::size_t offset = parser_.offset();
      Result<void> read = read_event(offset);
      if (read.has_error()) {
        // A run that died while writing its last line leaves a part of it.
        const bool last = close == '\0' && text_.find('\n', offset) == std::string_view::npos;
        if (last && cut_off_) {
          progress_->remark(kCutOff);
          return {};
        }
        return read;
      }
      pairing_.make_room(parser_.offset(), text_.size());
      progress_->at(parser_.offset());
    }
    if (close == '\0') return {};
    if (!parser_.take(close)) return parser_.error(fmt::format("expected '{}'", close));
    next = parser_.peek();
    if (next.has_error()) return next.error();
    if (*next != '\0') return parser_.error("expected the end after the history");
    return {};
  }

  [[nodiscard]] Result<void> read_event(std::size_t offset) {
    TextEvent event;
    const char* const behind =
        plain_.read(text_.data() + offset, text_.data() + text_.size(), event);
    if (behind != nullptr) {
      parser_.move_to(static_cast<std::size_t>(behind - text_.data()));
    } else {
      event = TextEvent();
      SUNDER_TRY(read_general(offset, event));
    }
    if (event.is_note) {
      pairing_.note(event.time, event.function);
      return {};
    }
    keyed_ = keyed_ || !event.key.empty();
    const Result<void> applied = pairing_.apply(event);
    if (applied.has_error()) return error_at(text_, offset, source_, applied.error().context);
    return {};
  }

  [[nodiscard]] Result<void> read_general(std::size_t offset, TextEvent& event) {
    parser_.skip_tag();
    if (!parser_.take('{')) return parser_.error("expected an operation, a map");
    bool has_type = false;
    cut_off_ = true;
    while (true) {
      const Result<char> next = parser_.peek();
      if (next.has_error()) return next.error();
      if (parser_.take('}')) break;
      const Result<Value> name = parser_.value();
      if (name.has_error()) return refuse(name.error());
      const Result<Value> content = parser_.value();
      if (content.has_error()) return refuse(content.error());
      if (!name->is_text()) continue;
      if (pool().text_of(*name) == "type") {
        has_type = content->is_text() && parse_event_type(pool().text_of(*content), event.type);
      } else {
        take_field(pool().text_of(*name), *content, event);
      }
    }
    cut_off_ = false;
    if (!has_type) {
      return error_at(text_, offset, source_, "expected :type of :invoke, :ok, :fail or :info");
    }
    return {};
  }

  // An event was cut off when it was the end of the text that refused it.
  [[nodiscard]] Error refuse(const Error& error) {
    cut_off_ = parser_.offset() >= text_.size();
    return error;
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
    } else if (name == "rebalance-log") {
      event.rebalances = content;
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

  [[nodiscard]] ValuePool& pool() noexcept { return pairing_.pool(); }

  std::string_view text_;
  std::string_view source_;
  ReadProgress* progress_;
  EventPairing pairing_;
  EdnParser parser_;
  PlainEdn plain_;
  bool keyed_ = false;
  bool cut_off_ = false;
};

}  // namespace

Result<History> read_edn(std::string_view text,
                         std::string_view source,
                         Format& format,
                         ReadProgress& progress) {
  constexpr Dialect kJepsen{.nil_read_is_unknown = true,
                            .failed_cas_compared = false,
                            .independent_keys = true,
                            .completions_alone = true};
  return read_with(kJepsen, [&](Dialect dialect, bool& again) {
    return EdnReader(text, source, dialect, progress).read(format, again);
  });
}

}  // namespace sunder::history
