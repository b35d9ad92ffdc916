// sunder::checkers, for other projects: judge a history of what clients saw.
//
//   find_package(sunder REQUIRED)                         # CMake
//   target_link_libraries(mine PRIVATE sunder::checkers)
//
// A history is read from a file (all forms of docs/histories.md), or built event by event:
//
//   sunder::history::HistoryBuilder builder;
//   auto write = builder.invoke({.process = 1, .function = "write", .key = "x",
//                                .input = sunder::history::Value::integer(7)});
//   auto done = builder.complete({.process = 1, .outcome = sunder::history::Outcome::ok});
//   const sunder::history::History history = builder.finish();
//
// and judged as a model says (`sunder list models`; all_models()):
//
//   const auto verdict = sunder::checkers::check_model(history, "register", {}, {});
//   if (verdict->kind == sunder::checkers::VerdictKind::broken) {
//     for (const auto& example : verdict->counterexamples) std::puts(example.why.c_str());
//   }
//
// `kept` and `broken` are proofs; `undetermined` says what was missing: time, memory, or anything
// observed. A model of your own is a checkers/models/model.hpp row for check_linearizability()
// (checkers/linearizability.hpp).
//
// Threading: a History is read from any number of threads; the checkers use as many as
// CheckOptions::threads says and give the same verdict whatever their number. Errors: Result<T>
// (harness/base/error.hpp), with the place of what was unreadable.

#pragma once

#include "checkers/checker.hpp"
#include "checkers/linearizability.hpp"
#include "harness/history/history.hpp"
#include "harness/history/text.hpp"
