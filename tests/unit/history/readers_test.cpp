#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "harness/base/random.hpp"
#include "harness/history/text.hpp"
#include "tests/histories/support/generator.hpp"

namespace sunder::history {
namespace {

ReadHistory read(std::string_view text, Format expected) {
  auto result = read_history(text, "h");
  EXPECT_TRUE(result.has_value()) << result.error().message();
  if (result.has_error()) return {};
  EXPECT_EQ(name_of(result->format), name_of(expected));
  return std::move(*result);
}

std::string error_of(std::string_view text) {
  const auto result = read_history(text, "h");
  if (result.has_value()) return "no error";
  EXPECT_TRUE(base::is(result.error(), Errc::unreadable_input));
  return result.error().context;
}

std::vector<std::string> described(const History& history) {
  std::vector<std::string> lines;
  for (const Operation& operation : history.operations()) {
    lines.push_back("p" + std::to_string(operation.process) + " " + history.describe(operation));
  }
  return lines;
}

using Lines = std::vector<std::string>;

TEST(ReadJsonl, ReadsWhatDesignSays) {
  const auto result = read(
      R"({"index":12,"time":1503441,"process":3,"type":"invoke","f":"write","key":"x","value":7}
{"index":15,"time":1790210,"process":3,"type":"ok","f":"write","key":"x","value":7,"node":"n2"}
{"process":4,"type":"invoke","f":"cas","key":7,"value":[1,"a"],"later":{"unknown":[1]}}
{"process":4,"type":"fail","f":"cas","key":"7","value":[1,"a"],"error":"cas-mismatch","actual":5}
)",
      Format::jsonl);
  EXPECT_EQ(described(result.history),
            (Lines{"p3 write x 7 -> ok", "p4 cas 7 [1 \"a\"] -> fail 5 (cas-mismatch)"}));
  EXPECT_EQ(result.history.operations()[0].invoke_time, 1503441);
  EXPECT_EQ(result.history.pool().name(result.history.operations()[0].node), "n2");
}

TEST(ReadJsonl, LeavesOpenWhatARunThatDiedDidNotFinish) {
  const auto result =
      read("{\"process\":3,\"type\":\"invoke\",\"f\":\"read\",\"value\":null}\n{\"process\":3,\"ty",
           Format::jsonl);
  EXPECT_EQ(described(result.history), (Lines{"p3 read -> info"}));
}

TEST(ReadJsonl, TakesALastLineWithoutItsNewline) {
  const auto result = read(
      "{\"process\":3,\"type\":\"invoke\",\"f\":\"read\",\"value\":null}\n"
      "{\"process\":3,\"type\":\"ok\",\"f\":\"read\",\"value\":null}",
      Format::jsonl);
  EXPECT_EQ(described(result.history), (Lines{"p3 read -> ok nil"}));
}

TEST(ReadJsonl, KeepsTheNemesisAsNotes) {
  const auto result = read(
      "{\"process\":\"nemesis\",\"type\":\"info\",\"f\":\"kill\",\"value\":\"n1\",\"time\":5}\n",
      Format::jsonl);
  EXPECT_TRUE(result.history.empty());
  ASSERT_EQ(result.history.notes().size(), 1U);
  EXPECT_EQ(result.history.notes()[0].time, 5);
}

TEST(ReadJsonl, ReadsAnArrayOfEvents) {
  const auto result = read(
      R"([{"type":"invoke","f":"add","value":1,"process":0,"time":10,"index":0},
{"type":"ok","f":"add","value":1,"process":0,"time":12,"index":1}])",
      Format::jsonl);
  EXPECT_EQ(described(result.history), (Lines{"p0 add 1 -> ok"}));
}

TEST(ReadJsonl, NamesThePlaceOfAnError) {
  const std::string good = "{\"process\":3,\"type\":\"invoke\",\"f\":\"read\"}\n";
  EXPECT_TRUE(error_of(good + "{\"process\":3,\"type\":}\n").starts_with("h:2:"));
  EXPECT_EQ(error_of("{\"process\":3,\"type\":\"done\"}\n"),
            "h:1:1: expected a type of invoke, ok, fail or info, not \"done\"");
  EXPECT_EQ(error_of("\n{\"type\":\"ok\"}\n"), "h:2:1: expected a field \"process\"");
  EXPECT_EQ(error_of(good + good), "h:2:1: process 3 invokes while it has an operation in flight");
  EXPECT_TRUE(error_of("{\"process\":3,\"type\":\"ok\"}\n").starts_with("h:1:1: process 3"));
  EXPECT_TRUE(
      error_of("{\"process\":3,\"type\":\"invoke\"} {}\n").starts_with("h:1:1: expected one"));
}

TEST(ReadEdn, TakesVectorsListsAndLines) {
  const std::string one = "{:process 1, :type :invoke, :f :read, :value nil}";
  const std::string two = "{:process 1, :type :ok, :f :read, :value 3}";
  const Lines expected{"p1 read -> ok 3"};
  EXPECT_EQ(described(read("[" + one + "\n" + two + "]", Format::edn).history), expected);
  EXPECT_EQ(
      described(read("; why\n(" + one + " #_{:type :ok} " + two + ")\n", Format::edn).history),
      expected);
  EXPECT_EQ(described(read(one + "\n" + two + "\n", Format::edn).history), expected);
  EXPECT_EQ(
      described(read("#jepsen.history.Op" + one + "#jepsen.history.Op" + two, Format::edn).history),
      expected);
}

TEST(ReadEdn, TakesAReadOfNilForAnUnknownResult) {
  const auto result = read(
      "{:process 1, :type :invoke, :f :read, :value nil}{:process 1, :type :ok, :f :read, :value "
      "nil}",
      Format::edn);
  EXPECT_TRUE(result.history.operations()[0].output.is_none());
}

TEST(ReadEdn, IgnoresFailedCasAsKnossosDoes) {
  const auto result = read(
      "{:process 1, :type :invoke, :f :cas, :value [1 2]}{:process 1, :type :fail, :f :cas, :value "
      "[1 2]}",
      Format::edn);
  EXPECT_EQ(described(result.history), (Lines{"p1 cas [1 2] -> fail"}));
}

TEST(ReadEdn, SplitsIndependentTuples) {
  const auto result = read(
      "{:process 1, :type :invoke, :f :read, :value [x nil]}"
      "{:process 1, :type :ok, :f :read, :value [x 3]}"
      "{:process 1, :type :invoke, :f :cas, :value [7 [1 2]]}"
      "{:process :nemesis, :type :info, :f :start, :value [:isolated #{\"n1\"}]}"
      "{:process 1, :type :info, :f :cas, :value [7 [1 2]], :error :timeout}",
      Format::edn);
  EXPECT_EQ(described(result.history),
            (Lines{"p1 read x -> ok 3", "p1 cas 7 [1 2] -> info (timeout)"}));
  EXPECT_EQ(result.history.notes().size(), 1U);
}

TEST(ReadEdn, DoesNotTakePlainCasOrTransactionsForTuples) {
  const auto cas = read("{:process 1, :type :invoke, :f :cas, :value [1 2]}", Format::edn);
  EXPECT_EQ(described(cas.history), (Lines{"p1 cas [1 2] -> info"}));
  const auto txn =
      read("{:process 1, :type :invoke, :f :txn, :value [[:append 9 1] [:r 8 nil]]}", Format::edn);
  EXPECT_EQ(described(txn.history), (Lines{"p1 txn [[\"append\" 9 1] [\"r\" 8 nil]] -> info"}));
}

TEST(ReadEdn, ToleratesWhatItHasNoKindFor) {
  const auto result = read(
      "{:process 1, :type :invoke, :f :add, :value {:a #{1 2}, \"b\" 1.5, :c #inst \"2020\", :d "
      "\\x}}",
      Format::edn);
  EXPECT_EQ(
      described(result.history),
      (Lines{"p1 add [[\"a\" [1 2]] [\"b\" \"1.5\"] [\"c\" \"2020\"] [\"d\" \"\\x\"]] -> info"}));
}

TEST(ReadEdn, NamesThePlaceOfAnError) {
  EXPECT_TRUE(error_of("[{:process 1, :type :invoke\n").starts_with("h:2:1: expected"));
  EXPECT_EQ(error_of("[{:process 1, :type :invoke}\n"), "h:2:1: expected ']'");
  EXPECT_EQ(error_of("{:process 1, :type :done}"),
            "h:1:1: expected :type of :invoke, :ok, :fail or :info");
  EXPECT_EQ(error_of("{:process 1, :type :invoke}\n 7"), "h:2:2: expected an operation, a map");
  EXPECT_NE(error_of("{:v " + std::string(500, '[')).find("100 nested"), std::string::npos);
  EXPECT_NE(error_of("{:v " + std::string(100'000, '[')).find("100 nested"), std::string::npos);
}

TEST(ReadPorcupineKv, ReadsKeysAndTexts) {
  const auto result = read(
      "{:process 0, :type :invoke, :f :get, :key \"5\", :value nil}\n"
      "{:process 0, :type :ok, :f :get, :key \"5\", :value \"\"}\n",
      Format::porcupine_kv);
  EXPECT_EQ(described(result.history), (Lines{"p0 get 5 -> ok \"\""}));
}

TEST(ReadLog, KnowsItsTraps) {
  const auto result = read(
      "INFO  jepsen.util - 0\t:invoke\t:read\tnil\n"
      "INFO  jepsen.util - 1\t:invoke\t:cas\t[1 2]\n"
      "INFO  jepsen.core - Everything looks good\n"
      "INFO  jepsen.util - 0\t:ok\t:read\tnil\n"
      "INFO  jepsen.util - :nemesis\t:info\t:start\tnil\n"
      "INFO  jepsen.util - 1\t:fail\t:cas\t[1 2]\n"
      "INFO  jepsen.util - 0\t:invoke\t:read\tnil\n"
      "INFO  jepsen.util - 2\t:invoke\t:write\t4\n"
      "INFO  jepsen.util - 0\t:fail\t:read\t:timed-out\n"
      "INFO  jepsen.util - 2\t:info\t:write\t:timed-out\n",
      Format::porcupine_log);
  EXPECT_EQ(described(result.history),
            (Lines{"p0 read -> ok nil",
                   "p1 cas [1 2] -> fail (cas-mismatch)",
                   "p0 read -> fail (timed-out)",
                   "p2 write 4 -> info (timed-out)"}));
  EXPECT_EQ(result.history.notes().size(), 1U);
  EXPECT_EQ(result.history.operations()[3].complete, kNever);
}

TEST(ReadLog, ReadsBareColumnsAsKnossosDoes) {
  const auto result = read("0\t:invoke\t:read\tnil\n0\t:ok\t:read\tnil\n", Format::porcupine_log);
  EXPECT_TRUE(result.history.operations()[0].output.is_none());
}

TEST(ReadLog, RefusesWhatIsNoHistory) {
  EXPECT_TRUE(error_of("hello\n").starts_with("h:1:1: expected a history"));
  EXPECT_TRUE(error_of("INFO - x\t:invoke\t:read\tnil\n").starts_with("h:1:8: expected a process"));
}

TEST(ReadHistoryText, CallsAnEmptyTextAnEmptyHistory) {
  EXPECT_TRUE(read("", Format::jsonl).history.empty());
  EXPECT_TRUE(read(" \n; only a comment", Format::jsonl).history.empty());
}

TEST(ReadHistoryFile, SaysThatAFileIsMissing) {
  const auto result = read_history_file("/nonexistent/history.jsonl");
  ASSERT_TRUE(result.has_error());
  EXPECT_TRUE(base::is(result.error(), Errc::unreadable_input));
}

// What is written comes back, and is written the same again.
TEST(RoundTrip, OfRandomHistories) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    test::SmallOptions options;
    options.seed = seed;
    options.texts = seed % 3 == 0;
    const std::string text = to_jsonl(test::small_history(options));
    const auto again = read_history(text, "again");
    ASSERT_TRUE(again.has_value()) << again.error().message() << text;
    ASSERT_EQ(to_jsonl(again->history), text) << "seed " << seed;
  }
}

// Damaged text is read or refused with its place; it never crashes.
TEST(Robustness, OfEveryReaderAgainstDamage) {
  const std::vector<std::string> originals{
      "{\"process\":3,\"type\":\"invoke\",\"f\":\"cas\",\"key\":\"x\",\"value\":[1,\"a\\n\"]}\n"
      "{\"process\":3,\"type\":\"fail\",\"f\":\"cas\",\"error\":\"cas-mismatch\",\"actual\":null}"
      "\n",
      "[{:process 1, :type :invoke, :f :add, :value {:a #{1 2}, \"b\" 1.5}} ; c\n"
      " {:process 1, :type :ok, :f :add, :value (1 [2 #x 3])}]",
      "INFO  jepsen.util - 0\t:invoke\t:cas\t[1 2]\nINFO  jepsen.util - 0\t:fail\t:cas\t[1 2]\n"};
  constexpr std::string_view kBytes = "{}[]()\":;,#\\\t\n 0ax\xff";
  base::Random random(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string text = originals[static_cast<std::size_t>(random.below(originals.size()))];
    const std::uint64_t edits = 1 + random.below(4);
    for (std::uint64_t edit = 0; edit < edits && !text.empty(); ++edit) {
      const auto at = static_cast<std::size_t>(random.below(text.size()));
      if (random.chance(0.3)) {
        text.erase(at, static_cast<std::size_t>(1 + random.below(5)));
      } else {
        text.at(at) = kBytes[static_cast<std::size_t>(random.below(kBytes.size()))];
      }
    }
    const auto result = read_history(text, "h");
    if (result.has_error()) {
      ASSERT_TRUE(result.error().context.starts_with("h:")) << result.error().message();
    }
  }
}

}  // namespace
}  // namespace sunder::history
