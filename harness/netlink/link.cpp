#include "harness/netlink/link.hpp"

#include <cstring>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "harness/base/assert.hpp"
#include "harness/base/file.hpp"

namespace sunder::netlink {
namespace {

constexpr std::uint16_t kCreate = NLM_F_CREATE | NLM_F_EXCL;

ifinfomsg link_header(int index, unsigned flags) {
  ifinfomsg header{};
  header.ifi_family = AF_UNSPEC;
  header.ifi_index = index;
  header.ifi_flags = flags;
  header.ifi_change = IFF_UP;
  return header;
}

ndmsg neighbour_header(std::uint8_t family, int index, std::uint16_t state, std::uint8_t flags) {
  ndmsg header{};
  header.ndm_family = family;
  header.ndm_ifindex = index;
  header.ndm_state = state;
  header.ndm_flags = flags;
  return header;
}

}  // namespace

std::string to_text(Ipv4 address) {
  return fmt::format("{}.{}.{}.{}",
                     address.bits >> 24,
                     address.bits >> 16 & 255,
                     address.bits >> 8 & 255,
                     address.bits & 255);
}

Message create_bridge(const std::string& name, int index) {
  Message message(RTM_NEWLINK, kCreate, link_header(index, IFF_UP));
  message.put_text(IFLA_IFNAME, name);
  nlattr* const info = message.open(IFLA_LINKINFO);
  message.put_text(IFLA_INFO_KIND, "bridge");
  message.close(info);
  return message;
}

Message create_veth(const VethOptions& options) {
  SUNDER_ASSERT(options.index != options.peer_index);
  Message message(RTM_NEWLINK, kCreate, link_header(options.index, IFF_UP));
  message.put_text(IFLA_IFNAME, options.name);
  message.put_value(IFLA_MASTER, static_cast<std::uint32_t>(options.master));
  nlattr* const info = message.open(IFLA_LINKINFO);
  message.put_text(IFLA_INFO_KIND, "veth");
  nlattr* const data = message.open(IFLA_INFO_DATA);
  nlattr* const peer = message.open(VETH_INFO_PEER);
  const ifinfomsg header = link_header(options.peer_index, 0);
  message.append(std::as_bytes(std::span<const ifinfomsg, 1>(&header, 1)));
  message.put_text(IFLA_IFNAME, options.peer_name);
  message.put_value(IFLA_ADDRESS, options.peer_hardware);
  message.put_value(IFLA_NET_NS_FD, static_cast<std::uint32_t>(options.peer_namespace));
  message.close(peer);
  message.close(data);
  message.close(info);
  return message;
}

Message set_up(int index) {
  return Message(RTM_NEWLINK, 0, link_header(index, IFF_UP));
}

Message set_down(int index) {
  return Message(RTM_NEWLINK, 0, link_header(index, 0));
}

Message add_address(int index, Ipv4 address, std::uint8_t prefix) {
  ifaddrmsg header{};
  header.ifa_family = AF_INET;
  header.ifa_prefixlen = prefix;
  header.ifa_index = static_cast<unsigned>(index);
  Message message(RTM_NEWADDR, kCreate, header);
  message.put_value(IFA_LOCAL, htonl(address.bits));
  message.put_value(IFA_ADDRESS, htonl(address.bits));
  return message;
}

Message add_neighbour(int index, Ipv4 address, const HardwareAddress& hardware) {
  Message message(RTM_NEWNEIGH, kCreate, neighbour_header(AF_INET, index, NUD_PERMANENT, 0));
  message.put_value(NDA_DST, htonl(address.bits));
  message.put_value(NDA_LLADDR, hardware);
  return message;
}

Message add_forwarding(int port_index, const HardwareAddress& hardware) {
  // NUD_PERMANENT would mean "one of the bridge's own addresses"; NUD_NOARP is what `bridge fdb`
  // calls static.
  Message message(
      RTM_NEWNEIGH, kCreate, neighbour_header(AF_BRIDGE, port_index, NUD_NOARP, NTF_MASTER));
  message.put_value(NDA_LLADDR, hardware);
  return message;
}

Result<void> disable_offloads(std::string_view interface_name) {
  SUNDER_ASSERT(interface_name.size() < IFNAMSIZ);
  const base::FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return base::system_error("open a socket for ethtool");
  for (const std::uint32_t command :
       std::array<std::uint32_t, 3>{ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO}) {
    ethtool_value value{};
    value.cmd = command;
    ifreq request{};
    std::memcpy(request.ifr_name, interface_name.data(), interface_name.size());
    request.ifr_data = reinterpret_cast<char*>(&value);
    if (::ioctl(socket.get(), SIOCETHTOOL, &request) != 0) {
      return base::system_error(fmt::format("turn offloads of {} off", interface_name));
    }
  }
  return {};
}

}  // namespace sunder::netlink
