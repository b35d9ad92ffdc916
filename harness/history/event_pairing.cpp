#include "harness/history/event_pairing.hpp"

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
  return event.type == EventType::invoke ? invoke(event) : complete(event);
}

Result<void> EventPairing::invoke(const TextEvent& event) {
  HistoryBuilder::Invocation invocation;
  invocation.process = event.process;
  invocation.function = event.function;
  invocation.key = event.key;
  invocation.time = event.time;
  invocation.input = event.value;
  // null where nothing is given to the call: a read has no argument.
  if (event.value.is_nil() && !repeats_input(function_of(event.function))) {
    invocation.input = Value();
  }
  const auto index = builder_.invoke(invocation);
  if (index.has_error()) return index.error();
  return {};
}

Result<void> EventPairing::complete(const TextEvent& event) {
  HistoryBuilder::Completion completion;
  completion.process = event.process;
  completion.outcome = event.type == EventType::ok     ? Outcome::ok
                       : event.type == EventType::fail ? Outcome::fail
                                                       : Outcome::info;
  completion.error = event.error;
  completion.node = event.node;
  completion.time = event.time;
  const auto open = builder_.in_flight(event.process);
  const Function function = open ? builder_.operation(*open).function : function_of(event.function);
  if (completion.outcome == Outcome::ok) {
    completion.output = repeats_input(function) ? event.output : event.value;
    const bool unknown = dialect_.nil_read_is_unknown && function == Function::read;
    if (unknown && completion.output.is_nil()) completion.output = Value();
  } else if (completion.outcome == Outcome::fail && function == Function::cas) {
    completion.output = event.actual;
    const bool compared = dialect_.failed_cas_compared && event.error.empty();
    if (compared || !event.actual.is_none()) completion.error = kCasMismatch;
  }
  const auto index = builder_.complete(completion);
  if (index.has_error()) return index.error();
  Operation& operation = builder_.mutable_operation(*index);
  const bool lacks_input = operation.input.is_none() || operation.input.is_nil();
  if (lacks_input && repeats_input(function) && !event.value.is_none()) {
    operation.input = event.value;
  }
  return {};
}

}  // namespace sunder::history
