#include "checkers/linearizability.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <numeric>
#include <thread>

#include <fmt/format.h>

#include "checkers/explanation.hpp"
#include "checkers/key_split.hpp"
#include "checkers/search.hpp"

namespace sunder::checkers {
namespace {

using history::Operation;
using history::Outcome;

struct KeyVerdict {
  VerdictKind kind = VerdictKind::undetermined;
  std::string reason;
  bool searched = false;
  bool unfinished = false;       // the search had more to visit
  std::size_t observations = 0;  // operations that say something
  std::size_t configurations = 0;
  std::vector<Counterexample> counterexamples;
};

// Judges one key. Threading: one task in one thread; the history is read only.
class KeyJudge {
 public:
  KeyJudge(const history::History& history,
           const ModelRow& row,
           const Parameters& parameters,
           const SearchLimits& limits,
           Routes routes)
      : history_(&history),
        row_(&row),
        parameters_(&parameters),
        limits_(&limits),
        routes_(routes) {}

  // The search may visit so many configurations; 0: no limit.
  [[nodiscard]] KeyVerdict judge(const KeyOperations& task, std::size_t configurations) const {
    KeyVerdict verdict;
    if (limits_->stop.stop_requested()) {
      verdict.reason = "stopped";
      return verdict;
    }
    if (routes_.closed_form && row_->closed_form != nullptr) {
      const std::optional<ClosedForm> answer =
          row_->closed_form(*history_, task.operations, *parameters_);
      if (answer) {
        verdict.observations = count_observations(task);
        if (!answer->linearizable) {
          verdict.kind = VerdictKind::broken;
          add_example(verdict, answer->counterexample, task);
          return verdict;
        }
        if (answer->exact) {
          verdict.kind = VerdictKind::kept;
          return verdict;
        }
      }
    }
    search_key(task, configurations, verdict);
    return verdict;
  }

 private:
  [[nodiscard]] std::size_t count_observations(const KeyOperations& task) const {
    const auto says_something = [&](std::uint32_t index) {
      const Operation& operation = history_->operations()[index];
      return operation.outcome == Outcome::ok || !operation.output.is_none() ||
             has_compared(history_->pool(), operation);
    };
    return static_cast<std::size_t>(std::ranges::count_if(task.operations, says_something));
  }

  void search_key(const KeyOperations& task,
                  std::size_t configurations,
                  KeyVerdict& verdict) const {
    verdict.searched = true;
    SearchLimits limits = *limits_;
    limits.configurations = configurations;
    const std::unique_ptr<Model> model = row_->make(history_->pool(), *parameters_);
    SearchProblem problem;
    problem.initial = {model->initial()};
    for (const std::uint32_t index : task.operations) {
      const Operation& operation = history_->operations()[index];
      const std::optional<Call> call = model->encode(operation);
      if (!call) continue;
      const bool optional = operation.outcome == Outcome::info;
      std::optional<Interval> when = Interval{operation.invoke, operation.complete};
      if (routes_.when) when = routes_.when(operation);
      if (when) problem.operations.push_back({when->begin, when->end, *call, index, optional});
    }
    if (routes_.when) std::ranges::stable_sort(problem.operations, {}, &SearchOperation::invoke);
    verdict.observations = count_observations(task);
    model->simplify(problem.operations);
    const SearchResult result = search(*model, problem, limits);
    verdict.configurations = result.configurations;
    switch (result.kind) {
      case SearchResult::Kind::linearizable:
        verdict.kind = VerdictKind::kept;
        return;
      case SearchResult::Kind::undetermined:
        verdict.unfinished = true;
        verdict.reason = result.reason;
        return;
      case SearchResult::Kind::violation:
        verdict.kind = VerdictKind::broken;
        add_example(verdict, explain(*history_, *model, problem, result, *limits_), task);
        return;
    }
  }

  void add_example(KeyVerdict& verdict, Counterexample example, const KeyOperations& task) const {
    add_context(example, *history_, task);
    verdict.counterexamples.push_back(std::move(example));
  }

  const history::History* history_;
  const ModelRow* row_;
  const Parameters* parameters_;
  const SearchLimits* limits_;
  Routes routes_;
};

// Judges tasks, the largest first, on so many threads.
class Judging {
 public:
  Judging(const KeyJudge& judge, const std::vector<KeyOperations>& tasks, unsigned threads)
      : judge_(&judge), tasks_(&tasks), threads_(threads), verdicts_(tasks.size()) {}

  // Every task, in the order of the tasks: first with a little search for each, so that a hard one
  // does not spend the budget of the others; then, unless something is broken already, those that
  // are left to the end.
  [[nodiscard]] std::vector<KeyVerdict> run() {
    std::vector<std::size_t> order(tasks_->size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::ranges::greater(), [&](std::size_t i) {
      return (*tasks_)[i].operations.size();
    });
    judge_each(order, true);
    if (std::ranges::find(verdicts_, VerdictKind::broken, &KeyVerdict::kind) != verdicts_.end()) {
      return std::move(verdicts_);
    }
    std::erase_if(order, [&](std::size_t i) { return !verdicts_[i].unfinished; });
    judge_each(order, false);
    return std::move(verdicts_);
  }

 private:
  void judge_each(const std::vector<std::size_t>& order, bool first_round) {
    if (order.empty()) return;
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
      while (true) {
        const std::size_t turn = next.fetch_add(1);
        if (turn >= order.size()) return;
        judge_one(order[turn], first_round);
      }
    };
    const std::size_t helpers = std::min<std::size_t>(threads_, order.size()) - 1;
    std::vector<std::jthread> pool;
    for (std::size_t i = 0; i < helpers; ++i) pool.emplace_back(work);
    work();
  }

  void judge_one(std::size_t task, bool first_round) {
    constexpr std::size_t kBase = 100'000;
    constexpr std::size_t kPer_operation = 128;
    const std::size_t share = kBase + kPer_operation * (*tasks_)[task].operations.size();
    KeyVerdict& verdict = verdicts_[task];
    const std::size_t visited = verdict.configurations;
    try {
      verdict = judge_->judge((*tasks_)[task], first_round ? share : 0);
    } catch (const std::exception& exception) {
      // The boundary of STYLE's checker runner: a thread must not end by an exception.
      verdict.reason = fmt::format("the checker failed: {}", exception.what());
    }
    verdict.configurations += visited;
  }

  const KeyJudge* judge_;
  const std::vector<KeyOperations>* tasks_;
  unsigned threads_;
  std::vector<KeyVerdict> verdicts_;  // by task
};

bool is_known(const history::History& history, const Operation& operation, const ModelRow& model) {
  return model.knows(operation.function) &&
         (model.accepts == nullptr || model.accepts(history.pool(), operation));
}

// An operation that the model says nothing about, described; empty when there is none.
std::string foreign_operation(const history::History& history, const ModelRow& model) {
  const auto foreign = std::ranges::find_if(history.operations(), [&](const Operation& operation) {
    return !is_known(history, operation, model);
  });
  return foreign == history.operations().end() ? std::string() : history.describe(*foreign);
}

struct Tally {
  std::size_t searched = 0;
  std::size_t configurations = 0;
  std::size_t observations = 0;
  std::size_t broken = 0;
  std::size_t undetermined = 0;
  std::string reason;
};

Verdict summarise(std::vector<KeyVerdict> keys, std::size_t operations, const ModelRow& model) {
  constexpr std::size_t kExamplesMax = 5;
  const std::string_view one = model.part != nullptr    ? "element"
                               : model.split != nullptr ? "part"
                                                        : "key";
  Verdict verdict;
  Tally tally;
  verdict.kind = VerdictKind::kept;
  for (KeyVerdict& key : keys) {
    verdict.kind = worse(verdict.kind, key.kind);
    tally.searched += key.searched ? 1U : 0U;
    tally.configurations += key.configurations;
    tally.observations += key.observations;
    tally.broken += key.kind == VerdictKind::broken ? 1U : 0U;
    if (key.kind == VerdictKind::undetermined) {
      ++tally.undetermined;
      if (tally.reason.empty()) tally.reason = key.reason;
    }
    for (Counterexample& example : key.counterexamples) {
      if (verdict.counterexamples.size() < kExamplesMax) {
        verdict.counterexamples.push_back(std::move(example));
      }
    }
  }
  const auto count = [](std::size_t value) { return static_cast<double>(value); };
  verdict.measurements = {{"operations", count(operations), ""},
                          {"keys", count(keys.size()), ""},
                          {"keys searched", count(tally.searched), ""},
                          {"configurations", count(tally.configurations), ""}};
  if (verdict.kind == VerdictKind::broken) {
    verdict.summary =
        verdict.counterexamples.empty() ? "not linearizable" : verdict.counterexamples.front().why;
    if (tally.broken > 1) {
      verdict.details.push_back(
          fmt::format("{} of {} {}s are not linearizable", tally.broken, keys.size(), one));
    }
    if (tally.undetermined > 0) {
      verdict.details.push_back(fmt::format(
          "{} of {} {}s were not searched to the end", tally.undetermined, keys.size(), one));
    }
  } else if (verdict.kind == VerdictKind::undetermined) {
    verdict.summary = fmt::format("{} of {} {}s could not be decided: {}",
                                  tally.undetermined,
                                  keys.size(),
                                  one,
                                  tally.reason);
  } else if (tally.observations == 0) {
    verdict.kind = VerdictKind::undetermined;
    verdict.summary = "nothing observed: no operation has a known result";
  } else {
    verdict.summary = fmt::format("{} operations on {} {}{} are linearizable as a {}",
                                  operations,
                                  keys.size(),
                                  one,
                                  keys.size() == 1 ? "" : "s",
                                  model.name);
  }
  return verdict;
}

}  // namespace

bool knows_all(const history::History& history, const ModelRow& model) {
  return std::ranges::all_of(history.operations(), [&](const Operation& operation) {
    return is_known(history, operation, model);
  });
}

Verdict check_linearizability(const history::History& history,
                              const ModelRow& model,
                              const CheckOptions& options,
                              std::stop_token stop,
                              Routes routes) {
  Verdict verdict;
  if (history.empty()) {
    verdict.summary = "nothing observed: the history is empty";
    return verdict;
  }
  if (const std::string foreign = foreign_operation(history, model); !foreign.empty()) {
    verdict.summary =
        fmt::format("the model {} does not know the operation {}", model.name, foreign);
    return verdict;
  }
  const auto missing = std::ranges::find_if(model.parameters, [&](const ParameterInfo& info) {
    return info.needed && !options.parameters.contains(std::string(info.name));
  });
  if (missing != model.parameters.end()) {
    verdict.summary = fmt::format("the model {} needs to know its {}", model.name, missing->name);
    return verdict;
  }
  const unsigned threads =
      options.threads != 0 ? options.threads : std::max(std::thread::hardware_concurrency(), 1U);
  SearchLimits limits;
  limits.deadline = std::chrono::steady_clock::now() + options.time_budget;
  const std::vector<KeyOperations> tasks =
      model.split == nullptr ? split_by_key(history, model.part) : model.split(history);
  limits.memory = options.memory_budget / std::min<std::size_t>(threads, tasks.size());
  limits.strategy = routes.strategy;
  limits.stop = std::move(stop);
  const KeyJudge judge(history, model, options.parameters, limits, routes);
  return summarise(Judging(judge, tasks, threads).run(), history.operations().size(), model);
}

}  // namespace sunder::checkers
