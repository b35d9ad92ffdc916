#include "harness/history/transaction_recorder.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <stdexcept>
#include <unordered_set>
#include <utility>

namespace sunder::history {

TransactionRecorder::TransactionRecorder()
    : read_(builder_.pool().text("r")), write_(builder_.pool().text("w")) {}

std::size_t TransactionRecorder::begin(std::int64_t session, bool committed) {
  constexpr std::size_t kMost = std::numeric_limits<std::uint32_t>::max();  // Event::transaction
  if (transactions_.size() >= kMost)
    throw std::length_error("expected fewer than 2^32 transactions");
  transactions_.push_back({session, committed});
  return transactions_.size() - 1;
}

void TransactionRecorder::read(std::size_t transaction, Value key, Value value) {
  events_.push_back({key, value, static_cast<std::uint32_t>(transaction), false});
}

void TransactionRecorder::write(std::size_t transaction, Value key, Value value) {
  events_.push_back({key, value, static_cast<std::uint32_t>(transaction), true});
}

void TransactionRecorder::take_initial_values() {
  const Value zero = Value::integer(0);
  std::unordered_set<Value, ValueHash> zeroed;
  for (const Event& event : events_) {
    if (event.is_write && event.value == zero) zeroed.insert(event.key);
  }
  for (Event& event : events_) {
    const bool initial = !event.is_write && event.value == zero && !zeroed.contains(event.key);
    if (initial) event.value = Value::nil();
  }
}

History TransactionRecorder::finish() {
  take_initial_values();
  if (!std::ranges::is_sorted(events_, {}, &Event::transaction)) {
    std::ranges::stable_sort(events_, {}, &Event::transaction);
  }
  builder_.reserve(transactions_.size());
  const auto count = static_cast<std::int64_t>(transactions_.size());
  Operation operation;
  operation.function = Function::txn;
  operation.function_name = pool().symbol("txn");
  operation.complete = count;
  std::vector<Value> items;
  auto event = events_.begin();
  for (std::size_t i = 0; i < transactions_.size(); ++i) {
    items.clear();
    for (; event != events_.end() && event->transaction == i; ++event) {
      const std::array item{event->is_write ? write_ : read_, event->key, event->value};
      items.push_back(pool().record(item));
    }
    operation.input = pool().record(items);
    operation.invoke = static_cast<std::int64_t>(i);
    operation.process = transactions_[i].session;
    operation.outcome = transactions_[i].committed ? Outcome::ok : Outcome::fail;
    operation.output = transactions_[i].committed ? operation.input : Value();
    builder_.add(operation);
  }
  transactions_ = {};
  events_ = {};
  return builder_.finish();
}

}  // namespace sunder::history
