#include "nodes/saga/participant.hpp"

#include <algorithm>

#include "harness/base/assert.hpp"

namespace sunder::nodes::saga {

Participant::Participant(ParticipantOptions options, RecoveredParticipant recovered)
    : options_(std::move(options)),
      marks_(std::move(recovered.marks)),
      levels_(std::move(recovered.levels)),
      ledger_size_(recovered.ledger_size),
      settled_below_(recovered.settled_below) {
  if (options_.sabotage == Sabotage::dedup_lost_at_restart) marks_.clear();
}

Participant::Effects Participant::receive(Time now, const Request& request) {
  SUNDER_ASSERT(request.step == options_.step);
  Effects effects;
  settle(request.settled_below, effects);
  if (request.saga < settled_below_) return effects;  // late by a whole saga
  if (request.undo) {
    undo(request, effects);
    return effects;
  }
  if (const auto known = marks_.find(request.saga); known != marks_.end()) {
    answer(request, known->second, effects);
    return effects;
  }
  const bool under_way = std::ranges::any_of(
      working_, [&](const auto& work) { return work.second.saga == request.saga; });
  if (!under_way) working_.emplace(now + options_.work, request);
  return effects;
}

Participant::Effects Participant::tick(Time now) {
  Effects effects;
  while (!working_.empty() && working_.begin()->first <= now) {
    const Request request = working_.extract(working_.begin()).mapped();
    finish(request, effects);
  }
  return effects;
}

std::optional<Time> Participant::next_due() const {
  if (working_.empty()) return std::nullopt;
  return working_.begin()->first;
}

std::optional<std::int64_t> Participant::level_of(const std::string& object) const {
  if (!options_.initial) return std::nullopt;
  const auto found = levels_.find(object);
  return found == levels_.end() ? *options_.initial : found->second;
}

// The keys of sagas that have ended are not asked for any more.
void Participant::settle(SagaNumber below, Effects& effects) {
  if (below <= settled_below_) return;
  settled_below_ = below;
  effects.settled_below = below;
  const auto end = marks_.lower_bound(below);
  for (auto at = marks_.begin(); at != end; ++at) effects.dropped.push_back(at->first);
  marks_.erase(marks_.begin(), end);
}

void Participant::undo(const Request& request, Effects& effects) {
  const auto known = marks_.find(request.saga);
  const bool again = known != marks_.end() && known->second.state == MarkState::undone;
  const bool done = known != marks_.end() && known->second.state == MarkState::done;
  if (done || (again && options_.sabotage == Sabotage::undo_twice)) {
    Mark undone = known->second;
    take_effect(request, undone.amount, effects);
    undone.state = MarkState::undone;
    mark(std::move(undone), effects);
  } else if (known == marks_.end() && options_.sabotage != Sabotage::forget_late_step) {
    mark({.saga = request.saga, .state = MarkState::blocked, .object = {}, .reason = {}}, effects);
  }
  effects.replies.push_back(
      {.saga = request.saga, .step = request.step, .undo = true, .done = true, .reason = {}});
}

// The work is done: it takes effect, or not.
void Participant::finish(const Request& request, Effects& effects) {
  if (request.saga < settled_below_) return;
  // Undone before it was done.
  if (marks_.contains(request.saga)) return;
  Mark made{.saga = request.saga,
            .state = MarkState::done,
            .object = request.object,
            .amount = request.amount,
            .reason = {}};
  const bool closed =
      !options_.refuse_prefix.empty() && request.object.starts_with(options_.refuse_prefix);
  const auto left = level_of(request.object);
  if (closed || (left && *left < request.amount)) {
    made.state = MarkState::refused;
    made.reason = options_.refusal;
  } else {
    take_effect(request, -request.amount, effects);
  }
  answer(request, made, effects);
  mark(std::move(made), effects);
}

// Gives (or takes, less than zero) the amount.
void Participant::take_effect(const Request& request, std::int64_t amount, Effects& effects) {
  if (const auto left = level_of(request.object)) {
    levels_[request.object] = *left + amount;
    effects.levels.emplace_back(request.object, *left + amount);
  }
  effects.ledger.push_back({.position = ledger_size_++,
                            .saga = request.saga,
                            .undo = request.undo,
                            .order = request.order,
                            .object = request.object,
                            .amount = amount < 0 ? -amount : amount});
}

void Participant::mark(Mark mark, Effects& effects) {
  // The bug: the key is not part of what is saved.
  if (options_.sabotage != Sabotage::dedup_lost_at_restart) effects.marks.push_back(mark);
  marks_.insert_or_assign(mark.saga, std::move(mark));
}

void Participant::answer(const Request& request, const Mark& mark, Effects& effects) const {
  effects.replies.push_back({.saga = request.saga,
                             .step = request.step,
                             .undo = false,
                             .done = mark.state == MarkState::done,
                             .reason = mark.state == MarkState::done ? "" : mark.reason});
}

}  // namespace sunder::nodes::saga
