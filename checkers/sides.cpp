#include "checkers/sides.hpp"

#include "checkers/outcomes.hpp"

namespace sunder::checkers {

using history::FaultRecord;
using history::History;
using history::Operation;
using history::RunContext;
using history::Window;

std::vector<std::size_t> invoked_in(const History& history, const Window& window) {
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < history.operations().size(); ++i) {
    const Operation& operation = history.operations()[i];
    if (is_timed(operation) && window.contains(operation.invoke_time)) chosen.push_back(i);
  }
  return chosen;
}

// Groups of nodes that this fault alone leaves connected in both directions, directly or through
// each other.
std::vector<EndpointSet> sides_of(const RunContext& context, const FaultRecord& fault) {
  RunContext alone;
  alone.nodes = context.nodes;
  alone.faults = {fault};
  const Connectivity connectivity(alone, Stance::possible);
  const auto& segment = connectivity.segments()[connectivity.segment_at(fault.active.begin)];
  std::vector<EndpointSet> sides;
  EndpointSet placed(alone.nodes.size());
  for (std::size_t start = 0; start < placed.size(); ++start) {
    if (placed[start]) continue;
    EndpointSet side(placed.size());
    std::vector<std::size_t> frontier{start};
    while (!frontier.empty()) {
      const std::size_t node = frontier.back();
      frontier.pop_back();
      if (side[node]) continue;
      side[node] = true;
      placed[node] = true;
      for (std::size_t other = 0; other < placed.size(); ++other) {
        if (!side[other] && connectivity.linked(segment, node, other)) frontier.push_back(other);
      }
    }
    sides.push_back(std::move(side));
  }
  return sides;
}

EndpointSet clients_of(const RunContext& context,
                       const Connectivity& connectivity,
                       const EndpointSet& side) {
  EndpointSet clients(connectivity.endpoints());
  for (std::size_t client = 0; client < context.client_nodes.size(); ++client) {
    const std::size_t pinned = context.client_nodes[client];
    if (client >= context.clients.size() || pinned >= side.size() || !side[pinned]) continue;
    clients[connectivity.nodes() + client] = true;
  }
  return clients;
}

}  // namespace sunder::checkers
