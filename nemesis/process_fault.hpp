// ProcessFault: what kill, pause and restart share: chosen nodes, their processes' numbers, a
// record, healing at most once.
//
// Threading: the run's single thread; destruction heals synchronously.

#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "nemesis/nemesis.hpp"
#include "nemesis/targets.hpp"

namespace sunder::nemesis {

class ProcessFault : public ActiveFault {
 public:
  ProcessFault(NemesisContext& context, const PlannedFault& planned, ResolvedTargets targets);
  ProcessFault(const ProcessFault&) = delete;
  ProcessFault& operator=(const ProcessFault&) = delete;

  [[nodiscard]] Result<void> heal() final;

  [[nodiscard]] const history::FaultRecord& record() const noexcept final { return record_; }

 protected:
  struct Victim {
    std::size_t node = 0;
    int pid = 0;             // when the fault began
    std::int64_t since = 0;  // when its effect on this node stood
  };

  // Undoes the effect on every victim; called once. The record's `exercised` and evidence are its
  // business.
  [[nodiscard]] virtual Result<void> undo() = 0;
  // For derived destructors: heals when nobody did.
  void heal_at_last() noexcept;

  // Stamps the end of applying: from now the effect stands.
  void stands();

  [[nodiscard]] bool healed() const noexcept { return healed_; }

  // Starts a victim's node again when nobody else has; adds what proves it.
  [[nodiscard]] Result<void> start_again(const Victim& victim);
  void add_evidence(const Victim& victim, std::string what, double value, std::string unit);
  void not_exercised(std::string reason);

  NemesisContext& context_;
  std::vector<Victim> victims_;
  history::FaultRecord record_;

 private:
  bool healed_ = false;
};

// Rows of the shape table that all process faults share.
constexpr std::size_t kMinority_nodes_min = 3;

}  // namespace sunder::nemesis
