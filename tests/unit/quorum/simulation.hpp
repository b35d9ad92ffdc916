// A simulated quorum store: cores, disks that lose what was not flushed, a network that is cut,
// loses and reorders. Everything happens when the test says so.
//
// Threading: one owner. Same calls, same results.

#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/random.hpp"
#include "nodes/quorum/core.hpp"

namespace sunder::nodes::quorum {

struct SimulationOptions {
  std::size_t nodes = 5;
  std::size_t replicas = 3;
  std::size_t reads = 1;
  std::size_t writes = 1;
  bool sloppy = true;
  Sabotage sabotage = Sabotage::none;
};

// One client's command; times are steps of the simulation.
struct Operation {
  std::string key;
  bool read = false;
  std::optional<std::string> value;  // written, or read
  std::uint64_t invoked = 0;
  std::uint64_t completed = 0;  // 0: not yet
  Ending ending = Ending::timed_out;

  [[nodiscard]] bool ok() const { return completed != 0 && ending == Ending::ok; }
};

class Simulation {
 public:
  explicit Simulation(SimulationOptions options);

  // The number of the operation.
  std::size_t get(NodeId node, const std::string& key);
  std::size_t set(NodeId node, const std::string& key, const std::string& value);

  [[nodiscard]] const Operation& operation(std::size_t number) const { return operations_[number]; }

  [[nodiscard]] const std::vector<Operation>& operations() const { return operations_; }

  void cut(NodeId one, NodeId other) { cut_.insert(std::minmax(one, other)); }

  void isolate(const std::set<NodeId>& side);

  void heal() { cut_.clear(); }

  // What is not on its disk is gone.
  void crash(NodeId node);
  void restart(NodeId node);

  [[nodiscard]] bool is_up(NodeId node) const { return nodes_.at(node).core != nullptr; }

  void tick();
  void flush(NodeId node);
  // One message, any of them.
  void deliver_one(base::Random& random);
  void lose_one(base::Random& random);
  // Delivers and flushes until nothing is under way.
  void settle();
  // So many ticks, with everything delivered after each.
  void run(unsigned ticks);

  [[nodiscard]] Core& core(NodeId node) { return *nodes_.at(node).core; }

  // Whether all nodes that are up hold the same, with each other.
  [[nodiscard]] bool agree();
  [[nodiscard]] std::uint64_t counted(std::string_view event) const;

 private:
  struct Node {
    std::unique_ptr<Core> core;  // null: down
    std::map<std::pair<NodeId, std::string>, std::string> disk;
    std::deque<std::pair<std::uint64_t, std::vector<Change>>> unflushed;
    std::map<std::uint64_t, std::size_t> waiting;  // the core's id → operation
  };

  void step(NodeId node, Input input);
  void deliver(Message message);
  [[nodiscard]] Options options_of(NodeId node) const;

  SimulationOptions options_;
  std::map<NodeId, Node> nodes_;
  std::vector<Message> network_;
  std::set<std::pair<NodeId, NodeId>> cut_;
  std::vector<Operation> operations_;
  std::map<std::string, std::uint64_t, std::less<>> counts_;
  std::uint64_t now_ = 0;  // steps
  std::int64_t wall_ = 1'700'000'000'000'000'000;
};

}  // namespace sunder::nodes::quorum
