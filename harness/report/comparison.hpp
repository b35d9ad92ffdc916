// Comparison: several runs beside each other, so that what one system gives up and another keeps is
// seen on one page.
//
// Runs are compared by what their report.json says: their promises, and the figures of the same
// section and title. Bars and lines of several runs are laid into one picture, tables joined by the
// columns that name their rows; what only one run has stands alone, with the run's name.
//
// Threading: pure functions. Errors: Errc::unreadable_input when a document is not a report of
// ours.

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkers/figure.hpp"
#include "harness/base/error.hpp"

namespace sunder::report {

struct ComparedRun {
  struct Promise {
    std::string name;
    std::string verdict;  // "kept", "price"
    std::string summary;
  };

  std::string name;  // as the page calls it
  std::vector<Promise> promises;
  std::vector<checkers::Figure> figures;
};

// `document` is a report.json.
[[nodiscard]] Result<ComparedRun> read_compared_run(std::string name, std::string_view document);

// First what several runs have, laid into one; then a table with a row for each promise of any run;
// then what only one of them has.
[[nodiscard]] std::vector<checkers::Figure> compare(std::span<const ComparedRun> runs);

}  // namespace sunder::report
