#include "tests/unit/quorum/simulation.hpp"

#include <algorithm>

namespace sunder::nodes::quorum {

Simulation::Simulation(SimulationOptions options) : options_(options) {
  for (NodeId node = 1; node <= options_.nodes; ++node) nodes_[node];
  for (NodeId node = 1; node <= options_.nodes; ++node) restart(node);
}

Options Simulation::options_of(NodeId node) const {
  Options options;
  options.id = node;
  for (NodeId other = 1; other <= options_.nodes; ++other) options.nodes.push_back(other);
  options.replicas = options_.replicas;
  options.reads = options_.reads;
  options.writes = options_.writes;
  options.sloppy = options_.sloppy;
  options.sabotage = options_.sabotage;
  return options;
}

std::size_t Simulation::get(NodeId node, const std::string& key) {
  const std::size_t number = operations_.size();
  operations_.push_back({.key = key, .read = true, .value = {}, .invoked = ++now_});
  nodes_.at(node).waiting[number] = number;
  step(node, Get{.id = number, .key = key});
  return number;
}

std::size_t Simulation::set(NodeId node, const std::string& key, const std::string& value) {
  const std::size_t number = operations_.size();
  operations_.push_back({.key = key, .read = false, .value = value, .invoked = ++now_});
  nodes_.at(node).waiting[number] = number;
  wall_ += 1000;
  step(node, Set{.id = number, .key = key, .value = value, .wall = wall_});
  return number;
}

void Simulation::isolate(const std::set<NodeId>& side) {
  for (const auto& [one, node] : nodes_) {
    for (const auto& [other, unused] : nodes_) {
      if (side.contains(one) && !side.contains(other)) cut(one, other);
    }
  }
}

void Simulation::crash(NodeId node) {
  Node& crashed = nodes_.at(node);
  crashed.core.reset();
  crashed.unflushed.clear();
  crashed.waiting.clear();
}

void Simulation::restart(NodeId number) {
  Node& node = nodes_.at(number);
  Recovered recovered;
  for (const auto& [name, bytes] : node.disk) {
    Item item{.key = name.second, .version = decode_version(bytes).value()};
    if (name.first == kNobody) {
      recovered.items.push_back(std::move(item));
    } else {
      recovered.hints.push_back({.owner = name.first, .item = std::move(item)});
    }
  }
  node.core = std::make_unique<Core>(options_of(number), recovered);
}

void Simulation::step(NodeId number, Input input) {
  Node& node = nodes_.at(number);
  Effects effects = node.core->step(std::move(input));
  if (effects.sequence != 0) {
    node.unflushed.emplace_back(effects.sequence, std::move(effects.writes));
  }
  for (Message& message : effects.messages) {
    // What the wire carries, not what the core holds.
    Message sent = decode_message(encode(message)).value();
    sent.from = message.from;
    sent.to = message.to;
    network_.push_back(std::move(sent));
  }
  for (Answer& answer : effects.answers) {
    const auto found = node.waiting.find(answer.id);
    if (found == node.waiting.end()) continue;
    Operation& operation = operations_[found->second];
    node.waiting.erase(found);
    operation.completed = ++now_;
    operation.ending = answer.ending;
    if (operation.read) operation.value = std::move(answer.value);
  }
  for (const Event& event : effects.events) {
    counts_[std::string(event.name)] += event.numbers.empty() ? 1 : event.numbers.front().second;
  }
}

void Simulation::tick() {
  wall_ += 20'000'000;
  for (auto& [number, node] : nodes_) {
    if (node.core) step(number, Tick());
  }
}

void Simulation::flush(NodeId number) {
  Node& node = nodes_.at(number);
  if (!node.core || node.unflushed.empty()) return;
  std::uint64_t last = 0;
  for (auto& [sequence, changes] : node.unflushed) {
    last = sequence;
    for (const Change& change : changes) {
      const std::pair name(change.owner, change.key);
      if (change.version) {
        node.disk[name] = encode(*change.version);
      } else {
        node.disk.erase(name);
      }
    }
  }
  node.unflushed.clear();
  step(number, Written{.sequence = last});
}

void Simulation::deliver(Message message) {
  if (cut_.contains(std::minmax(message.from, message.to)) || !is_up(message.to)) return;
  const NodeId to = message.to;
  step(to, Receive{.message = std::move(message)});
}

void Simulation::deliver_one(base::Random& random) {
  if (network_.empty()) return;
  const auto at = static_cast<std::ptrdiff_t>(random.below(network_.size()));
  Message message = std::move(network_[static_cast<std::size_t>(at)]);
  network_.erase(network_.begin() + at);
  deliver(std::move(message));
}

void Simulation::lose_one(base::Random& random) {
  if (network_.empty()) return;
  network_.erase(network_.begin() + static_cast<std::ptrdiff_t>(random.below(network_.size())));
}

void Simulation::settle() {
  for (int i = 0; i < 1000; ++i) {
    std::vector<Message> under_way;
    under_way.swap(network_);
    for (Message& message : under_way) deliver(std::move(message));
    bool flushed = false;
    for (auto& [number, node] : nodes_) {
      flushed = flushed || (node.core && !node.unflushed.empty());
      flush(number);
    }
    if (network_.empty() && !flushed) return;
  }
}

void Simulation::run(unsigned ticks) {
  for (unsigned i = 0; i < ticks; ++i) {
    tick();
    settle();
  }
}

bool Simulation::agree() {
  for (auto& [one, node] : nodes_) {
    for (auto& [other, peer] : nodes_) {
      if (one == other || !node.core || !peer.core) continue;
      if (node.core->versions().digest_with(other) != peer.core->versions().digest_with(one)) {
        return false;
      }
    }
  }
  return true;
}

std::uint64_t Simulation::counted(std::string_view event) const {
  const auto found = counts_.find(event);
  return found == counts_.end() ? 0 : found->second;
}

}  // namespace sunder::nodes::quorum
