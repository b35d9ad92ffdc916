#include "nodes/quorum/core.hpp"

#include <algorithm>
#include <array>

#include "harness/base/assert.hpp"
#include "nodes/quorum/limits.hpp"

namespace sunder::nodes::quorum {
namespace {

struct SabotageName {
  std::string_view name;
  Sabotage sabotage;
};

constexpr std::array kSabotages{
    SabotageName{"ack-below-w", Sabotage::ack_below_w},
    SabotageName{"drop-hints-on-restart", Sabotage::drop_hints_on_restart},
    SabotageName{"leak-on-timeout", Sabotage::leak_on_timeout},
    SabotageName{"need-majority", Sabotage::need_majority},
    SabotageName{"no-exchange", Sabotage::no_exchange},
    SabotageName{"repair-with-older", Sabotage::repair_with_older},
    SabotageName{"reuse-request-numbers", Sabotage::reuse_request_numbers},
    SabotageName{"tie-without-order", Sabotage::tie_without_order},
};

}  // namespace

std::optional<Sabotage> sabotage_named(std::string_view name) noexcept {
  const auto found = std::ranges::find(kSabotages, name, &SabotageName::name);
  if (found == kSabotages.end()) return std::nullopt;
  return found->sabotage;
}

Core::Core(Options options, const Recovered& recovered)
    : options_(std::move(options)),
      ring_(options_.nodes),
      versions_(ring_,
                {.self = options_.id,
                 .replicas = options_.replicas,
                 .last_comer_wins = options_.sabotage == Sabotage::tie_without_order}),
      clock_(options_.id) {
  SUNDER_ASSERT(std::ranges::find(options_.nodes, options_.id) != options_.nodes.end());
  for (const Item& item : recovered.items) {
    versions_.put(item.key, item.version);
    clock_.see(item.version.stamp);
  }
  const bool drops = options_.sabotage == Sabotage::drop_hints_on_restart;
  for (const Hint& hint : recovered.hints) {
    if (drops) break;
    hints_[hint.owner][hint.item.key] = {.version = hint.item.version};
    clock_.see(hint.item.version.stamp);
  }
  for (const NodeId node : options_.nodes) {
    if (node != options_.id) heard_[node] = 0;
  }
  out_.events.push_back(
      {.name = "recovered", .numbers = {{"keys", versions_.size()}, {"hints", hints()}}});
}

Effects Core::step(Input input) {
  std::visit([this](auto& what) { take(what); }, input);
  if (!out_.writes.empty()) out_.sequence = ++sequence_;
  return std::exchange(out_, Effects());
}

bool Core::is_near(NodeId node) const {
  if (node == options_.id) return true;
  const auto heard = heard_.find(node);
  return heard != heard_.end() && ticks_ - heard->second <= kNearTicks;
}

void Core::take(const Tick& /*tick*/) {
  ++ticks_;
  if (ticks_ % kHeartbeatTicks == 1) {
    for (const auto& [node, heard] : heard_) {
      Message message;
      message.to = node;
      send(std::move(message));
    }
  }
  look_after_requests();
  hand_off();
  if (ticks_ % kExchangeTicks == 0) begin_exchange();
  if (ticks_ % kTellTicks == 0) tell();
}

void Core::take(Receive& receive) {
  Message& message = receive.message;
  const auto heard = heard_.find(message.from);
  if (heard == heard_.end()) return;
  heard->second = ticks_;
  clock_.see(message.clock);
  switch (message.kind) {
    case MessageKind::heartbeat:
      break;
    case MessageKind::store:
    case MessageKind::handoff:
      receive_store(message);
      break;
    case MessageKind::stored:
      acknowledge(message.request, message.from);
      break;
    case MessageKind::fetch: {
      Message answer = reply_to(message, MessageKind::fetched);
      answer.version = newest(message.key);
      send(std::move(answer));
      break;
    }
    case MessageKind::fetched:
      find(message.request, message.from, std::move(message.version));
      break;
    case MessageKind::handed:
      forget_hint(message.from, message.key, message.stamp);
      break;
    case MessageKind::summary:
      receive_summary(message);
      break;
    case MessageKind::listing:
      receive_listing(message);
      break;
    case MessageKind::transfer:
      receive_transfer(message);
      break;
  }
}

void Core::take(const Written& written) {
  durable_ = std::max(durable_, written.sequence);
  while (!held_.empty() && held_.front().sequence <= durable_) {
    auto what = std::move(held_.front().what);
    held_.pop_front();
    release(what);
  }
}

void Core::send(Message message) {
  message.from = options_.id;
  message.clock = clock_.last();
  out_.messages.push_back(std::move(message));
}

void Core::hold(std::variant<Message, std::uint64_t> what) {
  const std::uint64_t sequence = out_.writes.empty() ? sequence_ : sequence_ + 1;
  if (sequence <= durable_) {
    release(what);
  } else {
    held_.push_back({.sequence = sequence, .what = std::move(what)});
  }
}

void Core::release(std::variant<Message, std::uint64_t>& what) {
  if (auto* const message = std::get_if<Message>(&what)) {
    send(std::move(*message));
  } else {
    acknowledge(std::get<std::uint64_t>(what), options_.id);
  }
}

Message Core::reply_to(const Message& message, MessageKind kind) const {
  Message answer;
  answer.kind = kind;
  answer.to = message.from;
  answer.request = message.request;
  answer.key = message.key;
  return answer;
}

}  // namespace sunder::nodes::quorum
