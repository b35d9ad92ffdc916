// Versions: the values that a node keeps, the newest of each key, with digests by which two nodes
// find what they differ in.
//
// The newer of two versions wins, by stamp; equal stamps with different values cannot come from
// sane nodes, but a total order must not depend on that, so the greater value wins then. For each
// other node there is a row of digests, one a bucket of keys that both keep: the exclusive or of
// what each key holds, so that one more version is one more step. Equal rows mean, but for
// collisions of 64 bits, equal contents.
//
// Threading: one owner.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nodes/quorum/ring.hpp"
#include "nodes/quorum/stamp.hpp"

namespace sunder::nodes::quorum {

struct Version {
  Stamp stamp;
  std::string value;

  friend bool operator==(const Version&, const Version&) = default;
};

// Whether the first replaces the second.
[[nodiscard]] bool wins(const Version& first, const Version& second) noexcept;

using Bucket = std::uint16_t;
constexpr Bucket kBuckets = 64;

[[nodiscard]] Bucket bucket_of(std::string_view key) noexcept;

using Digests = std::array<std::uint64_t, kBuckets>;

class Versions {
 public:
  struct Options {
    NodeId self = kNobody;
    std::size_t replicas = 3;
    bool last_comer_wins = false;  // sabotage tie-without-order: of equal stamps, the later to come
  };

  Versions(const Ring& ring, Options options) : ring_(&ring), options_(options) {}

  // Null: nothing is kept under that key.
  [[nodiscard]] const Version* find(std::string_view key) const;
  // True: it is newer than what was kept, and kept now. `force` (a sabotage): whatever was kept.
  bool put(const std::string& key, const Version& version, bool force = false);

  // Of the keys that both nodes keep; a row of zeros when there are none.
  [[nodiscard]] const Digests& digests_with(NodeId peer) const;
  // All of a row in one number.
  [[nodiscard]] std::uint64_t digest_with(NodeId peer) const;

  // What both nodes keep of a bucket, from the first key after `after` on, at most `limit`; in the
  // order of keys.
  [[nodiscard]] std::vector<std::pair<std::string, Stamp>> list(NodeId peer,
                                                                Bucket bucket,
                                                                const std::string& after,
                                                                std::size_t limit) const;
  [[nodiscard]] bool both_keep(std::string_view key, NodeId peer) const;

  [[nodiscard]] std::size_t size() const noexcept { return versions_.size(); }

 private:
  [[nodiscard]] bool replaces(const Version& fresh, const Version& kept) const;

  using Place = std::pair<Bucket, std::string>;

  const Ring* ring_;
  Options options_;
  std::map<Place, Version> versions_;
  std::map<NodeId, Digests> digests_;
};

}  // namespace sunder::nodes::quorum
