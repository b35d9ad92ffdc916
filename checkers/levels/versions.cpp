#include "checkers/levels/versions.hpp"

#include <algorithm>

#include "checkers/value_index.hpp"

namespace sunder::checkers::levels {
namespace {

using history::Function;
using history::Operation;
using history::Outcome;
using history::Value;

constexpr std::int64_t kBefore_all = std::numeric_limits<std::int64_t>::min();

// Least end and greatest begin of a version's write and reads.
struct Zone {
  std::int64_t end = kUnbounded;
  std::int64_t written = kBefore_all;  // when its write began
  std::int64_t read = kBefore_all;     // when its last read began
};

// Whether no two zones must each come before the other, when reads begin so much earlier.
// Precondition: sorted by end.
bool has_no_conflict(const std::vector<Zone>& zones, std::int64_t earlier) {
  // The greatest begin among the zones so far: those whose ends are less.
  std::vector<std::int64_t> greatest(zones.size() + 1, kBefore_all);
  for (std::size_t i = 0; i < zones.size(); ++i) {
    const Zone& zone = zones[i];
    const std::int64_t read = zone.read == kBefore_all ? kBefore_all : zone.read - earlier;
    const std::int64_t begin = std::max(zone.written, read);
    // Zones with ends before this one's begin; of the pair the one with the lesser end goes first.
    const auto before = std::ranges::lower_bound(
        zones.begin(), zones.begin() + static_cast<std::ptrdiff_t>(i), begin, {}, &Zone::end);
    if (greatest[static_cast<std::size_t>(before - zones.begin())] > zone.end) return false;
    greatest[i + 1] = std::max(greatest[i], begin);
  }
  return true;
}

// Counts marked ranks.
class Counts {
 public:
  explicit Counts(std::size_t size) : tree_(size + 1, 0) {}

  void add(std::size_t rank) {
    for (std::size_t i = rank + 1; i < tree_.size(); i += i & (~i + 1)) ++tree_[i];
  }

  // How many marked ranks are less.
  [[nodiscard]] std::uint32_t below(std::size_t rank) const {
    std::uint32_t sum = 0;
    for (std::size_t i = rank; i > 0; i -= i & (~i + 1)) sum += tree_[i];
    return sum;
  }

 private:
  std::vector<std::uint32_t> tree_;
};

// Places writes from the last to the first. Taking one is right when whatever must come after it is
// a read of it or of the one write that has to come next: each choice is followed while it forces
// the next; once it forces nothing it was as good as any other.
class TwoAtomic {
 public:
  TwoAtomic(const history::History& history, const Versions& versions, Clock clock) {
    const std::size_t size = versions.all.size();
    for (std::uint32_t v = 0; v < size; ++v) {
      const Version& version = versions.all[v];
      writes_.push_back(version.written);
      reads_begin_.push_back(static_cast<std::uint32_t>(reads_.size()));
      for (const std::uint32_t read : version.reads) {
        reads_.push_back({interval_of(history.operations()[read], clock).begin, v});
      }
    }
    reads_begin_.push_back(static_cast<std::uint32_t>(reads_.size()));
    by_begin_ = List(size, [&](std::uint32_t v) { return writes_[v].begin; });
    by_end_ = List(size, [&](std::uint32_t v) { return writes_[v].end; });
    by_read_ = List(reads_.size(), [&](std::uint32_t r) { return reads_[r].begin; });
    left_ = size;
  }

  [[nodiscard]] Finding test(const Limits& limits) {
    while (left_ > 0) {
      if (limits.expired()) return Finding::out_of_time;
      if (!place_some()) return Finding::violated;
    }
    return Finding::holds;
  }

 private:
  // A list of numbers by falling stamps, from which they are taken and put back in reverse order.
  class List {
   public:
    List() = default;

    template <typename Stamp>
    List(std::size_t size, Stamp stamp) : next_(size + 1), previous_(size + 1) {
      std::vector<std::uint32_t> order(size);
      for (std::uint32_t i = 0; i < size; ++i) order[i] = i;
      std::ranges::stable_sort(
          order, [&](std::uint32_t a, std::uint32_t b) { return stamp(a) > stamp(b); });
      auto last = static_cast<std::uint32_t>(size);
      for (const std::uint32_t i : order) {
        next_[last] = i;
        previous_[i] = last;
        last = i;
      }
      next_[last] = static_cast<std::uint32_t>(size);
      previous_[size] = last;
    }

    [[nodiscard]] std::uint32_t end() const noexcept {
      return static_cast<std::uint32_t>(next_.size() - 1);
    }

    [[nodiscard]] std::uint32_t first() const noexcept { return next_[end()]; }

    [[nodiscard]] std::uint32_t next(std::uint32_t i) const noexcept { return next_[i]; }

    void take(std::uint32_t i) noexcept {
      next_[previous_[i]] = next_[i];
      previous_[next_[i]] = previous_[i];
    }

    void put_back(std::uint32_t i) noexcept {
      next_[previous_[i]] = i;
      previous_[next_[i]] = i;
    }

   private:
    std::vector<std::uint32_t> next_;
    std::vector<std::uint32_t> previous_;
  };

  struct Read {
    std::int64_t begin = 0;
    std::uint32_t version = 0;
  };

  enum class Try : std::uint8_t { done, failed, unfinished };

  void take(std::uint32_t v) {
    by_begin_.take(v);
    by_end_.take(v);
    for (std::uint32_t r = reads_begin_[v]; r < reads_begin_[v + 1]; ++r) by_read_.take(r);
    taken_.push_back(v);
    --left_;
  }

  void put_back() {
    const std::uint32_t v = taken_.back();
    taken_.pop_back();
    for (std::uint32_t r = reads_begin_[v + 1]; r > reads_begin_[v]; --r) by_read_.put_back(r - 1);
    by_end_.put_back(v);
    by_begin_.put_back(v);
    ++left_;
  }

  // Whether no write that is left begins after it ends.
  [[nodiscard]] bool may_be_last(std::uint32_t v) const {
    std::uint32_t other = by_begin_.first();
    if (other == v) other = by_begin_.next(other);
    return other == by_begin_.end() || writes_[other].begin <= writes_[v].end;
  }

  [[nodiscard]] Try follow(std::uint32_t v, std::size_t steps) {
    for (std::size_t step = 0; step < steps; ++step) {
      if (!may_be_last(v)) return Try::failed;
      take(v);
      // Reads of others that begin after it ended come after it: they found the write before it.
      std::uint32_t before = kNone;
      for (std::uint32_t r = by_read_.first();
           r != by_read_.end() && reads_[r].begin > writes_[v].end;
           r = by_read_.next(r)) {
        if (before != kNone && before != reads_[r].version) return Try::failed;
        before = reads_[r].version;
      }
      if (before == kNone) return Try::done;
      v = before;
    }
    return Try::unfinished;
  }

  [[nodiscard]] bool place_some() {
    std::vector<std::uint32_t> candidates;
    const std::int64_t newest = writes_[by_begin_.first()].begin;
    for (std::uint32_t v = by_end_.first(); v != by_end_.end() && writes_[v].end >= newest;
         v = by_end_.next(v)) {
      candidates.push_back(v);
    }
    const std::size_t held = taken_.size();
    for (std::size_t steps = 1; !candidates.empty(); steps *= 2) {
      std::vector<std::uint32_t> unfinished;
      for (const std::uint32_t v : candidates) {
        const Try outcome = follow(v, steps);
        if (outcome == Try::done) return true;
        while (taken_.size() > held) put_back();
        if (outcome == Try::unfinished) unfinished.push_back(v);
      }
      candidates = std::move(unfinished);
    }
    return false;
  }

  std::vector<Interval> writes_;
  std::vector<Read> reads_;  // by version
  std::vector<std::uint32_t> reads_begin_;
  List by_begin_;
  List by_end_;
  List by_read_;
  std::vector<std::uint32_t> taken_;
  std::size_t left_ = 0;
};

}  // namespace

Interval interval_of(const Operation& operation, Clock clock) noexcept {
  if (clock == Clock::stamps) return {operation.invoke, operation.complete};
  const bool open = operation.complete == history::kNever;
  return {operation.invoke_time, open ? kUnbounded : operation.complete_time};
}

std::optional<Impossible> find_impossible(const history::History& history,
                                          std::span<const std::uint32_t> operations) {
  ValueIndex values(operations.size() + 1);
  std::vector<std::int64_t> made{kBefore_all};  // when the first write of a value began
  (void)values.number(Value::nil());
  const auto pair_of = [&](const Operation& operation) {
    return operation.input.is_list() ? history.pool().items_of(operation.input)
                                     : std::span<const Value>{};
  };
  for (const std::uint32_t i : operations) {
    const Operation& operation = history.operations()[i];
    if (operation.function == Function::read || operation.outcome == Outcome::fail) continue;
    const bool compares = operation.function == Function::cas;
    if (compares && pair_of(operation).size() != 2) continue;
    const std::uint32_t number = values.number(compares ? pair_of(operation)[1] : operation.input);
    if (number == made.size()) made.push_back(operation.invoke);
  }
  for (const std::uint32_t i : operations) {
    const Operation& operation = history.operations()[i];
    const bool succeeds = operation.outcome == Outcome::ok;
    Value found = operation.output;  // of a read, or of a cas that failed
    if (operation.function == Function::cas && succeeds) {
      const auto pair = pair_of(operation);
      found = pair.size() == 2 ? pair[0] : Value();
    }
    const bool tells =
        operation.function == Function::cas || (operation.function == Function::read && succeeds);
    if (!tells || operation.outcome == Outcome::info || found.is_none()) continue;
    const std::uint32_t number = values.find(found);
    if (number == ValueIndex::kMissing) return Impossible{i, true};
    if (made[number] > operation.complete) return Impossible{i, false};
  }
  return std::nullopt;
}

std::optional<Versions> versions_of(const history::History& history,
                                    std::span<const std::uint32_t> operations,
                                    Clock clock) {
  Versions versions;
  versions.all.push_back({kNone, {kBefore_all, kBefore_all}, {}});
  ValueIndex values(operations.size() + 1);
  std::vector<std::uint32_t> version_of{0};
  (void)values.number(Value::nil());
  for (const std::uint32_t i : operations) {
    const Operation& operation = history.operations()[i];
    if (operation.function == Function::read) continue;
    if (operation.function != Function::write) return std::nullopt;
    if (operation.outcome == Outcome::fail) continue;
    if (values.number(operation.input) != version_of.size()) return std::nullopt;
    version_of.push_back(static_cast<std::uint32_t>(versions.all.size()));
    versions.all.push_back({i, interval_of(operation, clock), {}});
  }
  for (const std::uint32_t i : operations) {
    const Operation& operation = history.operations()[i];
    const bool told = operation.function == Function::read && operation.outcome == Outcome::ok &&
                      !operation.output.is_none();
    if (!told) continue;
    const std::uint32_t number = values.find(operation.output);
    if (number == ValueIndex::kMissing) continue;
    Version& version = versions.all[version_of[number]];
    version.written.end = std::min(version.written.end, interval_of(operation, clock).end);
    version.reads.push_back(i);
  }
  std::erase_if(versions.all, [&](const Version& version) {
    return version.write != kNone && version.reads.empty() &&
           history.operations()[version.write].outcome == Outcome::info;
  });
  versions.all.front().written.end = kBefore_all;
  return versions;
}

std::int64_t smallest_delta(const history::History& history,
                            const Versions& versions,
                            Clock clock) {
  std::vector<Zone> zones;
  std::int64_t first = kUnbounded;
  std::int64_t last = 0;
  for (const Version& version : versions.all) {
    Zone zone{version.written.end, version.written.begin, kBefore_all};
    for (const std::uint32_t read : version.reads) {
      const Interval interval = interval_of(history.operations()[read], clock);
      zone.read = std::max(zone.read, interval.begin);
      last = std::max(last, interval.begin);
    }
    if (version.write != kNone) first = std::min(first, version.written.end);
    zones.push_back(zone);
  }
  std::ranges::stable_sort(zones, {}, &Zone::end);
  if (has_no_conflict(zones, 0)) return 0;
  std::int64_t low = 0;
  std::int64_t high = std::max<std::int64_t>(last - first, 0) + 1;
  if (!has_no_conflict(zones, high)) return kUnbounded;
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (has_no_conflict(zones, middle) ? high : low) = middle;
  }
  return high;
}

std::vector<Lag> lags_of(const history::History& history, const Versions& versions, Clock clock) {
  struct Read {
    std::uint32_t operation = 0;
    std::int64_t begin = 0;
    std::int64_t written = 0;  // when the write of its value had ended
  };

  std::vector<Read> reads;
  std::vector<Interval> by_begin;
  for (const Version& version : versions.all) {
    if (version.write != kNone) by_begin.push_back(version.written);
    for (const std::uint32_t read : version.reads) {
      reads.push_back(
          {read, interval_of(history.operations()[read], clock).begin, version.written.end});
    }
  }
  std::ranges::sort(by_begin, {}, &Interval::begin);
  const std::size_t size = by_begin.size();
  // The least end from each on.
  std::vector<std::int64_t> least(size + 1, kUnbounded);
  for (std::size_t i = size; i > 0; --i) least[i - 1] = std::min(least[i], by_begin[i - 1].end);
  std::vector<std::uint32_t> by_end(size);
  for (std::uint32_t i = 0; i < size; ++i) by_end[i] = i;
  std::ranges::stable_sort(by_end, {}, [&](std::uint32_t i) { return by_begin[i].end; });
  std::ranges::stable_sort(reads, {}, &Read::begin);
  Counts ended(size);
  std::size_t next = 0;
  std::vector<Lag> lags;
  for (const Read& read : reads) {
    while (next < size && by_begin[by_end[next]].end < read.begin) ended.add(by_end[next++]);
    const auto after = std::ranges::upper_bound(by_begin, read.written, {}, &Interval::begin);
    const auto rank = static_cast<std::size_t>(after - by_begin.begin());
    Lag lag{.read = read.operation};
    if (least[rank] < read.begin) {
      lag.time = read.begin - least[rank];
      lag.versions = static_cast<std::uint32_t>(next) - ended.below(rank);
    }
    lags.push_back(lag);
  }
  std::ranges::sort(lags, {}, &Lag::read);
  return lags;
}

Finding test_two_atomic(const history::History& history,
                        const Versions& versions,
                        Clock clock,
                        const Limits& limits) {
  return TwoAtomic(history, versions, clock).test(limits);
}

std::uint32_t achieved_k(const history::History& history, const Versions& versions, Clock clock) {
  struct Read {
    Interval interval;
    std::size_t version = 0;  // its place in the order
  };

  std::vector<const Version*> order;
  for (const Version& version : versions.all) order.push_back(&version);
  std::ranges::stable_sort(order, {}, [](const Version* v) { return v->written.end; });
  std::vector<Read> reads;
  std::vector<std::int64_t> newest;  // the greatest begin of the writes up to each
  for (const Version* version : order) {
    newest.push_back(newest.empty() ? version->written.begin
                                    : std::max(newest.back(), version->written.begin));
  }
  for (std::size_t v = 0; v < order.size(); ++v) {
    for (const std::uint32_t read : order[v]->reads) {
      reads.push_back({interval_of(history.operations()[read], clock), v});
    }
  }
  // Each as early as it can be: after its write, and after all that ended before it began.
  std::ranges::stable_sort(reads, {}, [](const Read& read) { return read.interval.begin; });
  std::vector<std::size_t> by_end(reads.size());
  for (std::size_t i = 0; i < by_end.size(); ++i) by_end[i] = i;
  std::ranges::stable_sort(by_end, {}, [&](std::size_t i) { return reads[i].interval.end; });
  std::vector<std::size_t> place(reads.size(), 0);
  std::size_t next_read = 0;
  std::size_t next_write = 0;
  std::size_t floor = 0;
  std::uint32_t k = 1;
  for (std::size_t i = 0; i < reads.size(); ++i) {
    const Read& read = reads[i];
    while (next_write < order.size() && order[next_write]->written.end < read.interval.begin) {
      floor = std::max(floor, next_write++);
    }
    // Reads that ended before this one began, begin before it and have their places.
    while (next_read < reads.size() &&
           reads[by_end[next_read]].interval.end < read.interval.begin) {
      floor = std::max(floor, place[by_end[next_read++]]);
    }
    place[i] = std::max(floor, read.version);
    // A write up to there that begins only after the read: the order is impossible.
    if (newest[place[i]] > read.interval.end) return kNone;
    k = std::max(k, static_cast<std::uint32_t>(place[i] - read.version) + 1);
  }
  return k;
}

}  // namespace sunder::checkers::levels
