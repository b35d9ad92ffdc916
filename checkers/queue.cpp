// First in, first out: for no two values a and b must both a leave before b and b before a.
//
// a → b when a was in before b could be, or when a was seen at the front before b could be last
// seen there. A value that was never removed leaves after all others.

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "checkers/containers.hpp"
#include "checkers/phrase.hpp"

namespace sunder::checkers {
namespace {

using history::kNever;
using history::Operation;

class QueueCheck {
 public:
  QueueCheck(const history::History& history, Container container)
      : history_(&history), container_(std::move(container)) {}

  [[nodiscard]] ClosedForm run() {
    // What an unknown dequeue may have taken is not known to stay.
    const bool all_known = container_.unknown_removals.empty();
    if (auto problem = find_overtaking(all_known)) return violation(std::move(*problem));
    if (auto problem = find_turning_back(all_known)) return violation(std::move(*problem));
    if (!all_known) return run_with_unknown();
    if (auto problem = find_false_empty(*history_, container_)) {
      return violation(std::move(*problem));
    }
    return {};
  }

 private:
  [[nodiscard]] const Operation& at(std::uint32_t index) const {
    return history_->operations()[index];
  }

  [[nodiscard]] bool leaves(const Life& life, bool all_known) const {
    return all_known || life.removal != kNo_operation;
  }

  // Two values of which one was in before the other could be, yet was at the front later.
  [[nodiscard]] std::optional<Counterexample> find_overtaking(bool all_known) const {
    const Life* latest = nullptr;  // of those in already, the one that stayed longest
    std::size_t next = 0;
    const std::vector<End>& by_end = container_.by_end;
    for (const Life& second : container_.lives) {
      if (!leaves(second, all_known)) continue;
      for (; next < by_end.size() && by_end[next].stamp < second.inserted_start; ++next) {
        const Life& first = container_.lives[by_end[next].position];
        if (!leaves(first, all_known)) continue;
        if (latest == nullptr || first.seen_start > latest->seen_start) latest = &first;
      }
      if (latest != nullptr && second.seen_end < latest->seen_start) {
        return overtaken(*latest, second);
      }
    }
    return std::nullopt;
  }

  Counterexample overtaken(const Life& first, const Life& second) const {
    const bool lost = first.seen_start == kNever;
    Counterexample example =
        story(lost ? "lost element" : "out of order",
              {first.insertion, second.insertion, second.first_seen, first.last_seen});
    example.why = fmt::format("{} although {} had been put in {} {} began",
                              statement(*history_, at(second.first_seen)),
                              history_->pool().describe(first.value),
                              lead(at(first.insertion), at(second.insertion)),
                              phrase(*history_, at(second.insertion)));
    example.why +=
        lost ? std::string(" and was never taken")
             : fmt::format(" and left later, by {}", phrase(*history_, at(first.last_seen)));
    example.first_error = second.first_seen;
    return example;
  }

  // Two values each of which was seen at the front before the other was seen there last. Without
  // looks that cannot be.
  [[nodiscard]] std::optional<Counterexample> find_turning_back(bool all_known) const {
    if (container_.looks.empty()) return std::nullopt;

    struct Zone {
      std::int64_t stamp = 0;  // its left end
      std::int64_t right = 0;
      const Life* life = nullptr;
      bool forward = false;
    };

    std::vector<Zone> zones;
    zones.reserve(container_.lives.size());
    // At the same left end a backward zone goes first: ties are concurrent.
    for (const bool forward : {false, true}) {
      for (const Life& life : container_.lives) {
        const bool counts = leaves(life, all_known) && life.seen_end != kNever &&
                            (life.seen_end < life.seen_start) == forward;
        if (!counts) continue;
        const auto [left, right] = std::minmax(life.seen_end, life.seen_start);
        zones.push_back({left, right, &life, forward});
      }
    }
    sort_by_stamp(zones);
    const Zone* longest = nullptr;
    for (const Zone& zone : zones) {
      if (longest != nullptr && zone.life->seen_end < longest->right) {
        return turned_back(*longest->life, *zone.life);
      }
      if (zone.forward && (longest == nullptr || zone.right > longest->right)) longest = &zone;
    }
    return std::nullopt;
  }

  Counterexample turned_back(const Life& first, const Life& second) const {
    Counterexample example = story("out of order",
                                   {first.insertion,
                                    second.insertion,
                                    first.first_seen,
                                    first.last_seen,
                                    second.first_seen,
                                    second.last_seen});
    example.why =
        fmt::format("{} was at the front, then {}, then {} again: {}",
                    history_->pool().describe(first.value),
                    history_->pool().describe(second.value),
                    history_->pool().describe(first.value),
                    first.seen_start == kNever ? std::string("it was never taken")
                                               : statement(*history_, at(first.last_seen)));
    example.first_error = second.first_seen;
    return example;
  }

  // Every value that must have gone and was never seen to go needs an unknown dequeue that began
  // in time: the earliest deadlines get the earliest ones.
  [[nodiscard]] ClosedForm run_with_unknown() const {
    ClosedForm answer;
    // Where "empty" or a look tells more, the search has to confirm.
    answer.exact = container_.empties.empty() && container_.looks.empty();
    std::vector<std::pair<std::int64_t, const Life*>> deadlines = deadlines_of_unseen();
    std::ranges::sort(deadlines);
    std::vector<std::uint32_t> takers = container_.unknown_removals;  // in order of invocation
    for (std::size_t i = 0; i < deadlines.size(); ++i) {
      if (i < takers.size() && at(takers[i]).invoke <= deadlines[i].first) continue;
      return violation(lost(*deadlines[i].second, deadlines[i].first));
    }
    return answer;
  }

  // For each value never removed: the least end of the removals of values that came in after it.
  [[nodiscard]] std::vector<std::pair<std::int64_t, const Life*>> deadlines_of_unseen() const {
    std::vector<const Life*> removed;
    std::vector<const Life*> kept;
    for (const Life& life : container_.lives) {
      (life.removal != kNo_operation ? removed : kept).push_back(&life);
    }
    std::ranges::sort(removed, std::ranges::greater(), &Life::inserted_start);
    std::ranges::sort(kept, std::ranges::greater(), &Life::inserted_end);
    std::vector<std::pair<std::int64_t, const Life*>> deadlines;
    std::int64_t least = kNever;
    std::size_t next = 0;
    for (const Life* life : kept) {
      for (; next < removed.size() && removed[next]->inserted_start > life->inserted_end; ++next) {
        least = std::min(least, removed[next]->removed_end);
      }
      if (least != kNever) deadlines.emplace_back(least, life);
    }
    return deadlines;
  }

  Counterexample lost(const Life& life, std::int64_t deadline) const {
    std::uint32_t overtaker = kNo_operation;
    std::uint32_t behind = kNo_operation;
    for (const Life& other : container_.lives) {
      if (other.removed_end != deadline || other.inserted_start <= life.inserted_end) continue;
      overtaker = other.removal;
      behind = other.insertion;
    }
    Counterexample example = story("lost element", {life.insertion, behind, overtaker});
    example.why = fmt::format(
        "{} although {} had been put in before it, was never seen to be taken, and too few "
        "dequeues "
        "of unknown outcome had begun to have taken it",
        statement(*history_, at(overtaker)),
        history_->pool().describe(life.value));
    example.first_error = overtaker;
    return example;
  }

  const history::History* history_;
  Container container_;
};

}  // namespace

std::optional<ClosedForm> check_queue(const history::History& history,
                                      std::span<const std::uint32_t> operations,
                                      const Parameters& /*none*/) {
  auto gathered =
      gather(history, operations, {history::Function::enqueue, history::Function::dequeue});
  if (!gathered) return std::nullopt;
  if (gathered->problem) return violation(std::move(*gathered->problem));
  return QueueCheck(history, std::move(gathered->container)).run();
}

}  // namespace sunder::checkers
