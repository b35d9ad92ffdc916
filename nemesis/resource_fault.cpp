#include "nemesis/resource_fault.hpp"

#include <csignal>

#include <fmt/format.h>

namespace sunder::nemesis {

ResourceFault::ResourceFault(NemesisContext& context,
                             const PlannedFault& planned,
                             ResolvedTargets targets)
    : ProcessFault(context, planned, std::move(targets)), planned_(planned) {
  record_.porous = true;
}

ResourceFault::~ResourceFault() = default;

boost::asio::awaitable<Result<void>> ResourceFault::begin() {
  for (const Victim& victim : victims_) context_.cluster.tolerate_end(victim.node, true);
  tolerated_ = true;
  for (std::size_t i = 0; i < victims_.size(); ++i) {
    restricted_ = i + 1;
    auto restricted = restrict(i);
    if (restricted.has_error()) co_return restricted;
    victims_[i].since = context_.clock.now();
  }
  stands();
  co_return Result<void>();
}

bool ResourceFault::lives(const Victim& victim) const {
  if (context_.cluster.pid(victim.node) != victim.pid) return false;
  const char state = process_state(victim.pid);
  return state != 0 && state != 'Z' && state != 'X';
}

Result<void> ResourceFault::undo() {
  Result<void> outcome;
  std::size_t ended = 0;
  const auto note = [&outcome](const Result<void>& done) {
    if (done.has_error() && outcome.has_value()) outcome = done;
  };
  for (std::size_t i = 0; i < restricted_; ++i) {
    const Victim& victim = victims_[i];
    if (lives(victim)) {
      note(restore(i));
      continue;
    }
    const bool unreaped = context_.cluster.pid(victim.node) == victim.pid;
    // Whoever killed it, if it did not end by itself, starts it again.
    if (!unreaped && !context_.cluster.own_end(victim.node)) continue;
    ++ended;
    // So that the cluster knows that it is over.
    if (unreaped) (void)context_.cluster.signal(victim.node, SIGKILL);
    const std::string how = context_.cluster.how_ended(victim.node);
    record_.description +=
        fmt::format(" (n{} ended{}, started again)", victim.node + 1, unreaped ? "" : ": " + how);
    note(context_.cluster.start(victim.node));
  }
  if (tolerated_) {
    for (const Victim& victim : victims_) context_.cluster.tolerate_end(victim.node, false);
  }
  if (ended > 0) record_.evidence.push_back({"ended of it", static_cast<double>(ended), "nodes"});
  const std::string reason = prove(ended);
  if (!reason.empty()) not_exercised(reason);
  return outcome;
}

}  // namespace sunder::nemesis
