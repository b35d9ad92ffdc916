// What is still to come at a place of the search: who needs a condition, and who can bring it
// about.
//
// A condition is something that a call needs to find and that, once a step has ended it, only
// certain calls make true again: "x holds 3", "the text can still become abc". A configuration that
// has ended a condition which an operation still needs, with nobody left who could bring it back in
// time, explains nothing any more. The search leaves it there instead of walking on to the return
// where that would show, which is far away when keys are many and reads of each are rare: between
// the wrong choice and its discovery everything else could be chosen in every way.
//
// Places are indices of events in order of time (search_window.hpp).
//
// Threading: does not change once made.

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "checkers/models/model.hpp"

namespace sunder::checkers {

class Outlook {
 public:
  static constexpr std::uint32_t kNever = std::numeric_limits<std::uint32_t>::max();

  // An operation between the places of its invocation and of its return.
  struct Stay {
    std::uint32_t operation = 0;
    std::uint32_t begin = 0;
    std::uint32_t end = kNever;  // of an unknown outcome: never
    // Of those that return: the furthest end so far in their list. Of the others: how many of equal
    // calls began before.
    std::uint32_t rank = 0;
  };

  // Of no conditions: nothing is ever hopeless.
  Outlook() = default;

  // `calls` and `stays`: by operation.
  Outlook(const Conditions& conditions,
          std::span<const std::uint32_t> calls,
          std::span<const Stay> stays,
          std::size_t call_count);

  [[nodiscard]] bool is_empty() const noexcept { return needing_.entries.empty(); }

  // Those that return and need it, in order of their ends.
  [[nodiscard]] std::span<const Stay> needing(Condition condition) const {
    return needing_.of(condition);
  }

  // Those that return and bring it about, in order of their beginnings.
  [[nodiscard]] std::span<const Stay> bringing(Condition condition) const {
    return bringing_.of(condition);
  }

  // Unknown operations that may bring it about, in order of their beginnings.
  [[nodiscard]] std::span<const Stay> perhaps_bringing(Condition condition) const {
    return perhaps_.of(condition);
  }

  [[nodiscard]] std::size_t memory() const noexcept {
    return needing_.memory() + bringing_.memory() + perhaps_.memory();
  }

 private:
  // Lists of all conditions in one array.
  struct Lists {
    std::vector<std::uint32_t> begins;  // by condition, and the end of the last
    std::vector<Stay> entries;

    [[nodiscard]] std::span<const Stay> of(Condition condition) const {
      if (entries.empty()) return {};
      const std::size_t begin = begins[condition];
      return std::span(entries).subspan(begin, begins[condition + 1] - begin);
    }

    [[nodiscard]] std::size_t memory() const noexcept {
      return begins.capacity() * sizeof(std::uint32_t) + entries.capacity() * sizeof(Stay);
    }
  };

  struct Found {
    Condition condition = 0;
    Stay stay;
  };

  [[nodiscard]] static Lists lists_of(std::span<const Found> found, std::size_t conditions);

  Lists needing_;
  Lists bringing_;
  Lists perhaps_;
};

}  // namespace sunder::checkers
