#include "checkers/levels/staleness.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "checkers/closed_form.hpp"
#include "checkers/key_split.hpp"
#include "checkers/levels/stale_search.hpp"
#include "checkers/levels/versions.hpp"
#include "checkers/linearizability.hpp"
#include "checkers/phrase.hpp"

namespace sunder::checkers::levels {
namespace {

using history::Operation;

// Whether something contradicts a level, for a part of a key's versions.
using Contradicts = std::function<bool(const Versions&)>;

// The least part of the versions that still contradicts; the effort is bounded by their number.
class Reduction {
 public:
  Reduction(Versions versions, Contradicts contradicts)
      : versions_(std::move(versions)),
        contradicts_(std::move(contradicts)),
        effort_(kEffort + 8 * versions_.all.size()) {}

  [[nodiscard]] Versions reduce() {
    for (std::size_t chunk = std::max<std::size_t>(versions_.all.size() / 2, 1); chunk > 0;
         chunk /= 2) {
      leave_out_versions(chunk);
    }
    for (std::size_t v = 0; v < versions_.all.size(); ++v) leave_out_reads(v);
    leave_out_versions(1);
    return versions_;
  }

 private:
  static constexpr std::size_t kEffort = 2'000'000;

  bool keep_if_contradicting(Versions candidate) {
    effort_ -= std::min(effort_, candidate.all.size() + 16);
    if (effort_ == 0 || !contradicts_(candidate)) return false;
    versions_ = std::move(candidate);
    return true;
  }

  // The initial value stays.
  void leave_out_versions(std::size_t chunk) {
    for (std::size_t begin = 1; begin < versions_.all.size() && effort_ > 0;) {
      Versions candidate;
      const std::size_t end = std::min(begin + chunk, versions_.all.size());
      for (std::size_t v = 0; v < versions_.all.size(); ++v) {
        if (v < begin || v >= end) candidate.all.push_back(versions_.all[v]);
      }
      if (!keep_if_contradicting(std::move(candidate))) begin = end;
    }
  }

  void leave_out_reads(std::size_t v) {
    for (std::size_t r = 0; r < versions_.all[v].reads.size() && effort_ > 0;) {
      Versions candidate = versions_;
      candidate.all[v].reads.erase(candidate.all[v].reads.begin() + static_cast<std::ptrdiff_t>(r));
      if (!keep_if_contradicting(std::move(candidate))) ++r;
    }
  }

  Versions versions_;
  Contradicts contradicts_;
  std::size_t effort_;
};

struct Key {
  KeyOperations operations;
  Versions versions;
};

// What both levels have to know first.
struct Overview {
  Verdict verdict;
  Verdict linearizable;  // what is not decided by it
  bool is_decided = false;
  bool is_plain = true;  // reads, and writes of values that are written once
  std::vector<Key> keys;
  Clock clock = Clock::stamps;  // for amounts of time
};

bool is_timed(const history::History& history) {
  return std::ranges::all_of(history.operations(), [](const Operation& operation) {
    return operation.invoke_time != history::kUnknownTime &&
           (operation.complete == history::kNever ||
            operation.complete_time != history::kUnknownTime);
  });
}

// One operation that is wrong however stale reads may be.
Counterexample single(const history::History& history,
                      const KeyOperations& operations,
                      const Impossible& impossible) {
  const auto [operation, unmade] = impossible;
  const Operation& wrong = history.operations()[operation];
  const bool reads = wrong.function == history::Function::read;
  Counterexample example =
      story(unmade ? "value never written" : "value read before it was written", {operation});
  if (unmade) {
    example.why =
        fmt::format("{}, {}",
                    statement(history, wrong),
                    reads ? "a value that nobody wrote" : "but nobody wrote what it found");
  } else {
    example.why = fmt::format("{}, and had ended before any write of {} began",
                              statement(history, wrong),
                              reads ? "it" : "what it found");
  }
  example.first_error = operation;
  add_context(example, history, operations);
  return example;
}

void break_with(Verdict& verdict, Counterexample example) {
  verdict.kind = VerdictKind::broken;
  verdict.summary = example.why;
  verdict.counterexamples.push_back(std::move(example));
}

Overview survey(const history::History& history,
                const ModelRow& row,
                const CheckOptions& options,
                const std::stop_token& stop) {
  constexpr int kShare_of_budget = 4;
  Overview overview;
  CheckOptions quick = options;
  quick.time_budget = options.time_budget / kShare_of_budget;
  overview.verdict = check_linearizability(history, row, quick, stop);
  overview.is_decided = overview.verdict.kind == VerdictKind::kept || history.empty() ||
                        overview.verdict.summary.starts_with("nothing observed");
  if (overview.is_decided) return overview;
  overview.clock = is_timed(history) ? Clock::times : Clock::stamps;
  const double count = static_cast<double>(history.operations().size());
  overview.linearizable = std::exchange(overview.verdict, {});
  overview.verdict.measurements = {{"operations", count, ""}};
  for (KeyOperations& operations : split_by_key(history)) {
    const auto impossible = find_impossible(history, operations.operations);
    if (impossible) {
      overview.is_decided = true;
      break_with(overview.verdict, single(history, operations, *impossible));
      return overview;
    }
    std::optional<Versions> versions = versions_of(history, operations.operations, Clock::stamps);
    overview.is_plain = overview.is_plain && versions;
    if (!versions) continue;
    overview.keys.push_back({std::move(operations), std::move(*versions)});
  }
  return overview;
}

double quantile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto rank = static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1));
  return sorted[rank];
}

// Share of stale reads, and how stale they are, in time and in versions.
void measure(const history::History& history, Overview& overview) {
  const bool timed = overview.clock == Clock::times;
  std::vector<double> times;
  std::vector<double> versions;
  std::size_t reads = 0;
  for (const Key& key : overview.keys) {
    const std::vector<Lag> lags = lags_of(history, key.versions, Clock::stamps);
    const auto timed_versions =
        timed ? versions_of(history, key.operations.operations, Clock::times) : std::nullopt;
    const std::vector<Lag> in_time =
        timed_versions ? lags_of(history, *timed_versions, Clock::times) : lags;
    reads += lags.size();
    for (std::size_t i = 0; i < lags.size(); ++i) {
      if (lags[i].versions == 0) continue;
      versions.push_back(lags[i].versions);
      times.push_back(static_cast<double>(in_time[i].time) / unit_of(overview.clock));
    }
  }
  std::ranges::sort(times);
  std::ranges::sort(versions);
  const std::string unit = timed ? "ms" : "stamps";
  const double share =
      reads == 0 ? 0 : 100.0 * static_cast<double>(times.size()) / static_cast<double>(reads);
  for (const history::Evidence& evidence : {
           history::Evidence{"reads", static_cast<double>(reads), ""},
           history::Evidence{"stale reads", share, "%"},
           history::Evidence{"staleness p50", quantile(times, 0.5), unit},
           history::Evidence{"staleness p99", quantile(times, 0.99), unit},
           history::Evidence{"staleness max", quantile(times, 1), unit},
           history::Evidence{"versions behind p50", quantile(versions, 0.5), ""},
           history::Evidence{"versions behind p99", quantile(versions, 0.99), ""},
           history::Evidence{"versions behind max", quantile(versions, 1), ""},
       }) {
    overview.verdict.measurements.push_back(evidence);
  }
}

// The operations of a key that are left after the reduction, with a sentence.
Counterexample tell(const history::History& history,
                    const Key& key,
                    const Versions& core,
                    std::string title,
                    std::string otherwise) {
  constexpr std::size_t kTold_max = 48;
  std::vector<std::uint32_t> members;
  for (const Version& version : core.all) {
    members.push_back(version.write);
    members.insert(members.end(), version.reads.begin(), version.reads.end());
  }
  std::erase(members, kNone);
  std::ranges::sort(members);
  if (members.size() > kTold_max) members.erase(members.begin(), members.end() - kTold_max);
  Counterexample example = story(std::move(title), members);
  example.first_error = members.back();
  const std::vector<Lag> lags = lags_of(history, core, Clock::stamps);
  const auto worst = std::ranges::max_element(lags, {}, &Lag::versions);
  if (worst == lags.end() || worst->versions == 0) {
    example.why = std::move(otherwise);
  } else {
    const Operation& read = history.operations()[worst->read];
    example.first_error = worst->read;
    example.why = fmt::format("{}, {} write{} behind",
                              statement(history, read),
                              worst->versions,
                              worst->versions == 1 ? "" : "s");
    // The newest write that had ended.
    const Operation* newest = nullptr;
    for (const Version& version : core.all) {
      if (version.write == kNone) continue;
      const Operation& write = history.operations()[version.write];
      const bool later = newest == nullptr || write.complete > newest->complete;
      if (write.precedes(read) && later) newest = &write;
    }
    if (newest != nullptr) {
      example.why +=
          fmt::format(": {} had ended {}", phrase(history, *newest), lead(*newest, read));
    }
  }
  add_context(example, history, key.operations);
  return example;
}

// Whether some read certainly finds a value with k newer ones.
bool lags_by(const history::History& history, const Versions& versions, std::uint32_t k) {
  const std::vector<Lag> lags = lags_of(history, versions, Clock::stamps);
  return std::ranges::any_of(lags, [&](const Lag& lag) { return lag.versions >= k; });
}

// Whether every read of a key finds one of the last k values. Nothing: neither does a read refute
// it nor an order at hand confirm it (k beyond 2 alone).
std::optional<Finding> test_k_atomic(const history::History& history,
                                     const Versions& versions,
                                     std::uint32_t k,
                                     const Limits& limits) {
  if (smallest_delta(history, versions, Clock::stamps) == 0) return Finding::holds;
  if (k == 1 || lags_by(history, versions, k)) return Finding::violated;
  const Finding two = test_two_atomic(history, versions, Clock::stamps, limits);
  if (k == 2 || two == Finding::holds) return two;
  if (achieved_k(history, versions, Clock::stamps) <= k) return Finding::holds;
  return std::nullopt;
}

Counterexample too_many_behind(const history::History& history, const Key& key, std::uint32_t k) {
  const auto contradicts = [&](const Versions& versions) {
    if (k == 1) return smallest_delta(history, versions, Clock::stamps) > 0;
    if (lags_by(history, versions, k)) return true;
    return k == 2 && test_two_atomic(history, versions, Clock::stamps, {}) == Finding::violated;
  };
  return tell(history,
              key,
              Reduction(key.versions, contradicts).reduce(),
              "too many versions behind",
              fmt::format("No order of these operations lets every read find one of the last {} "
                          "values",
                          k));
}

void praise(Verdict& verdict, const history::History& history, std::uint32_t k) {
  verdict.summary =
      fmt::format("{} operations are {}-atomic: every read found one of the last {} values",
                  history.operations().size(),
                  k,
                  k);
}

}  // namespace

Verdict check_delta_atomic(const history::History& history,
                           const ModelRow& row,
                           const CheckOptions& options,
                           std::stop_token stop) {
  Overview overview = survey(history, row, options, stop);
  if (overview.is_decided) return overview.verdict;
  const Clock clock = overview.clock;
  const auto given = options.parameters.find("delta_ms");
  constexpr double kLongest = 9e18;  // that an integer holds
  const double asked =
      given == options.parameters.end() ? kLongest : given->second * unit_of(clock);
  const auto allowed = static_cast<std::int64_t>(std::clamp(asked, 0.0, kLongest));
  if (!overview.is_plain) {
    if (allowed == 0 && overview.linearizable.kind == VerdictKind::broken) {
      return overview.linearizable;
    }
    return search_delta_atomic(history, row, clock, allowed, options, stop);
  }
  measure(history, overview);
  std::int64_t greatest = 0;
  const Key* worst = nullptr;
  for (const Key& key : overview.keys) {
    const auto versions = versions_of(history, key.operations.operations, clock);
    std::int64_t delta = smallest_delta(history, *versions, clock);
    // Equal times of operations that were one after the other.
    if (delta == 0 && smallest_delta(history, key.versions, Clock::stamps) > 0) delta = 1;
    if (delta > greatest) worst = &key;
    greatest = std::max(greatest, delta);
  }
  Verdict& verdict = overview.verdict;
  if (greatest <= allowed) {
    verdict.kind = VerdictKind::kept;
    tell_delta(verdict, history, clock, greatest, true);
    return verdict;
  }
  const auto contradicts = [&](const Versions& versions) {
    return smallest_delta(history, versions, clock) > std::min(allowed, greatest - 1);
  };
  Versions all = *versions_of(history, worst->operations.operations, clock);
  const Versions core = Reduction(std::move(all), contradicts).reduce();
  break_with(verdict,
             tell(history,
                  *worst,
                  core,
                  "too stale",
                  "No order of these operations explains every read, however stale reads may be"));
  if (greatest != kUnbounded) tell_delta(verdict, history, clock, greatest, true);
  return verdict;
}

Verdict check_k_atomic(const history::History& history,
                       const ModelRow& row,
                       const CheckOptions& options,
                       std::stop_token stop) {
  Overview overview = survey(history, row, options, stop);
  if (overview.is_decided) return overview.verdict;
  const auto given = options.parameters.find("k");
  const auto k = static_cast<std::uint32_t>(
      given == options.parameters.end() ? 2.0 : std::clamp(given->second, 1.0, 1e9));
  if (!overview.is_plain) {
    Verdict verdict = search_k_atomic(history, k, options, stop);
    if (verdict.kind == VerdictKind::kept) praise(verdict, history, k);
    return verdict;
  }
  measure(history, overview);
  const Limits limits{.deadline = std::chrono::steady_clock::now() + options.time_budget,
                      .memory = options.memory_budget,
                      .stop = stop};
  Verdict& verdict = overview.verdict;
  verdict.kind = VerdictKind::kept;
  std::uint32_t least = 2;  // it is not linearizable
  bool open = false;
  for (const Key& key : overview.keys) {
    for (const Lag& lag : lags_of(history, key.versions, Clock::stamps)) {
      least = std::max(least, lag.versions + 1);
    }
    const std::optional<Finding> finding = test_k_atomic(history, key.versions, k, limits);
    open = open || !finding;
    if (!finding || *finding == Finding::holds) continue;
    if (*finding == Finding::violated) {
      break_with(verdict, too_many_behind(history, key, k));
      break;
    }
    verdict.kind = VerdictKind::undetermined;
    verdict.summary = "k-atomicity could not be decided: out of time";
  }
  verdict.measurements.push_back({"k at least", static_cast<double>(least), ""});
  if (open && verdict.kind == VerdictKind::kept) {
    Verdict searched = search_k_atomic(history, k, options, stop);
    searched.measurements.insert(
        searched.measurements.begin(), verdict.measurements.begin(), verdict.measurements.end());
    verdict = std::move(searched);
  }
  if (verdict.kind == VerdictKind::kept) praise(verdict, history, k);
  return verdict;
}

}  // namespace sunder::checkers::levels
