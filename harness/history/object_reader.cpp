// Reads histories of one concurrent object, as LiMo and Violin write them: "[id] call push(1)" and
// "[id] return 1", with "# @object atomic-stack" before them.
//
// A removal that returns nothing, or "empty", found the object empty. A value given with the call
// of a removal is what it got. Calls without a return, and those in flight at a line "crash", are
// pending for ever.

#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "harness/history/lines.hpp"
#include "harness/history/object_methods.hpp"
#include "harness/history/readers.hpp"

namespace sunder::history {
namespace {

class ObjectReader {
 public:
  ObjectReader(std::string_view text, std::string_view source) : text_(text), source_(source) {}

  [[nodiscard]] Result<History> read() {
    Lines lines(text_);
    while (const std::optional<Line> line = lines.next()) {
      if (line->text.front() == '#') {
        read_comment(line->text);
        continue;
      }
      Result<void> event = read_event(*line);
      // A recording that was cut off leaves a part of its last line.
      if (event.has_error() && !line->has_newline) break;
      if (event.has_error()) return std::move(event).error();
    }
    for (const std::int64_t process : in_flight_) {
      if (const auto open = builder_.in_flight(process)) {
        builder_.mutable_operation(*open).output = Value();  // what it would have got
      }
    }
    return builder_.finish();
  }

 private:
  void read_comment(std::string_view line) {
    constexpr std::string_view kMark = "@object";
    const std::size_t mark = line.find(kMark);
    if (mark == std::string_view::npos) return;
    std::string_view rest = line.substr(mark + kMark.size());
    type_ = object_type_of(take_word(rest));
  }

  [[nodiscard]] Result<void> read_event(const Line& line) {
    if (line.text == "crash") return crash(line);
    const std::size_t close = line.text.find(']');
    const bool named = line.text.front() == '[' && close != std::string_view::npos;
    const auto process =
        named ? integer_of(line.text.substr(1, close - 1)) : std::optional<std::int64_t>();
    if (!process) return refuse(line, line.text, "expected [number] call … or [number] return …");
    std::string_view rest = line.text.substr(close + 1);
    const std::string_view kind = take_word(rest);
    if (kind == "call") return read_call(line, *process, rest);
    if (kind == "return") return read_return(line, *process, rest);
    return refuse(line, kind, "expected \"call\" or \"return\"");
  }

  // "push(1)", "push 1", "pop", "cas(1, 2)".
  [[nodiscard]] Result<void> read_call(const Line& line,
                                       std::int64_t process,
                                       std::string_view call) {
    constexpr std::string_view kBetween = " \t(";
    call.remove_prefix(std::min(call.find_first_not_of(" \t"), call.size()));
    const std::size_t end = std::min(call.find_first_of(kBetween), call.size());
    const std::string_view name = call.substr(0, end);
    if (name.empty()) return refuse(line, call, "expected a method");
    values_.clear();
    split_values(call.substr(end));
    HistoryBuilder::Invocation invocation;
    invocation.process = process;
    invocation.function = name;
    const auto index = builder_.invoke(invocation);
    if (index.has_error()) return refuse(line, line.text, index.error().context);
    Operation& operation = builder_.mutable_operation(*index);
    operation.function = method_of(type_, name).function;
    set_values(pool(), operation, values_);
    in_flight_.push_back(process);
    return {};
  }

  void split_values(std::string_view rest) {
    constexpr std::string_view kBetween = " \t(),";
    while (true) {
      const std::size_t begin = rest.find_first_not_of(kBetween);
      if (begin == std::string_view::npos) return;
      const std::size_t end = std::min(rest.find_first_of(kBetween, begin), rest.size());
      values_.push_back(value_of(rest.substr(begin, end - begin)));
      rest.remove_prefix(end);
    }
  }

  [[nodiscard]] Result<void> read_return(const Line& line,
                                         std::int64_t process,
                                         std::string_view rest) {
    values_.clear();
    split_values(rest);
    HistoryBuilder::Completion completion;
    completion.process = process;
    completion.outcome = Outcome::ok;
    const auto open = builder_.in_flight(process);
    if (open) completion.output = result_of(builder_.operation(*open));
    const auto index = builder_.complete(completion);
    if (index.has_error()) return refuse(line, line.text, index.error().context);
    std::erase(in_flight_, process);
    return {};
  }

  [[nodiscard]] Value result_of(const Operation& operation) const {
    if (!values_.empty()) return values_.front();
    const bool nothing = takes_out(operation.function) && operation.output.is_none();
    return nothing ? Value::nil() : operation.output;
  }

  [[nodiscard]] Result<void> crash(const Line& line) {
    for (const std::int64_t process : in_flight_) {
      HistoryBuilder::Completion completion;
      completion.process = process;
      const auto index = builder_.complete(completion);
      if (index.has_error()) return refuse(line, line.text, index.error().context);
    }
    in_flight_.clear();
    return {};
  }

  [[nodiscard]] Value value_of(std::string_view word) {
    if (word == "empty" || word == "nil" || word == "null") return Value::nil();
    if (word == "true" || word == "false") return Value::boolean(word == "true");
    return value_of_word(pool(), word);
  }

  [[nodiscard]] Error refuse(const Line& line, std::string_view part, std::string_view what) const {
    const auto column = static_cast<std::size_t>(part.data() - line.text.data());
    return error_at(text_, line.offset + column, source_, what);
  }

  [[nodiscard]] ValuePool& pool() noexcept { return builder_.pool(); }

  std::string_view text_;
  std::string_view source_;
  HistoryBuilder builder_;
  ObjectType type_ = ObjectType::other;
  std::vector<Value> values_;
  std::vector<std::int64_t> in_flight_;
};

}  // namespace

Result<History> read_object(std::string_view text, std::string_view source) {
  return ObjectReader(text, source).read();
}

}  // namespace sunder::history
