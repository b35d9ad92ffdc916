// The greatest first: a value is seen or taken at an instant at which no greater one is surely
// inside (Abdulla et al., PLDI 2025).
//
// Values are taken in falling order. Each of its looks and its removal must contain an instant that
// no critical interval (from the end of the insertion to the start of the removal) of a greater
// value covers; then its own interval is laid down. Instants are the operations' stamps; covered
// ones are skipped by path halving, so the whole is as fast as sorting.

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "checkers/containers.hpp"
#include "checkers/phrase.hpp"

namespace sunder::checkers {
namespace {

using history::kNever;
using history::Operation;

class PriorityCheck {
 public:
  PriorityCheck(const history::History& history, const Container& container)
      : history_(&history),
        container_(&container),
        instants_(container.first_invoke, container.last_invoke, container.lives.size()) {
    for (const Life& life : container.lives) {
      if (life.removed_start != kNever) instants_.add(life.removed_start);
      for (std::uint32_t i = life.looks_begin; i < life.looks_end; ++i) {
        instants_.add(begin_of(life, container.looks[i]));
      }
    }
    instants_.number();
    next_free_.resize(instants_.size() + 1);
    std::iota(next_free_.begin(), next_free_.end(), 0U);
  }

  [[nodiscard]] std::optional<Counterexample> run() {
    std::vector<End> rising;  // by value
    rising.reserve(container_->lives.size());
    for (std::uint32_t id = 0; id < container_->lives.size(); ++id) {
      rising.push_back({container_->lives[id].value.raw(), id});
    }
    sort_by_stamp(rising);
    for (auto next = rising.rbegin(); next != rising.rend(); ++next) {
      const Life& life = container_->lives[next->position];
      std::uint32_t blocked = kNo_operation;
      for_each_sight(life, [&](std::uint32_t sight) {
        const std::uint32_t instant = free_from(instants_.rank(begin_of(life, sight)));
        const bool too_late = instant >= instants_.rank_after(at(sight).complete);
        if (too_late && blocked == kNo_operation) blocked = sight;
      });
      if (blocked != kNo_operation) return out_of_order(life, blocked);
      lay_down(life);
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] const Operation& at(std::uint32_t index) const {
    return history_->operations()[index];
  }

  template <typename Visit>
  void for_each_sight(const Life& life, Visit visit) const {
    for (std::uint32_t i = life.looks_begin; i < life.looks_end; ++i) visit(container_->looks[i]);
    if (life.removal != kNo_operation) visit(life.removal);
  }

  // No sight can be of a value that is not in yet, nor a removal before another sight began.
  [[nodiscard]] std::int64_t begin_of(const Life& life, std::uint32_t sight) const {
    return sight == life.removal ? life.removed_start
                                 : std::max(at(sight).invoke, life.inserted_start);
  }

  // The first instant from there on that nothing covers; the number of instants when there is none.
  std::uint32_t free_from(std::uint32_t instant) {
    while (next_free_[instant] != instant) {
      next_free_[instant] = next_free_[next_free_[instant]];
      instant = next_free_[instant];
    }
    return instant;
  }

  void lay_down(const Life& life) {
    const std::uint32_t end = instants_.rank(life.removed_start);
    for (std::uint32_t instant = free_from(instants_.rank_after(life.inserted_end)); instant < end;
         instant = free_from(instant)) {
      next_free_[instant] = instant + 1;
    }
  }

  Counterexample out_of_order(const Life& life, std::uint32_t sight) const {
    std::vector<std::uint32_t> members{life.insertion, sight};
    const std::vector<const Life*> chain =
        cover(*container_, begin_of(life, sight), at(sight).complete, [&](const Life& other) {
          return other.value.raw() > life.value.raw();
        });
    for (const Life* greater : chain) {
      members.insert(members.end(), {greater->insertion, greater->first_seen, greater->last_seen});
    }
    Counterexample example = story("out of order", std::move(members));
    example.why = statement(*history_, at(sight));
    if (!chain.empty()) {
      const std::string value = history_->pool().describe(chain.back()->value);
      example.why +=
          chain.size() == 1
              ? fmt::format(" although {}, which is greater, was inside all the time", value)
              : fmt::format(" although something greater was inside all the time, at last {}",
                            value);
    }
    example.first_error = sight;
    return example;
  }

  const history::History* history_;
  const Container* container_;
  Instants instants_;  // the beginnings of sights: what covers any instant covers one of them
  std::vector<std::uint32_t> next_free_;  // itself when nothing covers it
};

}  // namespace

std::optional<ClosedForm> check_priority_queue(const history::History& history,
                                               std::span<const std::uint32_t> operations,
                                               const Parameters& /*none*/) {
  auto gathered = gather(history, operations, {history::Function::insert, history::Function::poll});
  if (!gathered) return std::nullopt;
  if (gathered->problem) return violation(std::move(*gathered->problem));
  const Container& container = gathered->container;
  const bool ordered = std::ranges::all_of(
      container.lives, [](const Life& life) { return life.value.is_integer(); });
  if (!ordered || !container.unknown_removals.empty()) return std::nullopt;
  if (auto problem = find_false_empty(history, container)) return violation(std::move(*problem));
  if (auto problem = PriorityCheck(history, container).run()) return violation(std::move(*problem));
  return ClosedForm();
}

}  // namespace sunder::checkers
