// Disconnect: destroys the TCP connections over chosen links, again and again; both ends are told
// at once, and both may connect again at once.
//
// SOCK_DESTROY (inet_diag) at one end: its program sees ECONNABORTED, the kernel's RST tells the
// other end. The direction of a cut does not matter.

#include <array>

#include "nemesis/cut_fault.hpp"
#include "nemesis/families.hpp"

namespace sunder::nemesis {
namespace {

class ActiveDisconnect final : public CutFault {
 public:
  ActiveDisconnect(NemesisContext& context, PlannedFault planned, Cut cut, CutPlanner planner)
      : CutFault(context, std::move(planned), std::move(cut), planner) {
    porous_ = true;
  }

  ~ActiveDisconnect() override { heal_at_last(); }

 private:
  [[nodiscard]] Result<void> impose() override { return repeat(); }

  // What was destroyed stays destroyed; there is nothing to undo.
  [[nodiscard]] Result<void> lift() override { return {}; }

  [[nodiscard]] std::optional<std::chrono::nanoseconds> repeats_after() const override {
    return duration_of(planned_, "period");
  }

  [[nodiscard]] Result<void> repeat() override {
    const auto destroyed = context_.cluster.network().destroy_connections(pairs_of(cut()));
    if (destroyed.has_error()) return destroyed.error();
    destroyed_ += *destroyed;
    return {};
  }

  [[nodiscard]] std::string prove() override {
    add_evidence("connections destroyed", static_cast<double>(destroyed_), "connections");
    return destroyed_ > 0 ? "" : "there was no connection to destroy";
  }

  std::uint64_t destroyed_ = 0;
};

constexpr std::array<std::string_view, 1> kNeeds{"sock-destroy"};

}  // namespace

FaultInfo disconnect_fault() {
  static const std::array parameters{
      kEveryParameter,
      FaultParameter{.name = "period",
                     .summary = "destroys what was connected again after so long",
                     .kind = ParameterKind::duration,
                     .low = limit(std::chrono::milliseconds(20)),
                     .high = limit(std::chrono::minutes(10)),
                     .otherwise = "250ms"},
  };
  return {
      .name = "disconnect",
      .summary = "Resets the connections over links, again each period; both ends are told.",
      .shapes = cut_shapes(),
      .parameters = parameters,
      .evidence = "Connections that the kernel destroyed, counted one by one.",
      .limits = "Both ends may connect again at once. A shape for one direction acts as for both.",
      .example = "disconnect:halves@1s+2s;period=100ms",
      .needs = kNeeds,
      .burden = {.cuts = true},
      .usual = std::chrono::seconds(1),
      .randomize = randomize_cut,
      .check = check_cut,
      .apply = apply_cut<ActiveDisconnect>};
}

}  // namespace sunder::nemesis
