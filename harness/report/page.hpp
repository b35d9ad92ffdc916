// Page: the data and the repeated pieces of the HTML outputs.
//
// Everything that a reader must see without scripts is HTML made here and in html.cpp; what needs
// an axis (time-line, pictures) is data that the scripts under assets/ draw.

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/report/report.hpp"
#include "harness/report/timeline.hpp"

namespace sunder::report {

struct Place {
  std::string_view name;
  std::string_view content;
};

// Replaces every {{name}} by its content, in one pass: what a content contains is not looked at
// again. Every place of the frame must be given.
[[nodiscard]] std::string fill(std::string_view frame, const std::vector<Place>& places);

// The JSON document of the time-line and of the pictures, safe inside <script>. Pictures are
// numbered in the order of promises and their counter-examples.
[[nodiscard]] std::string page_data(const RunReport& report, const history::History& history);

// "✓ kept" as a badge with a shape of its own: not told apart by colour alone.
[[nodiscard]] std::string verdict_badge(std::string_view verdict);
// Chips of numbers: name, value, unit.
[[nodiscard]] std::string evidence_chips(const std::vector<history::Evidence>& evidence);

// A <table>; every row as long as the header.
[[nodiscard]] std::string table_html(const std::vector<std::string>& header,
                                     const std::vector<std::vector<std::string>>& rows);

// One counter-example: why, the place of its picture (number `picture`), the core operations in
// words.
[[nodiscard]] std::string counterexample_html(const history::History& history,
                                              const checkers::Counterexample& counterexample,
                                              std::size_t picture);

}  // namespace sunder::report
