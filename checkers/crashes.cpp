#include "checkers/crashes.hpp"

#include <algorithm>
#include <string>

#include "checkers/connectivity.hpp"

namespace sunder::checkers {

using history::Window;

std::vector<Window> crashes_of(const history::RunContext& context, bool power_loss) {
  const auto counts = [power_loss](const std::string& family) {
    return power_loss ? family == "power-loss" || family == "torn-write" : family == "kill";
  };
  history::RunContext kills;
  kills.nodes = context.nodes;
  for (const history::FaultRecord& fault : context.faults) {
    if (counts(fault.family) && fault.exercised) kills.faults.push_back(fault);
  }
  const Connectivity connectivity(kills, Stance::certain);
  std::vector<Window> crashes;
  for (const Connectivity::Segment& segment : connectivity.segments()) {
    if (kills.nodes.empty() || std::ranges::count(segment.up, true) > 0) continue;
    const bool continues = !crashes.empty() && crashes.back().end == segment.window.begin;
    if (continues) {
      crashes.back().end = segment.window.end;
    } else {
      crashes.push_back(segment.window);
    }
  }
  return crashes;
}

std::string_view crash_text(bool power_loss) noexcept {
  return power_loss ? "a loss of power on all nodes" : "a crash of all processes";
}

}  // namespace sunder::checkers
