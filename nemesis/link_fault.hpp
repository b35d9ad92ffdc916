// LinkFault: what all families share that degrade links: a state made of parameters, put on the
// links that a shape names, and what proves that it was felt.
//
// The shapes are those of cuts, so they mean the same, and two more. The cluster folds the
// state with what other faults want of a link. The proof has two parts: the kernel's counters of
// the links, which are of all that passed, and a probe, which is of one of the links: datagrams
// sent when the fault begins and read when it ends. A probe can only prove an effect; that it saw
// none proves nothing when another fault cuts its link.
//
// Threading: the run's single thread; destruction heals synchronously.

#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "harness/cluster/link_probe.hpp"
#include "nemesis/cut_fault.hpp"

namespace sunder::nemesis {

class LinkFault final : public CutFault {
 public:
  LinkFault(NemesisContext& context, PlannedFault planned, Cut cut, CutPlanner planner);

  ~LinkFault() override { heal_at_last(); }

 private:
  // What passed on the degraded links.
  struct Passed {
    std::uint64_t packets = 0;
    std::uint64_t dropped = 0;
    std::uint64_t held_back = 0;
    std::uint64_t overtook = 0;
  };

  [[nodiscard]] Result<void> impose() override;
  [[nodiscard]] Result<void> lift() override;
  [[nodiscard]] std::string prove() override;

  [[nodiscard]] std::string links_word() const override { return "links degraded"; }

  [[nodiscard]] Result<Passed> count() const;
  void begin_probe();
  // How many of its packets the counters have.
  std::size_t end_probe();
  void tell_what_was_seen();
  // Adds to `missing` what of the state nothing shows.
  void check_times(std::string& missing) const;
  void check_shares(std::string& missing) const;

  cluster::LinkState state_;
  Passed before_;
  Passed passed_;
  std::chrono::nanoseconds installing_{0};  // the longest
  std::optional<cluster::LinkProbe> probe_;
  cluster::LinkProbe::Seen seen_;
};

// What the parameters of a family that degrades links say. Errc::unreadable_input: a table that
// cannot be read.
[[nodiscard]] Result<cluster::LinkState> link_state_of(const PlannedFault& fault);

// As plan_cut(), with the state in words, and the shapes `all` and `clients`.
[[nodiscard]] Result<Cut> plan_links(const NemesisContext& context,
                                     const PlannedFault& fault,
                                     base::Random& random);

// cut_shapes() and the two more, sorted.
[[nodiscard]] std::span<const FaultShape> link_shapes();

// FaultInfo::check: check_cut(), a table that can be read, a jitter that the delay has room for.
[[nodiscard]] Result<void> check_links(const PlannedFault& fault, std::size_t nodes);

// Rows of parameters; the default is the family's.
[[nodiscard]] FaultParameter latency_parameter(std::string_view otherwise);
[[nodiscard]] FaultParameter jitter_parameter();
[[nodiscard]] FaultParameter distribution_parameter();
[[nodiscard]] FaultParameter table_parameter();
[[nodiscard]] FaultParameter order_parameter();
[[nodiscard]] FaultParameter burst_parameter();
[[nodiscard]] FaultParameter rate_parameter(std::string_view otherwise);
// loss, duplicate, reorder, corrupt.
[[nodiscard]] FaultParameter share_parameter(std::string_view name,
                                             std::string_view summary,
                                             std::string_view otherwise);

// Strengths at which a system that waits and repeats does its work, if slowly.
void randomize_latency(PlannedFault& fault, base::Random& random);
void randomize_jitter(PlannedFault& fault, base::Random& random);
void randomize_loss(PlannedFault& fault, base::Random& random);
void randomize_share(PlannedFault& fault,
                     base::Random& random,
                     std::string_view name,
                     double highest);
void randomize_rate(PlannedFault& fault, base::Random& random);

// The capability of all but rate.
[[nodiscard]] std::span<const std::string_view> netem_needed();

// The row that the families share: shapes, checks and apply.
[[nodiscard]] FaultInfo link_fault_row();

}  // namespace sunder::nemesis
