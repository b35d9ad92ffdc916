#include "harness/netlink/traffic.hpp"

#include <array>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/gen_stats.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

namespace sunder::netlink {
namespace {

// A decoder of our own, straight from the format's definition, so that encoder and decoder cannot
// agree on an error.
class Decoded {
 public:
  explicit Decoded(std::span<const std::byte> bytes, std::size_t skip = 0) {
    bytes = bytes.subspan(skip);
    while (bytes.size() >= sizeof(nlattr)) {
      nlattr head;
      std::memcpy(&head, bytes.data(), sizeof head);
      EXPECT_GE(head.nla_len, sizeof head);
      EXPECT_LE(head.nla_len, bytes.size());
      if (head.nla_len < sizeof head || head.nla_len > bytes.size()) return;
      const auto content = bytes.subspan(sizeof head, head.nla_len - sizeof head);
      parts_[head.nla_type & NLA_TYPE_MASK] = {content.begin(), content.end()};
      bytes = bytes.subspan(std::min<std::size_t>(bytes.size(), (head.nla_len + 3U) & ~3U));
    }
    EXPECT_TRUE(bytes.empty());
  }

  [[nodiscard]] bool has(int type) const { return parts_.contains(type); }

  [[nodiscard]] std::size_t size() const { return parts_.size(); }

  [[nodiscard]] std::span<const std::byte> raw(int type) const { return parts_.at(type); }

  [[nodiscard]] std::string text(int type) const {
    const auto& bytes = parts_.at(type);
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size() - 1);
  }

  template <typename T>
  [[nodiscard]] T value(int type) const {
    T result{};
    EXPECT_EQ(parts_.at(type).size(), sizeof result);
    std::memcpy(&result, parts_.at(type).data(), std::min(sizeof result, parts_.at(type).size()));
    return result;
  }

  [[nodiscard]] Decoded nested(int type, std::size_t skip = 0) const {
    return Decoded(parts_.at(type), skip);
  }

 private:
  std::map<int, std::vector<std::byte>> parts_;
};

template <typename Header>
Header fixed_part(const Message& message) {
  Header header;
  std::memcpy(&header, message.bytes().data() + sizeof(nlmsghdr), sizeof header);
  return header;
}

nlmsghdr head(const Message& message) {
  nlmsghdr header;
  std::memcpy(&header, message.bytes().data(), sizeof header);
  return header;
}

template <typename Header>
Decoded attributes(const Message& message) {
  return Decoded(message.bytes(), sizeof(nlmsghdr) + sizeof(Header));
}

TEST(Traffic, EncodesABlackholeLeafWithoutOptions) {
  const Message message = replace_leaf(7, 0x2a, blackhole());
  EXPECT_EQ(head(message).nlmsg_type, RTM_NEWQDISC);
  EXPECT_EQ(head(message).nlmsg_flags, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE);
  EXPECT_EQ(head(message).nlmsg_len, message.bytes().size());
  const auto header = fixed_part<tcmsg>(message);
  EXPECT_EQ(header.tcm_ifindex, 7);
  EXPECT_EQ(header.tcm_parent, 0x1002aU);
  EXPECT_EQ(header.tcm_handle, 0U);
  const auto parts = attributes<tcmsg>(message);
  EXPECT_EQ(parts.text(TCA_KIND), "blackhole");
  EXPECT_FALSE(parts.has(TCA_OPTIONS));
}

TEST(Traffic, EncodesAPfifoLeafWithItsLimit) {
  const auto parts = attributes<tcmsg>(replace_leaf(7, 1, pfifo(1000)));
  EXPECT_EQ(parts.text(TCA_KIND), "pfifo");
  EXPECT_EQ(parts.value<tc_fifo_qopt>(TCA_OPTIONS).limit, 1000U);
}

// What netem needs: a fixed part with attributes behind it arrives untouched, zeros and odd lengths
// included.
TEST(Traffic, EncodesLeavesOfAnyKindVerbatim) {
  Leaf leaf{"netem", std::vector<std::byte>(27, std::byte{0})};
  leaf.options[26] = std::byte{9};
  const auto parts = attributes<tcmsg>(replace_leaf(1, 1, leaf));
  const auto sent = parts.raw(TCA_OPTIONS);
  EXPECT_EQ(std::vector<std::byte>(sent.begin(), sent.end()), leaf.options);
}

TEST(Traffic, ParsesWhatItEncodes) {
  for (const Leaf& leaf : {pfifo(5), blackhole(), Leaf{"netem", {std::byte{1}, std::byte{2}}}}) {
    SCOPED_TRACE(leaf.kind);
    const Message message = replace_leaf(12, 3, leaf);
    const auto object = parse_traffic(*reinterpret_cast<const nlmsghdr*>(message.bytes().data()));
    ASSERT_TRUE(object.has_value());
    EXPECT_EQ(object->index, 12);
    EXPECT_EQ(object->parent, handle(1, 3));
    EXPECT_EQ((Leaf{object->kind, object->options}), leaf);
    EXPECT_EQ(object->dropped, 0U);
  }
}

TEST(Traffic, ParsesTheCountersOfAClass) {
  tcmsg header{};
  header.tcm_ifindex = 3;
  header.tcm_handle = handle(1, 9);
  Message message(RTM_NEWTCLASS, 0, header);
  message.put_text(TCA_KIND, "htb");
  nlattr* const statistics = message.open(TCA_STATS2);
  gnet_stats_basic basic{};
  basic.bytes = 100;
  basic.packets = 42;
  message.put_value(TCA_STATS_BASIC, basic);
  gnet_stats_queue queue{};
  queue.drops = 2314;
  message.put_value(TCA_STATS_QUEUE, queue);
  message.close(statistics);
  const auto object = parse_traffic(*reinterpret_cast<const nlmsghdr*>(message.bytes().data()));
  ASSERT_TRUE(object.has_value());
  EXPECT_EQ(object->handle, handle(1, 9));
  EXPECT_EQ(object->packets, 42U);
  EXPECT_EQ(object->dropped, 2314U);
}

TEST(Traffic, ParsesNothingElse) {
  const Message message = set_up(1);
  EXPECT_FALSE(parse_traffic(*reinterpret_cast<const nlmsghdr*>(message.bytes().data())));
}

TEST(Traffic, EncodesRatesAboveFourGigabytes) {
  constexpr std::uint64_t kRate = 10'000'000'000;
  const auto options = attributes<tcmsg>(create_htb_class(1, 2, kRate)).nested(TCA_OPTIONS);
  EXPECT_EQ(options.value<std::uint64_t>(TCA_HTB_RATE64), kRate);
  EXPECT_EQ(options.value<std::uint64_t>(TCA_HTB_CEIL64), kRate);
  const auto parameters = options.value<tc_htb_opt>(TCA_HTB_PARMS);
  EXPECT_EQ(parameters.rate.rate, 0xffffffffU);
  EXPECT_GT(parameters.quantum, 0U);
}

TEST(Traffic, FiltersBySourceAndWhenAskedByDestination) {
  struct Row {
    const char* name;
    Match match;
    std::vector<std::pair<std::uint32_t, int>> keys;  // value, offset in the IP header
  };

  const Ipv4 node = ipv4(10, 0, 0, 2);
  const Ipv4 client = ipv4(10, 0, 1, 7);
  for (const Row& row : {Row{"source", {node, std::nullopt}, {{0x0a000002, 12}}},
                         Row{"both", {node, client}, {{0x0a000002, 12}, {0x0a000107, 16}}}}) {
    SCOPED_TRACE(row.name);
    const Message message = create_filter(4, 6, row.match);
    EXPECT_EQ(fixed_part<tcmsg>(message).tcm_info & 0xffff, htons(0x0800));
    const auto options = attributes<tcmsg>(message).nested(TCA_OPTIONS);
    EXPECT_EQ(options.value<std::uint32_t>(TCA_U32_CLASSID), handle(1, 6));
    const auto raw = options.raw(TCA_U32_SEL);
    tc_u32_sel selector{};
    std::memcpy(&selector, raw.data(), sizeof selector);
    EXPECT_EQ(selector.flags, TC_U32_TERMINAL);
    ASSERT_EQ(selector.nkeys, row.keys.size());
    ASSERT_EQ(raw.size(), sizeof selector + row.keys.size() * sizeof(tc_u32_key));
    for (std::size_t i = 0; i < row.keys.size(); ++i) {
      tc_u32_key key{};
      std::memcpy(&key, raw.data() + sizeof selector + i * sizeof key, sizeof key);
      EXPECT_EQ(ntohl(key.val), row.keys[i].first);
      EXPECT_EQ(key.mask, 0xffffffffU);
      EXPECT_EQ(key.off, row.keys[i].second);
    }
  }
}

TEST(Link, EncodesAVethWithItsPeerInAnotherNamespace) {
  VethOptions options;
  options.name = "n1";
  options.index = 1001;
  options.master = 1000;
  options.peer_name = "eth0";
  options.peer_index = 900;
  options.peer_namespace = 17;
  options.peer_hardware = {2, 0, 10, 0, 0, 1};
  const Message message = create_veth(options);
  EXPECT_EQ(fixed_part<ifinfomsg>(message).ifi_index, 1001);
  const auto parts = attributes<ifinfomsg>(message);
  EXPECT_EQ(parts.text(IFLA_IFNAME), "n1");
  EXPECT_EQ(parts.value<std::uint32_t>(IFLA_MASTER), 1000U);
  const auto info = parts.nested(IFLA_LINKINFO);
  EXPECT_EQ(info.text(IFLA_INFO_KIND), "veth");
  const auto data = info.nested(IFLA_INFO_DATA);
  ifinfomsg peer_header{};
  std::memcpy(&peer_header, data.raw(VETH_INFO_PEER).data(), sizeof peer_header);
  EXPECT_EQ(peer_header.ifi_index, 900);
  const auto peer = data.nested(VETH_INFO_PEER, sizeof peer_header);
  EXPECT_EQ(peer.text(IFLA_IFNAME), "eth0");
  EXPECT_EQ(peer.value<std::uint32_t>(IFLA_NET_NS_FD), 17U);
  EXPECT_EQ(peer.value<HardwareAddress>(IFLA_ADDRESS), options.peer_hardware);
}

TEST(Link, WritesAddressesAsPeopleDo) {
  EXPECT_EQ(to_text(ipv4(10, 0, 1, 254)), "10.0.1.254");
}

TEST(LinkDeathTest, RefusesEqualNumbersOfBothEnds) {
  VethOptions options;
  options.index = 5;
  options.peer_index = 5;
  EXPECT_DEATH((void)create_veth(options), "assertion failed");
}

}  // namespace
}  // namespace sunder::netlink
