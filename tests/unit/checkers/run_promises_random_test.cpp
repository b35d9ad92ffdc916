// Durability and recovery against what their promises say of small random runs.
//
// The definitions look at every crash and read, and at every heal and client, in milliseconds; they
// share no code with the checkers. Every case is a function of its seed; a failure prints it with
// the smallest part of its history that fails, too, and the faults around it. SUNDER_CASES sets the
// number of cases per test (10,000 by default).

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "harness/base/random.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/random_histories.hpp"
#include "tests/unit/checkers/run_fixture.hpp"

namespace sunder::checkers {
namespace {

using history::FaultRecord;
using history::Function;
using history::History;
using history::kNever;
using history::Operation;
using history::Outcome;
using history::RunContext;
using history::Value;

// A run whose faults are drawn first, then its calls.
struct RandomRuns {
  std::string_view checker;
  std::function<RunFixture(base::Random& random)> with_faults;
  std::function<void(base::Random& random, RunFixture& run)> add_calls;
  std::function<VerdictKind(const RunFixture& run, const History& history)> definition;
};

// Each verdict must occur often.
void agree(const RandomRuns& runs) {
  const std::uint64_t cases = test::case_count();
  std::map<VerdictKind, std::uint64_t> seen;
  const auto make = [&](std::uint64_t seed) {
    base::Random random(seed);
    RunFixture run = runs.with_faults(random);
    runs.add_calls(random, run);
    return run.builder.finish();
  };
  const auto judge = [&](const test::RandomHistory& random) -> std::string {
    base::Random drawn(random.seed);
    const RunFixture run = runs.with_faults(drawn);
    const VerdictKind expected = runs.definition(run, random.history);
    const Verdict verdict = run.judge(runs.checker, random.history);
    ++seen[verdict.kind];
    const bool shown = !verdict.counterexamples.empty();
    const std::string wrong =
        shown != (verdict.kind == VerdictKind::broken)
            ? "wrong counter-examples"
            : test::disagreement(name_of(expected), name_of(verdict.kind), verdict.summary + ": ");
    return wrong.empty() ? wrong : wrong + "\n" + text_of(run.context);
  };
  if (!test::check_histories(cases, make, judge)) return;
  for (const VerdictKind kind :
       {VerdictKind::kept, VerdictKind::broken, VerdictKind::not_exercised}) {
    EXPECT_GT(seen[kind], cases / 50) << name_of(kind);
  }
}

// ---------------------------------------------------------------- durability

constexpr std::int64_t kLast = 100;  // no fault is later, ms

// Two nodes that die, or lose power, together or alone.
RunFixture crashing_run(base::Random& random) {
  RunFixture run(2, 3);
  for (std::uint64_t faults = 1 + random.below(3); faults > 0; --faults) {
    const std::int64_t begin = random.between(5, 50);
    FaultRecord& fault = run.kill({1, 2}, begin, begin + random.between(2, 15));
    fault.exercised = random.chance(0.85);
    if (random.chance(0.15)) fault.disabled_nodes.pop_back();
    if (random.chance(0.3)) fault.family = random.chance(0.5) ? "power-loss" : "torn-write";
  }
  run.parameters = {{"keys_min", static_cast<double>(1 + random.below(2))}};
  if (random.chance(0.3)) run.parameters["power_loss"] = 1;
  if (random.chance(0.3)) {
    run.parameters["final_reads"] = 1;
    run.context.phases = {{"load", {0, RunFixture::ms(60)}}};
    const history::Window last{RunFixture::ms(60), RunFixture::ms(kLast)};
    if (random.chance(0.9)) run.context.phases.push_back({"final reads", last});
  }
  return run;
}

void add_register_calls(base::Random& random, RunFixture& run) {
  std::vector<std::int64_t> written;
  const auto any = [&] {
    const bool nil = written.empty() || random.chance(0.15);
    return nil ? Value::nil() : Value::integer(random.pick(written));
  };
  const auto fresh = [&] {
    const bool again = !written.empty() && random.chance(0.05);
    written.push_back(again ? random.pick(written) : ++run.value);
    return Value::integer(written.back());
  };
  std::int64_t time = 0;
  for (std::uint64_t calls = 3 + random.below(8); calls > 0; --calls) {
    time += random.between(0, 15);
    RunFixture::Call call;
    call.process = static_cast<std::int64_t>(random.below(3));
    call.key = random.chance(0.8) ? "x" : "y";
    call.begin = time;
    call.end = time + random.between(1, 8);
    const std::uint64_t die = random.below(10);
    call.outcome = die < 7 ? Outcome::ok : die < 9 ? Outcome::info : Outcome::fail;
    const std::uint64_t what = random.below(time < 40 ? 4 : 8);
    if (what < 3) {
      call.input = fresh();
    } else if (what == 3) {
      call.function = "cas";
      call.input = run.builder.pool().list({any(), fresh()});
      if (call.outcome == Outcome::fail && random.chance(0.5)) call.output = any();
    } else {
      call.function = "read";
      if (call.outcome == Outcome::ok) call.output = any();
    }
    run.call(call);
  }
}

// When all nodes were down by what counts; adjoining milliseconds are one crash.
std::vector<std::pair<std::int64_t, std::int64_t>> crashes(const RunFixture& run) {
  const bool power = run.parameters.contains("power_loss");
  std::vector<std::pair<std::int64_t, std::int64_t>> found;
  for (std::int64_t ms = 0; ms < kLast; ++ms) {
    const bool all = std::ranges::all_of(run.context.nodes, [&](const std::string& node) {
      return std::ranges::any_of(run.context.faults, [&](const FaultRecord& fault) {
        return (fault.family != "kill") == power && fault.exercised &&
               fault.active.contains(RunFixture::ms(ms)) &&
               std::ranges::count(fault.disabled_nodes, node) > 0;
      });
    });
    if (!all) continue;
    if (found.empty() || found.back().second != ms) found.emplace_back(ms, ms);
    found.back().second = ms + 1;
  }
  return found;
}

// A register's operation: what it tells of the value before it, and what it wants it to be; none:
// nothing.
struct Access {
  const Operation* operation = nullptr;
  Value seen;
  Value written;

  [[nodiscard]] std::int64_t begin() const { return operation->invoke_time / 1'000'000; }

  [[nodiscard]] std::int64_t end() const { return operation->complete_time / 1'000'000; }

  [[nodiscard]] bool ok() const { return operation->outcome == Outcome::ok; }
};

std::vector<Access> accesses_of(const History& history) {
  std::vector<Access> all;
  for (const Operation& operation : history.operations()) {
    Access access{.operation = &operation, .seen = {}, .written = {}};
    if (operation.function == Function::write) access.written = operation.input;
    if (operation.function == Function::read && access.ok()) access.seen = operation.output;
    if (operation.function == Function::cas) {
      const auto change = history.pool().items_of(operation.input);
      access.written = change[1];
      if (access.ok()) access.seen = change[0];
      if (operation.outcome == Outcome::fail) access.seen = operation.output;
    }
    all.push_back(access);
  }
  return all;
}

// Whether what was read shows that what had been acknowledged is lost: it finds nothing, or what
// only one operation wrote, which was over before that began.
bool shows_loss(const Access& read, const Access& acknowledged, const std::vector<Access>& all) {
  if (read.seen.is_nil()) return true;
  std::vector<Access> writers;
  for (const Access& writer : all) {
    const bool same_key = writer.operation->key == read.operation->key;
    if (same_key && writer.written == read.seen) writers.push_back(writer);
  }
  return writers.size() == 1 && writers[0].operation->outcome != Outcome::info &&
         writers[0].end() < acknowledged.begin();
}

VerdictKind durability_by_definition(const RunFixture& run, const History& history) {
  const std::vector<Access> all = accesses_of(history);
  const bool final_only = run.parameters.contains("final_reads");
  std::set<history::Symbol> keys;
  std::set<history::Symbol> judged;
  for (const Access& access : all) keys.insert(access.operation->key);
  bool lost = false;
  for (const auto& [down, up] : crashes(run)) {
    for (const Access& read : all) {
      const bool is_final =
          run.context.phases.size() > 1 && read.begin() >= 60;  // as crashing_run has them
      if (read.seen.is_none() || read.begin() < up || (final_only && !is_final)) continue;
      const auto concerns = [&, key = read.operation->key](const Access& write) {
        return write.operation->key == key && !write.written.is_none();
      };
      const bool again = std::ranges::any_of(all, [&, begin = down](const Access& write) {
        return concerns(write) && write.operation->outcome != Outcome::fail && write.end() >= begin;
      });
      if (final_only && again) continue;
      for (const Access& write : all) {
        if (!concerns(write) || !write.ok() || write.end() >= down) continue;
        judged.insert(read.operation->key);
        lost = lost || shows_loss(read, write, all);
      }
    }
  }
  if (lost) return VerdictKind::broken;
  const auto wanted = static_cast<std::size_t>(run.parameters.at("keys_min"));
  const bool exercised = !judged.empty() && judged.size() >= std::min(wanted, keys.size());
  return exercised ? VerdictKind::kept : VerdictKind::not_exercised;
}

TEST(RunPromises, DurabilityIsJudgedByItsDefinition) {
  agree({.checker = "durability",
         .with_faults = crashing_run,
         .add_calls = add_register_calls,
         .definition = durability_by_definition});
}

// ---------------------------------------------------------------- recovery

constexpr std::int64_t kRecoverWithin = 8;
constexpr std::int64_t kAnswerWithin = 3;

RunFixture healed_run(base::Random& random) {
  RunFixture run(3, 3);
  for (std::uint64_t faults = 1 + random.below(3); faults > 0; --faults) {
    const std::int64_t begin = random.between(0, 50);
    FaultRecord& fault = run.kill({1}, begin, begin + random.between(2, 12));
    fault.exercised = random.chance(0.85);
    if (!random.chance(0.07)) continue;
    fault.active.end = kNever;
    fault.healed = 0;
  }
  run.parameters = {{"recover_within_ms", kRecoverWithin}, {"answer_within_ms", kAnswerWithin}};
  return run;
}

void add_answers(base::Random& random, RunFixture& run) {
  const double well = random.pick(std::vector<double>{0.5, 0.95, 1});
  const std::int64_t over = random.between(20, 90);
  for (std::int64_t time = 0; time < over; time += random.between(1, 4)) {
    RunFixture::Call call;
    call.process = static_cast<std::int64_t>(random.below(3));
    call.begin = time;
    call.end = time + random.between(0, 4);
    call.input = Value::integer(++run.value);
    if (!random.chance(well)) {
      call.outcome = random.chance(0.6) ? Outcome::info : Outcome::fail;
      call.end = time + random.between(1, 20);
      if (call.outcome == Outcome::fail && random.chance(0.4)) call.error = "refused: full";
    }
    run.call(call);
  }
}

enum class Recovered { yes, no, unknown };

// After a heal at `heal`, calm until `calm` (in ns), which is the next fault or the last call.
Recovered recovers(const History& history, std::int64_t heal, std::int64_t calm) {
  const std::int64_t deadline = heal + RunFixture::ms(kRecoverWithin);
  const std::int64_t due = RunFixture::ms(kAnswerWithin);
  bool anybody = false;
  bool all_in_time = true;
  bool broken = false;
  for (std::int64_t client = 0; client < 3; ++client) {
    std::int64_t first = kNever;     // call
    std::int64_t answered = kNever;  // ok
    for (const Operation& call : history.operations()) {
      if (call.process != client || call.invoke_time >= calm) continue;
      const bool ok = call.outcome == Outcome::ok;
      const bool counts = call.invoke_time >= heal || (ok && call.complete_time >= heal);
      if (!counts) continue;
      first = std::min(first, call.invoke_time);
      if (ok) answered = std::min(answered, call.complete_time);
    }
    if (first == kNever) continue;
    anybody = true;
    all_in_time = all_in_time && answered <= deadline;
    broken = broken || (answered > deadline && first + due <= deadline);
  }
  for (const Operation& call : history.operations()) {
    const bool refused = history.pool().name(call.error).starts_with("refused");
    const bool later = call.invoke_time >= deadline && call.invoke_time < calm - due;
    broken = broken || (later && call.outcome != Outcome::ok && !refused);
  }
  if (!anybody || !(all_in_time || deadline <= calm)) return Recovered::unknown;
  return broken ? Recovered::no : Recovered::yes;
}

VerdictKind recovery_by_definition(const RunFixture& run, const History& history) {
  std::int64_t over = 0;
  for (const Operation& call : history.operations()) over = std::max(over, call.invoke_time + 1);
  bool judged = false;
  for (const FaultRecord& fault : run.context.faults) {
    if (!fault.exercised || fault.active.end == kNever) continue;
    std::int64_t calm = over;
    bool alone = true;
    for (const FaultRecord& other : run.context.faults) {
      if (&other == &fault) continue;
      const std::int64_t end = other.active.end == kNever ? kNever : other.healed;
      if (other.applying.begin >= fault.healed) calm = std::min(calm, other.applying.begin);
      alone = alone && (other.applying.begin > fault.healed || end <= fault.healed);
    }
    if (!alone || calm <= fault.healed) continue;
    const Recovered recovered = recovers(history, fault.healed, calm);
    if (recovered == Recovered::no) return VerdictKind::broken;
    judged = judged || recovered == Recovered::yes;
  }
  return judged ? VerdictKind::kept : VerdictKind::not_exercised;
}

TEST(RunPromises, RecoveryIsJudgedByItsDefinition) {
  agree({.checker = "recovery",
         .with_faults = healed_run,
         .add_calls = add_answers,
         .definition = recovery_by_definition});
}

}  // namespace
}  // namespace sunder::checkers
