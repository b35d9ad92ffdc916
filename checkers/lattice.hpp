// Places a history among the levels of a model: the strongest that it does not refute, and a
// counter-example to each next stronger one.
//
// Which level is stronger than which is a table of pairs (every history that the stronger one
// allows is allowed by the weaker one), generic over models: a new level is one row more. Levels
// are judged from the weakest up, so that what is refuted cheaply spares the search for what is
// stronger; the strongest goes first with a part of the time, because most histories keep it.
//
// Threading: pure functions. Same inputs, same placement, unless a budget of time runs out.

#pragma once

#include <cstddef>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "checkers/checker.hpp"

namespace sunder::checkers {

// One pair of the table. An empty model: of every model that has both levels.
struct LevelOrder {
  std::string_view stronger;
  std::string_view weaker;
  std::string_view model = {};
};

[[nodiscard]] std::span<const LevelOrder> level_orders();

// Whether what `stronger` allows is allowed by `weaker`, by the table and what follows from it
// among all level names. Not of a level and itself.
[[nodiscard]] bool implies(std::string_view model,
                           std::string_view stronger,
                           std::string_view weaker);

struct Placement {
  struct Level {
    std::string_view name;
    Verdict verdict;
    std::string_view
        follows_from;  // the level whose verdict implies this one; empty: judged itself
  };

  std::string_view model;
  std::vector<Level> levels;  // those that the table orders, as the model lists them
  // Indices of levels that are kept while no stronger one is.
  std::vector<std::size_t> strongest;
  // Broken levels all of whose weaker ones are not: the next stronger ones. Each has an example.
  std::vector<std::size_t> refuted;

  // Kept when some level is, broken when even the weakest is not; the details tell every level, and
  // the counter-examples refute the next stronger ones.
  [[nodiscard]] Verdict verdict() const;

  // "strongest not refuted: causal; next stronger are refuted: sequential".
  [[nodiscard]] std::string summary() const;
};

[[nodiscard]] Placement place(const history::History& history,
                              const ModelInfo& model,
                              const CheckOptions& options,
                              const std::stop_token& stop);

}  // namespace sunder::checkers
