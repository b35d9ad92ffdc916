// A sum whose additions tell what they found: the results order all operations.
//
// With additions that all go one way, each sum is reached once. The operations that saw a sum, then
// the one that moved it on, then those that saw the next one must be in that order: none may end
// before one of an earlier sum began. A gap between two sums is for additions of unknown outcome,
// all of one size, to fill: those that began first fill the first gaps. O(n log n).
//
// Additions that go up and down may come by a sum twice; those, unknown ones of different sizes
// where there is a gap, and acknowledged ones that do not tell go to the search.

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "checkers/counting.hpp"
#include "checkers/objects.hpp"
#include "checkers/phrase.hpp"

namespace sunder::checkers {
namespace {

using history::Operation;
using history::Outcome;

// A read of a sum, or a move away from it. Sums count upwards: mirrored when all additions go down.
struct Sight {
  std::int64_t sum = 0;
  std::int64_t delta = 0;  // 0: a read
  std::uint32_t operation = 0;
};

class FetchAddCheck {
 public:
  FetchAddCheck(const history::History& history, std::span<const std::uint32_t> operations)
      : history_(&history), operations_(operations) {}

  // Nothing: the test does not apply.
  [[nodiscard]] std::optional<ClosedForm> run() {
    if (!collect()) return std::nullopt;
    // Reads of a sum come before the move away from it.
    std::ranges::sort(sights_, {}, [](const Sight& sight) {
      return std::tuple(sight.sum, sight.delta != 0, sight.operation);
    });
    for (const Sight& sight : sights_) {
      if (!reach(sight)) return std::nullopt;
      if (problem_) return violation(std::move(*problem_));
      if (sight.delta == 0) {
        see(sight);
      } else {
        move(sight);
      }
      if (problem_) return violation(std::move(*problem_));
    }
    return ClosedForm();
  }

 private:
  [[nodiscard]] const Operation& at(std::uint32_t index) const {
    return history_->operations()[index];
  }

  bool collect() {
    bool ups = false;
    bool downs = false;
    for (const std::uint32_t index : operations_) {
      if (const std::optional<std::int64_t> seen = sum_seen(at(index))) {
        sights_.push_back({*seen, 0, index});
        continue;
      }
      const std::optional<Addition> addition = addition_of(at(index));
      if (!addition) continue;
      ups = ups || addition->delta > 0;
      downs = downs || addition->delta < 0;
      if (addition->found) {
        sights_.push_back({*addition->found, addition->delta, index});
      } else if (at(index).outcome == Outcome::ok) {
        if (addition->delta != 0) return false;
      } else if (addition->delta != 0) {
        note_unknown(addition->delta, index);
      }
    }
    if (ups && downs) return false;
    return !downs || mirror();
  }

  void note_unknown(std::int64_t delta, std::uint32_t index) {
    if (unknown_.empty()) unknown_size_ = delta;
    if (unknown_size_ != delta) unknown_size_ = 0;
    unknown_.push_back(index);
  }

  // False: a sum or delta has no mirror image.
  bool mirror() {
    constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
    if (unknown_size_ == kLeast) return false;
    for (Sight& sight : sights_) {
      if (sight.sum == kLeast || sight.delta == kLeast) return false;
      sight.sum = -sight.sum;
      sight.delta = -sight.delta;
    }
    unknown_size_ = -unknown_size_;
    return true;
  }

  // Lets unknown additions lead from the sum so far to this one. False: the test does not apply.
  bool reach(const Sight& sight) {
    if (sight.sum < sum_) {
      problem_ = skipped(sight);
      return true;
    }
    if (sight.sum == sum_) return true;
    if (unknown_size_ == 0 && !unknown_.empty()) return false;
    const std::int64_t gap = minus(sight.sum, sum_);
    if (gap < 0) return false;  // wrapped around
    const std::size_t left = unknown_.size() - filled_;
    const bool fills = unknown_size_ != 0 && gap % unknown_size_ == 0 &&
                       static_cast<std::uint64_t>(gap / unknown_size_) <= left;
    if (!fills) {
      problem_ = unreachable(sight);
      return true;
    }
    for (std::int64_t count = gap / unknown_size_; count > 0; --count) {
      begun(unknown_[filled_++]);  // in order of invocation
    }
    before_sum_ = latest_;
    moved_by_ = kNo_operation;
    sum_ = sight.sum;
    return true;
  }

  // Everything from now on comes after the operation's start.
  void begun(std::uint32_t index) {
    if (latest_ == kNo_operation || at(index).invoke > at(latest_).invoke) latest_ = index;
  }

  // Reads of one sum may come in any order.
  void see(const Sight& sight) {
    if (ends_before(sight.operation, before_sum_)) {
      problem_ = out_of_order(sight.operation, before_sum_);
    }
    begun(sight.operation);
  }

  void move(const Sight& sight) {
    if (ends_before(sight.operation, latest_)) {
      problem_ = out_of_order(sight.operation, latest_);
      return;
    }
    begun(sight.operation);
    before_sum_ = latest_;
    moved_by_ = sight.operation;
    sum_ = plus(sight.sum, sight.delta);
    if (sum_ <= sight.sum) problem_ = unreachable(sight);
  }

  [[nodiscard]] bool ends_before(std::uint32_t index, std::uint32_t latest) const {
    return latest != kNo_operation && at(index).precedes(at(latest));
  }

  // `late` belongs before `early`, but began when that had ended.
  [[nodiscard]] Counterexample out_of_order(std::uint32_t early, std::uint32_t late) const {
    const bool unknown = at(late).outcome == Outcome::info;
    Counterexample example = story("out of order", {early, late});
    example.why =
        unknown ? fmt::format("{}, but too few additions had begun when that ended: {} began later",
                              statement(*history_, at(early)),
                              phrase(*history_, at(late)))
                : fmt::format("{} although {} had ended {} and saw a later sum",
                              statement(*history_, at(late)),
                              phrase(*history_, at(early)),
                              lead(at(early), at(late)));
    example.first_error = unknown ? early : late;
    return example;
  }

  // The sum had moved on: two additions found the same, or one passed over what another saw.
  [[nodiscard]] Counterexample skipped(const Sight& sight) const {
    Counterexample example =
        story(sight.delta != 0 ? "lost addition" : "sum passed over", {sight.operation, moved_by_});
    example.why = statement(*history_, at(sight.operation));
    example.why += moved_by_ == kNo_operation
                       ? std::string(", but the sum began at 0 and went the other way")
                       : fmt::format(", but the sum had gone past that with {}",
                                     phrase(*history_, at(moved_by_)));
    example.first_error = sight.operation;
    if (moved_by_ != kNo_operation) example.first_error = std::max(sight.operation, moved_by_);
    return example;
  }

  [[nodiscard]] Counterexample unreachable(const Sight& sight) const {
    Counterexample example = story("sum from nowhere", {sight.operation, moved_by_});
    example.why = fmt::format("{}, but nothing can have led there",
                              statement(*history_, at(sight.operation)));
    if (moved_by_ != kNo_operation) {
      example.why +=
          fmt::format(": the addition before it is {}", phrase(*history_, at(moved_by_)));
    }
    example.first_error = sight.operation;
    return example;
  }

  const history::History* history_;
  std::span<const std::uint32_t> operations_;
  std::vector<Sight> sights_;
  std::vector<std::uint32_t> unknown_;  // additions, in order of invocation
  std::int64_t unknown_size_ = 0;       // of each; 0: none, or different ones
  std::size_t filled_ = 0;              // of unknown_, used
  std::int64_t sum_ = 0;
  std::uint32_t moved_by_ = kNo_operation;  // led to the sum; kNo_operation: unknown ones, or none
  std::uint32_t latest_ = kNo_operation;    // began last of all so far
  std::uint32_t before_sum_ = kNo_operation;  // … of those before the sum was reached
  std::optional<Counterexample> problem_;
};

}  // namespace

std::optional<ClosedForm> check_fetch_add(const history::History& history,
                                          std::span<const std::uint32_t> operations,
                                          const Parameters& /*none*/) {
  return FetchAddCheck(history, operations).run();
}

}  // namespace sunder::checkers
