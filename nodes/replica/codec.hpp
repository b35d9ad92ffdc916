// Codec: Raft's plain structs to protobuf and back, for the wire and the disk.
//
// Decoding trusts nothing: bytes that do not parse, or lack what they must have, are an error.

#pragma once

#include <string>
#include <string_view>

#include "harness/base/error.hpp"
#include "nodes/raft/core.hpp"
#include "nodes/replica/messages.pb.h"

namespace sunder::nodes::replica {

[[nodiscard]] proto::RaftMessage to_proto(const raft::Message& message);
// `from` and `to` are the connection's, not the message's.
[[nodiscard]] Result<raft::Message> from_proto(proto::RaftMessage message,
                                               raft::NodeId from,
                                               raft::NodeId to);

// As stored under a log key.
[[nodiscard]] std::string encode_entry(const raft::Entry& entry);
[[nodiscard]] Result<raft::Entry> decode_entry(std::string_view bytes);
[[nodiscard]] std::string encode_hard_state(const raft::HardState& state);
[[nodiscard]] Result<raft::HardState> decode_hard_state(std::string_view bytes);
[[nodiscard]] std::string encode_snapshot(const raft::Snapshot& snapshot);
[[nodiscard]] Result<raft::Snapshot> decode_snapshot(std::string_view bytes);

}  // namespace sunder::nodes::replica
