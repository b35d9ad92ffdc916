#include "checkers/kafka_log.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>

#include "checkers/value_index.hpp"

namespace sunder::checkers {
namespace {

using history::Operation;
using history::Outcome;
using history::Value;

struct RoleName {
  std::string_view name;
  KafkaRole role;
};

constexpr std::array kRoles{
    RoleName{"assign", KafkaRole::assign},
    RoleName{"crash", KafkaRole::other},
    RoleName{"debug-topic-partitions", KafkaRole::other},
    RoleName{"poll", KafkaRole::poll},
    RoleName{"send", KafkaRole::send},
    RoleName{"subscribe", KafkaRole::subscribe},
    RoleName{"txn", KafkaRole::txn},
};

class LogReader {
 public:
  explicit LogReader(const history::History& history)
      : history_(&history), pool_(&history.pool()), keys_(count_keys()) {}

  [[nodiscard]] KafkaLog read() {
    for (std::uint32_t i = 0; i < history_->operations().size(); ++i) read_operation(i);
    for (std::uint32_t key = 0; key < keys_.size(); ++key) log_.keys.push_back(keys_.value(key));
    number_messages();
    for (const KafkaEntry& entry : log_.entries) note(entry);
    find_proven();
    for (const KafkaEntry& entry : log_.entries) locate(entry);
    std::ranges::sort(log_.moves);
    place_messages();
    return std::move(log_);
  }

 private:
  [[nodiscard]] bool has_parts(const Operation& operation) const {
    const KafkaRole role = kafka_role(*history_, operation);
    return role == KafkaRole::send || role == KafkaRole::poll || role == KafkaRole::txn;
  }

  [[nodiscard]] Value content_of(const Operation& operation) const {
    return operation.output.is_list() ? operation.output : operation.input;
  }

  [[nodiscard]] std::size_t count_keys() const {
    std::size_t count = 0;
    for_each_part([&](std::uint32_t, std::span<const Value> part) {
      count += 1;
      if (part.size() == 2 && part[1].is_list()) count += pool_->items_of(part[1]).size();
    });
    return count;
  }

  template <typename Visit>
  void for_each_part_of(std::uint32_t index, const Visit& visit) const {
    const Operation& operation = history_->operations()[index];
    const Value content = content_of(operation);
    if (!has_parts(operation) || !content.is_list()) return;
    for (const Value part : pool_->items_of(content)) {
      if (part.is_list()) visit(index, pool_->items_of(part));
    }
  }

  template <typename Visit>
  void for_each_part(const Visit& visit) const {
    for (std::uint32_t i = 0; i < history_->operations().size(); ++i) for_each_part_of(i, visit);
  }

  void read_operation(std::uint32_t index) {
    for_each_part_of(index, [&](std::uint32_t, std::span<const Value> part) {
      if (part.empty() || !part[0].is_text()) return;
      const std::string_view word = pool_->text_of(part[0]);
      if (word == "send" && part.size() == 3) read_send(index, part[1], part[2]);
      if (part.size() != 2 || !part[1].is_list()) return;
      if (word == "poll") read_poll(index, part[1]);
      if (word != "rebalance") return;
      for (const Value key : pool_->items_of(part[1])) {
        log_.moves.push_back({index, keys_.number(key)});
      }
    });
  }

  void add(std::uint32_t index, Value key, Value offset, Value value, bool sent) {
    KafkaEntry entry;
    entry.key = keys_.number(key);
    entry.operation = index;
    entry.offset = offset.is_integer() ? offset.raw() : -1;
    entry.value = value;
    entry.sent = sent;
    log_.entries.push_back(entry);
  }

  // The value, or [offset value] once that is known.
  void read_send(std::uint32_t index, Value key, Value content) {
    const Operation& operation = history_->operations()[index];
    const bool told = operation.outcome == Outcome::ok || operation.output.is_list();
    const auto pair =
        told && content.is_list() ? pool_->items_of(content) : std::span<const Value>();
    if (pair.size() == 2) {
      add(index, key, pair[0], pair[1], true);
    } else {
      add(index, key, Value(), content, true);
    }
  }

  void read_poll(std::uint32_t index, Value polled) {
    for (const Value item : pool_->items_of(polled)) {
      const auto of_key = item.is_list() ? pool_->items_of(item) : std::span<const Value>();
      if (of_key.size() != 2 || !of_key[1].is_list()) continue;
      for (const Value message : pool_->items_of(of_key[1])) {
        const auto pair = message.is_list() ? pool_->items_of(message) : std::span<const Value>();
        if (pair.size() == 2) add(index, of_key[0], pair[0], pair[1], false);
      }
    }
  }

  void number_messages() {
    std::vector<std::uint32_t> order(log_.entries.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
    const auto name = [&](std::uint32_t i) {
      return std::pair(log_.entries[i].key, log_.entries[i].value);
    };
    std::ranges::sort(order, {}, name);
    for (const std::uint32_t i : order) {
      KafkaEntry& entry = log_.entries[i];
      const bool again = !log_.messages.empty() && log_.messages.back().key == entry.key &&
                         log_.messages.back().value == entry.value;
      if (!again) {
        log_.messages.push_back({});
        log_.messages.back().key = entry.key;
        log_.messages.back().value = entry.value;
      }
      entry.message = static_cast<std::uint32_t>(log_.messages.size() - 1);
    }
  }

  void note(const KafkaEntry& entry) {
    KafkaMessage& message = log_.messages[entry.message];
    const auto keep_first = [&](std::uint32_t& place) {
      if (place == KafkaMessage::kNobody) place = entry.operation;
    };
    const Outcome outcome = outcome_of(entry);
    if (!entry.sent) {
      if (outcome == Outcome::ok) keep_first(message.polled);
      if (outcome == Outcome::info) keep_first(message.glimpsed);
      return;
    }
    if (outcome == Outcome::fail) {
      keep_first(message.failed);
      return;
    }
    const bool first =
        message.acknowledged == KafkaMessage::kNobody && message.attempted == KafkaMessage::kNobody;
    if (first) {
      message.sender = entry.operation;
    } else if (message.sender != entry.operation) {
      message.sender = KafkaMessage::kNobody;
    }
    keep_first(outcome == Outcome::ok ? message.acknowledged : message.attempted);
  }

  // Operations of unknown outcome that sent what nobody else can have sent and somebody polled.
  void find_proven() {
    proven_.assign(history_->operations().size(), 0);
    for (const KafkaMessage& message : log_.messages) {
      if (message.sender == KafkaMessage::kNobody || message.polled == KafkaMessage::kNobody) {
        continue;
      }
      if (message.attempted == message.sender) proven_[message.sender] = 1;
    }
  }

  void locate(const KafkaEntry& entry) {
    const Outcome outcome = outcome_of(entry);
    const bool proven = outcome == Outcome::info && proven_[entry.operation] != 0;
    if (entry.sent && outcome != Outcome::ok && !proven) return;
    if (entry.sent && proven) {
      KafkaMessage& message = log_.messages[entry.message];
      if (message.proven == KafkaMessage::kNobody) message.proven = entry.operation;
    }
    if (entry.offset < 0) return;
    log_.slots.push_back({entry.key, entry.offset, entry.message, entry.operation});
  }

  [[nodiscard]] Outcome outcome_of(const KafkaEntry& entry) const {
    return history_->operations()[entry.operation].outcome;
  }

  void place_messages() {
    std::ranges::stable_sort(log_.slots, {}, [](const KafkaSlot& slot) {
      return std::tuple(slot.key, slot.offset, slot.message);
    });
    const auto same = [](const KafkaSlot& a, const KafkaSlot& b) {
      return a.key == b.key && a.offset == b.offset && a.message == b.message;
    };
    const auto rest = std::ranges::unique(log_.slots, same);
    log_.slots.erase(rest.begin(), rest.end());
    std::int64_t place = -1;
    for (std::size_t i = 0; i < log_.slots.size(); ++i) {
      const KafkaSlot& slot = log_.slots[i];
      const bool new_key = i == 0 || log_.slots[i - 1].key != slot.key;
      if (new_key) place = -1;
      if (new_key || log_.slots[i - 1].offset != slot.offset) ++place;
      KafkaMessage& message = log_.messages[slot.message];
      if (message.place == KafkaMessage::kUnplaced) {
        message.place = place;
      } else {
        message.ambiguous = true;
      }
      message.last_place = place;
    }
  }

  const history::History* history_;
  const history::ValuePool* pool_;
  ValueIndex keys_;
  KafkaLog log_;
  std::vector<std::uint8_t> proven_;  // of each operation
};

}  // namespace

KafkaRole kafka_role(const history::History& history, const Operation& operation) {
  const std::string_view name = history.pool().name(operation.function_name);
  const auto found =
      std::ranges::find(kRoles, name.empty() ? name_of(operation.function) : name, &RoleName::name);
  return found == kRoles.end() ? KafkaRole::unknown : found->role;
}

KafkaLog read_kafka_log(const history::History& history) {
  return LogReader(history).read();
}

}  // namespace sunder::checkers
