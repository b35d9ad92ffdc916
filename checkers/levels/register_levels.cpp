#include "checkers/levels/register_levels.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "checkers/closed_form.hpp"
#include "checkers/levels/levels.hpp"
#include "checkers/levels/staleness.hpp"
#include "checkers/linearizability.hpp"
#include "checkers/phrase.hpp"

namespace sunder::checkers {

ModelRow cas_register_row();
ModelRow register_row();

namespace levels {
namespace {

using history::Operation;

struct Level {
  std::string_view name;
  std::string_view summary;
  std::string_view praise;  // "… are causally consistent"
  Test test = nullptr;
  Rule rule = Rule::sequential;
};

constexpr std::array kTraced{
    Level{"causal",
          "No read misses what its process had seen, directly or through others (weak causal).",
          "causally consistent",
          test_causal,
          Rule::causal},
    Level{"causal-memory",
          "Each process sees one order of all that concerns it, which keeps causality.",
          "a causal memory",
          test_causal_memory,
          Rule::causal_memory},
    Level{"ccv",
          "Causal, and all processes agree on the order of conflicting writes (convergent).",
          "causally consistent with convergence",
          test_convergent_causal,
          Rule::convergent_causal},
    Level{"monotonic-reads",
          "What a process reads of a key never goes back to an older value.",
          "monotonic in each process' reads",
          test_monotonic_reads,
          Rule::monotonic_reads},
    Level{"monotonic-writes",
          "Whoever saw a write has seen what its process wrote before it.",
          "monotonic in each process' writes",
          test_monotonic_writes,
          Rule::monotonic_writes},
    Level{"pram",
          "Each process sees every other's writes in their order, mixed into its own operations.",
          "PRAM consistent",
          test_pram,
          Rule::pram},
    Level{"read-your-writes",
          "After its own write, a process never reads an older value.",
          "such that each process reads its own writes",
          test_read_your_writes,
          Rule::read_your_writes},
    Level{"sequential",
          "One order of all operations, in which each process keeps its own, explains every read.",
          "sequentially consistent",
          test_sequential,
          Rule::sequential},
    Level{"writes-follow-reads",
          "Whoever saw a write has seen what its process had written or read before it.",
          "such that writes follow reads",
          test_writes_follow_reads,
          Rule::writes_follow_reads},
};

// Bounds of staleness: in real time, each key for itself.
struct BoundedLevel {
  LevelInfo info;
  Verdict (*check)(const history::History& history,
                   const ModelRow& row,
                   const CheckOptions& options,
                   std::stop_token stop) = nullptr;
};

constexpr std::array kBounded{
    BoundedLevel{{"delta-atomicity", "Linearizable if reads may be stale by a time."},
                 check_delta_atomic},
    BoundedLevel{{"k-atomicity", "Every read finds one of the last k values."}, check_k_atomic},
};

constexpr std::array kLevels = [] {
  std::array<LevelInfo, kTraced.size() + kBounded.size() + 1> infos;
  infos[0] = kLinearizable_only[0];
  std::size_t next = 1;
  for (const Level& level : kTraced) infos[next++] = {level.name, level.summary};
  for (const BoundedLevel& level : kBounded) infos[next++] = level.info;
  std::sort(infos.begin() + 1, infos.end(), [](const LevelInfo& a, const LevelInfo& b) {
    return a.name < b.name;
  });
  return infos;
}();

// Whether each process had heard of one operation's end before it began the next: then real time
// contains the order of processes.
bool is_sequential_per_process(const history::History& history) {
  std::unordered_map<std::int64_t, std::int64_t> ends;
  for (const Operation& operation : history.operations()) {
    const auto [found, added] = ends.try_emplace(operation.process, history::kNever);
    if (!added && found->second >= operation.invoke) return false;
    // After an unknown outcome the process goes on without it.
    found->second = operation.complete == history::kNever ? operation.invoke : operation.complete;
  }
  return true;
}

// Judges a draft: every way to answer its questions, until one holds.
class Chooser {
 public:
  Chooser(const Draft& draft, Test test, const Limits& limits)
      : draft_(&draft), test_(test), limits_(&limits), answers_(draft.questions().size(), kNone) {}

  [[nodiscard]] Judgement choose() {
    const std::vector<Draft::Question>& questions = draft_->questions();
    if (questions.empty()) return judge();
    // What the certain reads contradict is contradicted.
    const Judgement certain = judge();
    if (certain.finding != Finding::holds) return certain;
    for (std::size_t i = 0; i < questions.size(); ++i) {
      if (!questions[i].candidates.empty()) answers_[i] = questions[i].candidates.front();
    }
    if (is_possible() && judge().finding == Finding::holds) return {};
    std::ranges::fill(answers_, kNone);
    const Judgement all = decide(0);
    if (all.finding == Finding::violated && !complete_) return {.finding = Finding::out_of_memory};
    return all;
  }

  // The trace that was judged last.
  [[nodiscard]] const Trace& trace() const noexcept { return trace_; }

 private:
  Judgement judge() {
    trace_ = draft_->settle(answers_);
    return test_(trace_, *limits_);
  }

  // A cas that compared with what nobody wrote cannot have happened.
  [[nodiscard]] bool is_possible() const {
    for (const Draft::Question& question : draft_->questions()) {
      if (question.candidates.empty() && draft_->happens(question.event, answers_)) return false;
    }
    return true;
  }

  Judgement decide(std::size_t question) {
    if (limits_->expired()) return {.finding = Finding::out_of_time};
    const Judgement so_far = judge();
    if (so_far.finding != Finding::holds) return so_far;
    const std::vector<Draft::Question>& questions = draft_->questions();
    if (question == questions.size()) {
      return is_possible() ? Judgement{} : violated_at(0);
    }
    if (questions[question].candidates.empty()) return decide(question + 1);
    complete_ = complete_ && questions[question].complete;
    Judgement worst = violated_at(0);
    for (const std::uint32_t candidate : questions[question].candidates) {
      answers_[question] = candidate;
      const Judgement answer = decide(question + 1);
      if (answer.finding == Finding::holds) return answer;
      if (answer.finding != Finding::violated) worst = answer;
      if (limits_->expired()) break;
    }
    answers_[question] = kNone;
    return worst;
  }

  const Draft* draft_;
  Test test_;
  const Limits* limits_;
  std::vector<std::uint32_t> answers_;
  Trace trace_;
  bool complete_ = true;  // no candidate was left out so far
};

Counterexample unmade_example(const history::History& history, std::uint32_t operation) {
  Counterexample example = story("value never written", {operation});
  example.why = fmt::format("{}, a value that nobody wrote",
                            statement(history, history.operations()[operation]));
  example.key = history.pool().name(history.operations()[operation].key);
  example.first_error = operation;
  return example;
}

// Whether the read of a history that the draft could not explain alone suffices: the certain part.
Verdict judge_traced(const history::History& history,
                     const Level& level,
                     const CheckOptions& options,
                     const std::stop_token& stop) {
  Verdict verdict;
  const Draft draft(history);
  const auto count = [](std::size_t value) { return static_cast<double>(value); };
  verdict.measurements = {{"operations", count(history.operations().size()), ""},
                          {"ambiguous reads", count(draft.questions().size()), ""}};
  const auto broken = [&](Counterexample example) {
    verdict.kind = VerdictKind::broken;
    verdict.summary = example.why;
    verdict.counterexamples.push_back(std::move(example));
    return verdict;
  };
  if (draft.unmade() != kNone) return broken(unmade_example(history, draft.unmade()));
  if (draft.observations() == 0) {
    verdict.summary = "nothing observed: no operation has a known result";
    return verdict;
  }
  const Limits limits{.deadline = std::chrono::steady_clock::now() + options.time_budget,
                      .memory = options.memory_budget,
                      .stop = stop};
  Chooser chooser(draft, level.test, limits);
  const Judgement judgement = chooser.choose();
  switch (judgement.finding) {
    case Finding::holds:
      verdict.kind = VerdictKind::kept;
      verdict.summary =
          fmt::format("{} operations are {}", history.operations().size(), level.praise);
      return verdict;
    case Finding::out_of_time:
      verdict.summary = fmt::format("{} could not be decided: out of time", level.name);
      return verdict;
    case Finding::out_of_memory:
      verdict.summary = fmt::format("{} could not be decided: out of memory", level.name);
      return verdict;
    case Finding::violated:
      break;
  }
  const std::vector<std::uint32_t> none(draft.questions().size(), kNone);
  const Trace certain = draft.settle(none);
  const Judgement alone = draft.questions().empty() ? judgement : level.test(certain, limits);
  if (alone.finding == Finding::violated) {
    return broken(explain(history, certain, alone, level.test, level.rule));
  }
  verdict.kind = VerdictKind::broken;
  verdict.summary = fmt::format(
      "none of the writes that the {} ambiguous reads can have read from makes the history {}",
      draft.questions().size(),
      level.praise);
  return verdict;
}

}  // namespace

Verdict check_register(const history::History& history,
                       const ModelRow& row,
                       std::string_view level,
                       const CheckOptions& options,
                       std::stop_token stop,
                       Routes routes) {
  const auto traced = std::ranges::find(kTraced, level, &Level::name);
  const bool is_empty = history.empty();
  for (const BoundedLevel& bounded : kBounded) {
    const bool asked = bounded.info.name == level && !is_empty && knows_all(history, row);
    if (asked) return bounded.check(history, row, options, std::move(stop));
  }
  if (traced == kTraced.end() || is_empty || !knows_all(history, row)) {
    return check_linearizability(history, row, options, std::move(stop));
  }
  if (routes.linearizable && is_sequential_per_process(history)) {
    constexpr int kShare_of_budget = 4;
    CheckOptions quick = options;
    quick.time_budget = options.time_budget / kShare_of_budget;
    Verdict verdict = check_linearizability(history, row, quick, stop);
    if (verdict.kind == VerdictKind::kept) {
      verdict.summary = fmt::format("{} operations are {}: they are even linearizable",
                                    history.operations().size(),
                                    traced->praise);
      return verdict;
    }
  }
  return judge_traced(history, *traced, options, stop);
}

}  // namespace levels

namespace {

constexpr std::array kParameters{
    ParameterInfo{"delta_ms", "delta-atomicity: how stale reads may be; without it: any time"},
    ParameterInfo{"k", "k-atomicity: how many of the last values a read may find; without it: 2"},
};

template <ModelRow (*Row)()>
ModelInfo with_levels() {
  ModelInfo info = search_model_info<Row>();
  info.levels = levels::kLevels;
  info.parameters = kParameters;
  info.check = [](const history::History& history,
                  std::string_view level,
                  const CheckOptions& options,
                  std::stop_token stop) {
    static const ModelRow row = Row();
    return levels::check_register(history, row, level, options, std::move(stop));
  };
  return info;
}

}  // namespace

ModelInfo cas_register_model() {
  return with_levels<cas_register_row>();
}

ModelInfo register_model() {
  return with_levels<register_row>();
}

}  // namespace sunder::checkers
