// Figures: what checkers drew, as sections of the page and as JSON.
//
// Drawn here, without scripts, in the colours of the page. At most kFigureItemsMax items of each
// list are drawn; the JSON is bounded in the same way.
//
// Threading: pure functions. Everything that came from outside is escaped.

#pragma once

#include <string>
#include <vector>

#include <boost/json/array.hpp>

#include "checkers/figure.hpp"
#include "harness/history/run_context.hpp"
#include "harness/report/report.hpp"

namespace sunder::report {

// A <section> for each section named by a figure, in the order of the promises; empty without any.
[[nodiscard]] std::string figures_html(const RunReport& report);

// The same for figures that no promise gave.
[[nodiscard]] std::string figures_html(const std::vector<checkers::Figure>& figures);

// One figure: <figure> with its title and its note. `faults` are drawn across pictures of time.
[[nodiscard]] std::string figure_html(const checkers::Figure& figure,
                                      const std::vector<history::FaultRecord>& faults);

[[nodiscard]] boost::json::array json_of(const std::vector<checkers::Figure>& figures);

}  // namespace sunder::report
