// Verdict: what a checker says of a promise, with the evidence and the counter-examples that a
// reader can follow.
//
// The one structure that text, HTML, JSON and JUnit are rendered from. The report may include this
// file, figure.hpp and nothing else of checkers/.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "checkers/figure.hpp"
#include "harness/history/run_context.hpp"

namespace sunder::checkers {

enum class VerdictKind : std::uint8_t { kept, broken, undetermined, not_exercised, not_applicable };

// "kept", "broken", "undetermined", "not exercised", "not applicable".
[[nodiscard]] std::string_view name_of(VerdictKind kind) noexcept;

// Operations and why one must come before another; a cycle in it is the contradiction. Text, DOT
// and SVG are drawn from it.
struct Graph {
  struct Node {
    std::size_t operation = 0;  // an index into History::operations()
    std::string name;           // "T3", unique in the graph
  };

  struct Edge {
    std::size_t from = 0;  // indices into `nodes`
    std::size_t to = 0;
    std::string label;  // the kind of dependency and on what: "wr x", "rw y", "process"
    std::string why;    // one sentence that names transactions and values
  };

  std::vector<Node> nodes;  // in the order of the cycle, if it is one
  std::vector<Edge> edges;

  [[nodiscard]] bool empty() const noexcept { return nodes.empty(); }
};

// The operations that cannot all be right, and one sentence why. Indices are into
// History::operations().
struct Counterexample {
  struct Item {
    std::size_t operation = 0;
    bool core = false;  // one of the few that contradict each other; the others are context
    std::string note;   // "the lost write", "reads the older value", …
  };

  std::string title;            // "stale read", "lost write", "not linearizable"
  std::string why;              // one sentence that names operations, values and times
  std::string key;              // empty: the only object
  std::vector<Item> items;      // in order of invocation
  std::size_t first_error = 0;  // the operation at which the history became impossible
  Graph graph;                  // empty: time alone tells it
};

struct Verdict {
  VerdictKind kind = VerdictKind::undetermined;
  std::string summary;  // one sentence: what was decided, over how much, or why it could not be
  std::vector<std::string> details;  // further findings, one sentence each
  // Numbers behind it: operations checked, latencies, …
  std::vector<history::Evidence> measurements;
  std::vector<Counterexample> counterexamples;
  std::vector<Figure> figures;
};

// The worse of two when one promise is checked in parts: broken > undetermined > not exercised >
// kept > not applicable.
[[nodiscard]] VerdictKind worse(VerdictKind a, VerdictKind b) noexcept;

}  // namespace sunder::checkers
