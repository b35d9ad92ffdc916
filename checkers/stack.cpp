// Last in, first out, by peeling (Lee & Mathur, "Efficient Decrease-and-Conquer Linearizability
// Monitoring", OOPSLA 2025).
//
// A value is surely inside during its critical interval, from the end of its push to the start of
// its pop. Its own operations need an instant at which no other value lies on top: one outside the
// critical intervals of all other values. A value all of whose operations have such an instant is
// peeled off, and others become free. The history is linearizable exactly when everything can be
// peeled off; the order does not matter.
//
// O(n log n): a tree over the instants holds how many critical intervals cover each (and the sum of
// their numbers, which is the one that covers it when there is one). An instant that nothing covers
// serves every operation around it; one covered by a single value serves that value's alone, and
// the others once the value is gone.

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "checkers/containers.hpp"
#include "checkers/phrase.hpp"

namespace sunder::checkers {
namespace {

using history::kNever;
using history::Operation;

constexpr std::uint32_t kNone = kNo_operation;

// Over instants 0…n-1: how many intervals cover each, the sum of their numbers, the least covered
// one. Additions to ranges stay at the nodes that they cover whole.
class CoverTree {
 public:
  explicit CoverTree(std::size_t instants)
      : leaves_(std::bit_ceil(std::max<std::size_t>(instants, 1))), nodes_(2 * leaves_) {
    for (std::size_t i = instants; i < leaves_; ++i) nodes_[leaves_ + i].count = kGone;
  }

  struct Least {
    std::uint32_t instant = 0;
    std::int32_t count = 0;
    std::uint64_t sum = 0;
  };

  void set_leaf(std::size_t instant, std::int32_t count, std::uint64_t sum) {
    nodes_[leaves_ + instant].count = count;
    nodes_[leaves_ + instant].sum = sum;
  }

  // After the leaves were set.
  void build() {
    for (std::size_t node = leaves_ - 1; node > 0; --node) pull_up(node);
  }

  // Whether all instants are gone.
  [[nodiscard]] bool is_empty() const noexcept { return nodes_[1].count >= kGone / 2; }

  [[nodiscard]] Least least() const {
    Least least{0, nodes_[1].count, nodes_[1].sum};
    std::size_t node = 1;
    while (node < leaves_) node = better_child(node);
    least.instant = static_cast<std::uint32_t>(node - leaves_);
    return least;
  }

  void remove(std::size_t instant) {
    std::size_t node = leaves_ + instant;
    nodes_[node].count = kGone;
    for (node /= 2; node > 0; node /= 2) pull_up(node);
  }

  // Takes one interval's number away from the instants [begin, end).
  void uncover(std::size_t begin, std::size_t end, std::uint64_t number) {
    if (begin >= end) return;
    std::size_t left = begin + leaves_;
    std::size_t right = end + leaves_;
    for (; left < right; left /= 2, right /= 2) {
      if ((left & 1U) != 0) subtract(left++, number);
      if ((right & 1U) != 0) subtract(--right, number);
    }
    for (std::size_t node = (begin + leaves_) / 2; node > 0; node /= 2) pull_up(node);
    for (std::size_t node = (end - 1 + leaves_) / 2; node > 0; node /= 2) pull_up(node);
  }

 private:
  struct Node {
    std::int32_t count = 0;          // least of the subtree, with what stays here
    std::int32_t pending_count = 0;  // stays here: of all below
    std::uint64_t sum = 0;           // at that least
    std::uint64_t pending_sum = 0;
  };

  static constexpr std::int32_t kGone = std::numeric_limits<std::int32_t>::max() / 2;

  [[nodiscard]] std::size_t better_child(std::size_t node) const {
    return nodes_[2 * node].count <= nodes_[2 * node + 1].count ? 2 * node : 2 * node + 1;
  }

  void pull_up(std::size_t node) {
    const Node& child = nodes_[better_child(node)];
    nodes_[node].count = child.count + nodes_[node].pending_count;
    nodes_[node].sum = child.sum + nodes_[node].pending_sum;
  }

  void subtract(std::size_t node, std::uint64_t number) {
    nodes_[node].count -= 1;
    nodes_[node].sum -= number;
    nodes_[node].pending_count -= 1;
    nodes_[node].pending_sum -= number;
  }

  std::size_t leaves_;
  std::vector<Node> nodes_;
};

// Intervals in an order of one's own, each with its greatest end below a tree's node: finds, once
// each, those of a range that reach to an instant.
class ReachTree {
 public:
  explicit ReachTree(std::size_t size)
      : leaves_(std::bit_ceil(std::max<std::size_t>(size, 1))), ends_(2 * leaves_, -1) {}

  void set(std::size_t place, std::int32_t end) { ends_[leaves_ + place] = end; }

  void build() {
    for (std::size_t node = leaves_ - 1; node > 0; --node) pull_up(node);
  }

  void remove(std::size_t place) {
    std::size_t node = leaves_ + place;
    ends_[node] = -1;
    for (node /= 2; node > 0; node /= 2) pull_up(node);
  }

  // Some place in [begin, end) whose interval ends at `instant` or later; kNone when there is none.
  [[nodiscard]] std::uint32_t find(std::size_t begin, std::size_t end, std::int32_t instant) const {
    std::size_t left = begin + leaves_;
    std::size_t right = end + leaves_;
    for (; left < right; left /= 2, right /= 2) {
      if ((left & 1U) != 0 && ends_[left] >= instant) return descend(left, instant);
      if ((left & 1U) != 0) ++left;
      if ((right & 1U) != 0 && ends_[right - 1] >= instant) return descend(right - 1, instant);
      if ((right & 1U) != 0) --right;
    }
    return kNone;
  }

 private:
  void pull_up(std::size_t node) { ends_[node] = std::max(ends_[2 * node], ends_[2 * node + 1]); }

  [[nodiscard]] std::uint32_t descend(std::size_t node, std::int32_t instant) const {
    while (node < leaves_) node = ends_[2 * node] >= instant ? 2 * node : 2 * node + 1;
    return static_cast<std::uint32_t>(node - leaves_);
  }

  std::size_t leaves_;
  std::vector<std::int32_t> ends_;
};

// An operation's interval between instants, both inclusive.
struct Place {
  std::int32_t start = 0;
  std::int32_t end = 0;
  std::uint32_t life = 0;
};

// Peels the values off.
class Peeling {
 public:
  // Of these lives of the container only.
  Peeling(const history::History& history,
          const Container& container,
          std::span<const std::uint32_t> chosen)
      : history_(&history), container_(&container), chosen_(chosen) {}

  // The lives that cannot be peeled off.
  [[nodiscard]] std::vector<std::uint32_t> run() {
    number_instants();
    place_operations();
    CoverTree cover(instants_.size());
    lay_intervals(cover);
    parked_.assign(chosen_.size(), {});
    while (!cover.is_empty()) {
      const CoverTree::Least least = cover.least();
      if (least.count > 1) break;
      cover.remove(least.instant);
      if (least.count == 0) {
        serve_all(least.instant);
      } else {
        const auto life = static_cast<std::uint32_t>(least.sum);
        parked_[life].push_back(least.instant);
        serve_life(life, least.instant);
      }
      peel(cover);
    }
    std::vector<std::uint32_t> left;
    for (std::uint32_t i = 0; i < chosen_.size(); ++i) {
      if (unserved_[i] > 0) left.push_back(chosen_[i]);
    }
    return left;
  }

 private:
  [[nodiscard]] const Life& life(std::size_t i) const { return container_->lives[chosen_[i]]; }

  template <typename Visit>
  void for_each_interval(const Life& life, Visit visit) const {
    visit(life.inserted_start, life.inserted_end);
    for (std::uint32_t i = life.looks_begin; i < life.looks_end; ++i) {
      const Operation& look = history_->operations()[container_->looks[i]];
      visit(look.invoke, look.complete);
    }
    // One that is never popped is popped after everything.
    if (life.removal != kNone) visit(life.removed_start, life.removed_end);
  }

  void number_instants() {
    for (std::size_t i = 0; i < chosen_.size(); ++i) {
      for_each_interval(life(i), [&](std::int64_t start, std::int64_t end) {
        instants_.push_back(start);
        instants_.push_back(end);
      });
    }
    std::ranges::sort(instants_);
    const auto same = std::ranges::unique(instants_);
    instants_.erase(same.begin(), same.end());
  }

  [[nodiscard]] std::int32_t rank(std::int64_t stamp) const {
    return static_cast<std::int32_t>(std::ranges::lower_bound(instants_, stamp) -
                                     instants_.begin());
  }

  void place_operations() {
    unserved_.assign(chosen_.size(), 0);
    first_.reserve(chosen_.size() + 1);
    for (std::uint32_t i = 0; i < chosen_.size(); ++i) {
      first_.push_back(static_cast<std::uint32_t>(places_.size()));
      for_each_interval(life(i), [&](std::int64_t start, std::int64_t end) {
        places_.push_back({rank(start), rank(end), i});
        ++unserved_[i];
      });
      std::ranges::sort(places_.begin() + first_[i], places_.end(), {}, &Place::start);
    }
    first_.push_back(static_cast<std::uint32_t>(places_.size()));
    by_start_.resize(places_.size());
    std::iota(by_start_.begin(), by_start_.end(), 0U);
    std::ranges::sort(by_start_, {}, [&](std::uint32_t place) { return places_[place].start; });
    turn_.resize(places_.size());
    all_.emplace(places_.size());
    own_.emplace(places_.size());
    started_.assign(instants_.size(), 0);
    for (std::uint32_t turn = 0; turn < by_start_.size(); ++turn) {
      const Place& place = places_[by_start_[turn]];
      turn_[by_start_[turn]] = turn;
      all_->set(turn, place.end);
      own_->set(by_start_[turn], place.end);
      ++started_[static_cast<std::size_t>(place.start)];
    }
    all_->build();
    own_->build();
    std::partial_sum(started_.begin(), started_.end(), started_.begin());
  }

  // The instants strictly inside a value's critical interval, as [first, last).
  [[nodiscard]] std::pair<std::size_t, std::size_t> critical(std::size_t i) const {
    const auto begin = static_cast<std::size_t>(rank(life(i).inserted_end)) + 1;
    const std::size_t end = life(i).removed_start == kNever
                                ? instants_.size()
                                : static_cast<std::size_t>(rank(life(i).removed_start));
    return {begin, std::max(begin, end)};
  }

  void lay_intervals(CoverTree& cover) const {
    std::vector<std::int32_t> counts(instants_.size() + 1);
    std::vector<std::uint64_t> sums(instants_.size() + 1);
    for (std::size_t i = 0; i < chosen_.size(); ++i) {
      const auto [begin, end] = critical(i);
      if (begin >= end) continue;
      ++counts[begin];
      --counts[end];
      sums[begin] += i;
      sums[end] -= i;
    }
    std::int32_t count = 0;
    std::uint64_t sum = 0;
    for (std::size_t instant = 0; instant < instants_.size(); ++instant) {
      cover.set_leaf(instant, count += counts[instant], sum += sums[instant]);
    }
    cover.build();
  }

  void serve_all(std::uint32_t instant) {
    for (;;) {
      const std::uint32_t turn =
          all_->find(0, started_[instant], static_cast<std::int32_t>(instant));
      if (turn == kNone) return;
      serve(by_start_[turn]);
    }
  }

  void serve_life(std::uint32_t life, std::uint32_t instant) {
    const auto begin = places_.begin() + first_[life];
    const auto end = places_.begin() + first_[life + 1];
    const auto after =
        std::ranges::upper_bound(begin, end, static_cast<std::int32_t>(instant), {}, &Place::start);
    const auto limit = static_cast<std::size_t>(after - places_.begin());
    for (;;) {
      const std::uint32_t place =
          own_->find(first_[life], limit, static_cast<std::int32_t>(instant));
      if (place == kNone) return;
      serve(place);
    }
  }

  void serve(std::uint32_t place) {
    all_->remove(turn_[place]);
    own_->remove(place);
    const std::uint32_t life = places_[place].life;
    if (--unserved_[life] == 0) free_.push_back(life);
  }

  void peel(CoverTree& cover) {
    while (!free_.empty()) {
      const std::uint32_t life = free_.back();
      free_.pop_back();
      const auto [begin, end] = critical(life);
      cover.uncover(begin, end, life);
      for (const std::uint32_t instant : parked_[life]) serve_all(instant);
      parked_[life] = {};
    }
  }

  const history::History* history_;
  const Container* container_;
  std::span<const std::uint32_t> chosen_;
  std::vector<std::int64_t> instants_;   // stamps, sorted
  std::vector<Place> places_;            // by life, then start
  std::vector<std::uint32_t> first_;     // each life's first place
  std::vector<std::uint32_t> by_start_;  // places by start
  std::vector<std::uint32_t> turn_;      // each place's position there
  std::vector<std::uint32_t> started_;   // how many have started by each instant
  std::vector<std::uint32_t> unserved_;  // operations of each life that still need an instant
  std::vector<std::uint32_t> free_;      // lives to peel off
  std::vector<std::vector<std::uint32_t>> parked_;  // instants that only one life covers
  std::optional<ReachTree> all_;
  std::optional<ReachTree> own_;
};

// What is left may be long: leaves out what is not needed to contradict.
std::vector<std::uint32_t> shrink(const history::History& history,
                                  const Container& container,
                                  std::vector<std::uint32_t> left) {
  constexpr int kTriesMax = 200;
  int tries = 0;
  for (std::size_t chunk = std::max<std::size_t>(left.size() / 2, 1); tries < kTriesMax;) {
    bool smaller = false;
    for (std::size_t begin = 0; begin < left.size() && left.size() > 2 && tries < kTriesMax;) {
      std::vector<std::uint32_t> rest = left;
      const auto from = rest.begin() + static_cast<std::ptrdiff_t>(begin);
      rest.erase(from, from + static_cast<std::ptrdiff_t>(std::min(chunk, left.size() - begin)));
      ++tries;
      std::vector<std::uint32_t> stuck = Peeling(history, container, rest).run();
      if (stuck.empty()) {
        begin += chunk;
      } else {
        left = std::move(stuck);
        smaller = true;
      }
    }
    if (chunk == 1 && !smaller) break;
    chunk = std::max<std::size_t>(std::min(chunk, left.size()) / 2, 1);
  }
  return left;
}

Counterexample not_a_stack(const history::History& history,
                           const Container& container,
                           const std::vector<std::uint32_t>& left) {
  std::vector<std::uint32_t> members;
  std::string names;
  std::uint32_t last = kNone;
  for (const std::uint32_t id : left) {
    const Life& life = container.lives[id];
    members.insert(members.end(), {life.insertion, life.first_seen, life.last_seen, life.removal});
    names += fmt::format("{}{}", names.empty() ? "" : ", ", history.pool().describe(life.value));
    if (life.removal != kNone && (last == kNone || life.removal > last)) last = life.removal;
  }
  Counterexample example = story("out of order", std::move(members));
  example.first_error = last == kNone ? example.items.back().operation : last;
  example.why = fmt::format(
      "{}: whatever the order, another of {} lay on top of some value when it was pushed, seen or "
      "taken",
      statement(history, history.operations()[example.first_error]),
      names);
  return example;
}

}  // namespace

std::optional<ClosedForm> check_stack(const history::History& history,
                                      std::span<const std::uint32_t> operations,
                                      const Parameters& /*none*/) {
  auto gathered = gather(history, operations, {history::Function::push, history::Function::pop});
  if (!gathered) return std::nullopt;
  if (gathered->problem) return violation(std::move(*gathered->problem));
  const Container& container = gathered->container;
  if (!container.unknown_removals.empty()) return std::nullopt;
  if (auto problem = find_false_empty(history, container)) return violation(std::move(*problem));
  std::vector<std::uint32_t> all(container.lives.size());
  std::iota(all.begin(), all.end(), 0U);
  std::vector<std::uint32_t> left = Peeling(history, container, all).run();
  if (left.empty()) return ClosedForm();
  return violation(not_a_stack(history, container, shrink(history, container, std::move(left))));
}

}  // namespace sunder::checkers
