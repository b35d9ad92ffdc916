// Tells appends of equal elements to one key apart, in every way that reads allow.
//
// An element that was appended more than once does not say whose it is. But where reads agree on
// the order of a key, each of its places in that order is one append: a history is right exactly
// when some choice of who is where makes it right, with the elements renamed so that all differ.
// There are n!/(n − m)! choices for n appends of an element that shows m times.
//
// Where reads may contradict each other, equal elements in two of them may be different appends.
//
// Threading: one thread. The arguments outlive it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "checkers/elle/transactions.hpp"

namespace sunder::checkers::elle {

class EqualAppends {
 public:
  // What two reads that show an element in question at the same place mean.
  enum class Reads : std::uint8_t {
    agree,  // the same append
    part,   // different ones: then nothing is known of the order from there on, which asks for less
            // than any other choice when reads tell nothing else
    differ,  // any: every choice of each read, exponential in the reads
  };

  EqualAppends(const history::History& history, const Transactions& transactions, Reads reads);

  // The history by the present choice; the first is the likeliest: of equal elements the second is
  // "1′", the third "1″". Operations keep their indices.
  [[nodiscard]] history::History told_apart() const;

  // The next choice; false: that was the last.
  [[nodiscard]] bool next();

  // Which appends are meant by the names that are new, as far as a reader wants to know.
  [[nodiscard]] std::string names() const;

 private:
  // Whose the places are: the first place shows appends[order[0]] of a group, and so on.
  struct Arrangement {
    std::vector<std::uint32_t> order;
    std::size_t shown = 0;  // places there are
    bool open = true;       // false: it does not matter, or is given
  };

  // The appends of one element to one key that did not fail.
  struct Group {
    std::uint32_t key = 0;
    history::Value element;
    std::vector<std::uint32_t> appends;  // micro-operations
    Arrangement common;                  // in all reads that have none of their own
  };

  void find_groups();
  void count_places();
  void prefer_acknowledged();
  void let_reads_part();
  void let_reads_part(std::uint32_t key, const std::vector<std::uint32_t>& reads);
  void let_reads_differ();
  // The reads whose results are known.
  [[nodiscard]] std::vector<std::uint32_t> told_reads() const;
  [[nodiscard]] std::span<const history::Value> items(std::uint32_t read) const;
  // The number of a group, or how many there are.
  [[nodiscard]] std::size_t find(std::uint32_t key, history::Value element) const;
  [[nodiscard]] const Arrangement& arrangement(std::uint32_t read, std::size_t group) const;
  [[nodiscard]] std::string name(const Group& group, std::size_t copy) const;
  // The next one; false: it was the last, and is the first again.
  [[nodiscard]] static bool advance(Arrangement& arrangement);

  const history::History* history_;
  const Transactions* transactions_;
  std::vector<Group> groups_;                                         // sorted by key and element
  std::map<std::pair<std::uint32_t, std::size_t>, Arrangement> own_;  // by read and group
};

}  // namespace sunder::checkers::elle
