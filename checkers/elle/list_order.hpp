// ListOrder: the order of the appends to each key, as the longest read of it tells (Kingsbury &
// Alvaro, VLDB 2020, section 4).
//
// Every other read of the key must be a prefix of it. Where reads contradict each other, the order
// that all of them begin with is known, and from whom each read its last element; nothing more.
// Appends that nobody read come after all that were, in an order nobody knows. A transaction of
// unknown outcome counts as committed exactly when something of it was read, or never, as asked.
// O(size of all reads).
//
// Threading: pure; a value afterwards.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "checkers/elle/sightings.hpp"
#include "checkers/elle/transactions.hpp"
#include "checkers/elle/writes.hpp"

namespace sunder::checkers::elle {

struct ListKey {
  std::uint32_t begin = 0;  // its versions are ListOrder::versions[begin, begin + count)
  std::uint32_t count = 0;
  std::uint32_t tail_begin = 0;  // its unread appends are ListOrder::tail[tail_begin, tail_end)
  std::uint32_t tail_end = 0;
  std::uint32_t longest = kNone;  // the read that tells the order, a micro-operation
  bool usable = true;  // false: reads contradict each other; versions are what all begin with
};

// A read of a key whose reads contradict each other, and the append of the last element it shows.
struct OddRead {
  std::uint32_t read = 0;
  std::uint32_t append = 0;
};

struct ListOrder {
  std::vector<ListKey> keys;
  std::vector<std::uint32_t> versions;  // the append of each element; kNone: nobody's
  std::vector<std::uint32_t> tail;      // unread appends of committed transactions; where reads
                                        // contradict each other, all that come after the versions
  std::vector<OddRead> odd_reads;       // longer than what is known of the order, ascending
  std::vector<std::uint32_t> owner;     // of each micro-operation, its transaction
  std::vector<std::uint32_t> place;     // of each append its position among the versions, of each
                                        // read its length; kNone: unread, not known
  std::vector<std::uint8_t> committed;  // of each transaction
  std::string ambiguous;                // an element appended twice, described; else empty
  std::vector<std::uint8_t> contested;  // of each key: whether it has such an element

  // The transaction that made a version if it committed, else kNone.
  [[nodiscard]] std::uint32_t writer(const ListKey& key, std::uint32_t position) const {
    const std::uint32_t append = versions[key.begin + position];
    if (append == kNone || committed[owner[append]] == 0) return kNone;
    return owner[append];
  }
};

// Adds garbage-read, duplicate-elements, incompatible-order, G1a and dirty-update to `sightings`.
[[nodiscard]] ListOrder order_lists(const history::History& history,
                                    const Transactions& transactions,
                                    bool unknown_may_commit,
                                    Sightings& sightings);

// Adds what single transactions show: G1b, internal, future-read, lost-update, and of the views
// those that are asked for: non-monotonic-view and fractured-read.
void inspect_reads(const history::History& history,
                   const Transactions& transactions,
                   const ListOrder& order,
                   AnomalySet asked,
                   Sightings& sightings);

}  // namespace sunder::checkers::elle
