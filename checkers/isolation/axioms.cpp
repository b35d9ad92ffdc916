#include "checkers/isolation/axioms.hpp"

#include <algorithm>

#include "harness/base/assert.hpp"

namespace sunder::checkers::isolation {

Axioms::Axioms(const Transactions& transactions, const history::History& history, Rules rules)
    : data_(&transactions),
      history_(&history),
      rules_(rules),
      split_(rules.axiom == Axiom::prefix || rules.axiom == Axiom::snapshot),
      events_(split_ ? 2 * transactions.size() : transactions.size()) {
  if (rules_.real_time) {
    const auto complete = [&](std::uint32_t transaction) {
      return history.operations()[transactions.operation[transaction]].complete;
    };
    for (std::uint32_t i = 0; i < transactions.size(); ++i) {
      if (complete(i) != history::kNever) finished_.push_back(i);
    }
    std::ranges::stable_sort(finished_, {}, complete);
    events_ += static_cast<std::uint32_t>(finished_.size());
  }
}

std::vector<Before> Axioms::fixed() const {
  std::vector<Before> edges;
  edges.reserve(2 * data_->size() + data_->read_key.size());
  for (std::uint32_t i = 0; i < data_->size(); ++i) {
    if (split_) edges.push_back({start(i), commit(i)});
    if (rules_.sessions && data_->previous[i] != kNone) {
      edges.push_back({commit(data_->previous[i]), start(i)});
    }
    std::uint32_t last = kNone;
    for (std::uint32_t read = data_->read_begin[i]; read < data_->read_begin[i + 1]; ++read) {
      const std::uint32_t writer = data_->writer_of(read);
      if (writer != kNone && writer != last) edges.push_back({commit(writer), start(i)});
      last = writer;
    }
  }
  if (!rules_.real_time) return edges;
  const std::vector<history::Operation>& operations = history_->operations();
  const auto first_instant = events_ - static_cast<std::uint32_t>(finished_.size());
  std::vector<std::int64_t> completions;
  for (std::uint32_t i = 0; i < finished_.size(); ++i) {
    edges.push_back({commit(finished_[i]), first_instant + i});
    if (i > 0) edges.push_back({first_instant + i - 1, first_instant + i});
    completions.push_back(operations[data_->operation[finished_[i]]].complete);
  }
  for (std::uint32_t i = 0; i < data_->size(); ++i) {
    const std::int64_t invoke = operations[data_->operation[i]].invoke;
    const auto before = std::ranges::lower_bound(completions, invoke) - completions.begin();
    if (before > 0) {
      edges.push_back({first_instant + static_cast<std::uint32_t>(before) - 1, start(i)});
    }
  }
  return edges;
}

std::vector<std::uint32_t> Axioms::order_near(std::span<const std::uint32_t> transactions,
                                              std::span<const Before> fixed) const {
  // A transaction starts as soon as it may, after what it read and replaced: slots of three, for
  // the starts, the commit and the instant that follow a commit.
  std::vector<std::uint64_t> priority(events_, 0);
  std::vector<std::uint64_t> slot(data_->size(), 0);
  for (std::uint32_t i = 0; i < transactions.size(); ++i) slot[transactions[i]] = 4 * (i + 1ULL);
  std::vector<std::uint64_t> last_write(data_->key_count(), 0);
  for (const std::uint32_t transaction : transactions) {
    std::uint64_t low = 0;
    if (rules_.sessions && data_->previous[transaction] != kNone) {
      low = slot[data_->previous[transaction]];
    }
    for (std::uint32_t read = data_->read_begin[transaction];
         read < data_->read_begin[transaction + 1];
         ++read) {
      const std::uint32_t writer = data_->writer_of(read);
      if (writer != kNone) low = std::max(low, slot[writer]);
    }
    for (const std::uint32_t key : data_->keys_written(transaction)) {
      if (rules_.axiom == Axiom::snapshot) low = std::max(low, last_write[key]);
      last_write[key] = slot[transaction];
    }
    if (split_) priority[start(transaction)] = low + 1;
    priority[commit(transaction)] = slot[transaction];
  }
  const auto first_instant = events_ - static_cast<std::uint32_t>(finished_.size());
  for (std::uint32_t i = 0; i < finished_.size(); ++i) {
    priority[first_instant + i] = slot[finished_[i]] + 2;
  }
  return order_by_priority(priority, fixed);
}

Before Axioms::forced_before(const ForcedEdge& edge) const noexcept {
  const bool whole = rules_.axiom == Axiom::snapshot;
  return {commit(edge.from), whole ? start(edge.to) : commit(edge.to)};
}

Before Axioms::missed_before(const ForcedEdge& edge) const noexcept {
  return {start(edge.from), commit(edge.to)};
}

bool Axioms::needs_more_than(std::size_t bytes) const noexcept {
  const bool clocks = rules_.axiom == Axiom::causal || rules_.axiom == Axiom::parallel_snapshot;
  return clocks && Clocks::bytes(*data_) > bytes;
}

void Axioms::sort_writers(std::span<const std::uint32_t> positions) {
  std::vector<std::uint32_t> at(events_, kNone);
  for (std::uint32_t i = 0; i < data_->size(); ++i) at[positions[commit(i)]] = i;
  order_.clear();
  for (const std::uint32_t transaction : at) {
    if (transaction != kNone) order_.push_back(transaction);
  }
  if (writers_begin_.empty()) {
    writers_begin_.assign(data_->key_count() + 1, 0);
    for (const std::uint32_t key : data_->write_key) ++writers_begin_[key + 1];
    for (std::size_t i = 1; i < writers_begin_.size(); ++i) {
      writers_begin_[i] += writers_begin_[i - 1];
    }
    writers_.resize(data_->write_key.size());
    slot_.resize(data_->write_key.size());
  }
  std::vector<std::uint32_t> next(writers_begin_.begin(), writers_begin_.end() - 1);
  for (const std::uint32_t transaction : order_) {
    for (std::uint32_t write = data_->write_begin[transaction];
         write < data_->write_begin[transaction + 1];
         ++write) {
      slot_[write] = next[data_->write_key[write]]++;
      writers_[slot_[write]] = write;
    }
  }
}

// The write of the same key just before one, or kNone.
std::uint32_t Axioms::version_before(std::uint32_t write) const {
  const std::uint32_t slot = slot_[write];
  return slot == writers_begin_[data_->write_key[write]] ? kNone : writers_[slot - 1];
}

// Makes the order of a key's writers count as happening before.
void Axioms::join_version_orders() {
  clocks_ = std::make_unique<Clocks>(*data_, std::span<const std::uint32_t>());
  for (const std::uint32_t transaction : order_) {
    if (data_->previous[transaction] != kNone) {
      clocks_->join(*data_, transaction, data_->previous[transaction]);
    }
    for (std::uint32_t read = data_->read_begin[transaction];
         read < data_->read_begin[transaction + 1];
         ++read) {
      const std::uint32_t writer = data_->writer_of(read);
      if (writer != kNone) clocks_->join(*data_, transaction, writer);
    }
    for (std::uint32_t write = data_->write_begin[transaction];
         write < data_->write_begin[transaction + 1];
         ++write) {
      const std::uint32_t before = version_before(write);
      if (before != kNone) clocks_->join(*data_, transaction, data_->write_transaction[before]);
    }
  }
}

std::vector<Demand> Axioms::violated(std::span<const std::uint32_t> positions) {
  if (rules_.axiom == Axiom::read_uncommitted) return {};
  sort_writers(positions);
  if (rules_.axiom == Axiom::causal && clocks_ == nullptr) {
    clocks_ = std::make_unique<Clocks>(*data_, order_);
  }
  if (rules_.axiom == Axiom::parallel_snapshot) join_version_orders();
  std::vector<Demand> demands;
  if (rules_.axiom == Axiom::snapshot) demand_of_overlaps(positions, demands);
  for (std::uint32_t reader = 0; reader < data_->size(); ++reader) {
    for (std::uint32_t read = data_->read_begin[reader]; read < data_->read_begin[reader + 1];
         ++read) {
      demand_of_read(reader, read, positions, demands);
    }
  }
  return demands;
}

void Axioms::demand_of_read(std::uint32_t reader,
                            std::uint32_t read,
                            std::span<const std::uint32_t> positions,
                            std::vector<Demand>& demands) const {
  constexpr std::size_t kDemandsMax = 4;  // more of the same would hardly help
  const std::uint32_t key = data_->read_key[read];
  const std::uint32_t write = data_->read_write[read];
  const std::uint32_t end = writers_begin_[key + 1];
  const std::uint32_t limit = positions[start(reader)];
  std::size_t found = 0;
  for (std::uint32_t slot = write == kNone ? writers_begin_[key] : slot_[write] + 1; slot < end;
       ++slot) {
    const std::uint32_t other = data_->write_transaction[writers_[slot]];
    if (positions[commit(other)] >= limit) return;
    if (other == reader || !sees(reader, read, other)) continue;
    demands.push_back(demand(reader, read, other));
    if (++found == kDemandsMax) return;
  }
}

bool Axioms::sees(std::uint32_t reader, std::uint32_t read, std::uint32_t other) const {
  const auto reads_from = [&](std::uint32_t end) {
    for (std::uint32_t i = data_->read_begin[reader]; i < end; ++i) {
      if (data_->writer_of(i) == other) return true;
    }
    return false;
  };
  switch (rules_.axiom) {
    case Axiom::read_uncommitted:
      return false;
    case Axiom::read_committed:
      return reads_from(read);
    case Axiom::read_atomic:
      return (rules_.sessions && data_->session_precedes(other, reader)) ||
             reads_from(data_->read_begin[reader + 1]);
    case Axiom::causal:
    case Axiom::parallel_snapshot:
      return clocks_->precedes(*data_, other, reader);
    case Axiom::prefix:
    case Axiom::snapshot:
    case Axiom::serializable:
      break;
  }
  return true;
}

Demand Axioms::demand(std::uint32_t reader, std::uint32_t read, std::uint32_t other) const {
  Demand made;
  made.key = data_->read_key[read];
  made.reader = reader;
  made.read_from = data_->writer_of(read);
  made.other = other;
  if (made.read_from != kNone) {
    const bool whole = rules_.axiom == Axiom::snapshot;
    made.options.push_back({commit(other), whole ? start(made.read_from) : commit(made.read_from)});
  }
  const bool later =
      split_ || rules_.axiom == Axiom::serializable;  // the reader may come before the other
  if (later) made.options.push_back({start(reader), commit(other)});
  if (rules_.axiom == Axiom::parallel_snapshot) add_version_path(made);
  return made;
}

// The other writer happened before the reader also by the order of writers: that may change.
void Axioms::add_version_path(Demand& demand) const {
  struct Step {
    std::uint32_t from = kNone;
    std::uint32_t to = kNone;  // the index of the step that led there
    bool version = false;
  };

  std::vector<Step> steps{{.from = demand.reader}};
  std::vector<std::uint32_t> met{demand.reader};
  const auto leads = [&](std::uint32_t transaction) {
    return transaction == demand.other || clocks_->precedes(*data_, demand.other, transaction);
  };
  for (std::uint32_t next = 0; next < steps.size(); ++next) {
    const std::uint32_t at = steps[next].from;
    const auto visit = [&](std::uint32_t before, bool version) {
      if (before == kNone || !leads(before)) return;
      if (std::ranges::find(met, before) != met.end()) return;
      met.push_back(before);
      steps.push_back({.from = before, .to = next, .version = version});
    };
    if (at == demand.other) {
      for (std::uint32_t i = next; steps[i].to != kNone; i = steps[i].to) {
        if (steps[i].version) {
          demand.options.push_back({commit(steps[steps[i].to].from), commit(steps[i].from)});
        }
      }
      return;
    }
    visit(data_->previous[at], false);
    for (std::uint32_t read = data_->read_begin[at]; read < data_->read_begin[at + 1]; ++read) {
      visit(data_->writer_of(read), false);
    }
    for (std::uint32_t write = data_->write_begin[at]; write < data_->write_begin[at + 1];
         ++write) {
      const std::uint32_t before = version_before(write);
      if (before != kNone) visit(data_->write_transaction[before], true);
    }
  }
  SUNDER_ASSERT_MESSAGE(false, "what happened before has a path");
}

void Axioms::demand_of_overlaps(std::span<const std::uint32_t> positions,
                                std::vector<Demand>& demands) const {
  for (std::uint32_t key = 0; key < data_->key_count(); ++key) {
    for (std::uint32_t slot = writers_begin_[key] + 1; slot < writers_begin_[key + 1]; ++slot) {
      const std::uint32_t first = data_->write_transaction[writers_[slot - 1]];
      const std::uint32_t second = data_->write_transaction[writers_[slot]];
      if (positions[commit(first)] < positions[start(second)]) continue;
      Demand overlap;
      overlap.options = {{commit(first), start(second)}, {commit(second), start(first)}};
      overlap.key = key;
      overlap.read_from = first;
      overlap.other = second;
      demands.push_back(std::move(overlap));
    }
  }
}

}  // namespace sunder::checkers::isolation
