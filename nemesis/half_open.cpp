// Half-open: one end of each connection over chosen links loses it, the other is not told and goes
// on believing in it: what a machine that lost power or a translating router that forgot leaves.
//
// The connections are destroyed at one end (SOCK_DESTROY), and a packet filter there withholds
// every RST to the other end, the one for the destroyed socket and those that answer what still
// comes for it. The end that lost them may connect again at once. At the end of the fault RSTs pass
// again.

#include <array>

#include "nemesis/cut_fault.hpp"
#include "nemesis/families.hpp"

namespace sunder::nemesis {
namespace {

class ActiveHalfOpen final : public CutFault {
 public:
  ActiveHalfOpen(NemesisContext& context, PlannedFault planned, Cut cut, CutPlanner planner)
      : CutFault(context, std::move(planned), std::move(cut), planner) {
    porous_ = true;
  }

  ~ActiveHalfOpen() override { heal_at_last(); }

 private:
  // The filter first: the RST of a destroyed socket must find it.
  [[nodiscard]] Result<void> impose() override {
    auto pairs = pairs_of(cut());
    if (word_of(planned_, "told") == "second") {
      for (auto& [first, second] : pairs) std::swap(first, second);
    }
    cluster::NetworkFaults& network = context_.cluster.network();
    SUNDER_TRY(network.install_filter(planned_.id, netlink::FilterAction::withhold_reset, pairs));
    const auto destroyed = network.destroy_connections(pairs);
    if (destroyed.has_error()) {
      (void)network.remove_filter(planned_.id);
      return destroyed.error();
    }
    destroyed_ += *destroyed;
    return {};
  }

  [[nodiscard]] Result<void> lift() override {
    const auto count = context_.cluster.network().filter_count(planned_.id);
    SUNDER_TRY(context_.cluster.network().remove_filter(planned_.id));
    if (count.has_error()) return count.error();
    withheld_ += *count;
    return {};
  }

  [[nodiscard]] std::string prove() override {
    add_evidence("connections lost at one end", static_cast<double>(destroyed_), "connections");
    add_evidence("resets withheld", static_cast<double>(withheld_), "packets");
    if (destroyed_ == 0) return "there was no connection to lose";
    return withheld_ > 0 ? "" : "no reset was withheld, so the other end may know";
  }

  std::uint64_t destroyed_ = 0;
  std::uint64_t withheld_ = 0;
};

constexpr std::array<std::string_view, 2> kNeeds{"nf_tables", "sock-destroy"};
constexpr std::array<std::string_view, 2> kEnds{"first", "second"};

void randomize(PlannedFault& fault, base::Random& random) {
  randomize_cut(fault, random);
  set_word(fault, "told", kEnds[random.chance(0.5) ? 0 : 1]);
}

}  // namespace

FaultInfo half_open_fault() {
  static const std::array parameters{
      kEveryParameter,
      kFlapParameter,
      FaultParameter{.name = "told",
                     .summary = "the end that loses its connections: of the side named first (the "
                                "lone node, the leader, the sender of one direction), or the other",
                     .kind = ParameterKind::word,
                     .words = kEnds,
                     .otherwise = "first"},
  };
  return {.name = "half-open",
          .summary = "One end of each connection loses it, the other is not told.",
          .shapes = cut_shapes(),
          .parameters = parameters,
          .evidence =
              "Connections that the kernel destroyed at one end, and the RST packets to the other "
              "end that were withheld, counted by the filters' own counters.",
          .limits =
              "New connections work. An end that does not write, or has no time-out of its own, "
              "notices nothing; when the fault ends its next packet is answered with RST.",
          .example = "half-open:leader@2s+3s;told=second",
          .needs = kNeeds,
          .burden = {.cuts = true},
          .usual = std::chrono::seconds(2),
          .randomize = randomize,
          .check = check_cut,
          .apply = apply_cut<ActiveHalfOpen>};
}

}  // namespace sunder::nemesis
