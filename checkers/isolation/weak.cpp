#include "checkers/isolation/weak.hpp"

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>

#include "checkers/groups.hpp"
#include "checkers/isolation/causal_order.hpp"
#include "checkers/isolation/clocks.hpp"
#include "checkers/isolation/cycle.hpp"
#include "checkers/isolation/key_chains.hpp"
#include "checkers/isolation/live_clocks.hpp"
#include "harness/base/assert.hpp"

namespace sunder::checkers::isolation {
namespace {

// Collects what each level forces. A function per level, in the order of Transactions.
class Forcing {
 public:
  explicit Forcing(const Transactions& transactions)
      : data_(&transactions), stamp_(transactions.key_count(), kNone) {}

  [[nodiscard]] std::vector<ForcedEdge> take() { return std::move(edges_); }

  void read_committed() {
    first_.assign(data_->key_count(), kNone);
    second_.assign(data_->key_count(), kNone);
    seen_.assign(data_->size(), kNone);
    last_met_.assign(data_->size(), kNone);
    for (std::uint32_t reader = 0; reader < data_->size(); ++reader) force_read_committed(reader);
  }

  void read_atomic() {
    seen_.assign(data_->size(), kNone);
    writer_read_.assign(data_->key_count(), kNone);
    for (std::uint32_t reader = 0; reader < data_->size(); ++reader) force_read_atomic(reader);
    std::vector<std::uint32_t> last_writer(data_->key_count(), kNone);
    std::vector<std::uint32_t> writer_session(data_->key_count(), kNone);
    for (const std::uint32_t transaction : by_session(*data_)) {
      const std::uint32_t session = data_->session[transaction];
      for_each_read(transaction, [&](std::uint32_t key, std::uint32_t writer) {
        if (writer_session[key] == session) force(last_writer[key], writer, transaction);
      });
      for (const std::uint32_t key : data_->keys_written(transaction)) {
        last_writer[key] = transaction;
        writer_session[key] = session;
      }
    }
  }

  // Key by key: the clocks of one key's writers stay in a processor's cache meanwhile.
  void missed(const Clocks& clocks) {
    const KeySessions keys(*data_);
    std::vector<std::uint32_t> reader_of(data_->read_key.size());
    for (std::uint32_t i = 0; i < data_->size(); ++i) {
      std::fill(reader_of.begin() + data_->read_begin[i],
                reader_of.begin() + data_->read_begin[i + 1],
                i);
    }
    const Groups by_key = group_by(data_->read_key, data_->key_count());
    for (const std::uint32_t read : by_key.members) {
      const std::uint32_t reader = reader_of[read];
      const std::uint32_t writer = data_->writer_of(read);
      if (writer == kNone) continue;  // every writer of the key came later: too many to say so
      keys.for_each_earliest(
          data_->read_key[read], writer, *data_, clocks, [&](std::uint32_t other) {
            const bool known = other == reader || clocks.precedes(*data_, reader, other);
            if (!known) force(reader, other, reader);
          });
    }
  }

  // False: what is forced takes more memory than allowed.
  [[nodiscard]] bool causal(const LiveClocks& clocks,
                            KeyChains& keys,
                            std::uint32_t reader,
                            std::size_t memory) {
    for_each_read(reader, [&](std::uint32_t key, std::uint32_t writer) {
      // What the writer itself had seen came before it in any case.
      keys.for_each_latest(
          key, clocks, reader, writer, [&](std::uint32_t other) { force(other, writer, reader); });
    });
    const bool followed = clocks.chain(reader) != kNone || clocks.is_lone(reader);
    for (const std::uint32_t key : data_->keys_written(reader)) {
      if (followed) keys.add(key, reader, clocks);
    }
    return edges_.size() * sizeof(ForcedEdge) <= memory || drop_repeated(memory);
  }

 private:
  // For each key the sessions that wrote it.
  class KeySessions {
   public:
    explicit KeySessions(const Transactions& data) {
      const std::size_t writes = data.write_key.size();
      std::vector<std::uint32_t> sizes(data.key_count() + 1, 0);
      for (const std::uint32_t key : data.write_key) ++sizes[key + 1];
      for (std::size_t i = 1; i < sizes.size(); ++i) sizes[i] += sizes[i - 1];
      std::vector<std::uint32_t> next(sizes.begin(), sizes.end() - 1);
      std::vector<std::uint32_t> sorted(writes);  // by key, session, place
      for (const std::uint32_t transaction : by_session(data)) {
        for (const std::uint32_t key : data.keys_written(transaction)) {
          sorted[next[key]++] = transaction;
        }
      }
      begin_.reserve(data.key_count() + 1);
      for (std::uint32_t key = 0; key < data.key_count(); ++key) {
        begin_.push_back(static_cast<std::uint32_t>(parts_.size()));
        for (std::uint32_t i = sizes[key]; i < sizes[key + 1]; ++i) {
          const std::uint32_t session = data.session[sorted[i]];
          if (i == sizes[key] || parts_.back().session != session) {
            parts_.push_back({.session = session, .begin = i, .end = i});
          }
          parts_.back().end = i + 1;
        }
      }
      begin_.push_back(static_cast<std::uint32_t>(parts_.size()));
      writers_ = std::move(sorted);
    }

    // The earliest writer of the key in each session that had seen a transaction.
    template <typename Action>
    void for_each_earliest(std::uint32_t key,
                           std::uint32_t seen,
                           const Transactions& data,
                           const Clocks& clocks,
                           const Action& action) const {
      for (std::uint32_t i = begin_[key]; i < begin_[key + 1]; ++i) {
        const auto first = writers_.begin() + parts_[i].begin;
        const auto last = writers_.begin() + parts_[i].end;
        const auto found = std::partition_point(first, last, [&](std::uint32_t writer) {
          return !clocks.precedes(data, seen, writer);
        });
        if (found != last) action(*found);
      }
    }

   private:
    struct Part {
      std::uint32_t session = 0;
      std::uint32_t begin = 0;  // indices into writers_
      std::uint32_t end = 0;
    };

    std::vector<std::uint32_t> begin_;  // by key, into parts_
    std::vector<Part> parts_;
    std::vector<std::uint32_t> writers_;  // by key, session, place
  };

  template <typename Action>
  void for_each_read(std::uint32_t transaction, const Action& action) const {
    for (std::uint32_t i = data_->read_begin[transaction]; i < data_->read_begin[transaction + 1];
         ++i) {
      action(data_->read_key[i], data_->writer_of(i));
    }
  }

  // Several readers may force the same. False: without repetitions it is still too much.
  bool drop_repeated(std::size_t memory) {
    const auto ends = [](const ForcedEdge& edge) { return std::pair(edge.from, edge.to); };
    std::ranges::stable_sort(edges_, {}, ends);
    const auto repeated = std::ranges::unique(edges_, {}, ends);
    edges_.erase(repeated.begin(), repeated.end());
    return edges_.size() * sizeof(ForcedEdge) <= memory / 2;
  }

  void force(std::uint32_t from, std::uint32_t to, std::uint32_t reader) {
    if (from != to) edges_.push_back({.from = from, .to = to, .reader = reader});
  }

  // Walks the reads backwards, remembering for each key the writers of its two earliest reads so
  // far that differ. Where a transaction is read from for the first time, it came before the
  // writers of whatever else of its keys is read later.
  void force_read_committed(std::uint32_t reader) {
    const std::uint32_t begin = data_->read_begin[reader];
    const std::uint32_t end = data_->read_begin[reader + 1];
    for (std::uint32_t i = begin; i < end; ++i) {
      const std::uint32_t writer = data_->writer_of(i);
      if (writer == kNone || last_met_[writer] == reader) continue;
      last_met_[writer] = reader;
      seen_[writer] = i;
    }
    later_keys_.clear();
    for (std::uint32_t i = end; i-- > begin;) {
      const std::uint32_t writer = data_->writer_of(i);
      if (writer != kNone && seen_[writer] == i) force_later(writer, reader);
      remember(data_->read_key[i], writer, reader);
    }
  }

  void remember(std::uint32_t key, std::uint32_t writer, std::uint32_t reader) {
    if (stamp_[key] != reader) {
      stamp_[key] = reader;
      first_[key] = writer;
      second_[key] = writer;
      later_keys_.push_back(key);
    } else if (first_[key] != writer) {
      second_[key] = first_[key];
      first_[key] = writer;
    }
  }

  void force_later(std::uint32_t writer, std::uint32_t reader) {
    const auto force_key = [&](std::uint32_t key) {
      force(writer, first_[key] != writer ? first_[key] : second_[key], reader);
    };
    const std::span<const std::uint32_t> written = data_->keys_written(writer);
    if (written.size() <= later_keys_.size()) {
      for (const std::uint32_t key : written) {
        if (stamp_[key] == reader) force_key(key);
      }
      return;
    }
    for (const std::uint32_t key : later_keys_) {
      if (data_->find_write(writer, key) != kNone) force_key(key);
    }
  }

  void force_read_atomic(std::uint32_t reader) {
    const std::uint32_t begin = data_->read_begin[reader];
    const std::uint32_t end = data_->read_begin[reader + 1];
    for (std::uint32_t i = begin; i < end; ++i) {
      stamp_[data_->read_key[i]] = reader;
      writer_read_[data_->read_key[i]] = data_->writer_of(i);
    }
    for (std::uint32_t i = begin; i < end; ++i) {
      const std::uint32_t writer = data_->writer_of(i);
      if (writer == kNone || seen_[writer] == reader) continue;
      seen_[writer] = reader;
      const std::span<const std::uint32_t> written = data_->keys_written(writer);
      if (written.size() <= end - begin) {
        for (const std::uint32_t key : written) {
          if (stamp_[key] == reader) force(writer, writer_read_[key], reader);
        }
        continue;
      }
      for (std::uint32_t j = begin; j < end; ++j) {
        if (data_->find_write(writer, data_->read_key[j]) != kNone) {
          force(writer, data_->writer_of(j), reader);
        }
      }
    }
  }

  const Transactions* data_;
  std::vector<ForcedEdge> edges_;
  std::vector<std::uint32_t> stamp_;   // by key: the reader that touched it
  std::vector<std::uint32_t> first_;   // by key: whom its earliest read so far saw
  std::vector<std::uint32_t> second_;  // and the next other one
  std::vector<std::uint32_t> seen_;    // by transaction: its first read, or its reader
  std::vector<std::uint32_t> last_met_;
  std::vector<std::uint32_t> writer_read_;  // by key: whom its reader saw
  std::vector<std::uint32_t> later_keys_;
};

WeakViolation violation_of(const std::vector<std::uint32_t>& cycle,
                           const std::vector<ForcedEdge>& edges) {
  WeakViolation violation;
  violation.transactions = cycle;
  for (std::size_t i = 0; i < cycle.size(); ++i) {
    const std::uint32_t from = cycle[i];
    const std::uint32_t to = cycle[(i + 1) % cycle.size()];
    const auto found = std::ranges::find_if(
        edges, [&](const ForcedEdge& edge) { return edge.from == from && edge.to == to; });
    if (found != edges.end()) violation.forced.push_back(*found);
  }
  return violation;
}

}  // namespace

std::vector<ForcedEdge> missed_writes(const Transactions& transactions) {
  Forcing forcing(transactions);
  forcing.missed(Clocks(transactions, topological_order(transactions)));
  return forcing.take();
}

namespace {

// Collects what causality forces, along the order. What was not decided, empty: all was.
std::string force_causal(const Transactions& transactions,
                         std::span<const std::uint32_t> order,
                         const SolverLimits& limits,
                         Forcing& forcing) {
  constexpr std::size_t kTurns = 1024;  // between two looks at the time
  LiveClocks clocks(transactions, limits.memory / 2);
  KeyChains keys(transactions);
  std::size_t turn = 0;
  for (const std::uint32_t transaction : order) {
    if (!clocks.advance(transaction) ||
        !forcing.causal(clocks, keys, transaction, limits.memory / 2)) {
      return "more memory would be needed for the clocks of its sessions";
    }
    clocks.release(transaction);
    if (++turn % kTurns != 0) continue;
    if (limits.stop.stop_requested() || std::chrono::steady_clock::now() >= limits.deadline) {
      return "its time was over";
    }
  }
  return {};
}

// Whether nothing comes before what it must follow: then there is no cycle.
bool explains(const Transactions& transactions,
              std::span<const std::uint32_t> order,
              std::span<const ForcedEdge> edges) {
  if (order.size() < transactions.size()) return false;
  std::vector<std::uint32_t> position(order.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) position[order[i]] = i;
  return std::ranges::all_of(
      edges, [&](const ForcedEdge& edge) { return position[edge.from] < position[edge.to]; });
}

}  // namespace

WeakResult check_weak(const Transactions& transactions,
                      const WeakQuestion& question,
                      const SolverLimits& limits) {
  WeakResult result;
  Forcing forcing(transactions);
  if (question.level == WeakLevel::read_committed) {
    forcing.read_committed();
  } else if (question.level == WeakLevel::read_atomic) {
    forcing.read_atomic();
  } else if (question.order.size() == transactions.size()) {
    if (!question.edges && explains_causally(transactions, question.order, limits)) return result;
    result.undecided = force_causal(transactions, question.order, limits, forcing);
    if (!result.undecided.empty()) return result;
  }
  std::vector<ForcedEdge> edges = forcing.take();
  const auto impossible = std::ranges::find(edges, kNone, &ForcedEdge::to);
  if (impossible != edges.end()) {
    result.violation = WeakViolation{.transactions = {impossible->from}, .forced = {*impossible}};
    return result;
  }
  if (explains(transactions, question.order, edges)) {
    result.forced = std::move(edges);
    return result;
  }
  const std::vector<std::uint32_t> cycle = find_cycle(transactions, edges);
  if (!cycle.empty()) {
    result.violation = violation_of(cycle, edges);
  } else {
    result.forced = std::move(edges);
  }
  return result;
}

}  // namespace sunder::checkers::isolation
