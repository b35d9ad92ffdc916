// The checkers of collections against brute force and against transactions, on random small
// histories.
//
// Every case is a function of its seed; a failure prints it with the smallest part of its history
// that fails, too. SUNDER_CASES sets the number of cases per test (10,000 by default).

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "checkers/checker.hpp"
#include "tests/histories/support/collection_generator.hpp"
#include "tests/histories/support/collection_oracle.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/random_histories.hpp"

namespace sunder::checkers {
namespace {

// The verdict's name, or how it contradicts itself.
std::string verdict_of(const history::History& history, const std::string& model) {
  const auto verdict = check_model(history, model, {}, {});
  if (!verdict.has_value()) return "an error";
  const bool broken = verdict->kind == VerdictKind::broken;
  if (broken == verdict->counterexamples.empty()) return "a verdict without its counter-example";
  // Where nothing was observed there is nothing to contradict: brute force calls it kept.
  const bool nothing = verdict->kind == VerdictKind::undetermined &&
                       verdict->summary.starts_with("nothing observed");
  return std::string(nothing ? "kept" : name_of(verdict->kind));
}

class Collections : public testing::TestWithParam<std::string> {};

TEST_P(Collections, AgreeWithBruteForce) {
  // "model/level", or "model/level of type" where histories of that type are judged.
  const std::string parameter = GetParam();
  const std::string model = parameter.substr(0, parameter.find(' '));
  const std::size_t of = parameter.rfind(' ');
  const std::string type =
      of == std::string::npos ? model.substr(0, model.find('/')) : parameter.substr(of + 1);
  std::uint64_t kept = 0;
  const std::uint64_t cases = test::case_count();
  const auto make = [&](std::uint64_t seed) {
    return test::small_collection_history({.type = type, .seed = seed});
  };
  const auto judge = [&](const test::RandomHistory& random) -> std::string {
    const auto holds = test::collection_oracle(random.history, model);
    if (!holds) return "no oracle";
    kept += *holds ? 1U : 0U;
    return test::disagreement(*holds ? "kept" : "broken", verdict_of(random.history, model));
  };
  if (!test::check_histories(cases, make, judge)) return;
  EXPECT_GT(kept, cases / 10);
  EXPECT_LT(kept, cases - cases / 50);
}

std::string model_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::ranges::replace_if(
      name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
}

// The same history with every operation as a transaction of one process of its own: an addition
// writes the key of its element, a read reads the keys of all of them. Nothing: an element is added
// twice, so that values would not tell who wrote them.
std::optional<history::History> as_transactions(const history::History& history) {
  history::HistoryBuilder builder;
  history::ValuePool& pool = builder.pool();
  std::vector<history::Value> elements;
  for (const history::Operation& operation : history.operations()) {
    if (operation.function != history::Function::add) continue;
    if (std::ranges::find(elements, operation.input) != elements.end()) return std::nullopt;
    elements.push_back(operation.input);
  }
  const auto part = [&](std::string_view word, history::Value key, history::Value value) {
    return pool.list({pool.text(word), key, value});
  };
  for (history::Operation operation : history.operations()) {
    std::vector<history::Value> parts;
    if (operation.function == history::Function::add) {
      parts.push_back(part("w", operation.input, history::Value::integer(1)));
    } else {
      const auto items = operation.output.is_list() ? history.pool().items_of(operation.output)
                                                    : std::span<const history::Value>();
      for (const history::Value element : elements) {
        const bool shown = std::ranges::find(items, element) != items.end();
        const history::Value seen = history::Value::integer(1);
        parts.push_back(part("r", element, shown ? seen : history::Value::nil()));
      }
    }
    if (operation.function == history::Function::read && operation.output.is_none()) continue;
    operation.function = history::Function::txn;
    operation.input = pool.list(parts);
    operation.output =
        operation.outcome == history::Outcome::ok ? operation.input : history::Value();
    operation.process = static_cast<std::int64_t>(builder.size());
    builder.add(operation);
  }
  return builder.finish();
}

// Of more operations than brute force can judge.
test::MakeHistory larger(std::string type) {
  return [type = std::move(type)](std::uint64_t seed) {
    return test::small_collection_history(
        {.type = type, .seed = seed, .operations_max = 12 + seed % 20});
  };
}

// A second route for histories that brute force cannot judge: sets as transactions.
TEST(CollectionRoutes, SetsAreTransactionsOfTheirElements) {
  std::uint64_t kept = 0;
  std::uint64_t judged = 0;
  const std::uint64_t cases = test::case_count() / 20;
  const auto judge = [&](const test::RandomHistory& random) -> std::string {
    const auto transactions = as_transactions(random.history);
    const auto stranger = check_model(random.history, "set/linearizable", {}, {});
    const bool odd =
        std::ranges::any_of(stranger->counterexamples, [](const Counterexample& example) {
          return example.title == "unexpected element" || example.title == "duplicated element";
        });
    if (!transactions || odd) return {};  // no key stands for what nobody added, nor for it twice
    const std::string expected = verdict_of(*transactions, "txn-rw/strict-serializable");
    ++judged;
    kept += expected == "kept" ? 1U : 0U;
    return test::disagreement(expected, verdict_of(random.history, "set/linearizable"));
  };
  if (!test::check_histories(cases, larger("set"), judge)) return;
  EXPECT_GT(judged, cases / 10);
  EXPECT_GT(kept, 0U);
}

// The same history with every transaction of a process of its own.
history::History without_sessions(const history::History& history) {
  history::HistoryBuilder builder;
  const auto copy = [&](history::Value list) {
    std::vector<history::Value> parts;
    for (const history::Value item : history.pool().items_of(list)) {
      const auto words = history.pool().items_of(item);
      parts.push_back(builder.pool().list(
          {builder.pool().text(history.pool().text_of(words[0])), words[1], words[2]}));
    }
    return builder.pool().list(parts);
  };
  for (history::Operation operation : history.operations()) {
    operation.input = copy(operation.input);
    if (operation.output.is_list()) operation.output = copy(operation.output);
    operation.process = static_cast<std::int64_t>(builder.size());
    builder.add(operation);
  }
  return builder.finish();
}

// Long forks are what transactions that write one key each cannot be serialized around, time aside.
TEST(CollectionRoutes, LongForksAreNotSerializable) {
  std::uint64_t kept = 0;
  const std::uint64_t cases = test::case_count() / 20;
  const auto judge = [&](const test::RandomHistory& random) {
    const std::string expected =
        verdict_of(without_sessions(random.history), "txn-rw/serializable");
    kept += expected == "kept" ? 1U : 0U;
    return test::disagreement(expected, verdict_of(random.history, "long-fork"));
  };
  if (!test::check_histories(cases, larger("long-fork"), judge)) return;
  EXPECT_GT(kept, cases / 10);
  EXPECT_LT(kept, cases - cases / 20);
}

INSTANTIATE_TEST_SUITE_P(Each,
                         Collections,
                         testing::Values("bank/any-balance",
                                         "bank/non-negative",
                                         "comments/exact",
                                         "comments/order",
                                         "convergence/agreement",
                                         "convergence/agreement of convergence-of-sets",
                                         "convergence/last-write",
                                         "convergence/last-write of convergence-of-sets",
                                         "counter/bounds",
                                         "g2/one-insert",
                                         "kafka/delivered",
                                         "kafka/log",
                                         "kafka/ordered",
                                         "long-fork/prefix",
                                         "monotonic/order",
                                         "monotonic/real-time",
                                         "monotonic/session",
                                         "sequential/exact",
                                         "sequential/order",
                                         "set-full/fresh",
                                         "set-full/stable",
                                         "set/final-read",
                                         "set/linearizable",
                                         "total-queue/exactly-once",
                                         "total-queue/total",
                                         "unique-ids/unique"),
                         model_name);

}  // namespace
}  // namespace sunder::checkers
