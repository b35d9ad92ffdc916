#include "nodes/saga/orchestrator.hpp"

#include <algorithm>

#include "harness/base/assert.hpp"

namespace sunder::nodes::saga {
namespace {

bool is_last(Step step) {
  return step == kSteps.back();
}

Step next_of(Step step) {
  SUNDER_ASSERT(!is_last(step));
  return static_cast<Step>(static_cast<std::uint8_t>(step) + 1);
}

Step before(Step step) {
  SUNDER_ASSERT(step != kSteps.front());
  return static_cast<Step>(static_cast<std::uint8_t>(step) - 1);
}

std::string blame(Step step, std::string_view what) {
  return std::string(name_of(role_of(step))).append(": ").append(what);
}

}  // namespace

Orchestrator::Orchestrator(OrchestratorOptions options, RecoveredSagas recovered)
    : options_(options), next_(recovered.next) {
  for (Saga& saga : recovered.open) {
    SUNDER_ASSERT(saga.number < next_);
    SUNDER_ASSERT(!saga.has_ended());
    by_order_.emplace(saga.terms.id, saga.number);
    sagas_[saga.number].saga = std::move(saga);
  }
}

Orchestrator::Effects Orchestrator::start(Time now) {
  Effects effects;
  for (auto& [number, entry] : sagas_) {
    entry.begun = now;
    effects.events.push_back({.name = "saga-resumed", .saga = number, .step = entry.saga.step});
    ask(now, entry, effects);
  }
  return effects;
}

Orchestrator::Effects Orchestrator::place(Time now, Terms terms) {
  SUNDER_ASSERT(has_room());
  const SagaNumber number = next_++;
  const bool fresh = by_order_.emplace(terms.id, number).second;
  SUNDER_ASSERT_MESSAGE(fresh, "an order is placed once");
  Entry& entry = sagas_[number];
  entry.saga.number = number;
  entry.saga.terms = std::move(terms);
  entry.begun = now;
  Effects effects;
  effects.events.push_back({.name = "saga-began", .saga = number});
  enter(now, entry, effects);
  return effects;
}

Orchestrator::Effects Orchestrator::receive(Time now, const Reply& reply) {
  Effects effects;
  const auto found = sagas_.find(reply.saga);
  if (found == sagas_.end()) return effects;
  Entry& entry = found->second;
  Saga& saga = entry.saga;
  const bool forward = saga.phase == Phase::forward;
  const bool awaited = !saga.has_ended() && reply.step == saga.step && reply.undo == !forward;
  if (!awaited || (reply.undo && !reply.done)) return effects;
  if (!entry.spans.empty()) entry.spans.back().end = now;
  effects.events.push_back(
      {.name = reply.undo ? "compensated" : "step-done", .saga = saga.number, .step = saga.step});
  if (forward && !reply.done) {
    go_back(now, entry, false, blame(saga.step, reply.reason), effects);
  } else if (forward && is_last(saga.step)) {
    end(now, entry, Phase::done, effects);
  } else if (forward) {
    saga.step = next_of(saga.step);
    enter(now, entry, effects);
  } else if (saga.step == kSteps.front()) {
    end(now, entry, Phase::undone, effects);
  } else {
    saga.step = before(saga.step);
    enter(now, entry, effects);
  }
  return effects;
}

Orchestrator::Effects Orchestrator::tick(Time now) {
  Effects effects;
  while (!due_.empty() && due_.begin()->first <= now) {
    Entry& entry = sagas_.at(due_.begin()->second);
    const bool forward = entry.saga.phase == Phase::forward;
    if (forward && now >= entry.give_up_at) {
      const bool undo_it = options_.sabotage != Sabotage::skip_undo_on_timeout;
      go_back(now, entry, undo_it, blame(entry.saga.step, "no answer"), effects);
      continue;
    }
    effects.requests.push_back(request_of(entry));
    if (!entry.spans.empty()) ++entry.spans.back().sends;
    set_due(entry, now + options_.resend_after);
  }
  return effects;
}

// Backwards from the step before, or from this one when it may have happened.
void Orchestrator::go_back(
    Time now, Entry& entry, bool this_step, std::string reason, Effects& effects) {
  Saga& saga = entry.saga;
  saga.reason = std::move(reason);
  if (!this_step && saga.step == kSteps.front()) {
    end(now, entry, Phase::undone, effects);
    return;
  }
  if (!this_step) saga.step = before(saga.step);
  saga.phase = Phase::undoing;
  enter(now, entry, effects);
}

void Orchestrator::enter(Time now, Entry& entry, Effects& effects) {
  const Saga& saga = entry.saga;
  const bool forward = saga.phase == Phase::forward;
  const bool first = forward && saga.step == kSteps.front();
  // The bug: what is sent now is in the log only when its answer is.
  if (options_.sabotage != Sabotage::log_after_send || !first) log(entry, effects);
  effects.events.push_back(
      {.name = forward ? "step-sent" : "compensating", .saga = saga.number, .step = saga.step});
  ask(now, entry, effects);
}

void Orchestrator::ask(Time now, Entry& entry, Effects& effects) {
  const bool undo = entry.saga.phase == Phase::undoing;
  const bool early = options_.sabotage == Sabotage::log_after_send;
  (early ? effects.at_once : effects.requests).push_back(request_of(entry));
  entry.spans.push_back(
      {.step = entry.saga.step, .undo = undo, .begin = now, .end = Time(0), .sends = 1});
  entry.give_up_at = now + options_.step_timeout;
  set_due(entry, now + options_.resend_after);
}

void Orchestrator::end(Time now, Entry& entry, Phase phase, Effects& effects) {
  entry.saga.phase = phase;
  due_.erase({entry.resend_at, entry.saga.number});
  log(entry, effects);
  effects.answers.push_back(entry.saga);
  if (!entry.spans.empty() && entry.spans.back().end == Time(0)) entry.spans.back().end = now;
  effects.events.push_back({.name = "saga-ended",
                            .saga = entry.saga.number,
                            .step = entry.saga.step,
                            .spans = std::move(entry.spans),
                            .order = entry.saga.terms.id,
                            .reason = entry.saga.reason,
                            .phase = phase});
}

void Orchestrator::log(const Entry& entry, Effects& effects) {
  effects.saves.push_back(entry.saga);
  effects.events.push_back(
      {.name = "saga-logged", .saga = entry.saga.number, .step = entry.saga.step});
}

void Orchestrator::set_due(Entry& entry, Time at) {
  due_.erase({entry.resend_at, entry.saga.number});
  entry.resend_at = at;
  due_.emplace(at, entry.saga.number);
}

Request Orchestrator::request_of(const Entry& entry) const {
  const Saga& saga = entry.saga;
  Request request;
  request.saga = saga.number;
  request.step = saga.step;
  request.undo = saga.phase == Phase::undoing;
  request.order = saga.terms.id;
  request.settled_below = settled_below();
  switch (saga.step) {
    case Step::reserve:
      request.object = saga.terms.item;
      request.amount = saga.terms.quantity;
      break;
    case Step::charge:
      request.object = saga.terms.account;
      request.amount = saga.terms.price;
      break;
    case Step::ship:
      request.object = saga.terms.address;
      request.amount = 1;
      break;
  }
  return request;
}

void Orchestrator::saved(const Saga& saga) {
  const auto found = sagas_.find(saga.number);
  if (!saga.has_ended() || found == sagas_.end()) return;
  by_order_.erase(saga.terms.id);
  sagas_.erase(found);
}

const Saga* Orchestrator::find(const std::string& order) const {
  const auto found = by_order_.find(order);
  return found == by_order_.end() ? nullptr : &sagas_.at(found->second).saga;
}

std::vector<Saga> Orchestrator::open_sagas() const {
  std::vector<Saga> open;
  for (const auto& [number, entry] : sagas_) open.push_back(entry.saga);
  return open;
}

std::optional<Time> Orchestrator::next_due() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

SagaNumber Orchestrator::settled_below() const noexcept {
  return sagas_.empty() ? next_ : sagas_.begin()->first;
}

}  // namespace sunder::nodes::saga
