#include "checkers/levels/stale_search.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "checkers/linearizability.hpp"
#include "checkers/models/register.hpp"
#include "harness/base/duration.hpp"

namespace sunder::checkers::levels {
namespace {

using history::Function;
using history::Operation;

// What one of several questions may take of the time: the fourth part.
constexpr int kShare_of_budget = 4;

// Linearizability with reads that begin earlier than they did.
class EarlierReads {
 public:
  EarlierReads(const history::History& history,
               const ModelRow& row,
               Clock clock,
               const CheckOptions& options,
               const std::stop_token& stop)
      : history_(&history),
        row_(&row),
        clock_(clock),
        options_(options),
        stop_(&stop),
        deadline_(std::chrono::steady_clock::now() + options.time_budget) {}

  // A time by which all reads begin before anything else.
  [[nodiscard]] std::int64_t whole_time() const {
    const auto begin = [&](const Operation& operation) {
      return interval_of(operation, clock_).begin;
    };
    const auto [first, last] = std::ranges::minmax(history_->operations(), {}, begin);
    return begin(last) - begin(first) + 1;
  }

  // With reads that begin so much earlier; spends a share of the time that is left.
  [[nodiscard]] Verdict judge(std::int64_t earlier, int share) {
    return judge_when(share, [&](const Operation& operation) {
      Interval interval = interval_of(operation, clock_);
      if (operation.function == Function::read) interval.begin -= earlier;
      return interval;
    });
  }

  // What no staleness of reads excuses is wrong without them, too, and easier to show.
  [[nodiscard]] Verdict judge_without_reads(int share) {
    return judge_when(share, [&](const Operation& operation) {
      const bool reads = operation.function == Function::read;
      return reads ? std::nullopt : std::optional(interval_of(operation, clock_));
    });
  }

  // Tries greater and greater times, for the more reads run at once the harder it is to judge them:
  // beyond `least`, up to `most`. The verdict is of the first time that suffices, or of `most`.
  [[nodiscard]] Verdict grow(std::int64_t least, std::int64_t most) {
    constexpr std::int64_t kFactor = 8;
    refused_ = least;
    std::int64_t earlier = least + 1;
    while (earlier < most) {
      Verdict verdict = judge(earlier, kShare_of_budget);
      if (verdict.kind == VerdictKind::kept) {
        sufficient_ = earlier;
        return verdict;
      }
      if (verdict.kind == VerdictKind::broken) refused_ = earlier;
      earlier = most / kFactor < earlier ? most : earlier * kFactor;
    }
    Verdict verdict = judge(most, 1);
    if (verdict.kind == VerdictKind::kept) sufficient_ = most;
    return verdict;
  }

  // Narrows down what grow() found, while there is time. Whether the smallest was found.
  [[nodiscard]] bool narrow() {
    while (sufficient_ - refused_ > 1) {
      const std::int64_t middle = refused_ + (sufficient_ - refused_) / 2;
      const VerdictKind kind = judge(middle, 1).kind;
      if (kind == VerdictKind::undetermined) return false;
      (kind == VerdictKind::kept ? sufficient_ : refused_) = middle;
    }
    return true;
  }

  // More time, from now on.
  void extend(std::chrono::nanoseconds budget) {
    deadline_ = std::chrono::steady_clock::now() + budget;
  }

  // A time that suffices.
  [[nodiscard]] std::int64_t sufficient() const noexcept { return sufficient_; }

 private:
  template <typename When>
  [[nodiscard]] Verdict judge_when(int share, When when) {
    using std::chrono::milliseconds;
    const auto left = (deadline_ - std::chrono::steady_clock::now()) / share;
    options_.time_budget =
        std::max(std::chrono::duration_cast<milliseconds>(left), milliseconds(1));
    return check_linearizability(
        *history_, *row_, options_, *stop_, {.closed_form = false, .when = when});
  }

  const history::History* history_;
  const ModelRow* row_;
  Clock clock_;
  CheckOptions options_;
  const std::stop_token* stop_;
  std::chrono::steady_clock::time_point deadline_;
  std::int64_t refused_ = 0;
  std::int64_t sufficient_ = 0;
};

// "12ms", or "12 stamps".
std::string amount_of(std::int64_t delta, Clock clock) {
  if (clock == Clock::stamps) return fmt::format("{} stamps", delta);
  return base::format_duration(std::chrono::nanoseconds(delta));
}

// The search speaks of linearizability; here it was asked for less.
void retitle(Verdict& verdict, std::string_view title, const std::string& granted) {
  verdict.details.clear();
  for (Counterexample& example : verdict.counterexamples) {
    example.title = title;
    example.why = fmt::format("{}: {}", granted, example.why);
  }
  if (!verdict.counterexamples.empty()) verdict.summary = verdict.counterexamples.front().why;
}

}  // namespace

double unit_of(Clock clock) noexcept {
  constexpr double kNanoseconds_per_ms = 1e6;
  return clock == Clock::times ? kNanoseconds_per_ms : 1;
}

void tell_delta(Verdict& verdict,
                const history::History& history,
                Clock clock,
                std::int64_t delta,
                bool exact) {
  verdict.measurements.push_back({exact ? "smallest delta" : "smallest delta at most",
                                  static_cast<double>(delta) / unit_of(clock),
                                  clock == Clock::times ? "ms" : "stamps"});
  const std::string amount = amount_of(delta, clock);
  if (verdict.kind == VerdictKind::kept) {
    verdict.summary = fmt::format("{} operations are linearizable if reads may be stale by {}",
                                  history.operations().size(),
                                  amount);
  } else {
    verdict.details.push_back(fmt::format("reads are stale by up to {}", amount));
  }
}

Verdict search_k_atomic(const history::History& history,
                        std::uint32_t k,
                        const CheckOptions& options,
                        const std::stop_token& stop) {
  static const ModelRow row = recent_register_row();
  CheckOptions asked = options;
  asked.parameters["k"] = k;
  Verdict verdict = check_linearizability(history, row, asked, stop);
  if (verdict.kind == VerdictKind::broken) {
    retitle(verdict,
            "too many versions behind",
            fmt::format("even if every read may find one of the last {} values", k));
  }
  return verdict;
}

Verdict search_delta_atomic(const history::History& history,
                            const ModelRow& row,
                            Clock clock,
                            std::int64_t allowed,
                            const CheckOptions& options,
                            const std::stop_token& stop) {
  EarlierReads reads(history, row, clock, options, stop);
  Verdict verdict = reads.judge_without_reads(kShare_of_budget);
  if (verdict.kind == VerdictKind::broken) {
    retitle(verdict, "too stale", "however stale reads may be");
    return verdict;
  }
  const std::int64_t whole = reads.whole_time();
  const bool bounded = allowed < whole;
  verdict = reads.grow(0, bounded ? allowed : whole);
  if (verdict.kind == VerdictKind::undetermined) return verdict;
  const bool kept = verdict.kind == VerdictKind::kept;
  if (!kept) {
    retitle(verdict,
            "too stale",
            bounded ? fmt::format("even if reads may be stale by {}", amount_of(allowed, clock))
                    : "however stale reads may be");
    if (!bounded) return verdict;
  }
  // By how much they are: a number beside the verdict.
  reads.extend(options.time_budget / kShare_of_budget);
  if (!kept && reads.grow(allowed, whole).kind != VerdictKind::kept) return verdict;
  const bool exact = reads.narrow();
  tell_delta(verdict, history, clock, reads.sufficient(), exact);
  return verdict;
}

}  // namespace sunder::checkers::levels
