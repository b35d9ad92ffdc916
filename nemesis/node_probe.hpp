// NodeProbe: asks a node whether it answers, from within its own namespace, where no cut reaches.
//
// One connection and one PING (RESP) at a time, never blocking: look() says how far it is. A
// connection that the node's kernel takes but the node never accepts stays `waiting`.
//
// Threading: the run's single thread.

#pragma once

#include <cstddef>
#include <cstdint>

#include "harness/base/file.hpp"
#include "harness/cluster/cluster.hpp"

namespace sunder::nemesis {

class NodeProbe {
 public:
  enum class Answer : std::uint8_t { refused, waiting, answered };

  // Begins to ask.
  NodeProbe(cluster::Cluster& cluster, std::size_t node);

  [[nodiscard]] Answer look();

 private:
  base::FileDescriptor socket_;  // invalid: refused
};

}  // namespace sunder::nemesis
