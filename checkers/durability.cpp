// Durability: what was acknowledged before all nodes were killed at once is still there afterwards.
//
// Written values are unique, so a value that was overwritten never returns. A read that starts
// after the crash is wrong when it finds nothing, or a value whose write had ended before the
// invocation of a later write that was acknowledged before the crash: then that later write is
// lost. A refused cas that tells the actual value counts as a read. The crash is kill -9 of
// processes, or with the parameter `power_loss` a loss of power: never the two mixed, because the
// page cache survives the one and not the other. With the parameter `final_reads` only the run's
// final reads count, and of them those of keys that were not written again: a system that converges
// owes its last writes only once it had time to.
//
// Exercised: at least `keys_min` (5, or all there are) keys have an acknowledged write before a
// crash and a read after.

#include <algorithm>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "checkers/crashes.hpp"
#include "checkers/outcomes.hpp"

namespace sunder::checkers {

CheckerInfo durability_info();

namespace {

using history::Function;
using history::History;
using history::Operation;
using history::Outcome;
using history::Symbol;
using history::Value;
using history::Window;

constexpr double kKeys_min = 5;
constexpr std::size_t kCounterexamples_max = 5;

class DurabilityCheck {
 public:
  struct Asked {
    bool power_loss = false;
    std::int64_t reads_from = 0;  // earlier reads do not count
  };

  DurabilityCheck(const History& history, std::vector<Window> crashes, Asked asked)
      : history_(history), crashes_(std::move(crashes)), asked_(asked) {
    const std::vector<Operation>& operations = history.operations();
    for (std::size_t i = 0; i < operations.size(); ++i) {
      keys_.insert(operations[i].key);
      const Value written = written_by(operations[i]);
      if (!written.is_none()) writers_[operations[i].key].emplace(written, i);
    }
  }

  Verdict run(const CheckOptions& options, const std::stop_token& stop) {
    for (const Window& crash : crashes_) {
      if (!stop.stop_requested()) judge(crash);
    }
    const auto asked = static_cast<std::size_t>(parameter(options, "keys_min", kKeys_min));
    const std::size_t wanted = std::max<std::size_t>(1, std::min(asked, keys_.size()));
    if (stop.stop_requested()) {
      verdict_.summary = "stopped before every crash was looked at";
    } else if (lost_ > 0) {
      verdict_.kind = VerdictKind::broken;
      verdict_.summary =
          fmt::format("{} reads after {} show that acknowledged writes were lost", lost_, what());
    } else if (crashes_.empty()) {
      verdict_.kind = VerdictKind::not_exercised;
      verdict_.summary = asked_.power_loss ? "all nodes were never without power at once"
                                           : "all nodes were never dead at once";
    } else if (keys_judged_.size() < wanted) {
      verdict_.kind = VerdictKind::not_exercised;
      verdict_.summary =
          fmt::format("only {} keys were written before {} and read after it; {} are needed",
                      keys_judged_.size(),
                      what(),
                      wanted);
    } else {
      verdict_.kind = VerdictKind::kept;
      verdict_.summary =
          fmt::format("{} reads of {} keys after {} ({} in all) saw every acknowledged write",
                      reads_judged_,
                      keys_judged_.size(),
                      what(),
                      crashes_.size());
    }
    verdict_.measurements = {
        {"crashes of all nodes", static_cast<double>(crashes_.size()), ""},
        {"keys judged", static_cast<double>(keys_judged_.size()), "keys"},
        {"reads judged", static_cast<double>(reads_judged_), "operations"},
        {"reads that missed a write", static_cast<double>(lost_), "operations"}};
    return std::move(verdict_);
  }

 private:
  [[nodiscard]] std::string_view what() const { return crash_text(asked_.power_loss); }

  [[nodiscard]] Value written_by(const Operation& operation) const {
    if (operation.function == Function::write) return operation.input;
    if (operation.function != Function::cas || !operation.input.is_list()) return {};
    const auto change = history_.pool().items_of(operation.input);
    return change.size() == 2 ? change[1] : Value();
  }

  // What an operation tells of the key's value before it; none: nothing.
  [[nodiscard]] Value seen_by(const Operation& operation) const {
    if (operation.outcome == Outcome::info) return {};
    if (operation.function == Function::read && operation.outcome == Outcome::ok)
      return operation.output;
    if (operation.function != Function::cas) return {};
    if (operation.outcome == Outcome::fail) return operation.output;
    return operation.input.is_list() ? history_.pool().items_of(operation.input).front() : Value();
  }

  // Keys that somebody may have written since the crash began.
  [[nodiscard]] std::set<Symbol> written_again(const Window& crash) const {
    std::set<Symbol> keys;
    for (const Operation& operation : history_.operations()) {
      const bool writes = operation.outcome != Outcome::fail && !written_by(operation).is_none();
      if (writes && end_time(operation) >= crash.begin) keys.insert(operation.key);
    }
    return keys;
  }

  // Per key, the acknowledged write invoked last among those that ended before the crash.
  [[nodiscard]] std::unordered_map<Symbol, std::size_t> newest_before(const Window& crash) const {
    const std::vector<Operation>& operations = history_.operations();
    std::unordered_map<Symbol, std::size_t> newest;
    for (std::size_t i = 0; i < operations.size(); ++i) {
      const Operation& operation = operations[i];
      if (operation.outcome != Outcome::ok || written_by(operation).is_none()) continue;
      if (!is_timed(operation) || end_time(operation) >= crash.begin) continue;
      const auto [known, fresh] = newest.emplace(operation.key, i);
      if (!fresh && operations[known->second].invoke < operation.invoke) known->second = i;
    }
    return newest;
  }

  void judge(const Window& crash) {
    const std::vector<Operation>& operations = history_.operations();
    const std::unordered_map<Symbol, std::size_t> newest = newest_before(crash);
    std::set<Symbol> excepted;
    if (asked_.reads_from > 0) excepted = written_again(crash);
    for (std::size_t i = 0; i < operations.size(); ++i) {
      const Operation& read = operations[i];
      const Value seen = seen_by(read);
      if (seen.is_none() || !is_timed(read)) continue;
      if (read.invoke_time < std::max(crash.end, asked_.reads_from)) continue;
      const auto acknowledged = newest.find(read.key);
      if (acknowledged == newest.end() || excepted.contains(read.key)) continue;
      ++reads_judged_;
      keys_judged_.insert(read.key);
      judge_read(i, seen, acknowledged->second, crash);
    }
  }

  void judge_read(std::size_t read, Value seen, std::size_t acknowledged, const Window& crash) {
    const std::vector<Operation>& operations = history_.operations();
    std::optional<std::size_t> older;
    if (!seen.is_nil()) {
      const auto& writers = writers_[operations[read].key];
      const auto [first, last] = writers.equal_range(seen);
      // A value that several operations wrote, or nobody did, proves nothing here.
      if (first == last || std::next(first) != last) return;
      older = first->second;
      if (!operations[*older].precedes(operations[acknowledged])) return;
    }
    ++lost_;
    if (verdict_.counterexamples.size() < kCounterexamples_max)
      explain(read, older, acknowledged, crash);
  }

  void explain(std::size_t read,
               std::optional<std::size_t> older,
               std::size_t acknowledged,
               const Window& crash) {
    const std::vector<Operation>& operations = history_.operations();
    Counterexample example;
    example.title = "lost write";
    example.key = history_.pool().name(operations[read].key);
    example.why = fmt::format(
        "{} had been acknowledged when all nodes {} at {}, yet afterwards {} saw {}",
        call_text(history_, operations[acknowledged]),
        asked_.power_loss ? "lost power" : "were killed",
        seconds_text(crash.begin),
        call_text(history_, operations[read]),
        older ? fmt::format("the older value of {}", call_text(history_, operations[*older]))
              : "nothing");
    example.items.push_back({acknowledged, true, "the lost write"});
    if (older) example.items.push_back({*older, true, "the older write"});
    example.items.push_back({read, true, older ? "reads the older value" : "finds nothing"});
    std::ranges::sort(example.items, {}, &Counterexample::Item::operation);
    example.first_error = read;
    verdict_.counterexamples.push_back(std::move(example));
  }

  const History& history_;
  std::vector<Window> crashes_;
  Asked asked_;
  std::set<Symbol> keys_;
  std::unordered_map<Symbol, std::unordered_multimap<Value, std::size_t, history::ValueHash>>
      writers_;
  std::set<Symbol> keys_judged_;
  std::size_t reads_judged_ = 0;
  std::size_t lost_ = 0;
  Verdict verdict_;
};

Verdict check_durability(const History& history,
                         const CheckOptions& options,
                         std::stop_token stop) {
  if (options.context == nullptr) return needs_a_run();
  const bool power_loss = parameter(options, "power_loss", 0) > 0;
  DurabilityCheck::Asked asked{.power_loss = power_loss};
  if (parameter(options, "final_reads", 0) > 0)
    asked.reads_from = final_reads_begin(options.context);
  return DurabilityCheck(history, crashes_of(*options.context, power_loss), asked)
      .run(options, stop);
}

}  // namespace

CheckerInfo durability_info() {
  return {.name = "durability",
          .summary = "Every write acknowledged before all nodes died at once is seen afterwards.",
          .check = check_durability};
}

}  // namespace sunder::checkers
