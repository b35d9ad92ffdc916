// The promises of a work queue, and the model `work-queue` that judges a bare history by all of
// them that need no run.
//
// Exercised: at-least-once: 50 accepted messages that a later count covers. no-phantom: 50 messages
// received. exclusive: 10 messages that were delivered more than once. redelivered: 5 that came
// again after their visibility time, and a receive at rest that found nothing. dead-letters: 3
// received. bounded: 5 sends refused. delivery-durability: 5 messages that were there when all
// nodes went down at once and were seen afterwards.

#include <algorithm>
#include <array>
#include <initializer_list>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "checkers/crashes.hpp"
#include "checkers/delivery/figures.hpp"
#include "checkers/delivery/lives.hpp"
#include "checkers/delivery/population.hpp"
#include "checkers/delivery/problems.hpp"
#include "checkers/delivery/redelivery.hpp"
#include "checkers/findings.hpp"
#include "checkers/key_split.hpp"
#include "checkers/outcomes.hpp"

namespace sunder::checkers {

CheckerInfo at_least_once_info();
CheckerInfo bounded_info();
CheckerInfo dead_letters_info();
CheckerInfo delivery_durability_info();
CheckerInfo exclusive_info();
CheckerInfo no_phantom_info();
CheckerInfo redelivered_info();
ModelInfo work_queue_model();

namespace {

using delivery::Life;
using delivery::Lives;
using delivery::Problem;
using delivery::ProblemKind;
using history::History;
using history::kNever;
using history::Outcome;
using history::Window;

constexpr std::size_t kMessagesMin = 50;
constexpr std::size_t kDeliveredAgainMin = 10;
constexpr std::size_t kExpiredMin = 5;
constexpr std::size_t kLettersMin = 3;
constexpr std::size_t kRefusedMin = 5;
constexpr std::size_t kSurvivorsMin = 5;
constexpr double kRedeliverWithinMs = 1000;

using Kinds = std::initializer_list<ProblemKind>;

// Problems of the chosen kinds, made into one verdict.
class Judgement {
 public:
  explicit Judgement(const Lives& lives) : lives_(lives), findings_(lives.history()) {
    for (KeyOperations& key : split_by_key(lives.history())) keys_[key.key] = std::move(key);
  }

  void add(const std::vector<Problem>& problems, Kinds kinds) {
    for (const Problem& problem : problems) {
      if (std::ranges::find(kinds, problem.kind) != kinds.end()) add(problem);
    }
  }

  void add(const Problem& problem) {
    const auto key = keys_.find(problem.queue);
    static const KeyOperations kNone;
    const std::string subject = problem.number < 0 ? "" : fmt::format("{}", problem.number);
    findings_.add(name_of(problem.kind), key == keys_.end() ? kNone : key->second, subject, [&] {
      return example_of(name_of(problem.kind), problem.why, problem.items);
    });
  }

  void measure(std::string_view name, std::size_t value, std::string_view unit = "messages") {
    findings_.measure(name, static_cast<double>(value), unit);
  }

  [[nodiscard]] bool any_broken() const noexcept { return findings_.any_broken(); }

  // `exercised`, and how much it was: in both sentences.
  Verdict finish(bool exercised, std::string sentence) {
    findings_.observed();
    Verdict verdict = findings_.finish(sentence, sentence);
    if (lives_.repeated_bodies() > 0) {
      verdict.kind = VerdictKind::undetermined;
      verdict.summary =
          fmt::format("{} of messages were sent more than once: nobody can tell them apart",
                      counted(lives_.repeated_bodies(), "body"));
    } else if (verdict.kind == VerdictKind::kept && !exercised) {
      verdict.kind = VerdictKind::not_exercised;
    }
    return verdict;
  }

 private:
  const Lives& lives_;
  Findings findings_;
  std::map<history::Symbol, KeyOperations> keys_;
};

std::int64_t whole_parameter(const CheckOptions& options, std::string_view name) {
  return static_cast<std::int64_t>(parameter(options, name, 0));
}

// Nothing: nobody was told that the message is there.
std::optional<std::uint32_t> accepted_send(const Lives& lives, const Life& life) {
  if (!life.send || lives.at(*life.send).outcome != Outcome::ok) return std::nullopt;
  return life.send;
}

std::size_t count_delivered(const Lives& lives) {
  return static_cast<std::size_t>(
      std::ranges::count_if(lives.all(), [](const Life& life) { return life.delivered(); }));
}

Verdict check_at_least_once(const History& history, const CheckOptions&, std::stop_token) {
  const Lives lives(history);
  Judgement judgement(lives);
  judgement.add(find_count_problems(lives), {ProblemKind::lost});
  std::map<history::Symbol, std::int64_t> last_count;  // begin of each queue's last stat
  for (const std::uint32_t stat : lives.stats()) {
    std::int64_t& last = last_count[lives.at(stat).key];
    last = std::max(last, lives.begin(stat));
  }
  std::size_t accepted = 0;
  std::size_t covered = 0;
  std::size_t acknowledged = 0;
  for (const Life& life : lives.all()) {
    const auto send = accepted_send(lives, life);
    if (!send) continue;
    ++accepted;
    if (first_sure_ack(lives, life) != kNever) ++acknowledged;
    const auto last = last_count.find(life.queue);
    if (last != last_count.end() && lives.end(*send) < last->second) ++covered;
  }
  judgement.measure("accepted", accepted);
  judgement.measure("acknowledged by a consumer", acknowledged);
  judgement.measure("counts", lives.stats().size(), "operations");
  Verdict verdict = judgement.finish(
      covered >= kMessagesMin,
      fmt::format(
          "{} of {} accepted messages are covered by {} counts ({} are needed), and none is "
          "missing; {} were acknowledged",
          covered,
          accepted,
          lives.stats().size(),
          kMessagesMin,
          acknowledged));
  verdict.figures.push_back(fates_figure(lives));
  verdict.figures.push_back(waiting_figure(lives));
  return verdict;
}

Verdict check_no_phantom(const History& history, const CheckOptions&, std::stop_token) {
  const Lives lives(history);
  Judgement judgement(lives);
  judgement.add(find_identity_problems(lives),
                {ProblemKind::unsent, ProblemKind::changed_body, ProblemKind::sent_twice});
  judgement.add(find_ownership_problems(lives), {ProblemKind::returned});
  judgement.add(find_count_problems(lives), {ProblemKind::too_many});
  const std::size_t received = count_delivered(lives);
  judgement.measure("received", received);
  return judgement.finish(
      received >= kMessagesMin,
      fmt::format("{} messages were received ({} are needed), each sent once, whole, and not "
                  "acknowledged before",
                  received,
                  kMessagesMin));
}

Verdict check_exclusive(const History& history, const CheckOptions&, std::stop_token) {
  const Lives lives(history);
  Judgement judgement(lives);
  judgement.add(find_ownership_problems(lives),
                {ProblemKind::overlap,
                 ProblemKind::shared_receipt,
                 ProblemKind::accepted_receipt,
                 ProblemKind::refused_owner});
  const auto again = static_cast<std::size_t>(std::ranges::count_if(
      lives.all(), [](const Life& life) { return life.live.deliveries.size() > 1; }));
  judgement.measure("delivered more than once", again);
  return judgement.finish(
      again >= kDeliveredAgainMin,
      fmt::format("{} messages were delivered more than once ({} are needed), never to two at once",
                  again,
                  kDeliveredAgainMin));
}

Verdict check_redelivered(const History& history, const CheckOptions& options, std::stop_token) {
  if (options.context == nullptr) return needs_a_run();
  const Lives lives(history);
  if (!lives.timed()) return needs_a_run();
  Judgement judgement(lives);
  const delivery::RedeliveryLimits limits{
      .within = parameter_ns(options, "redeliver_within_ms", kRedeliverWithinMs),
      .deliveries_max = whole_parameter(options, "deliveries_max")};
  const delivery::Redelivery found = find_redeliveries(lives, *options.context, limits);
  judgement.add(found.problems, {ProblemKind::overdue});
  judgement.measure("came again after their visibility time", found.delays.size());
  judgement.measure("came again after they were given back", found.given_back);
  judgement.measure("receives at rest that found nothing", found.empty_receives, "operations");
  const bool exercised = found.delays.size() >= kExpiredMin && found.empty_receives > 0;
  Verdict verdict = judgement.finish(
      exercised,
      fmt::format(
          "{} messages came again after their visibility time ({} are needed), half of them "
          "within {}; {} receives at rest found nothing, and nothing was due",
          found.delays.size(),
          kExpiredMin,
          milliseconds_text(quantile_of(found.delays, 0.5)),
          found.empty_receives));
  verdict.figures.push_back(redelivery_figure(lives));
  verdict.figures.push_back(worst_figure(lives));
  return verdict;
}

Verdict check_dead_letters(const History& history, const CheckOptions& options, std::stop_token) {
  const Lives lives(history);
  Judgement judgement(lives);
  const std::int64_t most = whole_parameter(options, "deliveries_max");
  judgement.add(find_identity_problems(lives), {ProblemKind::changed_letter});
  judgement.add(find_letter_problems(lives, most),
                {ProblemKind::skipped, ProblemKind::early_letter, ProblemKind::late_letter});
  const auto letters = static_cast<std::size_t>(std::ranges::count_if(
      lives.all(), [](const Life& life) { return !life.dead.deliveries.empty(); }));
  judgement.measure("dead letters received", letters);
  return judgement.finish(
      letters >= kLettersMin,
      fmt::format(
          "{} dead letters were received ({} are needed), each whole and after {} deliveries",
          letters,
          kLettersMin,
          most));
}

Verdict check_bounded(const History& history, const CheckOptions& options, std::stop_token) {
  const Lives lives(history);
  Judgement judgement(lives);
  const std::int64_t most = whole_parameter(options, "length_max");
  if (most > 0) {
    judgement.add(find_limit_problems(lives, most),
                  {ProblemKind::over_limit, ProblemKind::under_limit});
  }
  const std::size_t refused = lives.refused_sends().size();
  judgement.measure("refused", refused);
  return judgement.finish(
      refused >= kRefusedMin,
      fmt::format("{} messages were refused ({} are needed), all when {} may have been there, and "
                  "never were there more",
                  refused,
                  kRefusedMin,
                  most));
}

// What crashes of all nodes took.
class DeliveryDurability {
 public:
  DeliveryDurability(const Lives& lives, std::vector<Window> crashes, bool power_loss)
      : lives_(lives), judgement_(lives), crashes_(std::move(crashes)), power_loss_(power_loss) {}

  Verdict run() {
    const std::vector<Problem> returned = find_ownership_problems(lives_);
    for (const Window& crash : crashes_) {
      judge_losses(crash);
      judge_returns(crash, returned);
      count_survivors(crash);
    }
    judgement_.measure("crashes of all nodes", crashes_.size(), "");
    judgement_.measure("survived", survivors_);
    return judgement_.finish(
        survivors_ >= kSurvivorsMin,
        fmt::format("{} messages were there before {} ({} in all) and seen afterwards ({} are "
                    "needed); none is missing",
                    survivors_,
                    crash_text(power_loss_),
                    crashes_.size(),
                    kSurvivorsMin));
  }

 private:
  void judge_losses(const Window& crash) {
    for (const history::Symbol queue : queues_of(lives_)) {
      const delivery::Population before(lives_, queue, crash.begin);
      for (const std::uint32_t stat : lives_.stats()) {
        if (lives_.at(stat).key != queue || lives_.begin(stat) < crash.end) continue;
        const std::int64_t least = before.at_least(lives_.begin(stat), lives_.end(stat));
        const std::int64_t total = lives_.total_of(stat);
        if (total >= least) continue;
        Problem problem;
        problem.kind = ProblemKind::lost;
        problem.queue = queue;
        problem.why = fmt::format(
            "{} messages that were accepted before {} at {} and never acknowledged should be "
            "there, "
            "but {} were counted at {}",
            least,
            crash_text(power_loss_),
            seconds_text(crash.begin),
            total,
            seconds_text(lives_.begin(stat)));
        problem.items = {{stat, true, "counts less"}};
        judgement_.add(problem);
        break;
      }
    }
  }

  // An acknowledgement before the crash was forgotten.
  void judge_returns(const Window& crash, const std::vector<Problem>& problems) {
    for (const Problem& problem : problems) {
      if (problem.kind != ProblemKind::returned) continue;
      const std::uint32_t ack = static_cast<std::uint32_t>(problem.items.front().operation);
      const std::uint32_t again = static_cast<std::uint32_t>(problem.items.back().operation);
      const bool across = lives_.end(ack) < crash.begin && lives_.begin(again) >= crash.end;
      if (across) judgement_.add(problem);
    }
  }

  void count_survivors(const Window& crash) {
    for (const Life& life : lives_.all()) {
      const auto send = accepted_send(lives_, life);
      if (!send || lives_.end(*send) >= crash.begin) continue;
      if (first_possible_ack(lives_, life) < crash.end) continue;
      const auto seen = [&](const delivery::Delivery& delivery) {
        return lives_.begin(delivery.operation) >= crash.end;
      };
      if (std::ranges::any_of(life.live.deliveries, seen) ||
          std::ranges::any_of(life.dead.deliveries, seen)) {
        ++survivors_;
      }
    }
  }

  const Lives& lives_;
  Judgement judgement_;
  std::vector<Window> crashes_;
  bool power_loss_;
  std::size_t survivors_ = 0;
};

Verdict check_delivery_durability(const History& history,
                                  const CheckOptions& options,
                                  std::stop_token) {
  if (options.context == nullptr) return needs_a_run();
  const Lives lives(history);
  const bool power_loss = parameter(options, "power_loss", 0) > 0;
  return DeliveryDurability(lives, crashes_of(*options.context, power_loss), power_loss).run();
}

bool knows(const History& history, const history::Operation& operation) {
  return delivery::role_of(history, operation) != delivery::Role::none;
}

bool fits(const History& history) {
  const auto is_receive = [&](const history::Operation& operation) {
    return delivery::role_of(history, operation) == delivery::Role::receive;
  };
  return std::ranges::any_of(history.operations(), is_receive) &&
         std::ranges::all_of(history.operations(),
                             [&](const auto& operation) { return knows(history, operation); });
}

constexpr std::array kLevels{
    LevelInfo{.name = "delivery",
              .summary = "Nothing lost, nothing from nowhere, one consumer at a time."},
};

Verdict check_work_queue(const History& history,
                         std::string_view /*level*/,
                         const CheckOptions& options,
                         std::stop_token) {
  if (auto verdict = unsuitable(history, "work-queue", knows)) return *verdict;
  const Lives lives(history);
  Judgement judgement(lives);
  for (const auto& problems : {find_identity_problems(lives),
                               find_ownership_problems(lives),
                               find_count_problems(lives)}) {
    for (const Problem& problem : problems) judgement.add(problem);
  }
  const std::int64_t deliveries_max = whole_parameter(options, "deliveries_max");
  const std::int64_t length_max = whole_parameter(options, "length_max");
  for (const Problem& problem : find_letter_problems(lives, deliveries_max)) {
    judgement.add(problem);
  }
  if (length_max > 0) {
    for (const Problem& problem : find_limit_problems(lives, length_max)) judgement.add(problem);
  }
  const std::size_t received = count_delivered(lives);
  judgement.measure("received", received);
  judgement.measure("counts", lives.stats().size(), "operations");
  return judgement.finish(true,
                          fmt::format("{} of {} messages were received, and {} counts agree",
                                      received,
                                      lives.all().size(),
                                      lives.stats().size()));
}

}  // namespace

CheckerInfo at_least_once_info() {
  return {.name = "at-least-once",
          .summary = "Every accepted message is there until a consumer acknowledged it.",
          .check = check_at_least_once};
}

CheckerInfo bounded_info() {
  return {.name = "bounded",
          .summary = "A queue refuses beyond its limit, and only there.",
          .check = check_bounded};
}

CheckerInfo dead_letters_info() {
  return {.name = "dead-letters",
          .summary = "Messages are given up after exactly so many deliveries, and stay whole.",
          .check = check_dead_letters};
}

CheckerInfo delivery_durability_info() {
  return {.name = "delivery-durability",
          .summary = "Accepted messages survive the end of all nodes at once.",
          .check = check_delivery_durability};
}

CheckerInfo exclusive_info() {
  return {.name = "exclusive",
          .summary = "A message is with one consumer at a time, and only its receipt counts.",
          .check = check_exclusive};
}

CheckerInfo no_phantom_info() {
  return {.name = "no-phantom",
          .summary = "What is received was sent once, is whole and not acknowledged yet.",
          .check = check_no_phantom};
}

CheckerInfo redelivered_info() {
  return {.name = "redelivered",
          .summary = "Messages that nobody acknowledged come again.",
          .check = check_redelivered};
}

ModelInfo work_queue_model() {
  static constexpr std::array kParameters{
      ParameterInfo{"deliveries_max", "how often a message is delivered; without it: any number"},
      ParameterInfo{"length_max", "how many messages a queue takes; without it: any number"}};
  return {.name = "work-queue",
          .summary = "A queue of work: visibility times, receipts, dead letters, counts.",
          .levels = kLevels,
          .fits = fits,
          .check = check_work_queue,
          .parameters = kParameters};
}

}  // namespace sunder::checkers
