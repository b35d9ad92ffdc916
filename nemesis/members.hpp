// Members: how a nemesis asks for changes of members. Who knows the system's commands carries them
// out.
//
// Changes take as long as the cluster takes, and a cluster that is cut in two may not take them at
// all; so they go on in the background, one job at a time, and healing a fault waits for nothing:
// it ends the job and has the first members brought back, which may need other faults to be healed
// first.
//
// Threading: the run's single thread.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sunder::nemesis {

// Nodes are numbered as in cluster.hpp; spares follow the others.
struct MemberChange {
  bool add = false;
  std::size_t node = 0;
  std::optional<std::size_t> beside;  // a spare: shares the links of this node (Cluster)
  bool end = false;                   // removed: its process is killed afterwards
};

struct MemberChangeOutcome {
  MemberChange change;
  std::size_t requests = 0;    // sent to nodes
  std::size_t refusals = 0;    // by a leader, because the last change was not committed
  std::size_t answers = 0;     // by a node that took itself for the leader
  std::int64_t index = 0;      // of the committed entry; 0: not known to be committed
  std::int64_t began = 0;      // in the run's time
  std::int64_t committed = 0;  // when the answer came
  std::string error;           // the last one
};

struct MemberJob {
  std::uint32_t fault = 0;
  std::vector<MemberChange> changes;
  // All at once, to this node alone; else one after the other, wherever the leader is.
  std::optional<std::size_t> hasty_at;
};

class Members {
 public:
  virtual ~Members() = default;
  // Begins the job as soon as those before it are over and the first members are back.
  virtual void begin(MemberJob job) = 0;
  // Ends the fault's job: what came of each change that was tried. Begins to bring the first
  // members back.
  [[nodiscard]] virtual std::vector<MemberChangeOutcome> end(std::uint32_t fault) = 0;
};

}  // namespace sunder::nemesis
