// What the nodes of a quorum store say to each other and keep on disk, and the bytes of it.
//
// Every message carries its sender's hybrid clock. Messages may be lost, doubled by a retry, and
// come late; what they ask for can be done twice.
//
// Threading: values. Errors: bytes that are none of ours are Errc::protocol.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/error.hpp"
#include "nodes/quorum/versions.hpp"

namespace sunder::nodes::quorum {

enum class MessageKind : std::uint8_t {
  heartbeat,  // I am here
  store,      // keep this version, for `owner` if it names one
  stored,     // it is on disk
  fetch,      // what do you have of this key
  fetched,
  handoff,   // a version that was kept for you
  handed,    // it is on disk: forget the hint
  summary,   // digests of all buckets of what we both keep
  listing,   // what I have of one bucket, from a key on
  transfer,  // versions that you lack, and keys of which I lack yours
};

struct Item {
  std::string key;
  Version version;

  friend bool operator==(const Item&, const Item&) = default;
};

// Which fields count is said by the kind.
struct Message {
  MessageKind kind = MessageKind::heartbeat;
  NodeId from = kNobody;
  NodeId to = kNobody;
  Stamp clock;                      // the sender's
  std::uint64_t request = 0;        // store, fetch: the asker's number, repeated by the answer
                                    // (0: none wanted)
  std::string key;                  // store, fetch, handoff; repeated by the answer
  std::optional<Version> version;   // store, handoff, fetched (none: nothing is kept)
  Stamp stamp;                      // handed: of the version
  NodeId owner = kNobody;           // store: whose it is; kNobody: the receiver's own
  bool force = false;               // store, under a sabotage: whatever was kept
  std::vector<std::uint64_t> rows;  // summary: kBuckets digests
  Bucket bucket = 0;                // listing
  std::string after;                // listing: keys greater than this one …
  bool to_the_end = false;          // … up to the last one listed, or all that follow
  std::vector<std::pair<std::string, Stamp>> listed;
  std::vector<Item> items;          // transfer
  std::vector<std::string> wanted;  // transfer

  friend bool operator==(const Message&, const Message&) = default;
};

[[nodiscard]] std::string encode(const Message& message);
// `from` and `to` are not part of the bytes: the transport knows them.
[[nodiscard]] Result<Message> decode_message(std::string_view bytes);

[[nodiscard]] std::string encode(const Version& version);
[[nodiscard]] Result<Version> decode_version(std::string_view bytes);

// "store k1 5@170.0@n2 for n3": one line, for traces.
[[nodiscard]] std::string describe(const Message& message);

}  // namespace sunder::nodes::quorum
