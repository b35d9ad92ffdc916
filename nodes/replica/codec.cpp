#include "nodes/replica/codec.hpp"

#include <utility>

namespace sunder::nodes::replica {
namespace {

using base::make_error;

void fill(proto::Entry& out, const raft::Entry& entry) {
  out.set_term(entry.term);
  out.set_index(entry.index);
  out.set_noop(entry.kind == raft::EntryKind::noop);
  out.set_configuration(entry.kind == raft::EntryKind::configuration);
  out.set_data(entry.data);
}

raft::Entry entry_of(proto::Entry& in) {
  raft::Entry entry;
  entry.term = in.term();
  entry.index = in.index();
  entry.kind = in.noop()            ? raft::EntryKind::noop
               : in.configuration() ? raft::EntryKind::configuration
                                    : raft::EntryKind::command;
  entry.data = std::move(*in.mutable_data());
  return entry;
}

void fill(proto::Snapshot& out, const raft::Snapshot& snapshot) {
  out.set_index(snapshot.index);
  out.set_term(snapshot.term);
  out.set_hash(snapshot.hash);
  if (snapshot.data) out.set_data(*snapshot.data);
  out.set_members(raft::to_text(snapshot.configuration));
}

raft::Snapshot snapshot_of(proto::Snapshot& in) {
  raft::Snapshot snapshot;
  snapshot.index = in.index();
  snapshot.term = in.term();
  snapshot.hash = in.hash();
  snapshot.data = std::make_shared<const std::string>(std::move(*in.mutable_data()));
  auto members = raft::parse_configuration(in.members());
  if (members) snapshot.configuration = std::move(*members);
  return snapshot;
}

// The core takes an entry of this kind for a list of voters.
bool is_sound(const raft::Entry& entry) {
  return entry.kind != raft::EntryKind::configuration ||
         raft::parse_configuration(entry.data).has_value();
}

// One overload a body; std::visit picks.
struct BodyWriter {
  proto::RaftMessage& out;

  void operator()(const raft::VoteRequest& body) const {
    proto::VoteRequest& to = *out.mutable_vote_request();
    to.set_pre(body.pre);
    to.set_transfer(body.transfer);
    to.set_last_index(body.last_index);
    to.set_last_term(body.last_term);
  }

  void operator()(const raft::VoteReply& body) const {
    proto::VoteReply& to = *out.mutable_vote_reply();
    to.set_pre(body.pre);
    to.set_granted(body.granted);
  }

  void operator()(const raft::AppendRequest& body) const {
    proto::AppendRequest& to = *out.mutable_append_request();
    to.set_previous_index(body.previous_index);
    to.set_previous_term(body.previous_term);
    to.set_commit(body.commit);
    to.set_round(body.round);
    to.set_stamp(body.stamp);
    for (const raft::Entry& entry : body.entries) fill(*to.add_entries(), entry);
  }

  void operator()(const raft::AppendReply& body) const {
    proto::AppendReply& to = *out.mutable_append_reply();
    to.set_success(body.success);
    to.set_match(body.match);
    to.set_rejected(body.rejected);
    to.set_conflict_index(body.conflict_index);
    to.set_conflict_term(body.conflict_term);
    to.set_round(body.round);
    to.set_stamp(body.stamp);
  }

  void operator()(const raft::SnapshotRequest& body) const {
    proto::SnapshotRequest& to = *out.mutable_snapshot_request();
    fill(*to.mutable_snapshot(), body.snapshot);
    to.set_round(body.round);
  }

  void operator()(const raft::TimeoutNow&) const { out.mutable_timeout_now(); }
};

raft::AppendRequest append_request_of(proto::AppendRequest& in) {
  raft::AppendRequest body;
  body.previous_index = in.previous_index();
  body.previous_term = in.previous_term();
  body.commit = in.commit();
  body.round = in.round();
  body.stamp = in.stamp();
  for (proto::Entry& entry : *in.mutable_entries()) body.entries.push_back(entry_of(entry));
  return body;
}

// Entries must follow previous_index without gaps, and be what they say: the core takes that for
// granted.
bool are_sound(const raft::AppendRequest& request) {
  raft::Index expected = request.previous_index;
  for (const raft::Entry& entry : request.entries) {
    if (entry.index != ++expected || !is_sound(entry)) return false;
  }
  return true;
}

raft::AppendReply append_reply_of(const proto::AppendReply& in) {
  raft::AppendReply body;
  body.success = in.success();
  body.match = in.match();
  body.rejected = in.rejected();
  body.conflict_index = in.conflict_index();
  body.conflict_term = in.conflict_term();
  body.round = in.round();
  body.stamp = in.stamp();
  return body;
}

raft::VoteRequest vote_request_of(const proto::VoteRequest& in) {
  raft::VoteRequest body;
  body.pre = in.pre();
  body.transfer = in.transfer();
  body.last_index = in.last_index();
  body.last_term = in.last_term();
  return body;
}

template <typename Message>
Result<Message> parsed(std::string_view bytes, std::string_view what) {
  Message message;
  if (message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return message;
  return make_error(Errc::failed, std::string(what) + " on disk does not parse");
}

}  // namespace

proto::RaftMessage to_proto(const raft::Message& message) {
  proto::RaftMessage out;
  out.set_term(message.term);
  std::visit(BodyWriter{out}, message.body);
  return out;
}

Result<raft::Message> from_proto(proto::RaftMessage in, raft::NodeId from, raft::NodeId to) {
  raft::Message message;
  message.from = from;
  message.to = to;
  message.term = in.term();
  switch (in.body_case()) {
    case proto::RaftMessage::kVoteRequest:
      message.body = vote_request_of(in.vote_request());
      return message;
    case proto::RaftMessage::kVoteReply: {
      raft::VoteReply reply;
      reply.pre = in.vote_reply().pre();
      reply.granted = in.vote_reply().granted();
      message.body = reply;
      return message;
    }
    case proto::RaftMessage::kAppendRequest: {
      raft::AppendRequest request = append_request_of(*in.mutable_append_request());
      if (!are_sound(request)) {
        return make_error(Errc::protocol, "entries with gaps, or members that are none");
      }
      message.body = std::move(request);
      return message;
    }
    case proto::RaftMessage::kAppendReply:
      message.body = append_reply_of(in.append_reply());
      return message;
    case proto::RaftMessage::kSnapshotRequest: {
      raft::SnapshotRequest request;
      request.snapshot = snapshot_of(*in.mutable_snapshot_request()->mutable_snapshot());
      request.round = in.snapshot_request().round();
      message.body = std::move(request);
      return message;
    }
    case proto::RaftMessage::kTimeoutNow:
      message.body = raft::TimeoutNow();
      return message;
    case proto::RaftMessage::BODY_NOT_SET:
      break;
  }
  return make_error(Errc::protocol, "a Raft message without a body");
}

std::string encode_entry(const raft::Entry& entry) {
  proto::Entry out;
  fill(out, entry);
  return out.SerializeAsString();
}

Result<raft::Entry> decode_entry(std::string_view bytes) {
  auto message = parsed<proto::Entry>(bytes, "a log entry");
  if (message.has_error()) return std::move(message).error();
  raft::Entry entry = entry_of(*message);
  if (is_sound(entry)) return entry;
  return make_error(Errc::failed, "a log entry on disk does not hold the members that it should");
}

std::string encode_hard_state(const raft::HardState& state) {
  proto::HardState out;
  out.set_term(state.term);
  out.set_voted_for(state.voted_for);
  return out.SerializeAsString();
}

Result<raft::HardState> decode_hard_state(std::string_view bytes) {
  const auto message = parsed<proto::HardState>(bytes, "the term and vote");
  if (message.has_error()) return message.error();
  raft::HardState state;
  state.term = message->term();
  state.voted_for = message->voted_for();
  return state;
}

std::string encode_snapshot(const raft::Snapshot& snapshot) {
  proto::Snapshot out;
  fill(out, snapshot);
  return out.SerializeAsString();
}

Result<raft::Snapshot> decode_snapshot(std::string_view bytes) {
  auto message = parsed<proto::Snapshot>(bytes, "the snapshot");
  if (message.has_error()) return std::move(message).error();
  return snapshot_of(*message);
}

}  // namespace sunder::nodes::replica
