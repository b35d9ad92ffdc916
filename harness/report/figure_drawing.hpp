// Drawings of figures as SVG: lines, flows and Gantt charts.
//
// Whole <svg> elements with a text alternative, in the classes of assets/report.css.
//
// Threading: pure functions. Everything that came from outside is escaped.

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "checkers/figure.hpp"
#include "harness/history/run_context.hpp"

namespace sunder::report {

using Faults = std::vector<history::FaultRecord>;

// A series of many points thinned to at most four for each of kFigureItemsMax columns: of
// neighbours the highest, where the first of them stands.
[[nodiscard]] std::vector<std::pair<double, double>> thinned(
    const std::vector<std::pair<double, double>>& points);

[[nodiscard]] std::string lines_svg(const checkers::Lines& lines, const Faults& faults);
[[nodiscard]] std::string flow_svg(const checkers::Flow& flow);
[[nodiscard]] std::string gantt_svg(const checkers::Gantt& gantt, const Faults& faults);

}  // namespace sunder::report
