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
// their numbers without carry, which is the one that covers it when there is one). An instant that
// nothing covers serves every operation around it; one covered by a single value serves that
// value's alone, and the others once the value is gone. The instants are the beginnings of
// operations: where fewest values cover is at the beginning of an operation or where a value begins
// to leave.

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "checkers/containers.hpp"
#include "checkers/phrase.hpp"

namespace sunder::checkers {
namespace {

using history::Operation;

constexpr std::uint32_t kNone = kNo_operation;

// Over instants 0…n-1: how many intervals cover each, the marks of those together (exclusive or),
// the least covered one. Changes of ranges stay at the nodes that they cover whole.
class CoverTree {
 public:
  explicit CoverTree(std::size_t instants)
      : leaves_(std::bit_ceil(std::max<std::size_t>(instants, 1))), nodes_(2 * leaves_) {
    for (std::size_t i = instants; i < leaves_; ++i) nodes_[leaves_ + i].count = kGone;
  }

  struct Covered {
    std::uint32_t instant = 0;
    std::int32_t count = 0;
    std::uint32_t mark = 0;
  };

  void set_leaf(std::size_t instant, std::int32_t count, std::uint32_t mark) {
    nodes_[leaves_ + instant].count = count;
    nodes_[leaves_ + instant].mark = mark;
  }

  // After the leaves were set.
  void build() {
    for (std::size_t node = leaves_ - 1; node > 0; --node) pull_up(node);
  }

  // Takes out all instants that at most one interval covers.
  void take_free(std::vector<Covered>& taken) { take_free(1, 0, 0, taken); }

  // Takes one interval with that mark away from the instants [begin, end).
  void uncover(std::size_t begin, std::size_t end, std::uint32_t mark) {
    if (begin >= end) return;
    std::size_t left = begin + leaves_;
    std::size_t right = end + leaves_;
    for (; left < right; left /= 2, right /= 2) {
      if ((left & 1U) != 0) subtract(left++, mark);
      if ((right & 1U) != 0) subtract(--right, mark);
    }
    left = (begin + leaves_) / 2;
    right = (end - 1 + leaves_) / 2;
    for (; left != right; left /= 2, right /= 2) {
      pull_up(left);
      pull_up(right);
    }
    for (; left > 0; left /= 2) pull_up(left);
  }

 private:
  struct Node {
    std::int32_t count = 0;          // least of the subtree, with what stays here
    std::int32_t pending_count = 0;  // stays here: of all below
    std::uint32_t mark = 0;          // at that least
    std::uint32_t pending_mark = 0;
  };

  static constexpr std::int32_t kGone = std::numeric_limits<std::int32_t>::max() / 2;

  // `count` and `mark` are what stays at the nodes above.
  void take_free(std::size_t node,
                 std::int32_t count,
                 std::uint32_t mark,
                 std::vector<Covered>& taken) {
    const Node& now = nodes_[node];
    if (now.count + count > 1) return;
    if (node >= leaves_) {
      taken.push_back(
          {static_cast<std::uint32_t>(node - leaves_), now.count + count, now.mark ^ mark});
      nodes_[node].count = kGone;
      return;
    }
    take_free(2 * node, count + now.pending_count, mark ^ now.pending_mark, taken);
    take_free(2 * node + 1, count + now.pending_count, mark ^ now.pending_mark, taken);
    pull_up(node);
  }

  void pull_up(std::size_t node) {
    const Node& left = nodes_[2 * node];
    const Node& right = nodes_[2 * node + 1];
    const Node& child = left.count <= right.count ? left : right;
    nodes_[node].count = child.count + nodes_[node].pending_count;
    nodes_[node].mark = child.mark ^ nodes_[node].pending_mark;
  }

  void subtract(std::size_t node, std::uint32_t mark) {
    nodes_[node].count -= 1;
    nodes_[node].mark ^= mark;
    nodes_[node].pending_count -= 1;
    nodes_[node].pending_mark ^= mark;
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

  // Whether it was not removed.
  [[nodiscard]] bool has(std::size_t place) const { return ends_[leaves_ + place] >= 0; }

  void remove(std::size_t place) {
    std::size_t node = leaves_ + place;
    ends_[node] = -1;
    for (node /= 2; node > 0; node /= 2) {
      const std::int32_t before = ends_[node];
      pull_up(node);
      if (ends_[node] == before) return;
    }
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

// An operation's interval: the first and the last instant in it.
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
      : history_(&history),
        container_(&container),
        chosen_(chosen),
        instants_(container.first_invoke, container.last_invoke, chosen.size()) {}

  // The lives that cannot be peeled off.
  [[nodiscard]] std::vector<std::uint32_t> run() {
    number_instants();
    place_operations();
    sort_by_start();
    CoverTree cover(instants_.size());
    lay_intervals(cover);
    parked_.assign(chosen_.size(), kNone);
    next_parked_.resize(instants_.size());
    std::vector<CoverTree::Covered> taken;
    for (cover.take_free(taken); !taken.empty(); cover.take_free(taken)) {
      for (const CoverTree::Covered& covered : taken) {
        if (covered.count == 0) {
          serve_all(covered.instant);
        } else {
          // The others around it are served once this life is gone.
          next_parked_[covered.instant] = std::exchange(parked_[covered.mark], covered.instant);
          serve_life(covered.mark, covered.instant);
        }
      }
      taken.clear();
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
      for_each_interval(life(i), [&](std::int64_t start, std::int64_t) { instants_.add(start); });
    }
    instants_.number();
  }

  void place_operations() {
    unserved_.assign(chosen_.size(), 0);
    first_.reserve(chosen_.size() + 1);
    places_.reserve(2 * chosen_.size() + container_->looks.size());
    for (std::uint32_t i = 0; i < chosen_.size(); ++i) {
      first_.push_back(static_cast<std::uint32_t>(places_.size()));
      for_each_interval(life(i), [&](std::int64_t start, std::int64_t end) {
        places_.push_back({static_cast<std::int32_t>(instants_.rank(start)),
                           static_cast<std::int32_t>(instants_.rank_after(end)) - 1,
                           i});
        ++unserved_[i];
      });
      std::ranges::sort(places_.begin() + first_[i], places_.end(), {}, &Place::start);
    }
    first_.push_back(static_cast<std::uint32_t>(places_.size()));
  }

  // Gives every place its turn among all, by start.
  void sort_by_start() {
    started_.assign(instants_.size() + 1, 0);
    for (const Place& place : places_) ++started_[static_cast<std::size_t>(place.start) + 1];
    std::partial_sum(started_.begin(), started_.end(), started_.begin());
    std::vector<std::uint32_t> next = started_;
    by_start_.resize(places_.size());
    turn_.resize(places_.size());
    all_.emplace(places_.size());
    const bool looked_at = places_.size() > 2 * chosen_.size();
    if (looked_at) own_.emplace(places_.size());
    for (std::uint32_t i = 0; i < places_.size(); ++i) {
      const std::uint32_t turn = next[static_cast<std::size_t>(places_[i].start)]++;
      by_start_[turn] = i;
      turn_[i] = turn;
      all_->set(turn, places_[i].end);
      if (own_) own_->set(i, places_[i].end);
    }
    all_->build();
    if (own_) own_->build();
  }

  // The instants strictly inside a value's critical interval, as [first, last).
  [[nodiscard]] std::pair<std::size_t, std::size_t> critical(std::size_t i) const {
    const std::size_t begin = instants_.rank_after(life(i).inserted_end);
    const std::size_t end = instants_.rank(life(i).removed_start);
    return {begin, std::max(begin, end)};
  }

  void lay_intervals(CoverTree& cover) const {
    std::vector<std::int32_t> counts(instants_.size() + 1);
    std::vector<std::uint32_t> marks(instants_.size() + 1);
    for (std::uint32_t i = 0; i < chosen_.size(); ++i) {
      const auto [begin, end] = critical(i);
      if (begin >= end) continue;
      ++counts[begin];
      --counts[end];
      marks[begin] ^= i;
      marks[end] ^= i;
    }
    std::int32_t count = 0;
    std::uint32_t mark = 0;
    for (std::size_t instant = 0; instant < instants_.size(); ++instant) {
      cover.set_leaf(instant, count += counts[instant], mark ^= marks[instant]);
    }
    cover.build();
  }

  void serve_all(std::uint32_t instant) {
    for (;;) {
      const std::uint32_t turn =
          all_->find(0, started_[instant + 1], static_cast<std::int32_t>(instant));
      if (turn == kNone) return;
      serve(by_start_[turn]);
    }
  }

  void serve_life(std::uint32_t life, std::uint32_t instant) {
    const auto begin = places_.begin() + first_[life];
    const auto end = places_.begin() + first_[life + 1];
    const auto after =
        std::ranges::upper_bound(begin, end, static_cast<std::int32_t>(instant), {}, &Place::start);
    const auto limit = static_cast<std::uint32_t>(after - places_.begin());
    if (own_) {
      for (;;) {
        const std::uint32_t place =
            own_->find(first_[life], limit, static_cast<std::int32_t>(instant));
        if (place == kNone) return;
        serve(place);
      }
    }
    // An insertion and a removal at most.
    for (std::uint32_t place = first_[life]; place < limit; ++place) {
      const bool waits = all_->has(turn_[place]);
      if (waits && places_[place].end >= static_cast<std::int32_t>(instant)) serve(place);
    }
  }

  void serve(std::uint32_t place) {
    all_->remove(turn_[place]);
    if (own_) own_->remove(place);
    const std::uint32_t life = places_[place].life;
    if (--unserved_[life] == 0) free_.push_back(life);
  }

  void peel(CoverTree& cover) {
    while (!free_.empty()) {
      const std::uint32_t life = free_.back();
      free_.pop_back();
      const auto [begin, end] = critical(life);
      cover.uncover(begin, end, life);
      for (std::uint32_t instant = parked_[life]; instant != kNone;) {
        serve_all(instant);
        instant = next_parked_[instant];
      }
      parked_[life] = kNone;
    }
  }

  const history::History* history_;
  const Container* container_;
  std::span<const std::uint32_t> chosen_;
  Instants instants_;
  std::vector<Place> places_;            // by life, then start
  std::vector<std::uint32_t> first_;     // each life's first place
  std::vector<std::uint32_t> by_start_;  // places by start
  std::vector<std::uint32_t> turn_;      // each place's position there
  std::vector<std::uint32_t> started_;   // how many had started before each instant
  std::vector<std::uint32_t> unserved_;  // operations of each life that still need an instant
  std::vector<std::uint32_t> free_;      // lives to peel off
  // Instants that only one life covers, in lists: each life's last, and for each the one before.
  std::vector<std::uint32_t> parked_;
  std::vector<std::uint32_t> next_parked_;
  std::optional<ReachTree> all_;
  std::optional<ReachTree> own_;  // nothing when nobody looked: a life has two places at most
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
