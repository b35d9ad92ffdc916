// Leases by the realtime clock: the sabotage lease_by_wall_clock.
//
// The leader stamps every append with its realtime clock and its followers return the stamp. So it
// has been the leader until the latest stamp that a quorum returned: that is its lease. A read that
// came before the lease's end is answered without a round of its own, and a leader whose lease grew
// since the last check-quorum leads on. Both are right for as long as the clock never goes back.
// Once it does, stamps of before lie in its future: for that long a leader that is cut off answers
// reads at once and does not step down, while others have elected another.
//
// A lease that reaches into the future, as other systems have it, would be no sabotage that only a
// wrong clock uncovers: a leader that was cut off goes on to answer, for a while and by design.

#include <algorithm>
#include <functional>
#include <limits>
#include <vector>

#include "nodes/raft/core.hpp"

namespace sunder::nodes::raft {

// The latest time at which, by the returned stamps, nobody else can have led.
std::int64_t Core::leased_until() const {
  std::vector<std::int64_t> stamps;
  if (is_voter()) stamps.push_back(std::numeric_limits<std::int64_t>::max());
  for (const auto& [id, peer] : peers_) {
    if (configuration().contains(id)) stamps.push_back(peer.stamp);
  }
  // A node that does not lead keeps no stamps of others.
  if (stamps.size() < quorum()) return std::numeric_limits<std::int64_t>::min();
  std::sort(stamps.begin(), stamps.end(), std::greater<>());
  return stamps[quorum() - 1];
}

// Whether a quorum returned a stamp of after the last call.
bool Core::has_leased_quorum() {
  const bool grew = leased_until() > wall_at_check_;
  wall_at_check_ = wall_;
  return grew;
}

// In any order: one that came before the clock went back waits for a lease that others have.
void Core::release_leased_reads() {
  const std::int64_t lease = leased_until();
  std::erase_if(reads_, [&](PendingRead& read) {
    if (!read.index && has_committed_own_term()) read.index = commit_;
    if (!read.index || read.wall >= lease || *read.index > applied_) return false;
    effects_.reads.push_back({.id = read.id, .index = *read.index});
    return true;
  });
}

}  // namespace sunder::nodes::raft
