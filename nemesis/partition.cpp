// Partition: cuts chosen directed links silently (blackhole), clients on their node's side, and
// counts what was dropped.
//
// All cuts are one netlink batch. Healing withdraws this fault's overlay only; what other faults
// want stays. A flapping partition stands and lifts in turn; the record says when it stood.

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "harness/base/assert.hpp"
#include "nemesis/cut_fault.hpp"
#include "nemesis/families.hpp"

namespace sunder::nemesis {
namespace {

using cluster::LinkMatrix;

class ActivePartition final : public CutFault {
 public:
  using CutFault::CutFault;

  ~ActivePartition() override { heal_at_last(); }

 private:
  [[nodiscard]] Result<void> impose() override {
    auto before = dropped();
    if (before.has_error()) return before.error();
    LinkMatrix overlay(context_.cluster.endpoints());
    for (const auto& [from, to] : cut().links) overlay.at(from, to).blackhole = true;
    const auto change = context_.cluster.apply(planned_.id, overlay);
    if (change.has_error()) return change.error();
    installing_ = std::max(installing_, change->installing);
    dropped_before_ = *before;
    return {};
  }

  [[nodiscard]] Result<void> lift() override {
    const auto after = dropped();
    const auto change = context_.cluster.withdraw(planned_.id);
    if (change.has_error()) return change.error();
    if (after.has_error()) return after.error();
    dropped_ += *after - dropped_before_;
    return {};
  }

  [[nodiscard]] std::string prove() override {
    add_evidence("packets dropped", static_cast<double>(dropped_), "packets");
    add_evidence("installed in", static_cast<double>(installing_.count()) / 1e3, "µs");
    return dropped_ > 0 ? "" : "no packet was dropped on a cut link";
  }

  // Frames dropped so far on the links that are cut now.
  [[nodiscard]] Result<std::uint64_t> dropped() const {
    const auto counters = context_.cluster.counters();
    if (counters.has_error()) return counters.error();
    const std::size_t endpoints = context_.cluster.endpoints();
    SUNDER_ASSERT(counters->size() == endpoints * endpoints);
    std::uint64_t sum = 0;
    for (const auto& [from, to] : cut().links) sum += (*counters)[from * endpoints + to].dropped;
    return sum;
  }

  std::uint64_t dropped_before_ = 0;
  std::uint64_t dropped_ = 0;
  std::chrono::nanoseconds installing_{0};  // the longest
};

}  // namespace

FaultInfo partition_fault() {
  static const std::array parameters{kEveryParameter, kFlapParameter};
  return {.name = "partition",
          .summary = "Cuts links silently; clients stay on their node's side.",
          .shapes = cut_shapes(),
          .parameters = parameters,
          .evidence =
              "Frames that the cut links dropped, counted by the kernel on each link; which "
              "links; how long installing them in one batch took.",
          .limits =
              "Nobody is told: connections stay open and silent, packets in flight are lost. "
              "A partition without traffic across it drops nothing and is not exercised.",
          .example = "partition:n1+n2/n3+n4+n5@2s+6s;flap=500ms",
          .burden = {.cuts = true},
          .usual = std::chrono::seconds(3),
          .randomize = randomize_cut,
          .check = check_cut,
          .apply = apply_cut<ActivePartition>};
}

}  // namespace sunder::nemesis
