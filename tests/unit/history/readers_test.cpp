#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "harness/base/file.hpp"
#include "harness/base/random.hpp"
#include "harness/history/file_text.hpp"
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

// Two sessions of one transaction each: w 1 7; then r 1 7, a write that did not happen, and r 2 0.
std::string dbcop_text() {
  std::string bytes;
  const auto number = [&bytes](std::int64_t value) {
    for (int i = 0; i < 8; ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xff);
  };
  const auto event = [&](bool is_write, std::int64_t key, std::int64_t value, bool happened) {
    bytes += is_write ? '\1' : '\0';
    number(key);
    number(value);
    bytes += happened ? '\1' : '\0';
  };
  for (const std::int64_t parameter : {1, 2, 3, 1, 3}) number(parameter);
  for (const std::string_view text : {"remark", "", "end"}) {
    number(static_cast<std::int64_t>(text.size()));
    bytes += text;
  }
  number(2);
  number(1);
  number(1);
  event(true, 1, 7, true);
  bytes += '\1';
  number(2);
  number(3);
  event(false, 1, 7, true);
  event(true, 2, 8, false);
  event(false, 2, 0, true);
  bytes += '\1';
  number(1);
  event(true, 3, 9, true);
  bytes += '\0';
  return bytes;
}

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
      Format::json);
  EXPECT_EQ(described(result.history), (Lines{"p0 add 1 -> ok"}));
}

TEST(ReadJson, ReadsTwinsOfJepsensMaps) {
  const auto result = read(
      R"([{"type":"invoke","value":[["append",253,1],["r",255,null]],"process":1},
 {"type":"ok","value":[["append",253,1],["r",255,[2]]],"process":1},
 {"process":":nemesis","type":"info","f":"kill","value":{"n1":"killed"}}])",
      Format::json);
  EXPECT_EQ(described(result.history),
            (Lines{"p1 txn -> ok [[\"append\" 253 1] [\"r\" 255 [2]]]"}));
  EXPECT_EQ(result.history.notes().size(), 1U);
  const auto nil =
      read(R"([{"type":"invoke","f":"read","value":null},{"type":"ok","f":"read","value":null}])",
           Format::json);
  EXPECT_TRUE(nil.history.operations()[0].output.is_none()) << "as in Knossos' data";
}

TEST(ReadJson, SplitsIndependentTuples) {
  const auto result = read(
      R"([{"type":"invoke","f":"read","value":["x",null],"process":1},
 {"type":"ok","f":"read","value":["x",3],"process":1},
 {"type":"invoke","f":"write","value":[7,1],"process":1}])",
      Format::json);
  EXPECT_EQ(described(result.history), (Lines{"p1 read x -> ok 3", "p1 write 7 1 -> info"}));
}

// A register of pairs is told from independent keys only by its first read.
TEST(ReadJson, ReadsAgainWhatLookedLikeTuples) {
  const auto result = read(
      R"([{"type":"invoke","f":"write","value":["x",1],"process":1},
 {"type":"ok","f":"write","value":["x",1],"process":1},
 {"type":"invoke","f":"read","value":null,"process":1},
 {"type":"ok","f":"read","value":["x",1],"process":1}])",
      Format::json);
  EXPECT_EQ(described(result.history),
            (Lines{"p1 write [\"x\" 1] -> ok", "p1 read -> ok [\"x\" 1]"}));
}

TEST(ReadJson, NamesThePlaceOfAnError) {
  EXPECT_EQ(error_of("[{\"type\":\"invoke\"}\n 7]"), "h:2:2: expected ',' or ']'");
  EXPECT_EQ(error_of("[{\"type\":\"invoke\"},\n 7]"), "h:2:2: expected an event, an object");
  EXPECT_EQ(error_of("[{\"type\":\"invoke\"}"), "h:1:19: expected ',' or ']'");
  EXPECT_EQ(error_of("[{\"type\":\"invoke\"}] 7"), "h:1:21: expected the end after the array");
  EXPECT_TRUE(error_of("[{\"type\":\"invoke\", x}]").starts_with("h:1:"));
}

// A parser that is fast does not tell where it stopped.
TEST(ReadJsonl, NamesThePlaceWhereTheJsonEnds) {
  struct Row {
    std::string_view text;
    std::string_view error;
  };

  const std::vector<Row> rows{
      {R"({"process":0 "type":"ok"})", "h:1:14: expected ',' or '}'"},
      {R"({"process":0,"type":})", "h:1:21: expected a JSON value"},
      {R"({"process":0,type:1})", "h:1:14: expected a name in quotation marks"},
      {R"({"process" 0})", "h:1:12: expected ':' after the name"},
      {R"({"process":0,"value":[1 2]})", "h:1:25: expected ',' or ']'"},
      {R"({"process":0,"value":[1)", "h:1:24: expected ',' or ']'"},
      {R"({"process":0,"value":"a)", "h:1:24: expected '\"' at the end of a string"},
      {R"({"process":0,"value":"\x"})", "h:1:23: expected one of"},
      {R"({"process":0,"value":"\u12g"})", "h:1:24: expected four hexadecimal digits"},
      {R"({"process":0,"value":tru})", "h:1:22: expected a JSON value"},
      {R"({"process":0,"value":1.})", "h:1:24: expected a digit"},
      {R"({"process":0,"value":{"a":01}})", "h:1:28: expected a number without leading zeros"},
      {R"({"process":1.5,"type":"ok"})", "h:1:1: expected a whole number of 64 bits"}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    const std::string error = error_of(std::string(row.text) + "\n");
    EXPECT_TRUE(error.starts_with(row.error)) << error;
  }
}

TEST(ReadJsonl, KnowsANumberHoweverItIsWritten) {
  struct Row {
    std::string_view written;
    std::string_view read;
    bool equal = true;
  };

  const std::vector<Row> rows{{"1.0", "1"},
                              {"1e2", "100"},
                              {"1.50", "1.5"},
                              {"-0.0", "0"},
                              {"1.5", "1.25", false},
                              {"1", "\"1\"", false},
                              {"123456789012345678901", "123456789012345678902", false},
                              {"9223372036854775807", "9223372036854775806", false},
                              {"\"\\u00e9\"", "\"\u00e9\""}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.written);
    const auto result =
        read(fmt::format("{{\"process\":1,\"type\":\"invoke\",\"f\":\"write\",\"value\":{}}}\n"
                         "{{\"process\":1,\"type\":\"info\"}}\n"
                         "{{\"process\":2,\"type\":\"invoke\",\"f\":\"write\",\"value\":{}}}\n",
                         row.written,
                         row.read),
             Format::jsonl);
    ASSERT_EQ(result.history.operations().size(), 2U);
    const auto& operations = result.history.operations();
    EXPECT_EQ(operations[0].input == operations[1].input, row.equal);
  }
}

TEST(ReadJson, TakesObjectsForEqualInAnyOrder) {
  const auto result =
      read(R"([{"type":"invoke","f":"write","process":1,"value":{"a":1,"b":{"c":2,"d":3}}},)"
           R"({"type":"ok","f":"write","process":1,"value":{"b":{"d":3,"c":2},"a":1}},)"
           R"({"type":"invoke","f":"read","process":1,"value":null},)"
           R"({"type":"ok","f":"read","process":1,"value":{"b":{"d":3,"c":2},"a":1}}])",
           Format::json);
  const auto& operations = result.history.operations();
  EXPECT_EQ(operations.at(0).input, operations.at(1).output);
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
      described(
          read("#jepsen.history.Op" + one + "#jepsen.history.Op " + two, Format::edn).history),
      expected);
}

TEST(ReadEdn, LeavesOpenWhatARunThatDiedDidNotFinish) {
  const auto result =
      read("{:process 1, :type :invoke, :f :read, :value nil}\n{:process 1, :type :ok, :f :re",
           Format::edn);
  EXPECT_EQ(described(result.history), (Lines{"p1 read -> info"}));
  ASSERT_EQ(result.remarks.size(), 1U);
  EXPECT_TRUE(result.remarks[0].starts_with("the last line ends early"));
}

TEST(ReadEdn, SaysThatNoProcessHasANumber) {
  const auto result = read("{:process \"a\", :type :invoke, :f :read}\n", Format::edn);
  EXPECT_TRUE(result.history.empty());
  ASSERT_EQ(result.remarks.size(), 1U);
  EXPECT_TRUE(result.remarks[0].starts_with("no process has a number"));
}

// As elle-cli's comments.edn: nobody wrote whose operations they are.
TEST(ReadEdn, PairsEventsWithoutAProcessByFunctionAndValue) {
  const std::string read_begins = "{:type :invoke :f :read :value nil}";
  const std::string read_ends = "{:type :ok :f :read :value #{2 1}}";
  const std::string events =
      "{:type :invoke :f :write :value 1} {:type :invoke :f :write :value 2}\n" + read_begins +
      "{:type :ok :f :write :value 2} {:type :info :f :write :value 1}\n" + read_ends +
      "{:type :invoke :f :write :value 3}";
  EXPECT_EQ(
      described(read(events, Format::edn).history),
      (Lines{
          "p0 write 1 -> info", "p1 write 2 -> ok", "p2 read -> ok [1 2]", "p2 write 3 -> info"}));
  EXPECT_EQ(error_of(read_begins + "\n" + read_begins + "\n" + read_ends + "\n"),
            "h:3:1: several operations are in flight that this may be the end of (read): expected "
            "a process");
  EXPECT_EQ(error_of(read_begins + "\n{:type :invoke :f :write :value 1}\n"
                                   "{:type :ok :f :write :value 2}\n"),
            "h:3:1: ends an operation that nobody invoked (write): expected a process, or an "
            "invocation before it");
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

// Two ways to write a value mean one value, and neighbours of it do not.
TEST(ReadEdn, TakesForEqualWhatIsEqual) {
  struct Row {
    std::string_view written;
    std::string_view read;
    bool equal = true;
  };

  const std::vector<Row> rows{
      {"{:a 1, :b {:c 2 :d 3}}", "{:b {:d 3, :c 2} :a 1}"},
      {"{:a 1, :b 2}", "{:a 2, :b 1}", false},
      {"#{1 2 #{3 4}}", "#{#{4 3} 2 1}"},
      {"#{1 2}", "#{1 3}", false},
      {"[1 2]", "[2 1]", false},
      {R"("\u00e9")", "\"\u00e9\""},
      {R"("\ud83d\ude00")", "\"\U0001F600\""},
      {R"("\u00e9")", R"("\u00e8")", false},
      {R"("\u0041\t")", "\"A\t\""},
      {"123456789012345678901234567890", "123456789012345678901234567890N"},
      {"123456789012345678901234567890", "123456789012345678901234567891", false},
      {"+7", "7N"},
      {"-9223372036854775808", "-9223372036854775808N"},
      {R"(\()", R"(\()"},
      {R"(\()", R"(\))", false},
      {R"(\newline)", R"(\newline)"},
      {R"(\")", R"(\")"},
      {"^{:line 3} [1 2]", "[1 2]"},
      {"^:private [1 2]", "[1 3]", false},
      {"#my/tag {:a 1}", "#other.Tag{:a 1}"},
      {"1/2", "1/3", false},
      {":a.b/c", ":a.b/d", false}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.written);
    const auto result = read(fmt::format("{{:process 1, :type :invoke, :f :write, :value {0}}}\n"
                                         "{{:process 1, :type :ok, :f :write, :value {0}}}\n"
                                         "{{:process 1, :type :invoke, :f :read, :value nil}}\n"
                                         "{{:process 1, :type :ok, :f :read, :value {1}}}\n",
                                         row.written,
                                         row.read),
                             Format::edn);
    ASSERT_EQ(result.history.operations().size(), 2U);
    const auto& operations = result.history.operations();
    EXPECT_EQ(operations[0].input == operations[1].output, row.equal);
  }
}

// Elle's tests write histories of completions alone. Each may have begun as soon as the one before
// it of its process was over.
TEST(ReadEdn, TakesCompletionsWithoutInvocations) {
  const auto result = read(
      "{:process 0, :type :ok, :f :txn, :value [[:append :x 1]]}\n"
      "{:process 1, :type :ok, :f :txn, :value [[:r :x [1]]]}\n"
      "{:process 0, :type :fail, :f :txn, :value [[:append :x 2]]}\n"
      "{:process 2, :type :info, :f :txn, :value [[:append :x 3]]}\n",
      Format::edn);
  EXPECT_EQ(described(result.history),
            (Lines{"p0 txn -> ok [[\"append\" \"x\" 1]]",
                   "p1 txn -> ok [[\"r\" \"x\" [1]]]",
                   "p2 txn [[\"append\" \"x\" 3]] -> info",
                   "p0 txn [[\"append\" \"x\" 2]] -> fail"}));
  const auto& operations = result.history.operations();
  EXPECT_FALSE(operations[0].precedes(operations[1]));
  EXPECT_FALSE(operations[1].precedes(operations[3]));
  EXPECT_TRUE(operations[0].precedes(operations[3]));
  ASSERT_EQ(result.remarks.size(), 1U);
  EXPECT_NE(result.remarks[0].find("no operation has an invocation"), std::string::npos);
  const std::string invoke = "{:process 0, :type :invoke, :f :read, :value nil}\n";
  const std::string ok = "{:process 0, :type :ok, :f :read, :value 1}\n";
  EXPECT_TRUE(error_of(ok + invoke).starts_with("h:2:1: process 0 invokes"));
  EXPECT_TRUE(error_of(invoke + ok + ok).starts_with("h:3:1: process 0 completes"));
}

// Jepsen's log of what was given to a consumer or taken from it during an operation.
TEST(ReadEdn, KeepsRebalancesAsAPartOfTheValue) {
  const Lines expected{"p1 poll [[\"poll\"]] -> ok [[\"poll\" []] [\"rebalance\" [0 2 1]]]"};
  const auto edn = read(
      "{:process 1, :type :invoke, :f :poll, :value [[:poll]]}\n"
      "{:rebalance-log [{:keys [0 2], :at 7} {:keys [1]}], :process 1, :type :ok, :f :poll, :value "
      "[[:poll {}]]}",
      Format::edn);
  EXPECT_EQ(described(edn.history), expected);
  const auto jsonl = read(R"({"process":1,"type":"invoke","f":"poll","value":[["poll"]]})"
                          "\n"
                          R"({"process":1,"type":"ok","f":"poll","value":[["poll",{}]],)"
                          R"("rebalance-log":[{"keys":[0,2]},{"keys":[1]}]})",
                          Format::jsonl);
  EXPECT_EQ(described(jsonl.history), expected);
  const auto none = read(
      "{:process 1, :type :invoke, :f :poll, :value [[:poll]]}\n"
      "{:process 1, :type :ok, :f :poll, :value [[:poll {}]], :rebalance-log []}",
      Format::edn);
  EXPECT_EQ(described(none.history), (Lines{"p1 poll [[\"poll\"]] -> ok [[\"poll\" []]]"}));
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
  const auto result = read("0\t:invoke\t:read\tnil\n0\t:ok\t:read\tnil\n", Format::jepsen_history);
  EXPECT_TRUE(result.history.operations()[0].output.is_none());
}

TEST(ReadLog, FindsOperationsInAJepsenLog) {
  const auto result = read(
      "2023-05-04 12:00:00,123{GMT}\tINFO\t[main] jepsen.core: Running test\n"
      "2023-05-04 12:00:01,123{GMT}\tINFO\t[jepsen worker 0] jepsen.util: 3\t:invoke\t:read\t[x "
      "nil]\n"
      "2023-05-04 12:00:01,124{GMT}\tINFO\t[jepsen nemesis] jepsen.util: "
      ":nemesis\t:info\t:kill\t:n1\n"
      "2023-05-04 12:00:02,123{GMT}\tINFO\t[jepsen worker 0] jepsen.util: 3\t:ok\t:read\t[x 7]\n"
      "2023-05-04 12:00:02,130{GMT}\tINFO\t[jepsen worker 0] jepsen.util: 3\t:invoke\t:cas\t[x [1 "
      "2]]\n"
      "2023-05-04 12:00:02,140{GMT}\tINFO\t[jepsen worker 0] jepsen.util: 3\t:info\t:cas\t[x [1 "
      "2]]\t:timeout\n"
      "2023-05-04 12:00:02,150{GMT}\tINFO\t[jepsen worker 0] jepsen.util: 8\t:invoke\t:cas\t[x [1",
      Format::jepsen_log);
  EXPECT_EQ(described(result.history),
            (Lines{"p3 read x -> ok 7", "p3 cas x [1 2] -> info (timeout)"}));
  EXPECT_EQ(result.history.notes().size(), 1U);
}

TEST(ReadLog, RefusesWhatIsNoHistory) {
  EXPECT_TRUE(error_of("hello\n").starts_with("h:1:1: expected a history"));
  EXPECT_TRUE(error_of("INFO - x\t:invoke\t:read\tnil\n").starts_with("h:1:8: expected a process"));
}

TEST(ReadAwdit, ReadsSessionsOfTransactions) {
  const auto result = read("w 0 1\nw x 1\n-----\nr 0 1\n=====\nr 0 0\nr x 1", Format::awdit);
  EXPECT_EQ(described(result.history),
            (Lines{"p0 txn -> ok [[\"w\" 0 1] [\"w\" \"x\" 1]]",
                   "p0 txn -> ok [[\"r\" 0 1]]",
                   "p1 txn -> ok [[\"r\" 0 nil] [\"r\" \"x\" 1]]"}));
  for (const Operation& a : result.history.operations()) {
    for (const Operation& b : result.history.operations()) EXPECT_FALSE(a.precedes(b));
  }
  // A 0 that somebody wrote is that one.
  EXPECT_EQ(described(read("r 0 0\n=====\nw 0 0\n", Format::awdit).history)[0],
            "p0 txn -> ok [[\"r\" 0 0]]");
  EXPECT_EQ(error_of("w 0 1\nw 0\n"), "h:2:4: expected a value");
  EXPECT_EQ(error_of("w 0 1 2\n"), "h:1:7: expected the end of the line after the value");
  EXPECT_EQ(error_of("w 0 1\nx 0 1\n"),
            "h:2:1: expected \"r key value\", \"w key value\", ----- or =====");
}

TEST(ReadPlume, GathersTransactions) {
  const auto result =
      read("w(1,5,0,0)\nr(1,5,1,1)\nw(2,6,0,0)\nw(3,7,1,-1)\nw(4,7,1,-1)\nr(2, 6, 1, 2)\n",
           Format::plume);
  EXPECT_EQ(described(result.history),
            (Lines{"p0 txn -> ok [[\"w\" 1 5] [\"w\" 2 6]]",
                   "p1 txn -> ok [[\"r\" 1 5]]",
                   "p1 txn [[\"w\" 3 7] [\"w\" 4 7]] -> fail",
                   "p1 txn -> ok [[\"r\" 2 6]]"}));
  EXPECT_EQ(error_of("w(1,5,0,0)\nw(1,5,0)\n"), "h:2:7: expected ','");
  EXPECT_EQ(error_of("w(1,5,0,x)\n"), "h:1:9: expected the number of a transaction");
  EXPECT_EQ(error_of("w(1,5,0,0)\nv(1,5,0,0)\n"),
            "h:2:1: expected r(key,value,session,transaction) or w(…)");
}

TEST(ReadDbcop, ReadsWhatHappened) {
  const std::string bytes = dbcop_text();
  EXPECT_EQ(described(read(bytes, Format::dbcop).history),
            (Lines{"p0 txn -> ok [[\"w\" 1 7]]",
                   "p1 txn -> ok [[\"r\" 1 7] [\"r\" 2 nil]]",
                   "p1 txn [[\"w\" 3 9]] -> fail"}));
  const std::string cut = bytes.substr(0, bytes.size() - 5);
  EXPECT_NE(error_of(cut).find("expected 1 events and whether"), std::string::npos)
      << error_of(cut);
  EXPECT_EQ(error_of(bytes + "x"),
            fmt::format("h:byte {}: expected the end after the last session", bytes.size()));
}

TEST(ReadObject, ReadsCallsAndReturns) {
  const auto result = read(
      "# from a paper\n# @object atomic-stack\n\n[1] call push(1)\n[1] return\n[1] call pop\n"
      "    [2] call remove()\n[1] return 1\n[2] return empty\n[1] call pop\n[1] return\n"
      "[1] call push a\n[3] call pop a\n[1] return\n[3] ret",
      Format::object);
  EXPECT_EQ(described(result.history),
            (Lines{"p1 push 1 -> ok",
                   "p1 pop -> ok 1",
                   "p2 remove -> ok nil",
                   "p1 pop -> ok nil",
                   "p1 push \"a\" -> ok",
                   "p3 pop -> info"}));
  EXPECT_EQ(result.history.operations()[2].function, Function::pop);
  const auto queue = read("# @object atomic-queue\n[1] call add 1\n[1] return\n", Format::object);
  EXPECT_EQ(queue.history.operations()[0].function, Function::enqueue);
  const auto crashed =
      read("# @object stack\n[1] call pop 7\n[2] call pop 8\n[2] return\ncrash\n[1] call pop\n",
           Format::object);
  EXPECT_EQ(described(crashed.history),
            (Lines{"p1 pop -> info", "p2 pop -> ok 8", "p1 pop -> info"}));
  EXPECT_EQ(error_of("# @object stack\n[1] cal push\n"), "h:2:5: expected \"call\" or \"return\"");
  EXPECT_TRUE(error_of("# @object stack\n[1] return\n").starts_with("h:2:1: process 1 completes"));
}

TEST(ReadIntervals, TakesEveryOrderOfColumns) {
  const auto fptlin =
      read("# stack\n0 1 5 PUSH 1\n1 2 6 POP 1\n4 2 9 PEEK -1\n", Format::intervals);
  EXPECT_EQ(described(fptlin.history),
            (Lines{"p0 PUSH 1 -> ok", "p1 POP -> ok 1", "p4 PEEK -> ok nil"}));
  EXPECT_EQ(fptlin.history.operations()[2].invoke, 2);
  EXPECT_EQ(fptlin.history.operations()[2].complete, 9);
  const auto older = read("# priorityqueue\n0 INSERT 3 1 5\n1 POLL 3 2 6\n", Format::intervals);
  EXPECT_EQ(described(older.history), (Lines{"p0 INSERT 3 -> ok", "p1 POLL -> ok 3"}));
  const auto fastlin = read("#queue\nenq 1 1 2\ndeq 1 4 -1\ndeq -1 3 4\n", Format::intervals);
  EXPECT_EQ(described(fastlin.history),
            (Lines{"p0 enq 1 -> ok", "p2 deq -> ok nil", "p1 deq -> info"}));
  const auto set =
      read("# set\n2 0 2 CONTAINS 2 0\n0 0 4 INSERT 2 1\n2 3 6 REMOVE 2 1\n", Format::intervals);
  EXPECT_EQ(
      described(set.history),
      (Lines{"p2 CONTAINS 2 -> ok false", "p0 INSERT 2 -> ok true", "p2 REMOVE 2 -> ok true"}));
  EXPECT_EQ(set.history.operations()[1].function, Function::add);
  const auto rmw = read("# rmw\n0 1 10 READ_MODIFY_WRITE 0 2\n", Format::intervals);
  EXPECT_EQ(described(rmw.history),
            (Lines{"p-1 write 0 -> ok", "p0 READ_MODIFY_WRITE [0 2] -> ok"}));
  EXPECT_TRUE(rmw.history.operations()[0].precedes(rmw.history.operations()[1]));
}

// fptlin and fastlin publish touching calls that must not be swapped.
TEST(ReadIntervals, PutsACallBehindTheOneThatEndsAsItStarts) {
  const auto touching = read("#queue\nenq 2 0 1\nenq 1 1 2\ndeq 1 2 -1\n", Format::intervals);
  const auto& calls = touching.history.operations();
  EXPECT_EQ(described(touching.history),
            (Lines{"p0 enq 2 -> ok", "p1 enq 1 -> ok", "p2 deq -> info"}));
  EXPECT_TRUE(calls[0].precedes(calls[1]));
  EXPECT_TRUE(calls[1].precedes(calls[2]));
  const auto instants =
      read("#queue\nenq 1 1 2\nenq 2 2 2\nenq 3 2 2\nenq 4 2 3\n", Format::intervals);
  const auto& at = instants.history.operations();
  EXPECT_TRUE(at[0].precedes(at[1]));
  EXPECT_TRUE(at[0].precedes(at[2]));
  EXPECT_FALSE(at[1].precedes(at[2]));
  EXPECT_FALSE(at[2].precedes(at[1]));
  EXPECT_TRUE(at[2].precedes(at[3]));
  EXPECT_LE(at[1].invoke, at[1].complete);
}

TEST(ReadIntervals, OrdersCallsThatTouchWhereverTheirStampsLie) {
  struct Call {
    std::int64_t start = 0;
    std::int64_t end = 0;
  };

  base::Random random(23);
  std::size_t touching = 0;
  for (int i = 0; i < 3000; ++i) {
    const std::int64_t scale = std::int64_t{1} << random.below(40);
    const auto base = static_cast<std::int64_t>(random.below(1'000'000));
    std::vector<Call> calls(2 + random.below(5));
    std::string text = "# queue\n";
    for (Call& call : calls) {
      call.start = base + scale * static_cast<std::int64_t>(random.below(12));
      call.end = call.start + scale * static_cast<std::int64_t>(random.below(4));
      text += fmt::format("enq {} {} {}\n", &call - calls.data(), call.start, call.end);
    }
    const auto result = read(text, Format::intervals);
    std::vector<Operation> read(calls.size());
    for (const Operation& operation : result.history.operations()) {
      read.at(static_cast<std::size_t>(operation.input.raw())) = operation;
    }
    for (std::size_t a = 0; a < calls.size(); ++a) {
      for (std::size_t b = 0; b < calls.size(); ++b) {
        if (a == b) continue;
        const bool instants = calls[a].start == calls[a].end && calls[b].start == calls[b].end;
        const bool touch = calls[a].end == calls[b].start && !instants;
        touching += touch ? 1U : 0U;
        EXPECT_EQ(read[a].precedes(read[b]), calls[a].end < calls[b].start || touch)
            << text << a << ' ' << b;
      }
    }
  }
  EXPECT_GT(touching, 2000U);
}

TEST(ReadIntervals, NamesThePlaceOfAnError) {
  EXPECT_EQ(error_of("# stack\n0 1 5 PUSH 1\n0 5 1 PUSH 2\n"),
            "h:3:5: expected an end after the start");
  EXPECT_EQ(error_of("# stack\npush 1 1 x\n"), "h:2:10: expected a time stamp");
  EXPECT_TRUE(error_of("# stack\npush 1\n").starts_with("h:2:7: expected process, start"));
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

TEST(ReadHistoryFile, UnpacksGzipAndGivesMemoryBack) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) {
    text += fmt::format(
        "{{\"process\":0,\"type\":\"invoke\",\"f\":\"write\",\"value\":{0}}}\n"
        "{{\"process\":0,\"type\":\"ok\",\"f\":\"write\",\"value\":{0}}}\n",
        i);
  }
  const std::filesystem::path folder = testing::TempDir();
  const std::filesystem::path plain = folder / "sunder_readers_test.jsonl";
  const std::filesystem::path packed = folder / "sunder_readers_test.jsonl.gz";
  ASSERT_TRUE(base::write_file(plain, text).has_value());
  const gzFile zipped = ::gzopen(packed.c_str(), "wb1");
  ASSERT_EQ(::gzwrite(zipped, text.data(), static_cast<unsigned>(text.size())),
            static_cast<int>(text.size()));
  ::gzclose(zipped);
  std::size_t told = 0;
  ReadOptions options;
  options.progress = [&](std::size_t read, std::size_t total) {
    EXPECT_LE(read, total);
    EXPECT_EQ(total, text.size());
    ++told;
  };
  for (const auto& path : {plain, packed}) {
    const auto result = read_history_file(path, options);
    ASSERT_TRUE(result.has_value()) << result.error().message();
    ASSERT_EQ(result->history.operations().size(), 100'000U);
    EXPECT_EQ(result->history.operations().back().input, Value::integer(99'999));
  }
  EXPECT_GT(told, 2U);
  // An error after pages were given back still counts the lines before it.
  ASSERT_TRUE(base::write_file(plain, text + "{\"process\":}\n").has_value());
  const auto broken = read_history_file(plain);
  ASSERT_TRUE(broken.has_error());
  EXPECT_TRUE(broken.error().context.starts_with(plain.string() + ":200001:"));
  // Half of a packed file is no history: what is missing may be what was lost.
  const auto bytes = base::read_file(packed);
  ASSERT_TRUE(bytes.has_value());
  ASSERT_TRUE(base::write_file(packed, bytes->substr(0, bytes->size() / 2)).has_value());
  const auto half = read_history_file(packed);
  ASSERT_TRUE(half.has_error());
  EXPECT_NE(half.error().context.find("cut off"), std::string::npos) << half.error().context;
  std::filesystem::remove(plain);
  std::filesystem::remove(packed);
}

// The readers of plain events run up to the zero behind a text.
TEST(FileText, EndsInAZeroThoughTheFileGrows) {
  const auto path = std::filesystem::temp_directory_path() / "sunder_file_text_grows";
  for (const std::size_t size : {std::size_t{1}, std::size_t{5000}, std::size_t{8192}}) {
    ASSERT_TRUE(base::write_file(path, std::string(size, '7')).has_value());
    const auto file = FileText::open(path);
    ASSERT_TRUE(file.has_value());
    std::ofstream(path, std::ios::app) << std::string(300'000, '7');
    ASSERT_EQ(file->text(), std::string(size, '7'));
    constexpr std::size_t kPageMost = 1 << 16;
    EXPECT_LE(std::strlen(file->text().data()), size + kPageMost);
  }
  std::filesystem::remove(path);
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
      "INFO  jepsen.util - 0\t:invoke\t:cas\t[1 2]\nINFO  jepsen.util - 0\t:fail\t:cas\t[1 2]\n",
      "w 0 1\n-----\nr 0 1\n=====\nr 0 1\nw 1 2\n",
      "w(1,2,0,0)\nr(1,2,1,1)\nw(2,3,1,-1)\n",
      "# @object atomic-stack\n[1] call push(1)\n[2] call pop\n[1] return\n[2] return 1\n",
      "# set\n2 0 2 CONTAINS 2 0\n0 0 4 INSERT 2 1\n",
      std::string(dbcop_text())};
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
