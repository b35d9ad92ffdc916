#include "nodes/quorum/stamp.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace sunder::nodes::quorum {
namespace {

std::uint64_t microseconds(std::int64_t wall) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(wall, 0)) / 1000;
}

}  // namespace

std::string to_text(const Stamp& stamp) {
  return fmt::format("{}.{}@n{}", stamp.time, stamp.counter, stamp.node);
}

Stamp HybridClock::next(std::int64_t wall) {
  const std::uint64_t now = microseconds(wall);
  if (now > last_.time) {
    last_ = {.time = now, .counter = 0, .node = node_};
  } else {
    last_ = {.time = last_.time, .counter = last_.counter + 1, .node = node_};
  }
  return last_;
}

void HybridClock::see(const Stamp& stamp) {
  if (stamp.time < last_.time) return;
  const bool later = stamp.time > last_.time;
  last_ = {.time = stamp.time,
           .counter = later ? stamp.counter : std::max(stamp.counter, last_.counter),
           .node = node_};
}

}  // namespace sunder::nodes::quorum
