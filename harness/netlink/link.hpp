// Links: requests that make and address bridges and veth pairs, and the offloads that would merge
// packets.
//
// Interface numbers are chosen by the caller, so a whole fabric is one batch without asking the
// kernel anything in between. A veth's two ends must have different numbers even in different
// namespaces: with equal ones the kernel takes the carrier for "not urgent" and brings the port up
// as much as a second late.
//
// Threading: pure, except disable_offloads().

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "harness/base/error.hpp"
#include "harness/netlink/message.hpp"

namespace sunder::netlink {

using HardwareAddress = std::array<std::uint8_t, 6>;

struct Ipv4 {
  std::uint32_t bits = 0;  // host byte order

  friend bool operator==(const Ipv4&, const Ipv4&) noexcept = default;
};

[[nodiscard]] constexpr Ipv4 ipv4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  return Ipv4{static_cast<std::uint32_t>(a) << 24 | static_cast<std::uint32_t>(b) << 16 |
              static_cast<std::uint32_t>(c) << 8 | d};
}

[[nodiscard]] std::string to_text(Ipv4 address);

struct VethOptions {
  std::string name;  // of this end
  int index = 0;
  int master = 0;         // the bridge it is a port of
  std::string peer_name;  // of the other end
  int peer_index = 0;
  int peer_namespace = -1;  // descriptor of the namespace into which the other end goes
  HardwareAddress peer_hardware{};
};

[[nodiscard]] Message create_bridge(const std::string& name, int index);
// This end comes up at once.
[[nodiscard]] Message create_veth(const VethOptions& options);
[[nodiscard]] Message set_up(int index);
[[nodiscard]] Message set_down(int index);
[[nodiscard]] Message add_address(int index, Ipv4 address, std::uint8_t prefix);
// A permanent neighbour: nothing is ever asked on the wire.
[[nodiscard]] Message add_neighbour(int index, Ipv4 address, const HardwareAddress& hardware);
// A static entry of the bridge's forwarding table: nothing is ever flooded to find out.
[[nodiscard]] Message add_forwarding(int port_index, const HardwareAddress& hardware);

// Turns TSO, GSO and GRO of an interface of the calling thread's namespace off: a frame is a
// packet.
[[nodiscard]] Result<void> disable_offloads(std::string_view interface_name);

}  // namespace sunder::netlink
