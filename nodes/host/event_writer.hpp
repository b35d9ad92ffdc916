// EventWriter: tells the harness what the node does, one JSON line an event on file descriptor 3.
//
//   {"v":1,"node":"n1","seq":9,"time":<CLOCK_MONOTONIC in ns>,"event":"became-leader","term":4}
// It never blocks: an event that does not fit the pipe is dropped and counted, and the next that
// fits carries "dropped":N. Lines stay below PIPE_BUF, so that they arrive whole. Quietly off when
// the descriptor is not open.
//
// Threading: one owner.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace sunder::nodes::host {

class EventWriter {
 public:
  // Precondition: called before the process opens descriptors of its own, which could land on the
  // number.
  EventWriter(std::string node, int descriptor);

  using Number = std::pair<std::string_view, std::uint64_t>;
  using Text = std::pair<std::string_view, std::string>;  // plain words: nothing in it is escaped
  void write(std::string_view event,
             std::span<const Number> numbers,
             std::span<const Text> texts = {});

  [[nodiscard]] bool enabled() const noexcept { return descriptor_ >= 0; }

  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }

 private:
  std::string node_;
  int descriptor_;              // -1: off; not owned
  std::uint64_t sequence_ = 0;  // of the next event
  std::uint64_t dropped_ = 0;   // since the last event that was written
};

}  // namespace sunder::nodes::host
