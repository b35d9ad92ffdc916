// Logs with offsets, as Kafka promises them: Jepsen's `kafka` anomalies.
//
// Lost writes (committed at an offset below one that was polled, polled by nobody), unseen ones
// (acknowledged, never polled at all), duplicates (one message at two offsets), inconsistent
// offsets (two messages at one), aborted and precommitted reads, polls and sends that skip or go
// back inside a transaction or a process, and cycles of sends seen by polls (G1c, with process
// order and real time). Kafka's rebalances may move a subscribed consumer, and a poll of unknown
// outcome may have taken what its group never sees again: those are told, not judged, unless the
// level says so. Where operations tell of rebalances, only those move a consumer inside of an
// operation, and a key that was moved starts anew. O(n log n) in the messages sent and polled.
//
// Of an operation of unknown outcome its sends are judged as far as they were seen, and what its
// polls showed was in the log and begins where its consumer was; but where that goes on from is not
// known. The polls of an aborted one begin there, too, and so does what comes next.

#include <algorithm>
#include <array>
#include <unordered_map>

#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "checkers/findings.hpp"
#include "checkers/kafka_log.hpp"
#include "checkers/order_graph.hpp"
#include "checkers/phrase.hpp"

namespace sunder::checkers {
namespace {

using history::Operation;
using history::Outcome;
using history::Value;

constexpr std::array kLevels{
    LevelInfo{"delivered",
              "Nothing acknowledged is lost, repeated, reordered or left unseen at the end."},
    LevelInfo{"ordered", "The same, and polls follow the log even where consumers subscribe."},
    LevelInfo{"log", "The same as delivered, but messages may be unseen at the end."}};

constexpr std::uint32_t kNobody = KafkaMessage::kNobody;

class Kafka {
 public:
  Kafka(const history::History& history, Findings& findings)
      : history_(&history), findings_(&findings), log_(read_kafka_log(history)) {
    for (std::uint32_t i = 0; i < history.operations().size(); ++i) all_.operations.push_back(i);
    for (const Operation& operation : history.operations()) {
      const KafkaRole role = kafka_role(history, operation);
      subscribed_ = subscribed_ || role == KafkaRole::subscribe;
      const bool polls = role == KafkaRole::poll || role == KafkaRole::txn;
      const bool unknown = operation.outcome == Outcome::info ||
                           (operation.outcome == Outcome::ok && operation.output.is_none());
      unknown_polls_ = unknown_polls_ || (polls && unknown);
    }
    if (!log_.entries.empty()) findings.observed();
  }

  void judge(std::string_view level) {
    if (subscribed_ && level != "ordered") {
      findings_->tolerate("poll skip");
      findings_->tolerate("nonmonotonic poll");
      if (log_.moves.empty()) {
        findings_->tolerate("internal poll skip");
        findings_->tolerate("internal nonmonotonic poll");
      }
    }
    const bool excused = subscribed_ && unknown_polls_;
    if (excused) findings_->tolerate("lost write");
    if (excused || level == "log") findings_->tolerate("unseen");
    find_offset_conflicts();
    find_lost();
    find_wrong_polls();
    find_inside_operations();
    find_precommitted();
    find_across_operations();
    find_cycles();
  }

  [[nodiscard]] std::size_t messages() const noexcept { return log_.messages.size(); }

 private:
  [[nodiscard]] const Operation& at(std::uint32_t index) const {
    return history_->operations()[index];
  }

  [[nodiscard]] std::string text(Value value) const { return history_->pool().describe(value); }

  // "7 of key x".
  [[nodiscard]] std::string name(const KafkaMessage& message) const {
    return fmt::format("{} of key {}", text(message.value), text(log_.keys[message.key]));
  }

  void find_offset_conflicts() {
    std::vector<std::uint32_t> first(log_.messages.size(), kNobody);  // slot of each message
    for (std::uint32_t i = 0; i < log_.slots.size(); ++i) {
      const KafkaSlot& slot = log_.slots[i];
      const KafkaMessage& message = log_.messages[slot.message];
      if (i > 0 && log_.slots[i - 1].key == slot.key && log_.slots[i - 1].offset == slot.offset) {
        const KafkaSlot& other = log_.slots[i - 1];
        findings_->add("inconsistent offset", all_, message.value, [&] {
          return example_of("inconsistent offsets",
                            fmt::format("offset {} of key {} holds {} for p{} and {} for p{}",
                                        slot.offset,
                                        text(log_.keys[slot.key]),
                                        text(log_.messages[other.message].value),
                                        at(other.operation).process,
                                        text(message.value),
                                        at(slot.operation).process),
                            {{other.operation, true, "one message at the offset"},
                             {slot.operation, true, "another at the same"}});
        });
      }
      if (first[slot.message] == kNobody) {
        first[slot.message] = i;
        continue;
      }
      const KafkaSlot& before = log_.slots[first[slot.message]];
      findings_->add("duplicate", all_, message.value, [&] {
        return example_of("duplicate message",
                          fmt::format("{} is at offset {} for p{} and at {} for p{}",
                                      name(message),
                                      before.offset,
                                      at(before.operation).process,
                                      slot.offset,
                                      at(slot.operation).process),
                          {{before.operation, true, fmt::format("at offset {}", before.offset)},
                           {slot.operation, true, fmt::format("at offset {}", slot.offset)}});
      });
    }
  }

  void find_lost() {
    std::vector<std::uint32_t> furthest(log_.keys.size(), kNobody);  // polled message of each key
    for (std::uint32_t i = 0; i < log_.messages.size(); ++i) {
      const KafkaMessage& message = log_.messages[i];
      if (message.polled == kNobody || message.place == KafkaMessage::kUnplaced) continue;
      std::uint32_t& best = furthest[message.key];
      if (best == kNobody || log_.messages[best].place < message.place) best = i;
    }
    for (const KafkaMessage& message : log_.messages) {
      if (message.polled != kNobody || message.glimpsed != kNobody) continue;
      const std::uint32_t beyond = furthest[message.key];
      const bool passed = message.place != KafkaMessage::kUnplaced && beyond != kNobody &&
                          message.last_place <= log_.messages[beyond].place;
      if (message.acknowledged == kNobody && (message.proven == kNobody || !passed)) continue;
      findings_->add(passed ? "lost write" : "unseen", all_, message.value, [&] {
        return passed ? lost(message, log_.messages[beyond]) : unseen(message);
      });
    }
  }

  [[nodiscard]] Counterexample lost(const KafkaMessage& message, const KafkaMessage& beyond) const {
    const bool acknowledged = message.acknowledged != kNobody;
    const std::uint32_t sender = acknowledged ? message.acknowledged : message.proven;
    const std::string_view how =
        acknowledged ? "acknowledged" : "committed, for another of its messages was polled,";
    return example_of(
        "lost write",
        fmt::format("p{}'s send of {} was {} and nobody polled it, although p{} polled {} behind "
                    "it",
                    at(sender).process,
                    name(message),
                    how,
                    at(beyond.polled).process,
                    text(beyond.value)),
        {{sender, true, acknowledged ? "acknowledged, never polled" : "committed, never polled"},
         {beyond.polled, true, "polled what is behind it"}});
  }

  [[nodiscard]] Counterexample unseen(const KafkaMessage& message) const {
    return example_of("unseen message",
                      fmt::format("p{}'s send of {} was acknowledged, but nobody ever polled it",
                                  at(message.acknowledged).process,
                                  name(message)),
                      {{message.acknowledged, true, "acknowledged, never polled"}});
  }

  void find_wrong_polls() {
    for (const KafkaMessage& message : log_.messages) {
      if (message.polled == kNobody) continue;
      if (message.acknowledged != kNobody || message.attempted != kNobody) continue;
      const bool failed = message.failed != kNobody;
      findings_->add(failed ? "aborted read" : "unexpected", all_, message.value, [&] {
        std::vector<Counterexample::Item> core{{message.polled, true, "shows it"}};
        if (failed) core.push_back({message.failed, true, "definitely failed"});
        return example_of(
            failed ? "aborted read (G1a)" : "unexpected message",
            fmt::format("p{} polled {}, {}",
                        at(message.polled).process,
                        name(message),
                        failed ? fmt::format("whose send by p{} failed", at(message.failed).process)
                               : "which nobody ever sent"),
            std::move(core));
      });
    }
  }

  // The rank of a message that has exactly one; kUnplaced otherwise.
  [[nodiscard]] std::int64_t place_of(const KafkaEntry& entry) const {
    const KafkaMessage& message = log_.messages[entry.message];
    return message.ambiguous ? KafkaMessage::kUnplaced : message.place;
  }

  // How far the log moved from one entry to the next; 1 when nobody knows.
  [[nodiscard]] std::int64_t distance(const KafkaEntry& from, const KafkaEntry& to) const {
    const std::int64_t first = place_of(from);
    const std::int64_t second = place_of(to);
    const bool known = first != KafkaMessage::kUnplaced && second != KafkaMessage::kUnplaced;
    return known ? second - first : 1;
  }

  // Whether the key was given to the consumer, or taken from it, during the operation.
  [[nodiscard]] bool is_moved(std::uint32_t operation, std::uint32_t key) const {
    return std::ranges::binary_search(log_.moves, KafkaMove{operation, key});
  }

  void report_step(std::string_view kind, const KafkaEntry& from, const KafkaEntry& to) {
    findings_->add(kind, all_, to.value, [&] {
      const bool back = distance(from, to) < 1;
      const std::string_view verb = to.sent ? "sent" : "polled";
      return example_of(
          kind,
          fmt::format("p{} {} {} and next {} of key {}, which is {}",
                      at(to.operation).process,
                      verb,
                      text(from.value),
                      text(to.value),
                      text(log_.keys[to.key]),
                      back ? "not behind it in the log"
                           : fmt::format("{} messages further on", distance(from, to))),
          {{from.operation, true, fmt::format("{} {}", verb, text(from.value))},
           {to.operation, true, fmt::format("{} {}", verb, text(to.value))}});
    });
  }

  // Inside one operation what it polls or sends of a key comes in the order of the log. What one of
  // unknown outcome polled is left alone, for nobody knows whether its consumer was moved.
  void find_inside_operations() {
    std::vector<const KafkaEntry*> entries;
    for (const KafkaEntry& entry : log_.entries) {
      const Outcome outcome = at(entry.operation).outcome;
      const bool judged = outcome == Outcome::ok || (entry.sent && outcome == Outcome::info);
      if (judged) entries.push_back(&entry);
    }
    std::ranges::stable_sort(entries, {}, [](const KafkaEntry* entry) {
      return std::tuple(entry->operation, entry->sent, entry->key);
    });
    for (std::size_t i = 1; i < entries.size(); ++i) {
      const KafkaEntry& from = *entries[i - 1];
      const KafkaEntry& to = *entries[i];
      if (from.operation != to.operation || from.sent != to.sent || from.key != to.key) continue;
      if (!to.sent && is_moved(to.operation, to.key)) continue;
      const std::int64_t step = distance(from, to);
      if (step < 1) {
        report_step(
            to.sent ? "internal nonmonotonic send" : "internal nonmonotonic poll", from, to);
      } else if (step > 1 && !to.sent) {
        report_step("internal poll skip", from, to);
      }
    }
  }

  // No transaction is shown its own messages, whatever becomes of it.
  void find_precommitted() {
    std::vector<const KafkaEntry*> entries;
    for (const KafkaEntry& entry : log_.entries) entries.push_back(&entry);
    std::ranges::stable_sort(entries, {}, [](const KafkaEntry* entry) {
      return std::tuple(entry->operation, entry->message);
    });
    for (std::size_t i = 1; i < entries.size(); ++i) {
      const KafkaEntry& from = *entries[i - 1];
      const KafkaEntry& to = *entries[i];
      const bool own = from.operation == to.operation && from.message == to.message;
      if (!own || from.sent == to.sent) continue;
      findings_->add("precommitted read", all_, to.value, [&] {
        return example_of("precommitted read",
                          fmt::format("p{} polled {} in the transaction that sent it",
                                      at(to.operation).process,
                                      name(log_.messages[to.message])),
                          {{to.operation, true, "sends and polls it"}});
      });
    }
  }

  // Where a process left off in each key: the last entry, as an index.
  struct Position {
    std::uint32_t key = 0;
    std::uint32_t entry = 0;
  };

  struct Positions {
    std::vector<Position> polled;
    std::vector<Position> sent;
  };

  // From one operation of a process to its next: polls go on where they left off, whatever becomes
  // of their transaction, sends do not go back. Keys that are assigned no more are forgotten.
  void find_across_operations() {
    std::unordered_map<std::int64_t, Positions> processes;
    std::uint32_t next = 0;
    for (std::uint32_t i = 0; i < history_->operations().size(); ++i) {
      const std::uint32_t begin = next;
      while (next < log_.entries.size() && log_.entries[next].operation == i) ++next;
      go_on(processes[at(i).process], i, std::pair(begin, next));
    }
  }

  // Judges the operation's entries by where its process is, and moves that on. An aborted
  // transaction leaves its consumer where it was, and so begins the next one.
  void go_on(Positions& positions,
             std::uint32_t index,
             std::pair<std::uint32_t, std::uint32_t> entries) {
    const Operation& operation = at(index);
    const bool failed = operation.outcome == Outcome::fail;
    const bool crashed = operation.outcome == Outcome::info;
    const KafkaRole role = kafka_role(*history_, operation);
    if (!failed && (role == KafkaRole::assign || role == KafkaRole::subscribe)) {
      forget_others(positions.polled, operation.input);
      forget_others(positions.sent, operation.input);
    }
    if (!failed && !crashed && operation.output.is_none()) positions.polled.clear();
    std::erase_if(positions.polled,
                  [&](const Position& position) { return is_moved(index, position.key); });
    // What a crashed one sent may come late, but not before what had been acknowledged.
    const Positions before = failed || crashed ? positions : Positions();
    for (std::uint32_t entry = entries.first; entry < entries.second; ++entry) {
      if (!failed || !log_.entries[entry].sent) move_on(positions, entry, entries.first);
    }
    if (failed || crashed) positions = before;
    // Whether it was committed, and its polls with it, nobody knows.
    if (crashed && (role == KafkaRole::poll || role == KafkaRole::txn)) positions.polled.clear();
  }

  void forget_others(std::vector<Position>& positions, Value keys) const {
    const auto kept = keys.is_list() ? history_->pool().items_of(keys) : std::span<const Value>();
    std::erase_if(positions, [&](const Position& position) {
      return std::ranges::find(kept, log_.keys[position.key]) == kept.end();
    });
  }

  void move_on(Positions& positions, std::uint32_t entry, std::uint32_t begin) {
    const KafkaEntry& to = log_.entries[entry];
    std::vector<Position>& of = to.sent ? positions.sent : positions.polled;
    const auto found = std::ranges::find(of, to.key, &Position::key);
    if (found == of.end()) {
      of.push_back({to.key, entry});
      return;
    }
    const KafkaEntry& from = log_.entries[found->entry];
    const bool inside = found->entry >= begin;
    found->entry = entry;
    if (inside) return;
    const std::int64_t step = distance(from, to);
    if (step < 1) report_step(to.sent ? "nonmonotonic send" : "nonmonotonic poll", from, to);
    if (step > 1 && !to.sent) report_step("poll skip", from, to);
  }

  void find_cycles() {
    std::vector<std::uint32_t> operations;
    for (const KafkaEntry& entry : log_.entries) {
      const bool may = !entry.sent || at(entry.operation).outcome != Outcome::fail;
      if (may && (operations.empty() || operations.back() != entry.operation)) {
        operations.push_back(entry.operation);
      }
    }
    OrderGraph graph(*history_, operations);
    const auto node_of = [&](std::uint32_t operation) {
      const auto found = std::ranges::lower_bound(operations, operation);
      return static_cast<std::uint32_t>(found - operations.begin());
    };
    for (const KafkaEntry& entry : log_.entries) {
      const std::uint32_t sender = log_.messages[entry.message].sender;
      if (entry.sent || sender == kNobody) continue;
      graph.graph().add(node_of(sender), node_of(entry.operation), OrderGraph::kObserved);
    }
    graph.add_process_order();
    graph.add_real_time();
    auto cycle =
        graph.find_cycle(OrderGraph::kObserved | OrderGraph::kProcess | OrderGraph::kRealTime,
                         "circular information flow (G1c)",
                         [&](std::uint32_t from, std::uint32_t to) {
                           return reason_of(graph.operation(from), graph.operation(to));
                         });
    if (cycle) findings_->add("G1c", all_, "", [&] { return std::move(*cycle); });
  }

  [[nodiscard]] OrderGraph::Reason reason_of(std::uint32_t from, std::uint32_t to) const {
    const auto seen = std::ranges::find_if(log_.entries, [&](const KafkaEntry& entry) {
      return !entry.sent && entry.operation == to && log_.messages[entry.message].sender == from;
    });
    const std::string message =
        seen == log_.entries.end() ? "a message" : name(log_.messages[seen->message]);
    return {
        "wr " + (seen == log_.entries.end() ? "" : text(log_.keys[seen->key])),
        fmt::format("p{} polled {}, which p{} sent", at(to).process, message, at(from).process)};
  }

  const history::History* history_;
  Findings* findings_;
  KafkaLog log_;
  KeyOperations all_;  // keys are inside the operations
  bool subscribed_ = false;
  bool unknown_polls_ = false;
};

bool knows(const history::History& history, const Operation& operation) {
  return kafka_role(history, operation) != KafkaRole::unknown;
}

// Whether it sends, by itself or in a transaction of nothing but sends and polls.
bool sends(const history::History& history, const Operation& operation) {
  const KafkaRole role = kafka_role(history, operation);
  if (role == KafkaRole::send) return true;
  const Value content = operation.output.is_list() ? operation.output : operation.input;
  if (role != KafkaRole::txn || !content.is_list()) return false;
  bool found = false;
  for (const Value part : history.pool().items_of(content)) {
    const auto words = part.is_list() ? history.pool().items_of(part) : std::span<const Value>();
    if (words.empty() || !words[0].is_text()) return false;
    const std::string_view word = history.pool().text_of(words[0]);
    if (word != "send" && word != "poll" && word != "rebalance") return false;
    found = found || word == "send";
  }
  return found;
}

bool fits(const history::History& history) {
  const auto sends_here = [&](const Operation& operation) { return sends(history, operation); };
  return std::ranges::any_of(history.operations(), sends_here) &&
         !unsuitable(history, "kafka", knows);
}

Verdict check(const history::History& history,
              std::string_view level,
              const CheckOptions&,
              std::stop_token) {
  if (auto verdict = unsuitable(history, "kafka", knows)) return *verdict;
  Findings findings(history);
  Kafka kafka(history, findings);
  kafka.judge(level);
  findings.measure("messages", static_cast<double>(kafka.messages()));
  return findings.finish(
      fmt::format("{} were delivered as a log should", counted(kafka.messages(), "message")),
      "nothing was sent or polled");
}

}  // namespace

ModelInfo kafka_model() {
  return {.name = "kafka",
          .summary = "Logs that are sent to and polled from, with offsets.",
          .levels = kLevels,
          .fits = fits,
          .check = check};
}

}  // namespace sunder::checkers
