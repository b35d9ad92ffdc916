#include "checkers/elle/judgement.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "checkers/elle/cycles.hpp"
#include "checkers/elle/levels.hpp"
#include "checkers/findings.hpp"

namespace sunder::checkers::elle {
namespace {

constexpr std::size_t kExamples_max = 5;

Counterexample example_of(const Transactions& transactions, const Sighting& sighting) {
  Counterexample example;
  example.title = name_of(sighting.anomaly);
  example.why = sighting.why;
  for (const std::uint32_t transaction : sighting.transactions) {
    const std::size_t operation = transactions.all[transaction].operation;
    const bool known =
        std::ranges::find(example.items, operation, &Counterexample::Item::operation) !=
        example.items.end();
    if (!known) example.items.push_back({operation, true, name_of_transaction(transaction)});
    example.first_error = std::max(example.first_error, operation);
  }
  std::ranges::sort(example.items, {}, &Counterexample::Item::operation);
  return example;
}

// "G1a (3 times) rules out: read-committed, …".
void add_consequences(Verdict& verdict, const Sightings& sightings) {
  for (const AnomalyInfo& info : all_anomalies()) {
    const bool told =
        std::ranges::find(verdict.counterexamples, info.name, &Counterexample::title) !=
        verdict.counterexamples.end();
    const std::size_t count = sightings.count(info.anomaly);
    if (!told && count == 0) continue;
    const std::string times = count > 1 ? fmt::format(" ({} times)", count) : "";
    verdict.details.push_back(
        fmt::format("{}{} rules out: {}", info.name, times, ruled_out_by(info.anomaly)));
  }
}

}  // namespace

Forbidden forbid(std::string_view level) {
  return forbid(level, forbidden_by(level));
}

Forbidden forbid(std::string_view level, AnomalySet set) {
  Forbidden forbidden;
  forbidden.level = level;
  forbidden.anomalies = set;
  for (const CycleRule& rule : cycle_rules()) {
    if (!contains(forbidden.anomalies, rule.anomaly)) continue;
    if (rule.anomaly == Anomaly::non_causal) {
      // Looked for when the arcs of snapshots do not settle it.
      forbidden.kinds |= arc::kWw | arc::kWr | arc::kRw | arc::kProcess;
      continue;
    }
    forbidden.cycles |= anomalies(rule.anomaly);
    forbidden.kinds |= rule.first | rule.path;
  }
  return forbidden;
}

std::vector<std::int64_t> commit_ranks(const history::History& history,
                                       const Transactions& transactions,
                                       const Digraph& graph) {
  constexpr std::int64_t kLate = std::numeric_limits<std::int64_t>::max();
  std::vector<std::int64_t> ranks;
  ranks.reserve(transactions.all.size());
  bool all_known = true;
  for (const Transaction& transaction : transactions.all) {
    const std::int64_t end = history.operations()[transaction.operation].complete;
    all_known = all_known && end != history::kNever;
    ranks.push_back(end == history::kNever ? kLate : 2 * end + 1);
  }
  if (all_known) return ranks;
  std::vector<std::int64_t> before = ranks;
  for (const Digraph::Entry& entry : graph.entries()) {
    if (entry.from >= graph.real() || entry.arc.to >= graph.real()) continue;
    if (ranks[entry.from] != kLate || (entry.arc.kinds & arc::kRw) != 0) continue;
    before[entry.from] = std::min(before[entry.from], ranks[entry.arc.to] - 1);
  }
  return before;
}

std::string unjudgeable(const Transactions& transactions, std::string_view model) {
  if (!transactions.foreign.empty()) {
    return fmt::format("the model {} does not know the operation {}", model, transactions.foreign);
  }
  if (transactions.all.empty()) return "nothing observed: the history is empty";
  if (!transactions.observed) return "nothing observed: no transaction has a known result";
  return {};
}

void decide_cycles(Verdict& verdict,
                   const history::History& history,
                   const Transactions& transactions,
                   Dependencies& dependencies,
                   const Forbidden& forbidden) {
  if (forbidden.cycles == 0) return;
  Digraph& graph = dependencies.graph();
  if (explains(graph, forbidden.cycles, commit_ranks(history, transactions, graph))) return;
  graph.finish();
  for (const std::vector<Step>& cycle : find_cycles(graph, forbidden.cycles, kCycles_max)) {
    verdict.counterexamples.push_back(explain_cycle(history, transactions, dependencies, cycle));
  }
}

void conclude(Verdict& verdict,
              const history::History& history,
              const Transactions& transactions,
              const Forbidden& forbidden,
              const Sightings& sightings) {
  // What a single read shows is easier to follow than a cycle: it comes first.
  std::vector<Counterexample> examples;
  for (const Sighting& sighting : sightings.told()) {
    if (!contains(forbidden.anomalies, sighting.anomaly)) continue;
    examples.push_back(example_of(transactions, sighting));
    examples.back().key = name_key(history, transactions, sighting.key);
  }
  for (Counterexample& cycle : verdict.counterexamples) examples.push_back(std::move(cycle));
  if (examples.size() > kExamples_max) examples.resize(kExamples_max);
  verdict.counterexamples = std::move(examples);
  verdict.measurements = {{"transactions", static_cast<double>(transactions.all.size()), ""},
                          {"micro-operations", static_cast<double>(transactions.micro.size()), ""},
                          {"keys", static_cast<double>(transactions.keys.size()), ""}};
  add_consequences(verdict, sightings);
  if (!verdict.counterexamples.empty()) {
    const Counterexample& first = verdict.counterexamples.front();
    verdict.kind = VerdictKind::broken;
    verdict.summary = fmt::format("{}: {}", first.title, first.why);
  } else if (verdict.summary.empty()) {
    verdict.kind = VerdictKind::kept;
    verdict.summary = fmt::format("{} on {}: nothing contradicts {}",
                                  counted(transactions.all.size(), "transaction"),
                                  counted(transactions.keys.size(), "key"),
                                  forbidden.level);
  }
}

}  // namespace sunder::checkers::elle
