// The graph of a counter-example as text, DOT and SVG: transactions and why one must come before
// another.
//
// The drawing puts the nodes below each other in the order of the cycle; an arc to the next one is
// a straight arrow, the others bend around on the right. It takes its colours from the page
// (currentColor and the report's variables) and needs no script.
//
// Threading: pure functions. Everything that came from outside is escaped.

#pragma once

#include <string>

#include "checkers/verdict.hpp"
#include "harness/history/history.hpp"

namespace sunder::report {

// One line a node, then one an arc: "T4 → T2  rw y: T4 read y as [1], without …". Ends with a
// newline; empty when the graph is.
[[nodiscard]] std::string graph_text(const history::History& history, const checkers::Graph& graph);

// For Graphviz.
[[nodiscard]] std::string graph_dot(const history::History& history, const checkers::Graph& graph);

// A whole <svg> element with a text alternative.
[[nodiscard]] std::string graph_svg(const history::History& history, const checkers::Graph& graph);

}  // namespace sunder::report
