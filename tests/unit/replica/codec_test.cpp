#include "nodes/replica/codec.hpp"

#include <gtest/gtest.h>

namespace sunder::nodes::replica {
namespace {

raft::Entry entry_at(raft::Index index, raft::Term term, std::string data) {
  raft::Entry entry;
  entry.index = index;
  entry.term = term;
  entry.kind = data.empty() ? raft::EntryKind::noop : raft::EntryKind::command;
  entry.data = std::move(data);
  return entry;
}

template <typename Body>
raft::Message message_of(Body body) {
  raft::Message message;
  message.from = 2;
  message.to = 5;
  message.term = 9;
  message.body = std::move(body);
  return message;
}

// describe() names every field that matters; the data of entries and snapshots is compared beside
// it.
TEST(KvCodec, CarriesEveryKindOfMessage) {
  raft::AppendRequest append{
      .previous_index = 3, .previous_term = 2, .commit = 4, .round = 7, .entries = {}};
  append.entries = {entry_at(4, 2, ""), entry_at(5, 9, std::string("a\0b", 3))};
  raft::SnapshotRequest snapshot;
  snapshot.round = 4;
  snapshot.snapshot = {
      .index = 8, .term = 2, .hash = 0xf00dULL, .data = std::make_shared<std::string>("state")};
  const raft::Message messages[] = {
      message_of(raft::VoteRequest{.pre = true, .transfer = true, .last_index = 6, .last_term = 5}),
      message_of(raft::VoteReply{.pre = false, .granted = true}),
      message_of(append),
      message_of(raft::AppendReply{.success = false,
                                   .match = 1,
                                   .rejected = 2,
                                   .conflict_index = 3,
                                   .conflict_term = 4,
                                   .round = 5}),
      message_of(snapshot),
      message_of(raft::TimeoutNow{})};
  for (const raft::Message& message : messages) {
    SCOPED_TRACE(raft::describe(message));
    const auto decoded = from_proto(to_proto(message), 2, 5);
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(raft::describe(*decoded), raft::describe(message));
    EXPECT_EQ(to_proto(*decoded).SerializeAsString(), to_proto(message).SerializeAsString());
  }
}

TEST(KvCodec, RefusesMessagesThatTheCoreCouldNotTake) {
  EXPECT_TRUE(from_proto(proto::RaftMessage(), 1, 2).has_error());
  raft::AppendRequest gap;
  gap.previous_index = 3;
  gap.entries = {entry_at(5, 1, "x")};
  EXPECT_TRUE(from_proto(to_proto(message_of(gap)), 1, 2).has_error());
}

TEST(KvCodec, ReadsBackWhatIsStored) {
  const raft::Entry entry = entry_at(7, 3, "data");
  EXPECT_EQ(decode_entry(encode_entry(entry)).value(), entry);
  const raft::HardState state{.term = 4, .voted_for = 2};
  EXPECT_EQ(decode_hard_state(encode_hard_state(state)).value(), state);
  EXPECT_EQ(decode_hard_state("").value(), raft::HardState());
  EXPECT_TRUE(decode_entry("\xff").has_error());
  EXPECT_TRUE(decode_snapshot("\xff").has_error());
}

}  // namespace
}  // namespace sunder::nodes::replica
