// Goods and money: nothing is lost or made (conserved), and no more is promised than there is
// (no-oversell).
//
// Every item begins with `stock` units and every account with `credit` (the promise's parameters):
// what is left at the end plus what the sagas that are done took must be that. Objects of sagas
// that had not ended when they were read are not judged. For no-oversell the ledger is followed in
// its order; what an order took counts once, until it is first undone, whatever the service
// counted.
//
// Exercised: conserved, 5 objects from which was taken and a compensation that gave back;
// no-oversell, one order that was refused because nothing was left, of goods or of credit.

#include <set>

#include <fmt/format.h>

#include "checkers/outcomes.hpp"
#include "checkers/saga/record.hpp"

namespace sunder::checkers {

CheckerInfo saga_conserved_info();
CheckerInfo saga_no_oversell_info();

namespace {

using history::History;
using saga::Effect;
using saga::Findings;
using saga::kServices;
using saga::Phase;
using saga::Record;

constexpr double kStock = 60;
constexpr double kCredit = 700;
constexpr std::size_t kObjectsMin = 5;
// Goods and money: addresses have no limit.
constexpr std::size_t kLimited = 2;

std::int64_t initial_of(const CheckOptions& options, std::size_t step) {
  return static_cast<std::int64_t>(step == 0 ? parameter(options, "stock", kStock)
                                             : parameter(options, "credit", kCredit));
}

// Some order that took from the object, for a counter-example.
std::string_view order_of(const Record& record, std::size_t step, std::string_view object) {
  for (const Effect& effect : record.ledger(step)) {
    if (effect.take.object == object) return effect.order;
  }
  return {};
}

class Balance {
 public:
  Balance(const Record& record, std::size_t step, std::int64_t initial)
      : record_(record), step_(step), initial_(initial) {
    for (const auto& [number, saga] : record.sagas()) {
      const saga::Take& take = saga.terms[step];
      if (!saga.has_ended()) open_.insert(take.object);
      if (saga.phase == Phase::done) taken_[take.object] += take.amount;
    }
    for (const Effect& effect : record.ledger(step)) {
      if (record.is_too_late(effect)) open_.insert(effect.take.object);
    }
    for (const auto& [object, left] : record.levels(step)) objects_.insert(object);
    for (const auto& [object, amount] : taken_) objects_.insert(object);
  }

  // How many objects were judged.
  std::size_t judge(Findings& findings) const {
    std::size_t judged = 0;
    for (const std::string_view object : objects_) {
      if (open_.contains(object)) continue;
      ++judged;
      const auto level = record_.levels(step_).find(object);
      const std::int64_t left = level == record_.levels(step_).end() ? initial_ : level->second;
      const auto found = taken_.find(object);
      const std::int64_t taken = found == taken_.end() ? 0 : found->second;
      if (left + taken == initial_) continue;
      findings.add(example_of(
          record_,
          "not conserved",
          order_of(record_, step_, object),
          fmt::format("of {} {} began with {}, {} are left and {} went to orders that are done",
                      kServices[step_],
                      object,
                      initial_,
                      left,
                      taken)));
    }
    return judged;
  }

 private:
  const Record& record_;
  std::size_t step_;
  std::int64_t initial_;
  std::set<std::string_view> open_;
  std::set<std::string_view> objects_;
  std::map<std::string_view, std::int64_t> taken_;
};

Verdict check_conserved(const History& history, const CheckOptions& options, std::stop_token stop) {
  const Record record = Record::read(history);
  if (!record.missing().empty()) return not_read(record);
  Verdict verdict;
  Findings findings;
  std::size_t judged = 0;
  for (std::size_t step = 0; step < kLimited; ++step) {
    if (stop.stop_requested()) return verdict;
    judged += Balance(record, step, initial_of(options, step)).judge(findings);
  }
  if (findings.count() > 0) {
    findings.break_it(
        verdict,
        fmt::format(
            "of {} of {} items and accounts something was lost or made", findings.count(), judged));
  } else if (judged < kObjectsMin || record.compensated() == 0) {
    verdict.kind = VerdictKind::not_exercised;
    verdict.summary =
        fmt::format("{} items and accounts were judged and {} sagas gave back; {} and 1 are needed",
                    judged,
                    record.compensated(),
                    kObjectsMin);
  } else {
    verdict.kind = VerdictKind::kept;
    verdict.summary = fmt::format(
        "of each of {} items and accounts what is left and what was sold make what "
        "there was; {} sagas gave back",
        judged,
        record.compensated());
  }
  verdict.measurements = {{"items and accounts judged", static_cast<double>(judged), ""},
                          {"out of balance", static_cast<double>(findings.count()), ""}};
  return verdict;
}

// Follows one ledger: what orders hold of each object.
void judge_ledger(const Record& record,
                  std::size_t step,
                  std::int64_t initial,
                  Findings& findings) {
  std::map<std::string_view, std::int64_t> held;
  std::set<std::string_view> holding;
  std::set<std::string_view> over;
  for (const Effect& effect : record.ledger(step)) {
    const auto [object, amount] = effect.take;
    if (effect.undo && holding.erase(effect.order) > 0) held[object] -= amount;
    if (effect.undo || !holding.insert(effect.order).second) continue;
    held[object] += amount;
    if (held[object] <= initial || !over.insert(object).second) continue;
    findings.add(
        example_of(record,
                   "oversold",
                   effect.order,
                   fmt::format("with order {} {} had given {} of {}, of which there are {}",
                               effect.order,
                               kServices[step],
                               held[object],
                               object,
                               initial)));
  }
}

Verdict check_no_oversell(const History& history,
                          const CheckOptions& options,
                          std::stop_token stop) {
  const Record record = Record::read(history);
  if (!record.missing().empty()) return not_read(record);
  Verdict verdict;
  Findings findings;
  std::size_t refused = 0;
  for (const auto& [number, saga] : record.sagas()) {
    if (saga.reason.ends_with("sold out") || saga.reason.ends_with("no credit")) ++refused;
  }
  for (std::size_t step = 0; step < kLimited; ++step) {
    if (stop.stop_requested()) return verdict;
    judge_ledger(record, step, initial_of(options, step), findings);
    for (const auto& [object, left] : record.levels(step)) {
      if (left >= 0) continue;
      findings.add(
          example_of(record,
                     "less than nothing",
                     order_of(record, step, object),
                     fmt::format("{} says that {} of {} is left", kServices[step], left, object)));
    }
  }
  if (findings.count() > 0) {
    findings.break_it(
        verdict, fmt::format("{} items or accounts were given more than once", findings.count()));
  } else if (refused == 0) {
    verdict.kind = VerdictKind::not_exercised;
    verdict.summary = "nothing ever ran out: no order was refused for want of goods or credit";
  } else {
    verdict.kind = VerdictKind::kept;
    verdict.summary = fmt::format(
        "goods and credit ran out and {} orders were refused; never was more given than there was",
        refused);
  }
  verdict.measurements = {
      {"orders refused for want of goods or credit", static_cast<double>(refused), ""},
      {"oversold", static_cast<double>(findings.count()), ""}};
  return verdict;
}

}  // namespace

CheckerInfo saga_conserved_info() {
  return {.name = "saga-conserved",
          .summary = "What is left and what was sold make what there was.",
          .check = check_conserved};
}

CheckerInfo saga_no_oversell_info() {
  return {.name = "saga-no-oversell",
          .summary = "Never is more promised than there is.",
          .check = check_no_oversell};
}

}  // namespace sunder::checkers
