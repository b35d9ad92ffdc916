// The table of levels against the checkers: what it says follows is what they say.
//
// Every random history is a function of its seed, which a failure prints with the smallest part of
// the history that fails. SUNDER_CASES sets their number (a tenth or a fiftieth of it per model).

#include "checkers/lattice.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/history/text.hpp"
#include "tests/histories/support/collection_generator.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/list_generator.hpp"
#include "tests/histories/support/random_histories.hpp"
#include "tests/histories/support/session_generator.hpp"
#include "tests/histories/support/transaction_generator.hpp"

namespace sunder::checkers {
namespace {

struct Source {
  std::string model;
  test::MakeHistory make;
  std::uint64_t part = 10;  // one in so many of the cases: levels differ in cost
};

// Small random histories of a collection.
Source collection(const std::string& model) {
  return {model, [model](std::uint64_t seed) {
            test::SmallCollectionOptions small;
            small.type = model;
            small.seed = seed;
            return test::small_collection_history(small);
          }};
}

Source transactions() {
  return {.model = "txn-rw",
          .make =
              [](std::uint64_t seed) {
                test::SmallTransactionOptions small;
                small.seed = seed;
                return test::small_transaction_history(small);
              },
          .part = 50};
}

// Of registers that processes share.
Source registers(const std::string& model) {
  return {.model = model,
          .make =
              [](std::uint64_t seed) {
                test::SessionOptions options;
                options.seed = seed;
                return test::session_history(options);
              },
          .part = 50};
}

class Lattices : public testing::TestWithParam<Source> {};

// Every level is judged by itself and as the placement does it, which infers what it can.
std::string compare(const history::History& history, const ModelInfo& model) {
  const Placement placement = place(history, model, {}, {});
  if (placement.levels.empty()) return "no levels";
  for (const Placement::Level& level : placement.levels) {
    const Verdict judged = check_model(history, {&model, level.name}, {}, {});
    if (judged.kind == VerdictKind::undetermined) continue;  // by this level alone
    std::string wrong =
        test::disagreement(name_of(judged.kind),
                           name_of(level.verdict.kind),
                           fmt::format("{}, {}: ", level.name, level.verdict.summary));
    if (!wrong.empty()) return wrong;
  }
  for (const std::size_t index : placement.refuted) {
    const Placement::Level& level = placement.levels[index];
    if (level.verdict.counterexamples.empty())
      return fmt::format("{} has no counter-example", level.name);
  }
  return {};
}

TEST_P(Lattices, SayWhatTheCheckersSay) {
  const ModelInfo& model = *find_model(GetParam().model)->model;
  const std::uint64_t cases = std::max<std::uint64_t>(test::case_count() / GetParam().part, 1);
  test::check_histories(cases, GetParam().make, [&](const test::RandomHistory& random) {
    return compare(random.history, model);
  });
}

std::string source_name(const testing::TestParamInfo<Source>& source) {
  std::string name = source.param.model;
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Each,
                         Lattices,
                         testing::Values(collection("bank"),
                                         collection("comments"),
                                         collection("convergence"),
                                         collection("counter"),
                                         collection("kafka"),
                                         collection("monotonic"),
                                         collection("sequential"),
                                         collection("set"),
                                         collection("set-full"),
                                         collection("total-queue"),
                                         Source{"list-append", test::small_list_history, 50},
                                         registers("cas-register"),
                                         registers("register"),
                                         transactions()),
                         source_name);

TEST(Lattice, HasNoCircle) {
  for (const LevelOrder& order : level_orders()) {
    EXPECT_FALSE(implies(order.model, order.stronger, order.stronger)) << order.stronger;
    EXPECT_FALSE(implies(order.model, order.weaker, order.weaker)) << order.weaker;
  }
}

// A model's single anomalies aside (Elle's can be asked for by name), the table knows all levels.
TEST(Lattice, KnowsTheLevelsOfEveryModelWithSeveral) {
  for (const ModelInfo& model : all_models()) {
    if (model.levels.size() == 1 || model.name == "list-append" || model.name == "rw-register") {
      continue;
    }
    EXPECT_EQ(place({}, model, {}, {}).levels.size(), model.levels.size()) << model.name;
  }
}

TEST(Lattice, FollowsPairsFromOneToTheNext) {
  EXPECT_TRUE(implies("list-append", "strict-serializable", "read-committed"));
  EXPECT_FALSE(implies("list-append", "read-committed", "strict-serializable"));
  EXPECT_FALSE(implies("list-append", "repeatable-read", "prefix"));
  EXPECT_TRUE(implies("txn-rw", "prefix", "causal"));
  EXPECT_FALSE(implies("list-append", "prefix", "causal"));
}

// A queue that gives a value twice loses nothing: placed between its two levels.
TEST(Placement, NamesTheStrongestAndRefutesTheNext) {
  const auto read = history::read_history(
      R"({"process":0,"type":"invoke","f":"enqueue","value":1}
{"process":0,"type":"ok","f":"enqueue","value":1}
{"process":1,"type":"invoke","f":"dequeue"}
{"process":1,"type":"ok","f":"dequeue","value":1}
{"process":1,"type":"invoke","f":"drain"}
{"process":1,"type":"ok","f":"drain","value":[1]}
)",
      "test");
  ASSERT_TRUE(read.has_value());
  const Placement placement = place(read->history, *find_model("total-queue")->model, {}, {});
  EXPECT_EQ(placement.summary(),
            "strongest not refuted: total; next stronger, refuted: exactly-once");
  const Verdict verdict = placement.verdict();
  EXPECT_EQ(verdict.kind, VerdictKind::kept);
  ASSERT_EQ(verdict.counterexamples.size(), 1U);
  EXPECT_EQ(verdict.counterexamples.front().title, "not exactly-once: duplicated value");
  EXPECT_EQ(verdict.details.size(), 2U);
}

// What is strictly serializable is all the rest: no level stands beside it.
TEST(Placement, NamesOneStrongestWhereOneImpliesTheOthers) {
  const auto read = history::read_history(
      R"({"process":0,"type":"invoke","f":"txn","value":[["w","x",1]]}
{"process":0,"type":"ok","f":"txn","value":[["w","x",1]]}
{"process":1,"type":"invoke","f":"txn","value":[["r","x",null]]}
{"process":1,"type":"ok","f":"txn","value":[["r","x",1]]}
)",
      "test");
  ASSERT_TRUE(read.has_value());
  for (const std::string_view model : {"txn-rw", "rw-register"}) {
    const Placement placement = place(read->history, *find_model(model)->model, {}, {});
    EXPECT_EQ(placement.summary(), "strongest not refuted: strict-serializable") << model;
  }
}

}  // namespace
}  // namespace sunder::checkers
