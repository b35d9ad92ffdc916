// Document: the JSON values that report.json and the page's data are made of.
//
// One function for each part, so that both say the same thing with the same names
// (docs/results.md).

#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>

#include "harness/report/picture.hpp"
#include "harness/report/report.hpp"
#include "harness/report/summary.hpp"
#include "harness/report/timeline.hpp"

namespace sunder::report {

constexpr std::string_view kSchema = "sunder-report/1";

// Valid UTF-8, whatever came in.
[[nodiscard]] boost::json::string json_text(std::string_view text);
[[nodiscard]] boost::json::array json_of(const std::vector<history::Evidence>& evidence);
[[nodiscard]] boost::json::object json_of(const OperationTable& table);
[[nodiscard]] boost::json::object json_of(const Timeline& timeline);
[[nodiscard]] boost::json::array json_of(const std::vector<history::Phase>& phases);
[[nodiscard]] boost::json::array json_of(const std::vector<history::FaultRecord>& faults);
[[nodiscard]] boost::json::object json_of(const history::History& history,
                                          const checkers::Counterexample& counterexample);
[[nodiscard]] boost::json::object json_of(const history::History& history,
                                          const PromiseResult& promise);

}  // namespace sunder::report
