// What the services send and store survives its way to bytes and back; rubbish is refused.

#include "nodes/saga/codec.hpp"

#include <gtest/gtest.h>

namespace sunder::nodes::saga {
namespace {

TEST(SagaCodec, FramesComeBackAsTheyWere) {
  const Request request{.saga = 7,
                        .step = Step::charge,
                        .undo = true,
                        .order = "o7",
                        .object = "a1",
                        .amount = 40,
                        .settled_below = 5};
  const auto frame = decode_frame(encode(request));
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(std::get<Request>(*frame), request);
  const Reply reply{.saga = 7, .step = Step::ship, .done = false, .reason = "address refused"};
  const auto answer = decode_frame(encode(reply));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(std::get<Reply>(*answer), reply);
}

TEST(SagaCodec, RefusesRubbish) {
  EXPECT_TRUE(decode_frame("").has_error());
  EXPECT_TRUE(decode_frame("\xff\xff\xff").has_error());
  EXPECT_TRUE(decode_saga("\x01").has_error());
  EXPECT_TRUE(decode_numbers("1234567", 1).has_error());
}

TEST(SagaCodec, ASagaIsOneRecordUntilItEnds) {
  Saga saga;
  saga.number = 3;
  saga.terms = {.id = "o3", .item = "i", .quantity = 1, .account = "a", .price = 2, .address = "h"};
  std::vector<storage::Record> records;
  add_records(saga, records);
  ASSERT_EQ(records.size(), 1U);
  const auto again = decode_saga(*records.front().value);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(*again, saga);
  EXPECT_EQ(number_in(records.front().name), 3U);
  saga.phase = Phase::undone;
  saga.reason = "inventory: sold out";
  records.clear();
  add_records(saga, records);
  ASSERT_EQ(records.size(), 3U);
  EXPECT_FALSE(records.front().value.has_value());
  EXPECT_EQ(row_of(saga), "3 o3 undone i 1 a 2 h inventory: sold out");
}

TEST(SagaCodec, NamesSortAsTheirNumbersDo) {
  EXPECT_LT(numbered_name('e', 255), numbered_name('e', 256));
  EXPECT_LT(numbered_name('e', 1), numbered_name('e', 1ULL << 40U));
}

}  // namespace
}  // namespace sunder::nodes::saga
