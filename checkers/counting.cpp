#include "checkers/counting.hpp"

namespace sunder::checkers {

using history::Function;
using history::Operation;
using history::Outcome;
using history::Value;

namespace {

// nil is the sum of a counter that nobody has touched.
std::optional<std::int64_t> integer_of(Value value) noexcept {
  if (value.is_nil()) return 0;
  return value.is_integer() ? std::optional(value.raw()) : std::nullopt;
}

}  // namespace

std::optional<Addition> addition_of(const Operation& operation) noexcept {
  if (operation.function == Function::read || operation.outcome == Outcome::fail) {
    return std::nullopt;
  }
  const bool by_one = operation.input.is_none() || operation.input.is_nil();
  if (!by_one && !operation.input.is_integer()) return std::nullopt;
  Addition addition;
  addition.delta = by_one ? 1 : operation.input.raw();
  if (operation.outcome != Outcome::ok) return addition;
  if (operation.function == Function::fetch_add) {
    addition.found = integer_of(operation.output);
  } else if (operation.output.is_integer() && (operation.function == Function::add || by_one)) {
    // An increment's answer beside a given amount is the amount again.
    addition.found = minus(operation.output.raw(), addition.delta);
  }
  return addition;
}

std::optional<std::int64_t> sum_seen(const Operation& operation) noexcept {
  if (operation.function != Function::read || operation.outcome != Outcome::ok) return std::nullopt;
  return integer_of(operation.output);
}

}  // namespace sunder::checkers
