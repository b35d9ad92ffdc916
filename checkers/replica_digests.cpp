// Replica digests: once nothing is written and nothing is broken any more, replicas hold the same,
// within a stated time.
//
// A node tells, as events "digest", what it holds in common with each other node as one number:
// {"event":"digest","keys":21,"n2":"9f…","n3":"04…"}. Two replicas agree while the last that each
// told of the other is equal. Judged is the time from the last write's end, or the last heal if
// that came later, until every pair agrees and goes on to. Nodes that faults ended for good are
// left out.
//
// Exercised: a replica holds at least `keys_min` (20) keys, or where fewer were written what the
// fullest one must hold of them, some pair differed at some time, and when faults were asked for
// one bit; a pair that never agrees proves something only when it was watched for `within_ms`
// (3000).

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "checkers/findings.hpp"
#include "checkers/outcomes.hpp"
#include "checkers/phases.hpp"

namespace sunder::checkers {

CheckerInfo replica_digests_info();

namespace {

using history::Function;
using history::History;
using history::Operation;
using history::Outcome;
using history::RunContext;

constexpr double kWithin_ms = 3000;
constexpr double kKeys_min = 20;
constexpr std::size_t kPoints_max = 300;

struct Pair {
  std::string one;  // what the first told of the second
  std::string other;
  bool differed = false;
  std::int64_t since = 0;  // they agree, or differ, since

  [[nodiscard]] bool agrees() const { return one == other; }
};

class ReplicaDigests {
 public:
  ReplicaDigests(const History& history, const CheckOptions& options)
      : history_(history), context_(*options.context), options_(options) {
    for (const history::FaultRecord& fault : context_.faults) {
      ended_.insert(fault.ended_nodes.begin(), fault.ended_nodes.end());
    }
  }

  Verdict run() {
    const std::int64_t calm = calm_from();
    for (const history::NodeEvent& event : context_.events) {
      if (event.event == "digest") take(event);
    }
    settle_points();
    decide(calm);
    return std::move(verdict_);
  }

 private:
  [[nodiscard]] std::int64_t calm_from() const {
    std::int64_t calm = 0;
    for (const Operation& operation : history_.operations()) {
      if (operation.function == Function::read || operation.outcome == Outcome::fail) continue;
      if (operation.invoke_time != history::kUnknownTime) {
        calm = std::max(calm, operation.invoke_time);
      }
      if (operation.outcome == Outcome::ok) calm = std::max(calm, end_time(operation));
    }
    for (const history::FaultRecord& fault : context_.faults) calm = std::max(calm, fault.healed);
    return calm;
  }

  // The nodes are being stopped from then on.
  [[nodiscard]] std::int64_t watched_until() const {
    const history::Phase* const end = find_phase(context_, "tear down");
    if (end != nullptr) return end->window.begin;
    std::int64_t last = 0;
    for (const history::Phase& phase : context_.phases) last = std::max(last, phase.window.begin);
    return last;
  }

  void take(const history::NodeEvent& event) {
    if (ended_.contains(event.node) || event.time >= watched_until()) return;
    keys_[event.node] = event.number("keys", 0);
    for (const auto& [peer, digest] : event.texts) {
      if (ended_.contains(peer)) continue;
      const bool first = event.node < peer;
      Pair& pair = pairs_[first ? std::pair(event.node, peer) : std::pair(peer, event.node)];
      const bool agreed = pair.agrees();
      (first ? pair.one : pair.other) = digest;
      if (pair.agrees() != agreed) pair.since = event.time;
      pair.differed = pair.differed || !pair.agrees();
    }
    const auto differ = static_cast<double>(
        std::ranges::count_if(pairs_, [](const auto& entry) { return !entry.second.agrees(); }));
    points_.emplace_back(static_cast<double>(event.time) / 1e9, differ);
  }

  // Few enough to draw: of each stretch the greatest.
  void settle_points() {
    if (points_.empty()) return;
    const std::size_t step = points_.size() / kPoints_max + 1;
    Lines lines{.across = "seconds since the start", .up = "pairs of replicas", .series = {}};
    Lines::Series& series = lines.series.emplace_back();
    series.name = "pairs that differ";
    series.mark = Mark::doubtful;
    for (std::size_t i = 0; i < points_.size(); i += step) {
      auto point = points_[i];
      for (std::size_t j = i; j < std::min(i + step, points_.size()); ++j) {
        point.second = std::max(point.second, points_[j].second);
      }
      series.points.push_back(point);
    }
    series.points.push_back(points_.back());
    verdict_.figures.push_back(
        {.section = "Replicas",
         .title = "Pairs of replicas whose digests differ",
         .note = "While clients write, digests differ by what is on its way.",
         .body = std::move(lines)});
  }

  void decide(std::int64_t calm) {
    const std::int64_t within = parameter_ns(options_, "within_ms", kWithin_ms);
    const std::int64_t watched = watched_until() - calm;
    std::int64_t slowest = 0;
    std::size_t apart = 0;
    for (const auto& [names, pair] : pairs_) {
      if (!pair.agrees()) {
        ++apart;
        verdict_.details.push_back(
            fmt::format("{} and {} still differ, {} after the last write and heal: {} and {}",
                        names.first,
                        names.second,
                        seconds_text(std::max<std::int64_t>(watched, 0)),
                        pair.one.empty() ? "nothing told" : pair.one,
                        pair.other.empty() ? "nothing told" : pair.other));
      } else if (pair.differed) {
        const std::int64_t took = std::max<std::int64_t>(pair.since - calm, 0);
        slowest = std::max(slowest, took);
        verdict_.details.push_back(fmt::format("{} and {} agree {} after the last write and heal",
                                               names.first,
                                               names.second,
                                               milliseconds_text(took)));
      }
    }
    verdict_.measurements = {{"pairs of replicas", static_cast<double>(pairs_.size()), ""},
                             {"pairs apart at the end", static_cast<double>(apart), ""},
                             {"slowest agreement", static_cast<double>(slowest) / 1e6, "ms"},
                             {"watched", static_cast<double>(watched) / 1e6, "ms"}};
    const std::string lacking = unexercised();
    if (apart > 0 && watched >= within) {
      verdict_.kind = VerdictKind::broken;
      verdict_.summary = fmt::format(
          "{} of {} pairs of replicas still differ {} after the last "
          "write and heal; {}",
          apart,
          pairs_.size(),
          seconds_text(watched),
          verdict_.details.front());
    } else if (slowest > within) {
      verdict_.kind = VerdictKind::broken;
      verdict_.summary = fmt::format("replicas agreed only {} after the last write and heal",
                                     seconds_text(slowest));
    } else if (apart > 0 || !lacking.empty()) {
      verdict_.kind = VerdictKind::not_exercised;
      verdict_.summary = lacking.empty() ? fmt::format("watched for only {} after the last heal",
                                                       seconds_text(watched))
                                         : lacking;
    } else {
      verdict_.kind = VerdictKind::kept;
      verdict_.summary =
          fmt::format("all {} pairs of replicas hold the same {} after the last write and heal",
                      pairs_.size(),
                      milliseconds_text(slowest));
    }
  }

  // However few replicas a key has, one node holds its share of all that were written.
  [[nodiscard]] std::size_t keys_needed() const {
    std::set<history::Symbol> written;
    for (const Operation& operation : history_.operations()) {
      const bool changes = operation.function != Function::read;
      if (changes && operation.outcome == Outcome::ok) written.insert(operation.key);
    }
    const std::size_t nodes = std::max<std::size_t>(1, context_.nodes.size());
    const auto wanted = static_cast<std::size_t>(parameter(options_, "keys_min", kKeys_min));
    return std::min(wanted, std::max<std::size_t>(1, (written.size() + nodes - 1) / nodes));
  }

  [[nodiscard]] std::string unexercised() const {
    const auto wanted = static_cast<std::int64_t>(keys_needed());
    std::int64_t most = 0;
    for (const auto& [node, keys] : keys_) most = std::max(most, keys);
    if (most < wanted) {
      return fmt::format("no replica told of more than {} keys; {} are needed", most, wanted);
    }
    const auto differed = [](const auto& entry) { return entry.second.differed; };
    if (!std::ranges::any_of(pairs_, differed)) return "no two replicas ever differed";
    const auto bit = [](const history::FaultRecord& fault) { return fault.exercised; };
    if (!context_.faults.empty() && !std::ranges::any_of(context_.faults, bit)) {
      return "no fault bit";
    }
    return {};
  }

  const History& history_;
  const RunContext& context_;
  const CheckOptions& options_;
  std::set<std::string> ended_;
  std::map<std::pair<std::string, std::string>, Pair> pairs_;
  std::map<std::string, std::int64_t> keys_;
  std::vector<std::pair<double, double>> points_;
  Verdict verdict_;
};

Verdict check_replica_digests(const History& history,
                              const CheckOptions& options,
                              std::stop_token /*stop*/) {
  if (options.context == nullptr) return needs_a_run();
  return ReplicaDigests(history, options).run();
}

}  // namespace

CheckerInfo replica_digests_info() {
  return {.name = "replica-digests",
          .summary = "Within a stated time after the last write and heal, replicas hold the same.",
          .check = check_replica_digests};
}

}  // namespace sunder::checkers
