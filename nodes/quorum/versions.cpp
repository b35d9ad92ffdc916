#include "nodes/quorum/versions.hpp"

#include <algorithm>

#include "harness/base/random.hpp"

namespace sunder::nodes::quorum {
namespace {

std::uint64_t mixed(std::uint64_t hash, std::uint64_t more) {
  std::uint64_t state = hash ^ more;
  return base::splitmix64(state);
}

std::uint64_t hash_of(std::string_view key, const Version& version) {
  std::uint64_t hash = base::stable_hash(key);
  hash = mixed(hash, version.stamp.time);
  hash = mixed(hash, std::uint64_t{version.stamp.counter} << 32U | version.stamp.node);
  return mixed(hash, base::stable_hash(version.value));
}

}  // namespace

bool wins(const Version& first, const Version& second) noexcept {
  if (first.stamp != second.stamp) return first.stamp > second.stamp;
  return first.value > second.value;
}

Bucket bucket_of(std::string_view key) noexcept {
  return static_cast<Bucket>(mixed(base::stable_hash(key), 0) % kBuckets);
}

bool Versions::replaces(const Version& fresh, const Version& kept) const {
  if (options_.last_comer_wins && fresh.stamp == kept.stamp) return fresh.value != kept.value;
  return wins(fresh, kept);
}

const Version* Versions::find(std::string_view key) const {
  const auto found = versions_.find(Place(bucket_of(key), key));
  return found == versions_.end() ? nullptr : &found->second;
}

bool Versions::put(const std::string& key, const Version& version, bool force) {
  const Bucket bucket = bucket_of(key);
  const auto [found, added] = versions_.try_emplace(Place(bucket, key), version);
  std::uint64_t change = hash_of(key, version);
  if (!added) {
    if (!force && !replaces(version, found->second)) return false;
    change ^= hash_of(key, found->second);
    found->second = version;
  }
  const std::vector<NodeId> keepers = ring_->keepers(key, options_.replicas);
  if (std::ranges::find(keepers, options_.self) == keepers.end()) return true;
  for (const NodeId peer : keepers) {
    if (peer != options_.self) digests_[peer][bucket] ^= change;
  }
  return true;
}

const Digests& Versions::digests_with(NodeId peer) const {
  static const Digests nothing{};
  const auto found = digests_.find(peer);
  return found == digests_.end() ? nothing : found->second;
}

std::uint64_t Versions::digest_with(NodeId peer) const {
  std::uint64_t all = 0;
  for (const std::uint64_t one : digests_with(peer)) all = mixed(all, one);
  return all;
}

bool Versions::both_keep(std::string_view key, NodeId peer) const {
  const std::vector<NodeId> keepers = ring_->keepers(key, options_.replicas);
  const auto keeps = [&keepers](NodeId node) {
    return std::ranges::find(keepers, node) != keepers.end();
  };
  return keeps(options_.self) && keeps(peer);
}

std::vector<std::pair<std::string, Stamp>> Versions::list(NodeId peer,
                                                          Bucket bucket,
                                                          const std::string& after,
                                                          std::size_t limit) const {
  std::vector<std::pair<std::string, Stamp>> listed;
  for (auto at = versions_.upper_bound(Place(bucket, after));
       at != versions_.end() && at->first.first == bucket && listed.size() < limit;
       ++at) {
    if (both_keep(at->first.second, peer)) listed.emplace_back(at->first.second, at->second.stamp);
  }
  return listed;
}

}  // namespace sunder::nodes::quorum
