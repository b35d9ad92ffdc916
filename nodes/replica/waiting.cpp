#include "nodes/replica/waiting.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "harness/base/assert.hpp"

namespace sunder::nodes::replica {

Waiting::Waiting(const Machine& machine)
    : machine_(machine),
      possible_(std::ranges::any_of(machine.commands(), &CommandInfo::may_wait)) {}

bool Waiting::admit(WaitingWrite& write, Time now) {
  const std::optional<Wait> wait = machine_.wait_of(write.command);
  if (!wait) return true;
  SUNDER_ASSERT(!full());
  write.waiter.waited_on = wait->on;
  Line& line = lines_[wait->on];
  const bool first = line.kept.empty() && line.admitted < wait->available;
  if (first || wait->limit.count() == 0) {
    ++line.admitted;
    return true;
  }
  line.kept.push_back({.write = std::move(write), .until = now + wait->limit});
  ++waiting_count_;
  return false;
}

std::vector<WaitingWrite> Waiting::take_ready(Time now) {
  std::vector<WaitingWrite> ready;
  for (auto& [on, line] : lines_) {
    if (line.kept.empty()) continue;
    const std::optional<Wait> wait = machine_.wait_of(line.kept.front().write.command);
    const std::size_t available = wait ? wait->available : 0;
    for (auto at = line.kept.begin(); at != line.kept.end();) {
      if (line.admitted >= available && now < at->until) {
        ++at;
        continue;
      }
      ++line.admitted;
      --waiting_count_;
      ready.push_back(std::move(at->write));
      at = line.kept.erase(at);
    }
  }
  return ready;
}

std::vector<WaitingWrite> Waiting::take_all() {
  std::vector<WaitingWrite> all;
  for (auto at = lines_.begin(); at != lines_.end();) {
    for (Kept& kept : at->second.kept) all.push_back(std::move(kept.write));
    at->second.kept.clear();
    drop_if_idle(at++);
  }
  waiting_count_ = 0;
  return all;
}

void Waiting::done(std::string_view waited_on) {
  const auto line = lines_.find(waited_on);
  if (line == lines_.end()) return;
  SUNDER_ASSERT(line->second.admitted > 0);
  --line->second.admitted;
  drop_if_idle(line);
}

void Waiting::drop_if_idle(std::map<std::string, Line, std::less<>>::iterator line) {
  if (line->second.kept.empty() && line->second.admitted == 0) lines_.erase(line);
}

}  // namespace sunder::nodes::replica
