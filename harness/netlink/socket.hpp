// Socket and Batch: many rtnetlink requests in one send, each failure traced to the request that
// caused it.
//
// The kernel carries out the requests of one send in order, within the send. Only the last one asks
// for an acknowledgement; the others answer only when they fail. So a batch of any size costs one
// round trip and cannot overflow the receive buffer when all goes well. Requests after a failed one
// are still carried out: who needs all or nothing undoes.
//
// A socket belongs for its life to the network namespace in which it was opened. Threading: one
// owner; calls block, but only on the kernel, which answers within the call.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/netlink/message.hpp"

struct nl_sock;
struct nlmsghdr;

namespace sunder::netlink {

// Requests in the order in which the kernel shall carry them out, each with the words for its
// failure.
class Batch {
 public:
  void add(Message message, std::string what);

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }

 private:
  friend class Socket;

  struct Entry {
    Message message;
    std::string what;  // "cut n1 → n2"
  };

  std::vector<Entry> entries_;
};

// A request that the kernel refused.
struct Refusal {
  std::size_t index = 0;  // position in the batch
  int error_number = 0;
  std::string what;  // the request's words and the kernel's
};

class Socket {
 public:
  static constexpr int kRouteProtocol = 0;  // NETLINK_ROUTE

  // Opens a socket in the calling thread's network namespace: rtnetlink, or another protocol
  // (NETLINK_SOCK_DIAG).
  [[nodiscard]] static Result<Socket> open(int protocol = kRouteProtocol);

  // Sends everything and waits for the kernel; the refusals in order. An error is a broken socket.
  [[nodiscard]] Result<std::vector<Refusal>> send(const Batch& batch);
  // The same where every refusal is an error: the first one.
  [[nodiscard]] Result<void> send_all(const Batch& batch);

  // Sends a dump request and hands every answer to `each`.
  [[nodiscard]] Result<void> dump(const Message& request,
                                  const std::function<void(const nlmsghdr&)>& each);

 private:
  struct Free {
    void operator()(nl_sock* socket) const noexcept;
  };

  explicit Socket(nl_sock* socket) : socket_(socket) {}

  [[nodiscard]] int descriptor() const noexcept;
  [[nodiscard]] Result<void> transmit(std::vector<std::byte>& bytes);
  // One datagram; empty when the kernel has said everything.
  [[nodiscard]] Result<std::span<const std::byte>> receive();
  [[nodiscard]] Result<void> collect(std::uint32_t first,
                                     std::span<const Batch::Entry> entries,
                                     std::size_t offset,
                                     std::vector<Refusal>& refusals);

  std::unique_ptr<nl_sock, Free> socket_;
  std::uint32_t sequence_ = 1;    // of the next request
  std::vector<std::byte> input_;  // receive buffer, kept between calls
};

}  // namespace sunder::netlink
