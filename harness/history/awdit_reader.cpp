// Reads AWDIT's text form: "w key value" and "r key value", a line of dashes ends a transaction, a
// line of equals signs a session.

#include <optional>

#include <fmt/format.h>

#include "harness/history/lines.hpp"
#include "harness/history/readers.hpp"
#include "harness/history/transaction_recorder.hpp"

namespace sunder::history {
namespace {

class AwditReader {
 public:
  AwditReader(std::string_view text, std::string_view source, ReadProgress& progress)
      : text_(text), source_(source), progress_(&progress) {}

  [[nodiscard]] Result<History> read() {
    Lines lines(text_);
    while (const std::optional<Line> line = lines.next()) {
      progress_->at(line->offset);
      const char first = line->text.front();
      if (first == '-' || first == '=') {
        if (line->text.find_first_not_of(first) != std::string_view::npos) {
          return error_at(text_, line->offset, source_, "expected a line of - or = alone");
        }
        transaction_.reset();
        if (first == '=') ++session_;
      } else {
        SUNDER_TRY(read_event(*line));
      }
    }
    return recorder_.finish();
  }

 private:
  [[nodiscard]] Result<void> read_event(const Line& line) {
    const auto refuse = [&](std::string_view rest, std::string_view what) {
      const auto column = static_cast<std::size_t>(rest.data() - line.text.data());
      return error_at(text_, line.offset + column, source_, what);
    };
    std::string_view rest = line.text;
    const std::string_view kind = take_word(rest);
    if (kind != "r" && kind != "w") {
      return refuse(line.text, "expected \"r key value\", \"w key value\", ----- or =====");
    }
    const std::string_view key = take_word(rest);
    if (key.empty()) return refuse(rest, "expected a key");
    const std::string_view value = take_word(rest);
    if (value.empty()) return refuse(rest, "expected a value");
    const std::string_view more = take_word(rest);
    if (!more.empty()) return refuse(more, "expected the end of the line after the value");
    if (!transaction_) transaction_ = recorder_.begin(session_, true);
    const Value key_value = value_of_word(recorder_.pool(), key);
    const Value value_value = value_of_word(recorder_.pool(), value);
    if (kind == "r") {
      recorder_.read(*transaction_, key_value, value_value);
    } else {
      recorder_.write(*transaction_, key_value, value_value);
    }
    return {};
  }

  std::string_view text_;
  std::string_view source_;
  ReadProgress* progress_;
  TransactionRecorder recorder_;
  std::int64_t session_ = 0;
  std::optional<std::size_t> transaction_;
};

}  // namespace

Result<History> read_awdit(std::string_view text, std::string_view source, ReadProgress& progress) {
  return AwditReader(text, source, progress).read();
}

}  // namespace sunder::history
