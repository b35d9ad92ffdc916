// A simulated Raft cluster: cores, their disks, the links between them, and clients whose answers
// are checked.
//
// Everything happens in single steps that the caller chooses (a script or a seeded generator):
// deliver, drop or duplicate one message, one tick, one disk write, a crash. The state machine is a
// list to which every command appends itself; reads return it. So a client's answer is a position
// in the list, and linearizability is: positions never fall from one answered operation to the next
// one begun, and the final list holds every answer.
//
// Threading: one owner.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "checkers/replicated_log.hpp"
#include "nodes/raft/core.hpp"

namespace sunder::nodes::raft {

struct SimulationOptions {
  NodeId nodes = 3;
  NodeId members = 0;  // the first voters are n1 … of so many; 0: all nodes. The others are to join
  std::uint64_t seed = 1;
  Sabotage sabotage = Sabotage::none;
  unsigned election_ticks = 10;
  std::size_t message_entries_max = 256;
  bool slow_disks = false;  // writes wait for sync()
  bool trace = false;
  bool trace_messages = false;  // the trace has delivered messages, too
};

class Simulation {
 public:
  using Link = std::pair<NodeId, NodeId>;  // from, to

  explicit Simulation(const SimulationOptions& options);

  void tick(NodeId node);
  // Delivers the link's message at `position`; false if there is none, or its receiver is down (it
  // is lost then).
  bool deliver(Link link, std::size_t position = 0);
  bool drop(Link link, std::size_t position = 0);
  // Puts a copy of the link's first message at its end.
  bool duplicate(Link link);
  void deliver_all();
  // One tick everywhere, then everything is delivered; `rounds` times.
  void run(std::size_t rounds);

  void propose(NodeId node, const std::string& command);
  void read(NodeId node, const std::string& name);
  void transfer(NodeId from, NodeId to);
  void take_snapshot(NodeId node);
  // Asks `node` to add or remove another as a member.
  void change_member(NodeId node, NodeId other, bool add);

  // Loses memory and writes that were not synced; messages under way stay under way.
  void crash(NodeId node);
  void restart(NodeId node);

  // Messages sent on the link from now on are lost.
  void cut(Link link) { cuts_.insert(link); }

  void heal() { cuts_.clear(); }

  // Moves the node's realtime clock by so many steps of the simulation, for good.
  void move_clock(NodeId node, std::int64_t steps) { machine(node).clock += steps; }

  void hold_disk(NodeId node) { machine(node).held = true; }

  // Completes all waiting writes, or one.
  void release_disk(NodeId node);
  bool sync(NodeId node);

  // Heals, restarts, lets the cluster settle and compares every client's answers with the final
  // list.
  void settle_and_check();

  [[nodiscard]] bool is_up(NodeId node) const { return machines_.at(node).core != nullptr; }

  [[nodiscard]] const Core& core(NodeId node) const { return *machines_.at(node).core; }

  [[nodiscard]] NodeId node_count() const noexcept { return options_.nodes; }

  [[nodiscard]] const std::map<Link, std::deque<Message>>& links() const noexcept { return links_; }

  // The up node that leads the highest term, or kNobody.
  [[nodiscard]] NodeId leader() const;
  // "n1 leader t2 commit=3 applied=3 log=1:1 2:2 3:2 list=a b".
  [[nodiscard]] std::string describe(NodeId node) const;

  [[nodiscard]] std::vector<std::string> take_trace() { return std::exchange(trace_, {}); }

  void note(std::string line);

  // Of the observer and of the clients, "invariant: sentence".
  [[nodiscard]] std::vector<std::string> violations() const;

  [[nodiscard]] const checkers::ReplicatedLogObserver& observer() const noexcept {
    return observer_;
  }

  [[nodiscard]] std::size_t answered() const noexcept { return answered_; }

  [[nodiscard]] std::size_t members_changed() const noexcept { return members_changed_; }

 private:
  struct Machine {
    std::unique_ptr<Core> core;  // null while down
    Recovered disk;
    std::deque<Effects> waiting;  // their writes are not synced yet
    bool held = false;
    std::vector<std::string> list;  // the state machine
    std::uint64_t sequence = 0;     // of events
    std::size_t incarnation = 0;
    std::int64_t clock = 0;  // ahead of the time
  };

  struct Operation {
    std::string name;
    std::size_t floor = 0;  // the highest position answered when it began
    bool is_read = false;
    bool is_change = false;  // of members
  };

  struct Answer {
    std::string name;
    std::size_t position = 0;
    bool is_read = false;
    std::string list;  // what a read returned
  };

  // The node's realtime clock; every reading is later than the one before, unless it was moved.
  [[nodiscard]] std::int64_t wall(NodeId node) { return ++time_ + machine(node).clock; }

  [[nodiscard]] Machine& machine(NodeId node) { return machines_.at(node); }

  void step(NodeId node, Input input);
  void take(NodeId node, Effects effects);
  void complete(NodeId node, Effects effects);
  static void write(Recovered& disk, const Effects& effects);
  void post(const OutgoingMessage& outgoing);
  void apply(NodeId node, const Effects& effects);
  void answer(NodeId node, std::uint64_t id);
  void tell(NodeId node, const Event& event);
  void client_violation(std::string sentence);
  void check_final_list(const Configuration& members);

  SimulationOptions options_;
  std::map<NodeId, Machine> machines_;
  std::map<Link, std::deque<Message>> links_;
  std::set<Link> cuts_;
  std::map<std::uint64_t, Operation> operations_;  // not yet answered
  std::vector<Answer> answers_;
  std::uint64_t next_id_ = 1;
  std::int64_t time_ = 1'000'000;
  std::size_t highest_position_ = 0;
  std::size_t answered_ = 0;
  std::size_t members_changed_ = 0;
  std::vector<std::string> client_violations_;
  checkers::ReplicatedLogObserver observer_;
  std::vector<std::string> trace_;
};

}  // namespace sunder::nodes::raft
