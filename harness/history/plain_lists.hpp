// PlainLists: the lists of one plain event while it is read, the items of all on one stack.
//
// The list of a transaction, and the list that each of its items is, its part, are recorded as they
// come; other lists are interned (value.hpp). An answer repeats what was asked, but for what was
// read: that is not recorded again.
//
// Threading: one reader's.

#pragma once

#include <algorithm>
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
    end_transaction();
  }

  // The lists read from now on are those of a transaction. `asked`: the list that it was invoked
  // with, none when this is its invocation.
  void begin_transaction(Value asked) noexcept {
    recorded_depth_ = 2;
    asked_ = asked;
    if (asked.is_list()) asked_parts_ = pool_->items_of(asked);
  }

  void end_transaction() noexcept {
    recorded_depth_ = 0;
    asked_ = {};
    asked_parts_ = {};
  }

  // Whether the next list to be opened is a part of a transaction.
  [[nodiscard]] bool reads_parts() const noexcept { return depth_ == 1 && recorded_depth_ == 2; }

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
    const Value list = depth_ >= recorded_depth_ ? pool_->list(items)
                       : depth_ == 0             ? whole(items)
                                                 : part(begin, items);
    items_.resize(begin);
    return list;
  }

  // A part whose items are not add()ed: between these two calls only they are read.
  void open_part() noexcept { ++depth_; }

  [[nodiscard]] Value close_part(std::span<const Value> items) {
    --depth_;
    return part(items_.size(), items);
  }

  // It is no such part after all, and nothing was read.
  void leave_part() noexcept { --depth_; }

 private:
  static constexpr std::size_t kDepthMax = 50;

  [[nodiscard]] Value whole(std::span<const Value> parts) {
    const bool repeats = asked_.is_list() && std::ranges::equal(parts, asked_parts_);
    return repeats ? asked_ : pool_->record(parts);
  }

  // The part with this number.
  [[nodiscard]] Value part(std::size_t number, std::span<const Value> items) {
    if (number < asked_parts_.size() && holds(asked_parts_[number], items)) {
      return asked_parts_[number];
    }
    return pool_->record(items);
  }

  [[nodiscard]] bool holds(Value list, std::span<const Value> items) const noexcept {
    return list.is_list() && std::ranges::equal(pool_->items_of(list), items);
  }

  ValuePool* pool_;
  std::vector<Value> items_;  // of the lists being read, the innermost last
  std::size_t depth_ = 0;
  std::size_t recorded_depth_ = 0;  // lists less deep are a transaction's
  Value asked_;
  std::span<const Value> asked_parts_;
};

}  // namespace sunder::history
