#include "checkers/saga/lifetimes.hpp"

#include <algorithm>
#include <utility>

#include "checkers/outcomes.hpp"

namespace sunder::checkers::saga {
namespace {

using history::History;
using history::kNever;
using history::Operation;
using history::Outcome;

// At that time all lower numbers had ended, and this one had not, if it had begun.
struct Settled {
  std::int64_t time = 0;
  std::uint64_t below = 0;
};

// Lifetimes while they are gathered, sorted by number.
class Gathering {
 public:
  Gathering(const History& history, const Record& record) : history_(history), record_(record) {
    for (const auto& [number, saga] : record.sagas()) {
      Lifetime lifetime;
      lifetime.number = number;
      lifetime.saga = &saga;
      lifetime.order = saga.order;
      const Operation& read = history.operations()[saga.operation];
      lifetime.begun_before = end_time(read);
      if (saga.has_ended()) {
        lifetime.ended_before = end_time(read);
      } else {
        lifetime.open_at = read.invoke_time;
      }
      lifetimes_.push_back(lifetime);
    }
  }

  // An order, or the question how one stands.
  void answered(const Operation& operation, bool ordered) {
    const Saga* const saga = record_.saga_of(history_.pool().name(operation.key));
    if (saga == nullptr) return;
    Lifetime& lifetime = *from(saga->number);
    if (ordered) lifetime.begun_after = std::max(lifetime.begun_after, operation.invoke_time);
    if (operation.outcome != Outcome::ok || !operation.output.is_text()) return;
    lifetime.begun_before = std::min(lifetime.begun_before, end_time(operation));
    if (told_confirmed(history_, operation)) {
      lifetime.ended_before = std::min(lifetime.ended_before, end_time(operation));
    } else {
      lifetime.open_at = std::max(lifetime.open_at, operation.invoke_time);
    }
  }

  void told(const history::NodeEvent& event) {
    const auto number = static_cast<std::uint64_t>(event.number("saga", 0));
    const auto at = from(number);
    if (number > 0 && at != lifetimes_.end() && at->number == number) {
      at->begun_before = std::min(at->begun_before, event.time);
      if (event.event == "saga-ended") {
        at->ended_before = std::min(at->ended_before, event.time);
        // It is told at once when its end is on disk.
        at->open_at = std::max(at->open_at, event.time);
      }
    }
    const auto below = static_cast<std::uint64_t>(event.number("settled_below", 0));
    if (below > 0) settled_.push_back({.time = event.time, .below = below});
  }

  // Lets neighbours bound one another.
  std::vector<Lifetime> finish() {
    std::int64_t begun_after = 0;
    for (Lifetime& lifetime : lifetimes_) {
      begun_after = lifetime.begun_after = std::max(begun_after, lifetime.begun_after);
    }
    for (std::size_t i = lifetimes_.size(); i-- > 1;) {
      auto& lower = lifetimes_[i - 1].begun_before;
      lower = std::min(lower, lifetimes_[i].begun_before);
    }
    std::vector<std::int64_t> ended(lifetimes_.size(), kNever);
    for (const Settled& settled : settled_) {
      const auto at = from(settled.below);
      const bool open =
          at != lifetimes_.end() && at->number == settled.below && at->begun_before <= settled.time;
      if (open) at->open_at = std::max(at->open_at, settled.time);
      if (at == lifetimes_.begin()) continue;
      auto& last = ended[static_cast<std::size_t>(at - lifetimes_.begin()) - 1];
      last = std::min(last, settled.time);
    }
    std::int64_t ended_before = kNever;
    for (std::size_t i = lifetimes_.size(); i-- > 0;) {
      ended_before = std::min(ended_before, ended[i]);
      lifetimes_[i].ended_before = std::min(lifetimes_[i].ended_before, ended_before);
    }
    return std::move(lifetimes_);
  }

 private:
  // The first of this number or a higher one.
  std::vector<Lifetime>::iterator from(std::uint64_t number) {
    return std::ranges::lower_bound(lifetimes_, number, {}, &Lifetime::number);
  }

  const History& history_;
  const Record& record_;
  std::vector<Lifetime> lifetimes_;
  std::vector<Settled> settled_;
};

Lifetime without_saga(const History& history, std::string_view order, std::size_t placed_by) {
  const Operation& operation = history.operations()[placed_by];
  Lifetime lifetime;
  lifetime.order = order;
  lifetime.begun_after = operation.invoke_time;
  if (told_confirmed(history, operation)) {
    lifetime.begun_before = lifetime.ended_before = end_time(operation);
  }
  return lifetime;
}

}  // namespace

std::vector<Lifetime> lifetimes_of(const History& history,
                                   const history::RunContext& context,
                                   const Record& record) {
  Gathering gathering(history, record);
  for (const Operation& operation : history.operations()) {
    const std::string_view function = name_of(history, operation);
    if (function == "order" || function == "status") {
      gathering.answered(operation, function == "order");
    }
  }
  for (const history::NodeEvent& event : context.events) gathering.told(event);
  std::vector<Lifetime> lifetimes = gathering.finish();
  if (record.has_all_sagas()) return lifetimes;
  const auto read = static_cast<std::ptrdiff_t>(lifetimes.size());
  for (const auto& [order, placed_by] : record.orders()) {
    const bool refused = history.operations()[placed_by].outcome == Outcome::fail;
    if (refused || record.saga_of(order) != nullptr) continue;
    lifetimes.push_back(without_saga(history, order, placed_by));
  }
  std::sort(lifetimes.begin() + read, lifetimes.end(), [](const Lifetime& a, const Lifetime& b) {
    return std::pair(a.begun_after, a.order) < std::pair(b.begun_after, b.order);
  });
  return lifetimes;
}

std::vector<OpenCount> open_counts_of(const History& history) {
  std::vector<OpenCount> counts;
  for (std::size_t i = 0; i < history.operations().size(); ++i) {
    const Operation& operation = history.operations()[i];
    const bool answered = operation.outcome == Outcome::ok && operation.output.is_integer();
    if (!answered || name_of(history, operation) != "open") continue;
    counts.push_back({.operation = i,
                      .count = operation.output.raw(),
                      .begin = operation.invoke_time,
                      .end = end_time(operation)});
  }
  return counts;
}

}  // namespace sunder::checkers::saga
