// The pictures of a run of sagas: the state machine with how often each arc was taken, one saga
// with the faults across it, and how the sagas ended.
//
// Threading: pure functions.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checkers/figure.hpp"
#include "checkers/saga/record.hpp"
#include "harness/history/run_context.hpp"

namespace sunder::checkers::saga {

// What an orchestrator told that it asked of a service: times since the run's start.
struct ToldSpan {
  std::string name;  // "reserve", "release", …
  std::size_t step = 0;
  bool undo = false;
  history::Window window;  // to its answer, or until it was given up
  std::size_t sends = 0;
};

// Of an event "saga-ended"; empty for any other.
[[nodiscard]] std::vector<ToldSpan> told_spans(const history::NodeEvent& event);

// `context` may be null.
[[nodiscard]] std::vector<Figure> figures_of(const Record& record,
                                             const history::RunContext* context);

}  // namespace sunder::checkers::saga
