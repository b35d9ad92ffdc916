#include "checkers/elle/transactions.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace sunder::checkers::elle {
namespace {

using history::Function;
using history::Operation;
using history::Outcome;
using history::Value;

struct Word {
  std::string_view name;
  MicroKind kind;
};

constexpr std::array kWords{
    Word{"append", MicroKind::append},
    Word{"get", MicroKind::read},
    Word{"put", MicroKind::write},
    Word{"r", MicroKind::read},
    Word{"read", MicroKind::read},
    Word{"w", MicroKind::write},
    Word{"write", MicroKind::write},
};

class Gathering {
 public:
  Gathering(const history::History& history, MicroKind writing)
      : history_(&history), writing_(writing) {
    for (std::size_t i = 0; i < kWords.size(); ++i) {
      words_[i] = history.pool().find_symbol(kWords[i].name);
    }
  }

  [[nodiscard]] Transactions run() && {
    const auto& operations = history_->operations();
    count(operations);
    for (std::uint32_t i = 0; i < operations.size(); ++i) {
      if (!take(operations[i], i)) {
        result_.foreign = history_->describe(operations[i]);
        break;
      }
    }
    return std::move(result_);
  }

 private:
  // What it did, as far as that is known; nothing when it is no list.
  [[nodiscard]] static Value list_of(const Operation& operation) noexcept {
    const bool told = operation.outcome == Outcome::ok && operation.output.is_list();
    return told ? operation.output : operation.input;
  }

  void count(const std::vector<Operation>& operations) {
    std::size_t micro = 0;
    for (const Operation& operation : operations) {
      const Value list = list_of(operation);
      if (list.is_list()) micro += history_->pool().items_of(list).size();
    }
    result_.all.reserve(operations.size());
    result_.micro.reserve(micro);
    result_.keys = ValueIndex(micro);
  }

  [[nodiscard]] bool take(const Operation& operation, std::uint32_t index) {
    const bool named = operation.function == Function::txn ||
                       (operation.function == Function::other && operation.function_name == 0);
    const Value list = list_of(operation);
    if (!named || !list.is_list()) return false;
    Transaction transaction;
    transaction.operation = index;
    transaction.outcome = operation.outcome;
    transaction.begin = static_cast<std::uint32_t>(result_.micro.size());
    const bool told = operation.outcome == Outcome::ok && operation.output.is_list();
    for (const Value item : history_->pool().items_of(list)) {
      if (!take_micro(item, told)) return false;
    }
    transaction.end = static_cast<std::uint32_t>(result_.micro.size());
    result_.all.push_back(transaction);
    result_.observed = result_.observed || operation.outcome == Outcome::ok;
    return true;
  }

  [[nodiscard]] bool take_micro(Value item, bool told) {
    if (!item.is_list()) return false;
    const std::span<const Value> parts = history_->pool().items_of(item);
    if (parts.size() < 2 || parts.size() > 3 || !parts[0].is_text()) return false;
    const auto word = std::ranges::find(words_, static_cast<history::Symbol>(parts[0].raw()));
    if (word == words_.end() || *word == 0) return false;
    MicroOperation micro;
    micro.kind = kWords[static_cast<std::size_t>(word - words_.begin())].kind;
    if (micro.kind != MicroKind::read && (micro.kind != writing_ || parts.size() != 3)) {
      return false;
    }
    micro.key = result_.keys.number(parts[1]);
    const bool known = micro.kind != MicroKind::read || told;
    // A read that says no more than its key found nothing there, as Elle takes it.
    if (known) micro.value = parts.size() == 3 ? parts[2] : Value::nil();
    result_.micro.push_back(micro);
    return true;
  }

  const history::History* history_;
  MicroKind writing_;
  std::array<history::Symbol, kWords.size()> words_{};
  Transactions result_;
};

}  // namespace

Transactions gather_transactions(const history::History& history, MicroKind writing) {
  return Gathering(history, writing).run();
}

std::string name_transaction(const history::History& history,
                             const Transactions& transactions,
                             std::uint32_t transaction) {
  const Operation& operation = history.operations()[transactions.all[transaction].operation];
  return fmt::format("T{} of p{}", transaction + 1, operation.process);
}

std::string name_key(const history::History& history,
                     const Transactions& transactions,
                     std::uint32_t key) {
  const Value value = transactions.keys.value(key);
  if (value.is_text()) return std::string(history.pool().text_of(value));
  return history.pool().describe(value);
}

}  // namespace sunder::checkers::elle
