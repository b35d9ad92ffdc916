// Anti-entropy: two nodes compare digests of what both keep, list what differs, and send each other
// the newer versions; and what the node tells of itself.
//
// summary (all rows) → listing (keys and stamps of a few buckets that differ) → transfer (versions
// that the other lacks, keys that are wanted) → transfer. All are bounded; what did not fit goes
// with a later round.

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "nodes/quorum/core.hpp"
#include "nodes/quorum/limits.hpp"

namespace sunder::nodes::quorum {

void Core::begin_exchange() {
  if (options_.sabotage == Sabotage::no_exchange) return;
  for (std::size_t i = 0; i < options_.nodes.size(); ++i) {
    partner_ = (partner_ + 1) % options_.nodes.size();
    const NodeId peer = options_.nodes[partner_];
    if (peer == options_.id || !is_near(peer)) continue;
    Message message;
    message.kind = MessageKind::summary;
    message.to = peer;
    const Digests& rows = versions_.digests_with(peer);
    message.rows.assign(rows.begin(), rows.end());
    send(std::move(message));
    return;
  }
}

void Core::receive_summary(const Message& message) {
  if (message.rows.size() != kBuckets) return;
  const Digests& rows = versions_.digests_with(message.from);
  std::size_t listings = 0;
  for (Bucket i = 0; i < kBuckets && listings < kListingsPerRound; ++i) {
    // Another place to begin each time, so that many differences get their turn.
    const auto bucket = static_cast<Bucket>((ticks_ + i) % kBuckets);
    if (rows[bucket] == message.rows[bucket]) continue;
    ++listings;
    std::string& after = listing_[{message.from, bucket}];
    Message listing;
    listing.kind = MessageKind::listing;
    listing.to = message.from;
    listing.bucket = bucket;
    listing.after = after;
    listing.listed = versions_.list(message.from, bucket, after, kKeysPerListing);
    listing.to_the_end = listing.listed.size() < kKeysPerListing;
    after = listing.to_the_end ? std::string() : listing.listed.back().first;
    send(std::move(listing));
  }
}

void Core::receive_listing(const Message& message) {
  const std::map<std::string, Stamp> theirs(message.listed.begin(), message.listed.end());
  Message answer;
  answer.kind = MessageKind::transfer;
  answer.to = message.from;
  for (const auto& [key, stamp] : theirs) {
    const Version* const mine = versions_.find(key);
    const bool wanted = mine == nullptr || mine->stamp < stamp;
    if (wanted && versions_.both_keep(key, message.from)) answer.wanted.push_back(key);
  }
  std::size_t bytes = 0;
  const std::string last = theirs.empty() ? std::string() : theirs.rbegin()->first;
  const auto mine =
      versions_.list(message.from, message.bucket, message.after, 2 * kKeysPerListing);
  for (const auto& [key, stamp] : mine) {
    if (!message.to_the_end && key > last) break;
    const auto their = theirs.find(key);
    if (their != theirs.end() && their->second >= stamp) continue;
    const Version& version = *versions_.find(key);
    bytes += key.size() + version.value.size();
    answer.items.push_back({.key = key, .version = version});
    if (bytes > kTransferBytesMax || answer.items.size() >= kKeysPerListing) break;
  }
  if (!answer.items.empty() || !answer.wanted.empty()) send(std::move(answer));
}

void Core::receive_transfer(const Message& message) {
  for (const Item& item : message.items) {
    if (!versions_.both_keep(item.key, message.from)) continue;
    clock_.see(item.version.stamp);
    if (keep(item.key, item.version)) ++tally_.exchanged;
  }
  Message answer;
  answer.kind = MessageKind::transfer;
  answer.to = message.from;
  std::size_t bytes = 0;
  for (const std::string& key : message.wanted) {
    const Version* const mine = versions_.find(key);
    if (mine == nullptr || bytes > kTransferBytesMax) continue;
    bytes += key.size() + mine->value.size();
    answer.items.push_back({.key = key, .version = *mine});
  }
  if (!answer.items.empty()) send(std::move(answer));
}

void Core::tell() {
  const auto count = [this](std::string_view name, std::uint64_t number) {
    if (number > 0) out_.events.push_back({.name = name, .numbers = {{"count", number}}});
  };
  count("hinted", tally_.hinted);
  count("handed-off", tally_.handed_off);
  count("repaired", tally_.repaired);
  count("exchanged", tally_.exchanged);
  tally_ = Tally();
  std::map<NodeId, std::uint64_t> digests;
  for (const auto& [peer, heard] : heard_) digests[peer] = versions_.digest_with(peer);
  if (digests == told_) return;
  told_ = digests;
  Event event{.name = "digest", .numbers = {{"keys", versions_.size()}}};
  for (const auto& [peer, digest] : digests) {
    event.texts.emplace_back(fmt::format("n{}", peer), fmt::format("{:016x}", digest));
  }
  out_.events.push_back(std::move(event));
}

}  // namespace sunder::nodes::quorum
