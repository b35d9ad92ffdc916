// Transactions that each write one key, once, and transactions that read many: all reads see
// prefixes of one order of the writes (Jepsen's `long-fork`).
//
// A read that sees a write comes after it, one that does not comes before it; a cycle is a
// violation, and the shortest, two reads of which each misses what the other sees, is a long fork:
// allowed by parallel snapshot isolation, not by snapshot isolation. Jepsen compares reads of the
// same keys; this compares all. Sound and complete without order in time; O(n) in the keys read.

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "checkers/findings.hpp"
#include "checkers/order_graph.hpp"
#include "checkers/phrase.hpp"
#include "checkers/value_index.hpp"

namespace sunder::checkers {
namespace {

using history::Function;
using history::Operation;
using history::Outcome;
using history::Value;

constexpr std::array kLevels{
    LevelInfo{"prefix", "Every read sees the writes up to some point of one order of them."}};

enum class Kind { read, write, other };

// One part of a transaction: [r key value] or [w key value].
struct Part {
  Kind kind = Kind::other;
  Value key;
  Value value;
};

Part part_of(const history::ValuePool& pool, Value item) {
  if (!item.is_list()) return {};
  const auto parts = pool.items_of(item);
  if (parts.size() != 3 || !parts[0].is_text()) return {};
  const std::string_view word = pool.text_of(parts[0]);
  const Kind kind = word == "r" || word == "read"    ? Kind::read
                    : word == "w" || word == "write" ? Kind::write
                                                     : Kind::other;
  return {kind, parts[1], parts[2]};
}

// What it did when that is known, otherwise what it was told to do.
Value content_of(const Operation& operation) {
  const bool done = operation.outcome == Outcome::ok && operation.output.is_list();
  return done ? operation.output : operation.input;
}

// Whether all of it are reads, or it is one write; `other`: neither.
Kind kind_of(const history::ValuePool& pool, const Operation& operation) {
  const Value content = content_of(operation);
  if (!content.is_list()) return Kind::other;
  const auto items = pool.items_of(content);
  const auto is = [&](Kind kind) {
    return [&pool, kind](Value item) { return part_of(pool, item).kind == kind; };
  };
  if (items.size() == 1 && is(Kind::write)(items[0])) return Kind::write;
  return std::ranges::all_of(items, is(Kind::read)) ? Kind::read : Kind::other;
}

bool knows(const history::History& history, const Operation& operation) {
  const bool named = operation.function == Function::txn || operation.function == Function::read ||
                     operation.function == Function::write;
  return named && kind_of(history.pool(), operation) != Kind::other;
}

class LongFork {
 public:
  explicit LongFork(const history::History& history)
      : history_(&history), keys_(count_keys(history)), graph_(history, nodes_of(history)) {
    for (std::uint32_t node = 0; node < graph_.graph().real(); ++node) add_write(node);
  }

  // A key that is written twice, described; empty: none is.
  [[nodiscard]] const std::string& written_twice() const noexcept { return written_twice_; }

  [[nodiscard]] std::size_t reads() const noexcept { return reads_; }

  void judge(Findings& findings) {
    for (std::uint32_t i = 0; i < history_->operations().size(); ++i) {
      all_.operations.push_back(i);
    }
    for (std::uint32_t node = 0; node < graph_.graph().real(); ++node) {
      if (!is_read(node)) continue;
      ++reads_;
      findings.observed();
      for (const Value item : history_->pool().items_of(content_of(at(node)))) {
        judge_part(node, part_of(history_->pool(), item), findings);
      }
    }
    auto cycle = graph_.find_cycle(
        OrderGraph::kObserved, "long fork", [&](std::uint32_t from, std::uint32_t to) {
          return reason_of(from, to);
        });
    if (cycle) findings.add("long fork", all_, "", [&] { return std::move(*cycle); });
  }

 private:
  struct Write {
    std::uint32_t node = kNobody;
    Value value;
  };

  static constexpr std::uint32_t kNobody = 0xffffffff;

  static std::size_t count_keys(const history::History& history) {
    std::size_t count = 0;
    for (const Operation& operation : history.operations()) {
      count += history.pool().items_of(content_of(operation)).size();
    }
    return count;
  }

  // Reads with a known result, and writes that did not definitely fail.
  static std::vector<std::uint32_t> nodes_of(const history::History& history) {
    std::vector<std::uint32_t> nodes;
    for (std::uint32_t i = 0; i < history.operations().size(); ++i) {
      const Operation& operation = history.operations()[i];
      const bool write = kind_of(history.pool(), operation) == Kind::write;
      const bool read = !write && operation.outcome == Outcome::ok && operation.output.is_list();
      if (read || (write && operation.outcome != Outcome::fail)) nodes.push_back(i);
    }
    return nodes;
  }

  [[nodiscard]] const Operation& at(std::uint32_t node) const {
    return history_->operations()[graph_.operation(node)];
  }

  [[nodiscard]] bool is_read(std::uint32_t node) const {
    return kind_of(history_->pool(), at(node)) == Kind::read;
  }

  void add_write(std::uint32_t node) {
    if (is_read(node)) return;
    const Part part = part_of(history_->pool(), history_->pool().items_of(content_of(at(node)))[0]);
    const std::uint32_t key = keys_.number(part.key);
    if (key == writes_.size()) {
      writes_.push_back({node, part.value});
    } else {
      written_twice_ = history_->pool().describe(part.key);
    }
  }

  void judge_part(std::uint32_t node, const Part& part, Findings& findings) {
    const std::uint32_t key = keys_.find(part.key);
    const bool written = key != ValueIndex::kMissing;
    if (part.value.is_nil() || part.value.is_none()) {
      if (written && part.value.is_nil()) {
        graph_.graph().add(node, writes_[key].node, OrderGraph::kObserved);
      }
      return;
    }
    if (written && writes_[key].value == part.value) {
      graph_.graph().add(writes_[key].node, node, OrderGraph::kObserved);
      return;
    }
    findings.add("unexpected", all_, part.key, [&] {
      return example_of("unexpected value",
                        fmt::format("p{} read {} of {}, which no write that may have happened "
                                    "wrote",
                                    at(node).process,
                                    history_->pool().describe(part.value),
                                    history_->pool().describe(part.key)),
                        {{graph_.operation(node), true, "shows a value from nowhere"}});
    });
  }

  [[nodiscard]] OrderGraph::Reason reason_of(std::uint32_t from, std::uint32_t to) const {
    const bool seen = is_read(to);
    const std::uint32_t write = seen ? from : to;
    const std::uint32_t read = seen ? to : from;
    const Part part =
        part_of(history_->pool(), history_->pool().items_of(content_of(at(write)))[0]);
    const std::string key = history_->pool().describe(part.key);
    return {fmt::format("{} {}", seen ? "wr" : "rw", key),
            fmt::format("p{}'s read {} p{}'s write of {}",
                        at(read).process,
                        seen ? "sees" : "misses",
                        at(write).process,
                        key)};
  }

  const history::History* history_;
  ValueIndex keys_;
  std::vector<Write> writes_;  // by number of the key
  OrderGraph graph_;
  KeyOperations all_;  // every operation: keys are inside the transactions
  std::string written_twice_;
  std::size_t reads_ = 0;
};

Verdict check(const history::History& history,
              std::string_view,
              const CheckOptions&,
              std::stop_token) {
  if (auto verdict = unsuitable(history, "long-fork", knows)) return *verdict;
  Findings findings(history);
  LongFork fork(history);
  if (!fork.written_twice().empty()) {
    Verdict verdict;
    verdict.summary = fmt::format(
        "the model long-fork is for keys that are written once; {} is written more often",
        fork.written_twice());
    return verdict;
  }
  fork.judge(findings);
  findings.measure("reads", static_cast<double>(fork.reads()));
  return findings.finish(
      fmt::format("{} see prefixes of one order of the writes", counted(fork.reads(), "read")),
      "no read has a known result");
}

bool fits(const history::History& history) {
  if (history.empty() || unsuitable(history, "long-fork", knows)) return false;
  bool many = false;
  for (const Operation& operation : history.operations()) {
    many = many || history.pool().items_of(content_of(operation)).size() > 1;
  }
  return many && LongFork(history).written_twice().empty();
}

}  // namespace

ModelInfo long_fork_model() {
  return {.name = "long-fork",
          .summary = "Keys that are written once, each by its own transaction, and read together.",
          .levels = kLevels,
          .fits = fits,
          .check = check};
}

}  // namespace sunder::checkers
