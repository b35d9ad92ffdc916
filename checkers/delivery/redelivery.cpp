#include "checkers/delivery/redelivery.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "checkers/connectivity.hpp"
#include "checkers/delivery/population.hpp"
#include "checkers/outcomes.hpp"
#include "checkers/phrase.hpp"

namespace sunder::checkers::delivery {

using history::kNever;
using history::Outcome;
using history::Symbol;

namespace {

constexpr std::size_t kProblemsMax = 50;

struct EmptyReceive {
  std::int64_t begin = 0;
  std::uint32_t operation = 0;
};

// An operation of unknown outcome, as long as its client waited for it.
struct Unknown {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

// A message that should be found from some time on, until somebody is known to find it.
struct Due {
  const Life* life = nullptr;
  Symbol key = 0;  // the queue, or its dead letters
  std::int64_t since = 0;
  std::int64_t until = kNever;
  std::uint32_t last = 0;  // what was known of it last
};

class RedeliverySearch {
 public:
  RedeliverySearch(const Lives& lives,
                   const history::RunContext& context,
                   const RedeliveryLimits& limits)
      : lives_(lives), context_(context), limits_(limits) {
    for (const std::uint32_t receive : lives.receives()) {
      const auto& operation = lives.at(receive);
      if (operation.input.is_integer())
        longest_lease_ = std::max(longest_lease_, operation.input.raw() * 1'000'000);
      const Symbol home = lives.home_of(operation.key);
      if (home != operation.key) dead_letters_[home] = operation.key;
    }
    for (const Life& life : lives.all()) {
      for (const Stay* stay : {&life.live, &life.dead}) {
        for (const Delivery& delivery : stay->deliveries) {
          for (const Use& use : delivery.uses) longest_lease_ = std::max(longest_lease_, use.lease);
        }
        for (const auto& [receipt, use] : stay->strays) {
          longest_lease_ = std::max(longest_lease_, use.lease);
        }
      }
    }
    collect_empty_receives();
  }

  Redelivery run() {
    for (const Life& life : lives_.all()) follow(life);
    std::ranges::sort(result_.delays);
    for (const auto& [key, empty] : empty_) result_.empty_receives += empty.size();
    return std::move(result_);
  }

 private:
  // The system was at rest: no fault, and nothing unknown that could still hold a message.
  void collect_empty_receives() {
    std::vector<Unknown> unknown;
    for (std::uint32_t i = 0; i < lives_.history().operations().size(); ++i) {
      if (lives_.at(i).outcome != Outcome::info) continue;
      unknown.push_back({lives_.begin(i), lives_.client_end(i)});
    }
    std::ranges::sort(unknown, {}, &Unknown::end);
    // From here on each begins when the first of those that end as late or later does.
    for (std::size_t i = unknown.size(); i > 1; --i) {
      unknown[i - 2].begin = std::min(unknown[i - 2].begin, unknown[i - 1].begin);
    }
    for (const std::uint32_t receive : lives_.receives()) {
      const auto& operation = lives_.at(receive);
      if (operation.outcome != Outcome::ok || !operation.output.is_nil()) continue;
      const auto rest = at_rest_since(receive, unknown);
      if (!rest || lives_.begin(receive) < *rest + longest_lease_ + limits_.within) continue;
      empty_[operation.key].push_back({lives_.begin(receive), receive});
    }
    for (auto& [key, empty] : empty_) {
      std::ranges::sort(empty, {}, &EmptyReceive::begin);
      // Of those that begin as late or later, the one that ends first tells most.
      for (std::size_t i = empty.size(); i > 1; --i) {
        const bool sooner = lives_.end(empty[i - 1].operation) < lives_.end(empty[i - 2].operation);
        if (sooner) empty[i - 2].operation = empty[i - 1].operation;
      }
    }
  }

  [[nodiscard]] std::optional<std::int64_t> at_rest_since(
      std::uint32_t receive, const std::vector<Unknown>& unknown) const {
    std::int64_t since = 0;
    const history::Window window{lives_.begin(receive), lives_.end(receive) + 1};
    for (const history::FaultRecord& fault : context_.faults) {
      const history::Window stood = possible_window(fault);
      if (stood.overlaps(window)) return std::nullopt;
      if (stood.end <= window.begin) since = std::max(since, stood.end);
    }
    const auto later = std::ranges::lower_bound(unknown, window.begin, {}, &Unknown::end);
    if (later != unknown.begin()) since = std::max(since, std::prev(later)->end);
    // One that is still under way may take a message any moment.
    if (later != unknown.end() && later->begin < window.end) return std::nullopt;
    return since;
  }

  void follow(const Life& life) {
    const bool acknowledged = first_possible_ack(lives_, life) != kNever;
    if (life.send && lives_.at(*life.send).outcome == Outcome::ok && !acknowledged) {
      Due due{
          .life = &life, .key = life.queue, .since = lives_.end(*life.send), .last = *life.send};
      if (life.delivered()) due.until = first_begin(life);
      judge(due);
    }
    follow(life, life.live, life.queue, acknowledged);
    const auto dead = dead_letters_.find(life.queue);
    if (dead != dead_letters_.end()) follow(life, life.dead, dead->second, acknowledged);
  }

  [[nodiscard]] std::int64_t first_begin(const Life& life) const {
    std::int64_t first = kNever;
    for (const Stay* stay : {&life.live, &life.dead}) {
      for (const Delivery& delivery : stay->deliveries)
        first = std::min(first, lives_.begin(delivery.operation));
    }
    return first;
  }

  void follow(const Life& life, const Stay& stay, Symbol key, bool acknowledged) {
    for (std::size_t i = 0; i < stay.deliveries.size(); ++i) {
      const Delivery& delivery = stay.deliveries[i];
      const bool last = i + 1 == stay.deliveries.size();
      const bool given_back = has_accepted(delivery, Role::nack);
      const std::int64_t due = latest_end(delivery);
      if (!last) {
        const std::int64_t again = lives_.end(stay.deliveries[i + 1].operation);
        if (given_back) {
          ++result_.given_back;
        } else {
          result_.delays.push_back(std::max<std::int64_t>(0, again - due));
        }
      }
      // Somebody may have acknowledged it, so nobody can say that it must come again.
      if (acknowledged) continue;
      judge_delivery(
          {.life = &life, .key = key, .since = due, .last = delivery.operation}, stay, i);
    }
  }

  void judge_delivery(Due due, const Stay& stay, std::size_t index) {
    if (index + 1 < stay.deliveries.size()) {
      due.until = lives_.begin(stay.deliveries[index + 1].operation);
    } else if (&stay == &due.life->live) {
      const bool may_be_dead =
          limits_.deliveries_max == 0 || stay.deliveries.back().receipt >= limits_.deliveries_max;
      if (!due.life->dead.deliveries.empty()) {
        for (const Delivery& letter : due.life->dead.deliveries)
          due.until = std::min(due.until, lives_.begin(letter.operation));
      }
      if (may_be_dead) {
        const auto dead = dead_letters_.find(due.life->queue);
        if (limits_.deliveries_max == 0 || dead == dead_letters_.end()) return;
        due.key = dead->second;
      }
    }
    judge(due);
  }

  [[nodiscard]] bool has_accepted(const Delivery& delivery, Role role) const {
    return std::ranges::any_of(delivery.uses, [&](const Use& use) {
      return use.role == role && lives_.at(use.operation).outcome == Outcome::ok;
    });
  }

  // When it was nobody's any more, whatever took effect when.
  [[nodiscard]] std::int64_t latest_end(const Delivery& delivery) const {
    std::int64_t latest = lives_.end(delivery.operation) + delivery.lease;
    for (const Use& use : delivery.uses) {
      const Outcome outcome = lives_.at(use.operation).outcome;
      if (outcome == Outcome::fail) continue;
      const std::int64_t over = lives_.client_end(use.operation);
      if (over == kNever) return kNever;
      if (use.role == Role::nack && outcome == Outcome::ok) return over;
      if (use.role == Role::extend) latest = std::max(latest, over + use.lease);
    }
    return latest;
  }

  void judge(const Due& due) {
    if (due.since == kNever || result_.problems.size() >= kProblemsMax) return;
    const auto found = empty_.find(due.key);
    if (found == empty_.end()) return;
    // A new leader gives the owner its whole time again.
    const std::int64_t from = due.since + longest_lease_ + limits_.within;
    const auto empty = std::ranges::lower_bound(found->second, from, {}, &EmptyReceive::begin);
    if (empty == found->second.end() || lives_.end(empty->operation) >= due.until) return;
    Problem problem;
    problem.kind = ProblemKind::overdue;
    problem.queue = due.life->queue;
    problem.number = due.life->number;
    problem.why = fmt::format("message {} was due since {} (after {}), yet {} at {} found nothing",
                              due.life->number,
                              seconds_text(due.since),
                              phrase(lives_.history(), lives_.at(due.last)),
                              phrase(lives_.history(), lives_.at(empty->operation)),
                              seconds_text(lives_.begin(empty->operation)));
    problem.items.push_back({due.last, true, "not acknowledged"});
    problem.items.push_back({empty->operation, true, "finds nothing"});
    result_.problems.push_back(std::move(problem));
  }

  const Lives& lives_;
  const history::RunContext& context_;
  RedeliveryLimits limits_;
  std::int64_t longest_lease_ = 0;
  std::map<Symbol, Symbol> dead_letters_;              // of each queue
  std::map<Symbol, std::vector<EmptyReceive>> empty_;  // judged ones, by key
  Redelivery result_;
};

}  // namespace

Redelivery find_redeliveries(const Lives& lives,
                             const history::RunContext& context,
                             const RedeliveryLimits& limits) {
  return RedeliverySearch(lives, context, limits).run();
}

}  // namespace sunder::checkers::delivery
