#include "tests/histories/support/level_oracle.hpp"

#include <algorithm>
#include <functional>
#include <ranges>
#include <vector>

#include "harness/base/assert.hpp"
#include "harness/history/value_copy.hpp"
#include "tests/histories/support/brute_force.hpp"

namespace sunder::test {
namespace {

using history::Function;
using history::History;
using history::Operation;
using history::Outcome;
using history::Value;

constexpr int kReads_nothing = -2;
constexpr int kFrom_initial = -1;

struct Call {
  std::int64_t process = 0;
  std::size_t key = 0;
  Value reads;               // none: nothing
  bool reads_other = false;  // it found anything else
  Value writes;              // none: nothing
  bool unknown = false;
  bool may_be_stale = false;  // a read that changes nothing and depends on nothing
  std::int64_t invoke = 0;
  std::int64_t complete = 0;
};

std::vector<Call> calls_of(const History& history) {
  std::vector<Call> calls;
  for (const Operation& operation : history.operations()) {
    Call call;
    call.process = operation.process;
    call.key = operation.key;
    call.unknown = operation.outcome == Outcome::info;
    call.may_be_stale = operation.function == Function::read;
    call.invoke = operation.invoke;
    call.complete = operation.complete;
    const bool failed = operation.outcome == Outcome::fail;
    if (operation.function == Function::read && operation.outcome == Outcome::ok) {
      call.reads = operation.output;
    } else if (operation.function == Function::write && !failed) {
      call.writes = operation.input;
    } else if (operation.function == Function::cas) {
      const auto pair = history.pool().items_of(operation.input);
      if (!failed) {
        call.reads = pair[0];
        call.writes = pair[1];
      } else if (!operation.output.is_none()) {
        call.reads = operation.output;
      } else if (history.pool().name(operation.error) == "cas-mismatch") {
        call.reads = pair[0];
        call.reads_other = true;
      }
    }
    if (!call.reads.is_none() || !call.writes.is_none()) calls.push_back(call);
  }
  return calls;
}

using Matrix = std::vector<std::vector<bool>>;

Matrix matrix(std::size_t size) {
  return Matrix(size, std::vector<bool>(size, false));
}

void close(Matrix& before) {
  const std::size_t size = before.size();
  for (std::size_t k = 0; k < size; ++k) {
    for (std::size_t i = 0; i < size; ++i) {
      for (std::size_t j = 0; before[i][k] && j < size; ++j) {
        if (before[k][j]) before[i][j] = true;
      }
    }
  }
}

bool has_circle(const Matrix& before) {
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i][i]) return true;
  }
  return false;
}

// What takes place at one instant of an order.
struct Step {
  std::size_t key = 0;
  int source = kReads_nothing;  // a writer's number
  int writes = -1;              // its own number as a writer; -1: none
  bool in = false;              // takes part
  bool checked = false;         // its read counts
};

// Whether the steps have an order that keeps `before` and in which every read that counts finds the
// newest write of its key.
bool has_order(std::vector<Step>& steps, const Matrix& before) {
  std::vector<int> newest(64, kFrom_initial);
  const std::function<bool()> go = [&]() {
    bool all = true;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (!steps[i].in) continue;
      all = false;
      bool first = true;
      for (std::size_t j = 0; j < steps.size(); ++j) {
        if (steps[j].in && before[j][i]) first = false;
      }
      Step& step = steps[i];
      const bool right =
          !step.checked || step.source == kReads_nothing || newest[step.key] == step.source;
      if (!first || !right) continue;
      step.in = false;
      const int replaced = newest[step.key];
      if (step.writes >= 0) newest[step.key] = step.writes;
      const bool found = go();
      newest[step.key] = replaced;
      step.in = true;
      if (found) return true;
    }
    return all;
  };
  return go();
}

// Calls of which it is settled which happened and from whom each read.
class World {
 public:
  World(const std::vector<Call>& calls, std::vector<int> sources)
      : calls_(calls), sources_(std::move(sources)), process_(matrix(calls.size())) {
    for (std::size_t i = 0; i < calls.size(); ++i) {
      for (std::size_t j = i + 1; j < calls.size(); ++j) {
        process_[i][j] = calls[i].process == calls[j].process && !calls[i].unknown;
      }
    }
  }

  [[nodiscard]] bool satisfies(std::string_view level) const {
    if (level == "sequential") return sequential();
    if (level == "pram") return pram();
    if (level == "causal-memory") return causal_memory();
    if (level == "causal") return causal();
    if (level == "ccv") return convergent();
    if (level == "read-your-writes") return read_your_writes();
    if (level == "monotonic-reads") return monotonic_reads();
    SUNDER_ASSERT(level == "monotonic-writes" || level == "writes-follow-reads");
    return session_causal(level == "writes-follow-reads");
  }

 private:
  [[nodiscard]] std::size_t size() const { return calls_.size(); }

  [[nodiscard]] bool writes(std::size_t i) const { return !calls_[i].writes.is_none(); }

  [[nodiscard]] bool reads(std::size_t i) const { return sources_[i] != kReads_nothing; }

  [[nodiscard]] std::vector<Step> steps() const {
    std::vector<Step> all(size());
    for (std::size_t i = 0; i < size(); ++i) {
      all[i] = {calls_[i].key, sources_[i], writes(i) ? static_cast<int>(i) : -1, false, false};
    }
    return all;
  }

  [[nodiscard]] Matrix causality() const {
    Matrix before = process_;
    for (std::size_t i = 0; i < size(); ++i) {
      if (sources_[i] >= 0) before[static_cast<std::size_t>(sources_[i])][i] = true;
    }
    close(before);
    return before;
  }

  [[nodiscard]] bool sequential() const {
    std::vector<Step> all = steps();
    for (Step& step : all) step.in = step.checked = true;
    return has_order(all, process_);
  }

  [[nodiscard]] bool pram() const {
    for (std::size_t end = 0; end < size(); ++end) {
      std::vector<Step> all = steps();
      for (std::size_t i = 0; i < size(); ++i) {
        all[i].checked = i == end || process_[i][end];
        all[i].in = all[i].checked || writes(i);
      }
      if (!has_order(all, process_)) return false;
    }
    return true;
  }

  [[nodiscard]] bool causal_memory() const {
    const Matrix before = causality();
    if (has_circle(before)) return false;
    for (std::size_t end = 0; end < size(); ++end) {
      std::vector<Step> all = steps();
      for (std::size_t i = 0; i < size(); ++i) {
        all[i].checked = i == end || process_[i][end];
        all[i].in = i == end || before[i][end];
      }
      if (!has_order(all, before)) return false;
    }
    return true;
  }

  [[nodiscard]] bool causal() const {
    const Matrix before = causality();
    if (has_circle(before)) return false;
    for (std::size_t end = 0; end < size(); ++end) {
      std::vector<Step> all = steps();
      for (std::size_t i = 0; i < size(); ++i) all[i].in = i == end || before[i][end];
      all[end].checked = true;
      if (!has_order(all, before)) return false;
    }
    return true;
  }

  [[nodiscard]] bool convergent() const {
    const Matrix before = causality();
    if (has_circle(before)) return false;
    std::vector<std::size_t> order;
    const std::function<bool()> go = [&]() {
      if (order.size() == size()) return agrees(order, before);
      for (std::size_t i = 0; i < size(); ++i) {
        if (std::ranges::find(order, i) != order.end()) continue;
        bool first = true;
        for (std::size_t j = 0; j < size(); ++j) {
          if (before[j][i] && std::ranges::find(order, j) == order.end()) first = false;
        }
        if (!first) continue;
        order.push_back(i);
        if (go()) return true;
        order.pop_back();
      }
      return false;
    };
    return go();
  }

  // Whether every read found the last write of its key among those before it.
  [[nodiscard]] bool agrees(const std::vector<std::size_t>& order, const Matrix& before) const {
    for (std::size_t read = 0; read < size(); ++read) {
      if (!reads(read)) continue;
      int newest = kFrom_initial;
      for (const std::size_t i : order) {
        const bool counts = writes(i) && before[i][read] && calls_[i].key == calls_[read].key;
        if (counts) newest = static_cast<int>(i);
      }
      if (newest != sources_[read]) return false;
    }
    return true;
  }

  // Reads and writes of cas are apart below: step i is the read of call i, step size() + i its
  // write.
  [[nodiscard]] std::vector<Step> parts() const {
    std::vector<Step> all(2 * size());
    for (std::size_t i = 0; i < size(); ++i) {
      all[i] = {calls_[i].key, sources_[i], -1, false, false};
      all[size() + i] = {
          calls_[i].key, kReads_nothing, writes(i) ? static_cast<int>(i) : -1, false, false};
    }
    return all;
  }

  [[nodiscard]] bool read_your_writes() const {
    for (std::size_t end = 0; end < size(); ++end) {
      if (!reads(end)) continue;
      std::vector<Step> all = parts();
      Matrix before = matrix(2 * size());
      all[end].in = all[end].checked = true;
      if (sources_[end] >= 0) all[size() + static_cast<std::size_t>(sources_[end])].in = true;
      for (std::size_t own = 0; own < size(); ++own) {
        if (!process_[own][end] || !writes(own)) continue;
        all[size() + own].in = true;
        before[size() + own][end] = true;
        for (std::size_t other = 0; other < size(); ++other) {
          if (process_[other][own] && writes(other)) before[size() + other][size() + own] = true;
          const bool knew = (other == own || process_[other][own]) && sources_[other] >= 0 &&
                            sources_[other] == sources_[end];
          const auto source = static_cast<std::size_t>(std::max(sources_[end], 0));
          const bool later = source == own || process_[own][source];
          if (knew && !later) before[size() + source][size() + own] = true;
        }
      }
      if (!has_order(all, before)) return false;
    }
    return true;
  }

  [[nodiscard]] bool monotonic_reads() const {
    for (std::size_t end = 0; end < size(); ++end) {
      std::vector<Step> all = parts();
      Matrix before = matrix(2 * size());
      const auto own = [&](std::size_t i) {
        return reads(i) && (i == end || process_[i][end]) && calls_[i].key == calls_[end].key;
      };
      for (std::size_t i = 0; i < size(); ++i) {
        all[i].in = all[i].checked = own(i);
        all[size() + i].in = writes(i) && calls_[i].key == calls_[end].key;
        for (std::size_t j = 0; j < size(); ++j) {
          if (!process_[i][j]) continue;
          before[i][j] = own(i) && own(j);
          before[size() + i][size() + j] = writes(i) && writes(j);
        }
      }
      if (!has_order(all, before)) return false;
    }
    return true;
  }

  // Monotonic writes, and with reads that writes follow.
  [[nodiscard]] bool session_causal(bool follows_reads) const {
    Matrix before = matrix(2 * size());
    for (std::size_t i = 0; i < size(); ++i) {
      if (sources_[i] >= 0) before[size() + static_cast<std::size_t>(sources_[i])][i] = true;
      for (std::size_t j = 0; j < size(); ++j) {
        if (process_[i][j]) before[i][j] = reads(i) && reads(j);
        if (process_[i][j]) before[size() + i][size() + j] = writes(i) && writes(j);
        const bool follows = follows_reads && (i == j || process_[i][j]);
        if (follows && reads(i) && writes(j)) before[i][size() + j] = true;
      }
    }
    close(before);
    if (has_circle(before)) return false;
    for (std::size_t end = 0; end < size(); ++end) {
      if (!reads(end)) continue;
      std::vector<Step> all = parts();
      all[end].in = all[end].checked = true;
      for (std::size_t i = 0; i < size(); ++i) all[size() + i].in = before[size() + i][end];
      if (!has_order(all, before)) return false;
    }
    return true;
  }

  const std::vector<Call>& calls_;
  std::vector<int> sources_;
  Matrix process_;
};

// Whether a call may have read from that writer.
bool may_read(const Call& reader, const Call& writer) {
  if (writer.writes.is_none() || writer.key != reader.key) return false;
  return (writer.writes == reader.reads) != reader.reads_other;
}

}  // namespace

bool brute_force_level(const History& history, std::string_view level) {
  const std::vector<Call> all = calls_of(history);
  SUNDER_ASSERT(all.size() <= 8);
  for (std::uint32_t subset = 0; subset < (1U << all.size()); ++subset) {
    std::vector<Call> calls;
    bool possible = true;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const bool in = ((subset >> i) & 1U) != 0;
      possible = possible && (in || all[i].unknown);
      if (in) calls.push_back(all[i]);
    }
    if (!possible) continue;
    std::vector<int> sources(calls.size(), kReads_nothing);
    const std::function<bool(std::size_t)> choose = [&](std::size_t i) {
      if (i == calls.size()) return World(calls, sources).satisfies(level);
      if (calls[i].reads.is_none()) return choose(i + 1);
      if (calls[i].reads.is_nil() != calls[i].reads_other) {
        sources[i] = kFrom_initial;
        if (choose(i + 1)) return true;
      }
      for (std::size_t j = 0; j < calls.size(); ++j) {
        if (j == i || !may_read(calls[i], calls[j])) continue;
        sources[i] = static_cast<int>(j);
        if (choose(i + 1)) return true;
      }
      sources[i] = kReads_nothing;
      return false;
    };
    if (choose(0)) return true;
  }
  return false;
}

namespace {

// The forced orders of Bouajjani et al. (POPL 2017), over all calls.
class Saturation {
 public:
  explicit Saturation(const std::vector<Call>& calls) : calls_(calls), source_(calls.size(), -2) {
    for (std::size_t i = 0; i < calls.size(); ++i) {
      if (calls[i].reads.is_none()) continue;
      SUNDER_ASSERT(!calls[i].reads_other);
      source_[i] = calls[i].reads.is_nil() ? -1 : -3;
      for (std::size_t j = 0; j < calls.size(); ++j) {
        if (may_read(calls[i], calls[j])) source_[i] = static_cast<int>(j);
      }
    }
  }

  [[nodiscard]] bool allows(std::string_view level) const {
    if (std::ranges::find(source_, -3) != source_.end()) return false;
    const Matrix causality = before(true, 0, false);
    if (level == "pram") return views(false);
    if (has_circle(causality)) return false;
    if (level == "causal-memory") return views(true);
    Matrix order = causality;
    for (std::size_t read = 0; read < size(); ++read) {
      for (std::size_t other = 0; other < size(); ++other) {
        if (!rival(read, other) || !causality[other][read]) continue;
        if (source_[read] == -1) return false;
        const auto source = static_cast<std::size_t>(source_[read]);
        if (level == "causal" && causality[source][other]) return false;
        order[other][source] = true;
      }
    }
    if (level == "causal") return true;
    close(order);
    return !has_circle(order);
  }

 private:
  [[nodiscard]] std::size_t size() const { return calls_.size(); }

  [[nodiscard]] bool rival(std::size_t read, std::size_t other) const {
    return source_[read] != -2 && !calls_[other].writes.is_none() && other != read &&
           static_cast<int>(other) != source_[read] && calls_[other].key == calls_[read].key;
  }

  [[nodiscard]] bool own(std::size_t i, std::size_t end) const {
    return i <= end && calls_[i].process == calls_[end].process;
  }

  // Process order and reads-from; of a view without causality: of its own reads and all writes.
  [[nodiscard]] Matrix before(bool causal, std::size_t end, bool view) const {
    const auto counts = [&](std::size_t i) {
      return !view || causal || own(i, end) || !calls_[i].writes.is_none();
    };
    Matrix made = matrix(size());
    for (std::size_t i = 0; i < size(); ++i) {
      for (std::size_t j = i + 1; j < size(); ++j) {
        made[i][j] = calls_[i].process == calls_[j].process && counts(i) && counts(j);
      }
      const bool seen = source_[i] >= 0 && (causal || own(i, end));
      if (seen) made[static_cast<std::size_t>(source_[i])][i] = true;
    }
    close(made);
    return made;
  }

  [[nodiscard]] bool views(bool causal) const {
    for (std::size_t end = 0; end < size(); ++end) {
      const auto later = [&](std::size_t i) { return i > end && own(end, i); };
      const auto all = std::views::iota(std::size_t{0}, size());
      if (std::ranges::any_of(all, later)) continue;  // a later end's view contains this one's
      Matrix order = before(causal, end, true);
      const Matrix past = order;
      for (bool changed = true; changed;) {
        changed = false;
        for (std::size_t read = 0; read < size(); ++read) {
          if (!own(read, end)) continue;
          for (std::size_t other = 0; other < size(); ++other) {
            const bool counts = !causal || other == end || past[other][end];
            if (!counts || !rival(read, other) || !order[other][read]) continue;
            if (source_[read] == -1) return false;
            const auto source = static_cast<std::size_t>(source_[read]);
            changed = changed || !order[other][source];
            order[other][source] = true;
          }
        }
        close(order);
      }
      if (has_circle(order)) return false;
    }
    return true;
  }

  const std::vector<Call>& calls_;
  std::vector<int> source_;
};

}  // namespace

bool saturation_allows(const History& history, std::string_view level) {
  const std::vector<Call> calls = calls_of(history);
  return Saturation(calls).allows(level);
}

bool brute_force_k_atomic(const History& history, std::uint32_t k) {
  const std::vector<Call> all = calls_of(history);
  SUNDER_ASSERT(all.size() <= 16);
  std::vector<Value> values{Value::nil()};
  // Only plain reads may be stale.
  const auto is_right = [&](const Call& call) {
    if (call.reads.is_none()) return true;
    const std::size_t seen = call.may_be_stale ? std::min<std::size_t>(values.size(), k) : 1;
    const auto newest = values.end() - static_cast<std::ptrdiff_t>(seen);
    return (std::find(newest, values.end(), call.reads) != values.end()) != call.reads_other;
  };
  const std::function<bool(std::uint32_t)> go = [&](std::uint32_t done) {
    bool complete = true;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (((done >> i) & 1U) != 0) continue;
      if (!all[i].unknown) complete = false;
      bool first = true;
      for (std::size_t j = 0; j < all.size(); ++j) {
        if (j != i && ((done >> j) & 1U) == 0 && all[j].complete < all[i].invoke) first = false;
      }
      if (!first || !is_right(all[i])) continue;
      const bool writes = !all[i].writes.is_none();
      if (writes) values.push_back(all[i].writes);
      const bool found = go(done | (1U << i));
      if (writes) values.pop_back();
      if (found) return true;
    }
    return complete;
  };
  return go(0);
}

bool brute_force_delta_atomic(const History& history, std::int64_t delta) {
  history::HistoryBuilder builder;
  for (Operation operation : history.operations()) {
    if (operation.function == Function::read) operation.invoke -= delta;
    operation.key = 0;
    operation.error = builder.pool().symbol(history.pool().name(operation.error));
    operation.input = history::copy_value(builder.pool(), history.pool(), operation.input);
    operation.output = history::copy_value(builder.pool(), history.pool(), operation.output);
    builder.add(operation);
  }
  return brute_force_linearizable(builder.finish(), "register");
}

}  // namespace sunder::test
