#include "harness/cluster/link_probe.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>

#include <arpa/inet.h>
#include <sys/socket.h>

#include "harness/cluster/fabric.hpp"

namespace sunder::cluster {
namespace {

struct Datagram {
  std::int64_t sent = 0;  // of the clock that the kernel stamps with
  std::uint32_t number = 0;
  std::uint32_t inverse = 0;
  std::array<std::uint32_t, 60> pattern{};  // long enough that an inverted bit mostly hits it
};

constexpr std::uint32_t kPattern = 0x5a5a5a5a;

std::int64_t wall_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

bool is_intact(const Datagram& datagram) {
  return datagram.inverse == ~datagram.number &&
         std::ranges::all_of(datagram.pattern, [](std::uint32_t word) { return word == kPattern; });
}

// A bound datagram socket in the endpoint's namespace.
Result<base::FileDescriptor> open_at(const Fabric& fabric, std::uint16_t endpoint) {
  const netlink::NamespaceScope scope(fabric.namespace_of(endpoint), fabric.home());
  base::FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return base::system_error("open a probe's socket");
  sockaddr_in own{};
  own.sin_family = AF_INET;
  own.sin_addr.s_addr = htonl(fabric.address(endpoint).bits);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0) {
    return base::system_error("bind a probe's socket");
  }
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_NO_CHECK, &on, sizeof on);
  return socket;
}

// When the kernel got the message; 0: it does not say.
std::int64_t arrival_of(msghdr& message) {
  for (cmsghdr* item = CMSG_FIRSTHDR(&message); item != nullptr;
       item = CMSG_NXTHDR(&message, item)) {
    if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_TIMESTAMPNS) continue;
    timespec time{};
    std::memcpy(&time, CMSG_DATA(item), sizeof time);
    return time.tv_sec * 1'000'000'000 + time.tv_nsec;
  }
  return 0;
}

}  // namespace

Result<LinkProbe> LinkProbe::send(const Fabric& fabric,
                                  std::uint16_t from,
                                  std::uint16_t to,
                                  std::size_t count) {
  auto sender = open_at(fabric, from);
  if (sender.has_error()) return sender.error();
  auto receiver = open_at(fabric, to);
  if (receiver.has_error()) return receiver.error();
  sockaddr_in target{};
  socklen_t size = sizeof target;
  auto* const generic = reinterpret_cast<sockaddr*>(&target);
  if (::getsockname(receiver->get(), generic, &size) != 0) {
    return base::system_error("ask a probe's socket");
  }
  for (std::size_t i = 0; i < count; ++i) {
    Datagram datagram;
    datagram.number = static_cast<std::uint32_t>(i);
    datagram.inverse = ~datagram.number;
    datagram.pattern.fill(kPattern);
    datagram.sent = wall_ns();
    // One that cannot be sent is one that does not arrive.
    (void)::sendto(sender->get(), &datagram, sizeof datagram, 0, generic, size);
  }
  return LinkProbe(std::move(*receiver), count);
}

LinkProbe::Seen LinkProbe::read() {
  for (;;) {
    Datagram datagram;
    iovec part{&datagram, sizeof datagram};
    std::array<std::byte, 256> control;
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t length = ::recvmsg(receiver_.get(), &message, 0);
    if (length < 0) break;
    if (length != sizeof datagram) continue;
    if (!is_intact(datagram)) {
      ++seen_.damaged;
      continue;
    }
    if (datagram.number >= arrivals_.size()) continue;
    if (arrivals_[datagram.number]++ > 0) {
      ++seen_.duplicated;
      continue;
    }
    ++seen_.arrived;
    if (datagram.number < highest_) ++seen_.overtaken;
    highest_ = std::max<std::size_t>(highest_, datagram.number);
    const std::int64_t arrival = arrival_of(message);
    if (arrival > 0) delays_.emplace_back(arrival - datagram.sent);
  }
  if (!delays_.empty()) {
    std::ranges::sort(delays_);
    seen_.median = delays_[delays_.size() / 2];
    seen_.longest = delays_.back();
  }
  return seen_;
}

}  // namespace sunder::cluster
