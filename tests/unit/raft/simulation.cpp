// The simulated cluster's disks, links and clients.

#include "tests/unit/raft/simulation.hpp"

#include <algorithm>
#include <limits>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sunder::nodes::raft {
namespace {

std::string joined(const std::vector<std::string>& list) {
  return fmt::format("{}", fmt::join(list, " "));
}

std::vector<std::string> split(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

}  // namespace

Simulation::Simulation(const SimulationOptions& options) : options_(options) {
  if (options_.members == 0) options_.members = options_.nodes;
  for (NodeId node = 1; node <= options_.nodes; ++node) {
    machines_[node].held = options_.slow_disks;
    restart(node);
  }
}

void Simulation::tick(NodeId node) {
  step(node, Tick{.wall = wall(node)});
}

bool Simulation::deliver(Link link, std::size_t position) {
  auto& queue = links_[link];
  if (position >= queue.size()) return false;
  const auto at = queue.begin() + static_cast<std::ptrdiff_t>(position);
  Message message = std::move(*at);
  queue.erase(at);
  if (!is_up(link.second)) return false;
  if (options_.trace_messages) note(raft::describe(message));
  step(link.second, Receive{.message = std::move(message), .wall = wall(link.second)});
  return true;
}

bool Simulation::drop(Link link, std::size_t position) {
  auto& queue = links_[link];
  if (position >= queue.size()) return false;
  queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(position));
  return true;
}

bool Simulation::duplicate(Link link) {
  auto& queue = links_[link];
  if (queue.empty()) return false;
  queue.push_back(Message(queue.front()));
  return true;
}

void Simulation::deliver_all() {
  constexpr std::size_t kDeliveriesMax = 100'000;
  std::size_t deliveries = 0;
  for (bool any = true; any && deliveries < kDeliveriesMax;) {
    any = false;
    for (NodeId from = 1; from <= options_.nodes; ++from) {
      for (NodeId to = 1; to <= options_.nodes; ++to) {
        const Link link{from, to};
        for (std::size_t count = links_[link].size(); count > 0; --count) {
          deliver(link);
          ++deliveries;
          any = true;
        }
      }
    }
  }
}

void Simulation::run(std::size_t rounds) {
  for (std::size_t round = 0; round < rounds; ++round) {
    for (NodeId node = 1; node <= options_.nodes; ++node) tick(node);
    deliver_all();
  }
}

void Simulation::propose(NodeId node, const std::string& command) {
  const std::uint64_t id = next_id_++;
  operations_[id] = {.name = command, .floor = highest_position_};
  step(node, Propose{.id = id, .data = command});
}

void Simulation::read(NodeId node, const std::string& name) {
  const std::uint64_t id = next_id_++;
  operations_[id] = {.name = name, .floor = highest_position_, .is_read = true};
  step(node, Read{.id = id, .wall = wall(node)});
}

void Simulation::transfer(NodeId from, NodeId to) {
  step(from, TransferLeadership{.target = to});
}

void Simulation::take_snapshot(NodeId node) {
  if (!is_up(node)) return;
  const Machine& at = machine(node);
  // With writes waiting, the core has handed out entries that the list does not hold yet.
  if (!at.waiting.empty()) return;
  step(node, SnapshotTaken{.index = at.core->applied_index(), .data = joined(at.list)});
}

void Simulation::change_member(NodeId node, NodeId other, bool add) {
  const std::uint64_t id = next_id_++;
  operations_[id] = {.name = fmt::format("{} n{}", add ? "add" : "remove", other),
                     .is_change = true};
  step(node, ChangeMember{.id = id, .node = other, .add = add});
}

void Simulation::crash(NodeId node) {
  machine(node).core.reset();
  machine(node).waiting.clear();
  machine(node).list.clear();
}

void Simulation::restart(NodeId node) {
  if (is_up(node)) return;
  Machine& at = machine(node);
  Options options{.id = node,
                  .configuration = {},
                  .seed = options_.seed + at.incarnation++,
                  .election_ticks = options_.election_ticks,
                  .message_entries_max = options_.message_entries_max,
                  .sabotage = options_.sabotage};
  for (NodeId voter = 1; voter <= options_.members && node <= options_.members; ++voter) {
    options.configuration.voters.push_back(voter);
  }
  at.sequence = 0;
  at.core = std::make_unique<Core>(options, at.disk);
  if (at.disk.snapshot.index > 0) at.list = split(*at.disk.snapshot.data);
  take(node, at.core->start());
}

void Simulation::release_disk(NodeId node) {
  machine(node).held = false;
  while (sync(node)) {
  }
}

// One write, and everything that waited only for it.
bool Simulation::sync(NodeId node) {
  Machine& at = machine(node);
  if (at.waiting.empty()) return false;
  do {
    const Effects effects = std::move(at.waiting.front());
    at.waiting.pop_front();
    complete(node, effects);
  } while (!at.waiting.empty() && !at.waiting.front().has_writes());
  return true;
}

void Simulation::step(NodeId node, Input input) {
  if (!is_up(node)) return;
  take(node, machine(node).core->step(std::move(input)));
}

// The shell's order: messages that need no disk at once, everything else behind the writes before
// it.
void Simulation::take(NodeId node, Effects effects) {
  for (const OutgoingMessage& outgoing : effects.messages) {
    if (!outgoing.after_persist) post(outgoing);
  }
  Machine& at = machine(node);
  if (!at.waiting.empty() || (at.held && effects.has_writes())) {
    at.waiting.push_back(std::move(effects));
    return;
  }
  complete(node, std::move(effects));
}

void Simulation::complete(NodeId node, Effects effects) {
  write(machine(node).disk, effects);
  for (const OutgoingMessage& outgoing : effects.messages) {
    if (outgoing.after_persist) post(outgoing);
  }
  for (const Event& event : effects.events) tell(node, event);
  apply(node, effects);
  if (effects.has_writes()) step(node, Persisted{effects.sequence});
}

void Simulation::write(Recovered& disk, const Effects& effects) {
  if (effects.hard_state) disk.hard_state = *effects.hard_state;
  const auto drop_from = [&disk](Index from) {
    std::erase_if(disk.entries, [from](const Entry& entry) { return entry.index >= from; });
  };
  if (effects.snapshot) {
    disk.snapshot = *effects.snapshot;
    if (effects.install_snapshot) disk.entries.clear();
    std::erase_if(disk.entries,
                  [&disk](const Entry& entry) { return entry.index <= disk.snapshot.index; });
  }
  if (effects.truncate_from) drop_from(*effects.truncate_from);
  for (const Entry& entry : effects.entries) disk.entries.push_back(entry);
}

void Simulation::post(const OutgoingMessage& outgoing) {
  const Link link{outgoing.message.from, outgoing.message.to};
  if (!cuts_.contains(link)) links_[link].push_back(outgoing.message);
}

void Simulation::apply(NodeId node, const Effects& effects) {
  Machine& at = machine(node);
  if (effects.install_snapshot) at.list = split(*effects.snapshot->data);
  std::vector<Entry> applied;
  for (const Committed& committed : effects.apply) {
    applied.push_back(committed.entry);
    if (committed.entry.kind == EntryKind::command) at.list.push_back(committed.entry.data);
    if (committed.proposal) answer(node, *committed.proposal);
  }
  for (const Event& event : applied_events(applied)) tell(node, event);
  for (const ReadReady& ready : effects.reads) answer(node, ready.id);
  for (const Rejection& rejection : effects.rejections) {
    note(fmt::format("n{} rejects {}: {}{}",
                     node,
                     operations_[rejection.id].name,
                     name_of(rejection.reason),
                     rejection.definite ? "" : " (perhaps committed)"));
    operations_.erase(rejection.id);
  }
}

void Simulation::answer(NodeId node, std::uint64_t id) {
  const auto found = operations_.find(id);
  if (found == operations_.end()) return client_violation(fmt::format("{} answered twice", id));
  const Operation operation = found->second;
  operations_.erase(found);
  if (operation.is_change) {
    ++members_changed_;
    return note(fmt::format("n{} answers {}", node, operation.name));
  }
  ++answered_;
  const auto& list = machine(node).list;
  const std::size_t position = list.size();
  note(operation.is_read ? fmt::format("n{} answers {}: {}", node, operation.name, joined(list))
                         : fmt::format("n{} answers {}", node, operation.name));
  if (position < operation.floor + (operation.is_read ? 0 : 1)) {
    client_violation(
        fmt::format("n{} answered {} at position {}, though {} was answered before it began",
                    node,
                    operation.name,
                    position,
                    operation.floor));
  }
  highest_position_ = std::max(highest_position_, position);
  answers_.push_back({.name = operation.name,
                      .position = position,
                      .is_read = operation.is_read,
                      .list = operation.is_read ? joined(list) : std::string()});
}

void Simulation::tell(NodeId node, const Event& event) {
  note(fmt::format("n{} {}", node, raft::describe(event)));
  history::NodeEvent told;
  told.node = fmt::format("n{}", node);
  told.sequence = ++machine(node).sequence;
  told.event = std::string(event.name);
  for (const auto& [name, number] : event.numbers) {
    told.numbers.emplace_back(std::string(name), static_cast<std::int64_t>(number));
  }
  if (event.voters) told.texts.emplace_back("voters", *event.voters);
  if (event.hash) told.texts.emplace_back("hash", hash_text(*event.hash));
  observer_.observe(told);
}

void Simulation::note(std::string line) {
  if (options_.trace) trace_.push_back(std::move(line));
}

void Simulation::client_violation(std::string sentence) {
  client_violations_.push_back("linearizability: " + std::move(sentence));
}

NodeId Simulation::leader() const {
  NodeId best = kNobody;
  for (const auto& [node, at] : machines_) {
    if (at.core == nullptr || at.core->role() != Role::leader) continue;
    if (best == kNobody || at.core->term() > core(best).term()) best = node;
  }
  return best;
}

std::string Simulation::describe(NodeId node) const {
  if (!is_up(node)) return fmt::format("n{} down", node);
  const Core& at = core(node);
  std::string line = fmt::format("n{} {} t{} commit={} applied={}",
                                 node,
                                 name_of(at.role()),
                                 at.term(),
                                 at.commit_index(),
                                 at.applied_index());
  if (at.snapshot().index > 0) line += fmt::format(" snapshot={}", at.snapshot().index);
  line += " log=";
  for (Index index = at.log().base().index + 1; index <= at.log().last_index(); ++index) {
    const Entry& entry = at.log().at(index);
    line += fmt::format("{}{}:{}{}",
                        index == at.log().base().index + 1 ? "" : " ",
                        entry.term,
                        entry.kind == EntryKind::noop ? "-" : "",
                        entry.data);
  }
  if (options_.members < options_.nodes) line += " voters=" + to_text(at.configuration());
  return line;
}

void Simulation::settle_and_check() {
  heal();
  for (auto& [node, at] : machines_) {
    restart(node);
    release_disk(node);
  }
  deliver_all();
  // Long enough for several split votes; the last proposal shows that the cluster works again.
  constexpr std::size_t kAttemptsMax = 60;
  bool works = false;
  for (std::size_t attempt = 0; attempt < kAttemptsMax && !works; ++attempt) {
    run(2 * std::size_t{options_.election_ticks});
    const std::size_t before = answered_;
    if (leader() == kNobody) continue;
    propose(leader(), fmt::format("settled{}", attempt));
    run(options_.election_ticks);
    works = answered_ > before;
  }
  if (!works) return client_violation("the healed cluster answers nobody");
  run(3 * std::size_t{options_.election_ticks});
  if (leader() == kNobody) return client_violation("the healed cluster loses its leader");
  check_final_list(core(leader()).configuration());
  observer_.conclude();
}

void Simulation::check_final_list(const Configuration& members) {
  std::vector<std::string> list;
  for (const auto& [node, at] : machines_) {
    if (at.list.size() > list.size()) list = at.list;
  }
  for (const auto& [node, at] : machines_) {
    if (at.list == list || !members.contains(node)) continue;
    client_violation(fmt::format("n{} ended with another list of {} instead of {}: {}",
                                 node,
                                 at.list.size(),
                                 list.size(),
                                 describe(node)));
  }
  const std::string text = joined(list) + " ";
  for (const Answer& answered : answers_) {
    if (answered.is_read) {
      const bool prefix = answered.list.empty() || text.starts_with(answered.list + " ");
      if (!prefix) client_violation(fmt::format("{} returned what never was", answered.name));
    } else if (answered.position > list.size() || list[answered.position - 1] != answered.name) {
      client_violation(fmt::format("{} was answered and is lost", answered.name));
    }
  }
}

std::vector<std::string> Simulation::violations() const {
  std::vector<std::string> all;
  for (const auto& violation : observer_.violations()) {
    all.push_back(fmt::format("{}: {}", violation.invariant, violation.sentence));
  }
  all.insert(all.end(), client_violations_.begin(), client_violations_.end());
  return all;
}

}  // namespace sunder::nodes::raft
