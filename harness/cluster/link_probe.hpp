// LinkProbe: what one link does to packets, measured: some datagrams are sent over it at once, and
// read whenever the asker likes.
//
// Nothing waits for them: the kernel stamps each with the time of its arrival, so the delay is that
// of the network whenever it is read. They carry no checksum, so a packet with an inverted bit
// arrives and is counted instead of being a loss.
//
// Threading: the run's single thread.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/file.hpp"

namespace sunder::cluster {

class Fabric;

class LinkProbe {
 public:
  // What has arrived so far of what was sent.
  struct Seen {
    std::size_t sent = 0;
    std::size_t arrived = 0;     // each once
    std::size_t duplicated = 0;  // copies beyond the first
    std::size_t damaged = 0;
    std::size_t overtaken = 0;           // came after one that was sent later
    std::chrono::nanoseconds median{0};  // of their delays; zero when nothing arrived
    std::chrono::nanoseconds longest{0};
  };

  // Sends `count` datagrams from one endpoint to another.
  [[nodiscard]] static Result<LinkProbe> send(const Fabric& fabric,
                                              std::uint16_t from,
                                              std::uint16_t to,
                                              std::size_t count);

  [[nodiscard]] Seen read();

 private:
  LinkProbe(base::FileDescriptor receiver, std::size_t count)
      : receiver_(std::move(receiver)), arrivals_(count) {
    seen_.sent = count;
  }

  base::FileDescriptor receiver_;
  std::vector<std::size_t> arrivals_;  // of each datagram
  std::vector<std::chrono::nanoseconds> delays_;
  std::size_t highest_ = 0;
  Seen seen_;
};

}  // namespace sunder::cluster
