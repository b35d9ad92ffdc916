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
      owner_.reset();
      now = follow(life.live, now, !life.dead.deliveries.empty());
      follow(life.dead, now, false);
    }
    return std::move(problems_);
  }

 private:
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
        if (owner_) {
          add(ProblemKind::overlap,
              delivery.operation,
              *owner_,
              fmt::format("got it at {} at the latest, when its owner had it until {} at least",
                          seconds_text(end),
                          seconds_text(now)));
        }
        grant = end;
      }
      const bool more = goes_on || i + 1 < deliveries.size();
      grant = after_early_refusals(delivery, grant, more);
      report_uses(delivery, grant, more);
      now = earliest_end(delivery, grant, more);
      owner_ = delivery.operation;
    }
    return now;
  }

  [[nodiscard]] bool is(const Use& use, Role role, Outcome outcome) const {
    return use.role == role && lives_.at(use.operation).outcome == outcome;
  }

  // A refusal that came too early for the end came before the delivery, which it puts off.
  [[nodiscard]] std::int64_t after_early_refusals(const Delivery& delivery,
                                                  std::int64_t grant,
                                                  bool more) const {
    const std::int64_t latest = lives_.end(delivery.operation);
    // Each use puts it off once at most.
    for (std::size_t i = 0; i <= delivery.uses.size(); ++i) {
      const std::int64_t end = earliest_end(delivery, grant, more);
      const std::int64_t before = grant;
      for (const Use& use : delivery.uses) {
        const bool refused = lives_.at(use.operation).outcome == Outcome::fail;
        const std::int64_t begin = lives_.begin(use.operation);
        if (refused && lives_.end(use.operation) < end && begin <= latest)
          grant = std::max(grant, begin);
      }
      if (grant == before) break;
    }
    return grant;
  }

  [[nodiscard]] std::int64_t earliest_end(const Delivery& delivery,
                                          std::int64_t grant,
                                          bool more) const {
    std::int64_t floor = grant;  // accepted extensions come before the end
    for (const Use& use : delivery.uses) {
      if (is(use, Role::extend, Outcome::ok)) floor = std::max(floor, lives_.begin(use.operation));
    }
    const Use* const ending = accepted_ending(delivery);
    if (ending != nullptr) return std::max(floor, lives_.begin(ending->operation));
    return doubtful_end(delivery, {.grant = grant, .floor = floor, .more = more});
  }

  // The accepted ack or nack; null: there is none.
  [[nodiscard]] const Use* accepted_ending(const Delivery& delivery) const {
    const auto found = std::ranges::find_if(delivery.uses, [this](const Use& use) {
      return is(use, Role::ack, Outcome::ok) || is(use, Role::nack, Outcome::ok);
    });
    return found == delivery.uses.end() ? nullptr : &*found;
  }

  void report_uses(const Delivery& delivery, std::int64_t grant, bool more) {
    const std::int64_t end = earliest_end(delivery, grant, more);
    const Use* const ending = accepted_ending(delivery);
    for (const Use& use : delivery.uses) {
      const Outcome outcome = lives_.at(use.operation).outcome;
      const std::int64_t over = lives_.end(use.operation);
      const bool ends = use.role != Role::extend;
      if (outcome == Outcome::ok && over < grant) {
        add(ProblemKind::accepted_receipt,
            use.operation,
            delivery.operation,
            "was accepted before the message was delivered under that receipt");
      } else if (outcome == Outcome::ok && ends && &use != ending) {
        add(ProblemKind::accepted_receipt,
            use.operation,
            ending->operation,
            "was accepted although the receipt had been used up");
      } else if (outcome == Outcome::ok && ends && over < end) {
        add(ProblemKind::accepted_receipt,
            use.operation,
            delivery.operation,
            "was accepted before an extension that was accepted, too");
      } else if (outcome == Outcome::fail && over < end &&
                 lives_.begin(use.operation) > lives_.end(delivery.operation)) {
        add(ProblemKind::refused_owner,
            use.operation,
            delivery.operation,
            fmt::format("was refused although the message was its own until {} at least",
                        seconds_text(end)));
      }
    }
    const bool acknowledged = ending != nullptr && ending->role == Role::ack;
    if (acknowledged && more) report_return(delivery, ending->operation);
  }

  struct Standing {
    std::int64_t grant = 0;
    std::int64_t floor = 0;  // it stood until then at least
    bool more = false;       // the message was delivered again
  };

  // By its visibility time, or by what may have taken effect.
  [[nodiscard]] std::int64_t doubtful_end(const Delivery& delivery,
                                          const Standing& standing) const {
    std::int64_t earliest = kNever;
    if (!has_accepted_extension(delivery)) earliest = standing.grant + delivery.lease;
    for (const Use& use : delivery.uses) {
      if (lives_.at(use.operation).outcome == Outcome::fail) continue;
      // What came again was not acknowledged.
      if (use.role == Role::ack && standing.more) continue;
      const std::int64_t at = std::max(standing.floor, lives_.begin(use.operation));
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
    if (lives_.begin(acknowledgement) > lives_.end(next->operation)) {
      add(ProblemKind::accepted_receipt,
          acknowledgement,
          next->operation,
          "was accepted although somebody else had received it meanwhile");
      return;
    }
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
  const Life* life_ = nullptr;          // judged just now
  std::optional<std::uint32_t> owner_;  // the receive of the last delivery so far
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> find_ownership_problems(const Lives& lives) {
  return OwnershipSearch(lives).run();
}

}  // namespace sunder::checkers::delivery
