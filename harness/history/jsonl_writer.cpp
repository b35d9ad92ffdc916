// Writes histories as JSONL, one event a line, in the order of their stamps.

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <tuple>
#include <vector>

#include <fmt/format.h>

#include "harness/history/json_text.hpp"
#include "harness/history/text.hpp"

namespace sunder::history {
namespace {

void append_head(std::string& out,
                 std::int64_t position,
                 std::int64_t time,
                 const Operation& operation,
                 std::string_view type) {
  fmt::format_to(std::back_inserter(out), "{{\"index\":{}", position);
  if (time != kUnknownTime) fmt::format_to(std::back_inserter(out), ",\"time\":{}", time);
  fmt::format_to(
      std::back_inserter(out), ",\"process\":{},\"type\":\"{}\",\"f\":", operation.process, type);
}

void append_function_and_key(std::string& out, const ValuePool& pool, const Operation& operation) {
  append_json_text(out,
                   operation.function_name != 0 ? pool.name(operation.function_name)
                                                : name_of(operation.function));
  if (operation.key == 0) return;
  out += ",\"key\":";
  append_json_text(out, pool.name(operation.key));
}

void append_member(std::string& out, std::string_view name, const ValuePool& pool, Value value) {
  fmt::format_to(std::back_inserter(out), ",\"{}\":", name);
  append_json_value(out, pool, value);
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  fmt::format_to(std::back_inserter(out), ",\"{}\":", name);
  append_json_text(out, text);
}

}  // namespace

bool repeats_input(Function function) noexcept {
  switch (function) {
    case Function::write:
    case Function::cas:
    case Function::append:
    case Function::add:
    case Function::remove:
    case Function::enqueue:
    case Function::push:
    case Function::insert:
    case Function::transfer:
      return true;
    default:
      return false;
  }
}

std::string invoke_line(std::int64_t position, const ValuePool& pool, const Operation& operation) {
  std::string line;
  append_head(line, position, operation.invoke_time, operation, "invoke");
  append_function_and_key(line, pool, operation);
  append_member(line, "value", pool, operation.input);
  line += "}\n";
  return line;
}

std::string completion_line(std::int64_t position,
                            const ValuePool& pool,
                            const Operation& operation) {
  std::string line;
  append_head(line, position, operation.complete_time, operation, name_of(operation.outcome));
  append_function_and_key(line, pool, operation);
  const bool ok = operation.outcome == Outcome::ok;
  if (!ok || repeats_input(operation.function)) {
    append_member(line, "value", pool, operation.input);
    const bool compared = operation.function == Function::cas && operation.outcome == Outcome::fail;
    if (!operation.output.is_none()) {
      append_member(line, compared ? "actual" : "output", pool, operation.output);
    }
  } else if (!operation.output.is_none()) {
    append_member(line, "value", pool, operation.output);
  }
  if (operation.node != 0) append_member(line, "node", pool.name(operation.node));
  if (operation.error != 0) append_member(line, "error", pool.name(operation.error));
  line += "}\n";
  return line;
}

std::string to_jsonl(const History& history) {
  struct Event {
    std::int64_t stamp;
    bool completion;  // an invocation with the same stamp comes first: equal stamps are concurrent
    std::size_t operation;
  };

  std::vector<Event> events;
  events.reserve(history.operations().size() * 2);
  for (std::size_t i = 0; i < history.operations().size(); ++i) {
    const Operation& operation = history.operations()[i];
    events.push_back({operation.invoke, false, i});
    // An operation of unknown outcome needs no completion, for it is open for ever, unless it told
    // something before that got lost; its place is of no importance.
    if (operation.complete != kNever) {
      events.push_back({operation.complete, true, i});
    } else if (!operation.output.is_none()) {
      events.push_back({operation.invoke, true, i});
    }
  }
  std::ranges::sort(events, {}, [](const Event& event) {
    return std::tuple(event.stamp, event.completion, event.operation);
  });
  std::string text;
  std::int64_t position = 0;
  for (const Event& event : events) {
    const Operation& operation = history.operations()[event.operation];
    text += event.completion ? completion_line(position, history.pool(), operation)
                             : invoke_line(position, history.pool(), operation);
    ++position;
  }
  return text;
}

}  // namespace sunder::history
