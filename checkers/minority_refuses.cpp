// Minority refuses: nothing that a client invokes while no majority is within its reach is
// acknowledged.
//
// Judged are operations that begin and end while the client, over links that surely stood cut,
// could exchange messages in either direction with fewer nodes than a majority, directly or through
// other nodes: then no quorum can have taken part, whatever the shape. Nodes that were down count
// as reachable. Shapes in which somebody still hears a majority (bridge, ring, one direction only)
// are skipped by the same rule.
//
// Exercised: at least `operations_min` (3) operations were tried there; one that was pending for
// `pending_ms` (500) of the cut counts, even when it ended after the heal.

#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "checkers/connectivity.hpp"
#include "checkers/outcomes.hpp"

namespace sunder::checkers {

CheckerInfo minority_refuses_info();

namespace {

using history::History;
using history::kNever;
using history::Operation;
using history::Outcome;

constexpr double kOperations_min = 3;
constexpr double kPending_ms = 500;
constexpr double kNs_per_ms = 1e6;
constexpr std::size_t kCounterexamples_max = 5;

class MinorityCheck {
 public:
  MinorityCheck(const History& history, const CheckOptions& options)
      : history_(history),
        connectivity_(*options.context, Stance::certain),
        pending_(
            static_cast<std::int64_t>(parameter(options, "pending_ms", kPending_ms) * kNs_per_ms)) {
  }

  Verdict run(const CheckOptions& options, const std::stop_token& stop) {
    const std::vector<Operation>& operations = history_.operations();
    for (std::size_t i = 0; i < operations.size() && !stop.stop_requested(); ++i)
      judge(i, operations[i]);
    const auto wanted =
        static_cast<std::size_t>(parameter(options, "operations_min", kOperations_min));
    if (stop.stop_requested()) {
      verdict_.summary = "stopped before every operation was looked at";
    } else if (acknowledged_ > 0) {
      verdict_.kind = VerdictKind::broken;
      verdict_.summary =
          fmt::format("{} of {} operations tried without a majority within reach were acknowledged",
                      acknowledged_,
                      tried_);
    } else if (tried_ < wanted) {
      verdict_.kind = VerdictKind::not_exercised;
      verdict_.summary = fmt::format(
          "only {} operations were tried without a majority within reach; {} are needed",
          tried_,
          wanted);
    } else {
      verdict_.kind = VerdictKind::kept;
      verdict_.summary = fmt::format(
          "none of {} operations tried without a majority within reach was acknowledged", tried_);
    }
    verdict_.measurements = {
        {"operations tried", static_cast<double>(tried_), "operations"},
        {"operations acknowledged", static_cast<double>(acknowledged_), "operations"}};
    return std::move(verdict_);
  }

 private:
  void judge(std::size_t index, const Operation& operation) {
    const auto client = connectivity_.endpoint_of(operation.process);
    if (!client || !is_timed(operation)) return;
    const std::size_t first = connectivity_.segment_at(operation.invoke_time);
    if (connectivity_.segments()[first].members_change) return;
    if (!is_minority(connectivity_.within_reach(*client, first, first))) return;
    // As far as the client's reach stays below a majority, all of it taken together.
    const std::int64_t end = end_time(operation);
    std::size_t last = first;
    while (last + 1 < connectivity_.segments().size() &&
           connectivity_.segments()[last].window.end <= end) {
      if (connectivity_.segments()[last + 1].members_change) break;
      if (!is_minority(connectivity_.within_reach(*client, first, last + 1))) break;
      ++last;
    }
    const std::int64_t healed = connectivity_.segments()[last].window.end;
    if (end >= healed) {
      if (healed != kNever && healed - operation.invoke_time >= pending_) ++tried_;
      return;
    }
    ++tried_;
    if (operation.outcome != Outcome::ok) return;
    ++acknowledged_;
    if (verdict_.counterexamples.size() < kCounterexamples_max) {
      explain(index, operation, *client, connectivity_.within_reach(*client, first, last));
    }
  }

  [[nodiscard]] bool is_minority(const EndpointSet& nodes) const {
    return count_of(nodes) < connectivity_.majority_size();
  }

  void explain(std::size_t index,
               const Operation& operation,
               std::size_t client,
               const EndpointSet& nodes) {
    Counterexample example;
    example.title = "acknowledged by a minority";
    example.key = history_.pool().name(operation.key);
    const std::string reach = connectivity_.names_of(nodes);
    example.why = fmt::format(
        "{} was acknowledged although {} could reach only {} of {} nodes ({}) from {} on",
        call_text(history_, operation),
        connectivity_.client_name(client),
        count_of(nodes),
        connectivity_.nodes(),
        reach.empty() ? "none" : reach,
        seconds_text(connectivity_.segments()[connectivity_.segment_at(operation.invoke_time)]
                         .window.begin));
    example.items.push_back({index, true, "acknowledged without a majority"});
    example.first_error = index;
    verdict_.counterexamples.push_back(std::move(example));
  }

  const History& history_;
  Connectivity connectivity_;
  std::int64_t pending_;  // nanoseconds
  Verdict verdict_;
  std::size_t tried_ = 0;
  std::size_t acknowledged_ = 0;
};

Verdict check_minority_refuses(const History& history,
                               const CheckOptions& options,
                               std::stop_token stop) {
  if (options.context == nullptr) return needs_a_run();
  return MinorityCheck(history, options).run(options, stop);
}

}  // namespace

CheckerInfo minority_refuses_info() {
  return {.name = "minority-refuses",
          .summary = "Nothing invoked while no majority is within reach is acknowledged.",
          .check = check_minority_refuses};
}

}  // namespace sunder::checkers
