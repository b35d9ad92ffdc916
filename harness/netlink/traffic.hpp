// Traffic control: HTB, its classes, the u32 filters that choose one, and the leaf qdisc that is a
// link's state.
//
// A leaf is a kind and its encoded options, so a new state of links (netem.hpp) is one more
// function that returns a Leaf: `options` is the whole content of TCA_OPTIONS, fixed part first,
// nested attributes after it.
//
// Threading: pure. Parsers return nothing for messages that are not what they read.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/netlink/link.hpp"
#include "harness/netlink/message.hpp"

struct nlmsghdr;

namespace sunder::netlink {

// "1:a" as the kernel numbers it.
[[nodiscard]] constexpr std::uint32_t handle(std::uint16_t major, std::uint16_t minor) {
  return static_cast<std::uint32_t>(major) << 16 | minor;
}

struct Leaf {
  std::string kind;                // "pfifo", "blackhole", "netem"
  std::vector<std::byte> options;  // content of TCA_OPTIONS; empty: the attribute is not sent

  friend bool operator==(const Leaf&, const Leaf&) noexcept = default;
};

// First in, first out, holding at most `limit` packets.
[[nodiscard]] Leaf pfifo(std::uint32_t limit);
// Drops everything and counts it. The sender is not told.
[[nodiscard]] Leaf blackhole();

// Root HTB with handle 1:. Frames that no filter claims pass unshaped and uncounted.
[[nodiscard]] Message create_htb(int index);
// Class 1:`minor` below the root, `rate` bytes a second.
[[nodiscard]] Message create_htb_class(int index, std::uint16_t minor, std::uint64_t rate);
// Gives an existing class another rate; what it holds stays.
[[nodiscard]] Message change_htb_class(int index, std::uint16_t minor, std::uint64_t rate);
// The rate in a class' options as the kernel reports them; nothing when they are not HTB's.
[[nodiscard]] std::optional<std::uint64_t> htb_rate(std::span<const std::byte> options);

// Which frames belong to a class: by source address and, when given, by destination.
struct Match {
  Ipv4 source;
  std::optional<Ipv4> destination;
};

[[nodiscard]] Message create_filter(int index, std::uint16_t minor, const Match& match);

// Puts `leaf` below class 1:`minor`, in place of what is there.
[[nodiscard]] Message replace_leaf(int index, std::uint16_t minor, const Leaf& leaf);
// Any qdisc as root (for probing by use).
[[nodiscard]] Message replace_root(int index, const Leaf& qdisc);

[[nodiscard]] Message dump_qdiscs(int index);
[[nodiscard]] Message dump_classes(int index);

// A qdisc or class as the kernel reports it.
struct TrafficObject {
  int index = 0;
  std::uint32_t handle = 0;
  std::uint32_t parent = 0;
  std::string kind;
  std::vector<std::byte> options;
  std::uint64_t packets = 0;  // passed on
  std::uint64_t dropped = 0;
  std::uint64_t overlimits = 0;  // a class': how often it had to wait for its rate
  std::uint64_t requeues = 0;    // netem's: packets that passed others
  std::uint64_t queued = 0;      // packets held now
};

[[nodiscard]] std::optional<TrafficObject> parse_traffic(const nlmsghdr& message);

}  // namespace sunder::netlink
