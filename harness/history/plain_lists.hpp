// PlainLists: the lists of one plain event while it is read, the items of all on one stack.
//
// The list of a transaction, and the list that each of its items is, its part, are recorded as they
// come; other lists are interned (value.hpp). An answer repeats what was asked: that is not
// recorded again; if what was read is all that it knows beyond that, neither is the rest (Answer).
//
// Threading: one reader's.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "harness/history/event_pairing.hpp"
#include "harness/history/value.hpp"

namespace sunder::history {

class PlainLists {
 public:
  // `pairing` is asked what is in flight, and its pool holds the lists.
  explicit PlainLists(EventPairing& pairing) : pairing_(&pairing), pool_(&pairing.pool()) {}

  void begin_event() noexcept {
    items_.clear();
    answers_.clear();
    depth_ = 0;
    leave_value();
  }

  // What is read from now on is the event's value. False: it has one already.
  [[nodiscard]] bool begin_value(const TextEvent& event) {
    if (!event.value.is_none()) return false;
    if (event.function != "txn") return true;
    recorded_depth_ = 2;
    if (event.type == EventType::invoke) return true;
    answered_ = event.type == EventType::ok;
    asked_ = pairing_->asked(event.process);
    if (asked_.is_list()) asked_parts_ = pool_->items_of(asked_);
    return true;
  }

  void end_value(TextEvent& event) noexcept {
    event.answers = answers_;
    leave_value();
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
    const auto items = std::span(items_).subspan(begin);
    const Value list = depth_ >= recorded_depth_ ? pool_->list(items)
                       : depth_ == 0             ? whole(items)
                                                 : part(begin, items);
    items_.resize(begin);
    return list;
  }

  // A part of a transaction whose bracket was read already, as nearly all are written. `read` sets
  // its items, nested lists added as ever, and gives the place of the bracket behind them. Null: it
  // is written otherwise, and to be read as any list.
  template <typename Read>
  [[nodiscard]] const char* read_part(const char* at, Value& value, Read read) {
    std::array<Value, 3> items;
    ++depth_;
    at = read(at, items);
    --depth_;
    if (at == nullptr) return nullptr;
    value = part(items_.size(), items);
    return at + 1;
  }

 private:
  static constexpr std::size_t kDepthMax = 50;

  void leave_value() noexcept {
    recorded_depth_ = 0;
    asked_ = {};
    asked_parts_ = {};
  }

  [[nodiscard]] Value whole(std::span<Value> parts) {
    if (asked_.is_list() && std::ranges::equal(parts, asked_parts_)) return asked_;
    for (const Answer& answer : answers_) {
      const std::span<const Value> asked = pool_->items_of(answer.part);
      const std::array<Value, 3> items{asked[0], asked[1], answer.content};
      std::ranges::replace(parts, answer.part, pool_->record(items));
    }
    answers_.clear();
    return pool_->record(parts);
  }

  // The part with this number.
  [[nodiscard]] Value part(std::size_t number, std::span<const Value> items) {
    const bool repeats = number < asked_parts_.size() && repeats_part(asked_parts_[number], items);
    return repeats ? asked_parts_[number] : pool_->record(items);
  }

  // Whether the items are those of a part of the invocation, or answer it: [r 7 12] to [r 7 nil].
  [[nodiscard]] bool repeats_part(Value part, std::span<const Value> items) {
    if (!part.is_list()) return false;
    const std::span<const Value> asked = pool_->items_of(part);
    if (std::ranges::equal(asked, items)) return true;
    const bool answers = answered_ && ValuePool::is_recorded(part) && is_answer(asked, items);
    if (answers) answers_.push_back({part, items[2]});
    return answers;
  }

  EventPairing* pairing_;
  ValuePool* pool_;
  std::vector<Value> items_;  // of the lists being read, the innermost last
  std::size_t depth_ = 0;
  std::size_t recorded_depth_ = 0;  // lists less deep are a transaction's
  bool answered_ = false;           // the event says what asked_ read
  Value asked_;
  std::span<const Value> asked_parts_;
  std::vector<Answer> answers_;
};

}  // namespace sunder::history
