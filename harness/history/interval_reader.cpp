// Reads lists of intervals: "# type", then one call a line with its values, start and end.
//
//   process start end METHOD value…    fptlin
//   process METHOD value start end     its older form
//   method value start end             fastlin, PolyLin
//
// The stamps are those of the file. -1 is an empty container; as an end, a call that never
// returned. Without a process every call is a process of its own: nothing says who made it.

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "harness/history/lines.hpp"
#include "harness/history/object_methods.hpp"
#include "harness/history/readers.hpp"

namespace sunder::history {
namespace {

constexpr std::int64_t kNothing = -1;

class IntervalReader {
 public:
  IntervalReader(std::string_view text, std::string_view source) : text_(text), source_(source) {}

  [[nodiscard]] Result<History> read() {
    Lines lines(text_);
    bool typed = false;
    while (const std::optional<Line> line = lines.next()) {
      if (line->text.front() != '#') {
        SUNDER_TRY(read_call(*line));
      } else if (!typed) {
        std::string_view rest = line->text.substr(1);
        type_ = object_type_of(take_word(rest));
        typed = true;
      }
    }
    add_initial_value();
    return builder_.finish();
  }

 private:
  [[nodiscard]] Result<void> read_call(const Line& line) {
    words_.clear();
    std::string_view rest = line.text;
    while (true) {
      const std::string_view word = take_word(rest);
      if (word.empty()) break;
      words_.push_back(word);
    }
    const bool has_process = integer_of(words_[0]).has_value();
    const bool times_first = has_process && words_.size() > 1 && integer_of(words_[1]);
    const std::size_t fixed = has_process ? 4 : 3;
    if (words_.size() < fixed) {
      return refuse(line,
                    line.text.substr(line.text.size()),
                    "expected process, start, end, method and values, or method, value, start, "
                    "end");
    }
    const std::size_t times = times_first ? 1 : words_.size() - 2;
    const std::size_t method = times_first ? 3 : has_process ? 1 : 0;
    for (const std::size_t i : {times, times + 1}) {
      if (!integer_of(words_[i])) return refuse(line, words_[i], "expected a time stamp");
    }
    Operation operation;
    operation.invoke = *integer_of(words_[times]);
    operation.complete = *integer_of(words_[times + 1]);
    operation.process = has_process ? *integer_of(words_[0]) : next_process_++;
    const bool open = operation.complete == kNothing && operation.invoke > kNothing;
    if (open) operation.complete = kNever;
    if (operation.complete < operation.invoke) {
      return refuse(line, words_[times + 1], "expected an end after the start");
    }
    operation.outcome = open ? Outcome::info : Outcome::ok;
    const std::size_t first_value = times_first ? 4 : method + 1;
    const std::size_t values_end = times_first ? words_.size() : times;
    set_call(operation, words_[method], {words_.data() + first_value, words_.data() + values_end});
    builder_.add(operation);
    return {};
  }

  void set_call(Operation& operation,
                std::string_view name,
                std::span<const std::string_view> words) {
    const Method method = method_of(type_, name);
    operation.function = method.function;
    operation.function_name = pool().symbol(name);
    std::vector<Value> values;
    for (const std::string_view word : words) {
      const bool nothing = takes_out(method.function) && integer_of(word) == kNothing;
      values.push_back(nothing ? Value::nil() : value_of_word(pool(), word));
    }
    if (method.result) values.push_back(Value::boolean(*method.result));
    set_values(pool(), operation, values);
    if (operation.outcome == Outcome::info) operation.output = Value();
  }

  // A register of these tools holds 0 at first; ours holds nothing until it is written.
  void add_initial_value() {
    if (type_ != ObjectType::cell || builder_.size() == 0) return;
    std::int64_t first = std::numeric_limits<std::int64_t>::max();
    for (std::size_t i = 0; i < builder_.size(); ++i) {
      first = std::min(first, builder_.operation(i).invoke);
    }
    Operation operation;
    operation.function = Function::write;
    operation.function_name = pool().symbol("write");
    operation.process = kNothing;
    operation.input = Value::integer(0);
    operation.invoke = first - 2;
    operation.complete = first - 1;
    operation.outcome = Outcome::ok;
    builder_.add(operation);
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
  std::vector<std::string_view> words_;
  std::int64_t next_process_ = 0;
};

}  // namespace

Result<History> read_intervals(std::string_view text, std::string_view source) {
  return IntervalReader(text, source).read();
}

}  // namespace sunder::history
