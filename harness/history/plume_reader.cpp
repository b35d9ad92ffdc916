// Reads the text form that Plume, IsoVista and PolySI share: "w(key,value,session,transaction)" and
// "r(…)", one a line.
//
// The order of the file is the order of each session. Transaction -1 was aborted: a session's
// events of it that follow each other are one. Events of the others need not lie together.

#include <array>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include <fmt/format.h>

#include "harness/history/lines.hpp"
#include "harness/history/readers.hpp"
#include "harness/history/transaction_recorder.hpp"

namespace sunder::history {
namespace {

constexpr std::int64_t kAborted = -1;

class PlumeReader {
 public:
  PlumeReader(std::string_view text, std::string_view source, ReadProgress& progress)
      : text_(text), source_(source), progress_(&progress) {}

  [[nodiscard]] Result<History> read() {
    Lines lines(text_);
    while (const std::optional<Line> line = lines.next()) {
      progress_->at(line->offset);
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
      return ValueHash{}(Value::integer(identity.session * 0x9e3779b9 + identity.transaction));
    }
  };

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
    if (line.text.front() == 'r') {
      recorder_.read(index, key, value);
    } else {
      recorder_.write(index, key, value);
    }
    return {};
  }

  [[nodiscard]] std::size_t find(const Identity& identity) {
    if (last_ && *last_ == identity) return last_index_;
    last_ = identity;
    if (identity.transaction == kAborted) {
      last_index_ = recorder_.begin(identity.session, false);
      return last_index_;
    }
    const auto [found, added] = known_.try_emplace(identity, 0);
    if (added) found->second = recorder_.begin(identity.session, true);
    last_index_ = found->second;
    return last_index_;
  }

  std::string_view text_;
  std::string_view source_;
  ReadProgress* progress_;
  TransactionRecorder recorder_;
  std::unordered_map<Identity, std::size_t, IdentityHash> known_;
  std::optional<Identity> last_;
  std::size_t last_index_ = 0;
};

}  // namespace

Result<History> read_plume(std::string_view text, std::string_view source, ReadProgress& progress) {
  return PlumeReader(text, source, progress).read();
}

}  // namespace sunder::history
