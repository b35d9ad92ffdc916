#include "checkers/configuration.hpp"

#include <algorithm>

namespace sunder::checkers {

std::uint32_t UsedCounts::count(std::uint32_t used, std::uint32_t call) const {
  const Counts& counts = *counts_[used];
  const auto found = std::ranges::lower_bound(counts, call, {}, &Counts::value_type::first);
  return found != counts.end() && found->first == call ? found->second : 0;
}

std::uint32_t UsedCounts::plus(std::uint32_t used, std::uint32_t call) {
  Counts counts = *counts_[used];
  const auto found = std::ranges::lower_bound(counts, call, {}, &Counts::value_type::first);
  if (found != counts.end() && found->first == call) {
    ++found->second;
  } else {
    counts.insert(found, {call, 1});
  }
  return intern(std::move(counts));
}

bool UsedCounts::within(std::uint32_t small, std::uint32_t large) const {
  if (small == large || small == 0) return true;
  if (totals_[small] >= totals_[large]) return false;
  return std::ranges::all_of(*counts_[small], [&](const auto& entry) {
    return count(large, entry.first) >= entry.second;
  });
}

std::size_t UsedCounts::memory() const noexcept {
  constexpr std::size_t kNode = 96;  // of the map, with its number and total
  return counts_.size() * kNode + held_ * sizeof(Counts::value_type);
}

std::uint32_t UsedCounts::intern(Counts counts) {
  const auto [found, added] =
      numbers_.try_emplace(std::move(counts), static_cast<std::uint32_t>(counts_.size()));
  if (added) {
    std::size_t total = 0;
    for (const auto& entry : found->first) total += entry.second;
    counts_.push_back(&found->first);
    totals_.push_back(total);
    held_ += found->first.size();
  }
  return found->second;
}

ConfigurationSet::ConfigurationSet(const UsedCounts& used,
                                   std::size_t mutator_words,
                                   std::size_t observer_words)
    : used_(&used),
      exact_(kConfiguration_head + mutator_words),
      stride_(exact_ + observer_words),
      table_(64) {}

bool ConfigurationSet::insert(ConstConfiguration configuration) {
  if ((size_ + 1) * 2 > table_.size()) grow();
  std::size_t at = hash(configuration) & (table_.size() - 1);
  while (table_[at].generation == generation_) {
    if (dominates((*this)[table_[at].index], configuration)) return false;
    at = (at + 1) & (table_.size() - 1);
  }
  table_[at] = {generation_, static_cast<std::uint32_t>(size_++)};
  words_.insert(words_.end(), configuration.begin(), configuration.end());
  return true;
}

void ConfigurationSet::clear() {
  words_.clear();
  size_ = 0;
  ++generation_;
}

std::size_t ConfigurationSet::memory() const noexcept {
  return words_.capacity() * sizeof(std::uint64_t) + table_.size() * sizeof(Slot);
}

std::size_t ConfigurationSet::hash(ConstConfiguration configuration) const noexcept {
  std::uint64_t h = configuration[0] * 0x9e3779b97f4a7c15ULL;
  for (std::size_t i = kConfiguration_head; i < exact_; ++i) {
    h = (h ^ configuration[i]) * 0xbf58476d1ce4e5b9ULL;
    h ^= h >> 29U;
  }
  return static_cast<std::size_t>(h ^ (h >> 32U));
}

bool ConfigurationSet::dominates(ConstConfiguration one, ConstConfiguration other) const {
  if (one[0] != other[0]) return false;
  for (std::size_t i = kConfiguration_head; i < exact_; ++i) {
    if (one[i] != other[i]) return false;
  }
  for (std::size_t i = exact_; i < stride_; ++i) {
    if ((other[i] & ~one[i]) != 0) return false;
  }
  return used_->within(used_of(one), used_of(other));
}

void ConfigurationSet::grow() {
  table_.assign(table_.size() * 2, Slot());
  generation_ = 1;
  for (std::size_t i = 0; i < size_; ++i) {
    std::size_t at = hash((*this)[i]) & (table_.size() - 1);
    while (table_[at].generation == generation_) at = (at + 1) & (table_.size() - 1);
    table_[at] = {generation_, static_cast<std::uint32_t>(i)};
  }
}

}  // namespace sunder::checkers
