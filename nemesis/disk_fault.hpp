// DiskFault: what the faults share that make a disk fail or lie: a rule armed on the disks of
// chosen nodes, counted, disarmed, and the nodes that ended because of it started again.
//
// A node whose disk fails may stop: that is its answer, not its failure, so its death is excused
// while the rule is armed. A node whose disk lied is killed when the fault heals and started again,
// so that it has to live from what its disk really holds; its death is excused for good, because it
// may refuse to.
//
// Threading: the run's single thread; destruction heals synchronously.

#pragma once

#include <memory>

#include "harness/disk/rules.hpp"
#include "nemesis/process_fault.hpp"

namespace sunder::nemesis {

class ActiveDiskFault final : public ProcessFault {
 public:
  ActiveDiskFault(NemesisContext& context, const PlannedFault& planned, ResolvedTargets targets);

  ~ActiveDiskFault() override { heal_at_last(); }

  [[nodiscard]] boost::asio::awaitable<Result<void>> begin();

 private:
  [[nodiscard]] Result<void> undo() override;
  [[nodiscard]] Result<void> disarm(const Victim& victim);
  [[nodiscard]] Result<void> bring_back(const Victim& victim);
  [[nodiscard]] boost::asio::awaitable<Result<void>> restart(const Victim& victim);

  disk::Rule rule_;
  std::vector<std::size_t> armed_;  // nodes
  std::uint64_t struck_ = 0;
  std::uint64_t seen_ = 0;
};

// The rule of a planned fault, as its family's parameters say; seeded by the fault.
[[nodiscard]] disk::Rule rule_of(const PlannedFault& fault);

// The disk of a running cluster's node. Errc::unsupported: the cluster has none.
[[nodiscard]] Result<disk::Client*> disk_of(const NemesisContext& context, std::size_t node);

// Parameter rows that several families share.
constexpr std::string_view kFuse[] = {"fuse"};
constexpr FaultParameter kFilesParameter{.name = "files",
                                         .summary =
                                             "which files: a pattern over the name, or over "
                                             "the path below the data directory",
                                         .kind = ParameterKind::pattern,
                                         .otherwise = "*"};
constexpr FaultParameter kNthParameter{.name = "nth",
                                       .summary = "only the n-th such operation, instead of a rate",
                                       .kind = ParameterKind::number,
                                       .low = 1,
                                       .high = 1e9};

// Shapes that all disk faults share; followers, majority and all only where asked for.
[[nodiscard]] std::span<const FaultShape> disk_fault_shapes() noexcept;

// Which operations are struck, where chance decides.
constexpr FaultParameter strike_rate_parameter(std::string_view otherwise) {
  return {.name = "rate",
          .summary = "which share of such operations, by chance",
          .kind = ParameterKind::percent,
          .low = 0.001,
          .high = 100,
          .otherwise = otherwise};
}

// What the families have in common whose disks fail; such a node may stop.
[[nodiscard]] FaultInfo disk_fault_row();
// And those whose disks lie: bit-flip, lost-write, misdirected-write.
[[nodiscard]] FaultInfo disk_lie_row();
inline constexpr FaultParameter kLie_rate_parameter = strike_rate_parameter("5%");
}  // namespace sunder::nemesis
