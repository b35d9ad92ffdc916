#include "checkers/frontier.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <map>
#include <optional>
#include <tuple>

#include <fmt/format.h>

#include "harness/base/assert.hpp"

namespace sunder::checkers {
namespace {

struct Event {
  std::int64_t stamp = 0;
  bool completion = false;  // equal stamps are concurrent: invocations come first
  std::uint32_t operation = 0;
};

std::vector<Event> events_of(const std::vector<SearchOperation>& operations) {
  std::vector<Event> events;
  events.reserve(operations.size() * 2);
  for (std::uint32_t i = 0; i < operations.size(); ++i) {
    events.push_back({operations[i].invoke, false, i});
    if (!operations[i].optional) events.push_back({operations[i].complete, true, i});
  }
  std::ranges::sort(events, {}, [](const Event& event) {
    return std::tuple(event.stamp, event.completion, event.operation);
  });
  return events;
}

// The most operations that must return and are pending at once.
std::size_t concurrency_of(const SearchProblem& problem, const std::vector<Event>& events) {
  std::size_t pending = 0;
  std::size_t most = 0;
  for (const Event& event : events) {
    if (problem.operations[event.operation].optional) continue;
    pending = event.completion ? pending - 1 : pending + 1;
    most = std::max(most, pending);
  }
  return most;
}

// How often each class of equal unknown operations was used, by an id; 0 is none of them.
class UsedCounts {
 public:
  using Counts = std::vector<std::pair<std::uint32_t, std::uint32_t>>;  // class, count; sorted

  UsedCounts() { (void)intern({}); }

  [[nodiscard]] std::uint32_t count(std::uint32_t id, std::uint32_t unknown_class) const {
    for (const auto& [known, count] : *counts_[id]) {
      if (known == unknown_class) return count;
    }
    return 0;
  }

  [[nodiscard]] std::uint32_t plus(std::uint32_t id, std::uint32_t unknown_class) {
    Counts counts = *counts_[id];
    const auto at = std::ranges::lower_bound(counts, unknown_class, {}, &Counts::value_type::first);
    if (at != counts.end() && at->first == unknown_class) {
      ++at->second;
    } else {
      counts.insert(at, {unknown_class, 1});
    }
    return intern(std::move(counts));
  }

  // Whether `small` uses nothing that `large` does not.
  [[nodiscard]] bool within(std::uint32_t small, std::uint32_t large) const {
    if (small == large || small == 0) return true;
    return std::ranges::all_of(*counts_[small], [&](const auto& entry) {
      return count(large, entry.first) >= entry.second;
    });
  }

  [[nodiscard]] std::size_t memory() const noexcept { return counts_.size() * 160; }

 private:
  std::uint32_t intern(Counts counts) {
    const auto [found, added] =
        ids_.try_emplace(std::move(counts), static_cast<std::uint32_t>(counts_.size()));
    if (added) counts_.push_back(&found->first);
    return found->second;
  }

  std::map<Counts, std::uint32_t> ids_;
  std::vector<const Counts*> counts_;  // by id; nodes of a map stay
};

template <std::size_t Words>
struct Configuration {
  std::array<std::uint64_t, Words> taken{};  // by slot: pending operations that have taken effect
  State state = 0;
  std::uint32_t used = 0;

  [[nodiscard]] bool has(std::size_t slot) const noexcept {
    return ((taken[slot / 64] >> (slot % 64)) & 1U) != 0;
  }

  void set(std::size_t slot) noexcept { taken[slot / 64] |= std::uint64_t{1} << (slot % 64); }

  void clear(std::size_t slot) noexcept { taken[slot / 64] &= ~(std::uint64_t{1} << (slot % 64)); }

  [[nodiscard]] bool alike(const Configuration& other) const noexcept {
    return state == other.state && taken == other.taken;
  }

  [[nodiscard]] std::size_t hash() const noexcept {
    std::uint64_t h = state * 0x9e3779b97f4a7c15ULL;
    for (const std::uint64_t word : taken) {
      h = (h ^ word) * 0xbf58476d1ce4e5b9ULL;
      h ^= h >> 29U;
    }
    return static_cast<std::size_t>(h ^ (h >> 32U));
  }
};

// A set of configurations in order of insertion that refuses what one of its members dominates.
// Emptying it costs nothing: slots of the table carry the number of the generation that filled
// them.
template <std::size_t Words>
class ConfigurationSet {
 public:
  using Item = Configuration<Words>;

  explicit ConfigurationSet(const UsedCounts& used) : used_(&used), table_(64) {}

  bool insert(const Item& item) {
    if ((items_.size() + 1) * 2 > table_.size()) grow();
    std::size_t at = item.hash() & (table_.size() - 1);
    while (table_[at].generation == generation_) {
      const Item& known = items_[table_[at].index];
      if (known.alike(item) && used_->within(known.used, item.used)) return false;
      at = (at + 1) & (table_.size() - 1);
    }
    table_[at] = {generation_, static_cast<std::uint32_t>(items_.size())};
    items_.push_back(item);
    return true;
  }

  void clear() {
    items_.clear();
    ++generation_;
  }

  [[nodiscard]] const std::vector<Item>& items() const noexcept { return items_; }

  [[nodiscard]] std::vector<Item>& items() noexcept { return items_; }

  [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }

  [[nodiscard]] std::size_t memory() const noexcept {
    return items_.capacity() * sizeof(Item) + table_.size() * sizeof(Slot);
  }

 private:
  struct Slot {
    std::uint32_t generation = 0;
    std::uint32_t index = 0;
  };

  void grow() {
    table_.assign(table_.size() * 2, Slot());
    generation_ = 1;
    for (std::uint32_t i = 0; i < items_.size(); ++i) {
      std::size_t at = items_[i].hash() & (table_.size() - 1);
      while (table_[at].generation == generation_) at = (at + 1) & (table_.size() - 1);
      table_[at] = {generation_, i};
    }
  }

  const UsedCounts* used_;
  std::vector<Item> items_;
  std::vector<Slot> table_;
  std::uint32_t generation_ = 1;
};

// One pass over the events with at most `width` configurations.
template <std::size_t Words>
class Pass {
 public:
  using Item = Configuration<Words>;

  Pass(Model& model,
       const SearchProblem& problem,
       const std::vector<Event>& events,
       const SearchLimits& limits,
       std::size_t width)
      : model_(&model),
        problem_(&problem),
        events_(&events),
        limits_(&limits),
        width_(width),
        slot_of_(problem.operations.size(), 0),
        frontier_(used_),
        next_(used_),
        visited_(used_) {}

  // Whether the beam dropped configurations: a violation is then no more than a suspicion.
  [[nodiscard]] bool truncated() const noexcept { return truncated_; }

  [[nodiscard]] SearchResult run() {
    for (const State state : problem_->initial) {
      Item item;
      item.state = state;
      frontier_.insert(item);
    }
    remember_quiescence(std::numeric_limits<std::int64_t>::min());
    for (const Event& event : *events_) {
      const SearchOperation& operation = problem_->operations[event.operation];
      if (!event.completion) {
        invoke(operation, event.operation);
        continue;
      }
      if (!complete(event.operation)) return finish(event.operation);
      if (pending_.empty()) remember_quiescence(event.stamp);
    }
    result_.kind = SearchResult::Kind::linearizable;
    return std::move(result_);
  }

 private:
  struct Pending {
    std::size_t slot = 0;
    Call call;
    bool observes = false;
  };

  struct Unknown {
    Call call;
    std::uint32_t available = 0;
  };

  void remember_quiescence(std::int64_t stamp) {
    result_.quiescent = stamp;
    result_.quiescent_states.clear();
    for (const Item& item : frontier_.items()) result_.quiescent_states.push_back(item.state);
    std::ranges::sort(result_.quiescent_states);
    const auto same = std::ranges::unique(result_.quiescent_states);
    result_.quiescent_states.erase(same.begin(), same.end());
  }

  void invoke(const SearchOperation& operation, std::uint32_t index) {
    if (operation.optional) {
      const auto found = std::ranges::find(unknown_, operation.call, &Unknown::call);
      if (found != unknown_.end()) {
        ++found->available;
      } else {
        unknown_.push_back({operation.call, 1});
      }
      return;
    }
    const std::size_t slot = take_slot();
    slot_of_[index] = slot;
    const Pending pending{slot, operation.call, model_->observes(operation.call)};
    pending_.push_back(pending);
    if (!pending.observes) return;
    for (Item& item : frontier_.items()) {
      if (model_->step(item.state, pending.call) != kNoState) item.set(slot);
    }
    // Setting bits by state keeps different configurations different: the state is part of them.
    rebuild_frontier();
  }

  std::size_t take_slot() {
    if (free_slots_.empty()) {
      SUNDER_ASSERT(slots_ < Words * 64);
      return slots_++;
    }
    const std::size_t slot = free_slots_.back();
    free_slots_.pop_back();
    return slot;
  }

  // The table hashes what invoke() changed.
  void rebuild_frontier() {
    next_.clear();
    for (const Item& item : frontier_.items()) next_.insert(item);
    std::swap(frontier_, next_);
  }

  // False: nothing explains the return of this operation, or a limit was reached.
  bool complete(std::uint32_t index) {
    const std::size_t slot = slot_of_[index];
    next_.clear();
    visited_.clear();
    for (const Item& item : frontier_.items()) {
      if (item.has(slot)) {
        keep(item, slot);
      } else {
        visited_.insert(item);
      }
    }
    for (std::size_t i = 0; i < visited_.size(); ++i) {
      if (width_ != 0 && (next_.size() >= width_ || visited_.size() >= width_ * kVisitedPerKept)) {
        truncated_ = true;
        break;
      }
      if (!within_limits()) return false;
      const Item item = visited_.items()[i];
      extend(item, slot);
    }
    result_.configurations += visited_.size();
    if (next_.size() == 0) return false;
    std::erase_if(pending_, [&](const Pending& pending) { return pending.slot == slot; });
    free_slots_.push_back(slot);
    drop_dominated();
    return true;
  }

  void keep(Item item, std::size_t slot) {
    item.clear(slot);
    next_.insert(item);
  }

  // All that can take effect next, in this configuration, on the way to the operation in `slot`.
  void extend(const Item& item, std::size_t slot) {
    for (const Pending& pending : pending_) {
      if (pending.observes || item.has(pending.slot)) continue;
      const State state = model_->step(item.state, pending.call);
      if (state == kNoState) continue;
      Item after = item;
      after.set(pending.slot);
      arrive(after, state, slot);
    }
    for (std::uint32_t i = 0; i < unknown_.size(); ++i) {
      const State state = model_->step(item.state, unknown_[i].call);
      if (state == kNoState || state == item.state) continue;
      if (used_.count(item.used, i) >= unknown_[i].available) continue;
      Item after = item;
      after.used = used_.plus(item.used, i);
      arrive(after, state, slot);
    }
    for (const Call call : problem_->free_calls) {
      const State state = model_->step(item.state, call);
      if (state != kNoState && state != item.state) arrive(item, state, slot);
    }
  }

  void arrive(Item item, State state, std::size_t slot) {
    item.state = state;
    for (const Pending& pending : pending_) {
      if (!pending.observes || item.has(pending.slot)) continue;
      if (model_->step(state, pending.call) != kNoState) item.set(pending.slot);
    }
    if (item.has(slot)) {
      keep(item, slot);
    } else {
      visited_.insert(item);
    }
  }

  // Insertion order is by number of steps, so a dominating configuration mostly came first; this
  // removes the rest.
  void drop_dominated() {
    std::vector<Item>& items = next_.items();
    const bool any_used =
        std::ranges::any_of(items, [](const Item& item) { return item.used != 0; });
    frontier_.clear();
    if (any_used) {
      std::ranges::stable_sort(items, {}, [&](const Item& item) { return weight(item.used); });
    }
    for (const Item& item : items) frontier_.insert(item);
  }

  [[nodiscard]] std::size_t weight(std::uint32_t used) {
    while (weights_.size() <= used) {
      std::size_t sum = 0;
      const auto id = static_cast<std::uint32_t>(weights_.size());
      for (std::uint32_t i = 0; i < unknown_.size(); ++i) sum += used_.count(id, i);
      weights_.push_back(sum);
    }
    return weights_[used];
  }

  bool within_limits() {
    if (limits_->configurations != 0 &&
        result_.configurations + visited_.size() > limits_->configurations) {
      reason_ = "the limit of configurations was reached";
      return false;
    }
    if ((++steps_ & 255U) != 0) return true;
    if (limits_->stop.stop_requested()) {
      reason_ = "stopped";
    } else if (std::chrono::steady_clock::now() > limits_->deadline) {
      reason_ = "the time budget was used up";
    } else if (memory() > limits_->memory) {
      reason_ = "the memory budget was used up";
    }
    return reason_.empty();
  }

  [[nodiscard]] std::size_t memory() const noexcept {
    return frontier_.memory() + next_.memory() + visited_.memory() + used_.memory() +
           model_->memory();
  }

  SearchResult finish(std::uint32_t index) {
    if (!reason_.empty()) {
      result_.kind = SearchResult::Kind::undetermined;
      result_.reason = reason_;
      return std::move(result_);
    }
    result_.kind = SearchResult::Kind::violation;
    result_.failed = index;
    for (const Item& item : visited_.items()) result_.possible.push_back(item.state);
    std::ranges::sort(result_.possible);
    const auto same = std::ranges::unique(result_.possible);
    result_.possible.erase(same.begin(), same.end());
    return std::move(result_);
  }

  static constexpr std::size_t kVisitedPerKept = 16;

  Model* model_;
  const SearchProblem* problem_;
  const std::vector<Event>* events_;
  const SearchLimits* limits_;
  std::size_t width_;
  bool truncated_ = false;
  std::string reason_;
  std::uint64_t steps_ = 0;
  std::vector<std::size_t> slot_of_;  // by operation
  std::vector<std::size_t> free_slots_;
  std::size_t slots_ = 0;
  std::vector<Pending> pending_;
  std::vector<Unknown> unknown_;
  std::vector<std::size_t> weights_;  // of used_'s ids: how many unknown operations
  UsedCounts used_;
  ConfigurationSet<Words> frontier_;
  ConfigurationSet<Words> next_;
  ConfigurationSet<Words> visited_;
  SearchResult result_;
};

template <std::size_t Words>
SearchResult widen(Model& model,
                   const SearchProblem& problem,
                   const std::vector<Event>& events,
                   const SearchLimits& limits) {
  constexpr std::array<std::size_t, 3> kWidths{64, 2048, 0};
  std::size_t configurations = 0;
  SearchResult result;
  for (const std::size_t width : kWidths) {
    Pass<Words> pass(model, problem, events, limits, width);
    result = pass.run();
    configurations += result.configurations;
    result.configurations = configurations;
    const bool suspicion = result.kind == SearchResult::Kind::violation && pass.truncated();
    if (!suspicion) return result;
  }
  return result;
}

}  // namespace

SearchResult search(Model& model, const SearchProblem& problem, const SearchLimits& limits) {
  constexpr std::size_t kNarrow = 64;
  constexpr std::size_t kWide = 256;
  const std::vector<Event> events = events_of(problem.operations);
  const std::size_t concurrency = concurrency_of(problem, events);
  if (concurrency <= kNarrow) return widen<kNarrow / 64>(model, problem, events, limits);
  if (concurrency <= kWide) return widen<kWide / 64>(model, problem, events, limits);
  SearchResult result;
  result.reason = fmt::format(
      "{} operations of one key overlap; the search takes at most {}", concurrency, kWide);
  return result;
}

}  // namespace sunder::checkers
