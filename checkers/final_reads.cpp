// Final reads: once nothing is written any more, every read of a key finds the same value, and no
// acknowledged write is lost to an older one.
//
// The convergence model at its level last-write, asked of a run: what is finite cannot refute
// "eventually" otherwise, so the run leaves the system alone before it reads for the last time, and
// only what is read then counts.
//
// Exercised: at least `keys_min` (20, or all there are) keys have an acknowledged write and final
// reads by at least two processes, and a fault that bit when faults were asked for.

#include "checkers/final_reads.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "checkers/key_split.hpp"
#include "checkers/outcomes.hpp"

namespace sunder::checkers {

CheckerInfo final_reads_info();

namespace {

using history::Function;
using history::History;
using history::Operation;
using history::Outcome;

constexpr double kKeys_min = 20;

bool is_exercised(const History& history, const KeyOperations& key, std::int64_t reads_from) {
  const std::int64_t settled = settled_at(history, key);
  std::set<std::int64_t> readers;
  for (const std::uint32_t i : key.operations) {
    const Operation& operation = history.operations()[i];
    if (is_final_read(operation, settled, reads_from)) readers.insert(operation.process);
  }
  return settled >= 0 && readers.size() >= 2;
}

Verdict check_final_reads(const History& history,
                          const CheckOptions& options,
                          std::stop_token stop) {
  auto verdict = check_model(history, "convergence/last-write", options, std::move(stop));
  if (verdict.has_error()) {
    Verdict unknown;
    unknown.summary = verdict.error().message();
    return unknown;
  }
  if (verdict->kind == VerdictKind::broken) return std::move(*verdict);
  const std::vector<KeyOperations> keys = split_by_key(history);
  const std::int64_t reads_from = final_reads_begin(options.context);
  const auto judged = static_cast<std::size_t>(std::ranges::count_if(
      keys, [&](const KeyOperations& key) { return is_exercised(history, key, reads_from); }));
  const auto asked = static_cast<std::size_t>(parameter(options, "keys_min", kKeys_min));
  const std::size_t wanted = std::max<std::size_t>(1, std::min(asked, keys.size()));
  const auto bit = [](const history::FaultRecord& fault) { return fault.exercised; };
  const bool faulty = options.context == nullptr || options.context->faults.empty() ||
                      std::ranges::any_of(options.context->faults, bit);
  if (judged < wanted || !faulty) {
    verdict->kind = VerdictKind::not_exercised;
    verdict->summary =
        faulty ? fmt::format(
                     "only {} keys were written, and read at the end by two processes; {} "
                     "are needed",
                     judged,
                     wanted)
               : "no fault bit";
  }
  verdict->measurements.push_back({"keys judged", static_cast<double>(judged), "keys"});
  return std::move(*verdict);
}

}  // namespace

std::int64_t settled_at(const History& history, const KeyOperations& key) {
  std::int64_t settled = -1;
  for (const std::uint32_t i : key.operations) {
    const Operation& operation = history.operations()[i];
    const bool changes = operation.function != Function::read && operation.outcome == Outcome::ok;
    if (changes) settled = std::max(settled, operation.complete);
  }
  return settled;
}

bool is_final_read(const Operation& operation,
                   std::int64_t settled,
                   std::int64_t reads_from) noexcept {
  const bool known = operation.function == Function::read && operation.outcome == Outcome::ok &&
                     !operation.output.is_none();
  return known && operation.invoke > settled && operation.invoke_time >= reads_from;
}

CheckerInfo final_reads_info() {
  return {.name = "final-reads",
          .summary = "Once nothing changes, all reads agree and no acknowledged write is lost.",
          .check = check_final_reads};
}

}  // namespace sunder::checkers
