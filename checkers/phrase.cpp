#include "checkers/phrase.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>

#include <fmt/format.h>

#include "harness/base/duration.hpp"

namespace sunder::checkers {
namespace {

using history::Function;
using history::Operation;
using history::Outcome;

// The pair of a cas, as text.
std::pair<std::string, std::string> pair_of(const history::History& history,
                                            const Operation& operation) {
  if (!operation.input.is_list()) return {"?", "?"};
  const auto items = history.pool().items_of(operation.input);
  if (items.size() != 2) return {"?", "?"};
  return {history.pool().describe(items[0]), history.pool().describe(items[1])};
}

struct Verb {
  Function function;
  std::string_view noun;  // "p3's enqueue of 7"
  std::string_view past;  // "p3 enqueued 7"
};

// Functions whose one value, put in or got out, says what happened.
constexpr std::array kVerbs{
    Verb{Function::add, "add", "added"},
    Verb{Function::enqueue, "enqueue", "enqueued"},
    Verb{Function::dequeue, "dequeue", "dequeued"},
    Verb{Function::peek, "peek", "peeked at"},
    Verb{Function::push, "push", "pushed"},
    Verb{Function::pop, "pop", "popped"},
    Verb{Function::insert, "insert", "inserted"},
    Verb{Function::poll, "poll", "polled"},
    Verb{Function::add, "add", "added"},
    Verb{Function::remove, "remove", "removed"},
    Verb{Function::contains, "look", "looked"},
    Verb{Function::increment, "increment", "incremented"},
    Verb{Function::fetch_add, "fetch-add", "added"},
    Verb{Function::acquire, "acquire", "acquired"},
    Verb{Function::release, "release", "released"},
};

const Verb* verb_of(Function function) noexcept {
  const auto found = std::ranges::find(kVerbs, function, &Verb::function);
  return found == kVerbs.end() ? nullptr : &*found;
}

// What an operation that was given something found, as the end of a sentence: "3 in already",
// "no 3", "7"; empty when it does not tell, or its success says it all.
std::string found(const history::History& history, const Operation& operation) {
  if (operation.outcome != Outcome::ok || operation.output.is_none()) return {};
  const history::ValuePool& pool = history.pool();
  const std::string given = pool.describe(operation.input);
  const bool denies = operation.output == history::Value::boolean(false);
  switch (operation.function) {
    case Function::add:
      return denies ? fmt::format("{} in already", given) : std::string();
    case Function::remove:
      return denies ? fmt::format("no {}", given) : std::string();
    case Function::contains:
      return fmt::format("{} {}", denies ? "no" : "a", given);
    case Function::fetch_add:
      return pool.describe(operation.output);
    case Function::acquire:
      return denies ? "it taken" : std::string();
    default:
      return {};
  }
}

// What came of it: a lock's token, a counter's new sum; empty when nothing was told.
std::string outcome_of(const history::History& history, const Operation& operation) {
  if (!operation.output.is_integer()) return {};
  const std::string value = history.pool().describe(operation.output);
  // An answer that repeats the question is a number of permits.
  const bool grants = operation.function == Function::acquire;
  if (grants) return operation.output == operation.input ? "" : " with token " + value;
  const bool adds =
      operation.function == Function::add || operation.function == Function::increment;
  return adds ? " up to " + value : std::string();
}

// What it put in or got out; none when that is not known.
history::Value object_of(const Operation& operation) noexcept {
  return operation.input.is_none() ? operation.output : operation.input;
}

// "read x = 1, wrote y = 2" of a transaction's steps; empty when they are not of that shape.
std::string account(const history::History& history, const Operation& operation) {
  const history::ValuePool& pool = history.pool();
  const bool told = operation.outcome == Outcome::ok && operation.output.is_list();
  const history::Value steps = told ? operation.output : operation.input;
  if (!steps.is_list()) return {};
  std::string text;
  for (const history::Value step : pool.items_of(steps)) {
    if (!step.is_list()) return {};
    const auto items = pool.items_of(step);
    if (items.size() != 3 || !items[0].is_text()) return {};
    const std::string_view function = pool.text_of(items[0]);
    const bool reads = function == "r" || function == "read";
    if (!reads && function != "w" && function != "write") return {};
    const std::string key =
        items[1].is_text() ? std::string(pool.text_of(items[1])) : pool.describe(items[1]);
    if (!text.empty()) text += ", ";
    text += fmt::format("{} {}", reads ? "read" : "wrote", key);
    if (!reads || told) text += " = " + pool.describe(items[2]);
  }
  return text;
}

}  // namespace

std::string phrase(const history::History& history, const Operation& operation) {
  const history::ValuePool& pool = history.pool();
  const std::string who = fmt::format("p{}'s", operation.process);
  const std::string unknown = operation.outcome == Outcome::info ? "unacknowledged " : "";
  switch (operation.function) {
    case Function::read:
      return fmt::format("{} read of {}", who, pool.describe(operation.output));
    case Function::write:
      return fmt::format("{} {}write of {}", who, unknown, pool.describe(operation.input));
    case Function::append:
      return fmt::format("{} {}append of {}", who, unknown, pool.describe(operation.input));
    case Function::cas: {
      const auto [from, to] = pair_of(history, operation);
      if (operation.outcome != Outcome::fail) {
        return fmt::format("{} {}cas from {} to {}", who, unknown, from, to);
      }
      if (operation.output.is_none()) return fmt::format("{} failed cas from {}", who, from);
      return fmt::format("{} failed cas, which found {}", who, pool.describe(operation.output));
    }
    case Function::txn: {
      const std::string steps = account(history, operation);
      if (!steps.empty()) return fmt::format("{} {}transaction ({})", who, unknown, steps);
      return fmt::format("{} {}", who, history.describe(operation));
    }
    default: {
      const Verb* verb = verb_of(operation.function);
      if (verb == nullptr) return fmt::format("{} {}", who, history.describe(operation));
      const history::Value value = object_of(operation);
      const std::string what = found(history, operation);
      const std::string rest =
          what.empty() ? outcome_of(history, operation) : ", which found " + what;
      if (value.is_none() || !rest.empty()) {
        return fmt::format("{} {}{}{}", who, unknown, verb->noun, rest);
      }
      return fmt::format("{} {}{} of {}", who, unknown, verb->noun, pool.describe(value));
    }
  }
}

std::string statement(const history::History& history, const Operation& operation) {
  const history::ValuePool& pool = history.pool();
  switch (operation.function) {
    case Function::read:
      return fmt::format("p{} read {}", operation.process, pool.describe(operation.output));
    case Function::write:
      return fmt::format("p{} wrote {}", operation.process, pool.describe(operation.input));
    case Function::cas: {
      const auto [from, to] = pair_of(history, operation);
      if (operation.outcome != Outcome::fail) {
        return fmt::format("p{} changed {} to {}", operation.process, from, to);
      }
      if (operation.output.is_none()) {
        return fmt::format("p{}'s cas found another value than {}", operation.process, from);
      }
      return fmt::format("p{}'s cas found {}", operation.process, pool.describe(operation.output));
    }
    case Function::txn: {
      const std::string steps = account(history, operation);
      if (!steps.empty()) return fmt::format("p{} {}", operation.process, steps);
      return fmt::format("p{}: {}", operation.process, history.describe(operation));
    }
    default: {
      const Verb* verb = verb_of(operation.function);
      const std::string what = found(history, operation);
      if (verb != nullptr && !what.empty()) {
        return fmt::format("p{}'s {} found {}", operation.process, verb->noun, what);
      }
      const std::string outcome = outcome_of(history, operation);
      if (verb != nullptr && !outcome.empty()) {
        return fmt::format("p{} {}{}", operation.process, verb->past, outcome);
      }
      const history::Value value = object_of(operation);
      const bool is_lock =
          operation.function == Function::acquire || operation.function == Function::release;
      if (is_lock && operation.outcome == Outcome::ok && value.is_none()) {
        return fmt::format("p{} {} it", operation.process, verb->past);
      }
      if (verb == nullptr || value.is_none()) {
        return fmt::format("p{}: {}", operation.process, history.describe(operation));
      }
      if (value.is_nil()) return fmt::format("p{}'s {}", operation.process, verb->noun);
      return fmt::format("p{} {} {}", operation.process, verb->past, pool.describe(value));
    }
  }
}

std::string lead(const Operation& earlier, const Operation& later) {
  const bool timed = earlier.complete_time != history::kUnknownTime &&
                     later.invoke_time != history::kUnknownTime &&
                     later.invoke_time >= earlier.complete_time;
  if (!timed) return "before";
  const std::chrono::nanoseconds gap(later.invoke_time - earlier.complete_time);
  return base::format_duration(gap) + " before";
}

}  // namespace sunder::checkers
