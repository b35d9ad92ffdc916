#include "nodes/queue/work_queues.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include "harness/base/assert.hpp"
#include "nodes/queue/state.pb.h"

namespace sunder::nodes::queue {
namespace {

using replica::CommandKind;
using wire::RespValue;

constexpr std::array kCommands{
    CommandInfo{.name = "QACK", .kind = CommandKind::write, .arguments_min = 4, .arguments_max = 4},
    CommandInfo{
        .name = "QEXPIRE", .kind = CommandKind::internal, .arguments_min = 4, .arguments_max = 4},
    CommandInfo{
        .name = "QEXTEND", .kind = CommandKind::write, .arguments_min = 5, .arguments_max = 5},
    CommandInfo{.name = "QLEN", .kind = CommandKind::read, .arguments_min = 2, .arguments_max = 2},
    CommandInfo{
        .name = "QNACK", .kind = CommandKind::write, .arguments_min = 4, .arguments_max = 4},
    CommandInfo{.name = "QRECV",
                .kind = CommandKind::write,
                .arguments_min = 4,
                .arguments_max = 4,
                .may_wait = true},
    CommandInfo{
        .name = "QSEND", .kind = CommandKind::write, .arguments_min = 3, .arguments_max = 3},
    CommandInfo{.name = "QSTAT", .kind = CommandKind::read, .arguments_min = 2, .arguments_max = 2},
};

constexpr std::array kSabotages{
    std::pair{std::string_view("accept-then-drop"), WorkSabotage::accept_then_drop},
    std::pair{std::string_view("dead-letter-drops-body"), WorkSabotage::dead_letter_drops_body},
    std::pair{std::string_view("double-delivery"), WorkSabotage::double_delivery},
    std::pair{std::string_view("early-dead-letter"), WorkSabotage::early_dead_letter},
};

// double-delivery: one message in so many.
constexpr std::uint64_t kDoubledEvery = 10;
constexpr std::int64_t kMillisecondsMax = 12LL * 60 * 60 * 1000;

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && value >= 0 ? std::optional(value) : std::nullopt;
}

std::optional<std::chrono::milliseconds> parse_milliseconds(std::string_view text) {
  const auto value = parse_number(text);
  if (!value || *value > kMillisecondsMax) return std::nullopt;
  return std::chrono::milliseconds(*value);
}

RespValue not_a_time() {
  return RespValue::error("ERR times are milliseconds, at most 12 hours; a visibility is above 0");
}

RespValue stale_receipt() {
  return RespValue::error("STALERECEIPT the message is not this receipt's any more");
}

bool is_dead_letters(std::string_view queue) {
  return queue.ends_with(WorkQueues::kDeadSuffix);
}

std::string dead_letters_of(std::string_view queue) {
  return std::string(queue).append(WorkQueues::kDeadSuffix);
}

RespValue number(std::size_t value) {
  return RespValue::number(static_cast<std::int64_t>(value));
}

}  // namespace

std::span<const CommandInfo> WorkQueues::commands() const {
  return kCommands;
}

RespValue WorkQueues::execute(const Arguments& command) {
  const std::string& name = command.front();
  if (name == "QSEND") return send(command);
  if (name == "QRECV") return receive(command);
  if (name == "QACK") return acknowledge(command);
  if (name == "QNACK") return give_back(command);
  if (name == "QEXTEND") return extend(command);
  if (name == "QEXPIRE") return expire(command);
  return read(command);
}

RespValue WorkQueues::read(const Arguments& command) const {
  const auto queue = queues_.find(command[1]);
  const std::size_t ready = queue == queues_.end() ? 0 : queue->second.ready.size();
  if (command.front() == "QLEN") return number(ready);
  const std::size_t all = queue == queues_.end() ? 0 : queue->second.messages.size();
  const std::size_t dead = is_dead_letters(command[1]) ? 0 : length_of(command[1]) - all;
  std::vector<RespValue> answer;
  answer.push_back(number(ready));
  answer.push_back(number(all - ready));
  answer.push_back(number(dead));
  return RespValue::array(std::move(answer));
}

RespValue WorkQueues::send(const Arguments& command) {
  const std::string& name = command[1];
  if (name.empty() || is_dead_letters(name)) {
    return RespValue::error("ERR messages are sent to a queue with a name that is not .dead");
  }
  if (length_of(name) >= options_.length_max) {
    if (options_.sabotage != WorkSabotage::accept_then_drop)
      return RespValue::error("BUSY the queue is full");
    return RespValue::number(static_cast<std::int64_t>(++last_id_));
  }
  if (!queues_.contains(name) && queues_.size() >= kQueuesMax)
    return RespValue::error("BUSY there are too many queues");
  Queue& queue = queues_[name];
  const std::uint64_t id = ++last_id_;
  Message message;
  message.body = command[2];
  queue.messages.emplace(id, std::move(message));
  queue.ready.insert(id);
  return RespValue::number(static_cast<std::int64_t>(id));
}

RespValue WorkQueues::receive(const Arguments& command) {
  const auto visibility = parse_milliseconds(command[2]);
  if (!visibility || visibility->count() == 0 || !parse_milliseconds(command[3])) {
    return not_a_time();
  }
  const auto queue = queues_.find(command[1]);
  if (queue == queues_.end() || queue->second.ready.empty()) return RespValue::null();
  const std::uint64_t id = *queue->second.ready.begin();
  Message& message = queue->second.messages.at(id);
  const bool doubled = options_.sabotage == WorkSabotage::double_delivery &&
                       id % kDoubledEvery == 0 && message.deliveries == 0;
  if (!doubled) queue->second.ready.erase(id);
  ++message.deliveries;
  message.in_flight = true;
  message.visibility = *visibility;
  set_lease(queue->first, id, message);
  std::vector<RespValue> answer;
  answer.push_back(RespValue::number(static_cast<std::int64_t>(id)));
  answer.push_back(RespValue::number(static_cast<std::int64_t>(message.deliveries)));
  answer.push_back(RespValue::bulk(message.body));
  return RespValue::array(std::move(answer));
}

RespValue WorkQueues::acknowledge(const Arguments& command) {
  const auto held = find_owned(command);
  if (!held) return stale_receipt();
  cancel_alarm(held->message->first);
  remove(*held);
  return RespValue::simple("OK");
}

RespValue WorkQueues::give_back(const Arguments& command) {
  const auto held = find_owned(command);
  if (!held) return stale_receipt();
  cancel_alarm(held->message->first);
  release(*held);
  return RespValue::simple("OK");
}

RespValue WorkQueues::extend(const Arguments& command) {
  const auto visibility = parse_milliseconds(command[4]);
  if (!visibility || visibility->count() == 0) return not_a_time();
  const auto held = find_owned(command);
  if (!held) return stale_receipt();
  held->message->second.visibility = *visibility;
  set_lease(held->queue->first, held->message->first, held->message->second);
  return RespValue::simple("OK");
}

RespValue WorkQueues::expire(const Arguments& command) {
  const auto held = find(command);
  const auto lease = parse_number(command[3]);
  if (held && lease && held->message->second.in_flight &&
      held->message->second.lease == static_cast<std::uint64_t>(*lease)) {
    cancel_alarm(held->message->first);
    release(*held);
  }
  return RespValue::simple("OK");
}

std::optional<WorkQueues::Held> WorkQueues::find(const Arguments& command) {
  const auto queue = queues_.find(command[1]);
  const auto id = parse_number(command[2]);
  if (queue == queues_.end() || !id) return std::nullopt;
  const auto message = queue->second.messages.find(static_cast<std::uint64_t>(*id));
  if (message == queue->second.messages.end()) return std::nullopt;
  return Held{.queue = queue, .message = message};
}

// The receipt's message, if it is still its own.
std::optional<WorkQueues::Held> WorkQueues::find_owned(const Arguments& command) {
  const auto held = find(command);
  const auto receipt = parse_number(command[3]);
  if (!held || !receipt || !held->message->second.in_flight) return std::nullopt;
  if (held->message->second.deliveries != static_cast<std::uint64_t>(*receipt)) {
    return std::nullopt;
  }
  return held;
}

std::size_t WorkQueues::length_of(std::string_view name) const {
  const auto count = [this](std::string_view queue) {
    const auto found = queues_.find(queue);
    return found == queues_.end() ? 0 : found->second.messages.size();
  };
  return count(name) + count(dead_letters_of(name));
}

Alarm WorkQueues::alarm_of(std::string_view queue, std::uint64_t id, const Message& message) {
  Alarm alarm;
  alarm.id = id;
  alarm.after = message.visibility;
  alarm.command = {
      "QEXPIRE", std::string(queue), std::to_string(id), std::to_string(message.lease)};
  return alarm;
}

void WorkQueues::set_lease(std::string_view queue, std::uint64_t id, Message& message) {
  ++message.lease;
  alarms_.push_back(alarm_of(queue, id, message));
}

void WorkQueues::cancel_alarm(std::uint64_t id) {
  Alarm alarm;
  alarm.id = id;
  alarms_.push_back(std::move(alarm));
}

void WorkQueues::release(const Held& held) {
  const std::uint64_t id = held.message->first;
  Message& message = held.message->second;
  const bool early = options_.sabotage == WorkSabotage::early_dead_letter;
  const std::uint64_t deliveries_max = options_.deliveries_max - (early ? 1 : 0);
  message.in_flight = false;
  if (is_dead_letters(held.queue->first) || message.deliveries < deliveries_max) {
    held.queue->second.ready.insert(id);
    return;
  }
  Message letter;
  letter.lease = message.lease;
  letter.body = std::move(message.body);
  if (options_.sabotage == WorkSabotage::dead_letter_drops_body) letter.body.clear();
  Queue& letters = queues_[dead_letters_of(held.queue->first)];
  letters.messages.emplace(id, std::move(letter));
  letters.ready.insert(id);
  remove(held);
}

void WorkQueues::remove(const Held& held) {
  Queue& queue = held.queue->second;
  queue.ready.erase(held.message->first);
  queue.messages.erase(held.message);
  if (queue.messages.empty()) queues_.erase(held.queue);
}

std::vector<Alarm> WorkQueues::take_alarms() {
  return std::exchange(alarms_, {});
}

std::vector<Alarm> WorkQueues::standing_alarms() const {
  std::vector<Alarm> alarms;
  for (const auto& [name, queue] : queues_) {
    for (const auto& [id, message] : queue.messages) {
      if (message.in_flight) alarms.push_back(alarm_of(name, id, message));
    }
  }
  return alarms;
}

std::optional<Wait> WorkQueues::wait_of(const Arguments& command) const {
  if (command.front() != "QRECV" || command.size() != 4) return std::nullopt;
  const auto limit = parse_milliseconds(command[3]);
  if (!limit) return std::nullopt;
  Wait wait;
  wait.on = command[1];
  const auto queue = queues_.find(command[1]);
  wait.available = queue == queues_.end() ? 0 : queue->second.ready.size();
  wait.limit = std::min(*limit, kWaitMax);
  return wait;
}

std::string WorkQueues::save() const {
  proto::State state;
  state.set_last_id(last_id_);
  for (const auto& [name, queue] : queues_) {
    proto::State::Queue& out = *state.add_queues();
    out.set_name(name);
    for (const auto& [id, message] : queue.messages) {
      proto::Message& item = *out.add_messages();
      item.set_id(id);
      item.set_body(message.body);
      item.set_deliveries(message.deliveries);
      item.set_lease(message.lease);
      item.set_visibility_ms(static_cast<std::uint64_t>(message.visibility.count()));
      item.set_in_flight(message.in_flight);
      item.set_ready(queue.ready.contains(id));
    }
  }
  return state.SerializeAsString();
}

Result<void> WorkQueues::load(std::string_view bytes) {
  proto::State state;
  if (!state.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return base::make_error(Errc::failed, "the snapshot is not a state of work queues");
  }
  last_id_ = state.last_id();
  queues_.clear();
  alarms_.clear();
  for (const proto::State::Queue& in : state.queues()) {
    Queue& queue = queues_[in.name()];
    for (const proto::Message& item : in.messages()) {
      Message& message = queue.messages[item.id()];
      message.body = item.body();
      message.deliveries = item.deliveries();
      message.lease = item.lease();
      message.visibility =
          std::chrono::milliseconds(static_cast<std::int64_t>(item.visibility_ms()));
      message.in_flight = item.in_flight();
      if (item.ready()) queue.ready.insert(item.id());
    }
  }
  return {};
}

std::vector<std::pair<std::string_view, std::size_t>> WorkQueues::counts() const {
  std::size_t ready = 0;
  std::size_t in_flight = 0;
  std::size_t dead = 0;
  for (const auto& [name, queue] : queues_) {
    if (is_dead_letters(name)) {
      dead += queue.messages.size();
      continue;
    }
    ready += queue.ready.size();
    in_flight += queue.messages.size() - queue.ready.size();
  }
  return {{"queues", queues_.size()}, {"ready", ready}, {"in_flight", in_flight}, {"dead", dead}};
}

std::optional<WorkSabotage> work_sabotage_named(std::string_view name) {
  const auto found = std::ranges::find(kSabotages, name, [](const auto& row) { return row.first; });
  return found == kSabotages.end() ? std::nullopt : std::optional(found->second);
}

std::span<const std::string_view> work_sabotage_names() {
  static const auto names = [] {
    std::array<std::string_view, kSabotages.size()> all;
    std::ranges::transform(kSabotages, all.begin(), [](const auto& row) { return row.first; });
    return all;
  }();
  return names;
}

}  // namespace sunder::nodes::queue
