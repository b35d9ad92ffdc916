#include "harness/netlink/message.hpp"

#include <cstring>
#include <string>

#include <netlink/attr.h>
#include <netlink/msg.h>

#include "harness/base/assert.hpp"

namespace sunder::netlink {

void Message::Free::operator()(nl_msg* message) const noexcept {
  nlmsg_free(message);
}

Message::Message(std::uint16_t type, std::uint16_t flags, std::span<const std::byte> fixed)
    : message_(nlmsg_alloc_simple(type, NLM_F_REQUEST | flags)) {
  SUNDER_ASSERT(message_ != nullptr);
  append(fixed);
}

Message& Message::reserve(std::size_t bytes) {
  if (bytes == 0) return *this;
  const int failed = nlmsg_expand(message_.get(), nlmsg_get_max_size(message_.get()) + bytes);
  SUNDER_ASSERT(failed == 0);
  return *this;
}

Message& Message::put(int attribute, std::span<const std::byte> content) {
  const int failed =
      nla_put(message_.get(), attribute, static_cast<int>(content.size()), content.data());
  SUNDER_ASSERT_MESSAGE(failed == 0, "a netlink message outgrew its buffer");
  return *this;
}

Message& Message::put_text(int attribute, std::string_view content) {
  const std::string terminated(content);
  return put(attribute, std::as_bytes(std::span(terminated.c_str(), terminated.size() + 1)));
}

Message& Message::append(std::span<const std::byte> content) {
  // nlmsg_append only reads, its parameter is not const for historical reasons.
  const int failed = nlmsg_append(
      message_.get(), const_cast<std::byte*>(content.data()), content.size(), NLMSG_ALIGNTO);
  SUNDER_ASSERT_MESSAGE(failed == 0, "a netlink message outgrew its buffer");
  return *this;
}

nlattr* Message::open(int attribute) {
  nlattr* const nested = nla_nest_start(message_.get(), attribute);
  SUNDER_ASSERT_MESSAGE(nested != nullptr, "a netlink message outgrew its buffer");
  return nested;
}

void Message::close(nlattr* nested) {
  // nla_nest_end() would drop an empty nest; nla_nest_end_keep_empty() sends it.
  const int failed = nla_nest_end_keep_empty(message_.get(), nested);
  SUNDER_ASSERT(failed == 0);
}

std::span<const std::byte> Message::bytes() const noexcept {
  const nlmsghdr* const header = nlmsg_hdr(message_.get());
  return {reinterpret_cast<const std::byte*>(header), header->nlmsg_len};
}

}  // namespace sunder::netlink
