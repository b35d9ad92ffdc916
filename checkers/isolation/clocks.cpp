#include "checkers/isolation/clocks.hpp"

#include <algorithm>

#include "checkers/groups.hpp"

namespace sunder::checkers::isolation {

Clocks::Clocks(const Transactions& transactions, std::span<const std::uint32_t> order)
    : width_(transactions.sessions), entries_(std::size_t{transactions.size()} * width_, 0) {
  for (const std::uint32_t transaction : order) {
    if (transactions.previous[transaction] != kNone) {
      join(transactions, transaction, transactions.previous[transaction]);
    }
    std::uint32_t last = kNone;
    for (std::uint32_t i = transactions.read_begin[transaction];
         i < transactions.read_begin[transaction + 1];
         ++i) {
      const std::uint32_t writer = transactions.writer_of(i);
      if (writer != kNone && writer != last) join(transactions, transaction, writer);
      last = writer;
    }
  }
}

void Clocks::join(const Transactions& transactions, std::uint32_t into, std::uint32_t seen) {
  if (precedes(transactions, seen, into)) return;
  std::uint32_t* const target = entries_.data() + std::size_t{into} * width_;
  const std::uint32_t* const source = entries_.data() + std::size_t{seen} * width_;
  for (std::size_t i = 0; i < width_; ++i) target[i] = std::max(target[i], source[i]);
  std::uint32_t& own = target[transactions.session[seen]];
  own = std::max(own, transactions.place[seen] + 1);
}

std::vector<std::uint32_t> by_session(const Transactions& transactions) {
  return group_by(transactions.session, transactions.sessions).members;
}

}  // namespace sunder::checkers::isolation
