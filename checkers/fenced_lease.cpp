// A lease with fencing tokens: a mutex whose every acquire gets a greater token than all before it.
//
// The tokens order the holds. In that order acquires and releases must be possible one after the
// other: none may end before an earlier one began, and only the last may be without a release. Who
// gives a lease up because its time is over says so with a release, of unknown outcome if nobody
// answered. O(n log n). Acknowledged acquires without a token go to the search.

#include <algorithm>

#include <fmt/format.h>

#include "checkers/holds.hpp"
#include "checkers/objects.hpp"
#include "checkers/phrase.hpp"

namespace sunder::checkers {
namespace {

using history::Operation;

class LeaseCheck {
 public:
  LeaseCheck(const history::History& history, std::vector<Hold> holds)
      : history_(&history), holds_(std::move(holds)) {}

  [[nodiscard]] bool has_tokens() const {
    return std::ranges::all_of(
        holds_, [&](const Hold& hold) { return at(hold.acquire).output.is_integer(); });
  }

  [[nodiscard]] std::optional<Counterexample> run() {
    std::ranges::sort(holds_, {}, [&](const Hold& hold) { return token_of(hold); });
    const Hold* last = nullptr;
    for (const Hold& hold : holds_) {
      if (last != nullptr && token_of(*last) == token_of(hold)) return same_token(*last, hold);
      if (auto problem = enter(hold, hold.acquire)) return problem;
      if (last != nullptr && last->release == kNo_operation) {
        return two_holders(*history_, *last, hold);
      }
      if (hold.release != kNo_operation) {
        if (auto problem = enter(hold, hold.release)) return problem;
      }
      last = &hold;
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] const Operation& at(std::uint32_t index) const {
    return history_->operations()[index];
  }

  [[nodiscard]] std::int64_t token_of(const Hold& hold) const {
    return at(hold.acquire).output.raw();
  }

  // The next step in the order of tokens must not end before an earlier one began.
  [[nodiscard]] std::optional<Counterexample> enter(const Hold& hold, std::uint32_t index) {
    if (latest_ != kNo_operation && at(index).precedes(at(latest_))) {
      return at(hold.acquire).precedes(at(late_hold_->acquire))
                 ? out_of_order(hold, *late_hold_)
                 : two_holders(*history_, *late_hold_, hold);
    }
    if (latest_ == kNo_operation || at(index).invoke > at(latest_).invoke) {
      latest_ = index;
      late_hold_ = &hold;
    }
    return std::nullopt;
  }

  [[nodiscard]] Counterexample same_token(const Hold& first, const Hold& second) const {
    const auto [earlier, later] = std::minmax(first.acquire, second.acquire);
    Counterexample example = story("token given twice", {earlier, later});
    example.first_error = later;
    example.why = fmt::format(
        "{}, and so did {}", statement(*history_, at(later)), phrase(*history_, at(earlier)));
    return example;
  }

  // `greater` got the greater token, but was over before `smaller` began.
  [[nodiscard]] Counterexample out_of_order(const Hold& greater, const Hold& smaller) const {
    Counterexample example = story("token went back", {greater.acquire, smaller.acquire});
    example.first_error = smaller.acquire;
    example.why = fmt::format("{} although {} had ended {}",
                              statement(*history_, at(smaller.acquire)),
                              phrase(*history_, at(greater.acquire)),
                              lead(at(greater.acquire), at(smaller.acquire)));
    return example;
  }

  const history::History* history_;
  std::vector<Hold> holds_;
  std::uint32_t latest_ = kNo_operation;  // began last of all steps so far
  const Hold* late_hold_ = nullptr;       // the hold that it belongs to
};

}  // namespace

std::optional<ClosedForm> check_fenced_lease(const history::History& history,
                                             std::span<const std::uint32_t> operations,
                                             const Parameters& /*none*/) {
  auto gathered = gather_holds(history, operations);
  if (!gathered) return std::nullopt;
  if (gathered->problem) return violation(std::move(*gathered->problem));
  LeaseCheck check(history, std::move(gathered->holds));
  if (!check.has_tokens()) return std::nullopt;
  auto problem = check.run();
  return problem ? violation(std::move(*problem)) : ClosedForm();
}

}  // namespace sunder::checkers
