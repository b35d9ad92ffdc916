#include "checkers/models/lock.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "checkers/holds.hpp"

namespace sunder::checkers {
namespace {

using history::Function;
using history::Operation;
using history::Outcome;

enum Kind : std::uint32_t { kAcquire, kRelease, kRefused };

}  // namespace

std::optional<Call> LockModel::encode(const Operation& operation) {
  if (operation.outcome == Outcome::fail) return std::nullopt;
  const Kind kind = operation.function == Function::release ? kRelease
                    : was_refused(operation)                ? kRefused
                                                            : kAcquire;
  return Call{kind, number_of(operation.process), number_of(argument_of(operation))};
}

State LockModel::step(State state, Call call) {
  Holders next = states_[state];
  const std::int64_t process = values_[call.first];
  const std::int64_t argument = values_[call.second];
  const bool possible =
      call.kind == kRelease ? release(next, process, argument) : acquire(next, process, argument);
  if (call.kind == kRefused) return possible ? kNoState : state;
  return possible ? intern(std::move(next)) : kNoState;
}

bool LockModel::observes(Call call) const noexcept {
  return call.kind == kRefused;
}

void LockModel::simplify(std::vector<SearchOperation>& operations) {
  std::set<std::uint32_t> acquirers;
  std::set<std::uint32_t> releasers;
  bool refused = false;
  for (const SearchOperation& operation : operations) {
    if (operation.call.kind == kAcquire) acquirers.insert(operation.call.first);
    if (operation.call.kind == kRelease) releasers.insert(operation.call.first);
    refused = refused || operation.call.kind == kRefused;
  }
  std::erase_if(operations, [&](const SearchOperation& operation) {
    if (!operation.optional) return false;
    const std::uint32_t process = operation.call.first;
    if (operation.call.kind == kRelease) return !acquirers.contains(process);
    return !refused && !releasers.contains(process);
  });
}

std::string LockModel::describe(State state) const {
  const Holders& holders = states_[state];
  std::string text;
  for (const auto& [process, held] : holders.holds) {
    text += fmt::format("{}p{}", text.empty() ? "its being held by " : " and ", process);
  }
  return text.empty() ? "its being free" : text;
}

std::size_t LockModel::memory() const noexcept {
  return states_.memory();
}

std::uint32_t LockModel::number_of(std::int64_t value) {
  const auto [found, added] =
      numbers_.try_emplace(value, static_cast<std::uint32_t>(values_.size()));
  if (added) values_.push_back(value);
  return found->second;
}

}  // namespace sunder::checkers
