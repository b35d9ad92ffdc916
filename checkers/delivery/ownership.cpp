// Who owned a message when: deliveries, their ends, and the receipts that were accepted or refused.
// checkers/delivery/problems.hpp says how it is decided.

#include <algorithm>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "checkers/delivery/problems.hpp"
#include "checkers/outcomes.hpp"
#include "checkers/phrase.hpp"

namespace sunder::checkers::delivery {

using history::kNever;
using history::Operation;
using history::Outcome;

namespace {

constexpr std::int64_t kBeginning = std::numeric_limits<std::int64_t>::min();

class OwnershipSearch {
 public:
  explicit OwnershipSearch(const Lives& lives) : lives_(lives) {}

  std::vector<Problem> run() {
    for (const Life& life : lives_.all()) {
      life_ = &life;
      std::int64_t now = life.send ? lives_.begin(*life.send) : kBeginning;
      now = follow(life.live, now, !life.dead.deliveries.empty());
      follow(life.dead, now, false);
    }
    return std::move(problems_);
  }

 private:
  // When a delivery was over at the earliest; none: it may still stand.
  struct Ending {
    std::int64_t earliest = 0;
    bool acknowledged = false;
  };

  // The earliest time at which the last of the deliveries was over.
  std::int64_t follow(const Stay& stay, std::int64_t now, bool goes_on) {
    const auto& deliveries = stay.deliveries;
    for (std::size_t i = 0; i < deliveries.size(); ++i) {
      const Delivery& delivery = deliveries[i];
      if (i > 0 && deliveries[i - 1].receipt == delivery.receipt) {
        add(ProblemKind::shared_receipt,
            delivery.operation,
            deliveries[i - 1].operation,
            "got the receipt that another had got");
        continue;
      }
      std::int64_t grant = std::max(now, lives_.begin(delivery.operation));
      const std::int64_t end = lives_.end(delivery.operation);
      if (grant > end) {
        // Before the first one it was not even sent: that is another problem's.
        if (i > 0) {
          add(ProblemKind::overlap,
              delivery.operation,
              deliveries[i - 1].operation,
              fmt::format("got it at {} at the latest, when its owner had it until {} at least",
                          seconds_text(end),
                          seconds_text(now)));
        }
        grant = end;
      }
      const bool more = goes_on || i + 1 < deliveries.size();
      now = ending_of(delivery, grant, more).earliest;
    }
    return now;
  }

  [[nodiscard]] bool is(const Use& use, Role role, Outcome outcome) const {
    return use.role == role && lives_.at(use.operation).outcome == outcome;
  }

  Ending ending_of(const Delivery& delivery, std::int64_t grant, bool more) {
    std::int64_t floor = grant;  // accepted extensions come before the end
    for (const Use& use : delivery.uses) {
      if (lives_.at(use.operation).outcome != Outcome::ok) continue;
      if (lives_.end(use.operation) < grant) {
        add(ProblemKind::accepted_receipt,
            use.operation,
            delivery.operation,
            "was accepted before the message was delivered under that receipt");
      }
      if (use.role == Role::extend) floor = std::max(floor, lives_.begin(use.operation));
    }
    Ending ending = accepted_ending(delivery, floor, more);
    if (ending.earliest == kBeginning) ending.earliest = doubtful_ending(delivery, floor, grant);
    for (const Use& use : delivery.uses) judge_refusal(use, delivery, ending.earliest);
    return ending;
  }

  // By an accepted ack or nack; kBeginning: there is none.
  Ending accepted_ending(const Delivery& delivery, std::int64_t floor, bool more) {
    Ending ending{.earliest = kBeginning};
    std::optional<std::uint32_t> by;
    for (const Use& use : delivery.uses) {
      if (!is(use, Role::ack, Outcome::ok) && !is(use, Role::nack, Outcome::ok)) continue;
      if (by) {
        add(ProblemKind::accepted_receipt,
            use.operation,
            *by,
            "was accepted although the receipt had been used up");
        continue;
      }
      by = use.operation;
      ending.acknowledged = use.role == Role::ack;
      ending.earliest = std::max(floor, lives_.begin(use.operation));
      if (ending.earliest > lives_.end(use.operation)) {
        add(ProblemKind::accepted_receipt,
            use.operation,
            delivery.operation,
            "was accepted before an extension that was accepted, too");
      }
    }
    if (ending.acknowledged && more) report_return(delivery, *by);
    return ending;
  }

  // By its visibility time, or by what may have taken effect.
  [[nodiscard]] std::int64_t doubtful_ending(const Delivery& delivery,
                                             std::int64_t floor,
                                             std::int64_t grant) const {
    std::int64_t earliest = kNever;
    if (floor == grant && !has_accepted_extension(delivery)) earliest = grant + delivery.lease;
    for (const Use& use : delivery.uses) {
      if (lives_.at(use.operation).outcome == Outcome::fail) continue;
      const std::int64_t at = std::max(floor, lives_.begin(use.operation));
      if (use.role != Role::extend) {
        earliest = std::min(earliest, at);
      } else if (may_be_last(use, delivery)) {
        earliest = std::min(earliest, at + use.lease);
      }
    }
    return earliest;
  }

  [[nodiscard]] bool has_accepted_extension(const Delivery& delivery) const {
    return std::ranges::any_of(
        delivery.uses, [this](const Use& use) { return is(use, Role::extend, Outcome::ok); });
  }

  // No accepted extension surely came after it.
  [[nodiscard]] bool may_be_last(const Use& extension, const Delivery& delivery) const {
    return std::ranges::none_of(delivery.uses, [&](const Use& other) {
      return is(other, Role::extend, Outcome::ok) &&
             lives_.end(extension.operation) < lives_.begin(other.operation);
    });
  }

  void judge_refusal(const Use& use, const Delivery& delivery, std::int64_t earliest_end) {
    if (lives_.at(use.operation).outcome != Outcome::fail) return;
    // It may have come before the delivery.
    if (lives_.begin(use.operation) <= lives_.end(delivery.operation)) return;
    if (earliest_end <= lives_.end(use.operation)) return;
    add(ProblemKind::refused_owner,
        use.operation,
        delivery.operation,
        fmt::format("was refused although the message was its own until {} at least",
                    seconds_text(earliest_end)));
  }

  void report_return(const Delivery& delivery, std::uint32_t acknowledgement) {
    const Delivery* next = nullptr;
    for (const Stay* stay : {&life_->live, &life_->dead}) {
      const bool same = std::ranges::any_of(stay->deliveries, [&](const Delivery& other) {
        return other.operation == delivery.operation;
      });
      const bool later_stay = stay == &life_->dead && !same;
      for (const Delivery& other : stay->deliveries) {
        const bool later = later_stay || (same && other.receipt > delivery.receipt);
        if (next == nullptr && later) next = &other;
      }
    }
    if (next == nullptr) return;
    add(ProblemKind::returned,
        next->operation,
        acknowledgement,
        fmt::format("got it although {} had been accepted",
                    phrase(lives_.history(), lives_.at(acknowledgement))));
  }

  void add(ProblemKind kind, std::uint32_t operation, std::uint32_t other, std::string_view what) {
    Problem problem;
    problem.kind = kind;
    problem.queue = life_->queue;
    problem.number = life_->number;
    problem.why = fmt::format(
        "message {}: {} {}", life_->number, phrase(lives_.history(), lives_.at(operation)), what);
    problem.items.push_back({other, true, "before"});
    problem.items.push_back({operation, true, "contradicts it"});
    problems_.push_back(std::move(problem));
  }

  const Lives& lives_;
  const Life* life_ = nullptr;  // judged just now
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> find_ownership_problems(const Lives& lives) {
  return OwnershipSearch(lives).run();
}

}  // namespace sunder::checkers::delivery
