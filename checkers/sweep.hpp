// Sweep: some intervals in order of time, for the tests that walk over them.
//
// Invocations come in the order given; only the completions are sorted. At equal stamps invocations
// come first: such operations are concurrent.

#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "checkers/instants.hpp"
#include "harness/history/operation.hpp"

namespace sunder::checkers {

// Calls invoke(position) and complete(position) in order of time, until one of them returns false.
// Items have a `start`, by which they are sorted, and an `end`; those that never end do not
// complete.
template <typename Item, typename Invoke, typename Complete>
void sweep(const std::vector<Item>& items, Invoke invoke, Complete complete) {
  std::vector<End> ends;
  ends.reserve(items.size());
  for (std::uint32_t i = 0; i < items.size(); ++i) {
    if (items[i].end != history::kNever) ends.push_back({items[i].end, i});
  }
  sort_by_stamp(ends);
  std::size_t next = 0;
  for (std::uint32_t i = 0; i < items.size(); ++i) {
    for (; next < ends.size() && ends[next].stamp < items[i].start; ++next) {
      if (!complete(ends[next].position)) return;
    }
    if (!invoke(i)) return;
  }
  for (; next < ends.size(); ++next) {
    if (!complete(ends[next].position)) return;
  }
}

// Pending items that are alike but for their ends; the one that ends first is used first.
class EarliestEnd {
 public:
  [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }

  void push(std::int64_t end, std::uint32_t position) {
    heap_.push_back({end, position});
    std::ranges::push_heap(heap_, std::greater());
  }

  // Precondition: not empty.
  std::uint32_t pop() {
    std::ranges::pop_heap(heap_, std::greater());
    const std::uint32_t position = heap_.back().position;
    heap_.pop_back();
    return position;
  }

 private:
  std::vector<End> heap_;
};

// A smallest part of `members` that still contradicts itself, by leaving out ever smaller chunks.
// Precondition: contradicts(members). At most so many tries.
template <typename Contradicts>
[[nodiscard]] std::vector<std::uint32_t> smallest(std::vector<std::uint32_t> members,
                                                  Contradicts contradicts,
                                                  int tries) {
  for (std::size_t chunk = std::max<std::size_t>(members.size() / 2, 1);; chunk /= 2) {
    for (std::size_t begin = 0; begin < members.size() && tries > 0; --tries) {
      std::vector<std::uint32_t> rest = members;
      const auto from = rest.begin() + static_cast<std::ptrdiff_t>(begin);
      rest.erase(from, from + static_cast<std::ptrdiff_t>(std::min(chunk, rest.size() - begin)));
      if (contradicts(rest)) {
        members = std::move(rest);
      } else {
        begin += chunk;
      }
    }
    if (chunk == 1 || tries <= 0) return members;
  }
}

}  // namespace sunder::checkers
