// Containers: the closed-form tests of bags, queues, stacks and priority queues whose values are
// put in once.
//
// Each value lives from its insertion to its removal, with looks (peeks) between; whoever found the
// container empty saw an instant at which no value was surely inside. What differs is the order in
// which values leave (CHECKERS: Henzinger, Sezgin & Vafeiadis, CONCUR 2013; Emmi & Enea, POPL 2018;
// Lee & Mathur, OOPSLA 2025; Abdulla et al., PLDI 2025). O(n log n), no search.
//
// An insertion of unknown outcome whose value nobody saw is dropped; one that was seen never ends.
// A removal of unknown outcome has no value: the tests of queues and bags know what it may have
// taken, the others leave such histories to the search, and so do all of them when a value occurs
// twice or an acknowledged removal does not tell what it took.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "checkers/closed_form.hpp"
#include "checkers/instants.hpp"

namespace sunder::checkers {

// In any order: enqueue, dequeue, peek.
[[nodiscard]] std::optional<ClosedForm> check_bag(const history::History& history,
                                                  std::span<const std::uint32_t> operations,
                                                  const Parameters& parameters);
// First in, first out: enqueue, dequeue, peek.
[[nodiscard]] std::optional<ClosedForm> check_queue(const history::History& history,
                                                    std::span<const std::uint32_t> operations,
                                                    const Parameters& parameters);
// Last in, first out: push, pop, peek.
[[nodiscard]] std::optional<ClosedForm> check_stack(const history::History& history,
                                                    std::span<const std::uint32_t> operations,
                                                    const Parameters& parameters);
// The greatest first: insert, poll, peek. Values are integers.
[[nodiscard]] std::optional<ClosedForm> check_priority_queue(
    const history::History& history,
    std::span<const std::uint32_t> operations,
    const Parameters& parameters);

// What happened to one value. Stamps are tuned: an insertion is over when its value was first seen
// or taken, a removal cannot begin before the insertion did.
struct Life {
  history::Value value;
  std::uint32_t insertion = kNo_operation;
  std::uint32_t removal = kNo_operation;
  std::uint32_t first_seen = kNo_operation;  // the look or removal that ended first
  std::uint32_t last_seen = kNo_operation;   // the look or removal that began last
  std::uint32_t looks_begin = 0;  // its looks are Container::looks[looks_begin, looks_end)
  std::uint32_t looks_end = 0;
  std::int64_t inserted_start = 0;
  std::int64_t inserted_end = 0;   // surely inside from then on
  std::int64_t seen_end = 0;       // least end of looks and removal; kNever: never seen
  std::int64_t seen_start = 0;     // greatest start of looks and removal; kNever: never removed
  std::int64_t removed_start = 0;  // surely inside until then; kNever: never removed
  std::int64_t removed_end = 0;
};

struct Container {
  std::vector<Life> lives;                      // in order of invocation of their insertions
  std::vector<End> by_end;                      // of the lives: by inserted_end
  std::vector<std::uint32_t> looks;             // grouped by life
  std::vector<std::uint32_t> empties;           // acknowledged: it was empty
  std::vector<std::uint32_t> unknown_removals;  // of unknown outcome
  std::int64_t first_invoke = 0;                // of all operations
  std::int64_t last_invoke = 0;
};

// Which functions put in and take out.
struct ContainerWords {
  history::Function insert;
  history::Function remove;
};

// Sorts the operations of one container by value. `problem` says what no container can do: a value
// from nowhere, taken twice, or seen outside its life. Nothing: the tests do not apply.
struct Gathered {
  Container container;
  std::optional<Counterexample> problem;
};

[[nodiscard]] std::optional<Gathered> gather(const history::History& history,
                                             std::span<const std::uint32_t> operations,
                                             ContainerWords words);

// The fewest of the values that count which were inside one after the other from `from` to `to`;
// ends where none was.
template <typename Counts>
[[nodiscard]] std::vector<const Life*> cover(const Container& container,
                                             std::int64_t from,
                                             std::int64_t to,
                                             Counts counts) {
  std::vector<const Life*> chain;
  while (from <= to) {
    const Life* best = nullptr;
    for (const Life& life : container.lives) {
      const bool covers = life.inserted_end < from && from < life.removed_start && counts(life);
      if (covers && (best == nullptr || life.removed_start > best->removed_start)) best = &life;
    }
    if (best == nullptr) break;
    chain.push_back(best);
    from = best->removed_start;
  }
  return chain;
}

// From one instant to another, both with them, the container may have been empty.
struct Gap {
  std::int64_t from;
  std::int64_t to;
};

// The first operation that found the container empty and lies in none of the gaps, which are
// sorted and apart.
[[nodiscard]] std::optional<std::uint32_t> find_empty_outside(const history::History& history,
                                                              const Container& container,
                                                              std::span<const Gap> gaps);

// Its counter-example; `chain` as cover() gives it.
[[nodiscard]] Counterexample false_empty(const history::History& history,
                                         std::uint32_t empty,
                                         const std::vector<const Life*>& chain);

// An operation that found the container empty although some value was surely inside at every
// instant of it. Precondition: every life's stamps are final.
[[nodiscard]] std::optional<Counterexample> find_false_empty(const history::History& history,
                                                             const Container& container);

}  // namespace sunder::checkers
