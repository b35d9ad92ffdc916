// KafkaLog: the messages of a history of logs with offsets (Kafka's partitions), sorted by key and
// offset.
//
// Operations are send, poll and txn with lists of [send key value] (answered by
// [send key [offset value]]) and [poll] (answered by [poll {key [[offset value] …]}]); assign and
// subscribe say which keys a consumer follows. An answer may hold [rebalance [key …]] (Jepsen's
// :rebalance-log): meanwhile these keys were given to the consumer or taken from it.
//
// What a poll showed was in the log, whatever became of its transaction, for only messages of
// committed transactions are shown. Offsets that a send of unknown outcome told count when a
// message that nobody else can have sent proves that its operation was committed, and then for all
// of its messages: transactions are committed as a whole.
//
// Threading: pure functions.

#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <vector>

#include "harness/history/history.hpp"

namespace sunder::checkers {

// One sight of a message: sent or polled by an operation.
struct KafkaEntry {
  std::uint32_t key = 0;      // numbered in order of appearance
  std::uint32_t message = 0;  // index into KafkaLog::messages
  std::uint32_t operation = 0;
  std::int64_t offset = -1;  // -1: not known
  history::Value value;
  bool sent = false;
};

struct KafkaMessage {
  static constexpr std::uint32_t kNobody = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::int64_t kUnplaced = -1;

  std::uint32_t key = 0;
  history::Value value;
  std::uint32_t acknowledged = kNobody;  // the send that was acknowledged
  std::uint32_t attempted = kNobody;     // one of unknown outcome
  std::uint32_t failed = kNobody;        // one that definitely failed
  std::uint32_t proven = kNobody;        // one of unknown outcome that certainly was committed
  std::uint32_t sender = kNobody;        // the only one that can have sent it
  std::uint32_t polled = kNobody;        // the first acknowledged poll that shows it
  std::uint32_t glimpsed = kNobody;      // the first poll of unknown outcome that shows it
  std::int64_t place = kUnplaced;        // rank of its first offset among the key's known ones
  std::int64_t last_place = kUnplaced;   // and of its last
  bool ambiguous = false;                // at several offsets
};

// A known offset of a key, and a message there.
struct KafkaSlot {
  std::uint32_t key = 0;
  std::int64_t offset = 0;
  std::uint32_t message = 0;
  std::uint32_t operation = 0;  // the first that told
};

// A key that was given to a consumer, or taken from it, during an operation.
struct KafkaMove {
  std::uint32_t operation = 0;
  std::uint32_t key = 0;

  friend auto operator<=>(const KafkaMove&, const KafkaMove&) = default;
};

struct KafkaLog {
  std::vector<history::Value> keys;
  std::vector<KafkaMessage> messages;  // by key and value
  std::vector<KafkaEntry> entries;     // in order of operations, and of their parts
  std::vector<KafkaSlot> slots;        // by key and offset, each message at an offset once
  std::vector<KafkaMove> moves;        // sorted
};

enum class KafkaRole { send, poll, txn, assign, subscribe, other, unknown };

// What an operation is; `unknown`: none that logs know.
[[nodiscard]] KafkaRole kafka_role(const history::History& history,
                                   const history::Operation& operation);

// Of operations that told what became of their parts that, of others what they tried to send.
// O(n log n).
[[nodiscard]] KafkaLog read_kafka_log(const history::History& history);

}  // namespace sunder::checkers
