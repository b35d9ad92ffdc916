// Refuse: whatever comes over chosen links is answered with RST, as a firewall that rejects does:
// the sender is told at once.
//
// A packet filter in the receiver's namespace; it also ends established connections at their next
// packet. A filter cuts only what arrives, so one direction alone can be refused; RSTs themselves
// pass, which is how both ends learn when both directions are refused.

#include <array>

#include "nemesis/cut_fault.hpp"
#include "nemesis/families.hpp"

namespace sunder::nemesis {
namespace {

class ActiveRefuse final : public CutFault {
 public:
  using CutFault::CutFault;

  ~ActiveRefuse() override { heal_at_last(); }

 private:
  [[nodiscard]] Result<void> impose() override {
    return context_.cluster.network().install_filter(
        planned_.id, netlink::FilterAction::refuse, cut().links);
  }

  [[nodiscard]] Result<void> lift() override {
    const auto count = context_.cluster.network().filter_count(planned_.id);
    SUNDER_TRY(context_.cluster.network().remove_filter(planned_.id));
    if (count.has_error()) return count.error();
    refused_ += *count;
    return {};
  }

  [[nodiscard]] std::string prove() override {
    add_evidence("packets refused", static_cast<double>(refused_), "packets");
    return refused_ > 0 ? "" : "no packet came over a refused link";
  }

  std::uint64_t refused_ = 0;
};

constexpr std::array<std::string_view, 1> kNeeds{"nf_tables"};

}  // namespace

FaultInfo refuse_fault() {
  static const std::array parameters{kEveryParameter, kFlapParameter};
  return {.name = "refuse",
          .summary = "Answers what comes over links with RST, so that the sender is told.",
          .shapes = cut_shapes(),
          .parameters = parameters,
          .evidence = "Packets that were answered with RST, counted by the filters' own counters.",
          .limits =
              "An established connection ends at its next packet, not before; one that is idle "
              "throughout survives.",
          .example = "refuse:leader@became-leader+2s;after=1s",
          .needs = kNeeds,
          .burden = {.cuts = true},
          .usual = std::chrono::seconds(2),
          .randomize = randomize_cut,
          .check = check_cut,
          .apply = apply_cut<ActiveRefuse>};
}

}  // namespace sunder::nemesis
