// Packet filter: a table of nf_tables that refuses or drops chosen TCP between chosen addresses,
// installed and removed as one transaction.
//
// Through libnftables, which speaks netlink itself. Everything acts on the calling thread's network
// namespace. Each table has a chain, a set of address pairs and a counter of its own, so tables do
// not know of each other: what any of them drops is dropped.
//
// Threading: calls block, but only on the kernel, which answers within the call. Errors: a refused
// transaction leaves nothing.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/netlink/link.hpp"

namespace sunder::netlink {

enum class FilterAction : std::uint8_t {
  refuse,          // where it arrives: everything is answered with RST (TCP) or an ICMP error
  refuse_new,      // where it arrives: opening a connection is answered with RST
  drop_new,        // where it arrives: opening a connection is dropped silently
  withhold_reset,  // where it leaves: RST is dropped silently
};

struct AddressPair {
  Ipv4 source;
  Ipv4 destination;

  friend bool operator==(const AddressPair&, const AddressPair&) noexcept = default;
};

struct FilterTable {
  std::string name;  // letters, digits and '_'
  FilterAction action = FilterAction::refuse;
  std::vector<AddressPair> pairs;
};

// The transaction that installs a table, as text for nft. Precondition: there is a pair.
[[nodiscard]] std::string filter_text(const FilterTable& table);

[[nodiscard]] Result<void> install_filter(const FilterTable& table);
[[nodiscard]] Result<void> remove_filter(const std::string& name);
// Packets that the table acted on.
[[nodiscard]] Result<std::uint64_t> filter_count(const std::string& name);
// The names of all tables, foreign ones too: "ip sunder_fault_3".
[[nodiscard]] Result<std::vector<std::string>> filter_tables();

}  // namespace sunder::netlink
