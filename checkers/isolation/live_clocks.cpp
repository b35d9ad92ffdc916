#include "checkers/isolation/live_clocks.hpp"

#include <algorithm>

#include "harness/base/assert.hpp"

namespace sunder::checkers::isolation {
namespace {

using Count = LiveClocks::Count;

// In blocks of a fixed size: also at -O2 the compiler makes one instruction of each.
void join_counts(Count* __restrict target, const Count* __restrict source, std::size_t size) {
  constexpr std::size_t kBlock = LiveClocks::kBlock;
  for (std::size_t block = 0; block < size; block += kBlock) {
    for (std::size_t i = 0; i < kBlock; ++i) {
      target[block + i] = std::max(target[block + i], source[block + i]);
    }
  }
}

}  // namespace

LiveClocks::LiveClocks(const Transactions& transactions, std::size_t memory)
    : data_(&transactions),
      memory_(memory),
      slot_(transactions.size(), kNone),
      followers_(transactions.size(), 0),
      chain_(transactions.size(), kNone),
      place_(transactions.size(), 0),
      left_(transactions.sessions, 0),
      of_session_(transactions.sessions, kNone) {
  for (std::uint32_t i = 0; i < transactions.size(); ++i) {
    ++left_[transactions.session[i]];
    for_each_predecessor(i, [&](std::uint32_t before) { ++followers_[before]; });
  }
  find_lone();
}

void LiveClocks::find_lone() {
  const std::uint32_t count = data_->size();
  std::vector<bool> lone(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const bool reads = data_->read_begin[i] != data_->read_begin[i + 1];
    lone[i] = !reads && followers_[i] > 0 && followers_[i] <= kLone_readers_max;
  }
  for (const std::uint32_t previous : data_->previous) {
    if (previous != kNone) lone[previous] = false;
  }
  reader_begin_.assign(count + std::size_t{1}, 0);
  for (std::uint32_t i = 0; i < count; ++i) {
    reader_begin_[i + 1] = reader_begin_[i] + (lone[i] ? followers_[i] : 0);
  }
  readers_.resize(reader_begin_.back());
  std::vector<std::uint32_t> next(reader_begin_.begin(), reader_begin_.end() - 1);
  for (std::uint32_t i = 0; i < count; ++i) {
    for_each_predecessor(i, [&](std::uint32_t before) {
      if (lone[before]) readers_[next[before]++] = i;
    });
  }
}

// Readers of a lone one are on a chain, or followed by nobody: they read.
bool LiveClocks::precedes(std::uint32_t earlier, std::uint32_t later) const noexcept {
  if (!is_lone(earlier)) return is_counted(earlier, later);
  const auto begin = readers_.begin() + reader_begin_[earlier];
  const auto end = readers_.begin() + reader_begin_[earlier + 1];
  return std::any_of(begin, end, [&](std::uint32_t reader) {
    return reader == later || is_counted(reader, later);
  });
}

template <typename Action>
void LiveClocks::for_each_predecessor(std::uint32_t transaction, const Action& action) const {
  if (data_->previous[transaction] != kNone) action(data_->previous[transaction]);
  std::uint32_t last = kNone;
  for (std::uint32_t read = data_->read_begin[transaction];
       read < data_->read_begin[transaction + 1];
       ++read) {
    const std::uint32_t writer = data_->writer_of(read);
    if (writer != kNone && writer != last) action(writer);
    last = writer;
  }
}

bool LiveClocks::advance(std::uint32_t transaction) {
  const std::uint32_t slot = take_slot();
  if (slot == kNone) return false;
  slot_[transaction] = slot;
  Count* const clock = entries_.data() + std::size_t{slot} * stride_;
  std::fill(clock, clock + stride_, Count{0});
  for_each_predecessor(transaction, [&](std::uint32_t before) { join(clock, before); });
  const std::uint32_t session = data_->session[transaction];
  const bool last = --left_[session] == 0;
  if (followers_[transaction] > 0 && !is_lone(transaction)) {
    if (!choose_chain(transaction)) return false;
    chain_[transaction] = of_session_[session];
    place_[transaction] = length_[of_session_[session]]++;
  }
  if (last && of_session_[session] != kNone) ended_.push_back(of_session_[session]);
  return true;
}

void LiveClocks::release(std::uint32_t transaction) {
  for_each_predecessor(transaction, [&](std::uint32_t before) {
    if (--followers_[before] == 0) let_go(before);
  });
  if (followers_[transaction] == 0) let_go(transaction);
}

void LiveClocks::join(Count* target, std::uint32_t seen) const {
  SUNDER_ASSERT(slot_[seen] != kNone);
  if (is_lone(seen)) return join_counts(target, of(seen), stride_);
  Count& own = target[chain_[seen]];
  if (place_[seen] < own) return;
  join_counts(target, of(seen), stride_);
  own = std::max(own, static_cast<Count>(place_[seen] + 1));
}

// A session that starts, or whose chain is full, goes on with one whose session is over and all of
// which it had seen, or begins one.
bool LiveClocks::choose_chain(std::uint32_t transaction) {
  std::uint32_t& chain = of_session_[data_->session[transaction]];
  if (chain != kNone && length_[chain] < kLength_max) return true;
  chain = take_ended_chain(of(transaction));
  if (chain != kNone) return true;
  if (length_.size() == stride_ && !widen()) return false;
  chain = static_cast<std::uint32_t>(length_.size());
  length_.push_back(0);
  return true;
}

// kNone: none of those looked at. They are looked at in turn, for the oldest are seen first, and a
// chain that nobody sees must not stand in the way.
std::uint32_t LiveClocks::take_ended_chain(const Count* clock) {
  constexpr std::size_t kLooked_at = 256;
  for (std::size_t i = std::min(ended_.size(), kLooked_at); i > 0; --i) {
    const std::uint32_t ended = ended_.front();
    ended_.pop_front();
    if (length_[ended] == kLength_max) continue;
    if (clock[ended] == length_[ended]) return ended;
    ended_.push_back(ended);
  }
  return kNone;
}

// Twice as many numbers in each clock. From the last on: each moves behind where it was.
bool LiveClocks::widen() {
  const std::size_t slots = entries_.size() / stride_;
  if (!make_room(entries_.size() * 2)) return false;
  entries_.resize(entries_.size() * 2);
  for (std::size_t slot = slots; slot-- > 0;) {
    Count* const from = entries_.data() + slot * stride_;
    Count* const to = entries_.data() + slot * stride_ * 2;
    std::copy_backward(from, from + stride_, to + stride_);
    std::fill(to + stride_, to + stride_ * 2, Count{0});
  }
  stride_ *= 2;
  return true;
}

bool LiveClocks::make_room(std::size_t numbers) {
  if (numbers <= entries_.capacity()) return true;
  const std::size_t wanted = std::max(numbers, entries_.capacity() * 2);
  // While they move, the old ones are there, too.
  if ((wanted + entries_.capacity()) * sizeof(Count) > memory_) return false;
  entries_.reserve(wanted);
  return true;
}

// kNone: no memory.
std::uint32_t LiveClocks::take_slot() {
  if (free_.empty()) {
    const std::size_t slots = entries_.size() / stride_;
    if (!make_room(entries_.size() + stride_)) return kNone;
    entries_.resize(entries_.size() + stride_);
    free_.push_back(static_cast<std::uint32_t>(slots));
  }
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  return slot;
}

void LiveClocks::let_go(std::uint32_t transaction) {
  free_.push_back(slot_[transaction]);
  slot_[transaction] = kNone;
}

}  // namespace sunder::checkers::isolation
