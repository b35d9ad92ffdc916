// Availability everywhere: whoever reaches a node that works is answered, on every side of a
// partition.
//
// Gilbert & Lynch's available data object (2002): every request to a node that works ends in an
// answer. Judged are operations of clients whose own node is up and linked to them in both
// directions, for `settle_ms` (500) before the invocation and `due_ms` (1000) after it, by when the
// answer is due; the node that answered the client last counts too, because a client that had to
// leave its own node stays away for a while. What is cut off behind the node does not excuse it.
//
// Broken: on some side of a cut two or more of them and a tenth of what clients waited there, or a
// hundredth of all, were not answered.
//
// Exercised: while a cut between nodes stood, at least `operations_min` (20) such operations were
// tried on each of two sides.

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "checkers/availability.hpp"
#include "checkers/checker.hpp"
#include "checkers/connectivity.hpp"
#include "checkers/outcomes.hpp"

namespace sunder::checkers {

CheckerInfo availability_everywhere_info();

namespace {

using history::History;
using history::Operation;
using history::Outcome;
using history::RunContext;
using history::Window;

constexpr double kSettle_ms = 500;
constexpr double kDue_ms = 1000;
constexpr double kOperations_min = 20;
constexpr double kUnanswered_share_max = 0.01;
constexpr double kWaited_in_vain_max = 0.1;
constexpr std::size_t kCounterexamples_max = 5;

struct Side {
  std::string fault;
  std::string nodes;
  std::size_t operations = 0;
  std::size_t answered = 0;
  std::int64_t waited = 0;   // by all clients together
  std::int64_t in_vain = 0;  // of that, for no answer

  // A refusal takes long and an answer does not, so operations alone would not show it.
  [[nodiscard]] bool refuses() const {
    const double share =
        static_cast<double>(in_vain) / static_cast<double>(std::max<std::int64_t>(waited, 1));
    return operations - answered >= 2 && share >= kWaited_in_vain_max;
  }
};

class AvailabilityEverywhere {
 public:
  AvailabilityEverywhere(const History& history, const CheckOptions& options)
      : history_(history),
        context_(*options.context),
        options_(options),
        connectivity_(context_, Stance::possible),
        settle_(parameter_ns(options, "settle_ms", kSettle_ms)),
        due_(parameter_ns(options, "due_ms", kDue_ms)) {
    for (std::size_t i = 0; i < context_.nodes.size(); ++i) numbers_[context_.nodes[i]] = i;
    for (const Operation& operation : history.operations()) {
      over_ = std::max({over_, operation.invoke_time, operation.complete_time});
    }
  }

  Verdict run(const std::stop_token& stop) {
    for (std::size_t i = 0; i < history_.operations().size() && !stop.stop_requested(); ++i) {
      consider(i);
    }
    decide(stop.stop_requested());
    return std::move(verdict_);
  }

 private:
  void consider(std::size_t index) {
    const Operation& operation = history_.operations()[index];
    const auto endpoint = connectivity_.endpoint_of(operation.process);
    if (!endpoint || !is_timed(operation)) return;
    const std::size_t client = *endpoint - connectivity_.nodes();
    if (client >= context_.client_nodes.size()) return;
    const std::size_t own = context_.client_nodes[client];
    const auto known = current_.find(operation.process);
    const std::size_t current = known == current_.end() ? own : known->second;
    const auto answered_by = numbers_.find(std::string(history_.pool().name(operation.node)));
    if (operation.outcome == Outcome::ok && answered_by != numbers_.end()) {
      current_[operation.process] = answered_by->second;
    }
    const Window needed{operation.invoke_time - settle_, operation.invoke_time + due_};
    if (!works(*endpoint, own, needed) || !works(*endpoint, current, needed)) return;
    judge(index, own);
  }

  // Whether the node is up and linked to the client throughout.
  [[nodiscard]] bool works(std::size_t endpoint, std::size_t node, const Window& window) const {
    const std::size_t first = connectivity_.segment_at(std::max<std::int64_t>(window.begin, 0));
    const std::size_t last = connectivity_.segment_at(window.end);
    for (std::size_t i = first; i <= last; ++i) {
      const Connectivity::Segment& segment = connectivity_.segments()[i];
      if (!segment.up[node] || !connectivity_.linked(segment, endpoint, node)) return false;
    }
    return true;
  }

  void judge(std::size_t index, std::size_t node) {
    const Operation& operation = history_.operations()[index];
    const bool answered =
        is_answered(history_, operation) && end_time(operation) - operation.invoke_time <= due_;
    ++operations_;
    unanswered_ += answered ? 0 : 1;
    for (const history::FaultRecord& fault : context_.faults) {
      const bool stands = fault.exercised && fault.active.contains(operation.invoke_time);
      if (stands && cuts_nodes(fault)) note_side(fault, operation, node, answered);
    }
    if (answered) return;
    if (verdict_.counterexamples.size() < kCounterexamples_max) explain(index, node);
  }

  [[nodiscard]] bool cuts_nodes(const history::FaultRecord& fault) const {
    return std::ranges::any_of(fault.cut_links, [&](const auto& link) {
      return numbers_.contains(link.first) && numbers_.contains(link.second);
    });
  }

  void note_side(const history::FaultRecord& fault,
                 const Operation& operation,
                 std::size_t node,
                 bool answered) {
    const auto& segment = connectivity_.segments()[connectivity_.segment_at(operation.invoke_time)];
    EndpointSet side(connectivity_.nodes());
    side[node] = true;
    for (bool grown = true; grown;) {
      grown = false;
      for (std::size_t a = 0; a < side.size(); ++a) {
        for (std::size_t b = 0; b < side.size(); ++b) {
          if (!side[a] || side[b] || !connectivity_.linked(segment, a, b)) continue;
          side[b] = true;
          grown = true;
        }
      }
    }
    Side& noted = sides_[{fault.id, connectivity_.names_of(side)}];
    noted.fault = fault.description;
    noted.nodes = connectivity_.names_of(side);
    ++noted.operations;
    noted.answered += answered ? 1 : 0;
    // Whoever was under way at the end had waited until then.
    const std::int64_t waited = std::min(end_time(operation), over_) - operation.invoke_time;
    noted.waited += waited;
    noted.in_vain += answered ? 0 : waited;
  }

  void explain(std::size_t index, std::size_t node) {
    const Operation& operation = history_.operations()[index];
    Counterexample example;
    example.title = "not answered by a node that works";
    example.key = history_.pool().name(operation.key);
    example.why = fmt::format("{} was not answered ({}) although {} was up and within reach",
                              call_text(history_, operation),
                              history_.pool().name(operation.error),
                              context_.nodes[node]);
    example.items.push_back({index, true, "not answered"});
    example.first_error = index;
    verdict_.counterexamples.push_back(std::move(example));
  }

  // The faults under which two sides were both tried enough.
  [[nodiscard]] std::size_t faults_exercised() const {
    const double wanted = parameter(options_, "operations_min", kOperations_min);
    std::map<std::uint32_t, std::size_t> tried;
    for (const auto& [id, side] : sides_) {
      if (static_cast<double>(side.operations) >= wanted) ++tried[id.first];
    }
    return static_cast<std::size_t>(
        std::ranges::count_if(tried, [](const auto& entry) { return entry.second > 1; }));
  }

  void decide(bool stopped) {
    const double allowed = std::max(1.0, kUnanswered_share_max * static_cast<double>(operations_));
    const std::string judged =
        fmt::format("{} of {} operations of clients whose node worked were answered",
                    operations_ - unanswered_,
                    operations_);
    const std::size_t exercised = faults_exercised();
    const auto refusing =
        std::ranges::count_if(sides_, [](const auto& entry) { return entry.second.refuses(); });
    if (stopped) {
      verdict_.summary = "stopped before every operation was looked at";
    } else if (static_cast<double>(unanswered_) > allowed) {
      verdict_.kind = VerdictKind::broken;
      verdict_.summary = "only " + judged;
    } else if (refusing > 0) {
      verdict_.kind = VerdictKind::broken;
      verdict_.summary =
          fmt::format("{} sides of cuts did not answer their clients; {}", refusing, judged);
    } else if (exercised == 0) {
      verdict_.kind = VerdictKind::not_exercised;
      verdict_.summary = judged + ", but never enough on two sides of a cut between nodes";
    } else {
      verdict_.kind = VerdictKind::kept;
      verdict_.summary =
          fmt::format("{}, on all sides of {} cuts between nodes", judged, exercised);
    }
    if (verdict_.kind != VerdictKind::broken) verdict_.counterexamples.clear();
    verdict_.figures = availability_figures(history_, context_);
    Table table{.header = {"cut", "side", "operations", "answered"}, .rows = {}};
    for (const auto& [id, side] : sides_) {
      table.rows.push_back({side.fault,
                            side.nodes,
                            std::to_string(side.operations),
                            fmt::format("{:.1f} %",
                                        100.0 * static_cast<double>(side.answered) /
                                            static_cast<double>(side.operations))});
    }
    if (!table.rows.empty()) {
      verdict_.figures.push_back({.section = "Availability",
                                  .title = "Both sides of every cut",
                                  .note = "Operations of clients whose own node worked.",
                                  .body = std::move(table)});
    }
    verdict_.details = availability_sentences(history_, context_);
    verdict_.measurements = {
        {"operations judged", static_cast<double>(operations_), "operations"},
        {"operations not answered", static_cast<double>(unanswered_), "operations"},
        {"sides that refused", static_cast<double>(refusing), ""},
        {"cuts exercised", static_cast<double>(exercised), ""}};
  }

  const History& history_;
  const RunContext& context_;
  const CheckOptions& options_;
  Connectivity connectivity_;
  std::int64_t settle_;
  std::int64_t due_;
  std::int64_t over_ = 0;                        // nothing is known of what came later
  std::map<std::string, std::size_t> numbers_;   // of nodes
  std::map<std::int64_t, std::size_t> current_;  // by process: the node that answered it last
  std::map<std::pair<std::uint32_t, std::string>, Side> sides_;  // by fault and nodes
  std::size_t operations_ = 0;
  std::size_t unanswered_ = 0;
  Verdict verdict_;
};

Verdict check_availability_everywhere(const History& history,
                                      const CheckOptions& options,
                                      std::stop_token stop) {
  if (options.context == nullptr) return needs_a_run();
  return AvailabilityEverywhere(history, options).run(stop);
}

}  // namespace

CheckerInfo availability_everywhere_info() {
  return {.name = "availability-everywhere",
          .summary = "Whoever reaches a node that works is answered, on every side of a partition.",
          .check = check_availability_everywhere};
}

}  // namespace sunder::checkers
