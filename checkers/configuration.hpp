// Configurations of the search, as flat words: the state, the place among the events, which unknown
// operations were used, which pending ones have taken effect.
//
// Word 0 is the state and the place, word 1 the number of the used unknown operations (UsedCounts);
// then come the bits of the mutators and of the observers (Timeline). One configuration dominates
// another when they differ at most in this: it has taken more observers and used fewer unknown
// operations. Whatever completes the other also completes it.
//
// Threading: one search's.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "checkers/models/model.hpp"

namespace sunder::checkers {

using Configuration = std::span<std::uint64_t>;
using ConstConfiguration = std::span<const std::uint64_t>;

constexpr std::size_t kConfiguration_head = 2;  // words before the bits

[[nodiscard]] inline State state_of(ConstConfiguration configuration) noexcept {
  return static_cast<State>(configuration[0]);
}

[[nodiscard]] inline std::uint32_t place_of(ConstConfiguration configuration) noexcept {
  return static_cast<std::uint32_t>(configuration[0] >> 32U);
}

[[nodiscard]] inline std::uint32_t used_of(ConstConfiguration configuration) noexcept {
  return static_cast<std::uint32_t>(configuration[1]);
}

inline void set_state(Configuration configuration, State state) noexcept {
  configuration[0] = (configuration[0] >> 32U << 32U) | state;
}

inline void set_place(Configuration configuration, std::size_t place) noexcept {
  configuration[0] = std::uint64_t{place} << 32U | state_of(configuration);
}

inline void set_used(Configuration configuration, std::uint32_t used) noexcept {
  configuration[1] = used;
}

[[nodiscard]] inline bool has_bit(ConstConfiguration configuration, std::uint32_t bit) noexcept {
  return ((configuration[kConfiguration_head + bit / 64] >> (bit % 64)) & 1U) != 0;
}

inline void set_bit(Configuration configuration, std::uint32_t bit) noexcept {
  configuration[kConfiguration_head + bit / 64] |= std::uint64_t{1} << (bit % 64);
}

inline void clear_bit(Configuration configuration, std::uint32_t bit) noexcept {
  configuration[kConfiguration_head + bit / 64] &= ~(std::uint64_t{1} << (bit % 64));
}

// How often each class of equal unknown operations was used, by a number; 0 is none of them.
class UsedCounts {
 public:
  UsedCounts() { (void)intern({}); }

  [[nodiscard]] std::uint32_t count(std::uint32_t used, std::uint32_t call) const;
  // One more of that call.
  [[nodiscard]] std::uint32_t plus(std::uint32_t used, std::uint32_t call);
  // Whether `small` uses nothing that `large` does not.
  [[nodiscard]] bool within(std::uint32_t small, std::uint32_t large) const;

  // How many in all.
  [[nodiscard]] std::size_t total(std::uint32_t used) const { return totals_[used]; }

  [[nodiscard]] std::size_t memory() const noexcept;

 private:
  using Counts = std::vector<std::pair<std::uint32_t, std::uint32_t>>;  // call, count; sorted

  std::uint32_t intern(Counts counts);

  std::map<Counts, std::uint32_t> numbers_;
  std::vector<const Counts*> counts_;  // by number; nodes of a map stay
  std::vector<std::size_t> totals_;    // by number
  std::size_t held_ = 0;               // pairs in all
};

// Configurations in order of insertion, none of them dominated by an earlier one. Emptying it costs
// nothing: slots of the table carry the number of the generation that filled them.
class ConfigurationSet {
 public:
  // Configurations of so many words for mutators and observers.
  ConfigurationSet(const UsedCounts& used, std::size_t mutator_words, std::size_t observer_words);

  // False: dominated by one that is there.
  bool insert(ConstConfiguration configuration);
  void clear();

  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  // Valid until the next insertion.
  [[nodiscard]] ConstConfiguration operator[](std::size_t index) const {
    return std::span(words_).subspan(index * stride_, stride_);
  }

  // To change what is there: its place in the table is lost until the set is filled anew.
  [[nodiscard]] Configuration mutable_at(std::size_t index) {
    return std::span(words_).subspan(index * stride_, stride_);
  }

  [[nodiscard]] std::size_t memory() const noexcept;

 private:
  struct Slot {
    std::uint32_t generation = 0;
    std::uint32_t index = 0;
  };

  [[nodiscard]] std::size_t hash(ConstConfiguration configuration) const noexcept;
  [[nodiscard]] bool dominates(ConstConfiguration one, ConstConfiguration other) const;
  void grow();

  const UsedCounts* used_;
  std::size_t exact_;   // words up to the observers
  std::size_t stride_;  // words in all
  std::size_t size_ = 0;
  std::vector<std::uint64_t> words_;
  std::vector<Slot> table_;
  std::uint32_t generation_ = 1;
};

}  // namespace sunder::checkers
