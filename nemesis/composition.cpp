// Compositions: many random faults in little time, several at once, never more than the promises
// bear.
//
// A composition is one heavy fault, or a few light ones that touch one node each. Light ones begin
// one inside the other, the one on the leader first: those after it choose among the nodes that no
// other fault holds (resolve_targets). Together they disable at most a minority, so that a majority
// goes on and availability can be judged. What lasts (a disk that lied, a node that stays down) is
// kept to one minority of nodes, chosen once for the whole run. Then comes calm, for an election
// and some operations.

#include <algorithm>

#include <fmt/format.h>

#include "harness/base/assert.hpp"
#include "harness/base/duration.hpp"
#include "nemesis/layout.hpp"
#include "nemesis/targets.hpp"

namespace sunder::nemesis {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr std::size_t kTogether_max = 4;
constexpr nanoseconds kCalm = 1500ms;
constexpr nanoseconds kApart = 50ms;
// After that and the calm before, clients that had turned to other nodes are at their own again.
constexpr nanoseconds kClients_return = 2500ms;
// What a shape's slot of 1 is, for shapes that a promise needs: enough to judge it.
constexpr nanoseconds kNeeded_slot = 6700ms;
// Shorter than usual by this at most; longer by this at most.
constexpr double kHaste_max = 0.6;
constexpr double kLeisure_max = 1.3;
constexpr std::size_t kCompositions_max = 1'000;

struct Member {
  Pick pick;
  nanoseconds offset{0};
  nanoseconds length{0};
};

struct Composition {
  std::vector<Member> members;
  nanoseconds stands{0};  // until the last is healed
  nanoseconds calm{0};

  [[nodiscard]] nanoseconds length() const { return stands + calm; }

  // Keeps its time when the others hurry.
  [[nodiscard]] bool needed() const { return members.front().pick.needed; }

  [[nodiscard]] bool lasts() const {
    return std::ranges::any_of(
        members, [](const Member& member) { return is_lasting(*member.pick.family); });
  }
};

bool is_light(const FaultShape& shape) {
  return extent_of(shape) <= Extent::one;
}

// A client that is not answered turns to another node for some seconds, and its link is idle then:
// a cut of that link bites only when nothing else is or was wrong.
bool needs_calm(const FaultShape& shape) {
  return shape.name == "client-link";
}

// Nothing else would be felt: a starved leader may write nothing for a second.
bool slows_all(const Pick& pick) {
  return pick.family->burden.slows && pick.shape->name.starts_with("leader");
}

bool disables(const FaultInfo& family) {
  const Burden& burden = family.burden;
  return burden.stops || burden.cuts || burden.ends;
}

class Composer {
 public:
  Composer(const ScheduleOptions& options, base::Random& random)
      : options_(options),
        random_(random),
        lasting_nodes_(draw_lasting_nodes(options.nodes, random)) {}

  void add(const std::vector<Pick>& picks) {
    std::vector<Pick> light;
    std::vector<Pick> lasting;
    for (const Pick& pick : picks) {
      Pick settled = settle(pick);
      if (is_lasting(*settled.family) && !settled.asked) {
        lasting.push_back(std::move(settled));
        continue;
      }
      const FaultShape& shape = *settled.shape;
      const bool alone =
          settled.needed || !is_light(shape) || needs_calm(shape) || slows_all(settled);
      if (alone) {
        add_alone(std::move(settled));
      } else {
        light.push_back(std::move(settled));
      }
    }
    random_.shuffle(light);
    for (Pick& pick : light) add_light(std::move(pick));
    if (!lasting.empty()) add_lasting(std::move(lasting));
    time_light();
  }

  // Of the faults and the calm; needed ones keep their time.
  [[nodiscard]] nanoseconds needed_time() const { return sum(true); }

  [[nodiscard]] nanoseconds other_time() const { return sum(false); }

  // Adds compositions of what the pools hold while they fit into `room`.
  void fill(std::vector<Pool> pools, nanoseconds room) {
    // Once is enough of what lasts: the node may be gone.
    std::erase_if(pools, [](const Pool& pool) { return is_lasting(*pool.family); });
    while (!pools.empty() && compositions_.size() < kCompositions_max) {
      Composer more(options_, random_);
      more.lasting_nodes_ = lasting_nodes_;
      std::vector<Pick> picks;
      for (std::size_t i = 0; i < 3; ++i) picks.push_back(draw(random_.pick(pools), random_));
      more.add(picks);
      if (needed_time() + other_time() + more.other_time() > room) return;
      for (Composition& composition : more.compositions_) {
        compositions_.push_back(std::move(composition));
      }
    }
  }

  // Puts everything into the schedule, from `begin` on; what is not needed is `stretch` as long as
  // usual.
  void place(nanoseconds begin, double stretch, Schedule& schedule) {
    random_.shuffle(compositions_);
    // A node that stays down would leave nothing to act on to those after it.
    std::ranges::stable_partition(
        compositions_, [](const Composition& composition) { return !composition.lasts(); });
    auto at = static_cast<double>(begin.count());
    for (const Composition& composition : compositions_) {
      const double scale = composition.needed() ? 1 : stretch;
      for (const Member& member : composition.members) {
        const double offset = at + static_cast<double>(member.offset.count()) * scale;
        const double length = static_cast<double>(member.length.count()) * scale;
        schedule.push_back(
            plan_random(member.pick, in_milliseconds(offset), in_milliseconds(length), random_));
      }
      at += static_cast<double>(composition.length().count()) * scale;
    }
  }

 private:
  [[nodiscard]] nanoseconds sum(bool needed) const {
    nanoseconds total{0};
    for (const Composition& composition : compositions_) {
      if (composition.needed() == needed) total += composition.length();
    }
    return total;
  }

  // A shape that can stand with others, if the family has one and nobody asked for another; nodes
  // for what lasts.
  Pick settle(Pick pick) {
    if (pick.asked) return pick;
    const FaultInfo& family = *pick.family;
    if (is_lasting(family) && find_shape(family, "nodes") != nullptr) {
      pick.shape = find_shape(family, "nodes");
      pick.target =
          fmt::format("n{}", lasting_nodes_[lasting_count_++ % lasting_nodes_.size()] + 1);
      return pick;
    }
    std::vector<const FaultShape*> shapes;
    std::vector<double> weights;
    for (const FaultShape& shape : family.shapes) {
      if (!is_light(shape) || !is_possible(shape, options_) || shape.random.weight <= 0) continue;
      shapes.push_back(&shape);
      weights.push_back(shape.random.weight);
    }
    if (!shapes.empty()) pick.shape = shapes[random_.weighted(weights)];
    return pick;
  }

  void add_alone(Pick pick) {
    const RandomUse& use = pick.shape->random;
    Composition composition;
    Member member{.pick = std::move(pick)};
    if (member.pick.needed) {
      const double slot = static_cast<double>(kNeeded_slot.count()) * use.slot;
      member.length = in_milliseconds(slot * (use.share_low + use.share_high) / 2);
      composition.calm = in_milliseconds(slot) - member.length;
    } else {
      if (needs_calm(*member.pick.shape)) member.offset = kClients_return;
      member.length = usual_length(member.pick);
      composition.calm = kCalm;
    }
    composition.stands = member.offset + member.length;
    composition.members.push_back(std::move(member));
    compositions_.push_back(std::move(composition));
  }

  // All at the same time, with nothing else: when one of them is healed, its node may be gone.
  void add_lasting(std::vector<Pick> picks) {
    Composition composition;
    for (const Pick& pick : picks) {
      composition.stands = std::max(composition.stands, usual_length(pick));
    }
    for (Pick& pick : picks) {
      Member member{.pick = std::move(pick)};
      member.offset = kApart * static_cast<std::int64_t>(composition.members.size());
      member.length = composition.stands - member.offset;
      composition.members.push_back(std::move(member));
    }
    composition.calm = kCalm;
    compositions_.push_back(std::move(composition));
  }

  nanoseconds usual_length(const Pick& pick) {
    return in_milliseconds(static_cast<double>(pick.family->usual.count()) *
                           (1 + 0.4 * random_.unit()));
  }

  void add_light(Pick pick) {
    for (Composition& composition : compositions_) {
      if (!has_room(composition, pick)) continue;
      composition.members.push_back({.pick = std::move(pick)});
      return;
    }
    Composition composition;
    composition.members.push_back({.pick = std::move(pick)});
    compositions_.push_back(std::move(composition));
  }

  [[nodiscard]] bool has_room(const Composition& composition, const Pick& pick) const {
    const auto& members = composition.members;
    const std::size_t together = std::min(kTogether_max, options_.nodes - 1);
    if (members.size() >= together || composition.stands.count() != 0) return false;
    std::size_t disabled = disables(*pick.family) ? 1 : 0;
    for (const Member& member : members) {
      if (member.pick.family == pick.family) return false;
      if (is_of_leader(*member.pick.shape) && is_of_leader(*pick.shape)) return false;
      if (!pick.target.empty() && member.pick.target == pick.target) return false;
      // Nothing may take the node away on which a fault shows what lasts.
      if (is_lasting(*pick.family) != is_lasting(*member.pick.family) &&
          (disables(*pick.family) || disables(*member.pick.family))) {
        return false;
      }
      if (disables(*member.pick.family)) ++disabled;
    }
    return disabled <= std::max<std::size_t>(1, minority_of(options_.nodes));
  }

  // The one on the leader first, the others inside its time.
  void time_light() {
    for (Composition& composition : compositions_) {
      if (composition.stands.count() != 0) continue;
      auto& members = composition.members;
      std::ranges::stable_partition(
          members, [](const Member& member) { return is_of_leader(*member.pick.shape); });
      nanoseconds offset{0};
      for (Member& member : members) {
        member.offset = offset;
        member.length = usual_length(member.pick);
        composition.stands = std::max(composition.stands, member.offset + member.length);
        offset += in_milliseconds(static_cast<double>(member.length.count()) *
                                  (0.1 + 0.2 * random_.unit()));
      }
      composition.calm = kCalm;
    }
  }

  const ScheduleOptions& options_;
  base::Random& random_;
  std::vector<std::size_t> lasting_nodes_;
  std::vector<Composition> compositions_;
  std::size_t lasting_count_ = 0;
};

}  // namespace

Result<void> compose(const std::vector<Pick>& picks,
                     const std::vector<Pool>& pools,
                     const ScheduleOptions& options,
                     base::Random& random,
                     Schedule& schedule) {
  Composer composer(options, random);
  composer.add(picks);
  const nanoseconds lead = lead_of(options.duration);
  const nanoseconds room = options.duration - lead;
  composer.fill(pools, room);
  const auto needed = static_cast<double>(composer.needed_time().count());
  const auto others = static_cast<double>(composer.other_time().count());
  const double left = static_cast<double>(room.count()) - needed;
  if (left < others * kHaste_max || left <= 0) {
    const nanoseconds least = in_milliseconds((needed + others * kHaste_max) * 20 / 19) + 1s;
    return base::make_error(
        Errc::usage,
        fmt::format("{} is too short for {} faults: give --duration {} or more",
                    base::format_duration(options.duration),
                    picks.size(),
                    base::format_duration(std::chrono::ceil<std::chrono::seconds>(least))));
  }
  const double stretch = others > 0 ? std::min(left / others, kLeisure_max) : 1;
  composer.place(lead, stretch, schedule);
  return {};
}

nanoseconds composed_duration(const std::vector<Pick>& picks,
                              const ScheduleOptions& options,
                              base::Random& random) {
  Composer composer(options, random);
  composer.add(picks);
  return composer.needed_time() + composer.other_time() + 2s;
}

}  // namespace sunder::nemesis
