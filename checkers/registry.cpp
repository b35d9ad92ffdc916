// The tables of checkers and models, sorted by name; one row each.

#include <algorithm>
#include <array>
#include <exception>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "checkers/linearizability.hpp"
#include "checkers/models/model.hpp"

namespace sunder::checkers {

ModelRow bag_row();
ModelRow fenced_lease_row();
ModelRow fetch_add_row();
ModelRow kv_append_row();
ModelRow multi_register_row();
ModelRow mutex_row();
ModelRow priority_queue_row();
ModelRow queue_row();
ModelRow reentrant_mutex_row();
ModelRow rw_lock_row();
ModelRow semaphore_row();
ModelRow stack_row();

ModelInfo bank_model();
ModelInfo cas_register_model();
ModelInfo comments_model();
ModelInfo convergence_model();
ModelInfo counter_model();
ModelInfo g2_model();
ModelInfo kafka_model();
ModelInfo list_append_model();
ModelInfo long_fork_model();
ModelInfo monotonic_model();
ModelInfo register_model();
ModelInfo rw_register_model();
ModelInfo sequential_model();
ModelInfo set_full_model();
ModelInfo set_model();
ModelInfo total_queue_model();
ModelInfo txn_rw_model();
ModelInfo unique_ids_model();
ModelInfo work_queue_model();

CheckerInfo at_least_once_info();
CheckerInfo availability_everywhere_info();
CheckerInfo availability_info();
CheckerInfo blind_overwrites_info();
CheckerInfo bounded_info();
CheckerInfo dead_letters_info();
CheckerInfo delivery_durability_info();
CheckerInfo durability_info();
CheckerInfo exclusive_info();
CheckerInfo final_reads_info();
CheckerInfo fresh_reads_info();
CheckerInfo linearizable_info();
CheckerInfo membership_info();
CheckerInfo minority_refuses_info();
CheckerInfo no_phantom_info();
CheckerInfo recovery_info();
CheckerInfo redelivered_info();
CheckerInfo replica_digests_info();
CheckerInfo replicated_log_info();
CheckerInfo saga_all_or_nothing_info();
CheckerInfo saga_answers_true_info();
CheckerInfo saga_conserved_info();
CheckerInfo saga_durable_info();
CheckerInfo saga_ends_in_time_info();
CheckerInfo saga_no_orphans_info();
CheckerInfo saga_no_oversell_info();
CheckerInfo saga_once_info();
CheckerInfo valid_reads_info();

namespace {

// What other tools call a model of ours.
struct OtherName {
  std::string_view theirs;
  std::string_view ours;
};

constexpr std::array kOther_names{
    OtherName{"causal-reverse", "comments"},  // Jepsen
    OtherName{"unordered-queue", "bag"},      // Knossos
};

std::string_view our_name(std::string_view type) noexcept {
  const auto found = std::ranges::find(kOther_names, type, &OtherName::theirs);
  return found == kOther_names.end() ? type : found->ours;
}

// "register, set, …" of any table.
template <typename Row>
std::string names_of(std::span<const Row> rows) {
  std::string names;
  for (const Row& row : rows) names += fmt::format("{}{}", names.empty() ? "" : ", ", row.name);
  return names;
}

// The row of that name, or the first when none is named; null: there is no such level.
const LevelInfo* find_level(const ModelInfo& model, std::string_view name) noexcept {
  if (name.empty()) return &model.levels.front();
  const auto found = std::ranges::find(model.levels, name, &LevelInfo::name);
  return found == model.levels.end() ? nullptr : &*found;
}

// Why no model fits, or none that has the level.
Error no_model_for(const history::History& history, std::string_view level) {
  // One of a function without a model is likely the one that does not belong.
  const auto odd = std::ranges::find(
      history.operations(), history::Function::other, &history::Operation::function);
  const bool found = odd != history.operations().end();
  const std::string with_level = level.empty() ? "" : fmt::format(" with a level '{}'", level);
  return base::make_error(
      Errc::usage,
      fmt::format("no model{} knows every operation ({} is {}); name one with --model: {}",
                  with_level,
                  found ? "the first of an unknown function" : "the first",
                  history.describe(found ? *odd : history.operations().front()),
                  names_of(all_models())));
}

}  // namespace

std::span<const CheckerInfo> all_checkers() {
  static const std::array all{
      at_least_once_info(),
      availability_info(),
      availability_everywhere_info(),
      blind_overwrites_info(),
      bounded_info(),
      dead_letters_info(),
      delivery_durability_info(),
      durability_info(),
      exclusive_info(),
      final_reads_info(),
      fresh_reads_info(),
      linearizable_info(),
      membership_info(),
      minority_refuses_info(),
      no_phantom_info(),
      recovery_info(),
      redelivered_info(),
      replica_digests_info(),
      replicated_log_info(),
      saga_all_or_nothing_info(),
      saga_answers_true_info(),
      saga_conserved_info(),
      saga_durable_info(),
      saga_ends_in_time_info(),
      saga_no_orphans_info(),
      saga_no_oversell_info(),
      saga_once_info(),
      valid_reads_info(),
  };
  return all;
}

const CheckerInfo* find_checker(std::string_view name) {
  const std::span<const CheckerInfo> all = all_checkers();
  const auto found = std::ranges::find(all, name, &CheckerInfo::name);
  return found == all.end() ? nullptr : &*found;
}

std::span<const ModelInfo> all_models() {
  static const std::array all{
      search_model_info<bag_row>(),
      bank_model(),
      cas_register_model(),
      comments_model(),
      convergence_model(),
      counter_model(),
      search_model_info<fenced_lease_row>(),
      search_model_info<fetch_add_row>(),
      g2_model(),
      kafka_model(),
      search_model_info<kv_append_row>(),
      list_append_model(),
      long_fork_model(),
      monotonic_model(),
      search_model_info<multi_register_row>(),
      search_model_info<mutex_row>(),
      search_model_info<priority_queue_row>(),
      search_model_info<queue_row>(),
      search_model_info<reentrant_mutex_row>(),
      register_model(),
      search_model_info<rw_lock_row>(),
      rw_register_model(),
      search_model_info<semaphore_row>(),
      sequential_model(),
      set_model(),
      set_full_model(),
      search_model_info<stack_row>(),
      total_queue_model(),
      txn_rw_model(),
      unique_ids_model(),
      work_queue_model(),
  };
  return all;
}

Result<ModelChoice> find_model(std::string_view text) {
  const std::string_view type = text.substr(0, text.find('/'));
  const std::span<const ModelInfo> all = all_models();
  const auto model = std::ranges::find(all, our_name(type), &ModelInfo::name);
  if (model == all.end()) {
    return base::make_error(Errc::usage,
                            fmt::format("no model '{}'; known are {}", type, names_of(all)));
  }
  if (type.size() == text.size()) return ModelChoice{&*model, model->levels.front().name};
  const std::string_view word = text.substr(type.size() + 1);
  const LevelInfo* const level = word.empty() ? nullptr : find_level(*model, word);
  if (level == nullptr) {
    return base::make_error(
        Errc::usage,
        fmt::format(
            "the model {} has no level '{}'; known are {}", type, word, names_of(model->levels)));
  }
  return ModelChoice{&*model, level->name};
}

Result<void> accept_parameters(const ModelInfo& model, const Parameters& parameters) {
  for (const auto& [name, value] : parameters) {
    if (std::ranges::find(model.parameters, name, &ParameterInfo::name) != model.parameters.end()) {
      continue;
    }
    const std::string known = model.parameters.empty()
                                  ? "it takes none"
                                  : fmt::format("it takes {}", names_of(model.parameters));
    return base::make_error(
        Errc::usage,
        fmt::format("the model {} takes no parameter {}; {}", model.name, name, known));
  }
  for (const ParameterInfo& info : model.parameters) {
    if (!info.needed || parameters.contains(std::string(info.name))) continue;
    return base::make_error(
        Errc::usage,
        fmt::format("the model {} needs {}=N: {}", model.name, info.name, info.summary));
  }
  return {};
}

bool is_level(std::string_view word) {
  return !word.empty() && std::ranges::any_of(all_models(), [&](const ModelInfo& model) {
    return find_level(model, word) != nullptr;
  });
}

Result<AutomaticChoice> choose_model(const history::History& history, std::string_view level) {
  AutomaticChoice choice;
  choice.automatic = true;
  if (history.empty()) return choice;
  std::vector<const ModelInfo*> fitting;
  for (const ModelInfo& model : all_models()) {
    if (find_level(model, level) != nullptr && model.fits(history)) fitting.push_back(&model);
  }
  if (fitting.empty()) return no_model_for(history, level);
  const auto best = std::ranges::max_element(fitting, {}, [&](const ModelInfo* model) {
    const bool decides = model->decides == nullptr || model->decides(history);
    return std::pair(decides, model->strength);
  });
  choice.chosen = ModelChoice{*best, find_level(**best, level)->name};
  for (const ModelInfo* model : fitting) {
    if (model != *best) choice.also_fit.push_back(model->name);
  }
  return choice;
}

Verdict check_model(const history::History& history,
                    const ModelChoice& choice,
                    const CheckOptions& options,
                    std::stop_token stop) {
  const bool observed =
      std::ranges::any_of(history.operations(), [](const history::Operation& operation) {
        return operation.outcome != history::Outcome::info;
      });
  if (!observed) {
    Verdict verdict;
    verdict.summary = history.empty() ? "nothing observed: the history is empty"
                                      : "nothing observed: no operation has a known result";
    return verdict;
  }
  try {
    return choice.model->check(history, choice.level, options, std::move(stop));
  } catch (const std::exception& exception) {
    Verdict verdict;
    verdict.summary = fmt::format("the checker failed: {}", exception.what());
    return verdict;
  }
}

Result<Verdict> check_model(const history::History& history,
                            std::string_view model,
                            const CheckOptions& options,
                            std::stop_token stop) {
  const auto choice = find_model(model);
  SUNDER_TRY(choice);
  return check_model(history, *choice, options, std::move(stop));
}

}  // namespace sunder::checkers
