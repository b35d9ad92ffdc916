// Linearizability of a whole history: splits it by key, picks the route for each, judges the keys
// in parallel.
//
// Routes per key: the model's closed form where it applies (unique values, say), otherwise the
// search (search.hpp). Linearizability is local (Herlihy & Wing 1990): the history is
// linearizable when every key is.

#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <stop_token>
#include <utility>

#include "checkers/checker.hpp"
#include "checkers/instants.hpp"
#include "checkers/models/model.hpp"
#include "checkers/search.hpp"

namespace sunder::checkers {

struct Routes {
  bool closed_form = true;  // off: the search decides every key
  SearchStrategy strategy = SearchStrategy::automatic;
  // When an operation may take effect, and nothing for one to leave out; empty: while it ran. For
  // the search alone.
  std::function<std::optional<Interval>(const history::Operation& operation)> when = {};
};

// The levels of a model that is judged for linearizability alone.
inline constexpr std::array kLinearizable_only{
    LevelInfo{"linearizable", "Every operation takes effect at one instant while it runs."}};

// Whether the model can say something about every operation.
[[nodiscard]] bool knows_all(const history::History& history, const ModelRow& model);

// `kept`, `broken` or `undetermined`; no exercise rule.
[[nodiscard]] Verdict check_linearizability(const history::History& history,
                                            const ModelRow& model,
                                            const CheckOptions& options,
                                            std::stop_token stop,
                                            Routes routes = {});

// The model of `sunder check` that the search model Row decides, alone.
template <ModelRow (*Row)()>
[[nodiscard]] ModelInfo search_model_info() {
  static const ModelRow row = Row();
  constexpr auto fits = [](const history::History& history) {
    return std::ranges::none_of(row.parameters, &ParameterInfo::needed) &&
           knows_all(history, row) &&
           (row.suits == nullptr || std::ranges::all_of(history.operations(), row.suits));
  };
  constexpr auto check = [](const history::History& history,
                            std::string_view,
                            const CheckOptions& options,
                            std::stop_token stop) {
    return check_linearizability(history, row, options, std::move(stop));
  };
  return {.name = row.name,
          .summary = row.summary,
          .levels = kLinearizable_only,
          .fits = fits,
          .check = check,
          .strength = row.strength,
          .decides = row.decides,
          .parameters = row.parameters};
}

}  // namespace sunder::checkers
