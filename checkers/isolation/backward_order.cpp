#include "checkers/isolation/backward_order.hpp"

#include <algorithm>
#include <queue>
#include <utility>

namespace sunder::checkers::isolation {
namespace {

// What is wanted of a key: a write's index, or one of these.
constexpr std::uint32_t kNothing = kNone;
constexpr std::uint32_t kInitial = kNone - 1;

class Backwards {
 public:
  Backwards(const Transactions& data, std::span<const std::uint32_t> first_guess)
      : data_(&data),
        rank_(data.size()),
        followers_(data.size(), 0),
        wanted_(data.key_count(), kNothing),
        first_waiting_(data.key_count(), kNone),
        next_waiting_(data.size(), kNone),
        looks_left_(kLooks_base + kLooks_per_access * accesses(data)) {
    for (std::uint32_t i = 0; i < first_guess.size(); ++i) rank_[first_guess[i]] = i;
    for (std::uint32_t i = 0; i < data.size(); ++i) {
      for_each_predecessor(i, [&](std::uint32_t before) { ++followers_[before]; });
    }
    order_.reserve(data.size());
  }

  [[nodiscard]] std::vector<std::uint32_t> run() {
    for (std::uint32_t i = 0; i < data_->size(); ++i) {
      if (followers_[i] == 0) make_ready(i);
    }
    while (!ready_.empty() && looks_left_ > 0) {
      const std::uint32_t transaction = ready_.top().second;
      ready_.pop();
      const std::uint32_t key = key_in_the_way(transaction);
      if (key == kNone) {
        place(transaction);
      } else {
        next_waiting_[transaction] = std::exchange(first_waiting_[key], transaction);
      }
    }
    if (order_.size() < data_->size()) return {};
    std::ranges::reverse(order_);
    return std::move(order_);
  }

 private:
  static constexpr std::size_t kLooks_base = 10'000;
  static constexpr std::size_t kLooks_per_access = 32;

  static std::size_t accesses(const Transactions& data) {
    return data.read_key.size() + data.write_key.size() + data.size();
  }

  template <typename Action>
  void for_each_predecessor(std::uint32_t transaction, const Action& action) const {
    if (data_->previous[transaction] != kNone) action(data_->previous[transaction]);
    for_each_read(transaction, [&](std::uint32_t read) {
      if (data_->writer_of(read) != kNone) action(data_->writer_of(read));
    });
  }

  template <typename Action>
  void for_each_read(std::uint32_t transaction, const Action& action) const {
    const std::uint32_t end = data_->read_begin[transaction + 1];
    for (std::uint32_t i = data_->read_begin[transaction]; i < end; ++i) action(i);
  }

  template <typename Action>
  void for_each_write(std::uint32_t transaction, const Action& action) const {
    const std::uint32_t end = data_->write_begin[transaction + 1];
    for (std::uint32_t i = data_->write_begin[transaction]; i < end; ++i) action(i);
  }

  [[nodiscard]] std::uint32_t version_of(std::uint32_t read) const {
    return data_->read_write[read] == kNone ? kInitial : data_->read_write[read];
  }

  void make_ready(std::uint32_t transaction) { ready_.emplace(rank_[transaction], transaction); }

  [[nodiscard]] bool is_wanted_other(std::uint32_t key, std::uint32_t version) {
    looks_left_ -= looks_left_ > 0 ? 1U : 0U;
    return wanted_[key] != kNothing && wanted_[key] != version;
  }

  // A key of which another version than the transaction's is wanted, or kNone.
  [[nodiscard]] std::uint32_t key_in_the_way(std::uint32_t transaction) {
    std::uint32_t found = kNone;
    for_each_write(transaction, [&](std::uint32_t write) {
      const std::uint32_t key = data_->write_key[write];
      if (is_wanted_other(key, write)) found = key;
    });
    if (found != kNone) return found;
    for_each_read(transaction, [&](std::uint32_t read) {
      const std::uint32_t key = data_->read_key[read];
      if (!is_wanted_other(key, version_of(read))) return;
      if (data_->find_write(transaction, key) == kNone) found = key;
    });
    return found;
  }

  void place(std::uint32_t transaction) {
    order_.push_back(transaction);
    for_each_write(transaction, [&](std::uint32_t write) {
      const std::uint32_t key = data_->write_key[write];
      if (std::exchange(wanted_[key], kNothing) != kNothing) wake(key);
    });
    for_each_read(transaction,
                  [&](std::uint32_t read) { wanted_[data_->read_key[read]] = version_of(read); });
    for_each_predecessor(transaction, [&](std::uint32_t before) {
      if (--followers_[before] == 0) make_ready(before);
    });
  }

  void wake(std::uint32_t key) {
    std::uint32_t waiting = std::exchange(first_waiting_[key], kNone);
    for (; waiting != kNone; waiting = next_waiting_[waiting]) make_ready(waiting);
  }

  const Transactions* data_;
  std::vector<std::uint32_t> rank_;           // by transaction: its place in the first guess
  std::vector<std::uint32_t> followers_;      // by transaction: times named by one not yet placed
  std::vector<std::uint32_t> wanted_;         // by key: the version that somebody read
  std::vector<std::uint32_t> first_waiting_;  // by key: who waits until nothing of it is wanted
  std::vector<std::uint32_t> next_waiting_;   // by transaction
  std::priority_queue<std::pair<std::uint32_t, std::uint32_t>> ready_;  // rank, transaction
  std::vector<std::uint32_t> order_;                                    // the last one first
  std::size_t looks_left_;
};

}  // namespace

std::vector<std::uint32_t> order_backwards(const Transactions& transactions,
                                           std::span<const std::uint32_t> first_guess) {
  return Backwards(transactions, first_guess).run();
}

}  // namespace sunder::checkers::isolation
