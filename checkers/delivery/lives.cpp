#include "checkers/delivery/lives.hpp"

#include <algorithm>
#include <string_view>

#include "checkers/outcomes.hpp"

namespace sunder::checkers::delivery {

using history::kNever;
using history::Operation;
using history::Outcome;
using history::Symbol;
using history::Value;

namespace {

constexpr std::string_view kDeadSuffix = ".dead";
constexpr std::int64_t kNanosecondsInMs = 1'000'000;

bool is_refusal(const history::History& history, const Operation& operation) {
  return operation.outcome == Outcome::fail &&
         history.pool().name(operation.error).starts_with(kRefused);
}

}  // namespace

Role role_of(const history::History& history, const Operation& operation) {
  const std::string_view name = history.pool().name(operation.function_name);
  if (name == "send") return Role::send;
  if (name == "receive") return Role::receive;
  if (name == "ack") return Role::ack;
  if (name == "nack") return Role::nack;
  if (name == "extend") return Role::extend;
  return name == "stat" ? Role::stat : Role::none;
}

Lives::Lives(const history::History& history) : history_(&history) {
  const auto& operations = history.operations();
  timed_ = std::ranges::all_of(operations, is_timed);
  for (const Operation& operation : operations) {
    const std::string_view key = history.pool().name(operation.key);
    if (!key.ends_with(kDeadSuffix) || homes_.contains(operation.key)) continue;
    const std::string_view home = key.substr(0, key.size() - kDeadSuffix.size());
    if (const Symbol known = history.pool().find_symbol(home)) homes_[operation.key] = known;
  }
  for (std::uint32_t i = 0; i < operations.size(); ++i) {
    switch (const Role role = role_of(history, operations[i])) {
      case Role::send:
        add_send(i);
        break;
      case Role::receive:
        add_receive(i);
        break;
      case Role::ack:
      case Role::nack:
      case Role::extend:
        add_use(i, role);
        break;
      case Role::stat:
        if (operations[i].outcome == Outcome::ok && operations[i].output.is_list())
          stats_.push_back(i);
        break;
      case Role::none:
        break;
    }
  }
  match_bodies();
  attach_uses();
}

std::int64_t Lives::begin(std::uint32_t index) const {
  return timed_ ? at(index).invoke_time : at(index).invoke;
}

std::int64_t Lives::end(std::uint32_t index) const {
  return at(index).outcome == Outcome::info ? kNever : client_end(index);
}

std::int64_t Lives::client_end(std::uint32_t index) const {
  return timed_ ? end_time(at(index)) : at(index).complete;
}

Symbol Lives::home_of(Symbol key) const {
  const auto found = homes_.find(key);
  return found == homes_.end() ? key : found->second;
}

std::int64_t Lives::total_of(std::uint32_t stat) const {
  std::int64_t total = 0;
  for (const Value count : history_->pool().items_of(at(stat).output)) total += count.raw();
  return total;
}

Value Lives::sent_body(const Life& life) const {
  return life.send ? at(*life.send).input : Value();
}

Life& Lives::life_of(Symbol queue, std::int64_t number) {
  const auto [place, fresh] = by_number_[queue].emplace(number, lives_.size());
  if (fresh) {
    lives_.emplace_back();
    lives_.back().queue = queue;
    lives_.back().number = number;
  }
  return lives_[place->second];
}

void Lives::add_send(std::uint32_t index) {
  const Operation& send = at(index);
  if (is_refusal(*history_, send)) refused_sends_.push_back(index);
  if (send.outcome == Outcome::fail) return;
  if (!send_of_body_.emplace(send.input, index).second) ++repeated_bodies_;
  if (send.outcome != Outcome::ok || !send.output.is_integer()) return;
  Life& life = life_of(send.key, send.output.raw());
  if (!life.send) life.send = index;
}

void Lives::add_receive(std::uint32_t index) {
  const Operation& receive = at(index);
  if (receive.outcome == Outcome::fail) return;
  receives_.push_back(index);
  if (receive.outcome != Outcome::ok || !receive.output.is_list()) return;
  const auto items = history_->pool().items_of(receive.output);
  if (items.size() != 3) return;
  Delivery delivery;
  delivery.operation = index;
  delivery.receipt = items[1].raw();
  delivery.lease =
      timed_ && receive.input.is_integer() ? receive.input.raw() * kNanosecondsInMs : 0;
  delivery.body = items[2];
  Life& life = life_of(home_of(receive.key), items[0].raw());
  Stay& stay = is_dead(receive.key) ? life.dead : life.live;
  const auto place =
      std::ranges::upper_bound(stay.deliveries, delivery.receipt, {}, &Delivery::receipt);
  stay.deliveries.insert(place, std::move(delivery));
}

void Lives::add_use(std::uint32_t index, Role role) {
  const Operation& operation = at(index);
  if (operation.outcome == Outcome::fail && !is_refusal(*history_, operation)) return;
  if (!operation.input.is_list()) return;
  const auto items = history_->pool().items_of(operation.input);
  if (items.size() < 2) return;
  PendingUse pending;
  pending.key = operation.key;
  pending.number = items[0].raw();
  pending.receipt = items[1].raw();
  pending.use.operation = index;
  pending.use.role = role;
  if (items.size() > 2 && timed_) pending.use.lease = items[2].raw() * kNanosecondsInMs;
  uses_.push_back(pending);
}

// A message whose sending nobody knows the outcome of is known by its body once it is received; one
// that is not received stays without a number.
void Lives::match_bodies() {
  std::unordered_map<std::uint32_t, bool> found;
  for (Life& life : lives_) {
    if (life.send) {
      found[*life.send] = true;
      continue;
    }
    const Stay& stay = life.live.deliveries.empty() ? life.dead : life.live;
    const auto send = send_of_body_.find(stay.deliveries.front().body);
    if (send == send_of_body_.end() || at(send->second).outcome != Outcome::info) continue;
    if (at(send->second).key != life.queue || found.contains(send->second)) continue;
    life.send = send->second;
    found[send->second] = true;
  }
  for (std::uint32_t i = 0; i < history_->operations().size(); ++i) {
    const bool unknown = at(i).outcome == Outcome::info && role_of(*history_, at(i)) == Role::send;
    if (!unknown || found.contains(i)) continue;
    Life& life = lives_.emplace_back();
    life.queue = at(i).key;
    life.send = i;
  }
}

void Lives::attach_uses() {
  for (const PendingUse& pending : uses_) {
    Life& life = life_of(home_of(pending.key), pending.number);
    Stay& stay = is_dead(pending.key) ? life.dead : life.live;
    const auto delivery = std::ranges::find(stay.deliveries, pending.receipt, &Delivery::receipt);
    if (delivery == stay.deliveries.end()) {
      stay.strays.emplace_back(pending.receipt, pending.use);
    } else {
      delivery->uses.push_back(pending.use);
    }
  }
  uses_.clear();
}

}  // namespace sunder::checkers::delivery
