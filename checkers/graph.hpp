// Digraph: a large directed graph in flat arrays, its strongly connected components, and shortest
// cycles over chosen kinds of arcs.
//
// What isolation checkers search: nodes are transactions, arcs say why one comes before another.
// Helper nodes stand for bundles of arcs (an instant in real time, a tail of versions): walking
// through them costs nothing, and cycles are told without them. Components: Tarjan, SIAM J.
// Comput. 1(2), 1972.
//
// Threading: pure once finish() was called; one owner before. Errors: none.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace sunder::checkers {

// A set of kinds of arcs, one bit each. What the bits mean is the caller's.
using ArcKinds = std::uint32_t;

// The kind of arcs that leave helpers: allowed in every walk.
constexpr ArcKinds kPass = ArcKinds{1} << 31;

class Digraph {
 public:
  struct Arc {
    std::uint32_t to = 0;
    ArcKinds kinds = 0;
  };

  struct Entry {
    std::uint32_t from = 0;
    Arc arc;
  };

  // Nodes 0 … nodes-1; helpers come after them.
  explicit Digraph(std::uint32_t nodes) : real_(nodes), nodes_(nodes) {}

  void reserve(std::size_t arcs) { entries_.reserve(arcs); }

  // A new helper's number.
  [[nodiscard]] std::uint32_t add_helper() { return nodes_++; }

  // Arcs from a node to itself are left out. finish() has to follow.
  void add(std::uint32_t from, std::uint32_t to, ArcKinds kinds) {
    if (from != to) entries_.push_back({from, {to, kinds}});
  }

  // Takes back the arcs added after the first `count`.
  void truncate(std::size_t count) { entries_.resize(count); }

  // Makes the arcs available by source. May be called again after more were added.
  void finish();

  [[nodiscard]] std::uint32_t real() const noexcept { return real_; }

  [[nodiscard]] std::uint32_t size() const noexcept { return nodes_; }

  // In the order in which they were added.
  [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return entries_; }

  [[nodiscard]] std::span<const Arc> arcs(std::uint32_t node) const noexcept {
    return {arcs_.data() + begins_[node], begins_[node + 1] - begins_[node]};
  }

 private:
  std::uint32_t real_;
  std::uint32_t nodes_;
  std::vector<Entry> entries_;
  std::vector<Arc> arcs_;              // by source
  std::vector<std::uint32_t> begins_;  // of each node's arcs, and the end
};

// Which nodes lie on a common cycle over some kinds of arcs.
struct Components {
  static constexpr std::uint32_t kAlone = 0xffffffff;

  std::vector<std::uint32_t> of;      // of each node; kAlone: on no cycle
  std::vector<std::uint32_t> cyclic;  // the nodes that are on some cycle, ascending

  [[nodiscard]] bool acyclic() const noexcept { return cyclic.empty(); }

  [[nodiscard]] bool together(std::uint32_t a, std::uint32_t b) const noexcept {
    return of[a] != kAlone && of[a] == of[b];
  }
};

// Over arcs that have one of the kinds (and kPass). `within`: components over more kinds, outside
// of which no cycle can be. O(nodes + arcs).
[[nodiscard]] Components components(const Digraph& graph,
                                    ArcKinds kinds,
                                    const Components* within = nullptr);

// One arc of a cycle, helpers left out.
struct Step {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  ArcKinds kinds = 0;  // of the arc that leaves `from`
};

struct CycleQuery {
  ArcKinds first = 0;  // one arc has one of these kinds
  ArcKinds path = 0;   // all others have one of these
  // How many arcs may be walked for a shorter cycle once one is known: a large component has more
  // cycles than anybody reads. Deterministic.
  std::uint64_t effort = 20'000'000;
};

// A shortest such cycle (the first found, of those through the lowest nodes), or none. Exact about
// whether there is one. `within`: components over first | path.
[[nodiscard]] std::optional<std::vector<Step>> shortest_cycle(const Digraph& graph,
                                                              const Components& within,
                                                              const CycleQuery& query);

}  // namespace sunder::checkers
