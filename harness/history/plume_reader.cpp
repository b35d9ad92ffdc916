// Reads the text form that Plume, IsoVista and PolySI share: "w(key,value,session,transaction)" and
// "r(…)", one a line.
//
// The order of the file is the order of each session. Transaction -1 was aborted: a session's
// events of it that follow each other are one. Events of the others need not lie together.
//
// Lines of plain numbers, which nearly all are, are read by PlainEvent, the others word by word:
// both read the same.

#include <array>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include "harness/history/eight_bytes.hpp"
#include "harness/history/lines.hpp"
#include "harness/history/readers.hpp"
#include "harness/history/transaction_recorder.hpp"

namespace sunder::history {
namespace {

constexpr std::int64_t kAborted = -1;

// "r(17,4,2,41)".
struct PlainEvent {
  bool writes = false;
  std::array<std::int64_t, 4> numbers{};  // key, value, session, transaction

  // Reads from `at` on; returns the place behind it, or null when it is not plain.
  [[nodiscard]] const char* read(const char* at) noexcept {
    writes = *at == 'w';
    if ((*at != 'r' && !writes) || at[1] != '(') return nullptr;
    at += 2;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const bool negative = *at == '-';
      at = read_digits(negative ? at + 1 : at, numbers[i]);
      if (at == nullptr || *at != (i + 1 < numbers.size() ? ',' : ')')) return nullptr;
      if (negative) numbers[i] = -numbers[i];
      ++at;
    }
    return at;
  }
};

class PlumeReader {
 public:
  PlumeReader(std::string_view text, std::string_view source, ReadProgress& progress)
      : text_(text), source_(source), progress_(&progress) {}

  [[nodiscard]] Result<History> read() {
    const char* const end = text_.data() + text_.size();
    const char* at = text_.data();
    while (at < end) {
      const auto offset = static_cast<std::size_t>(at - text_.data());
      progress_->at(offset);
      PlainEvent event;
      const char* const behind = event.read(at);
      if (behind != nullptr && behind < end && *behind == '\n') {
        const auto [key, value, session, transaction] = event.numbers;
        record(
            event.writes, find({session, transaction}), Value::integer(key), Value::integer(value));
        at = behind + 1;
        continue;
      }
      const std::string_view whole = text_.substr(offset, text_.find('\n', offset) - offset);
      at += whole.size() + 1;
      std::optional<Line> line = Lines(whole).next();
      if (!line) continue;
      line->offset += offset;
      SUNDER_TRY(read_event(*line));
    }
    return recorder_.finish();
  }

 private:
  struct Identity {
    std::int64_t session = 0;
    std::int64_t transaction = 0;
    friend bool operator==(const Identity&, const Identity&) = default;
  };

  struct IdentityHash {
    std::size_t operator()(const Identity& identity) const noexcept {
      return ValueHash{}(Value::integer(identity.session)) ^
             (ValueHash{}(Value::integer(identity.transaction)) << 1);
    }
  };

  // The transaction of that number, of one session.
  struct Numbered {
    std::int64_t session = 0;
    std::size_t index = kNobody;
  };

  static constexpr std::size_t kNobody = ~std::size_t{0};

  void record(bool writes, std::size_t index, Value key, Value value) {
    if (writes) {
      recorder_.write(index, key, value);
    } else {
      recorder_.read(index, key, value);
    }
  }

  [[nodiscard]] Result<void> read_event(const Line& line) {
    const auto refuse = [&](std::string_view part, std::string_view what) {
      const auto column = static_cast<std::size_t>(part.data() - line.text.data());
      return error_at(text_, line.offset + column, source_, what);
    };
    const bool is_event = line.text.starts_with("r(") || line.text.starts_with("w(");
    if (!is_event) return refuse(line.text, "expected r(key,value,session,transaction) or w(…)");
    std::string_view rest = line.text.substr(2);
    std::array<std::string_view, 4> parts;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const char close = i + 1 < parts.size() ? ',' : ')';
      const std::size_t end = rest.find(close);
      if (end == std::string_view::npos) return refuse(rest, fmt::format("expected '{}'", close));
      std::string_view part = rest.substr(0, end);
      parts.at(i) = take_word(part);
      if (parts.at(i).empty()) return refuse(rest, "expected a number");
      rest.remove_prefix(end + 1);
    }
    if (!rest.empty()) return refuse(rest, "expected the end of the line after ')'");
    const std::optional<std::int64_t> session = integer_of(parts[2]);
    if (!session) return refuse(parts[2], "expected the number of a session");
    const std::optional<std::int64_t> transaction = integer_of(parts[3]);
    if (!transaction) return refuse(parts[3], "expected the number of a transaction");
    const std::size_t index = find({*session, *transaction});
    const Value key = value_of_word(recorder_.pool(), parts[0]);
    const Value value = value_of_word(recorder_.pool(), parts[1]);
    record(line.text.front() == 'w', index, key, value);
    return {};
  }

  [[nodiscard]] std::size_t find(const Identity& identity) {
    if (last_ && *last_ == identity) return last_index_;
    last_ = identity;
    if (identity.transaction == kAborted) {
      last_index_ = recorder_.begin(identity.session, false);
      return last_index_;
    }
    last_index_ = find_committed(identity);
    return last_index_;
  }

  // Most tools number transactions one by one: these have places by their numbers, one session
  // each; whoever has none there is in a table.
  [[nodiscard]] std::size_t find_committed(const Identity& identity) {
    const bool numbered = identity.transaction >= 0 &&
                          static_cast<std::size_t>(identity.transaction) < 2 * begun_ + 1024;
    Numbered* place = nullptr;
    if (numbered) {
      const auto number = static_cast<std::size_t>(identity.transaction);
      if (number >= numbered_.size()) numbered_.resize(2 * number + 1024);
      place = &numbered_[number];
      if (place->index != kNobody && place->session == identity.session) return place->index;
    }
    if (const auto found = others_.find(identity); found != others_.end()) return found->second;
    ++begun_;
    const std::size_t index = recorder_.begin(identity.session, true);
    if (place != nullptr && place->index == kNobody) {
      *place = {identity.session, index};
    } else {
      others_.emplace(identity, index);
    }
    return index;
  }

  std::string_view text_;
  std::string_view source_;
  ReadProgress* progress_;
  TransactionRecorder recorder_;
  std::vector<Numbered> numbered_;  // by the number of a transaction
  std::unordered_map<Identity, std::size_t, IdentityHash> others_;
  std::size_t begun_ = 0;  // committed transactions
  std::optional<Identity> last_;
  std::size_t last_index_ = 0;
};

}  // namespace

Result<History> read_plume(std::string_view text, std::string_view source, ReadProgress& progress) {
  return PlumeReader(text, source, progress).read();
}

}  // namespace sunder::history
