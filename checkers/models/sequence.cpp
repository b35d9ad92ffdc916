#include "checkers/models/sequence.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace sunder::checkers {
namespace {

using history::Function;
using history::Operation;
using history::Outcome;

// kTake_any: a removal that did not tell what it took, or whether there was anything.
enum Kind : std::uint32_t { kInsert, kTake, kLook, kFind_empty, kTake_any };

}  // namespace

SequenceModel::SequenceModel(const history::ValuePool& pool, Words words)
    : pool_(&pool), words_(words) {
  (void)intern({});
}

std::optional<Call> SequenceModel::encode(const Operation& operation) {
  if (operation.outcome == Outcome::fail) return std::nullopt;
  if (operation.function == words_.insert) return Call{kInsert, number_of(operation.input), 0};
  const bool takes = operation.function == words_.remove;
  if (operation.outcome == Outcome::info || operation.output.is_none()) {
    return takes ? std::optional(Call{kTake_any, 0, 0}) : std::nullopt;
  }
  if (operation.output.is_nil()) return Call{kFind_empty, 0, 0};
  return Call{takes ? kTake : kLook, number_of(operation.output), 0};
}

State SequenceModel::step(State state, Call call) {
  const Sequence& now = states_[state];
  if (call.kind == kInsert) {
    Sequence next = now;
    insert(next, call.first);
    return intern(std::move(next));
  }
  if (call.kind == kFind_empty) return now.empty() ? state : kNoState;
  if (call.kind == kLook) return !now.empty() && now.back() == call.first ? state : kNoState;
  if (now.empty()) return call.kind == kTake_any ? state : kNoState;
  if (call.kind == kTake && now.back() != call.first) return kNoState;
  return intern(Sequence(now.begin(), now.end() - 1));
}

bool SequenceModel::observes(Call call) const noexcept {
  return call.kind == kLook || call.kind == kFind_empty;
}

void SequenceModel::simplify(std::vector<SearchOperation>& operations) {
  std::vector<bool> seen(values_.size());
  for (const SearchOperation& operation : operations) {
    const bool silent = operation.call.kind == kTake_any && !operation.optional;
    if (silent) return;
    if (operation.call.kind == kTake || operation.call.kind == kLook) {
      seen[operation.call.first] = true;
    }
  }
  std::erase_if(operations, [&](const SearchOperation& operation) {
    return operation.optional && operation.call.kind == kInsert && !seen[operation.call.first];
  });
}

std::string SequenceModel::describe(State state) const {
  constexpr std::size_t kShown = 8;
  const Sequence& sequence = states_[state];
  if (sequence.empty()) return "nothing";
  std::string text;
  for (std::size_t i = 0; i < std::min(kShown, sequence.size()); ++i) {
    text += fmt::format(
        "{}{}", i == 0 ? "" : " ", pool_->describe(values_[sequence[sequence.size() - 1 - i]]));
  }
  return fmt::format("({}{})", text, sequence.size() > kShown ? " …" : "");
}

std::size_t SequenceModel::memory() const noexcept {
  return states_.memory();
}

std::uint32_t SequenceModel::number_of(history::Value value) {
  const auto [found, added] =
      numbers_.try_emplace(value, static_cast<std::uint32_t>(values_.size()));
  if (added) values_.push_back(value);
  return found->second;
}

}  // namespace sunder::checkers
