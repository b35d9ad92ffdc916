#include "harness/netlink/socket.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include "harness/base/assert.hpp"

namespace sunder::netlink {
namespace {

// Below the 32 KiB of send buffer that libnl asks for, which bound one sendmsg().
constexpr std::size_t kSendBytesMax = 24 * 1024;
constexpr std::size_t kReceiveBytes = 64 * 1024;
constexpr std::size_t kMessageHead = sizeof(nlmsghdr);
constexpr std::size_t kAttributeHead = sizeof(nlattr);

// Messages and attributes begin at multiples of four (NLMSG_ALIGN, whose arithmetic is signed).
constexpr std::size_t aligned(std::size_t length) {
  return (length + 3) & ~std::size_t{3};
}

nlmsghdr header_at(std::span<const std::byte> bytes) {
  nlmsghdr header;
  std::memcpy(&header, bytes.data(), sizeof header);
  return header;
}

// The kernel's own words about a refusal (NLMSGERR_ATTR_MSG), empty when it has none.
std::string extended_message(std::span<const std::byte> message, const nlmsghdr& header) {
  if ((header.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return {};
  std::size_t position = kMessageHead + sizeof(nlmsgerr);
  while (position + sizeof(nlattr) <= message.size()) {
    nlattr attribute;
    std::memcpy(&attribute, message.data() + position, sizeof attribute);
    if (attribute.nla_len < sizeof attribute || position + attribute.nla_len > message.size())
      break;
    if (attribute.nla_type == NLMSGERR_ATTR_MSG) {
      const char* const text =
          reinterpret_cast<const char*>(message.data() + position + kAttributeHead);
      return std::string(text, ::strnlen(text, attribute.nla_len - kAttributeHead));
    }
    position += aligned(attribute.nla_len);
  }
  return {};
}

// Calls `each` for every message of a datagram, until it returns false.
template <typename Each>
void for_each_message(std::span<const std::byte> bytes, const Each& each) {
  while (bytes.size() >= sizeof(nlmsghdr)) {
    const nlmsghdr header = header_at(bytes);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > bytes.size()) return;
    if (!each(header, bytes.first(header.nlmsg_len))) return;
    bytes = bytes.subspan(std::min<std::size_t>(bytes.size(), aligned(header.nlmsg_len)));
  }
}

}  // namespace

void Batch::add(Message message, std::string what) {
  entries_.push_back(Entry{std::move(message), std::move(what)});
}

void Socket::Free::operator()(nl_sock* socket) const noexcept {
  nl_socket_free(socket);
}

Result<Socket> Socket::open(int protocol) {
  static_assert(kRouteProtocol == NETLINK_ROUTE);
  Socket socket(nl_socket_alloc());
  SUNDER_ASSERT(socket.socket_ != nullptr);
  if (const int failed = nl_connect(socket.socket_.get(), protocol); failed != 0) {
    return make_error(Errc::failed, fmt::format("open a netlink socket: {}", nl_geterror(failed)));
  }
  // Refusals in words, and without a copy of the refused request. Both are niceties: failure is no
  // matter.
  const int on = 1;
  ::setsockopt(socket.descriptor(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  ::setsockopt(socket.descriptor(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  socket.input_.resize(kReceiveBytes);
  return socket;
}

int Socket::descriptor() const noexcept {
  return nl_socket_get_fd(socket_.get());
}

Result<void> Socket::transmit(std::vector<std::byte>& bytes) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  iovec part{bytes.data(), bytes.size()};
  msghdr message{};
  message.msg_name = &kernel;
  message.msg_namelen = sizeof kernel;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  while (::sendmsg(descriptor(), &message, 0) < 0) {
    if (errno != EINTR) return base::system_error("send a netlink batch");
  }
  return {};
}

Result<std::span<const std::byte>> Socket::receive() {
  for (;;) {
    // The kernel answers within the send, so there is never anything to wait for.
    const ssize_t count =
        ::recv(descriptor(), input_.data(), input_.size(), MSG_TRUNC | MSG_DONTWAIT);
    if (count < 0 && (errno == EINTR || errno == ENOBUFS)) continue;
    if (count < 0 && errno == EAGAIN) return std::span<const std::byte>();
    if (count < 0) return base::system_error("receive from netlink");
    if (static_cast<std::size_t>(count) > input_.size()) {
      return make_error(Errc::failed, "a netlink answer did not fit the buffer");
    }
    return std::span<const std::byte>(input_.data(), static_cast<std::size_t>(count));
  }
}

Result<void> Socket::collect(std::uint32_t first,
                             std::span<const Batch::Entry> entries,
                             std::size_t offset,
                             std::vector<Refusal>& refusals) {
  const std::uint32_t last = first + static_cast<std::uint32_t>(entries.size()) - 1;
  bool complete = false;
  while (!complete) {
    auto datagram = receive();
    if (datagram.has_error()) return datagram.error();
    if (datagram->empty()) break;
    for_each_message(*datagram, [&](const nlmsghdr& header, std::span<const std::byte> message) {
      const bool ours = header.nlmsg_seq >= first && header.nlmsg_seq <= last;
      if (header.nlmsg_type != NLMSG_ERROR || !ours) return true;
      nlmsgerr answer;
      std::memcpy(&answer, message.data() + kMessageHead, sizeof answer);
      if (header.nlmsg_seq == last) complete = true;
      if (answer.error == 0) return true;
      const std::size_t index = header.nlmsg_seq - first;
      const std::string words = extended_message(message, header);
      std::string what = entries[index].what;
      if (!words.empty()) what += fmt::format(" ({})", words);
      refusals.push_back(Refusal{offset + index, -answer.error, std::move(what)});
      return true;
    });
  }
  // So many refusals that the receive buffer overflowed: the first ones, which matter, are there.
  if (!complete && refusals.empty()) return make_error(Errc::failed, "netlink gave no answer");
  return {};
}

Result<std::vector<Refusal>> Socket::send(const Batch& batch) {
  std::vector<Refusal> refusals;
  const std::span<const Batch::Entry> entries(batch.entries_);
  std::vector<std::byte> bytes;
  std::size_t begin = 0;
  while (begin < entries.size()) {
    bytes.clear();
    const std::uint32_t first = sequence_;
    std::size_t end = begin;
    std::size_t last_position = 0;
    for (; end < entries.size(); ++end) {
      const std::span<const std::byte> message = entries[end].message.bytes();
      if (end > begin && bytes.size() + message.size() > kSendBytesMax) break;
      last_position = bytes.size();
      nlmsghdr header = header_at(message);
      header.nlmsg_seq = sequence_++;
      header.nlmsg_flags = static_cast<std::uint16_t>(header.nlmsg_flags & ~NLM_F_ACK);
      bytes.insert(bytes.end(), message.begin(), message.end());
      bytes.resize(aligned(bytes.size()));
      std::memcpy(bytes.data() + last_position, &header, sizeof header);
    }
    nlmsghdr last = header_at(std::span<const std::byte>(bytes).subspan(last_position));
    last.nlmsg_flags |= NLM_F_ACK;
    std::memcpy(bytes.data() + last_position, &last, sizeof last);
    SUNDER_TRY(transmit(bytes));
    SUNDER_TRY(collect(first, entries.subspan(begin, end - begin), begin, refusals));
    begin = end;
  }
  return refusals;
}

Result<void> Socket::send_all(const Batch& batch) {
  auto refusals = send(batch);
  if (refusals.has_error()) return refusals.error();
  if (refusals->empty()) return {};
  return base::system_error(refusals->front().error_number, refusals->front().what);
}

Result<void> Socket::dump(const Message& request,
                          const std::function<void(const nlmsghdr&)>& each) {
  std::vector<std::byte> bytes(request.bytes().begin(), request.bytes().end());
  nlmsghdr head = header_at(bytes);
  const std::uint32_t sequence = sequence_++;
  head.nlmsg_seq = sequence;
  head.nlmsg_flags |= NLM_F_DUMP;
  std::memcpy(bytes.data(), &head, sizeof head);
  SUNDER_TRY(transmit(bytes));
  bool complete = false;
  int failure = 0;
  while (!complete) {
    auto datagram = receive();
    if (datagram.has_error()) return datagram.error();
    if (datagram->empty()) return make_error(Errc::failed, "a netlink dump broke off");
    for_each_message(*datagram, [&](const nlmsghdr& header, std::span<const std::byte> message) {
      if (header.nlmsg_seq != sequence) return true;
      if (header.nlmsg_type == NLMSG_ERROR) {
        nlmsgerr answer;
        std::memcpy(&answer, message.data() + kMessageHead, sizeof answer);
        failure = -answer.error;
        complete = true;
      } else if (header.nlmsg_type == NLMSG_DONE) {
        complete = true;
      } else {
        each(*reinterpret_cast<const nlmsghdr*>(message.data()));
      }
      return !complete;
    });
  }
  if (failure != 0) return base::system_error(failure, "netlink dump");
  return {};
}

}  // namespace sunder::netlink
