// Waiting: the writes that wait at the leader until there is something for them to do.
//
// The machine says what a write waits for and how many such writes would find something now; so
// many are let through, in the order they came, and the others wait until the machine's state
// changes or their time is over. Every write goes through the log in the end, one that found
// nothing too: a reply beside the log could be followed by a late copy of the same request.
//
// Threading: one owner. Times are of the monotonic clock, and come in as arguments.

#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "nodes/host/resp_server.hpp"
#include "nodes/raft/core.hpp"
#include "nodes/replica/machine.hpp"

namespace sunder::nodes::replica {

// Who waits for a reply: a client of this node, or a peer that forwarded a client's command.
struct Waiter {
  host::ReplySlot slot;
  raft::NodeId peer = raft::kNobody;
  std::uint64_t forward_id = 0;
  std::string waited_on = {};  // what the command waits for, if it is one that does
};

struct WaitingWrite {
  std::string data;  // of the log entry
  Arguments command;
  Waiter waiter;
};

class Waiting {
 public:
  static constexpr std::size_t kWaitingMax = 10'000;

  using Time = std::chrono::nanoseconds;

  explicit Waiting(const Machine& machine);

  // Whether the machine has commands that wait: otherwise nobody need ask.
  [[nodiscard]] bool possible() const noexcept { return possible_; }

  [[nodiscard]] bool full() const noexcept { return waiting_count_ >= kWaitingMax; }

  // True: the write may be proposed at once. False: it was kept (moved from).
  // Precondition: not full.
  [[nodiscard]] bool admit(WaitingWrite& write, Time now);
  // Those that may be proposed now.
  [[nodiscard]] std::vector<WaitingWrite> take_ready(Time now);
  // All, in no useful order: this node does not lead any more.
  [[nodiscard]] std::vector<WaitingWrite> take_all();
  // An admitted write was applied or refused.
  void done(std::string_view waited_on);

 private:
  struct Kept {
    WaitingWrite write;
    Time until{0};
  };

  struct Line {
    std::deque<Kept> kept;
    std::size_t admitted = 0;  // not done yet
  };

  void drop_if_idle(std::map<std::string, Line, std::less<>>::iterator line);

  const Machine& machine_;
  bool possible_;
  std::map<std::string, Line, std::less<>> lines_;  // by what they wait for
  std::size_t waiting_count_ = 0;
};

}  // namespace sunder::nodes::replica
