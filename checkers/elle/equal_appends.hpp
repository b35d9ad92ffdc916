// Tells appends of equal elements to one key apart, in every way that reads allow.
//
// An element that was appended more than once does not say whose it is. But where reads agree on
// the order of a key, each of its places in that order is one append: a history is right exactly
// when some choice of who is where makes it right, with the elements renamed so that all differ.
// There are n!/(n − m)! choices for n appends of an element that shows m times.
//
// Threading: one thread. The arguments outlive it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "checkers/elle/transactions.hpp"

namespace sunder::checkers::elle {

class EqualAppends {
 public:
  EqualAppends(const history::History& history, const Transactions& transactions);

  // The history by the present choice; the first is the likeliest: of equal elements the second is
  // "1′", the third "1″". Operations keep their indices.
  [[nodiscard]] history::History told_apart() const;

  // The next choice; false: that was the last.
  [[nodiscard]] bool next();

  // Which appends are meant by the names that are new, as far as a reader wants to know.
  [[nodiscard]] std::string names() const;

 private:
  // The appends of one element to one key that did not fail, and whose the places are: the first
  // place shows appends[order[0]], and so on.
  struct Group {
    std::uint32_t key = 0;
    history::Value element;
    std::vector<std::uint32_t> appends;  // micro-operations
    std::vector<std::uint32_t> order;
    std::size_t shown = 0;  // places in the read that shows most
  };

  void find_groups();
  void count_places();
  void prefer_acknowledged();
  // The number of a group, or how many there are.
  [[nodiscard]] std::size_t find(std::uint32_t key, history::Value element) const;
  [[nodiscard]] std::string name(const Group& group, std::size_t copy) const;

  const history::History* history_;
  const Transactions* transactions_;
  std::vector<Group> groups_;  // sorted by key and element
};

}  // namespace sunder::checkers::elle
