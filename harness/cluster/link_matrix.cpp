// How the states that several faults want of a link, or of all links, become one.

#include "harness/base/assert.hpp"
#include "harness/cluster/cluster.hpp"

namespace sunder::cluster {

LinkState fold(const LinkState& a, const LinkState& b) noexcept {
  return LinkState{.blackhole = a.blackhole || b.blackhole};
}

LinkMatrix fold(const LinkMatrix& a, const LinkMatrix& b) {
  SUNDER_ASSERT(a.endpoints() == b.endpoints());
  LinkMatrix result(a.endpoints());
  for (std::size_t from = 0; from < a.endpoints(); ++from) {
    for (std::size_t to = 0; to < a.endpoints(); ++to) {
      const auto source = static_cast<Endpoint>(from);
      const auto target = static_cast<Endpoint>(to);
      result.at(source, target) = fold(a.at(source, target), b.at(source, target));
    }
  }
  return result;
}

}  // namespace sunder::cluster
