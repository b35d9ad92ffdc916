#include "harness/netlink/traffic.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <span>

#include <arpa/inet.h>
#include <linux/gen_stats.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

namespace sunder::netlink {
namespace {

constexpr std::uint16_t kCreate = NLM_F_CREATE | NLM_F_EXCL;
constexpr std::uint16_t kRoot = 1;  // HTB's handle 1:
constexpr std::uint32_t kQuantum =
    60'000;  // bytes a class sends at a turn; unset, HTB guesses and warns
constexpr std::uint64_t kBurstNanoseconds = 10'000'000;
constexpr std::uint16_t kIpSourceOffset = 12;  // in the IP header
constexpr std::uint16_t kIpDestinationOffset = 16;

tcmsg header_of(int index, std::uint32_t parent, std::uint32_t own) {
  tcmsg header{};
  header.tcm_family = AF_UNSPEC;
  header.tcm_ifindex = index;
  header.tcm_parent = parent;
  header.tcm_handle = own;
  return header;
}

// The kernel's unit of scheduling time: 64 ns.
std::uint32_t ticks(std::uint64_t nanoseconds) {
  return static_cast<std::uint32_t>(nanoseconds / 64);
}

Message replace(int index, std::uint32_t parent, const Leaf& leaf) {
  // Without a handle of our own the kernel grafts a new qdisc whenever the kind differs, and
  // changes it when not.
  Message message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, header_of(index, parent, 0));
  message.reserve(leaf.options.size());  // delay tables are large
  message.put_text(TCA_KIND, leaf.kind);
  if (!leaf.options.empty()) message.put(TCA_OPTIONS, leaf.options);
  return message;
}

void read_statistics(nlattr* nested, TrafficObject& object) {
  std::array<nlattr*, TCA_STATS_MAX + 1> parts{};
  if (nla_parse_nested(parts.data(), TCA_STATS_MAX, nested, nullptr) != 0) return;
  if (nlattr* const basic = parts[TCA_STATS_BASIC]; basic != nullptr) {
    gnet_stats_basic value{};
    std::memcpy(
        &value, nla_data(basic), std::min(sizeof value, static_cast<std::size_t>(nla_len(basic))));
    object.packets = value.packets;
  }
  if (nlattr* const wide = parts[TCA_STATS_PKT64]; wide != nullptr)
    object.packets = nla_get_u64(wide);
  if (nlattr* const queue = parts[TCA_STATS_QUEUE]; queue != nullptr) {
    gnet_stats_queue value{};
    std::memcpy(
        &value, nla_data(queue), std::min(sizeof value, static_cast<std::size_t>(nla_len(queue))));
    object.dropped = value.drops;
    object.overlimits = value.overlimits;
    object.requeues = value.requeues;
    object.queued = value.qlen;
  }
}

}  // namespace

Leaf pfifo(std::uint32_t limit) {
  tc_fifo_qopt options{};
  options.limit = limit;
  const auto bytes = std::as_bytes(std::span<const tc_fifo_qopt, 1>(&options, 1));
  return Leaf{"pfifo", {bytes.begin(), bytes.end()}};
}

Leaf blackhole() {
  return Leaf{"blackhole", {}};
}

Message create_htb(int index) {
  Message message(RTM_NEWQDISC, kCreate, header_of(index, TC_H_ROOT, handle(kRoot, 0)));
  message.put_text(TCA_KIND, "htb");
  nlattr* const options = message.open(TCA_OPTIONS);
  tc_htb_glob global{};
  global.version = 3;
  global.rate2quantum = 10;
  message.put_value(TCA_HTB_INIT, global);
  message.close(options);
  return message;
}

namespace {

Message htb_class(std::uint16_t flags, int index, std::uint16_t minor, std::uint64_t rate) {
  Message message(RTM_NEWTCLASS, flags, header_of(index, handle(kRoot, 0), handle(kRoot, minor)));
  message.put_text(TCA_KIND, "htb");
  nlattr* const options = message.open(TCA_OPTIONS);
  tc_htb_opt parameters{};
  // The 32-bit field saturates; the 64-bit attributes beside it are what counts then.
  parameters.rate.rate = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(rate, std::numeric_limits<std::uint32_t>::max()));
  parameters.rate.linklayer = TC_LINKLAYER_ETHERNET;  // no rate tables needed
  parameters.ceil = parameters.rate;
  parameters.buffer = ticks(kBurstNanoseconds);
  parameters.cbuffer = ticks(kBurstNanoseconds);
  parameters.quantum = kQuantum;
  message.put_value(TCA_HTB_PARMS, parameters);
  message.put_value(TCA_HTB_RATE64, rate);
  message.put_value(TCA_HTB_CEIL64, rate);
  message.close(options);
  return message;
}

}  // namespace

Message create_htb_class(int index, std::uint16_t minor, std::uint64_t rate) {
  return htb_class(kCreate, index, minor, rate);
}

Message change_htb_class(int index, std::uint16_t minor, std::uint64_t rate) {
  return htb_class(0, index, minor, rate);
}

std::optional<std::uint64_t> htb_rate(std::span<const std::byte> options) {
  auto* const first = reinterpret_cast<nlattr*>(const_cast<std::byte*>(options.data()));
  std::array<nlattr*, TCA_HTB_MAX + 1> parts{};
  if (nla_parse(parts.data(), TCA_HTB_MAX, first, static_cast<int>(options.size()), nullptr) != 0)
    return std::nullopt;
  // The kernel tells the wide number only when the narrow one is too small for it.
  if (parts[TCA_HTB_RATE64] != nullptr) return nla_get_u64(parts[TCA_HTB_RATE64]);
  nlattr* const narrow = parts[TCA_HTB_PARMS];
  if (narrow == nullptr || nla_len(narrow) < static_cast<int>(sizeof(tc_htb_opt)))
    return std::nullopt;
  tc_htb_opt parameters{};
  std::memcpy(&parameters, nla_data(narrow), sizeof parameters);
  return parameters.rate.rate;
}

Message create_filter(int index, std::uint16_t minor, const Match& match) {
  tcmsg header = header_of(index, handle(kRoot, 0), 0);
  constexpr std::uint32_t kPriority = 1;
  header.tcm_info = TC_H_MAKE(kPriority << 16, htons(ETH_P_IP));
  Message message(RTM_NEWTFILTER, kCreate, header);
  message.put_text(TCA_KIND, "u32");
  nlattr* const options = message.open(TCA_OPTIONS);
  message.put_value(TCA_U32_CLASSID, handle(kRoot, minor));
  tc_u32_sel selector{};  // followed by its keys in one attribute
  std::array<tc_u32_key, 2> keys{};
  keys[selector.nkeys++] = {
      .mask = 0xffffffff, .val = htonl(match.source.bits), .off = kIpSourceOffset, .offmask = 0};
  if (match.destination) {
    keys[selector.nkeys++] = {.mask = 0xffffffff,
                              .val = htonl(match.destination->bits),
                              .off = kIpDestinationOffset,
                              .offmask = 0};
  }
  selector.flags = TC_U32_TERMINAL;
  std::vector<std::byte> content(sizeof selector + selector.nkeys * sizeof(tc_u32_key));
  std::memcpy(content.data(), &selector, sizeof selector);
  std::memcpy(content.data() + sizeof selector, keys.data(), selector.nkeys * sizeof(tc_u32_key));
  message.put(TCA_U32_SEL, content);
  message.close(options);
  return message;
}

Message replace_leaf(int index, std::uint16_t minor, const Leaf& leaf) {
  return replace(index, handle(kRoot, minor), leaf);
}

Message replace_root(int index, const Leaf& qdisc) {
  return replace(index, TC_H_ROOT, qdisc);
}

Message dump_qdiscs(int index) {
  return Message(RTM_GETQDISC, 0, header_of(index, 0, 0));
}

Message dump_classes(int index) {
  return Message(RTM_GETTCLASS, 0, header_of(index, 0, 0));
}

std::optional<TrafficObject> parse_traffic(const nlmsghdr& message) {
  if (message.nlmsg_type != RTM_NEWQDISC && message.nlmsg_type != RTM_NEWTCLASS)
    return std::nullopt;
  // libnl's parsers only read, their parameters are not const for historical reasons.
  nlmsghdr* const raw = const_cast<nlmsghdr*>(&message);
  std::array<nlattr*, TCA_MAX + 1> attributes{};
  if (nlmsg_parse(raw, sizeof(tcmsg), attributes.data(), TCA_MAX, nullptr) != 0)
    return std::nullopt;
  tcmsg header;
  std::memcpy(&header, nlmsg_data(raw), sizeof header);
  TrafficObject object;
  object.index = header.tcm_ifindex;
  object.handle = header.tcm_handle;
  object.parent = header.tcm_parent;
  if (nlattr* const kind = attributes[TCA_KIND]; kind != nullptr)
    object.kind = nla_get_string(kind);
  if (nlattr* const options = attributes[TCA_OPTIONS]; options != nullptr) {
    const auto* const begin = static_cast<const std::byte*>(nla_data(options));
    object.options.assign(begin, begin + nla_len(options));
  }
  if (attributes[TCA_STATS2] != nullptr) read_statistics(attributes[TCA_STATS2], object);
  return object;
}

}  // namespace sunder::netlink
