#include "tests/histories/support/object_oracle.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace sunder::test {

using history::Function;
using history::History;
using history::Operation;
using history::Outcome;

namespace {

bool told(const Operation& operation) {
  return operation.outcome == Outcome::ok && !operation.output.is_none();
}

// Whether the operation says the opposite, true or false.
bool denies(const Operation& operation, bool truth) {
  return told(operation) && (operation.output.raw() != 0) != truth;
}

// One holder's entry in a lock's state.
std::string entry_of(const Operation& operation, std::string_view mode) {
  return fmt::format("{} {},", operation.process, mode);
}

}  // namespace

std::optional<std::string> apply_set(const History& history,
                                     const Operation& operation,
                                     const std::string& state) {
  const std::string entry = "," + history.pool().describe(operation.input) + ",";
  const auto at = ("," + state).find(entry);
  const bool in = at != std::string::npos;
  const bool adds = operation.function == Function::add;
  if (denies(operation, adds ? !in : in)) return std::nullopt;
  if (adds) return in ? state : state + entry.substr(1);
  std::string rest = state;
  if (operation.function == Function::remove && in) rest.erase(at, entry.size() - 1);
  return rest;
}

std::optional<std::string> apply_sum(const History& history,
                                     const Operation& operation,
                                     const std::string& state) {
  const std::string before = told(operation) ? history.pool().describe(operation.output) : state;
  if (operation.function == Function::read) {
    return before == state ? std::optional(state) : std::nullopt;
  }
  const long delta = operation.input.is_none() ? 1 : operation.input.raw();
  const std::string after = std::to_string(std::stol(state) + delta);
  // Additions tell what they made of it, fetch-adds what they found.
  const std::string& right = operation.function == Function::fetch_add ? state : after;
  if (told(operation) && before != right) return std::nullopt;
  return after;
}

std::optional<std::string> apply_lock(const History& history,
                                      const Operation& operation,
                                      const std::string& state) {
  const auto split = state.rfind(',');
  const std::string holders = split == std::string::npos ? "" : state.substr(0, split + 1);
  const std::string token = split == std::string::npos ? state : state.substr(split + 1);
  const auto mine = ("," + holders).find(fmt::format(",{} ", operation.process));
  const bool holds = mine != std::string::npos;
  if (operation.function == Function::release) {
    if (!holds) return std::nullopt;
    std::string rest = holders;
    return rest.erase(mine, holders.find(',', mine) + 1 - mine) + token;
  }
  const bool shared =
      operation.input.is_text() && history.pool().text_of(operation.input) == "read";
  const bool alone = holders.find(" w,") == std::string::npos && (shared || holders.empty());
  const bool grants = alone && !holds;
  const bool refused = told(operation) && operation.output.kind() == history::ValueKind::boolean &&
                       operation.output.raw() == 0;
  if (refused) return grants ? std::nullopt : std::optional(state);
  if (!grants) return std::nullopt;
  std::string given = token;
  if (told(operation) && operation.output.is_integer()) {
    given = history.pool().describe(operation.output);
    if (!token.empty() && std::stol(given) <= std::stol(token)) return std::nullopt;
  }
  return holders + entry_of(operation, shared ? "r" : "w") + given;
}

std::optional<std::string> apply_semaphore(const History& /*history*/,
                                           const Operation& operation,
                                           const std::string& state) {
  const std::int64_t permits = operation.input.is_integer() ? operation.input.raw() : 1;
  const bool acquires = operation.function == Function::acquire;
  const std::string entry = std::to_string(operation.process) + ",";
  std::string next = state;
  if (acquires) {
    for (std::int64_t i = 0; i < permits; ++i) next += entry;
    const bool fits = std::ranges::count(next, ',') <= kOracle_permits;
    if (told(operation) && operation.output.raw() == 0) {
      return fits ? std::nullopt : std::optional(state);
    }
    return fits ? std::optional(next) : std::nullopt;
  }
  for (std::int64_t i = 0; i < permits; ++i) {
    const auto at = ("," + next).find("," + entry);
    if (at == std::string::npos) return std::nullopt;
    next.erase(at, entry.size());
  }
  return next;
}

std::optional<std::string> apply_reentrant_mutex(const History& /*history*/,
                                                 const Operation& operation,
                                                 const std::string& state) {
  const std::string entry = std::to_string(operation.process) + ",";
  const auto held = static_cast<std::size_t>(std::ranges::count(state, ','));
  std::string mine;  // the state if nobody else holds it
  for (std::size_t i = 0; i < held; ++i) mine += entry;
  if (operation.function == Function::release) {
    if (held == 0 || state != mine) return std::nullopt;
    return state.substr(entry.size());
  }
  const bool grants = state == mine && held < kOracle_permits;
  const bool refused = told(operation) && operation.output.raw() == 0;
  if (refused) return grants ? std::nullopt : std::optional(state);
  return grants ? std::optional(state + entry) : std::nullopt;
}

}  // namespace sunder::test
