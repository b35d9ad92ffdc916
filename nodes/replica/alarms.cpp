#include "nodes/replica/alarms.hpp"

namespace sunder::nodes::replica {

void Alarms::set(Alarm alarm, Time now) {
  if (const auto known = armed_.find(alarm.id); known != armed_.end()) {
    by_time_.erase({known->second.due, alarm.id});
    armed_.erase(known);
  }
  if (alarm.command.empty()) return;
  const Time due = now + alarm.after;
  by_time_.emplace(due, alarm.id);
  armed_.emplace(alarm.id, Armed{.due = due, .command = std::move(alarm.command)});
}

void Alarms::clear() {
  armed_.clear();
  by_time_.clear();
}

std::vector<Arguments> Alarms::take_due(Time now) {
  std::vector<Arguments> due;
  // Those that ring again are due later than now, so the loop ends.
  while (!by_time_.empty() && by_time_.begin()->first <= now) {
    const std::uint64_t id = by_time_.begin()->second;
    by_time_.erase(by_time_.begin());
    Armed& alarm = armed_.at(id);
    alarm.due = now + kRetry;
    by_time_.emplace(alarm.due, id);
    due.push_back(alarm.command);
  }
  return due;
}

}  // namespace sunder::nodes::replica
