#include "checkers/delivery/population.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "checkers/delivery/problems.hpp"
#include "checkers/outcomes.hpp"
#include "checkers/phrase.hpp"

namespace sunder::checkers::delivery {

using history::kNever;
using history::Outcome;
using history::Symbol;

namespace {

constexpr std::size_t kSuspectsShown = 3;
// One loss is seen by every count after it.
constexpr std::size_t kCountProblemsMax = 50;

template <typename See>
void for_each_ack(const Life& life, const See& see) {
  for (const Stay* stay : {&life.live, &life.dead}) {
    for (const Delivery& delivery : stay->deliveries) {
      for (const Use& use : delivery.uses) {
        if (use.role == Role::ack) see(use);
      }
    }
    for (const auto& [receipt, use] : stay->strays) {
      if (use.role == Role::ack) see(use);
    }
  }
}

std::int64_t count_below(const std::vector<std::int64_t>& sorted, std::int64_t limit) {
  return std::ranges::lower_bound(sorted, limit) - sorted.begin();
}

struct Suspect {
  const Life* life = nullptr;
  std::uint32_t send = 0;
};

// Messages that were surely there and that nobody is known to have acknowledged.
std::vector<Suspect> suspects_of(const Lives& lives, Symbol queue, std::uint32_t stat) {
  std::vector<Suspect> suspects;
  const auto last_seen = [&](const Suspect& suspect) {
    std::int64_t last = lives.client_end(suspect.send);
    for (const Stay* stay : {&suspect.life->live, &suspect.life->dead}) {
      for (const Delivery& delivery : stay->deliveries) {
        last = std::max(last, lives.client_end(delivery.operation));
      }
    }
    return last;
  };
  for (const Life& life : lives.all()) {
    if (life.queue != queue || !life.send) continue;
    const bool there =
        lives.at(*life.send).outcome == Outcome::ok && lives.end(*life.send) < lives.begin(stat);
    if (there && first_possible_ack(lives, life) >= lives.end(stat)) {
      suspects.push_back({&life, *life.send});
    }
  }
  std::ranges::stable_sort(suspects, {}, last_seen);
  return suspects;
}

Problem lost(const Lives& lives, Symbol queue, std::uint32_t stat, std::int64_t least) {
  Problem problem;
  problem.kind = ProblemKind::lost;
  problem.queue = queue;
  const auto suspects = suspects_of(lives, queue, stat);
  problem.why = fmt::format("{} counted {} messages although at least {} must be there",
                            phrase(lives.history(), lives.at(stat)),
                            lives.total_of(stat),
                            least);
  for (std::size_t i = 0; i < std::min(kSuspectsShown, suspects.size()); ++i) {
    if (i == 0) {
      problem.number = suspects[i].life->number;
      problem.why += fmt::format(
          ", among them message {}, which was accepted and never acknowledged", problem.number);
    }
    problem.items.push_back({suspects[i].send, true, "accepted, never acknowledged"});
  }
  problem.items.push_back({stat, true, "counts less"});
  return problem;
}

Problem counted_wrong(ProblemKind kind, Symbol queue, std::uint32_t operation, std::string why) {
  Problem problem;
  problem.kind = kind;
  problem.queue = queue;
  problem.why = std::move(why);
  problem.items.push_back({operation, true, std::string(name_of(kind))});
  return problem;
}

}  // namespace

std::int64_t first_possible_ack(const Lives& lives, const Life& life) {
  std::int64_t first = kNever;
  for_each_ack(life, [&](const Use& use) {
    if (lives.at(use.operation).outcome != Outcome::fail)
      first = std::min(first, lives.begin(use.operation));
  });
  return first;
}

std::int64_t first_sure_ack(const Lives& lives, const Life& life) {
  std::int64_t first = kNever;
  for_each_ack(life, [&](const Use& use) {
    if (lives.at(use.operation).outcome == Outcome::ok)
      first = std::min(first, lives.end(use.operation));
  });
  return first;
}

std::vector<Symbol> queues_of(const Lives& lives) {
  std::vector<Symbol> queues;
  const auto add = [&queues](Symbol queue) {
    if (std::ranges::find(queues, queue) == queues.end()) queues.push_back(queue);
  };
  for (const Life& life : lives.all()) add(life.queue);
  for (const auto* operations : {&lives.refused_sends(), &lives.stats()}) {
    for (const std::uint32_t operation : *operations) {
      // Dead letters are counted with the queue that gave them up.
      if (!lives.is_dead(lives.at(operation).key)) add(lives.at(operation).key);
    }
  }
  return queues;
}

Population::Population(const Lives& lives, Symbol queue, std::int64_t sent_before) {
  for (const Life& life : lives.all()) {
    if (life.queue != queue || !life.send) continue;
    const std::int64_t sent = lives.end(*life.send);
    if (sent >= sent_before && sent_before != kNever) continue;
    const std::int64_t possible_ack = first_possible_ack(lives, life);
    // Acknowledged before its sender heard: it was never surely there.
    if (sent != kNever && possible_ack > sent) {
      sent_.push_back(sent);
      if (possible_ack != kNever) may_be_gone_.push_back(possible_ack);
    }
    may_be_sent_.push_back(lives.begin(*life.send));
    const std::int64_t sure_ack = first_sure_ack(lives, life);
    if (sure_ack != kNever) gone_.push_back(sure_ack);
  }
  for (auto* times : {&sent_, &may_be_gone_, &may_be_sent_, &gone_}) std::ranges::sort(*times);
}

std::int64_t Population::at_least(std::int64_t begin, std::int64_t end) const {
  return count_below(sent_, begin) -
         (std::ranges::upper_bound(may_be_gone_, end) - may_be_gone_.begin());
}

std::int64_t Population::at_most(std::int64_t begin, std::int64_t end) const {
  return (std::ranges::upper_bound(may_be_sent_, end) - may_be_sent_.begin()) -
         count_below(gone_, begin);
}

std::vector<Problem> find_count_problems(const Lives& lives) {
  std::vector<Problem> problems;
  for (const Symbol queue : queues_of(lives)) {
    const Population population(lives, queue);
    for (const std::uint32_t stat : lives.stats()) {
      if (lives.at(stat).key != queue || problems.size() >= kCountProblemsMax) continue;
      const std::int64_t total = lives.total_of(stat);
      const std::int64_t least = population.at_least(lives.begin(stat), lives.end(stat));
      const std::int64_t most = population.at_most(lives.begin(stat), lives.end(stat));
      if (total < least) problems.push_back(lost(lives, queue, stat, least));
      if (total > most) {
        problems.push_back(counted_wrong(
            ProblemKind::too_many,
            queue,
            stat,
            fmt::format("{} counted {} messages although no more than {} can be there",
                        phrase(lives.history(), lives.at(stat)),
                        total,
                        most)));
      }
    }
  }
  return problems;
}

std::vector<Problem> find_limit_problems(const Lives& lives, std::int64_t length_max) {
  std::vector<Problem> problems;
  for (const Symbol queue : queues_of(lives)) {
    const Population population(lives, queue);
    for (const Life& life : lives.all()) {
      if (life.queue != queue || !life.send || lives.at(*life.send).outcome != Outcome::ok)
        continue;
      // Just after its sender heard.
      const std::int64_t sent = lives.end(*life.send);
      const std::int64_t least = population.at_least(sent + 1, sent);
      if (least <= length_max) continue;
      problems.push_back(
          counted_wrong(ProblemKind::over_limit,
                        queue,
                        *life.send,
                        fmt::format("{} was accepted when at least {} messages were there; {} is "
                                    "the limit",
                                    phrase(lives.history(), lives.at(*life.send)),
                                    least - 1,
                                    length_max)));
    }
    for (const std::uint32_t refused : lives.refused_sends()) {
      if (lives.at(refused).key != queue) continue;
      const std::int64_t most = population.at_most(lives.begin(refused), lives.end(refused));
      if (most >= length_max) continue;
      problems.push_back(counted_wrong(
          ProblemKind::under_limit,
          queue,
          refused,
          fmt::format("{} was refused when at most {} messages were there; {} is the limit",
                      phrase(lives.history(), lives.at(refused)),
                      most,
                      length_max)));
    }
  }
  return problems;
}

}  // namespace sunder::checkers::delivery
