// A bag: what was put in comes out, in any order. Only who found it empty can be wrong.
//
// Without removals of unknown outcome an instant is needed at which nothing is surely inside, as
// for all containers. With them, each may have taken one of the values that nobody was seen to
// take: at an instant t the bag can be empty exactly when nothing is surely inside that was taken,
// or looked at, later, and of the others no more had been put in before t than removals of unknown
// outcome had begun. That is Hall's condition for giving each of these values a removal before the
// first emptiness that follows it, and it asks of each emptiness alone. O(n log n), exact.

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "checkers/containers.hpp"
#include "checkers/phrase.hpp"

namespace sunder::checkers {
namespace {

using history::Operation;

class BagCheck {
 public:
  BagCheck(const history::History& history, const Container& container)
      : history_(&history), container_(&container) {}

  [[nodiscard]] ClosedForm run() {
    if (container_->unknown_removals.empty()) {
      auto problem = find_false_empty(*history_, *container_);
      return problem ? violation(std::move(*problem)) : ClosedForm();
    }
    if (container_->empties.empty()) return {};
    note_changes();
    if (const auto empty = find_empty_outside(*history_, *container_, gaps())) {
      return violation(explain(*empty));
    }
    return {};
  }

 private:
  // At a stamp things get better before anybody looks, and worse after: ties are concurrent.
  enum class Change : std::uint8_t { uncovered, may_take, covered, may_stay };

  struct Event {
    std::int64_t stamp;
    Change change;
    friend constexpr auto operator<=>(const Event&, const Event&) = default;
  };

  [[nodiscard]] const Operation& at(std::uint32_t index) const {
    return history_->operations()[index];
  }

  static bool was_taken(const Life& life) noexcept { return life.removal != kNo_operation; }

  // Surely inside until then: an unknown removal may have taken it afterwards.
  [[nodiscard]] std::int64_t surely_until(const Life& life) const {
    if (was_taken(life)) return life.removed_start;
    return life.last_seen == kNo_operation ? life.inserted_end : at(life.last_seen).invoke;
  }

  void note_changes() {
    for (const Life& life : container_->lives) {
      const std::int64_t until = surely_until(life);
      if (life.inserted_end < until) {
        events_.push_back({life.inserted_end, Change::covered});
        events_.push_back({until, Change::uncovered});
      }
      if (!was_taken(life)) events_.push_back({life.inserted_end, Change::may_stay});
    }
    for (const std::uint32_t index : container_->unknown_removals) {
      events_.push_back({at(index).invoke, Change::may_take});
    }
    std::ranges::sort(events_);
  }

  [[nodiscard]] std::vector<Gap> gaps() const {
    std::vector<Gap> gaps;
    std::int64_t covered = 0;   // values surely inside
    std::int64_t too_many = 0;  // values that may stay, less the removals that have begun
    bool open = true;
    std::int64_t from = std::numeric_limits<std::int64_t>::min();
    for (const Event& event : events_) {
      covered += event.change == Change::covered ? 1 : event.change == Change::uncovered ? -1 : 0;
      too_many += event.change == Change::may_stay ? 1 : event.change == Change::may_take ? -1 : 0;
      const bool may_be_empty = covered == 0 && too_many <= 0;
      if (may_be_empty && !open) from = event.stamp;
      if (!may_be_empty && open) gaps.push_back({from, event.stamp});
      open = may_be_empty;
    }
    if (open) gaps.push_back({from, history::kNever});
    return gaps;
  }

  [[nodiscard]] Counterexample explain(std::uint32_t empty) const {
    const Operation& operation = at(empty);
    const auto chain =
        cover(*container_, operation.invoke, operation.complete, [](const Life& life) {
          return was_taken(life);
        });
    if (!chain.empty() && chain.back()->removed_start > operation.complete) {
      return false_empty(*history_, empty, chain);
    }
    std::vector<std::uint32_t> members{empty};
    std::size_t stayed = 0;
    std::size_t takers = 0;
    for (const Life& life : container_->lives) {
      if (was_taken(life) || life.inserted_end >= operation.complete) continue;
      if (++stayed <= kShown) members.push_back(life.insertion);
    }
    for (const std::uint32_t index : container_->unknown_removals) {
      if (at(index).invoke > operation.complete) continue;
      if (++takers <= kShown) members.push_back(index);
    }
    Counterexample example = story("empty although it was not", std::move(members));
    example.why = fmt::format(
        "{} found nothing although something was inside all the time: {} that nobody was seen to "
        "take had been put in before it ended, and only {} of unknown outcome had begun",
        statement(*history_, operation),
        stayed == 1 ? std::string("1 value") : fmt::format("{} values", stayed),
        takers == 1 ? std::string("1 removal") : fmt::format("{} removals", takers));
    example.first_error = empty;
    return example;
  }

  static constexpr std::size_t kShown = 10;  // of each kind in a counter-example

  const history::History* history_;
  const Container* container_;
  std::vector<Event> events_;
};

}  // namespace

std::optional<ClosedForm> check_bag(const history::History& history,
                                    std::span<const std::uint32_t> operations,
                                    const Parameters& /*none*/) {
  auto gathered =
      gather(history, operations, {history::Function::enqueue, history::Function::dequeue});
  if (!gathered) return std::nullopt;
  if (gathered->problem) return violation(std::move(*gathered->problem));
  return BagCheck(history, gathered->container).run();
}

}  // namespace sunder::checkers
