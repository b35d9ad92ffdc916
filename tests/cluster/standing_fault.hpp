// Faults in tests: begin one by its text on a cluster, and look at what is left when it has healed.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "harness/base/clock.hpp"
#include "harness/cluster/cluster.hpp"
#include "nemesis/nemesis.hpp"

namespace sunder::tests {

// n1 leads; clients are pinned round robin.
[[nodiscard]] nemesis::NemesisContext context_of(cluster::Cluster& cluster,
                                                 const base::RunClock& clock);

// Applies a fault ("kill:all@0s+1s"), which must work.
[[nodiscard]] boost::asio::awaitable<std::unique_ptr<nemesis::ActiveFault>> begin(
    nemesis::NemesisContext& context, std::string text);

// Heals it, which must work, and expects that it bit.
void heal(nemesis::ActiveFault& fault);

// Value of a piece of evidence; fails the test when there is none.
[[nodiscard]] double evidence_of(const history::FaultRecord& record, std::string_view name);

// Nothing is left and every node runs.
void expect_healed(const cluster::Cluster& cluster);

}  // namespace sunder::tests
