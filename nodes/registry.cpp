// The table of systems under test; one row a system, sorted by name.

#include <array>

#include "nodes/system.hpp"

namespace sunder::nodes {

System kv_system();
System queue_system();
System saga_system();

std::span<const System> all_systems() {
  static const std::array systems{kv_system(), queue_system(), saga_system()};
  return systems;
}

}  // namespace sunder::nodes
