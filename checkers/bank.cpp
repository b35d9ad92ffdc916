// Transfers between accounts never change what they hold together (Jepsen's `bank`).
//
// Every read of the whole bank shows known accounts only, a balance for each, and the same total;
// with the level non-negative no balance below zero either. Accounts and total are those of the
// first read, unless the parameter `total` says otherwise. A read is a list of [account balance]
// pairs (a map, as Jepsen writes it) or a plain list of balances. O(n) in the balances read.

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "checkers/exact_sum.hpp"
#include "checkers/findings.hpp"
#include "checkers/outcomes.hpp"

namespace sunder::checkers {
namespace {

using history::Function;
using history::Operation;
using history::Value;

constexpr std::array kLevels{
    LevelInfo{"non-negative", "The total never changes, and no balance is below zero."},
    LevelInfo{"any-balance", "The total never changes; accounts may be overdrawn."}};

struct Balance {
  Value account;  // none: the list has no names
  Value amount;
};

// Of one entry of a read.
Balance balance_of(const history::ValuePool& pool, Value item) {
  const auto pair = item.is_list() ? pool.items_of(item) : std::span<const Value>();
  return pair.size() == 2 ? Balance{pair[0], pair[1]} : Balance{Value(), item};
}

// The balances of a read, in its order.
void read_balances(const history::ValuePool& pool, Value output, std::vector<Balance>& balances) {
  balances.clear();
  if (!output.is_list()) return;
  for (const Value item : pool.items_of(output)) balances.push_back(balance_of(pool, item));
}

using Total = ExactSum;

Total total_of(const std::vector<Balance>& balances) {
  Total total = 0;
  for (const Balance& balance : balances) {
    if (balance.amount.is_integer()) total += balance.amount.raw();
  }
  return total;
}

std::string total_text(Total total) {
  return fmt::format("{}", total);
}

class Bank {
 public:
  Bank(const history::History& history,
       const KeyOperations& key,
       Findings& findings,
       std::optional<Total> total)
      : history_(&history), key_(&key), findings_(&findings), total_(total) {}

  void judge() {
    std::vector<std::uint32_t> order;  // of completion: the first read sets the standard
    for (const std::uint32_t i : key_->operations) {
      const Operation& operation = at(i);
      const bool known = operation.function == Function::read &&
                         operation.outcome == history::Outcome::ok && !operation.output.is_none();
      if (known) order.push_back(i);
    }
    std::ranges::stable_sort(order, {}, [&](std::uint32_t i) { return at(i).complete; });
    for (const std::uint32_t i : order) judge_read(i);
  }

  std::size_t reads = 0;

 private:
  [[nodiscard]] const Operation& at(std::uint32_t index) const {
    return history_->operations()[index];
  }

  void judge_read(std::uint32_t index) {
    ++reads;
    findings_->observed();
    read_balances(history_->pool(), at(index).output, balances_);
    if (first_ == kNone) {
      first_ = index;
      for (const Balance& balance : balances_) accounts_.push_back(balance.account);
      std::ranges::sort(accounts_);
      first_total_ = total_of(balances_);
    }
    for (const Balance& balance : balances_) {
      if (!std::ranges::binary_search(accounts_, balance.account)) {
        report_account(index, balance);
      } else if (!balance.amount.is_integer()) {
        report_missing(index, balance);
      } else if (balance.amount.raw() < 0) {
        report_negative(index, balance);
      }
    }
    const Total total = total_of(balances_);
    if (total != total_.value_or(first_total_)) report_total(index, total);
  }

  void report_total(std::uint32_t index, Total total) {
    findings_->add("wrong total", *key_, total_text(total), [&] {
      const std::string found =
          fmt::format("p{} read accounts with {} in all", at(index).process, total_text(total));
      if (total_) {
        return example_of("wrong total",
                          fmt::format("{}, not {}", found, total_text(*total_)),
                          {{index, true, "adds up to " + total_text(total)}});
      }
      return example_of("wrong total",
                        fmt::format("{}, p{}'s first read {} in all",
                                    found,
                                    at(first_).process,
                                    total_text(first_total_)),
                        {{first_, true, "adds up to " + total_text(first_total_)},
                         {index, true, "adds up to " + total_text(total)}});
    });
  }

  void report_account(std::uint32_t index, const Balance& balance) {
    findings_->add("unexpected account", *key_, balance.account, [&] {
      return example_of("unexpected account",
                        fmt::format("p{} read the account {}, which p{}'s first read does not have",
                                    at(index).process,
                                    history_->pool().describe(balance.account),
                                    at(first_).process),
                        {{first_, true, "has other accounts"}, {index, true, "shows it"}});
    });
  }

  void report_missing(std::uint32_t index, const Balance& balance) {
    findings_->add("no balance", *key_, balance.account, [&] {
      return example_of("no balance",
                        fmt::format("p{} read {} as the balance of account {}",
                                    at(index).process,
                                    history_->pool().describe(balance.amount),
                                    history_->pool().describe(balance.account)),
                        {{index, true, "shows no balance"}});
    });
  }

  void report_negative(std::uint32_t index, const Balance& balance) {
    findings_->add("negative balance", *key_, balance.account, [&] {
      return example_of("negative balance",
                        fmt::format("p{} read {} as the balance of account {}",
                                    at(index).process,
                                    balance.amount.raw(),
                                    history_->pool().describe(balance.account)),
                        {{index, true, "shows a balance below zero"}});
    });
  }

  static constexpr std::uint32_t kNone = 0xffffffff;

  const history::History* history_;
  const KeyOperations* key_;
  Findings* findings_;
  std::optional<Total> total_;  // as the parameter says
  std::uint32_t first_ = kNone;
  Total first_total_ = 0;
  std::vector<Value> accounts_;  // of the first read, sorted
  std::vector<Balance> balances_;
};

// Balances are integers of 64 bits; what is written as text, fractions and longer numbers too,
// cannot be added up. None at all is a finding.
bool knows(const history::History& history, const Operation& operation) {
  if (operation.function == Function::transfer) return true;
  if (operation.function != Function::read) return false;
  if (!operation.output.is_list()) return operation.output.is_none() || operation.output.is_nil();
  const history::ValuePool& pool = history.pool();
  return std::ranges::none_of(pool.items_of(operation.output),
                              [&](Value item) { return balance_of(pool, item).amount.is_text(); });
}

// A read that shows accounts with their balances.
bool shows_balances(const history::History& history, const Operation& operation) {
  const auto is_balance = [&](Value item) {
    if (!item.is_list()) return false;
    const auto pair = history.pool().items_of(item);
    return pair.size() == 2 && pair[1].is_integer();
  };
  if (!operation.output.is_list()) return false;
  const auto items = history.pool().items_of(operation.output);
  return !items.empty() && std::ranges::all_of(items, is_balance);
}

// Transfers, or nothing but reads of balances.
bool fits(const history::History& history) {
  if (unsuitable(history, "bank", knows)) return false;
  return std::ranges::any_of(history.operations(), [&](const Operation& operation) {
    return operation.function == Function::transfer || shows_balances(history, operation);
  });
}

Verdict check(const history::History& history,
              std::string_view level,
              const CheckOptions& options,
              std::stop_token) {
  if (auto verdict = unsuitable(history, "bank", knows)) return *verdict;
  Findings findings(history);
  if (level == "any-balance") findings.tolerate("negative balance");
  std::optional<Total> total;
  if (options.parameters.contains("total")) {
    total = static_cast<std::int64_t>(parameter(options, "total", 0));
  }
  std::size_t reads = 0;
  for (const KeyOperations& key : split_by_key(history)) {
    Bank bank(history, key, findings, total);
    bank.judge();
    reads += bank.reads;
  }
  findings.measure("reads", static_cast<double>(reads));
  return findings.finish(fmt::format("{} show the same total{}",
                                     counted(reads, "read"),
                                     level == "any-balance" ? "" : " and no negative balance"),
                         "the bank was never read");
}

}  // namespace

ModelInfo bank_model() {
  static constexpr std::array kParameters{
      ParameterInfo{"total", "what all accounts hold; without it: what the first read shows"}};
  return {.name = "bank",
          .summary = "Accounts with transfers between them: the total never changes.",
          .levels = kLevels,
          .fits = fits,
          .check = check,
          .parameters = kParameters};
}

}  // namespace sunder::checkers
