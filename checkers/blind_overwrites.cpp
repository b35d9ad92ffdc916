// Blind overwrites: no acknowledged write is replaced by one that cannot have known of it.
//
// What last-write-wins costs (Kleppmann, Designing Data-Intensive Applications, 2017, chapter 5):
// of two writes on two sides of a partition one is dropped, although both were acknowledged. Found
// from the outside: a write was acknowledged, the next acknowledged one of its key was invoked
// later, and between the invocation of the first and the end of the second no message can have gone
// from any node within reach of the one client to any within reach of the other.
//
// Exercised: some key has acknowledged writes on two sides of a cut that stood between them.
// O(n c), c clients, and segments of connectivity.

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "checkers/connectivity.hpp"
#include "checkers/findings.hpp"
#include "checkers/key_split.hpp"
#include "checkers/outcomes.hpp"
#include "checkers/phrase.hpp"

namespace sunder::checkers {

CheckerInfo blind_overwrites_info();

namespace {

using history::Function;
using history::History;
using history::Operation;
using history::Outcome;

constexpr std::size_t kCounterexamples_max = 5;
constexpr std::size_t kRows_max = 50;

class BlindOverwrites {
 public:
  explicit BlindOverwrites(const History& history, const history::RunContext& context)
      : history_(history), connectivity_(context, Stance::certain) {}

  Verdict run(const std::stop_token& stop) {
    for (const KeyOperations& key : split_by_key(history_)) {
      if (stop.stop_requested()) break;
      judge(key);
    }
    if (stop.stop_requested()) {
      verdict_.summary = "stopped before every key was looked at";
    } else if (dropped_ > 0) {
      verdict_.kind = VerdictKind::broken;
      verdict_.summary = fmt::format(
          "{} of {} acknowledged writes were replaced by one that cannot have known of them",
          dropped_,
          writes_);
    } else {
      verdict_.kind = VerdictKind::not_exercised;
      verdict_.summary = fmt::format(
          "none of {} acknowledged writes of one key was on the other side of a cut", writes_);
    }
    verdict_.measurements = {{"acknowledged writes", static_cast<double>(writes_), "operations"},
                             {"replaced unknown", static_cast<double>(dropped_), "operations"}};
    if (!table_.rows.empty()) {
      verdict_.figures.push_back(
          {.section = "Staleness",
           .title = "Acknowledged writes that last-write-wins dropped",
           .note = dropped_ > table_.rows.size() ? fmt::format("The first of {}.", dropped_) : "",
           .body = std::move(table_)});
    }
    return std::move(verdict_);
  }

 private:
  void judge(const KeyOperations& key) {
    std::vector<std::uint32_t> acknowledged;
    for (const std::uint32_t i : key.operations) {
      const Operation& operation = history_.operations()[i];
      const bool counts = operation.function == Function::write &&
                          operation.outcome == Outcome::ok && is_timed(operation);
      if (counts && connectivity_.endpoint_of(operation.process)) acknowledged.push_back(i);
    }
    writes_ += acknowledged.size();
    std::map<std::size_t, std::uint32_t> newest;  // of each client
    for (const std::uint32_t later : acknowledged) {
      if (const auto earlier = replaced_by(later, newest)) report(key, *earlier, later);
      newest[*connectivity_.endpoint_of(history_.operations()[later].process)] = later;
    }
  }

  // Of the clients that cannot have told this one, the newest write; each is dropped once.
  [[nodiscard]] std::optional<std::uint32_t> replaced_by(
      std::uint32_t later, const std::map<std::size_t, std::uint32_t>& newest) {
    const Operation& after = history_.operations()[later];
    const std::size_t to = *connectivity_.endpoint_of(after.process);
    std::optional<std::uint32_t> found;
    for (const auto& [from, index] : newest) {
      const Operation& before = history_.operations()[index];
      if (from == to || !before.precedes(after) || !cannot_know(from, before, to, after)) continue;
      if (!found || history_.operations()[*found].invoke < before.invoke) found = index;
    }
    if (!found || !seen_.insert(*found).second) return std::nullopt;
    return found;
  }

  [[nodiscard]] bool cannot_know(std::size_t from,
                                 const Operation& before,
                                 std::size_t to,
                                 const Operation& after) const {
    const std::size_t first = connectivity_.segment_at(before.invoke_time);
    const std::size_t last = connectivity_.segment_at(end_time(after));
    if (last - first > kSegments_max) return false;
    const EndpointSet theirs = connectivity_.within_reach(from, first, last);
    const EndpointSet ours = connectivity_.within_reach(to, first, last);
    for (std::size_t i = 0; i < theirs.size(); ++i) {
      if (theirs[i] && ours[i]) return false;
    }
    return true;
  }

  void report(const KeyOperations& key, std::uint32_t earlier, std::uint32_t later) {
    ++dropped_;
    const Operation& before = history_.operations()[earlier];
    const Operation& after = history_.operations()[later];
    if (table_.rows.size() < kRows_max) {
      table_.rows.push_back({std::string(history_.pool().name(key.key)),
                             call_text(history_, before),
                             call_text(history_, after)});
    }
    if (verdict_.counterexamples.size() >= kCounterexamples_max) return;
    Counterexample example = example_of(
        "write dropped by last-write-wins",
        fmt::format("{} was acknowledged {} {}, which was on the other side of a partition and "
                    "replaced it",
                    phrase(history_, before),
                    lead(before, after),
                    phrase(history_, after)),
        {{earlier, true, "acknowledged, and dropped"}, {later, true, "cannot have known of it"}});
    add_context(example, history_, key);
    verdict_.counterexamples.push_back(std::move(example));
  }

  static constexpr std::size_t kSegments_max = 64;

  const History& history_;
  Connectivity connectivity_;
  Verdict verdict_;
  Table table_{.header = {"key", "dropped", "replaced by"}, .rows = {}};
  std::set<std::uint32_t> seen_;
  std::size_t writes_ = 0;
  std::size_t dropped_ = 0;
};

Verdict check_blind_overwrites(const History& history,
                               const CheckOptions& options,
                               std::stop_token stop) {
  if (options.context == nullptr) return needs_a_run();
  return BlindOverwrites(history, *options.context).run(stop);
}

}  // namespace

CheckerInfo blind_overwrites_info() {
  return {.name = "blind-overwrites",
          .summary = "No acknowledged write is replaced by one that cannot have known of it.",
          .check = check_blind_overwrites};
}

}  // namespace sunder::checkers
