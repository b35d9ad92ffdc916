#include "harness/history/event_pairing.hpp"

#include <algorithm>
#include <span>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include "harness/history/text.hpp"

namespace sunder::history {

bool parse_event_type(std::string_view name, EventType& type) noexcept {
  if (name == "invoke") {
    type = EventType::invoke;
  } else if (name == "ok") {
    type = EventType::ok;
  } else if (name == "fail") {
    type = EventType::fail;
  } else if (name == "info") {
    type = EventType::info;
  } else {
    return false;
  }
  return true;
}

Result<void> EventPairing::apply(const TextEvent& event) {
  if (event.rebalances.is_list() && event.value.is_list()) {
    TextEvent whole = event;
    whole.value = with_rebalances(event);
    whole.rebalances = {};
    return apply(whole);
  }
  const bool invokes = event.type == EventType::invoke;
  if (!dialect_.independent_keys) return invokes ? invoke(event) : complete(event);
  const bool begins = invokes || builder_.size() == 0 || without_invocations_;
  if (begins && !is_independent(event)) {
    dialect_.independent_keys = false;
    must_read_again_ = has_split_;
    if (must_read_again_) return base::make_error(Errc::unreadable_input, "expected [key value]");
    return invokes ? invoke(event) : complete(event);
  }
  TextEvent single = event;
  if (is_pair(event.value)) split(single);
  return invokes ? invoke(single) : complete(single);
}

Value EventPairing::with_rebalances(const TextEvent& event) {
  ValuePool& pool = builder_.pool();
  std::vector<Value> keys;
  for (const Value rebalance : pool.items_of(event.rebalances)) {
    if (!rebalance.is_list()) continue;
    for (const Value field : pool.items_of(rebalance)) {
      const auto entry = field.is_list() ? pool.items_of(field) : std::span<const Value>();
      const bool named = entry.size() == 2 && entry[0].is_text() && entry[1].is_list() &&
                         pool.text_of(entry[0]) == "keys";
      if (!named) continue;
      for (const Value key : pool.items_of(entry[1])) keys.push_back(key);
    }
  }
  const auto items = pool.items_of(event.value);
  std::vector<Value> parts(items.begin(), items.end());
  if (!keys.empty()) parts.push_back(pool.list({pool.text("rebalance"), pool.list(keys)}));
  return pool.list(parts);
}

bool EventPairing::is_pair(Value value) const noexcept {
  if (!value.is_list()) return false;
  const std::span<const Value> items = builder_.pool().items_of(value);
  return items.size() == 2 && !items[0].is_list() && !items[0].is_nil();
}

bool EventPairing::is_independent(const TextEvent& event) const noexcept {
  if (!event.key.empty() || event.function.empty() || !is_pair(event.value)) return false;
  const Function function = function_of(event.function);
  if (function == Function::txn) return false;
  const Value second = builder_.pool().items_of(event.value)[1];
  if (function != Function::cas) return true;
  return second.is_list() && builder_.pool().items_of(second).size() == 2;
}

// [[:append 9 1] [:r 8 nil]]: lists of a function, a key and a value.
bool EventPairing::is_transaction(Value value) const noexcept {
  if (!value.is_list()) return false;
  const ValuePool& values = builder_.pool();
  const std::span<const Value> parts = values.items_of(value);
  return !parts.empty() && std::ranges::all_of(parts, [&](Value part) {
    return part.is_list() && values.items_of(part).size() >= 2 &&
           values.items_of(part).front().is_text();
  });
}

void EventPairing::split(TextEvent& event) {
  const std::span<const Value> items = pool().items_of(event.value);
  const Value key = items[0];
  event.value = items[1];
  event.key =
      key.is_text() ? pool().text_of(key) : pool().name(pool().symbol(pool().describe(key)));
  has_split_ = true;
}

// Whether it holds an offset of a send, [send key [offset value]], or what was polled, [poll …]:
// results that an operation may have got before it failed or its outcome was lost.
bool EventPairing::tells_of_log(Value value) const noexcept {
  if (!is_transaction(value)) return false;
  const ValuePool& values = builder_.pool();
  return std::ranges::any_of(values.items_of(value), [&](Value part) {
    const std::span<const Value> words = values.items_of(part);
    const std::string_view word = values.text_of(words[0]);
    const bool sent = word == "send" && words.size() == 3;
    const bool polled = word == "poll" && words.size() == 2;
    return (sent || polled) && words.back().is_list();
  });
}

// Whether a transaction's answer tells no more than what was asked and what was read.
bool EventPairing::answers(Value asked, Value answer) const noexcept {
  if (asked == answer || !asked.is_list() || !answer.is_list()) return false;
  const ValuePool& values = builder_.pool();
  const auto same = [&](Value question, Value part) {
    if (question == part) return true;
    if (!question.is_list() || !part.is_list()) return false;
    const std::span<const Value> before = values.items_of(question);
    const std::span<const Value> after = values.items_of(part);
    return std::ranges::equal(before, after) || is_answer(before, after);
  };
  return std::ranges::equal(values.items_of(asked), values.items_of(answer), same);
}

std::int64_t EventPairing::process_for_invocation() {
  if (nameless_free_.empty()) {
    nameless_free_.push_back(static_cast<std::int64_t>(nameless_busy_.size()));
  }
  nameless_busy_.push_back(nameless_free_.back());
  nameless_free_.pop_back();
  return nameless_busy_.back();
}

bool EventPairing::may_complete(const TextEvent& event, const Operation& operation) const {
  const std::string_view name = builder_.pool().name(operation.function_name);
  const std::string_view key = builder_.pool().name(operation.key);
  if ((!event.function.empty() && event.function != name) || event.key != key) return false;
  return !repeats_input(operation.function) || event.value.is_none() ||
         event.value == operation.input;
}

Result<std::int64_t> EventPairing::process_of_completion(const TextEvent& event) {
  if (nameless_busy_.empty()) return 0;  // the builder says what is wrong with it
  auto found = nameless_busy_.begin();
  if (nameless_busy_.size() > 1) {
    found = nameless_busy_.end();
    for (auto busy = nameless_busy_.begin(); busy != nameless_busy_.end(); ++busy) {
      const auto open = builder_.in_flight(*busy);
      if (!open || !may_complete(event, builder_.operation(*open))) continue;
      if (found != nameless_busy_.end()) {
        return base::make_error(
            Errc::unreadable_input,
            fmt::format("several operations are in flight that this may be the end of ({}): "
                        "expected a process",
                        event.function));
      }
      found = busy;
    }
    if (found == nameless_busy_.end()) {
      return base::make_error(Errc::unreadable_input,
                              fmt::format("ends an operation that nobody invoked ({}): expected a "
                                          "process, or an invocation before it",
                                          event.function));
    }
  }
  const std::int64_t process = *found;
  nameless_busy_.erase(found);
  nameless_free_.push_back(process);
  return process;
}

Result<void> EventPairing::invoke(const TextEvent& event) {
  if (event.process == TextEvent::kNobody) {
    TextEvent named = event;
    named.process = process_for_invocation();
    return invoke(named);
  }
  if (without_invocations_) {
    return base::make_error(
        Errc::unreadable_input,
        fmt::format("process {} invokes an operation, but those before have no invocation: "
                    "expected one for each, or none at all",
                    event.process));
  }
  HistoryBuilder::Invocation invocation;
  invocation.process = event.process;
  invocation.function = event.function;
  if (event.function.empty() && is_transaction(event.value)) invocation.function = "txn";
  invocation.key = event.key;
  invocation.time = event.time;
  invocation.input = event.value;
  const auto index = builder_.invoke(invocation);
  if (index.has_error()) return index.error();
  // null where nothing is given to the call: a read has no argument.
  if (event.value.is_nil()) {
    Operation& operation = builder_.mutable_operation(*index);
    if (!repeats_input(operation.function)) operation.input = Value();
  }
  return {};
}

Result<void> EventPairing::begin_completed(const TextEvent& event) {
  HistoryBuilder::Invocation invocation;
  invocation.process = event.process;
  invocation.function = event.function;
  if (event.function.empty() && is_transaction(event.value)) invocation.function = "txn";
  invocation.key = event.key;
  const Function function = function_of(invocation.function);
  // Where a completion repeats what was asked for, complete() takes it from there.
  if (function == Function::txn || function == Function::other) invocation.input = event.value;
  without_invocations_ = true;
  const auto index = builder_.invoke(invocation);
  if (index.has_error()) return index.error();
  return {};
}

// Moves each invocation to the earliest place it may have had.
void EventPairing::spread_completions() {
  struct Place {
    std::int64_t behind = 0;  // the place of the event that it comes right after
    bool completes = false;
    std::size_t operation = 0;
  };

  std::vector<Place> places;
  std::unordered_map<std::int64_t, std::int64_t> last_completions;
  for (std::size_t i = 0; i < builder_.size(); ++i) {
    const Operation& operation = builder_.operation(i);
    const auto found = last_completions.try_emplace(operation.process, -1).first;
    places.push_back({found->second, false, i});
    if (operation.complete == kNever) continue;
    places.push_back({operation.complete, true, i});
    found->second = operation.complete;
  }
  std::ranges::stable_sort(places, [](const Place& a, const Place& b) {
    return a.behind != b.behind ? a.behind < b.behind : a.completes && !b.completes;
  });
  std::int64_t position = 0;
  for (const Place& place : places) {
    Operation& operation = builder_.mutable_operation(place.operation);
    (place.completes ? operation.complete : operation.invoke) = position++;
  }
}

History EventPairing::finish() {
  if (without_invocations_) spread_completions();
  return builder_.finish();
}

Result<void> EventPairing::complete(const TextEvent& event) {
  if (event.process == TextEvent::kNobody) {
    const auto process = process_of_completion(event);
    SUNDER_TRY(process);
    TextEvent named = event;
    named.process = *process;
    return complete(named);
  }
  HistoryBuilder::Completion completion;
  completion.process = event.process;
  completion.outcome = event.type == EventType::ok     ? Outcome::ok
                       : event.type == EventType::fail ? Outcome::fail
                                                       : Outcome::info;
  completion.error = event.error;
  completion.node = event.node;
  completion.time = event.time;
  auto open = builder_.in_flight(event.process);
  const bool alone = builder_.size() == 0 || without_invocations_;
  if (!open && alone && dialect_.completions_alone) {
    SUNDER_TRY(begin_completed(event));
    open = builder_.in_flight(event.process);
  }
  const Function function = open ? builder_.operation(*open).function : Function::other;
  if (completion.outcome == Outcome::ok) {
    completion.output = repeats_input(function) ? event.output : event.value;
    const bool unknown = dialect_.nil_read_is_unknown && function == Function::read;
    if (unknown && completion.output.is_nil()) completion.output = Value();
  } else if (completion.outcome == Outcome::fail && function == Function::cas) {
    completion.output = event.actual;
    const bool compared = dialect_.failed_cas_compared && event.error.empty();
    if (compared || !event.actual.is_none()) completion.error = kCasMismatch;
  } else if (const Value told = event.output.is_none() ? event.value : event.output;
             tells_of_log(told)) {
    completion.output = told;
  }
  const auto index = builder_.complete(completion);
  if (index.has_error()) return index.error();
  for (const Answer& answer : event.answers) pool().replace_item(answer.part, 2, answer.content);
  Operation& operation = builder_.mutable_operation(*index);
  const bool answered = completion.outcome == Outcome::ok && function == Function::txn;
  if (answered && answers(operation.input, operation.output)) operation.input = operation.output;
  const bool lacks_input = operation.input.is_none() || operation.input.is_nil();
  if (lacks_input && repeats_input(function) && !event.value.is_none()) {
    operation.input = event.value;
  }
  return {};
}

}  // namespace sunder::history
