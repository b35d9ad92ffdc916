#include "nemesis/process_fault.hpp"

#include <fmt/format.h>

#include "harness/base/assert.hpp"
#include "harness/base/file.hpp"
#include "harness/history/operation.hpp"

namespace sunder::nemesis {

// The letter stands after the command, which may hold spaces and parentheses.
char process_state(int pid) {
  const auto text = base::read_file(fmt::format("/proc/{}/stat", pid));
  if (text.has_error()) return 0;
  const std::size_t close = text->rfind(')');
  return close == std::string::npos || close + 2 >= text->size() ? '\0' : (*text)[close + 2];
}

ProcessFault::ProcessFault(NemesisContext& context,
                           const PlannedFault& planned,
                           ResolvedTargets targets)
    : context_(context) {
  record_.id = planned.id;
  record_.family = planned.family;
  record_.shape = planned.shape;
  record_.description =
      fmt::format("{} {}: {}",
                  planned.family,
                  planned.shape,
                  targets.nodes.empty() ? "nothing" : join_nodes(targets.nodes, ","));
  if (!targets.remark.empty()) record_.description += fmt::format(" ({})", targets.remark);
  record_.exercised = !targets.nodes.empty();
  if (targets.nodes.empty()) record_.reason = targets.remark;
  for (const std::size_t node : targets.nodes) {
    victims_.push_back({node, context.cluster.pid(node), 0});
    record_.targets.push_back(context.cluster.name(static_cast<cluster::Endpoint>(node)));
  }
  record_.disabled_nodes = record_.targets;
  record_.applying.begin = context.clock.now();
}

void ProcessFault::stands() {
  record_.applying.end = context_.clock.now();
  record_.active = {record_.applying.end, history::kNever};
}

Result<void> ProcessFault::heal() {
  SUNDER_ASSERT(!healed_);
  healed_ = true;
  if (record_.active.end != history::kNever) stands();  // applying failed half-way
  record_.active.end = context_.clock.now();
  auto undone = undo();
  record_.healed = context_.clock.now();
  if (undone.has_error()) return with_context(undone.error(), "heal " + record_.description);
  return {};
}

void ProcessFault::heal_at_last() noexcept {
  if (!healed_) (void)heal();
}

Result<void> ProcessFault::signal_all(int number) {
  std::vector<Victim> reached;
  for (const Victim& victim : victims_) {
    const bool down = context_.cluster.state(victim.node) == cluster::NodeState::down;
    const auto sent = down ? Result<void>() : context_.cluster.signal(victim.node, number);
    if (sent.has_error() && sent.error().code != std::errc::no_such_process) return sent;
    if (!down && sent.has_value()) {
      reached.push_back(victim);
    } else {
      record_.description += fmt::format(" (n{} had ended by itself)", victim.node + 1);
    }
  }
  if (reached.empty() && !victims_.empty()) not_exercised("its nodes had ended by themselves");
  victims_ = std::move(reached);
  return {};
}

Result<void> ProcessFault::start_all_again() {
  Result<void> outcome;
  for (const Victim& victim : victims_) {
    auto started = start_again(victim);
    if (started.has_error() && outcome.has_value()) outcome = started;
  }
  return outcome;
}

Result<void> ProcessFault::start_again(const Victim& victim) {
  if (context_.cluster.state(victim.node) != cluster::NodeState::down) {
    not_exercised(fmt::format("n{} was up before the fault ended", victim.node + 1));
    return {};
  }
  const double down = static_cast<double>(context_.clock.now() - victim.since) / 1e6;
  SUNDER_TRY(context_.cluster.start(victim.node));
  add_evidence(victim, "pid restarted", context_.cluster.pid(victim.node), "");
  add_evidence(victim, "down", down, "ms");
  if (context_.cluster.pid(victim.node) == victim.pid) {
    not_exercised(fmt::format("n{} still has its old process", victim.node + 1));
  }
  return {};
}

void ProcessFault::add_evidence(const Victim& victim,
                                std::string what,
                                double value,
                                std::string unit) {
  record_.evidence.push_back(
      {fmt::format("n{} {}", victim.node + 1, what), value, std::move(unit)});
}

void ProcessFault::not_exercised(std::string reason) {
  record_.exercised = false;
  if (record_.reason.empty()) record_.reason = std::move(reason);
}

}  // namespace sunder::nemesis
