// ResourceFault: what faults share that take something away from a live process (descriptors,
// processor time, memory).
//
// The node may end of it: that is tolerated, said in the record, and it is started again when the
// fault ends. A process that another fault replaced meanwhile is left alone.
//
// Threading: the run's single thread; destruction heals synchronously.

#pragma once

#include <array>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "nemesis/process_fault.hpp"

namespace sunder::nemesis {

class ResourceFault : public ProcessFault {
 public:
  ResourceFault(NemesisContext& context, const PlannedFault& planned, ResolvedTargets targets);
  ~ResourceFault() override;

  boost::asio::awaitable<Result<void>> begin();

 protected:
  // Takes it away from the live process. Called once for each victim.
  [[nodiscard]] virtual Result<void> restrict(std::size_t index) = 0;
  // Gives it back, and looks whether it is back. The process is alive, or has ended only now.
  [[nodiscard]] virtual Result<void> restore(std::size_t index) = 0;
  // Adds evidence; returns why it was not exercised, empty when it was. Called when all is
  // restored; `ended` counts victims that ended meanwhile.
  [[nodiscard]] virtual std::string prove(std::size_t ended) = 0;

  PlannedFault planned_;

 private:
  [[nodiscard]] Result<void> undo() final;
  // Whether the victim's process is still the one that was restricted, and lives.
  [[nodiscard]] bool lives(const Victim& victim) const;

  std::size_t restricted_ = 0;
  bool tolerated_ = false;
};

// Of whose processes something is taken away.
inline constexpr std::array kResource_shapes{
    FaultShape{"all", "every node at once", 1, {}},
    FaultShape{"followers", "every node but the leader", 2, {}},
    FaultShape{"leader", "the leader", 1, {2, 1, 0.3, 0.5, true}},
    FaultShape{"minority", "the largest minority", kMinority_nodes_min, {1, 1, 0.3, 0.5, false}},
    FaultShape{"nodes", "named nodes: n2, n1+n3", 1, {}},
    FaultShape{"one", "one random node", 1, {2, 1, 0.3, 0.5, true}},
    FaultShape{"others", "every node but the one that told the event", 2, {}},
    FaultShape{"subject", "the node that told the event", 1, {}},
};

}  // namespace sunder::nemesis
