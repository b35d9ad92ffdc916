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

CheckerInfo availability_info();
CheckerInfo durability_info();
CheckerInfo linearizable_info();
CheckerInfo minority_refuses_info();
CheckerInfo recovery_info();
CheckerInfo replicated_log_info();

std::span<const CheckerInfo> all_checkers() {
  static const std::array all{
      availability_info(),
      durability_info(),
      linearizable_info(),
      minority_refuses_info(),
      recovery_info(),
      replicated_log_info(),
  };
  return all;
}

const CheckerInfo* find_checker(std::string_view name) {
  const std::span<const CheckerInfo> all = all_checkers();
  const auto found = std::ranges::find(all, name, &CheckerInfo::name);
  return found == all.end() ? nullptr : &*found;
}

std::span<const ModelInfo> all_models() {
  static const std::vector<ModelInfo> all = [] {
    std::vector<ModelInfo> models;
    for (const ModelRow& row : model_rows()) models.push_back({row.name, row.summary});
    return models;
  }();
  return all;
}

Result<Verdict> check_model(const history::History& history,
                            std::string_view model,
                            const CheckOptions& options,
                            std::stop_token stop) {
  const ModelRow* row = find_model(model);
  if (row == nullptr) {
    std::string known;
    for (const ModelInfo& info : all_models()) {
      known += fmt::format("{}{}", known.empty() ? "" : ", ", info.name);
    }
    return base::make_error(Errc::usage, fmt::format("no model \"{}\"; known: {}", model, known));
  }
  try {
    return check_linearizability(history, *row, options, std::move(stop));
  } catch (const std::exception& exception) {
    Verdict verdict;
    verdict.summary = fmt::format("the checker failed: {}", exception.what());
    return verdict;
  }
}

}  // namespace sunder::checkers
