// A semaphore whose permits have owners: at no instant may more be surely taken than there are.
//
// That suffices, as for a mutex: acquires take effect as late as they end, releases as early as
// they begin. O(n log n). The number of permits is the parameter "permits".

#include <algorithm>
#include <limits>
#include <unordered_map>

#include <fmt/format.h>

#include "checkers/holds.hpp"
#include "checkers/objects.hpp"
#include "checkers/phrase.hpp"

namespace sunder::checkers {
namespace {

using history::Function;
using history::Operation;
using history::Outcome;

// Permits surely taken (positive) or given back at a stamp. Those given back come first: such
// operations are concurrent.
struct Change {
  std::int64_t stamp = 0;
  std::int64_t permits = 0;
  std::uint32_t operation = 0;
};

class SemaphoreCheck {
 public:
  SemaphoreCheck(const history::History& history, std::int64_t permits)
      : history_(&history), permits_(permits) {}

  // Nothing: the search has to decide.
  [[nodiscard]] std::optional<ClosedForm> run(std::span<const std::uint32_t> operations) {
    for (const std::uint32_t index : operations) {
      if (at(index).outcome == Outcome::fail) continue;
      if (!note(index)) return std::nullopt;
      if (problem_) return violation(std::move(*problem_));
    }
    std::ranges::sort(changes_, {}, [](const Change& change) {
      return std::tuple(change.stamp, change.permits > 0, change.operation);
    });
    std::int64_t taken = 0;
    for (std::size_t i = 0; i < changes_.size(); ++i) {
      taken += changes_[i].permits;
      if (taken > permits_) return violation(too_many(i, taken));
    }
    return ClosedForm();
  }

 private:
  struct Owner {
    std::int64_t last_end = std::numeric_limits<std::int64_t>::min();
    std::int64_t held = 0;
    bool may_have_acquired = false;  // an acquire of unknown outcome
    bool may_release = false;        // a release of unknown outcome
  };

  [[nodiscard]] const Operation& at(std::uint32_t index) const {
    return history_->operations()[index];
  }

  // False: the search has to decide.
  bool note(std::uint32_t index) {
    const Operation& operation = at(index);
    const std::optional<std::int64_t> permits = permits_of(operation);
    Owner& owner = owners_[operation.process];
    // After a release of unknown outcome nobody knows what is held.
    const bool decided = permits && !was_refused(operation) && !owner.may_release &&
                         operation.invoke > owner.last_end;
    if (!decided) return false;
    const bool unknown = operation.outcome == Outcome::info;
    if (!unknown) owner.last_end = operation.complete;
    if (operation.function == Function::acquire) {
      if (unknown) {
        owner.may_have_acquired = true;
        return true;
      }
      owner.held += *permits;
      changes_.push_back({operation.complete, *permits, index});
      return true;
    }
    owner.may_release = unknown;
    if (owner.held < *permits) {
      if (owner.may_have_acquired) return false;
      if (!unknown) problem_ = not_held(owner, index);
      return true;
    }
    owner.held -= *permits;
    changes_.push_back({operation.invoke, -*permits, index});
    return true;
  }

  [[nodiscard]] Counterexample not_held(const Owner& owner, std::uint32_t index) const {
    Counterexample example = story("released without holding", {index});
    example.why = fmt::format("{} was acknowledged, but p{} held {}",
                              phrase(*history_, at(index)),
                              at(index).process,
                              owner.held == 0 ? std::string("none") : std::to_string(owner.held));
    example.first_error = index;
    return example;
  }

  // The acquires of what is held after that change, and the releases that come next.
  [[nodiscard]] Counterexample too_many(std::size_t change, std::int64_t taken) const {
    std::unordered_map<std::int64_t, std::vector<std::uint32_t>> held;  // by process
    std::unordered_map<std::int64_t, std::int64_t> count;
    for (std::size_t i = 0; i <= change; ++i) {
      const std::int64_t process = at(changes_[i].operation).process;
      count[process] += changes_[i].permits;
      if (changes_[i].permits > 0) held[process].push_back(changes_[i].operation);
      if (count[process] == 0) held[process].clear();
    }
    std::vector<std::uint32_t> members;
    for (const auto& [process, acquires] : held) {
      members.insert(members.end(), acquires.begin(), acquires.end());
    }
    for (std::size_t i = change + 1; i < changes_.size() && !held.empty(); ++i) {
      const std::int64_t process = at(changes_[i].operation).process;
      const bool gives_back = changes_[i].permits < 0 && held.erase(process) > 0;
      if (gives_back && count[process] > 0) members.push_back(changes_[i].operation);
    }
    const std::uint32_t last = changes_[change].operation;
    Counterexample example = story("too many permits", std::move(members));
    example.why = fmt::format(
        "when {} ended, {} permits were taken, and there {}",
        phrase(*history_, at(last)),
        taken,
        permits_ == 1 ? std::string("is only 1") : fmt::format("are only {}", permits_));
    example.first_error = last;
    return example;
  }

  const history::History* history_;
  std::int64_t permits_;
  std::unordered_map<std::int64_t, Owner> owners_;
  std::vector<Change> changes_;
  std::optional<Counterexample> problem_;
};

}  // namespace

std::optional<ClosedForm> check_semaphore(const history::History& history,
                                          std::span<const std::uint32_t> operations,
                                          const Parameters& parameters) {
  return SemaphoreCheck(history, static_cast<std::int64_t>(parameters.at("permits")))
      .run(operations);
}

}  // namespace sunder::checkers
