// PlainLists: the lists of one plain event while it is read, the items of all on one stack.
//
// The list of a transaction, and the list that each of its items is, are recorded as they come;
// other lists are interned (value.hpp).
//
// Threading: one reader's.

#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "harness/history/value.hpp"

namespace sunder::history {

class PlainLists {
 public:
  explicit PlainLists(ValuePool& pool) : pool_(&pool) {}

  void begin_event() noexcept {
    items_.clear();
    depth_ = 0;
    recorded_depth_ = 0;
  }

  // Whether the lists read from now on are those of a transaction.
  void expect_transaction(bool expected) noexcept { recorded_depth_ = expected ? 2 : 0; }

  // False: there are too many lists in each other. `begin` is for close().
  [[nodiscard]] bool open(std::size_t& begin) noexcept {
    begin = items_.size();
    return depth_++ < kDepthMax;
  }

  void add(Value item) { items_.push_back(item); }

  // The innermost list.
  [[nodiscard]] Value close(std::size_t begin) {
    --depth_;
    const auto items = std::span<const Value>(items_).subspan(begin);
    const Value list = depth_ < recorded_depth_ ? pool_->record(items) : pool_->list(items);
    items_.resize(begin);
    return list;
  }

 private:
  static constexpr std::size_t kDepthMax = 50;

  ValuePool* pool_;
  std::vector<Value> items_;  // of the lists being read, the innermost last
  std::size_t depth_ = 0;
  std::size_t recorded_depth_ = 0;  // lists less deep are a transaction's
};

}  // namespace sunder::history
