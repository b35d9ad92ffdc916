// Reads lists of intervals: "# type", then one call a line with its values, start and end.
//
//   process start end METHOD value…    fptlin
//   process METHOD value start end     its older form
//   method value start end             fastlin, PolyLin
//
// -1 is an empty container; as an end, a call that never returned. Without a process every call is
// a process of its own: nothing says who made it. The stamps are those of the file, unless a call
// starts at the very stamp at which another ends: to these tools it comes after that, and the
// stamps become ranks that say so.

#include <algorithm>
#include <bit>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "harness/history/eight_bytes.hpp"
#include "harness/history/lines.hpp"
#include "harness/history/object_methods.hpp"
#include "harness/history/readers.hpp"

namespace sunder::history {
namespace {

constexpr std::int64_t kNothing = -1;
constexpr std::uint64_t kOdd = 0x9e37'79b9'7f4a'7c15ULL;

class IntervalReader {
 public:
  IntervalReader(std::string_view text, std::string_view source) : text_(text), source_(source) {}

  [[nodiscard]] Result<History> read() {
    Lines lines(text_);
    bool typed = false;
    while (const std::optional<Line> line = lines.next()) {
      if (line->text.front() != '#') {
        SUNDER_TRY(read_call(*line));
        make_room(line->offset + line->text.size());
      } else if (!typed) {
        std::string_view rest = line->text.substr(1);
        type_ = object_type_of(take_word(rest));
        typed = true;
        if (type_ == ObjectType::cell) begin_with_initial_value();
      }
    }
    if (initial_ && !set_initial_value()) return History();
    if (touch()) part_touching_calls();
    return builder_.finish();
  }

 private:
  struct Word {
    std::string_view text;
    std::optional<std::int64_t> number;
  };

  // The next word; most are numbers without a sign. Bytes behind the line may be looked at.
  [[nodiscard]] static Word take(std::string_view& rest) {
    while (!rest.empty() && is_blank(rest.front())) rest.remove_prefix(1);
    std::int64_t number = 0;
    const char* const behind = rest.empty() ? nullptr : read_digits(rest.data(), number);
    const char* const end = rest.data() + rest.size();
    if (behind == nullptr || behind > end || (behind < end && !is_blank(*behind))) {
      const std::string_view word = take_word(rest);
      return {word, integer_of(word)};
    }
    const std::string_view word(rest.data(), static_cast<std::size_t>(behind - rest.data()));
    rest.remove_prefix(word.size());
    return {word, number};
  }

  static bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\r'; }

  [[nodiscard]] Result<void> read_call(const Line& line) {
    words_.clear();
    std::string_view rest = line.text;
    while (true) {
      const Word word = take(rest);
      if (word.text.empty()) break;
      words_.push_back(word);
    }
    const bool has_process = words_[0].number.has_value();
    const bool times_first = has_process && words_.size() > 1 && words_[1].number;
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
      if (!words_[i].number) return refuse(line, words_[i].text, "expected a time stamp");
    }
    Operation operation;
    operation.invoke = *words_[times].number;
    operation.complete = *words_[times + 1].number;
    operation.process = has_process ? *words_[0].number : next_process_++;
    const bool open = operation.complete == kNothing && operation.invoke > kNothing;
    if (open) operation.complete = kNever;
    if (operation.complete < operation.invoke) {
      return refuse(line, words_[times + 1].text, "expected an end after the start");
    }
    operation.outcome = open ? Outcome::info : Outcome::ok;
    const std::size_t first_value = times_first ? 4 : method + 1;
    const std::size_t values_end = times_first ? words_.size() : times;
    set_call(
        operation, words_[method].text, {words_.data() + first_value, words_.data() + values_end});
    builder_.add(operation);
    return {};
  }

  void set_call(Operation& operation, std::string_view name, std::span<const Word> words) {
    const Named& called = named(name);
    const Method& method = called.method;
    operation.function = method.function;
    operation.function_name = called.symbol;
    values_.clear();
    for (const Word& word : words) {
      const bool nothing = takes_out(method.function) && word.number == kNothing;
      const Value value = word.number ? Value::integer(*word.number) : pool().text(word.text);
      values_.push_back(nothing ? Value::nil() : value);
    }
    if (method.result) values_.push_back(Value::boolean(*method.result));
    set_values(pool(), operation, values_);
    if (operation.outcome == Outcome::info) operation.output = Value();
  }

  // What a name means, looked up once.
  struct Named {
    std::string_view name;
    Method method;
    Symbol symbol = 0;
  };

  const Named& named(std::string_view name) {
    const auto known = std::ranges::find(named_, name, &Named::name);
    if (known != named_.end()) return *known;
    return named_.emplace_back(Named{name, method_of(type_, name), pool().symbol(name)});
  }

  // A register of these tools holds 0 at first; ours holds nothing until it is written. The write
  // takes its place in front of the others, which then need no sorting.
  void begin_with_initial_value() {
    Operation operation;
    operation.function = Function::write;
    operation.function_name = pool().symbol("write");
    operation.process = kNothing;
    operation.input = Value::integer(0);
    operation.outcome = Outcome::ok;
    initial_ = builder_.size();
    builder_.add(operation);
  }

  // False: nothing else was called.
  [[nodiscard]] bool set_initial_value() {
    if (builder_.size() == 1) return false;
    std::int64_t first = std::numeric_limits<std::int64_t>::max();
    for (std::size_t i = 0; i < builder_.size(); ++i) {
      if (i != *initial_) first = std::min(first, builder_.operation(i).invoke);
    }
    Operation& operation = builder_.mutable_operation(*initial_);
    operation.invoke = first - 2;
    operation.complete = first - 1;
    return true;
  }

  // Whether a call starts at a stamp at which one ends. A map of bits tells it of nearly all
  // stamps, by a number that few of them share; the others are looked up.
  [[nodiscard]] bool touch() const {
    constexpr std::size_t kBitsACall = 16;
    const std::size_t bits = std::bit_ceil(kBitsACall * (builder_.size() + 1));
    const int shift = 64 - std::countr_zero(bits);
    const auto place = [shift](std::int64_t stamp) {
      return static_cast<std::size_t>((static_cast<std::uint64_t>(stamp) * kOdd) >> shift);
    };
    std::vector<bool> ends(bits, false);
    for (std::size_t i = 0; i < builder_.size(); ++i) {
      const Operation& operation = builder_.operation(i);
      if (operation.complete != kNever) ends[place(operation.complete)] = true;
    }
    std::vector<std::int64_t> starts;
    for (std::size_t i = 0; i < builder_.size(); ++i) {
      const std::int64_t start = builder_.operation(i).invoke;
      if (ends[place(start)]) starts.push_back(start);
    }
    std::ranges::sort(starts);
    for (std::size_t i = 0; i < builder_.size(); ++i) {
      if (std::ranges::binary_search(starts, builder_.operation(i).complete)) return true;
    }
    return false;
  }

  // A stamp, and what comes first at it: ends of calls, then calls that begin and end there, then
  // beginnings.
  using Instant = std::pair<std::int64_t, int>;

  static Instant begin_of(const Operation& operation) {
    return {operation.invoke, operation.invoke == operation.complete ? 1 : 3};
  }

  static Instant end_of(const Operation& operation) {
    return {operation.complete, operation.invoke == operation.complete ? 2 : 0};
  }

  // Replaces stamps by ranks where a call starts at the stamp at which another ends.
  void part_touching_calls() {
    std::vector<Instant> instants;
    for (std::size_t i = 0; i < builder_.size(); ++i) {
      const Operation& operation = builder_.operation(i);
      instants.push_back(begin_of(operation));
      if (operation.complete != kNever) instants.push_back(end_of(operation));
    }
    std::ranges::sort(instants);
    instants.erase(std::unique(instants.begin(), instants.end()), instants.end());
    const auto touch = [](const Instant& a, const Instant& b) {
      return a.first == b.first && (a.second == 0 || b.second == 3);
    };
    if (std::ranges::adjacent_find(instants, touch) == instants.end()) return;
    const auto rank = [&](const Instant& instant) {
      return std::ranges::lower_bound(instants, instant) - instants.begin();
    };
    for (std::size_t i = 0; i < builder_.size(); ++i) {
      Operation& operation = builder_.mutable_operation(i);
      const std::int64_t begin = rank(begin_of(operation));
      if (operation.complete != kNever) operation.complete = rank(end_of(operation));
      operation.invoke = begin;
    }
  }

  // Once it is known how long lines are, there is room for all of them.
  void make_room(std::size_t consumed) {
    constexpr std::size_t kSample = 1000;
    if (builder_.size() != kSample) return;
    builder_.expect(1.02 * static_cast<double>(text_.size()) / static_cast<double>(consumed));
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
  std::optional<std::size_t> initial_;  // the place of its first value's write
  std::vector<Named> named_;
  std::vector<Word> words_;  // of the line being read
  std::vector<Value> values_;
  std::int64_t next_process_ = 0;
};

}  // namespace

Result<History> read_intervals(std::string_view text, std::string_view source) {
  return IntervalReader(text, source).read();
}

}  // namespace sunder::history
