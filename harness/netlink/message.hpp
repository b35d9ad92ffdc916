// Message: one netlink request under construction: header, fixed part, attributes, nested
// attributes.
//
// A thin owner of libnl's nl_msg. Everything the harness sends is encoded through it, kind by kind
// in link.cpp and traffic.cpp: libnl-route's own objects abort on blackhole, know half of netem and
// leave zeros out of a change (FACTS 11), so they are not used at all, and every encoding has a
// round-trip test.
//
// Threading: values. Errors: a message that does not fit its buffer is a programmer's error and
// asserts.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>

struct nl_msg;
struct nlattr;

namespace sunder::netlink {

class Message {
 public:
  // `flags` beside NLM_F_REQUEST; `fixed` is the family's header (ifinfomsg, tcmsg, …).
  Message(std::uint16_t type, std::uint16_t flags, std::span<const std::byte> fixed);

  template <typename Header>
  Message(std::uint16_t type,
          std::uint16_t flags,
          const Header& header) requires std::is_trivially_copyable_v<Header>
      : Message(type,
                flags,
                std::span<const std::byte>(std::as_bytes(std::span<const Header, 1>(&header, 1)))) {
  }

  // Makes room for so many more bytes than the few thousand there are. Precondition: nothing is
  // open.
  Message& reserve(std::size_t bytes);

  Message& put(int attribute, std::span<const std::byte> content);
  Message& put_text(int attribute,
                    std::string_view content);  // zero-terminated, as the kernel wants it

  template <typename T>
  Message& put_value(int attribute, const T& value) requires std::is_trivially_copyable_v<T> {
    return put(attribute, std::as_bytes(std::span<const T, 1>(&value, 1)));
  }

  // Bytes without an attribute header: the fixed part inside some nested attributes
  // (VETH_INFO_PEER, netem's).
  Message& append(std::span<const std::byte> content);

  // Attributes put until close() with the returned token are inside `attribute`.
  [[nodiscard]] nlattr* open(int attribute);
  void close(nlattr* nested);

  // The encoded request; sequence number and port are filled in when it is sent.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept;

 private:
  struct Free {
    void operator()(nl_msg* message) const noexcept;
  };

  std::unique_ptr<nl_msg, Free> message_;
};

}  // namespace sunder::netlink
