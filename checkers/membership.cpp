// Membership: whoever the members are, one majority decides.
//
// The observer of a replicated log (replicated_log.hpp) follows the configuration in force on each
// node: a leader begins no change before the last is committed, all nodes commit the same members
// at the same index, and what a leader committed was on the disks of a majority of its voters at
// that time. Any violation of the log's invariants breaks this promise, too: two majorities that do
// not meet show as two leaders' logs that differ.
//
// Exercised: at least `changes_min` (1) changes of members were committed, and as many of leaders'
// commits were compared with what their voters held.

#include <fmt/format.h>

#include "checkers/outcomes.hpp"
#include "checkers/replicated_log.hpp"

namespace sunder::checkers {

CheckerInfo membership_info();

namespace {

Verdict check_membership(const history::History& /*history*/,
                         const CheckOptions& options,
                         std::stop_token stop) {
  if (options.context == nullptr) return needs_a_run();
  Verdict verdict;
  ReplicatedLogObserver observer;
  for (const history::NodeEvent& event : options.context->events) {
    if (stop.stop_requested()) {
      verdict.summary = "Stopped before all node events were compared.";
      return verdict;
    }
    observer.observe(event);
  }
  observer.conclude();
  const auto wanted = static_cast<std::size_t>(parameter(options, "changes_min", 1));
  const std::string seen = fmt::format(
      "{} changes of members were committed, and {} commits of leaders compared with "
      "what their voters held",
      observer.configurations(),
      observer.quorums());
  if (observer.violation_count() > 0) {
    const LogViolation& first = observer.violations().front();
    verdict.kind = VerdictKind::broken;
    verdict.summary = fmt::format("{}: {}; {}", first.invariant, first.sentence, seen);
  } else if (observer.configurations() < wanted || observer.quorums() < wanted) {
    verdict.kind = VerdictKind::not_exercised;
    verdict.summary = fmt::format("{}; {} are needed", seen, wanted);
  } else {
    verdict.kind = VerdictKind::kept;
    verdict.summary = seen;
  }
  verdict.measurements = {
      {.name = "changes of members",
       .value = static_cast<double>(observer.configurations()),
       .unit = {}},
      {.name = "quorums compared", .value = static_cast<double>(observer.quorums()), .unit = {}}};
  return verdict;
}

}  // namespace

CheckerInfo membership_info() {
  return {.name = "membership",
          .summary =
              "Members change one at a time, and each commit has a majority of those in "
              "force.",
          .check = check_membership};
}

}  // namespace sunder::checkers
