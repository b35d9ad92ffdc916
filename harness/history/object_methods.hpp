// The methods of a concurrent object (a queue, a stack, a set, …) as monitors of linearizability
// name them, and how their values are given and got.
//
// Every tool has its own words: enq, add and push all put something into a queue. What is recorded
// stays the operation's function_name; its function is ours.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "harness/history/history.hpp"

namespace sunder::history {

enum class ObjectType : std::uint8_t { other, queue, stack, priority_queue, set, cell };

// By its name in a header: "atomic-queue", "priorityqueue", "rmw", … `other` when it says nothing.
[[nodiscard]] ObjectType object_type_of(std::string_view name);

struct Method {
  Function function = Function::other;
  std::optional<bool> result;  // told by the name itself: contains_true
};

// In any case of letters: "ENQ" and "enq" are the same.
[[nodiscard]] Method method_of(ObjectType type, std::string_view name);

// Whether the value is got, not given: nothing there is nil.
[[nodiscard]] bool takes_out(Function function) noexcept;

// Puts the values of a call that is over, in the order in which tools write them, where ours are:
// the given one first, then the result.
void set_values(ValuePool& pool, Operation& operation, std::span<const Value> values);

}  // namespace sunder::history
