// LiveClocks: what each transaction had seen, directly or through others, while somebody may still
// ask: a vector clock is let go once the last that follows its transaction is done.
//
// A clock counts chains, not sessions: a session that starts after all of an ended one was seen
// goes on with its chain, so that many short sessions need hardly more numbers than there are at
// once. What nobody follows is on no chain; nor is what read nothing and only few read from, as of
// unknown outcome: it precedes what one of its readers precedes. A long session takes a new chain
// now and then, for the numbers are small: eight of them are compared by one instruction of any
// x86-64. Memory: O(transactions + clocks alive × chains).
//
// Threading: one owner. Errors: advance() tells when it would take more memory than allowed.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <span>
#include <vector>

#include "checkers/isolation/transactions.hpp"

namespace sunder::checkers::isolation {

class LiveClocks {
 public:
  using Count = std::int16_t;               // of a chain's transactions
  static constexpr std::size_t kBlock = 8;  // numbers of a clock that are joined at once

  // `memory`: how many bytes the clocks may take.
  LiveClocks(const Transactions& transactions, std::size_t memory);

  // Makes the clock of the next transaction of a topological order of session order and reads-from.
  // False: there is no memory for it; nothing more to ask.
  [[nodiscard]] bool advance(std::uint32_t transaction);

  // The transaction is done: its clock stays as long as somebody follows it who is not, those of
  // whom it follows go when it was the last.
  void release(std::uint32_t transaction);

  // How many of each chain precede it, itself not counted; chains behind the end: none.
  // Precondition: alive. Good until the next advance().
  [[nodiscard]] const Count* of(std::uint32_t transaction) const noexcept {
    return entries_.data() + std::size_t{slot_[transaction]} * stride_;
  }

  // Where a transaction is, once advanced to; kNone: on no chain.
  [[nodiscard]] std::uint32_t chain(std::uint32_t transaction) const noexcept {
    return chain_[transaction];
  }

  [[nodiscard]] Count place(std::uint32_t transaction) const noexcept {
    return place_[transaction];
  }

  // Whether somebody follows it although it is on no chain.
  [[nodiscard]] bool is_lone(std::uint32_t transaction) const noexcept {
    return reader_begin_[transaction] != reader_begin_[transaction + 1];
  }

  // Whether one transaction precedes another. Precondition: advanced to the first; the second is
  // alive. Looks at as many as kLone_readers_max others.
  [[nodiscard]] bool precedes(std::uint32_t earlier, std::uint32_t later) const noexcept;

 private:
  static constexpr Count kLength_max = std::numeric_limits<Count>::max();

  static constexpr std::uint32_t kLone_readers_max = 32;

  void find_lone();

  [[nodiscard]] bool is_counted(std::uint32_t earlier, std::uint32_t later) const noexcept {
    return chain_[earlier] != kNone && place_[earlier] < of(later)[chain_[earlier]];
  }

  template <typename Action>
  void for_each_predecessor(std::uint32_t transaction, const Action& action) const;

  // Room for so many numbers in all; false: that is more than allowed.
  [[nodiscard]] bool make_room(std::size_t numbers);
  [[nodiscard]] std::uint32_t take_slot();
  void join(Count* target, std::uint32_t seen) const;
  [[nodiscard]] bool choose_chain(std::uint32_t transaction);
  [[nodiscard]] std::uint32_t take_ended_chain(const Count* clock);
  [[nodiscard]] bool widen();
  void let_go(std::uint32_t transaction);

  const Transactions* data_;
  std::size_t memory_;
  std::size_t stride_ = kBlock;              // numbers of a clock
  std::vector<Count> entries_;               // of all slots
  std::vector<std::uint32_t> free_;          // slots
  std::vector<std::uint32_t> slot_;          // by transaction; kNone: not alive
  std::vector<std::uint32_t> followers_;     // by transaction: how many times somebody names it
  std::vector<std::uint32_t> reader_begin_;  // by transaction, into readers_
  std::vector<std::uint32_t> readers_;       // of the lone ones
  std::vector<std::uint32_t> chain_;         // by transaction
  std::vector<Count> place_;                 // by transaction, in its chain
  std::vector<Count> length_;                // by chain
  std::vector<std::uint32_t> left_;          // by session: transactions to come
  std::vector<std::uint32_t> of_session_;    // by session: its chain, kNone before it starts
  std::deque<std::uint32_t> ended_;          // chains whose session is over
};

}  // namespace sunder::checkers::isolation
