// Stamps: hybrid logical time, by which the last of concurrent writes wins.
//
// After Kulkarni, Demirbas, Madappa, Avva & Leone, Logical Physical Clocks (OPODIS 2014): a stamp
// is at least the physical time of its node and greater than every stamp that the node has seen, so
// that what was known at the time of writing is older than what was written. The physical part is
// the node's realtime clock in microseconds; a clock that is set wrong makes stamps wrong, and
// nothing here hides that.
//
// Threading: values; a clock has one owner.

#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace sunder::nodes::quorum {

using NodeId = std::uint32_t;  // 1 … N; kNobody is none

constexpr NodeId kNobody = 0;

// Totally ordered: time, then counter, then node. The default is older than every written one.
struct Stamp {
  std::uint64_t time = 0;  // microseconds since 1970
  std::uint32_t counter = 0;
  NodeId node = kNobody;

  friend auto operator<=>(const Stamp&, const Stamp&) = default;
};

// "1700000000000000.3@n2": for logs and traces.
[[nodiscard]] std::string to_text(const Stamp& stamp);

class HybridClock {
 public:
  explicit HybridClock(NodeId node) : node_(node) {}

  // A stamp greater than all given and seen. `wall` is the realtime clock in nanoseconds.
  [[nodiscard]] Stamp next(std::int64_t wall);
  // Nothing given later is less than what was seen.
  void see(const Stamp& stamp);

  // The greatest that was given or seen, with this node's name.
  [[nodiscard]] Stamp last() const noexcept { return last_; }

 private:
  NodeId node_;
  Stamp last_;
};

}  // namespace sunder::nodes::quorum
