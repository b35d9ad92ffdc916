// EventOrder: a total order of events that respects a growing and shrinking set of edges.
//
// Some edges are fixed, others come and go like a stack. Adding an edge moves only the events
// between its two ends (Pearce & Kelly, "A dynamic topological sort algorithm", JEA 2006), or finds
// the cycle that it would close.
//
// Threading: one thread.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sunder::checkers::isolation {

// The first event comes before the second.
struct Before {
  std::uint32_t first = 0;
  std::uint32_t second = 0;

  [[nodiscard]] constexpr Before reversed() const noexcept { return {second, first}; }

  friend constexpr bool operator==(const Before&, const Before&) noexcept = default;
};

class EventOrder {
 public:
  // `order` has every event once and contradicts none of `fixed`.
  EventOrder(std::vector<std::uint32_t> order, std::span<const Before> fixed);

  [[nodiscard]] std::uint32_t position(std::uint32_t event) const noexcept {
    return position_[event];
  }

  [[nodiscard]] std::span<const std::uint32_t> positions() const noexcept { return position_; }

  [[nodiscard]] bool holds(Before edge) const noexcept {
    return position_[edge.first] < position_[edge.second];
  }

  // Adds an edge with a tag of the caller's. False: it would close a cycle; then nothing changed,
  // and cycle_events() goes from edge.second to edge.first.
  [[nodiscard]] bool add(Before edge, std::uint32_t tag);
  // Takes the latest added edge away.
  void remove_last();

  // The events that the latest edge moved, to earlier places and to later ones. Precondition: it
  // did not hold when it was added.
  [[nodiscard]] std::span<const std::uint32_t> moved_back() const noexcept { return before_; }

  [[nodiscard]] std::span<const std::uint32_t> moved_on() const noexcept { return after_; }

  [[nodiscard]] std::size_t added() const noexcept { return edges_.size(); }

  [[nodiscard]] std::span<const std::uint32_t> cycle_events() const noexcept {
    return cycle_events_;
  }

  // Tags of the added edges along it.
  [[nodiscard]] std::span<const std::uint32_t> cycle_tags() const noexcept { return cycle_tags_; }

 private:
  struct Edge {
    Before ends;
    std::uint32_t tag = 0;
    std::uint32_t next_out = 0;  // the one added before it that leaves the same event
    std::uint32_t next_in = 0;
  };

  [[nodiscard]] bool search_forward(Before edge);
  void search_backward(Before edge);
  void reorder();
  void keep_cycle(Before edge);

  template <typename Action>
  void for_each_successor(std::uint32_t event, const Action& action) const;
  template <typename Action>
  void for_each_predecessor(std::uint32_t event, const Action& action) const;

  std::vector<std::uint32_t> position_;
  std::vector<std::uint32_t> out_begin_;  // fixed edges, both ways
  std::vector<std::uint32_t> out_;
  std::vector<std::uint32_t> in_begin_;
  std::vector<std::uint32_t> in_;
  std::vector<Edge> edges_;
  std::vector<std::uint32_t> first_out_;  // the latest added edge, by event
  std::vector<std::uint32_t> first_in_;

  std::vector<std::uint32_t> mark_;  // by event: the search that met it
  std::uint32_t search_ = 0;
  std::vector<std::uint32_t> parent_;      // by event, in the forward search
  std::vector<std::uint32_t> parent_tag_;  // of the edge from there
  std::vector<std::uint32_t> after_;
  std::vector<std::uint32_t> before_;
  std::vector<std::uint32_t> cycle_events_;
  std::vector<std::uint32_t> cycle_tags_;
};

// The events in an order that respects the edges, those with smaller priority first where there is
// a choice; shorter than `priority` when the edges have a cycle.
[[nodiscard]] std::vector<std::uint32_t> order_by_priority(std::span<const std::uint64_t> priority,
                                                           std::span<const Before> edges);

}  // namespace sunder::checkers::isolation
