// Which nodes clients connect to where nodes differ.

#include "nodes/system.hpp"

namespace sunder::nodes {

std::vector<std::size_t> serving_nodes(const Mode& mode, std::size_t nodes) {
  std::vector<std::size_t> serving;
  for (std::size_t node = 0; node < nodes; ++node) {
    const bool serves = mode.roles.empty() || mode.roles.at(node).serves_clients;
    if (serves) serving.push_back(node);
  }
  return serving;
}

}  // namespace sunder::nodes
