// Groups: numbers sorted by the group that each belongs to, in one array.
//
// Threading: built by one thread, then read by any number.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sunder::checkers {

// What is in no group.
constexpr std::uint32_t kNo_group = 0xffffffff;

// Group g is members[begin[g]] … members[begin[g + 1] - 1], in the order in which they were given.
struct Groups {
  std::vector<std::uint32_t> begin;
  std::vector<std::uint32_t> members;

  [[nodiscard]] std::span<const std::uint32_t> of(std::uint32_t group) const noexcept {
    return std::span(members).subspan(begin[group], begin[group + 1] - begin[group]);
  }
};

// Groups the members 0 … group_of.size()-1 by their group's number, in linear time.
[[nodiscard]] Groups group_by(std::span<const std::uint32_t> group_of, std::size_t groups);

}  // namespace sunder::checkers
