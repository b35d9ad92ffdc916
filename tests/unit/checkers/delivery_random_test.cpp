// Each promise of a work queue by itself against what its words say of small random runs, and all
// of them together against brute force.
//
// Every case is a function of its seed; a failure prints it with the smallest part of its history
// that fails, too. SUNDER_CASES sets the number of cases per test (10,000 by default).

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/base/random.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/random_histories.hpp"
#include "tests/histories/support/work_queue_oracle.hpp"
#include "tests/unit/checkers/run_fixture.hpp"

namespace sunder::checkers {
namespace {

using history::Operation;
using history::Outcome;
using history::Value;

constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();

// An operation of a history in words, times in milliseconds.
struct Word {
  std::string what;
  bool dead = false;
  Outcome outcome = Outcome::ok;
  bool refused = false;
  std::int64_t begin = 0;
  std::int64_t over = 0;  // for its client
  std::string body;
  std::int64_t number = -1;
  std::int64_t receipt = 0;
  std::int64_t lease = 0;
  std::int64_t total = 0;

  // It took effect by then; nobody knows of one with an unknown outcome.
  [[nodiscard]] std::int64_t end() const { return outcome == Outcome::info ? kForever : over; }

  [[nodiscard]] bool may_have_happened() const { return outcome != Outcome::fail; }
};

std::vector<Word> words_of(const history::History& history) {
  const auto& pool = history.pool();
  std::vector<Word> words;
  for (const Operation& operation : history.operations()) {
    Word& word = words.emplace_back();
    word.what = pool.name(operation.function_name);
    word.dead = pool.name(operation.key).ends_with(".dead");
    word.outcome = operation.outcome;
    word.refused = pool.name(operation.error).starts_with("refused");
    word.begin = operation.invoke_time / 1'000'000;
    word.over = operation.complete_time / 1'000'000;
    const auto list = [&](Value value) {
      return value.is_list() ? pool.items_of(value) : std::span<const Value>();
    };
    if (word.what == "send") {
      word.body = pool.text_of(operation.input);
      if (operation.output.is_integer()) word.number = operation.output.raw();
    } else if (word.what == "receive") {
      word.lease = operation.input.raw();
      const auto items = list(operation.output);
      if (items.empty()) continue;
      word.number = items[0].raw();
      word.receipt = items[1].raw();
      word.body = pool.text_of(items[2]);
    } else if (word.what == "stat") {
      for (const Value count : list(operation.output)) word.total += count.raw();
    } else {
      const auto items = list(operation.input);
      word.number = items[0].raw();
      word.receipt = items[1].raw();
      if (items.size() > 2) word.lease = items[2].raw();
    }
  }
  return words;
}

// The number of what was sent: as answered, or as a receive of its body tells.
std::int64_t number_of(const Word& send, const std::vector<Word>& words) {
  if (send.number >= 0) return send.number;
  for (const Word& word : words) {
    const bool got = word.what == "receive" && word.outcome == Outcome::ok && word.number >= 0;
    if (got && word.body == send.body) return word.number;
  }
  return -1;
}

// How many messages there were in the window at least, and at most.
std::int64_t at_least(const std::vector<Word>& words,
                      std::int64_t begin,
                      std::int64_t end,
                      std::int64_t sent_before = kForever) {
  return std::ranges::count_if(words, [&](const Word& send) {
    if (send.what != "send" || send.outcome != Outcome::ok) return false;
    if (send.over >= begin || send.over >= sent_before) return false;
    return std::ranges::none_of(words, [&](const Word& ack) {
      return ack.what == "ack" && ack.may_have_happened() && ack.number == send.number &&
             ack.begin <= end;
    });
  });
}

std::int64_t at_most(const std::vector<Word>& words, std::int64_t begin, std::int64_t end) {
  return std::ranges::count_if(words, [&](const Word& send) {
    if (send.what != "send" || !send.may_have_happened()) return false;
    const std::int64_t number = number_of(send, words);
    const bool gone = std::ranges::any_of(words, [&](const Word& ack) {
      return ack.what == "ack" && ack.outcome == Outcome::ok && ack.number == number &&
             number >= 0 && ack.over < begin;
    });
    // One that began too late and is gone already contradicts itself, which is not a count's
    // matter.
    return send.begin <= end && !gone;
  });
}

// The verdict in words that are compared: "broken" or "not broken", or how it contradicts itself.
std::string_view told_of(bool broken) {
  return broken ? "broken" : "not broken";
}

std::string_view verdict_of(std::string_view promise,
                            const history::History& history,
                            test::WorkQueueLimits limits,
                            const history::RunContext* context = nullptr) {
  CheckOptions options;
  options.context = context;
  options.parameters = {{"deliveries_max", static_cast<double>(limits.deliveries_max)},
                        {"length_max", static_cast<double>(limits.length_max)},
                        {"redeliver_within_ms", 10}};
  const Verdict verdict = find_checker(promise)->check(history, options, {});
  const bool broken = verdict.kind == VerdictKind::broken;
  if (broken == verdict.counterexamples.empty()) return "a verdict without its counter-example";
  return told_of(broken);
}

// What brute force cannot explain breaks a promise, and no promise is broken by what it can.
TEST(DeliveryPromises, TogetherSayWhatBruteForceSays) {
  const std::uint64_t cases = test::case_count();
  std::map<std::string_view, std::uint64_t> broken;
  const auto limits_of = [](std::uint64_t seed) {
    return test::WorkQueueLimits{.deliveries_max = 1 + static_cast<std::int64_t>(seed % 3)};
  };
  const auto make = [&](std::uint64_t seed) {
    return test::small_work_queue_history({.seed = seed, .limits = limits_of(seed)});
  };
  const auto judge = [&](const test::RandomHistory& random) {
    const test::WorkQueueLimits limits = limits_of(random.seed);
    std::string_view told = told_of(false);
    for (const std::string_view promise :
         {"at-least-once", "bounded", "dead-letters", "exclusive", "no-phantom"}) {
      const std::string_view verdict = verdict_of(promise, random.history, limits);
      if (verdict == told_of(false)) continue;
      told = verdict;
      ++broken[promise];
    }
    return test::disagreement(told_of(!test::work_queue_oracle(random.history, limits)), told);
  };
  if (!test::check_histories(cases, make, judge)) return;
  for (const std::string_view promise : {"dead-letters", "exclusive", "no-phantom"}) {
    EXPECT_GT(broken[promise], cases / 100) << promise;
  }
}

// Two nodes and up to two faults.
RunFixture run_with_faults(base::Random& random) {
  RunFixture run{2, 2};
  const std::uint64_t faults = random.below(3);
  for (std::uint64_t i = 0; i < faults; ++i) {
    const std::int64_t begin = random.between(0, 60);
    auto& fault = run.kill({1, 2}, begin, begin + random.between(2, 20));
    fault.exercised = random.chance(0.8);
    if (random.chance(0.2)) fault.disabled_nodes.pop_back();
  }
  return run;
}

// A few messages with deliveries at any times, receives that find nothing, counts and faults: no
// execution of a queue, but each promise can be asked of it.
class Story {
 public:
  explicit Story(std::uint64_t seed) : random_(seed), run_(run_with_faults(random_)) {
    for (std::int64_t number = 1; number <= 3; ++number) tell(number);
    for (int i = 0; i < 3; ++i) find_nothing();
    for (int i = 0; i < 2; ++i) count();
    std::ranges::stable_sort(words_, {}, &Word::begin);
    for (std::size_t i = 0; i < words_.size(); ++i) add(words_[i], i);
  }

  [[nodiscard]] history::History history() { return run_.builder.finish(); }

 private:
  Word& word(std::string_view what, std::int64_t begin, std::int64_t most) {
    Word& made = words_.emplace_back();
    made.what = what;
    made.begin = begin;
    made.over = begin + random_.between(0, most);
    return made;
  }

  void tell(std::int64_t number) {
    if (random_.chance(0.2)) return;
    std::int64_t time = random_.between(0, 30);
    const std::string body = "b" + std::to_string(number);
    Word& send = word("send", time, 3);
    send.number = number;
    send.body = body;
    if (random_.chance(0.1)) send.outcome = Outcome::info;
    time = send.over;
    const std::int64_t deliveries = random_.between(0, 3);
    const bool dies = random_.chance(0.3);
    for (std::int64_t i = 1; i <= deliveries; ++i) {
      time += random_.between(1, 25);
      const bool dead = dies && i == deliveries && i > 1;
      Word& receive = word("receive", time, 3);
      receive.number = number;
      receive.receipt = dead ? 1 : i;
      receive.body = body;
      receive.lease = random_.between(1, 8);
      receive.dead = dead;
      if (random_.chance(0.1)) receive.outcome = Outcome::info;
      time = receive.over;
      const std::int64_t receipt = receive.receipt;
      if (random_.chance(0.5)) use(number, receipt, dead, time);
      if (random_.chance(0.2)) use(number, receipt, dead, time);
    }
  }

  void use(std::int64_t number, std::int64_t receipt, bool dead, std::int64_t time) {
    static const std::vector<std::string> kUses{"ack", "nack", "nack", "extend", "extend"};
    Word& made = word(random_.pick(kUses), time + random_.between(0, 5), 3);
    made.number = number;
    made.receipt = receipt;
    made.dead = dead;
    made.lease = random_.between(1, 8);
    if (random_.chance(0.25)) made.outcome = Outcome::info;
    if (random_.chance(0.1)) {
      made.outcome = Outcome::fail;
      made.refused = random_.chance(0.5);
    }
  }

  void find_nothing() {
    Word& made = word("receive", random_.between(0, 150), 15);
    made.lease = random_.between(1, 8);
    made.dead = random_.chance(0.3);
    if (random_.chance(0.15)) {
      made.outcome = Outcome::info;
      made.over += random_.between(0, 30);
    }
  }

  void count() {
    Word& made = word("stat", random_.between(20, 150), 5);
    made.total = random_.between(0, 4);
  }

  void add(const Word& word, std::size_t index) {
    history::ValuePool& pool = run_.builder.pool();
    RunFixture::Call call;
    call.process = static_cast<std::int64_t>(index);
    call.function = word.what;
    call.key = word.dead ? "q.dead" : "q";
    call.begin = word.begin;
    call.end = word.over;
    call.outcome = word.outcome;
    if (word.refused) call.error = "refused: no";
    const Value number = Value::integer(word.number);
    const Value receipt = Value::integer(word.receipt);
    if (word.what == "send") {
      call.input = pool.text(word.body);
      call.output = number;
    } else if (word.what == "receive") {
      call.input = Value::integer(word.lease);
      call.output =
          word.number < 0 ? Value::nil() : pool.list({number, receipt, pool.text(word.body)});
    } else if (word.what == "stat") {
      call.output = pool.list({Value::integer(word.total), Value::integer(0), Value::integer(0)});
    } else if (word.what == "extend") {
      call.input = pool.list({number, receipt, Value::integer(word.lease)});
    } else {
      call.input = pool.list({number, receipt});
    }
    if (word.outcome != Outcome::ok) call.output = {};
    run_.call(call);
  }

  base::Random random_;
  RunFixture run_;
  std::vector<Word> words_;
};

// What the answers about numbers of messages break.
struct BrokenCounts {
  bool lost = false;
  bool too_many = false;
  bool limit = false;
};

BrokenCounts broken_counts(const std::vector<Word>& words, std::int64_t length_max) {
  BrokenCounts broken;
  for (const Word& word : words) {
    if (word.what == "stat" && word.outcome == Outcome::ok) {
      broken.lost = broken.lost || word.total < at_least(words, word.begin, word.over);
      broken.too_many = broken.too_many || word.total > at_most(words, word.begin, word.over);
    } else if (word.what == "send" && word.outcome == Outcome::ok) {
      broken.limit = broken.limit || at_least(words, word.over + 1, word.over) > length_max;
    } else if (word.what == "send" && word.refused) {
      broken.limit = broken.limit || at_most(words, word.begin, word.over) < length_max;
    }
  }
  return broken;
}

TEST(DeliveryPromises, CountsAreJudgedByTheirBounds) {
  const std::uint64_t cases = test::case_count();
  std::array<std::uint64_t, 3> broken{};
  const test::WorkQueueLimits limits{.length_max = 2};
  // Executions of a queue with something changed, and stories that no queue tells.
  const auto make = [&](std::uint64_t seed) {
    if (seed % 2 == 1) return Story(seed).history();
    return test::small_work_queue_history(
        {.seed = seed, .limits = limits, .unknown_receives = seed % 4 == 0, .counts = true});
  };
  const auto judge = [&](const test::RandomHistory& random) -> std::string {
    const BrokenCounts expected = broken_counts(words_of(random.history), limits.length_max);
    broken[0] += expected.lost ? 1U : 0U;
    broken[1] += expected.too_many ? 1U : 0U;
    broken[2] += expected.limit ? 1U : 0U;
    const auto disagreement = [&](std::string_view promise, bool expects_broken) {
      const std::string_view got = verdict_of(promise, random.history, limits);
      return test::disagreement(told_of(expects_broken), got, fmt::format("{}: ", promise));
    };
    // One message too many is a phantom; there are others.
    return disagreement("at-least-once", expected.lost) + disagreement("bounded", expected.limit) +
           (expected.too_many ? disagreement("no-phantom", true) : "");
  };
  if (!test::check_histories(cases, make, judge)) return;
  for (const std::uint64_t count : broken) EXPECT_GT(count, cases / 200);
}

// The words of a message, of one kind.
std::vector<Word> of_message(const std::vector<Word>& words,
                             std::int64_t number,
                             std::string_view what) {
  std::vector<Word> chosen;
  for (const Word& word : words) {
    if (word.what == what && word.number == number) chosen.push_back(word);
  }
  return chosen;
}

// ---------------------------------------------------------------- redelivered

constexpr std::int64_t kWithin = 10;
constexpr std::int64_t kDeliveriesMax = 2;

// A message is nobody's, and not yet found by somebody who is known.
struct DueTime {
  bool dead = false;
  std::int64_t since = 0;
  std::int64_t until = kForever;
};

class Redelivered {
 public:
  Redelivered(const std::vector<Word>& words, const history::RunContext& context)
      : words_(words), context_(context) {
    for (const Word& word : words) {
      if (word.what == "receive" && word.outcome != Outcome::fail) {
        longest_ = std::max(longest_, word.lease);
      }
      has_letters_ = has_letters_ || word.dead;
    }
    for (const Word& word : words) {
      const bool counts = word.outcome != Outcome::fail || word.refused;
      if (word.what == "extend" && counts) longest_ = std::max(longest_, word.lease);
    }
  }

  [[nodiscard]] bool is_broken() const {
    for (std::int64_t number = 1; number <= 3; ++number) {
      for (const DueTime& due : due_times(number)) {
        for (const Word& empty : words_) {
          const bool nothing = empty.what == "receive" && empty.outcome == Outcome::ok &&
                               empty.number < 0 && empty.dead == due.dead;
          if (!nothing || !is_at_rest(empty) || due.since == kForever) continue;
          const bool late = empty.begin >= due.since + longest_ + kWithin;
          if (late && empty.over < due.until) return true;
        }
      }
    }
    return false;
  }

 private:
  // No fault stood and nothing unknown was under way, and both are over for long enough.
  [[nodiscard]] bool is_at_rest(const Word& empty) const {
    const std::int64_t calm = longest_ + kWithin;
    for (const history::FaultRecord& fault : context_.faults) {
      const std::int64_t begin = fault.applying.begin / 1'000'000;
      const std::int64_t end = fault.healed / 1'000'000;
      if (begin <= empty.over && empty.begin < end) return false;
      if (end <= empty.begin && empty.begin < end + calm) return false;
    }
    return std::ranges::none_of(words_, [&](const Word& word) {
      if (word.outcome != Outcome::info || word.begin > empty.over) return false;
      return word.over >= empty.begin || empty.begin < word.over + calm;
    });
  }

  [[nodiscard]] std::vector<DueTime> due_times(std::int64_t number) const {
    std::vector<DueTime> dues;
    for (const Word& ack : of_message(words_, number, "ack")) {
      if (ack.may_have_happened()) return dues;
    }
    std::vector<Word> live;
    std::vector<Word> letters;
    std::int64_t first = kForever;
    std::int64_t first_letter = kForever;
    for (const Word& got : of_message(words_, number, "receive")) {
      if (got.outcome != Outcome::ok) continue;
      (got.dead ? letters : live).push_back(got);
      first = std::min(first, got.begin);
      if (got.dead) first_letter = std::min(first_letter, got.begin);
    }
    for (const Word& send : of_message(words_, number, "send")) {
      if (send.outcome == Outcome::ok) dues.push_back({false, send.over, first});
    }
    for (std::vector<Word>* stay : {&live, &letters}) {
      std::ranges::sort(*stay, {}, &Word::receipt);
      for (std::size_t i = 0; i < stay->size(); ++i) {
        DueTime due{(*stay)[i].dead, nobodys_from((*stay)[i]), kForever};
        if (i + 1 < stay->size()) {
          due.until = (*stay)[i + 1].begin;
        } else if (!due.dead) {
          due.until = first_letter;
          due.dead = stay->back().receipt >= kDeliveriesMax;
        }
        // Nobody ever looked at the dead letters.
        if (due.dead && !has_letters_) continue;
        dues.push_back(due);
      }
    }
    return dues;
  }

  // The latest time at which the delivery can have been over.
  [[nodiscard]] std::int64_t nobodys_from(const Word& delivery) const {
    std::int64_t latest = delivery.over + delivery.lease;
    for (const Word& use : words_) {
      const bool own = use.number == delivery.number && use.receipt == delivery.receipt &&
                       use.dead == delivery.dead && use.may_have_happened();
      if (own && use.what == "nack" && use.outcome == Outcome::ok) return use.over;
      if (own && use.what == "extend") latest = std::max(latest, use.over + use.lease);
    }
    return latest;
  }

  const std::vector<Word>& words_;
  const history::RunContext& context_;
  std::int64_t longest_ = 0;
  bool has_letters_ = false;
};

using Definition = bool (*)(const std::vector<Word>&, const history::RunContext&);

// How many stories break the promise by its definition, if the checker says the same of all.
std::optional<std::uint64_t> count_broken(std::string_view promise,
                                          test::WorkQueueLimits limits,
                                          Definition is_broken) {
  std::uint64_t broken = 0;
  const auto make = [](std::uint64_t seed) { return Story(seed).history(); };
  const auto judge = [&](const test::RandomHistory& random) {
    base::Random drawn(random.seed);
    const history::RunContext context = run_with_faults(drawn).context;
    const bool expected = is_broken(words_of(random.history), context);
    broken += expected ? 1U : 0U;
    const std::string_view got = verdict_of(promise, random.history, limits, &context);
    const std::string wrong = test::disagreement(told_of(expected), got);
    return wrong.empty() ? wrong : wrong + "\n" + text_of(context);
  };
  if (!test::check_histories(test::case_count(), make, judge)) return std::nullopt;
  return broken;
}

TEST(DeliveryPromises, RedeliveredIsJudgedByItsDefinition) {
  const test::WorkQueueLimits limits{.deliveries_max = kDeliveriesMax, .length_max = 1'000};
  const auto broken =
      count_broken("redelivered",
                   limits,
                   [](const std::vector<Word>& words, const history::RunContext& context) {
                     return Redelivered(words, context).is_broken();
                   });
  if (!broken) return;
  const std::uint64_t cases = test::case_count();
  EXPECT_GT(*broken, cases / 10);
  EXPECT_LT(*broken, cases - cases / 10);
}

// ---------------------------------------------------------------- delivery-durability

// Milliseconds in which both nodes were surely down; adjoining ones are one crash.
std::vector<std::pair<std::int64_t, std::int64_t>> crashes_of_words(
    const history::RunContext& context) {
  std::vector<std::pair<std::int64_t, std::int64_t>> crashes;
  for (std::int64_t ms = 0; ms < 200; ++ms) {
    const auto is_down = [&](const std::string& node) {
      return std::ranges::any_of(context.faults, [&](const history::FaultRecord& fault) {
        const auto& down = fault.disabled_nodes;
        return fault.exercised && fault.active.contains(RunFixture::ms(ms)) &&
               std::ranges::find(down, node) != down.end();
      });
    };
    if (!is_down("n1") || !is_down("n2")) continue;
    if (!crashes.empty() && crashes.back().second == ms) {
      ++crashes.back().second;
    } else {
      crashes.emplace_back(ms, ms + 1);
    }
  }
  return crashes;
}

// The next delivery of a message after the one whose receipt was acknowledged.
std::optional<Word> next_after(const std::vector<Word>& words, const Word& ack) {
  std::optional<Word> next;
  bool delivered = false;
  for (const Word& got : of_message(words, ack.number, "receive")) {
    if (got.outcome != Outcome::ok) continue;
    delivered = delivered || (got.dead == ack.dead && got.receipt == ack.receipt);
    const bool later =
        (got.dead && !ack.dead) || (got.dead == ack.dead && got.receipt > ack.receipt);
    const bool sooner = !next || (next->dead && !got.dead) ||
                        (next->dead == got.dead && got.receipt < next->receipt);
    if (later && sooner) next = got;
  }
  return delivered ? next : std::nullopt;
}

// The first of a delivery's accepted uses that end it; others contradict themselves.
bool is_ending(const std::vector<Word>& words, const Word& ack) {
  for (const Word& use : words) {
    const bool ends = (use.what == "ack" || use.what == "nack") && use.outcome == Outcome::ok &&
                      use.number == ack.number && use.receipt == ack.receipt &&
                      use.dead == ack.dead;
    if (ends) return use.what == "ack" && use.begin == ack.begin && use.over == ack.over;
  }
  return false;
}

bool is_lost(const std::vector<Word>& words, const history::RunContext& context) {
  for (const auto& [begin, end] : crashes_of_words(context)) {
    for (const Word& word : words) {
      if (word.outcome != Outcome::ok) continue;
      const bool counts = word.what == "stat" && word.begin >= end;
      if (counts && word.total < at_least(words, word.begin, word.over, begin)) return true;
      if (word.what != "ack" || word.over >= begin || !is_ending(words, word)) continue;
      const auto next = next_after(words, word);
      if (next && next->begin >= end) return true;
    }
  }
  return false;
}

TEST(DeliveryPromises, DurabilityIsJudgedByItsDefinition) {
  const auto broken = count_broken("delivery-durability", {}, is_lost);
  if (!broken) return;
  const std::uint64_t cases = test::case_count();
  EXPECT_GT(*broken, cases / 50);
  EXPECT_LT(*broken, cases / 2);
}

}  // namespace
}  // namespace sunder::checkers
