// OrderGraph: why operations come before one another, for checkers whose violations are cycles of
// observations.
//
// A Digraph over operations with three kinds of arcs: what was observed, the order of a process,
// and real time. A cycle is told
// arc by arc and becomes a counter-example with its graph.
//
// Threading: one owner.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "checkers/graph.hpp"
#include "checkers/verdict.hpp"
#include "harness/history/history.hpp"

namespace sunder::checkers {

// Adds an arc from each operation to the next of its process. What never ended comes before
// nothing: it may take effect after anything that its process did later. `nodes` in the order of
// invocation; `operation_of` gives a node's operation.
void add_process_order(Digraph& graph,
                       std::span<const std::uint32_t> nodes,
                       ArcKinds kind,
                       const std::function<const history::Operation&(std::uint32_t)>& operation_of);

// Adds real time: what had ended comes before what began later, by way of one helper for each
// instant at which something had ended when something began, O(nodes) arcs. As above.
void add_real_time(Digraph& graph,
                   std::span<const std::uint32_t> nodes,
                   ArcKinds kind,
                   const std::function<const history::Operation&(std::uint32_t)>& operation_of);

class OrderGraph {
 public:
  static constexpr ArcKinds kObserved = 1;
  static constexpr ArcKinds kProcess = 2;
  static constexpr ArcKinds kRealTime = 4;

  // `operations`: indices into the history, ascending; they are the graph's nodes.
  OrderGraph(const history::History& history, std::vector<std::uint32_t> operations);

  [[nodiscard]] Digraph& graph() noexcept { return graph_; }

  // The operation of a node.
  [[nodiscard]] std::uint32_t operation(std::uint32_t node) const { return operations_[node]; }

  void add_process_order();
  void add_real_time();

  // What an arc of kind kObserved says: its label ("x: 1 < 2") and its sentence.
  struct Reason {
    std::string label;
    std::string why;
  };

  using Explain = std::function<Reason(std::uint32_t from, std::uint32_t to)>;

  // A shortest cycle over those kinds of arcs as a counter-example; nothing: there is none.
  [[nodiscard]] std::optional<Counterexample> find_cycle(ArcKinds kinds,
                                                         std::string_view title,
                                                         const Explain& explain);

 private:
  // All, in the order of invocation.
  [[nodiscard]] std::vector<std::uint32_t> nodes() const;

  [[nodiscard]] const history::Operation& at(std::uint32_t node) const {
    return history_->operations()[operations_[node]];
  }

  [[nodiscard]] Reason reason_of(const Step& step, const Explain& explain) const;

  const history::History* history_;
  std::vector<std::uint32_t> operations_;
  Digraph graph_;
};

}  // namespace sunder::checkers
