#include "checkers/isolation/event_order.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <utility>

#include "harness/base/assert.hpp"

namespace sunder::checkers::isolation {
namespace {

constexpr std::uint32_t kNothing = 0xffffffff;

// Neighbours of each event, one after the other.
void make_lists(std::size_t events,
                std::span<const Before> edges,
                bool forward,
                std::vector<std::uint32_t>& begin,
                std::vector<std::uint32_t>& list) {
  begin.assign(events + 1, 0);
  list.resize(edges.size());
  for (const Before& edge : edges) ++begin[(forward ? edge.first : edge.second) + 1];
  for (std::size_t i = 1; i < begin.size(); ++i) begin[i] += begin[i - 1];
  std::vector<std::uint32_t> next(begin.begin(), begin.end() - 1);
  for (const Before& edge : edges) {
    list[next[forward ? edge.first : edge.second]++] = forward ? edge.second : edge.first;
  }
}

}  // namespace

EventOrder::EventOrder(std::vector<std::uint32_t> order, std::span<const Before> fixed)
    : position_(order.size()),
      first_out_(order.size(), kNothing),
      first_in_(order.size(), kNothing),
      mark_(order.size(), 0),
      parent_(order.size(), kNothing),
      parent_tag_(order.size(), kNothing) {
  for (std::uint32_t i = 0; i < order.size(); ++i) position_[order[i]] = i;
  make_lists(order.size(), fixed, true, out_begin_, out_);
  make_lists(order.size(), fixed, false, in_begin_, in_);
}

template <typename Action>
void EventOrder::for_each_successor(std::uint32_t event, const Action& action) const {
  for (std::uint32_t i = out_begin_[event]; i < out_begin_[event + 1]; ++i) {
    action(out_[i], kNothing);
  }
  for (std::uint32_t i = first_out_[event]; i != kNothing; i = edges_[i].next_out) {
    action(edges_[i].ends.second, edges_[i].tag);
  }
}

template <typename Action>
void EventOrder::for_each_predecessor(std::uint32_t event, const Action& action) const {
  for (std::uint32_t i = in_begin_[event]; i < in_begin_[event + 1]; ++i) action(in_[i]);
  for (std::uint32_t i = first_in_[event]; i != kNothing; i = edges_[i].next_in) {
    action(edges_[i].ends.first);
  }
}

bool EventOrder::add(Before edge, std::uint32_t tag) {
  SUNDER_ASSERT(edge.first != edge.second);
  if (!holds(edge)) {
    if (!search_forward(edge)) {
      keep_cycle(edge);
      return false;
    }
    search_backward(edge);
    reorder();
  }
  const auto number = static_cast<std::uint32_t>(edges_.size());
  edges_.push_back({.ends = edge,
                    .tag = tag,
                    .next_out = std::exchange(first_out_[edge.first], number),
                    .next_in = std::exchange(first_in_[edge.second], number)});
  return true;
}

void EventOrder::remove_last() {
  const Edge& edge = edges_.back();
  first_out_[edge.ends.first] = edge.next_out;
  first_in_[edge.ends.second] = edge.next_in;
  edges_.pop_back();
}

// What follows edge.second, no later than edge.first. False: edge.first itself does.
bool EventOrder::search_forward(Before edge) {
  const std::uint32_t limit = position_[edge.first];
  ++search_;
  after_.assign(1, edge.second);
  mark_[edge.second] = search_;
  parent_[edge.second] = kNothing;
  bool reached = false;
  for (std::size_t next = 0; next < after_.size() && !reached; ++next) {
    const std::uint32_t at = after_[next];
    for_each_successor(at, [&](std::uint32_t successor, std::uint32_t tag) {
      if (reached || position_[successor] > limit || mark_[successor] == search_) return;
      mark_[successor] = search_;
      parent_[successor] = at;
      parent_tag_[successor] = tag;
      after_.push_back(successor);
      reached = successor == edge.first;
    });
  }
  return !reached;
}

void EventOrder::search_backward(Before edge) {
  const std::uint32_t limit = position_[edge.second];
  ++search_;
  before_.assign(1, edge.first);
  mark_[edge.first] = search_;
  for (std::size_t next = 0; next < before_.size(); ++next) {
    for_each_predecessor(before_[next], [&](std::uint32_t predecessor) {
      if (position_[predecessor] < limit || mark_[predecessor] == search_) return;
      mark_[predecessor] = search_;
      before_.push_back(predecessor);
    });
  }
}

// The places of both sets are given out again: first to what must come before.
void EventOrder::reorder() {
  const auto by_position = [&](std::uint32_t event) { return position_[event]; };
  std::ranges::sort(before_, {}, by_position);
  std::ranges::sort(after_, {}, by_position);
  std::vector<std::uint32_t> places;
  places.reserve(before_.size() + after_.size());
  for (const std::uint32_t event : before_) places.push_back(position_[event]);
  for (const std::uint32_t event : after_) places.push_back(position_[event]);
  std::ranges::sort(places);
  std::size_t next = 0;
  for (const std::uint32_t event : before_) position_[event] = places[next++];
  for (const std::uint32_t event : after_) position_[event] = places[next++];
}

void EventOrder::keep_cycle(Before edge) {
  cycle_events_.clear();
  cycle_tags_.clear();
  for (std::uint32_t at = edge.first; at != kNothing; at = parent_[at]) {
    cycle_events_.push_back(at);
    const bool first = parent_[at] == kNothing;
    if (!first && parent_tag_[at] != kNothing) cycle_tags_.push_back(parent_tag_[at]);
  }
  std::ranges::reverse(cycle_events_);
}

std::vector<std::uint32_t> order_by_priority(std::span<const std::uint64_t> priority,
                                             std::span<const Before> edges) {
  std::vector<std::uint32_t> begin;
  std::vector<std::uint32_t> list;
  make_lists(priority.size(), edges, true, begin, list);
  std::vector<std::uint32_t> waits(priority.size(), 0);
  for (const Before& edge : edges) ++waits[edge.second];
  using Ready = std::pair<std::uint64_t, std::uint32_t>;
  std::priority_queue<Ready, std::vector<Ready>, std::greater<>> ready;
  for (std::uint32_t i = 0; i < priority.size(); ++i) {
    if (waits[i] == 0) ready.emplace(priority[i], i);
  }
  std::vector<std::uint32_t> order;
  order.reserve(priority.size());
  while (!ready.empty()) {
    const std::uint32_t event = ready.top().second;
    ready.pop();
    order.push_back(event);
    for (std::uint32_t i = begin[event]; i < begin[event + 1]; ++i) {
      if (--waits[list[i]] == 0) ready.emplace(priority[list[i]], list[i]);
    }
  }
  return order;
}

}  // namespace sunder::checkers::isolation
