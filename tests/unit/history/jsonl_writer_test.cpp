#include <gtest/gtest.h>

#include "harness/history/text.hpp"

namespace sunder::history {
namespace {

// A history of one operation; the builder pairs it.
History one(std::string_view function,
            Value input,
            HistoryBuilder& builder,
            const HistoryBuilder::Completion& end) {
  HistoryBuilder::Invocation invocation;
  invocation.process = 3;
  invocation.function = function;
  invocation.key = "x";
  invocation.input = input;
  invocation.time = 10;
  EXPECT_TRUE(builder.invoke(invocation).has_value());
  EXPECT_TRUE(builder.complete(end).has_value());
  return builder.finish();
}

TEST(JsonlWriter, WritesTheDocumentedForm) {
  HistoryBuilder builder;
  HistoryBuilder::Completion end;
  end.process = 3;
  end.outcome = Outcome::ok;
  end.node = "n2";
  end.time = 25;
  const History history = one("write", Value::integer(7), builder, end);
  EXPECT_EQ(
      to_jsonl(history),
      R"({"index":0,"time":10,"process":3,"type":"invoke","f":"write","key":"x","value":7})"
      "\n"
      R"({"index":1,"time":25,"process":3,"type":"ok","f":"write","key":"x","value":7,"node":"n2"})"
      "\n");
}

TEST(JsonlWriter, GivesAFailedCasItsActualValue) {
  HistoryBuilder builder;
  const Value pair = builder.pool().list({Value::integer(1), Value::nil()});
  HistoryBuilder::Completion end;
  end.process = 3;
  end.outcome = Outcome::fail;
  end.error = "cas-mismatch";
  end.output = Value::integer(5);
  const History history = one("cas", pair, builder, end);
  EXPECT_NE(to_jsonl(history).find(R"("value":[1,null],"actual":5,"error":"cas-mismatch"})"),
            std::string::npos);
}

TEST(JsonlWriter, TellsAnAbsentKeyFromAnUnknownResult) {
  HistoryBuilder builder;
  HistoryBuilder::Completion end;
  end.process = 3;
  end.outcome = Outcome::ok;
  end.output = Value::nil();
  EXPECT_NE(to_jsonl(one("read", Value(), builder, end)).find(R"("key":"x","value":null})"),
            std::string::npos);
  end.output = Value();
  EXPECT_NE(to_jsonl(one("read", Value(), builder, end)).find(R"("f":"read","key":"x"})"),
            std::string::npos);
}

// Parts of a transaction on logs tell their results before its own outcome gets lost.
TEST(JsonlWriter, KeepsWhatAnUnknownOutcomeTold) {
  const std::string text =
      R"({"index":0,"process":1,"type":"invoke","f":"txn","value":[["send",0,1],["poll"]]})"
      "\n"
      R"({"index":1,"process":1,"type":"info","f":"txn","value":[["send",0,1],["poll"]],)"
      R"("output":[["send",0,[4,1]],["poll",[]]]})"
      "\n";
  const auto read = read_history(text, {});
  ASSERT_TRUE(read.has_value()) << read.error().context;
  EXPECT_EQ(to_jsonl(read->history), text);
}

TEST(JsonlWriter, EscapesTextAndReplacesBadBytes) {
  HistoryBuilder builder;
  HistoryBuilder::Completion end;
  end.process = 3;
  const Value text = builder.pool().text("a\"\\\n\x01\xC3\xA9\xFF");
  EXPECT_NE(to_jsonl(one("write", text, builder, end))
                .find("\"value\":\"a\\\"\\\\\\n\\u0001\xC3\xA9\xEF\xBF\xBD\""),
            std::string::npos);
}

}  // namespace
}  // namespace sunder::history
