// The checkers that judge a run by who could reach whom, against what their promises say of each
// millisecond of small random runs.
//
// Every case is a function of its seed; a failure prints it with the smallest part of its history
// that fails, too, and what happened around it. SUNDER_CASES sets the number of cases per test
// (10,000 by default).

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/random_histories.hpp"
#include "tests/histories/support/run_world.hpp"
#include "tests/unit/checkers/run_fixture.hpp"

namespace sunder::checkers {
namespace {

using history::kNever;
using history::Operation;
using history::Outcome;
using history::RunContext;
using history::Value;
using test::kTicks;
using test::RunWorld;

constexpr std::int64_t kInFlight = -1;

// One operation of a small run, in milliseconds.
struct Call {
  std::size_t client = 0;
  std::int64_t begin = 0;
  std::int64_t end = 0;  // kInFlight: it was under way when the history ended
  Outcome outcome = Outcome::ok;
  bool refused = false;  // a definite failure that is an answer
  bool write = true;
  std::size_t node = 0;  // that answered; number and one

  [[nodiscard]] bool answered() const {
    return outcome == Outcome::ok || (outcome == Outcome::fail && refused);
  }
};

struct SmallRun {
  RunContext context;
  std::vector<Call> calls;  // in order of their begins, which all differ
};

SmallRun small_run(std::uint64_t seed, double answered) {
  base::Random random(seed);
  SmallRun run;
  run.context = test::small_run_context(random);
  const bool mostly = random.chance(0.5);
  std::int64_t time = 0;
  while (time < kTicks) {
    Call call;
    call.client = random.below(run.context.clients.size());
    call.begin = time;
    const bool well = random.chance(mostly ? 0.98 : answered);
    call.outcome = well ? Outcome::ok : random.chance(0.7) ? Outcome::info : Outcome::fail;
    call.refused = call.outcome == Outcome::fail && random.chance(0.3);
    call.end = time + (well ? random.between(0, 3) : random.between(1, 25));
    if (!well && random.chance(0.35)) {
      call.outcome = Outcome::info;
      call.end = kInFlight;
    }
    call.write = random.chance(0.7);
    if (random.chance(0.3)) call.node = 1 + random.below(run.context.nodes.size());
    run.calls.push_back(call);
    time += random.between(1, 3);
  }
  return run;
}

history::History history_of(const SmallRun& run) {
  history::HistoryBuilder builder;
  std::int64_t value = 0;
  for (const Call& call : run.calls) {
    Operation operation;
    operation.process = static_cast<std::int64_t>(call.client);
    operation.function = call.write ? history::Function::write : history::Function::read;
    operation.function_name = builder.pool().symbol(call.write ? "write" : "read");
    operation.key = builder.pool().symbol("x");
    operation.invoke = operation.invoke_time = RunFixture::ms(call.begin);
    if (call.end != kInFlight) operation.complete_time = RunFixture::ms(call.end);
    if (call.outcome != Outcome::info) operation.complete = operation.complete_time;
    operation.outcome = call.outcome;
    if (call.write) operation.input = Value::integer(++value);
    if (call.refused) operation.error = builder.pool().symbol("refused: full");
    if (call.node > 0) {
      operation.node = builder.pool().symbol(run.context.nodes[call.node - 1]);
    }
    builder.add(operation);
  }
  return builder.finish();
}

std::vector<Call> calls_of(const history::History& history, const RunContext& context) {
  std::vector<Call> calls;
  for (const Operation& operation : history.operations()) {
    const bool ended = operation.complete_time != history::kUnknownTime;
    const auto node = std::ranges::find(context.nodes, history.pool().name(operation.node));
    Call& call = calls.emplace_back();
    call.client = static_cast<std::size_t>(operation.process);
    call.begin = operation.invoke_time / test::kTick;
    call.end = ended ? operation.complete_time / test::kTick : kInFlight;
    call.outcome = operation.outcome;
    call.refused = !history.pool().name(operation.error).empty();
    call.write = operation.function == history::Function::write;
    if (node != context.nodes.end()) {
      call.node = static_cast<std::size_t>(node - context.nodes.begin()) + 1;
    }
  }
  return calls;
}

// What a test makes of small runs: a function of the seed.
struct Runs {
  double answered = 1;
  std::function<void(SmallRun& run, std::uint64_t seed)> change = [](SmallRun&, std::uint64_t) {};
};

using JudgeRun = std::function<std::string(const SmallRun& run, const history::History& history)>;

bool check_runs(const Runs& runs, const JudgeRun& judge) {
  const auto make = [&](std::uint64_t seed) {
    SmallRun run = small_run(seed, runs.answered);
    runs.change(run, seed);
    return history_of(run);
  };
  const auto judge_history = [&](const test::RandomHistory& random) -> std::string {
    if (random.history.operations().empty()) return {};  // no run ends with its last operation
    base::Random drawn(random.seed);
    SmallRun run{.context = test::small_run_context(drawn), .calls = {}};
    runs.change(run, random.seed);
    run.calls = calls_of(random.history, run.context);
    const std::string wrong = judge(run, random.history);
    return wrong.empty() ? wrong : wrong + "\n" + text_of(run.context);
  };
  return test::check_histories(test::case_count(), make, judge_history);
}

Verdict verdict_of(std::string_view checker,
                   const SmallRun& run,
                   const history::History& history,
                   const std::map<std::string, double>& parameters) {
  RunFixture fixture(1, 1);
  fixture.context = run.context;
  fixture.parameters = parameters;
  return fixture.judge(checker, history);
}

// What is wrong with a verdict; empty: nothing.
std::string disagreement(const Verdict& verdict, VerdictKind expected) {
  const std::string where = verdict.summary + ": ";
  const bool shown = !verdict.counterexamples.empty();
  if ((verdict.kind == VerdictKind::broken) != shown) return where + "wrong counter-examples";
  return test::disagreement(name_of(expected), name_of(verdict.kind), where);
}

// How often each verdict came: no test may see one alone.
using Seen = std::map<std::string_view, std::uint64_t>;

void expect_both(const Seen& seen) {
  const std::uint64_t cases = test::case_count();
  for (const VerdictKind kind :
       {VerdictKind::kept, VerdictKind::broken, VerdictKind::not_exercised}) {
    const auto found = seen.find(name_of(kind));
    EXPECT_GT(found == seen.end() ? 0 : found->second, cases / 50) << name_of(kind);
  }
}

// ---------------------------------------------------------------- availability

constexpr std::int64_t kSettle = 5;  // ten election time-outs
constexpr std::int64_t kAnswerWithin = 3;
constexpr std::size_t kJudgedMin = 8;

// A time without changes in which one majority stood, and what was asked of it.
struct Stretch {
  std::int64_t begin = 0;  // judged
  std::int64_t end = 0;
  std::vector<Call> calls;
};

std::vector<Stretch> stretches_of(const SmallRun& run) {
  const RunWorld world(run.context, true);
  std::int64_t load = 0;
  std::int64_t over = run.calls.back().begin * test::kTick + 1;
  for (const history::Phase& phase : run.context.phases) {
    if (phase.name == "load") load = phase.window.begin;
    if (phase.name == "tear down") over = std::min(over, phase.window.begin);
  }
  std::map<std::int64_t, Stretch> stretches;
  for (const Call& call : run.calls) {
    const auto majority = world.majority(call.begin);
    if (!majority) continue;
    const std::int64_t from = world.quiet_from(call.begin);
    const std::int64_t until = world.quiet_until(call.begin);
    const std::int64_t begin = (std::max(from, load / test::kTick) + kSettle) * test::kTick;
    const std::int64_t limit = until == kNever ? kNever : until * test::kTick;
    const std::int64_t end = std::min(limit, over) - kAnswerWithin * test::kTick;
    const std::int64_t time = call.begin * test::kTick;
    if (time < begin || time >= end) continue;
    const bool reaches = std::ranges::all_of(*majority, [&](std::size_t node) {
      return world.linked(world.nodes() + call.client, node, call.begin);
    });
    if (!reaches) continue;
    Stretch& stretch = stretches[from];
    stretch.begin = begin;
    stretch.end = end;
    stretch.calls.push_back(call);
  }
  std::vector<Stretch> all;
  for (auto& [from, stretch] : stretches) all.push_back(std::move(stretch));
  return all;
}

// For ten election time-outs nobody was answered while somebody waited who never was.
bool has_outage(const Stretch& stretch) {
  std::set<std::int64_t> answers{stretch.begin, stretch.end};
  for (const Call& call : stretch.calls) {
    if (call.answered()) answers.insert(call.end * test::kTick);
  }
  for (const Call& call : stretch.calls) {
    const auto next = answers.upper_bound(call.begin * test::kTick);
    if (call.answered() || next == answers.begin() || next == answers.end()) continue;
    if (*next - *std::prev(next) > kSettle * test::kTick) return true;
  }
  return false;
}

VerdictKind availability_by_definition(const SmallRun& run) {
  std::size_t judged = 0;
  bool broken = false;
  bool under_fault = false;
  for (const Stretch& stretch : stretches_of(run)) {
    judged += stretch.calls.size();
    const auto unanswered = static_cast<std::size_t>(
        std::ranges::count_if(stretch.calls, [](const Call& call) { return !call.answered(); }));
    const bool share = unanswered > 1 && unanswered * 100 > stretch.calls.size();
    broken = broken || share || unanswered == stretch.calls.size() || has_outage(stretch);
    for (const history::FaultRecord& fault : run.context.faults) {
      for (std::int64_t time = stretch.begin; time < stretch.end; time += test::kTick / 2) {
        under_fault = under_fault || (fault.exercised && fault.active.contains(time));
      }
    }
  }
  if (broken) return VerdictKind::broken;
  if (judged < kJudgedMin) return VerdictKind::not_exercised;
  const bool asked = !run.context.faults.empty();
  return asked && !under_fault ? VerdictKind::not_exercised : VerdictKind::kept;
}

TEST(Reachability, AvailabilityIsJudgedByItsDefinition) {
  Seen seen;
  const std::map<std::string, double> parameters{{"election_timeout_ms", kSettle / 10.0},
                                                 {"answer_within_ms", kAnswerWithin},
                                                 {"operations_min", kJudgedMin}};
  const Runs runs{.answered = 0.8, .change = [](SmallRun& run, std::uint64_t seed) {
                    auto& phases = run.context.phases;
                    if (seed % 4 == 0) phases.push_back({"load", {RunFixture::ms(7), kNever}});
                    if (seed % 5 == 0) {
                      phases.push_back({"tear down", {RunFixture::ms(45), kNever}});
                    }
                  }};
  const auto judge = [&](const SmallRun& run, const history::History& history) {
    const Verdict verdict = verdict_of("availability", run, history, parameters);
    ++seen[name_of(verdict.kind)];
    return disagreement(verdict, availability_by_definition(run));
  };
  if (check_runs(runs, judge)) expect_both(seen);
}

// ---------------------------------------------------------------- availability-everywhere

constexpr std::int64_t kSettleEverywhere = 3;
constexpr std::int64_t kDue = 4;
constexpr std::size_t kTriedMin = 3;

// The nodes that are linked to it, directly or through each other, at this time.
std::set<std::size_t> side_of(const RunWorld& world, std::size_t node, std::int64_t tick) {
  std::set<std::size_t> side{node};
  for (std::size_t before = 0; before != side.size();) {
    before = side.size();
    for (std::size_t a = 0; a < world.nodes(); ++a) {
      const bool joins = std::ranges::any_of(
          side, [&](std::size_t b) { return a == b || world.linked(a, b, tick); });
      if (joins) side.insert(a);
    }
  }
  return side;
}

struct Asked {
  std::size_t calls = 0;
  std::size_t unanswered = 0;
  double waited = 0;
  double in_vain = 0;
};

class Everywhere {
 public:
  explicit Everywhere(const SmallRun& run) : run_(run), world_(run.context, true) {
    for (const Call& call : run.calls) {
      last_ = std::max({last_, call.begin, call.end});
    }
  }

  VerdictKind judge() {
    for (const Call& call : run_.calls) {
      if (is_judged(call)) note(call);
      const bool told = call.outcome == Outcome::ok && call.node > 0;
      if (told) current_[call.client] = call.node - 1;
    }
    if (all_.unanswered > 1 && all_.unanswered * 100 > all_.calls) return VerdictKind::broken;
    std::map<const history::FaultRecord*, int> tried;
    for (const auto& [place, asked] : sides_) {
      if (asked.unanswered >= 2 && asked.in_vain >= 0.1 * asked.waited) return VerdictKind::broken;
      tried[place.first] += asked.calls >= kTriedMin ? 1 : 0;
    }
    const bool exercised =
        std::ranges::any_of(tried, [](const auto& entry) { return entry.second >= 2; });
    return exercised ? VerdictKind::kept : VerdictKind::not_exercised;
  }

 private:
  [[nodiscard]] bool is_judged(const Call& call) const {
    const std::size_t own = run_.context.client_nodes[call.client];
    const auto known = current_.find(call.client);
    const std::size_t current = known == current_.end() ? own : known->second;
    const std::int64_t from = std::max<std::int64_t>(0, call.begin - kSettleEverywhere);
    for (std::int64_t tick = from; tick <= call.begin + kDue; ++tick) {
      for (const std::size_t node : {own, current}) {
        const bool reached = world_.linked(world_.nodes() + call.client, node, tick);
        if (!world_.is_up(node, tick) || !reached) return false;
      }
    }
    return true;
  }

  void note(const Call& call) {
    const bool answered = call.answered() && call.end - call.begin <= kDue;
    count(all_, call, answered);
    for (const history::FaultRecord& fault : run_.context.faults) {
      const bool between_nodes = std::ranges::any_of(fault.cut_links, [](const auto& link) {
        return link.first.front() == 'n' && link.second.front() == 'n';
      });
      const bool stood = fault.exercised && fault.active.contains(call.begin * test::kTick);
      if (!between_nodes || !stood) continue;
      const auto side = side_of(world_, run_.context.client_nodes[call.client], call.begin);
      count(sides_[{&fault, side}], call, answered);
    }
  }

  // Who was under way at the end had waited until then.
  void count(Asked& asked, const Call& call, bool answered) const {
    const auto waited =
        static_cast<double>((call.end == kInFlight ? last_ : call.end) - call.begin);
    ++asked.calls;
    asked.unanswered += answered ? 0U : 1U;
    asked.waited += waited;
    asked.in_vain += answered ? 0 : waited;
  }

  const SmallRun& run_;
  RunWorld world_;
  std::int64_t last_ = 0;
  std::map<std::size_t, std::size_t> current_;  // by client: the node that answered it last
  Asked all_;
  std::map<std::pair<const history::FaultRecord*, std::set<std::size_t>>, Asked> sides_;
};

// So many answers later that a few without one are not many of all, only of their side.
void append_calm(SmallRun& run) {
  for (std::int64_t i = 0; i < 1000; ++i) {
    Call call;
    call.client = static_cast<std::size_t>(i) % run.context.clients.size();
    call.begin = 2 * kTicks + i;
    call.end = call.begin + 1;
    run.calls.push_back(call);
  }
}

TEST(Reachability, AvailabilityEverywhereIsJudgedByItsDefinition) {
  Seen seen;
  const std::map<std::string, double> parameters{
      {"settle_ms", kSettleEverywhere}, {"due_ms", kDue}, {"operations_min", kTriedMin}};
  const Runs runs{.answered = 0.9, .change = [](SmallRun& run, std::uint64_t seed) {
                    if (seed % 4 == 0) append_calm(run);
                    std::uint32_t id = 0;
                    for (history::FaultRecord& fault : run.context.faults) fault.id = ++id;
                  }};
  const auto judge = [&](const SmallRun& run, const history::History& history) {
    const Verdict verdict = verdict_of("availability-everywhere", run, history, parameters);
    ++seen[name_of(verdict.kind)];
    return disagreement(verdict, Everywhere(run).judge());
  };
  if (check_runs(runs, judge)) expect_both(seen);
}

// ---------------------------------------------------------------- minority-refuses

constexpr std::int64_t kPending = 5;
constexpr std::size_t kRefusedMin = 2;
constexpr std::int64_t kCalm = 2 * kTicks;  // nothing changes any more

bool members_change(const RunContext& context, std::int64_t tick) {
  return std::ranges::any_of(context.faults, [&](const history::FaultRecord& fault) {
    const bool for_ever = fault.active.end == kNever;
    return fault.changes_members && fault.applying.begin <= tick * test::kTick &&
           (for_ever || tick * test::kTick < fault.healed);
  });
}

// When the client could first have had to do with a majority since it began, through any links that
// worked in either direction at any time of it, or when the members began to change; kNever.
std::int64_t parted_until(const SmallRun& run, const RunWorld& world, const Call& call) {
  std::set<std::pair<std::size_t, std::size_t>> links;
  for (std::int64_t tick = call.begin; tick < std::max(kCalm, call.begin + 1); ++tick) {
    for (std::size_t a = 0; a < world.endpoints(); ++a) {
      for (std::size_t node = 0; node < world.nodes(); ++node) {
        if (world.passes(a, node, tick) || world.passes(node, a, tick)) links.insert({a, node});
      }
    }
    std::set<std::size_t> reached{world.nodes() + call.client};
    for (std::size_t before = 0; before != reached.size();) {
      before = reached.size();
      for (const auto& [a, node] : links) {
        if (reached.contains(a)) reached.insert(node);
      }
    }
    const bool majority = 2 * (reached.size() - 1) > world.nodes();
    if (majority || members_change(run.context, tick)) return tick;
  }
  return kNever;
}

struct Refused {
  std::size_t tried = 0;
  std::size_t acknowledged = 0;

  [[nodiscard]] VerdictKind verdict() const {
    if (acknowledged > 0) return VerdictKind::broken;
    return tried < kRefusedMin ? VerdictKind::not_exercised : VerdictKind::kept;
  }
};

Refused refused_by_definition(const SmallRun& run) {
  const RunWorld world(run.context, false);
  Refused refused;
  for (const Call& call : run.calls) {
    const std::int64_t until = parted_until(run, world, call);
    if (until == call.begin) continue;
    const bool within = call.end != kInFlight && call.end < until;
    const bool long_enough = until != kNever && until - call.begin >= kPending;
    if (within || long_enough) ++refused.tried;
    if (within && call.outcome == Outcome::ok) ++refused.acknowledged;
  }
  return refused;
}

TEST(Reachability, MinorityRefusesIsJudgedByItsDefinition) {
  Seen seen;
  const std::map<std::string, double> parameters{{"pending_ms", kPending},
                                                 {"operations_min", kRefusedMin}};
  // Mostly as a store behaves that needs a majority.
  const Runs runs{.answered = 0.8, .change = [](SmallRun& run, std::uint64_t seed) {
                    base::Random random(seed + 1);
                    const RunWorld world(run.context, false);
                    const double well = random.pick(std::vector<double>{0, 0, 0.1});
                    for (Call& call : run.calls) {
                      const bool parted = parted_until(run, world, call) > call.end;
                      if (!parted || call.end == kInFlight || random.chance(well)) continue;
                      call.outcome = random.chance(0.5) ? Outcome::info : Outcome::fail;
                      call.refused = false;
                    }
                  }};
  const auto judge = [&](const SmallRun& run, const history::History& history) {
    const Verdict verdict = verdict_of("minority-refuses", run, history, parameters);
    ++seen[name_of(verdict.kind)];
    const Refused refused = refused_by_definition(run);
    const std::string wrong = disagreement(verdict, refused.verdict());
    const bool counted =
        verdict.measurements.at(0).value == static_cast<double>(refused.tried) &&
        verdict.measurements.at(1).value == static_cast<double>(refused.acknowledged);
    if (!wrong.empty() || counted) return wrong;
    return fmt::format("{} were tried and {} acknowledged, not as it says: {}",
                       refused.tried,
                       refused.acknowledged,
                       verdict.summary);
  };
  if (check_runs(runs, judge)) expect_both(seen);
}

// ---------------------------------------------------------------- blind-overwrites

// Whether the two clients were parted from the one tick to the other: no node that anything could
// have come from, or gone to, through any links that worked at any time of it, is the same.
bool are_parted(const RunWorld& world,
                std::size_t one,
                std::size_t other,
                std::int64_t from,
                std::int64_t until) {
  // Of each endpoint the least one that it is joined with.
  std::vector<std::size_t> joined(world.endpoints());
  for (std::size_t i = 0; i < joined.size(); ++i) joined[i] = i;
  const auto join = [&](std::size_t a, std::size_t b) {
    const std::size_t before = std::max(joined[a], joined[b]);
    const std::size_t after = std::min(joined[a], joined[b]);
    std::ranges::replace(joined, before, after);
  };
  for (std::int64_t tick = from; tick <= until; ++tick) {
    for (std::size_t node = 0; node < world.nodes(); ++node) {
      for (std::size_t end = 0; end < world.endpoints(); ++end) {
        // Clients pass nothing on, so that other clients join nothing.
        const bool counts = end < world.nodes() || end == one || end == other;
        if (counts && (world.passes(node, end, tick) || world.passes(end, node, tick))) {
          join(node, end);
        }
      }
    }
  }
  return joined[one] != joined[other];
}

// Whether anything that the one client sent can have come to the other: each tick it spreads over
// every link that works in that direction.
bool can_have_told(const RunWorld& world,
                   std::size_t one,
                   std::size_t other,
                   std::int64_t from,
                   std::int64_t until) {
  std::set<std::size_t> know{one};
  for (std::int64_t tick = from; tick <= until; ++tick) {
    for (std::size_t hop = 0; hop < world.endpoints(); ++hop) {
      std::set<std::size_t> more = know;
      for (const std::size_t a : know) {
        for (std::size_t b = 0; b < world.endpoints(); ++b) {
          const bool has_link = a < world.nodes() || b < world.nodes();
          const bool passes_on = a < world.nodes() || a == one;
          if (has_link && passes_on && world.passes(a, b, tick)) more.insert(b);
        }
      }
      know = more;
    }
  }
  return know.contains(other);
}

// Which writes were replaced by a client that had been parted from theirs, by their begins; nothing
// when the two views of who was parted contradict each other.
std::optional<std::set<std::int64_t>> replaced_blindly(const SmallRun& run) {
  const RunWorld world(run.context, false);
  const auto counts = [](const Call& call) { return call.write && call.outcome == Outcome::ok; };
  std::set<std::int64_t> dropped;
  for (std::size_t later = 0; later < run.calls.size(); ++later) {
    const Call& after = run.calls[later];
    if (!counts(after)) continue;
    std::map<std::size_t, const Call*> newest;
    for (std::size_t i = 0; i < later; ++i) {
      if (counts(run.calls[i])) newest[run.calls[i].client] = &run.calls[i];
    }
    const Call* replaced = nullptr;
    for (const auto& [client, before] : newest) {
      if (client == after.client || before->end >= after.begin) continue;
      const std::size_t one = world.nodes() + client;
      const std::size_t other = world.nodes() + after.client;
      if (!are_parted(world, one, other, before->begin, after.end)) continue;
      if (can_have_told(world, one, other, before->begin, after.end)) return std::nullopt;
      if (replaced == nullptr || replaced->begin < before->begin) replaced = before;
    }
    if (replaced != nullptr) dropped.insert(replaced->begin);
  }
  return dropped;
}

TEST(Reachability, BlindOverwritesAreThoseOfPartedClients) {
  const std::uint64_t cases = test::case_count();
  std::uint64_t broken = 0;
  const auto judge = [&](const SmallRun& run, const history::History& history) -> std::string {
    const auto dropped = replaced_blindly(run);
    if (!dropped) return "parted clients that can have told each other";
    const Verdict verdict = verdict_of("blind-overwrites", run, history, {});
    broken += dropped->empty() ? 0U : 1U;
    const VerdictKind expected =
        dropped->empty() ? VerdictKind::not_exercised : VerdictKind::broken;
    if (verdict.kind != expected) return disagreement(verdict, expected);
    const double counted = verdict.measurements.at(1).value;
    if (counted == static_cast<double>(dropped->size())) return {};
    return fmt::format("{} writes were replaced, not {}", dropped->size(), counted);
  };
  if (!check_runs({.answered = 0.8}, judge)) return;
  EXPECT_GT(broken, cases / 20);
  EXPECT_LT(broken, cases - cases / 20);
}

}  // namespace
}  // namespace sunder::checkers
