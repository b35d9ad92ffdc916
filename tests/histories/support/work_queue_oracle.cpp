#include "tests/histories/support/work_queue_oracle.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "harness/base/assert.hpp"

namespace sunder::test {

using history::History;
using history::Operation;
using history::Outcome;

namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kForever = history::kNever;

struct Call {
  std::string function;
  bool dead = false;  // on the dead letters
  Outcome outcome = Outcome::info;
  bool refused = false;
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::string body;
  std::int64_t number = -1;
  std::int64_t receipt = 0;
  std::int64_t lease = 0;
  std::int64_t total = 0;
  bool nil = false;
};

Call call_of(const History& history, const Operation& operation) {
  const auto& pool = history.pool();
  Call call;
  call.function = pool.name(operation.function_name);
  call.dead = pool.name(operation.key).ends_with(".dead");
  call.outcome = operation.outcome;
  call.refused = pool.name(operation.error).starts_with("refused");
  call.begin = operation.invoke_time;
  call.end = operation.outcome == Outcome::info ? kForever : operation.complete_time;
  if (call.function == "send") {
    call.body = pool.text_of(operation.input);
    if (operation.outcome == Outcome::ok) call.number = operation.output.raw();
  } else if (call.function == "receive") {
    call.lease = operation.input.raw() * kMs;
    call.nil = operation.output.is_nil();
    if (operation.output.is_list()) {
      const auto items = pool.items_of(operation.output);
      call.number = items[0].raw();
      call.receipt = items[1].raw();
      call.body = pool.text_of(items[2]);
    }
  } else if (call.function == "stat") {
    for (const auto count : pool.items_of(operation.output)) call.total += count.raw();
  } else {
    const auto items = pool.items_of(operation.input);
    call.number = items[0].raw();
    call.receipt = items[1].raw();
    if (items.size() > 2) call.lease = items[2].raw() * kMs;
  }
  return call;
}

struct Message {
  std::string body;
  bool dead = false;
  bool held = false;
  std::int64_t deliveries = 0;
  std::int64_t over = 0;  // when the visibility time is
};

using Messages = std::map<std::int64_t, Message>;

class Tries {
 public:
  Tries(std::vector<Call> calls, WorkQueueLimits limits)
      : calls_(std::move(calls)), limits_(limits), done_(calls_.size()) {}

  bool any(std::int64_t now, const Messages& messages) {
    bool all = true;
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      if (done_[i] || calls_[i].outcome == Outcome::info) continue;
      all = false;
      if (calls_[i].end < now) return false;
    }
    if (all) return true;
    for (const auto& [number, message] : messages) {
      if (!message.held) continue;
      Messages next = messages;
      release(next, number);
      if (any(std::max(now, message.over), next)) return true;
    }
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      if (done_[i]) continue;
      const std::int64_t at = std::max(now, calls_[i].begin);
      if (at > calls_[i].end) continue;
      done_[i] = true;
      const bool found = take(calls_[i], at, messages);
      done_[i] = false;
      if (found) return true;
    }
    return false;
  }

 private:
  void release(Messages& messages, std::int64_t number) const {
    Message& message = messages.at(number);
    message.held = false;
    if (message.dead || message.deliveries < limits_.deliveries_max) return;
    message.dead = true;
    message.deliveries = 0;
  }

  // Some way in which this call takes effect now.
  bool take(const Call& call, std::int64_t at, const Messages& messages) {
    if (call.function == "send") return send(call, at, messages);
    if (call.function == "receive") return receive(call, at, messages);
    if (call.function == "stat") {
      return static_cast<std::int64_t>(messages.size()) == call.total && any(at, messages);
    }
    const auto found = messages.find(call.number);
    const bool owned = found != messages.end() && found->second.held &&
                       found->second.dead == call.dead && found->second.deliveries == call.receipt;
    if (call.outcome == Outcome::fail) return !owned && any(at, messages);
    if (!owned) return false;  // of unknown outcome: it need not take effect
    Messages next = messages;
    if (call.function == "ack") next.erase(call.number);
    if (call.function == "nack") release(next, call.number);
    if (call.function == "extend") next.at(call.number).over = at + call.lease;
    return any(at, next);
  }

  bool send(const Call& call, std::int64_t at, const Messages& messages) {
    const bool full = static_cast<std::int64_t>(messages.size()) >= limits_.length_max;
    if (call.outcome == Outcome::fail) return full && any(at, messages);
    if (full) return false;
    std::int64_t number = call.number;
    for (const Call& other : calls_) {
      const bool same = other.function == "receive" && other.number >= 0 && other.body == call.body;
      if (number < 0 && same) number = other.number;
    }
    if (number < 0) number = 1'000'000 + static_cast<std::int64_t>(&call - calls_.data());
    Messages next = messages;
    Message message;
    message.body = call.body;
    return next.emplace(number, message).second && any(at, next);
  }

  bool receive(const Call& call, std::int64_t at, const Messages& messages) {
    if (call.outcome == Outcome::info) {
      for (const auto& [number, message] : messages) {
        if (message.held || message.dead != call.dead) continue;
        if (grant(number, at, 0, messages)) return true;
      }
      return false;
    }
    if (call.nil) return any(at, messages);
    const auto found = messages.find(call.number);
    if (found == messages.end() || found->second.held || found->second.dead != call.dead)
      return false;
    const bool next =
        found->second.deliveries + 1 == call.receipt && found->second.body == call.body;
    return next && grant(call.number, at, call.lease, messages);
  }

  bool grant(std::int64_t number, std::int64_t at, std::int64_t lease, const Messages& messages) {
    Messages next = messages;
    Message& message = next.at(number);
    message.held = true;
    ++message.deliveries;
    message.over = at + lease;
    return any(at, next);
  }

  std::vector<Call> calls_;
  WorkQueueLimits limits_;
  std::vector<bool> done_;
};

}  // namespace

bool work_queue_oracle(const History& history, WorkQueueLimits limits) {
  SUNDER_ASSERT(history.operations().size() <= 16);
  std::vector<Call> calls;
  for (const Operation& operation : history.operations()) {
    const Call call = call_of(history, operation);
    // Definitely nothing happened.
    if (call.outcome == Outcome::fail && !call.refused) continue;
    calls.push_back(call);
  }
  return Tries(std::move(calls), limits).any(0, {});
}

}  // namespace sunder::test
