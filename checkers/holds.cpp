#include "checkers/holds.hpp"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include <fmt/format.h>

#include "checkers/phrase.hpp"

namespace sunder::checkers {

using history::Function;
using history::Operation;
using history::Outcome;

namespace {

class HoldGathering {
 public:
  HoldGathering(const history::History& history, std::int64_t acquires_max)
      : history_(&history), acquires_max_(acquires_max) {}

  [[nodiscard]] std::optional<GatheredHolds> run(std::span<const std::uint32_t> operations) {
    for (const std::uint32_t index : operations) {
      const Operation& operation = at(index);
      if (operation.outcome == Outcome::fail) continue;
      Owner& owner = owners_[operation.process];
      // Only what surely ended before is surely over.
      if (operation.invoke <= owner.last_end) return std::nullopt;
      if (operation.outcome == Outcome::ok) owner.last_end = operation.complete;
      // How often it holds now is known only when nothing before was unknown.
      if (acquires_max_ > 1 && owner.is_unsure) return std::nullopt;
      owner.is_unsure = operation.outcome == Outcome::info;
      const bool decided =
          operation.function == Function::acquire ? acquire(owner, index) : release(owner, index);
      if (!decided) return std::nullopt;
      if (gathered_.problem) break;
    }
    return std::move(gathered_);
  }

 private:
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

  struct Owner {
    std::int64_t last_end = std::numeric_limits<std::int64_t>::min();
    std::size_t hold = kNone;        // not surely released
    std::int64_t again = 0;          // acquires beyond the first that were not released
    bool is_unsure = false;          // its last operation was of unknown outcome
    bool may_have_acquired = false;  // an acquire of unknown outcome
    bool may_release_later = false;  // a release of unknown outcome that nothing has used up
  };

  [[nodiscard]] const Operation& at(std::uint32_t index) const {
    return history_->operations()[index];
  }

  // False: the search has to decide.
  bool acquire(Owner& owner, std::uint32_t index) {
    const Operation& operation = at(index);
    if (was_refused(operation) || owner.may_release_later) return false;
    if (operation.outcome == Outcome::info) {
      owner.may_have_acquired = true;
      return true;
    }
    if (owner.hold != kNone && gathered_.holds[owner.hold].release == kNo_operation) {
      if (++owner.again < acquires_max_) return true;
      gathered_.problem = acquired_twice(gathered_.holds[owner.hold], index);
    }
    owner.hold = gathered_.holds.size();
    gathered_.holds.push_back({.from = operation.complete, .acquire = index});
    return true;
  }

  bool release(Owner& owner, std::uint32_t index) {
    const Operation& operation = at(index);
    const bool unknown = operation.outcome == Outcome::info;
    Hold* hold = owner.hold == kNone ? nullptr : &gathered_.holds[owner.hold];
    if (hold != nullptr && owner.again > 0) {
      --owner.again;
      return true;
    }
    if (hold != nullptr && hold->release == kNo_operation) {
      hold->release = index;
      hold->until = operation.invoke;
      if (!unknown) owner.hold = kNone;
      return true;
    }
    if (unknown) {
      owner.may_release_later = true;
      return true;
    }
    if (hold != nullptr || owner.may_have_acquired) return false;
    gathered_.problem = not_held(index);
    return true;
  }

  [[nodiscard]] Counterexample acquired_twice(const Hold& hold, std::uint32_t again) const {
    Counterexample example =
        story(acquires_max_ == 1 ? "acquired twice" : "acquired too often", {hold.acquire, again});
    example.why = fmt::format("{} although it held it {}, since {}",
                              statement(*history_, at(again)),
                              acquires_max_ == 1 ? std::string("already")
                                                 : fmt::format("{} times already", acquires_max_),
                              phrase(*history_, at(hold.acquire)));
    example.first_error = again;
    return example;
  }

  [[nodiscard]] Counterexample not_held(std::uint32_t index) const {
    std::uint32_t before = kNo_operation;
    for (const Hold& hold : gathered_.holds) {
      if (at(hold.acquire).process == at(index).process) before = hold.release;
    }
    Counterexample example = story("released without holding", {index, before});
    example.why =
        fmt::format("{} was acknowledged, but p{} {}",
                    phrase(*history_, at(index)),
                    at(index).process,
                    before == kNo_operation ? "had acquired nothing" : "had released what it held");
    example.first_error = index;
    return example;
  }

  const history::History* history_;
  std::int64_t acquires_max_;
  std::unordered_map<std::int64_t, Owner> owners_;
  GatheredHolds gathered_;
};

}  // namespace

std::optional<GatheredHolds> gather_holds(const history::History& history,
                                          std::span<const std::uint32_t> operations,
                                          std::int64_t acquires_max) {
  return HoldGathering(history, acquires_max).run(operations);
}

ClosedForm check_exclusive(const history::History& history, std::vector<Hold> holds) {
  std::ranges::sort(holds, {}, &Hold::from);
  const Hold* longest = nullptr;
  for (const Hold& hold : holds) {
    if (longest != nullptr && longest->until > hold.from) {
      return violation(two_holders(history, *longest, hold));
    }
    if (longest == nullptr || hold.until > longest->until) longest = &hold;
  }
  return {};
}

Counterexample two_holders(const history::History& history, const Hold& first, const Hold& second) {
  const auto at = [&](std::uint32_t index) { return history.operations()[index]; };
  Counterexample example =
      story("two holders", {first.acquire, first.release, second.acquire, second.release});
  example.why = fmt::format(
      "{} although {} {}, and {}",
      statement(history, at(second.acquire)),
      phrase(history, at(first.acquire)),
      at(first.acquire).precedes(at(second.acquire))
          ? fmt::format("had ended {}", lead(at(first.acquire), at(second.acquire)))
          : std::string("had ended when that did"),
      first.release == kNo_operation
          ? fmt::format("p{} never released it", at(first.acquire).process)
          : fmt::format("{} began only afterwards", phrase(history, at(first.release))));
  example.first_error = second.acquire;
  return example;
}

bool was_refused(const Operation& operation) noexcept {
  return operation.function == Function::acquire && operation.outcome == Outcome::ok &&
         operation.output == history::Value::boolean(false);
}

bool is_shared(const history::ValuePool& pool, const Operation& operation) noexcept {
  if (!operation.input.is_text()) return false;
  const std::string_view mode = pool.text_of(operation.input);
  return mode == "read" || mode == "shared" || mode == "r";
}

std::optional<std::int64_t> permits_of(const Operation& operation) noexcept {
  if (operation.input.is_none() || operation.input.is_nil()) return 1;
  const bool counts = operation.input.is_integer() && operation.input.raw() >= 0;
  return counts ? std::optional(operation.input.raw()) : std::nullopt;
}

}  // namespace sunder::checkers
