// Keys whose subkeys are written one after the other, and read in the opposite order: who sees a
// later subkey sees the earlier ones (Jepsen's `sequential`, of CockroachDB and TiDB).
//
// A write of key k writes its subkeys in order, each in a transaction of its own; a read tells
// [k [value …]], the last subkey first, nil where it found none. Writer and reader each keep their
// own order, so that a subkey seen by the reader was written before everything it looks at
// afterwards: nil behind a value contradicts sequential consistency. exact: besides, no value of a
// key that nobody had begun to write; a write that failed may have written some of its subkeys.
//
// Sound and complete for the definition (not for sequential consistency across several operations).
// O(n) in the subkeys read.

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "checkers/findings.hpp"
#include "checkers/phrase.hpp"
#include "checkers/value_index.hpp"

namespace sunder::checkers {
namespace {

using history::Function;
using history::Operation;
using history::Outcome;
using history::Value;

constexpr std::array kLevels{
    LevelInfo{"order", "Who sees a subkey sees all that were written before it."},
    LevelInfo{"exact", "The same, and nothing is seen of a key that nobody had begun to write."}};

// What a read found: of which key, and its subkeys, the last first.
struct Found {
  Value key;
  std::span<const Value> subkeys;
};

// Nothing: it is not of that shape.
std::optional<Found> found_by(const history::ValuePool& pool, Value output) {
  if (!output.is_list()) return std::nullopt;
  const auto pair = pool.items_of(output);
  if (pair.size() != 2 || pair[0].is_list() || !pair[1].is_list()) return std::nullopt;
  return Found{pair[0], pool.items_of(pair[1])};
}

bool knows(const history::History& history, const Operation& operation) {
  if (operation.function == Function::write) return !operation.input.is_list();
  if (operation.function != Function::read) return false;
  const Value output = operation.output;
  return output.is_none() || output.is_nil() || found_by(history.pool(), output).has_value();
}

bool is_nil(Value value) noexcept {
  return value.is_nil();
}

class Sequential {
 public:
  Sequential(const history::History& history, const KeyOperations& key, Findings& findings)
      : history_(&history), key_(&key), findings_(&findings), keys_(key.operations.size()) {
    for (const std::uint32_t index : key.operations) {
      const Operation& operation = history.operations()[index];
      if (operation.function != Function::write) continue;
      if (keys_.number(operation.input) == begun_.size()) begun_.push_back(index);
    }
  }

  void judge() {
    for (const std::uint32_t index : key_->operations) {
      const Operation& operation = history_->operations()[index];
      if (operation.function != Function::read || operation.outcome != Outcome::ok) continue;
      if (const auto found = found_by(history_->pool(), operation.output))
        judge_read(index, *found);
    }
  }

  std::size_t all = 0;   // reads that saw every subkey
  std::size_t some = 0;  // but not every
  std::size_t none = 0;

 private:
  void judge_read(std::uint32_t index, const Found& found) {
    const auto seen = std::ranges::find_if_not(found.subkeys, is_nil);
    if (seen == found.subkeys.end()) {
      ++none;
      return;
    }
    const auto missing = std::find_if(seen, found.subkeys.end(), is_nil);
    const bool whole = missing == found.subkeys.end() && seen == found.subkeys.begin();
    ++(whole ? all : some);
    if (seen + 1 != found.subkeys.end()) findings_->observed();
    if (missing != found.subkeys.end()) report_gap(index, found, *seen, missing);
    judge_origin(index, found, *seen);
  }

  void report_gap(std::uint32_t index,
                  const Found& found,
                  Value seen,
                  std::span<const Value>::iterator missing) {
    findings_->add("gap", *key_, found.key, [&] {
      const history::ValuePool& pool = history_->pool();
      // Written in order and read backwards: from the end they count from 1.
      const auto place = found.subkeys.end() - missing;
      return example_of(
          "later subkey without the earlier",
          fmt::format("p{}'s read of {} saw {} and afterwards found nothing at subkey {} of {}, "
                      "which is written before it",
                      history_->operations()[index].process,
                      pool.describe(found.key),
                      pool.describe(seen),
                      place,
                      found.subkeys.size()),
          core_of(index, found.key));
    });
  }

  // The write, if there is one, and the read.
  [[nodiscard]] std::vector<Counterexample::Item> core_of(std::uint32_t read, Value key) const {
    std::vector<Counterexample::Item> core{{read, true, "saw the later subkey only"}};
    const std::uint32_t number = keys_.find(key);
    if (number != ValueIndex::kMissing) {
      core.push_back({begun_[number], true, "wrote the subkeys in their order"});
    }
    return core;
  }

  void judge_origin(std::uint32_t index, const Found& found, Value seen) {
    const Operation& read = history_->operations()[index];
    const std::uint32_t number = keys_.find(found.key);
    const bool known = number != ValueIndex::kMissing;
    if (known && !read.precedes(history_->operations()[begun_[number]])) return;
    findings_->add("unexpected", *key_, found.key, [&] {
      std::vector<Counterexample::Item> core{{index, true, "shows what nobody can have written"}};
      if (known) core.push_back({begun_[number], true, "the first that writes it"});
      return example_of("value from nowhere",
                        fmt::format("p{}'s read of {} saw {}, which nobody had begun to write",
                                    read.process,
                                    history_->pool().describe(found.key),
                                    history_->pool().describe(seen)),
                        std::move(core));
    });
  }

  const history::History* history_;
  const KeyOperations* key_;
  Findings* findings_;
  ValueIndex keys_;
  std::vector<std::uint32_t> begun_;  // by number of the key: the write that began first
};

Verdict check(const history::History& history,
              std::string_view level,
              const CheckOptions&,
              std::stop_token) {
  if (auto verdict = unsuitable(history, "sequential", knows)) return *verdict;
  Findings findings(history);
  if (level == "order") findings.tolerate("unexpected");
  std::size_t all = 0;
  std::size_t some = 0;
  std::size_t none = 0;
  for (const KeyOperations& key : split_by_key(history)) {
    Sequential one(history, key, findings);
    one.judge();
    all += one.all;
    some += one.some;
    none += one.none;
  }
  findings.measure("reads of all subkeys", static_cast<double>(all));
  findings.measure("of some", static_cast<double>(some));
  findings.measure("of none", static_cast<double>(none));
  return findings.finish(
      fmt::format("{} found subkeys in the order of their writes, {} of them not all",
                  counted(all + some, "read"),
                  some),
      "no read found a subkey that others are written before");
}

bool fits(const history::History& history) {
  if (unsuitable(history, "sequential", knows)) return false;
  return std::ranges::any_of(history.operations(), [&](const Operation& operation) {
    const auto found = found_by(history.pool(), operation.output);
    return found && operation.input == found->key;
  });
}

}  // namespace

ModelInfo sequential_model() {
  return {.name = "sequential",
          .summary = "Keys whose subkeys are written in order and read backwards: no gaps.",
          .levels = kLevels,
          .fits = fits,
          .check = check,
          .strength = 2};
}

}  // namespace sunder::checkers
