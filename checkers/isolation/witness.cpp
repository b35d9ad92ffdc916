#include "checkers/isolation/witness.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "checkers/isolation/event_order.hpp"
#include "checkers/isolation/weak.hpp"

namespace sunder::checkers::isolation {
namespace {

using history::History;
using history::Operation;

const Operation& operation_of(const Transactions& data,
                              const History& history,
                              std::uint32_t transaction) {
  return history.operations()[data.operation[transaction]];
}

std::vector<std::uint32_t> positions_of(std::span<const std::uint32_t> order) {
  std::vector<std::uint32_t> position(order.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) position[order[i]] = i;
  return position;
}

template <typename Action>
void for_each_predecessor(const Transactions& data,
                          std::uint32_t transaction,
                          const Action& action) {
  if (data.previous[transaction] != kNone) action(data.previous[transaction]);
  for (std::uint32_t read = data.read_begin[transaction]; read < data.read_begin[transaction + 1];
       ++read) {
    const std::uint32_t writer = data.writer_of(read);
    if (writer != kNone) action(writer);
  }
}

bool is_topological(const Transactions& data, std::span<const std::uint32_t> order) {
  const std::vector<std::uint32_t> position = positions_of(order);
  bool good = true;
  for (std::uint32_t i = 0; i < data.size(); ++i) {
    for_each_predecessor(
        data, i, [&](std::uint32_t before) { good = good && position[before] < position[i]; });
  }
  return good;
}

}  // namespace

std::vector<std::uint32_t> guess_commit_order(const Transactions& data, const History& history) {
  const auto complete = [&](std::uint32_t transaction) {
    return operation_of(data, history, transaction).complete;
  };
  std::vector<std::uint32_t> order(data.size());
  std::iota(order.begin(), order.end(), 0U);
  if (!std::ranges::is_sorted(order, {}, complete)) std::ranges::stable_sort(order, {}, complete);
  if (is_topological(data, order)) return order;
  // What somebody read from had committed by the time that the reader completed.
  std::vector<std::uint64_t> priority(data.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) priority[order[i]] = i;
  std::vector<std::uint32_t> known = topological_order(data);
  if (known.size() < data.size()) return known;
  for (std::size_t i = known.size(); i-- > 0;) {
    for_each_predecessor(data, known[i], [&](std::uint32_t before) {
      priority[before] = std::min(priority[before], priority[known[i]]);
    });
  }
  std::vector<Before> edges;
  for (std::uint32_t i = 0; i < data.size(); ++i) {
    for_each_predecessor(data, i, [&](std::uint32_t before) { edges.push_back({before, i}); });
  }
  return order_by_priority(priority, edges);
}

Witness::Witness(const Transactions& transactions, std::span<const std::uint32_t> order)
    : data_(&transactions),
      order_(order),
      position_(positions_of(order)),
      next_(transactions.write_key.size(), kNone),
      before_(transactions.write_key.size(), kNone),
      first_(transactions.key_count(), kNone) {
  std::vector<std::uint32_t> last(first_.size(), kNone);
  for (const std::uint32_t transaction : order) {
    const std::uint32_t end = transactions.write_begin[transaction + 1];
    for (std::uint32_t write = transactions.write_begin[transaction]; write < end; ++write) {
      const std::uint32_t key = transactions.write_key[write];
      const std::uint32_t previous = std::exchange(last[key], write);
      if (previous == kNone) {
        first_[key] = write;
        continue;
      }
      next_[previous] = write;
      before_[write] = transactions.write_transaction[previous];
    }
  }
}

// Who replaced what the read saw, other than the reader itself; kNone: nobody.
std::uint32_t Witness::replacer(std::uint32_t reader, std::uint32_t read) const {
  const std::uint32_t seen = data_->read_write[read];
  std::uint32_t write = seen == kNone ? first_[data_->read_key[read]] : next_[seen];
  if (write == kNone) return kNone;
  const std::uint32_t writer = data_->write_transaction[write];
  if (writer != reader) return writer;
  write = next_[write];
  return write == kNone ? kNone : data_->write_transaction[write];
}

bool Witness::explains_serially() const {
  for (std::uint32_t reader = 0; reader < data_->size(); ++reader) {
    for (std::uint32_t i = data_->read_begin[reader]; i < data_->read_begin[reader + 1]; ++i) {
      const std::uint32_t other = replacer(reader, i);
      if (other != kNone && position_[other] < position_[reader]) return false;
    }
  }
  return true;
}

// A snapshot holds the first so many commits: at least those that the transaction has seen or
// follows, and whoever wrote its keys before.
std::uint32_t Witness::earliest_snapshot(std::uint32_t transaction) const {
  std::uint32_t least = 0;
  for_each_predecessor(*data_, transaction, [&](std::uint32_t before) {
    least = std::max(least, position_[before] + 1);
  });
  const std::uint32_t end = data_->write_begin[transaction + 1];
  for (std::uint32_t write = data_->write_begin[transaction]; write < end; ++write) {
    if (before_[write] != kNone) least = std::max(least, position_[before_[write]] + 1);
  }
  return least;
}

// And at most those before anything replaced what it has read.
std::uint32_t Witness::latest_snapshot(std::uint32_t transaction) const {
  std::uint32_t most = position_[transaction];
  const std::uint32_t end = data_->read_begin[transaction + 1];
  for (std::uint32_t read = data_->read_begin[transaction]; read < end; ++read) {
    const std::uint32_t other = replacer(transaction, read);
    if (other != kNone) most = std::min(most, position_[other]);
  }
  return most;
}

bool Witness::explains_by_snapshots(const History* history) const {
  std::vector<std::int64_t> completions;
  std::vector<std::uint32_t> latest;  // how many commits those that had finished by then are among
  if (history != nullptr) {
    std::vector<std::uint32_t> finished(order_.begin(), order_.end());
    std::ranges::stable_sort(
        finished, {}, [&](std::uint32_t i) { return operation_of(*data_, *history, i).complete; });
    for (const std::uint32_t i : finished) {
      completions.push_back(operation_of(*data_, *history, i).complete);
      latest.push_back(std::max(latest.empty() ? 0 : latest.back(), position_[i] + 1));
    }
  }
  for (std::uint32_t i = 0; i < data_->size(); ++i) {
    std::uint32_t least = earliest_snapshot(i);
    if (history != nullptr) {
      const std::int64_t invoke = operation_of(*data_, *history, i).invoke;
      const auto count = std::ranges::lower_bound(completions, invoke) - completions.begin();
      if (count > 0) least = std::max(least, latest[static_cast<std::size_t>(count) - 1]);
    }
    if (least > latest_snapshot(i)) return false;
  }
  return true;
}

bool respects_real_time(const Transactions& data,
                        std::span<const std::uint32_t> order,
                        const History& history) {
  std::int64_t latest_invoke = std::numeric_limits<std::int64_t>::min();
  for (const std::uint32_t transaction : order) {
    const Operation& operation = operation_of(data, history, transaction);
    if (operation.complete < latest_invoke) return false;
    latest_invoke = std::max(latest_invoke, operation.invoke);
  }
  return true;
}

}  // namespace sunder::checkers::isolation
