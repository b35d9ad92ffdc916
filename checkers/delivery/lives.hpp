// Lives: what a history tells of each message of a work queue, from its sending to its end.
//
// Operations: send (input: the body; output: the message's number), receive (input: the visibility
// time in ms; output: nil, or [number receipt body]), ack and nack ([number receipt]), extend
// ([number receipt ms]), stat (output: [ready in-flight dead]). The key is the queue; what it gave
// up is in the queue "<key>.dead" under the same number, its receipts counted anew. Bodies are
// unique, so that a message whose sending nobody knows the outcome of is found by its body.
//
// Times are nanoseconds since the run's start when the history has them, else its stamps: then a
// visibility time says nothing. An operation took effect between its begin and its end; an unknown
// one has no end.
//
// Threading: immutable after construction; the history must outlive it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "harness/history/history.hpp"

namespace sunder::checkers::delivery {

enum class Role : std::uint8_t { send, receive, ack, nack, extend, stat, none };

[[nodiscard]] Role role_of(const history::History& history, const history::Operation& operation);

// Somebody used a receipt.
struct Use {
  std::uint32_t operation = 0;
  Role role = Role::ack;
  std::int64_t lease = 0;  // of an extension, in the unit of times
};

struct Delivery {
  std::uint32_t operation = 0;
  std::int64_t receipt = 0;
  std::int64_t lease = 0;
  history::Value body;
  std::vector<Use> uses;  // of its receipt, definite failures but refusals left out
};

// A message's time in one queue.
struct Stay {
  std::vector<Delivery> deliveries;  // sorted by receipt, then by operation
  // Uses of receipts that nobody is known to have got, with the receipt.
  std::vector<std::pair<std::int64_t, Use>> strays;
};

struct Life {
  history::Symbol queue = 0;          // where it was sent
  std::int64_t number = -1;           // -1: not known
  std::optional<std::uint32_t> send;  // none: nobody sent it
  Stay live;
  Stay dead;  // as a dead letter

  [[nodiscard]] bool delivered() const noexcept {
    return !live.deliveries.empty() || !dead.deliveries.empty();
  }
};

class Lives {
 public:
  explicit Lives(const history::History& history);

  [[nodiscard]] const std::vector<Life>& all() const noexcept { return lives_; }

  [[nodiscard]] const history::History& history() const noexcept { return *history_; }

  [[nodiscard]] const history::Operation& at(std::uint32_t index) const {
    return history_->operations()[index];
  }

  [[nodiscard]] std::int64_t begin(std::uint32_t index) const;
  // kNever when nobody knows whether it took effect.
  [[nodiscard]] std::int64_t end(std::uint32_t index) const;
  // When it was over for its client.
  [[nodiscard]] std::int64_t client_end(std::uint32_t index) const;

  [[nodiscard]] bool timed() const noexcept { return timed_; }

  // Bodies that were sent more than once: then nothing can be said of them.
  [[nodiscard]] std::size_t repeated_bodies() const noexcept { return repeated_bodies_; }

  // Indices, ascending.
  [[nodiscard]] const std::vector<std::uint32_t>& receives() const noexcept { return receives_; }

  [[nodiscard]] const std::vector<std::uint32_t>& stats() const noexcept { return stats_; }

  [[nodiscard]] const std::vector<std::uint32_t>& refused_sends() const noexcept {
    return refused_sends_;
  }

  // The queue whose dead letters this is; a queue of its own otherwise.
  [[nodiscard]] history::Symbol home_of(history::Symbol key) const;

  [[nodiscard]] bool is_dead(history::Symbol key) const { return home_of(key) != key; }

  // [ready in-flight dead] together. Precondition: an ok stat.
  [[nodiscard]] std::int64_t total_of(std::uint32_t stat) const;
  [[nodiscard]] history::Value sent_body(const Life& life) const;

 private:
  Life& life_of(history::Symbol queue, std::int64_t number);
  void add_send(std::uint32_t index);
  void add_receive(std::uint32_t index);
  void add_use(std::uint32_t index, Role role);
  void match_bodies();
  void attach_uses();

  struct PendingUse {
    history::Symbol key = 0;
    std::int64_t number = 0;
    std::int64_t receipt = 0;
    Use use;
  };

  const history::History* history_;
  bool timed_ = true;
  std::vector<Life> lives_;
  std::unordered_map<history::Symbol, std::unordered_map<std::int64_t, std::size_t>> by_number_;
  std::unordered_map<history::Value, std::uint32_t, history::ValueHash> send_of_body_;
  std::unordered_map<history::Symbol, history::Symbol> homes_;  // dead letters → queue
  std::vector<PendingUse> uses_;
  std::vector<std::uint32_t> receives_;
  std::vector<std::uint32_t> stats_;
  std::vector<std::uint32_t> refused_sends_;
  std::size_t repeated_bodies_ = 0;
};

}  // namespace sunder::checkers::delivery
