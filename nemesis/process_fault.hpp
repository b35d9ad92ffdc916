// ProcessFault: what faults of processes share: chosen nodes, their processes' numbers, a record,
// healing at most once.
//
// Threading: the run's single thread; destruction heals synchronously.

#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
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

  // Sends a signal to every victim. One that had ended by itself is no longer a victim: nobody
  // starts it again for us, and its death is its own.
  [[nodiscard]] Result<void> signal_all(int number);

  // Starts every victim's node again when nobody else has; adds what proves it. One that cannot be
  // started does not keep the others down; the first error is returned.
  [[nodiscard]] Result<void> start_all_again();
  void add_evidence(const Victim& victim, std::string what, double value, std::string unit);
  void not_exercised(std::string reason);

  NemesisContext& context_;
  std::vector<Victim> victims_;
  history::FaultRecord record_;

 private:
  [[nodiscard]] Result<void> start_again(const Victim& victim);

  bool healed_ = false;
};

// The letter of a process' state in /proc/PID/stat; 0 when there is no such process.
[[nodiscard]] char process_state(int pid);

// FaultInfo::apply of a process fault: resolves the targets, then `Fault::begin()` acts on them.
template <typename Fault>
boost::asio::awaitable<Result<std::unique_ptr<ActiveFault>>> apply_process_fault(
    NemesisContext& context, PlannedFault fault) {
  base::Random random(fault.seed);
  auto targets = resolve_targets(context, fault, random);
  if (targets.has_error()) co_return targets.error();
  auto active = std::make_unique<Fault>(context, fault, std::move(*targets));
  auto begun = co_await active->begin();
  if (begun.has_error()) co_return with_context(begun.error(), active->record().description);
  co_return std::unique_ptr<ActiveFault>(std::move(active));
}

// Rows of the shape table that all process faults share.
constexpr std::size_t kMinority_nodes_min = 3;

}  // namespace sunder::nemesis
