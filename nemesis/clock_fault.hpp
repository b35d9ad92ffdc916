// ClockFault: what the families that set realtime clocks wrong share: chosen nodes, one clock error
// each, evidence from the processes that read it, healing.
//
// The clock of a node is its processes' own, never the machine's (harness/clock_shim). Each fault
// adds its error to those of the others, across restarts of the node; healing takes it away.
//
// Threading: the run's single thread; destruction heals synchronously.

#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "harness/clock_shim/process_clock.hpp"
#include "nemesis/nemesis.hpp"
#include "nemesis/process_fault.hpp"

namespace sunder::nemesis {

// Capabilities that a family needs which sets clocks.
inline constexpr std::array<std::string_view, 1> kClockNeeds{"clock shim"};

// Which way a clock goes wrong; "either" is drawn when the fault begins.
inline constexpr std::array<std::string_view, 3> kClockDirections{"backward", "either", "forward"};

inline constexpr std::array kClockShapes{
    FaultShape{"all", "every node at once", 1, {1, 1, 0.4, 0.7, false}},
    FaultShape{"followers", "every node but the leader", 2, {0, 1, 0.4, 0.7, false}},
    FaultShape{"leader", "the leader", 1, {2, 1, 0.4, 0.7, true}},
    FaultShape{"majority", "the smallest majority", 1, {1, 1, 0.4, 0.7, false}},
    FaultShape{"minority", "the largest minority", kMinority_nodes_min, {1, 1, 0.4, 0.7, false}},
    FaultShape{"nodes", "named nodes: n2, n1+n3", 1, {0, 1, 0.4, 0.7, false}},
    FaultShape{"one", "one random node", 1, {2, 1, 0.4, 0.7, true}},
    FaultShape{"others", "every node but the one that told the event", 2, {}},
    FaultShape{"subject", "the node that told the event", 1, {}},
};

inline constexpr std::string_view kClockEvidence =
    "How often each node read its realtime clock while it was wrong, how wrong the furthest "
    "reading "
    "was, the last one before the heal and the first one after it, and how many waits for a time "
    "of "
    "that clock were translated. A node that did not load the shim, or never looked at its clock, "
    "makes the fault not exercised.";

inline constexpr std::string_view kClockLimits =
    "Only programs that are dynamically linked against glibc. The monotonic clock, relative waits "
    "and the time stamps of files stay right; so do times that libc reads for itself (syslog) and "
    "the absolute waits of io_uring.";

// The clock error of the next target node; called once for each, in the order of their numbers.
using MakeClockError = clock_shim::ClockError (*)(const PlannedFault& fault, base::Random& random);

// +1 or -1: what the parameter "direction" says.
[[nodiscard]] int clock_direction(const PlannedFault& fault, base::Random& random);

// Sets the clocks of resolved targets wrong. FaultInfo::apply is apply_clock_fault below.
[[nodiscard]] boost::asio::awaitable<Result<std::unique_ptr<ActiveFault>>> begin_clock_fault(
    NemesisContext& context, PlannedFault fault, MakeClockError make);

template <MakeClockError make>
boost::asio::awaitable<Result<std::unique_ptr<ActiveFault>>> apply_clock_fault(
    NemesisContext& context, PlannedFault fault) {
  return begin_clock_fault(context, std::move(fault), make);
}

}  // namespace sunder::nemesis
