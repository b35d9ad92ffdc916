// A counter whose additions are all of one size and tell nothing, and whose reads tell the sum.
//
// One walk over the operations in order of time that adds as late as it can: when an addition ends
// that was not used, and when a read ends that saw a greater sum; each time with the pending
// addition that ends first. A read that begins when the sum is greater already cannot be
// right, nor one that ends when too few additions have begun. Additions of unknown outcome never
// end, so they are used last. O(n log c) after sorting.
//
// Additions of different sizes are a subset-sum problem, NP-hard: each read is then only held
// against the least and the greatest sum possible (Jepsen's counter), and the search confirms. If
// all additions tell the new sum they are fetch-and-adds.

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "checkers/counting.hpp"
#include "checkers/objects.hpp"
#include "checkers/phrase.hpp"
#include "checkers/sweep.hpp"

namespace sunder::checkers {
namespace {

using history::kNever;
using history::Operation;
using history::Outcome;

struct Item {
  std::int64_t start = 0;
  std::int64_t end = kNever;
  std::int64_t value = 0;  // the delta, or the sum seen; in units once they are known
  std::uint32_t operation = 0;
  bool reads = false;
};

struct Items {
  std::vector<Item> items;
  std::size_t telling = 0;  // acknowledged additions that tell the new sum
  std::size_t silent = 0;   // … that do not
};

Items collect(const history::History& history, std::span<const std::uint32_t> operations) {
  Items all;
  all.items.reserve(operations.size());
  for (const std::uint32_t index : operations) {
    const Operation& operation = history.operations()[index];
    if (const std::optional<std::int64_t> seen = sum_seen(operation)) {
      all.items.push_back({operation.invoke, operation.complete, *seen, index, true});
      continue;
    }
    const std::optional<Addition> addition = addition_of(operation);
    if (!addition) continue;
    if (operation.outcome == Outcome::ok) ++(addition->found ? all.telling : all.silent);
    if (addition->delta == 0 && !addition->found) continue;
    all.items.push_back({operation.invoke, operation.complete, addition->delta, index, false});
  }
  return all;
}

// The one size of all additions, 1 when there are none; nothing when there are several.
std::optional<std::int64_t> size_of_all(const std::vector<Item>& items) {
  std::optional<std::int64_t> size;
  for (const Item& item : items) {
    if (item.reads) continue;
    if (size && *size != item.value) return std::nullopt;
    size = item.value;
  }
  return size.value_or(1);
}

// Whether no sum can leave the integers: otherwise sums wrap around.
bool stays_in_range(const std::vector<Item>& items) {
  std::int64_t total = 0;
  for (const Item& item : items) {
    if (item.reads) continue;
    if (item.value == std::numeric_limits<std::int64_t>::min()) return false;
    const std::int64_t size = item.value < 0 ? -item.value : item.value;
    if (total > std::numeric_limits<std::int64_t>::max() - size) return false;
    total += size;
  }
  return true;
}

// The first read that saw less than the least or more than the greatest sum possible.
std::optional<Counterexample> out_of_bounds(const history::History& history,
                                            const std::vector<Item>& items) {
  struct Sums {
    std::int64_t up = 0;
    std::int64_t down = 0;

    void add(std::int64_t delta) { (delta > 0 ? up : down) += delta; }
  };

  Sums begun;
  Sums over;
  std::vector<Sums> over_before(items.size());
  std::optional<Counterexample> problem;
  const auto invoke = [&](std::uint32_t position) {
    if (!items[position].reads) begun.add(items[position].value);
    over_before[position] = over;
    return true;
  };
  const auto complete = [&](std::uint32_t position) {
    const Item& item = items[position];
    if (!item.reads) {
      over.add(item.value);
      return true;
    }
    const std::int64_t least = over_before[position].up + begun.down;
    const std::int64_t greatest = begun.up + over_before[position].down;
    if (least <= item.value && item.value <= greatest) return true;
    problem = story("impossible sum", {item.operation});
    problem->why = fmt::format("{}, but the sum was between {} and {} whatever the order",
                               statement(history, history.operations()[item.operation]),
                               least,
                               greatest);
    problem->first_error = item.operation;
    return false;
  };
  sweep(items, invoke, complete);
  return problem;
}

class CounterCheck {
 public:
  CounterCheck(const history::History& history, std::vector<Item> items, std::int64_t size)
      : history_(&history), items_(std::move(items)), size_(size) {}

  [[nodiscard]] std::optional<Counterexample> run() {
    if (auto problem = count_in_units()) return problem;
    used_.resize(items_.size());
    sweep(
        items_,
        [&](std::uint32_t position) { return invoke(position); },
        [&](std::uint32_t position) { return complete(position); });
    return std::move(problem_);
  }

 private:
  [[nodiscard]] const Operation& at(std::uint32_t position) const {
    return history_->operations()[items_[position].operation];
  }

  // Counts sums in additions. A sum that no number of them makes is a problem.
  [[nodiscard]] std::optional<Counterexample> count_in_units() {
    for (std::uint32_t i = 0; i < items_.size(); ++i) {
      Item& item = items_[i];
      if (!item.reads) continue;
      // The least integer has no quotient by −1; it is no multiple that anybody reaches either.
      const bool least = item.value == std::numeric_limits<std::int64_t>::min();
      if (least || item.value % size_ != 0 || item.value / size_ < 0) {
        Counterexample example = story("impossible sum", {item.operation});
        example.why = fmt::format("{}, but every addition is of {} and the sum was 0 at first",
                                  statement(*history_, at(i)),
                                  size_);
        example.first_error = item.operation;
        return example;
      }
      item.value /= size_;
    }
    return std::nullopt;
  }

  bool invoke(std::uint32_t position) {
    const Item& item = items_[position];
    if (!item.reads) {
      ++begun_;
      pending_.push(item.end, position);
    } else if (item.value < sum_) {
      problem_ = too_small(position);
    }
    return !problem_;
  }

  bool complete(std::uint32_t position) {
    const Item& item = items_[position];
    if (!item.reads) {
      if (!used_[position]) add();
      return true;
    }
    while (sum_ < item.value) {
      if (pending_.empty()) {
        problem_ = too_great(position);
        return false;
      }
      add();
    }
    return true;
  }

  void add() {
    used_[pending_.pop()] = true;
    ++sum_;
  }

  [[nodiscard]] Counterexample too_great(std::uint32_t read) const {
    std::vector<std::uint32_t> members{items_[read].operation};
    // The first addition that would have had to begin earlier.
    for (std::uint32_t i = 0; i < items_.size(); ++i) {
      if (items_[i].reads || items_[i].start <= items_[read].end) continue;
      members.push_back(items_[i].operation);
      break;
    }
    Counterexample example = story("sum too great", std::move(members));
    example.why = fmt::format("{}, but only {} {} had begun when that ended",
                              statement(*history_, at(read)),
                              begun_,
                              begun_ == 1 ? "addition" : "additions");
    example.first_error = items_[read].operation;
    return example;
  }

  // The earlier read, or the beginning (kNo_operation), from which the additions that ran wholly
  // between it and this read lead to more than the read saw.
  [[nodiscard]] std::uint32_t base_of(std::uint32_t read) const {
    // By time backwards: how many acknowledged additions began since.
    std::vector<std::int64_t> starts;
    std::vector<std::pair<std::int64_t, std::uint32_t>> bases;  // end of an earlier read
    for (std::uint32_t i = 0; i < items_.size(); ++i) {
      const Item& item = items_[i];
      if (item.end >= items_[read].start) continue;
      if (item.reads) {
        bases.emplace_back(item.end, i);
      } else {
        starts.push_back(item.start);  // ascending, as the items are
      }
    }
    std::uint32_t best = kNo_operation;
    auto most = static_cast<std::int64_t>(starts.size());
    for (const auto& [end, base] : bases) {
      const auto since = std::ranges::upper_bound(starts, end);
      const std::int64_t least = items_[base].value + (starts.end() - since);
      if (least < most || (least == most && best != kNo_operation)) continue;
      most = least;
      best = base;
    }
    return best;
  }

  [[nodiscard]] Counterexample too_small(std::uint32_t read) const {
    constexpr std::size_t kShown = 4;
    const std::uint32_t base = base_of(read);
    const std::int64_t after =
        base == kNo_operation ? std::numeric_limits<std::int64_t>::min() : items_[base].end;
    std::vector<std::uint32_t> between;
    for (std::uint32_t i = 0; i < read; ++i) {
      const Item& item = items_[i];
      if (!item.reads && item.start > after && item.end < items_[read].start) {
        between.push_back(item.operation);
      }
    }
    std::vector<std::uint32_t> members{items_[read].operation};
    if (base != kNo_operation) members.push_back(items_[base].operation);
    const std::size_t count = between.size();
    const std::size_t first = count - std::min(count, kShown);
    members.insert(
        members.end(), between.begin() + static_cast<std::ptrdiff_t>(first), between.end());
    Counterexample example = story(count == 0 ? "stale read" : "lost addition", std::move(members));
    example.why = statement(*history_, at(read));
    if (base != kNo_operation) {
      example.why += fmt::format(
          " although {} had ended {}", phrase(*history_, at(base)), lead(at(base), at(read)));
    }
    if (count > 0) {
      example.why += fmt::format("{} {} {} had been acknowledged{}",
                                 base == kNo_operation ? " although" : " and",
                                 count,
                                 count == 1 ? "addition" : "additions",
                                 base == kNo_operation ? " before" : " between them");
    }
    example.first_error = items_[read].operation;
    return example;
  }

  const history::History* history_;
  std::vector<Item> items_;
  std::int64_t size_;  // of every addition
  std::vector<bool> used_;
  EarliestEnd pending_;
  std::int64_t sum_ = 0;
  std::int64_t begun_ = 0;
  std::optional<Counterexample> problem_;
};

}  // namespace

std::optional<ClosedForm> check_counter(const history::History& history,
                                        std::span<const std::uint32_t> operations,
                                        const Parameters& parameters) {
  Items all = collect(history, operations);
  if (all.telling > 0) {
    return all.silent > 0 ? std::nullopt : check_fetch_add(history, operations, parameters);
  }
  if (!stays_in_range(all.items)) return std::nullopt;
  const std::optional<std::int64_t> size = size_of_all(all.items);
  if (!size) {
    if (auto problem = out_of_bounds(history, all.items)) return violation(std::move(*problem));
    return ClosedForm{.linearizable = true, .exact = false, .counterexample = {}};
  }
  auto problem = CounterCheck(history, std::move(all.items), *size).run();
  return problem ? violation(std::move(*problem)) : ClosedForm();
}

}  // namespace sunder::checkers
