// Alarms: when the leader proposes what its machine wants done later.
//
// An alarm that is due rings, and rings again every kRetry until the machine moves or cancels it:
// a proposal may be refused or lost. Only a leader holds alarms; one that begins to lead arms all
// that its machine's state names anew, with their whole time, so that none rings too early.
//
// Threading: one owner. Times are of the monotonic clock, and come in as arguments.

#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "nodes/replica/machine.hpp"

namespace sunder::nodes::replica {

class Alarms {
 public:
  static constexpr std::chrono::milliseconds kRetry{500};

  using Time = std::chrono::nanoseconds;

  // Sets, moves or (without a command) cancels one.
  void set(Alarm alarm, Time now);
  void clear();
  // The commands of those that are due.
  [[nodiscard]] std::vector<Arguments> take_due(Time now);

  [[nodiscard]] std::size_t size() const noexcept { return armed_.size(); }

 private:
  struct Armed {
    Time due{0};
    Arguments command;
  };

  std::unordered_map<std::uint64_t, Armed> armed_;
  std::set<std::pair<Time, std::uint64_t>> by_time_;
};

}  // namespace sunder::nodes::replica
