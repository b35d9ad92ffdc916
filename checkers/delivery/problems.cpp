#include "checkers/delivery/problems.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "checkers/phrase.hpp"

namespace sunder::checkers::delivery {

using history::Operation;
using history::Outcome;
using history::Symbol;
using history::Value;

namespace {

class IdentitySearch {
 public:
  explicit IdentitySearch(const Lives& lives) : lives_(lives) {
    const auto& operations = lives.history().operations();
    for (std::uint32_t i = 0; i < operations.size(); ++i) {
      if (role_of(lives.history(), operations[i]) != Role::send) continue;
      sends_[{operations[i].key, operations[i].input}].push_back(i);
    }
  }

  std::vector<Problem> run() {
    for (const Life& life : lives_.all()) judge(life);
    return std::move(problems_);
  }

 private:
  void judge(const Life& life) {
    if (!life.delivered()) return;
    const Delivery& first =
        life.live.deliveries.empty() ? life.dead.deliveries.front() : life.live.deliveries.front();
    if (!life.send) {
      report_unsent(life, first);
      return;
    }
    if (lives_.end(first.operation) < lives_.begin(*life.send)) {
      add(ProblemKind::unsent, life, first, {"before it was sent", *life.send, "sent only now"});
    }
    const Value sent = lives_.sent_body(life);
    for (const Delivery& delivery : life.live.deliveries) {
      if (delivery.body == sent) continue;
      add(ProblemKind::changed_body,
          life,
          delivery,
          {"which is not what was sent", *life.send, "sent"});
      break;
    }
    for (const Delivery& delivery : life.dead.deliveries) {
      if (delivery.body == sent) continue;
      add(ProblemKind::changed_letter,
          life,
          delivery,
          {"a dead letter that is not what was sent", *life.send, "sent"});
      break;
    }
  }

  // Nobody is known to have sent this number: its body tells why.
  void report_unsent(const Life& life, const Delivery& first) {
    const auto sends = sends_.find({life.queue, first.body});
    if (sends == sends_.end()) {
      add(ProblemKind::unsent, life, first, {"which nobody sent", first.operation, "from nowhere"});
      return;
    }
    const std::uint32_t send = sends->second.front();
    if (lives_.at(send).outcome == Outcome::fail) {
      add(ProblemKind::unsent, life, first, {"whose sending had failed", send, "failed"});
    } else {
      add(ProblemKind::sent_twice,
          life,
          first,
          {"which was sent once and is there under two numbers", send, "sent once"});
    }
  }

  struct Because {
    std::string_view what;
    std::uint32_t operation = 0;  // that shows it
    std::string_view note;
  };

  void add(ProblemKind kind, const Life& life, const Delivery& delivery, const Because& because) {
    Problem problem;
    problem.kind = kind;
    problem.queue = life.queue;
    problem.number = life.number;
    problem.why = fmt::format("{} of message {} gave {}, {}",
                              phrase(lives_.history(), lives_.at(delivery.operation)),
                              life.number,
                              lives_.history().pool().describe(delivery.body),
                              because.what);
    problem.items.push_back({delivery.operation, true, "received"});
    if (because.operation != delivery.operation) {
      problem.items.push_back({because.operation, true, std::string(because.note)});
    }
    problems_.push_back(std::move(problem));
  }

  const Lives& lives_;
  std::map<std::pair<Symbol, Value>, std::vector<std::uint32_t>> sends_;
  std::vector<Problem> problems_;
};

// Deliveries of a message that nobody is known to have got.
struct Skip {
  const Life* life = nullptr;
  std::int64_t deadline = 0;  // they had been handed out by then
  std::int64_t count = 0;
  std::uint32_t next = 0;  // the receive that shows it
  bool letter = false;     // it shows a dead letter
};

// Deliveries in a queue and the number after which a message is given up (0: never) → what was
// skipped.
class SkipSearch {
 public:
  SkipSearch(const Lives& lives, std::int64_t deliveries_max)
      : lives_(lives), deliveries_max_(deliveries_max) {
    for (const std::uint32_t receive : lives.receives()) {
      const Operation& operation = lives.at(receive);
      Handing& handing = handings_[operation.key];
      if (operation.outcome == Outcome::info) handing.unknown.push_back(lives.begin(receive));
    }
    for (const Life& life : lives.all()) {
      const std::int64_t letters = first_end(life.dead.deliveries, 0);
      add_gaps(life, life.live.deliveries, letters);
      add_gaps(life, life.dead.deliveries, history::kNever);
      life_ = &life;
      const bool given_up = deliveries_max > 0 && !life.dead.deliveries.empty();
      if (given_up) add_letter(life, letters);
      if (!given_up) add_strays(life.live);
      add_strays(life.dead);
    }
  }

  void run(std::vector<Problem>& problems) {
    for (auto& [key, handing] : handings_) {
      std::ranges::sort(handing.unknown);
      std::ranges::stable_sort(handing.skips, {}, &Skip::deadline);
      std::int64_t used = 0;
      // Each receive of unknown outcome may have been one of them, if it began early enough.
      for (const Skip& skip : handing.skips) {
        const auto available =
            std::ranges::upper_bound(handing.unknown, skip.deadline) - handing.unknown.begin();
        if (used + skip.count <= available) {
          used += skip.count;
        } else {
          problems.push_back(problem_of(skip));
        }
      }
    }
  }

 private:
  struct Handing {
    std::vector<std::int64_t> unknown;  // begins of receives of unknown outcome
    std::vector<Skip> skips;
  };

  // Of the deliveries from one on; kNever: there are none.
  [[nodiscard]] std::int64_t first_end(const std::vector<Delivery>& deliveries,
                                       std::size_t from) const {
    std::int64_t first = history::kNever;
    for (std::size_t i = from; i < deliveries.size(); ++i)
      first = std::min(first, lives_.client_end(deliveries[i].operation));
    return first;
  }

  void add_gaps(const Life& life, const std::vector<Delivery>& deliveries, std::int64_t latest) {
    std::int64_t last = 0;
    for (std::size_t i = 0; i < deliveries.size(); ++i) {
      const Delivery& delivery = deliveries[i];
      const std::int64_t skipped = delivery.receipt - last - 1;
      last = delivery.receipt;
      if (skipped < 1) continue;
      Skip skip{.life = &life, .count = skipped, .next = delivery.operation};
      skip.deadline = std::min(latest, first_end(deliveries, i));
      handings_[lives_.at(delivery.operation).key].skips.push_back(skip);
    }
  }

  void add_letter(const Life& life, std::int64_t deadline) {
    const std::int64_t last =
        life.live.deliveries.empty() ? 0 : life.live.deliveries.back().receipt;
    if (last >= deliveries_max_) return;
    handings_[life.queue].skips.push_back({.life = &life,
                                           .deadline = deadline,
                                           .count = deliveries_max_ - last,
                                           .next = life.dead.deliveries.front().operation,
                                           .letter = true});
  }

  // A receipt that was accepted had been handed out.
  void add_strays(const Stay& stay) {
    const std::int64_t last = stay.deliveries.empty() ? 0 : stay.deliveries.back().receipt;
    Skip skip{.life = life_};
    for (const auto& [receipt, use] : stay.strays) {
      const bool accepted = lives_.at(use.operation).outcome == Outcome::ok;
      if (!accepted || receipt - last <= skip.count) continue;
      skip.count = receipt - last;
      skip.deadline = lives_.end(use.operation);
      skip.next = use.operation;
    }
    if (skip.count > 0) handings_[lives_.at(skip.next).key].skips.push_back(skip);
  }

  [[nodiscard]] static Problem problem_of(const Skip& skip) {
    Problem problem;
    problem.kind = skip.letter ? ProblemKind::early_letter : ProblemKind::skipped;
    problem.queue = skip.life->queue;
    problem.number = skip.life->number;
    problem.why = fmt::format(
        "message {} {} although nobody is known to have got {} deliveries before, and receives of "
        "unknown outcome do not account for them",
        skip.life->number,
        skip.letter ? "was a dead letter" : "came under a later receipt",
        skip.count);
    if (skip.letter) {
      for (const Delivery& delivery : skip.life->live.deliveries)
        problem.items.push_back({delivery.operation, true, "delivered"});
    }
    problem.items.push_back(
        {skip.next, true, skip.letter ? "received as a dead letter" : "received"});
    return problem;
  }

  const Lives& lives_;
  std::int64_t deliveries_max_;
  const Life* life_ = nullptr;          // looked at just now
  std::map<Symbol, Handing> handings_;  // by key
};

// The last receipt that was surely handed out, and the operation that tells.
std::optional<std::pair<std::int64_t, std::uint32_t>> last_receipt(const Lives& lives,
                                                                   const Stay& stay) {
  std::optional<std::pair<std::int64_t, std::uint32_t>> last;
  if (!stay.deliveries.empty())
    last = {stay.deliveries.back().receipt, stay.deliveries.back().operation};
  for (const auto& [receipt, use] : stay.strays) {
    const bool accepted = lives.at(use.operation).outcome == Outcome::ok;
    if (accepted && (!last || receipt > last->first)) last = {receipt, use.operation};
  }
  return last;
}

}  // namespace

std::string_view name_of(ProblemKind kind) noexcept {
  switch (kind) {
    case ProblemKind::unsent:
      return "never sent";
    case ProblemKind::changed_body:
      return "changed body";
    case ProblemKind::changed_letter:
      return "changed dead letter";
    case ProblemKind::sent_twice:
      return "there twice";
    case ProblemKind::returned:
      return "back after it was acknowledged";
    case ProblemKind::too_many:
      return "more than were sent";
    case ProblemKind::overlap:
      return "with two consumers at once";
    case ProblemKind::shared_receipt:
      return "one receipt for two";
    case ProblemKind::accepted_receipt:
      return "accepted a receipt that was not valid";
    case ProblemKind::refused_owner:
      return "refused the owner";
    case ProblemKind::lost:
      return "lost message";
    case ProblemKind::skipped:
      return "delivered to nobody";
    case ProblemKind::early_letter:
      return "given up too early";
    case ProblemKind::late_letter:
      return "given up too late";
    case ProblemKind::over_limit:
      return "accepted beyond the limit";
    case ProblemKind::under_limit:
      return "refused below the limit";
    case ProblemKind::overdue:
      return "never came again";
  }
  return "";
}

std::vector<Problem> find_identity_problems(const Lives& lives) {
  return IdentitySearch(lives).run();
}

std::vector<Problem> find_letter_problems(const Lives& lives, std::int64_t deliveries_max) {
  std::vector<Problem> problems;
  for (const Life& life : lives.all()) {
    const auto last = last_receipt(lives, life.live);
    if (deliveries_max == 0 || !last || last->first <= deliveries_max) continue;
    Problem problem;
    problem.kind = ProblemKind::late_letter;
    problem.queue = life.queue;
    problem.number = life.number;
    problem.why = fmt::format("message {} was delivered {} times, although {} are allowed",
                              life.number,
                              last->first,
                              deliveries_max);
    problem.items.push_back({last->second, true, "one delivery too many"});
    problems.push_back(std::move(problem));
  }
  SkipSearch(lives, deliveries_max).run(problems);
  return problems;
}

}  // namespace sunder::checkers::delivery
