// The coordinator: one client's request over the keepers of its key, until R or W of them answered.

#include <algorithm>
#include <utility>

#include "nodes/quorum/core.hpp"
#include "nodes/quorum/limits.hpp"

namespace sunder::nodes::quorum {

std::size_t Core::writes_needed() const noexcept {
  const std::size_t less = options_.sabotage == Sabotage::ack_below_w ? 1 : 0;
  return options_.writes - std::min(less, options_.writes);
}

// None: there are enough nodes to try.
std::optional<Ending> Core::refusal(const std::vector<NodeId>& keepers, std::size_t needed) const {
  const bool leaks = options_.sabotage == Sabotage::leak_on_timeout;
  if (requests_.size() >= (leaks ? kLeakyRequestsMax : kRequestsMax)) return Ending::overloaded;
  const auto near = [this](NodeId node) { return is_near(node); };
  const auto all = static_cast<std::size_t>(std::ranges::count_if(options_.nodes, near));
  if (options_.sabotage == Sabotage::need_majority && all <= options_.nodes.size() / 2) {
    return Ending::no_quorum;
  }
  const auto kept = static_cast<std::size_t>(std::ranges::count_if(keepers, near));
  if ((options_.sloppy ? all : kept) < needed) return Ending::no_quorum;
  return std::nullopt;
}

void Core::take(Get& get) {
  Request request;
  request.client = get.id;
  request.key = std::move(get.key);
  request.keepers = ring_.keepers(request.key, options_.replicas);
  if (const auto refused = refusal(request.keepers, options_.reads)) {
    out_.answers.push_back({.id = get.id, .ending = *refused, .read = true, .value = {}});
    return;
  }
  ask_keepers(begin(std::move(request)));
}

void Core::take(Set& set) {
  Request request;
  request.client = set.id;
  request.write = true;
  request.key = std::move(set.key);
  request.keepers = ring_.keepers(request.key, options_.replicas);
  if (const auto refused = refusal(request.keepers, writes_needed())) {
    out_.answers.push_back({.id = set.id, .ending = *refused, .read = false, .value = {}});
    return;
  }
  request.version.value = std::move(set.value);
  request.version.stamp = clock_.next(set.wall);
  if (options_.sabotage == Sabotage::tie_without_order) {
    const std::int64_t coarse = set.wall - set.wall % kCoarseClock_ns;
    request.version.stamp = {.time = static_cast<std::uint64_t>(coarse) / 1000};
  }
  ask_keepers(begin(std::move(request)));
}

std::uint64_t Core::begin(Request request) {
  std::uint64_t number = ++numbers_;
  if (options_.sabotage == Sabotage::reuse_request_numbers) {
    number = 1;
    while (requests_.contains(number)) ++number;
  }
  request.begun = ticks_;
  const std::vector<NodeId> walk = ring_.walk(request.key);
  request.stand_ins.assign(walk.begin() + static_cast<std::ptrdiff_t>(request.keepers.size()),
                           walk.end());
  requests_.emplace(number, std::move(request));
  return number;
}

void Core::ask_keepers(std::uint64_t number) {
  Request& request = requests_.at(number);
  for (const NodeId keeper : request.keepers) {
    if (is_near(keeper)) {
      ask(number, keeper, kNobody);
    } else {
      ask_stand_in(number, keeper);
    }
  }
  request.asking = false;
  answer_when_enough(request);
  finish_when_done(number);
}

// Somebody stands in for a keeper: in a sloppy quorum with a voice, otherwise only this node, to
// hand the version off later.
void Core::ask_stand_in(std::uint64_t number, NodeId owner) {
  Request& request = requests_.at(number);
  while (options_.sloppy && !request.stand_ins.empty()) {
    const NodeId next = request.stand_ins.front();
    request.stand_ins.pop_front();
    if (!is_near(next)) continue;
    ask(number, next, owner);
    return;
  }
  if (request.write) keep_hint(owner, request.key, request.version);
}

void Core::ask(std::uint64_t number, NodeId node, NodeId owner) {
  Request& request = requests_.at(number);
  request.asked.emplace(node, owner);
  if (node != options_.id) {
    Message message;
    message.kind = request.write ? MessageKind::store : MessageKind::fetch;
    message.to = node;
    message.request = number;
    message.key = request.key;
    message.owner = owner;
    if (request.write) message.version = request.version;
    send(std::move(message));
  } else if (!request.write) {
    find(number, node, newest(request.key));
  } else {
    if (owner == kNobody) {
      keep(request.key, request.version);
    } else {
      keep_hint(owner, request.key, request.version);
    }
    hold(number);
  }
}

void Core::acknowledge(std::uint64_t number, NodeId node) {
  const auto found = requests_.find(number);
  if (found == requests_.end() || !found->second.write) return;
  Request& request = found->second;
  if (request.asked.erase(node) > 0) request.acknowledged.insert(node);
  answer_when_enough(request);
  finish_when_done(number);
}

// A number that was used before is another request's: reuse-request-numbers does not tell them
// apart, and without it no number is.
void Core::find(std::uint64_t number, NodeId node, std::optional<Version> version) {
  const auto found = requests_.find(number);
  if (found == requests_.end() || found->second.write) return;
  Request& request = found->second;
  if (request.asked.erase(node) > 0) request.found.insert_or_assign(node, std::move(version));
  answer_when_enough(request);
  finish_when_done(number);
}

void Core::answer_when_enough(Request& request) {
  const std::size_t have = request.write ? request.acknowledged.size() : request.found.size();
  if (request.answered || have < (request.write ? writes_needed() : options_.reads)) return;
  request.answered = true;
  Answer answer;
  answer.id = request.client;
  answer.read = !request.write;
  const Version* best = nullptr;
  for (const auto& [node, version] : request.found) {
    if (version && (best == nullptr || wins(*version, *best))) best = &*version;
  }
  if (best != nullptr) answer.value = best->value;
  out_.answers.push_back(std::move(answer));
}

// Whoever was asked and is silent gets a stand-in; a write is kept for it here as well.
void Core::replace_silent(std::uint64_t number) {
  Request& request = requests_.at(number);
  request.replaced = true;
  request.asking = true;
  const std::map<NodeId, NodeId> silent = request.asked;
  for (const auto& [node, owner] : silent) {
    if (node == options_.id) continue;
    const NodeId whose = owner == kNobody ? node : owner;
    if (request.write) keep_hint(whose, request.key, request.version);
    if (!request.answered) ask_stand_in(number, whose);
  }
  request.asking = false;
  finish_when_done(number);
}

void Core::finish_when_done(std::uint64_t number) {
  const auto found = requests_.find(number);
  if (found == requests_.end()) return;
  const Request& request = found->second;
  const bool all = request.asked.empty() || request.replaced;
  if (request.asking || !request.answered || !all) return;
  const Request done = std::move(found->second);
  // A node may be silent for ever, so whoever is forgotten only when all have answered piles up.
  const bool leaked = options_.sabotage == Sabotage::leak_on_timeout && done.replaced;
  if (leaked) {
    found->second = done;
  } else {
    requests_.erase(found);
  }
  if (!done.write) repair(done);
}

// Read repair: keepers that answered with less than the newest get it.
void Core::repair(const Request& request) {
  const Version* chosen = nullptr;
  const bool older = options_.sabotage == Sabotage::repair_with_older;
  for (const auto& [node, version] : request.found) {
    if (!version) continue;
    const bool better =
        chosen == nullptr || (older ? wins(*chosen, *version) : wins(*version, *chosen));
    if (better) chosen = &*version;
  }
  if (chosen == nullptr) return;
  for (const NodeId keeper : request.keepers) {
    const auto told = request.found.find(keeper);
    if (told == request.found.end() || (told->second && *told->second == *chosen)) continue;
    ++tally_.repaired;
    if (keeper == options_.id) {
      keep(request.key, *chosen, older);
      continue;
    }
    Message message;
    message.kind = MessageKind::store;
    message.to = keeper;
    message.key = request.key;
    message.version = *chosen;
    message.force = older;
    send(std::move(message));
  }
}

void Core::look_after_requests() {
  std::vector<std::uint64_t> silent;
  std::vector<std::uint64_t> late;
  for (const auto& [number, request] : requests_) {
    const std::uint64_t age = ticks_ - request.begun;
    if (age >= kRequestTicks && !request.answered) {
      late.push_back(number);
    } else if (age >= kSilentTicks && !request.replaced) {
      silent.push_back(number);
    }
  }
  for (const std::uint64_t number : silent) replace_silent(number);
  for (const std::uint64_t number : late) {
    Request& request = requests_.at(number);
    request.answered = true;
    out_.answers.push_back(
        {.id = request.client, .ending = Ending::timed_out, .read = !request.write, .value = {}});
    finish_when_done(number);
  }
}

}  // namespace sunder::nodes::quorum
