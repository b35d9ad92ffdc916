// The core of a service that does steps: keys, tombstones, refusals, what it forgets.

#include "nodes/saga/participant.hpp"

#include <gtest/gtest.h>

namespace sunder::nodes::saga {
namespace {

using namespace std::chrono_literals;

ParticipantOptions inventory() {
  ParticipantOptions options;
  options.initial = 5;
  options.refusal = "sold out";
  return options;
}

Request reserve(SagaNumber saga, std::int64_t amount = 2) {
  return {.saga = saga, .step = Step::reserve, .order = "o", .object = "i1", .amount = amount};
}

Request release(SagaNumber saga) {
  Request request = reserve(saga);
  request.undo = true;
  return request;
}

TEST(SagaParticipant, DoesAStepOnceHoweverOftenItIsAsked) {
  Participant inventory_service(inventory(), {});
  EXPECT_TRUE(inventory_service.receive(0s, reserve(1)).replies.empty());
  EXPECT_TRUE(inventory_service.receive(1ms, reserve(1)).replies.empty());
  const auto done = inventory_service.tick(1s);
  ASSERT_EQ(done.replies.size(), 1U);
  EXPECT_TRUE(done.replies.front().done);
  EXPECT_EQ(inventory_service.level_of("i1"), 3);
  const auto again = inventory_service.receive(2s, reserve(1));
  ASSERT_EQ(again.replies.size(), 1U);
  EXPECT_FALSE(again.saves());
  EXPECT_EQ(inventory_service.level_of("i1"), 3);
}

TEST(SagaParticipant, RefusesWhatItHasNot) {
  Participant inventory_service(inventory(), {});
  (void)inventory_service.receive(0s, reserve(1, 6));
  const auto refused = inventory_service.tick(1s);
  ASSERT_EQ(refused.replies.size(), 1U);
  EXPECT_FALSE(refused.replies.front().done);
  EXPECT_EQ(refused.replies.front().reason, "sold out");
  EXPECT_TRUE(refused.ledger.empty());
}

TEST(SagaParticipant, BlocksAStepThatComesAfterItsUndo) {
  Participant inventory_service(inventory(), {});
  EXPECT_TRUE(inventory_service.receive(0s, release(1)).saves());
  const auto late = inventory_service.receive(1s, reserve(1));
  ASSERT_EQ(late.replies.size(), 1U);
  EXPECT_FALSE(late.replies.front().done);
  EXPECT_TRUE(inventory_service.tick(2s).ledger.empty());
  EXPECT_EQ(inventory_service.level_of("i1"), 5);
}

TEST(SagaParticipant, BlocksAStepThatIsUndoneWhileItIsWorkedOn) {
  Participant inventory_service(inventory(), {});
  (void)inventory_service.receive(0s, reserve(1));
  (void)inventory_service.receive(0s, release(1));
  EXPECT_TRUE(inventory_service.tick(1s).ledger.empty());
}

TEST(SagaParticipant, UndoesOnce) {
  Participant inventory_service(inventory(), {});
  (void)inventory_service.receive(0s, reserve(1));
  (void)inventory_service.tick(1s);
  EXPECT_EQ(inventory_service.receive(1s, release(1)).ledger.size(), 1U);
  const auto again = inventory_service.receive(1s, release(1));
  EXPECT_TRUE(again.ledger.empty());
  EXPECT_EQ(again.replies.size(), 1U);
  EXPECT_EQ(inventory_service.level_of("i1"), 5);
}

TEST(SagaParticipant, ForgetsKeysOfSagasThatHaveEnded) {
  Participant inventory_service(inventory(), {});
  for (SagaNumber saga = 1; saga <= 3; ++saga) (void)inventory_service.receive(0s, release(saga));
  EXPECT_EQ(inventory_service.marks(), 3U);
  Request next = release(4);
  next.settled_below = 3;
  EXPECT_EQ(inventory_service.receive(1s, next).dropped.size(), 2U);
  EXPECT_EQ(inventory_service.marks(), 2U);
  // What comes late by a whole saga is not answered, and has no effect.
  EXPECT_TRUE(inventory_service.receive(1s, reserve(2)).replies.empty());
  EXPECT_FALSE(inventory_service.next_due().has_value());
}

}  // namespace
}  // namespace sunder::nodes::saga
