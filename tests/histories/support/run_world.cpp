#include "tests/histories/support/run_world.hpp"

#include <algorithm>
#include <string>

#include "harness/history/operation.hpp"

namespace sunder::test {

using history::FaultRecord;
using history::kNever;
using history::RunContext;
using history::Window;

namespace {

FaultRecord small_fault(base::Random& random) {
  FaultRecord fault;
  const std::int64_t begin = random.between(0, kTicks - 20);
  const std::int64_t applied = begin + random.between(0, 3);
  const std::int64_t end = applied + random.between(1, 40);
  fault.applying = {begin * kTick, applied * kTick};
  fault.active = {applied * kTick, end * kTick};
  fault.healed = (end + random.between(0, 3)) * kTick;
  fault.exercised = random.chance(0.8);
  fault.family = fault.description = "fault";
  if (random.chance(0.1)) {
    fault.active.end = kNever;
    fault.healed = 0;
  } else if (random.chance(0.2) && end - applied > 4) {
    const std::int64_t pause = random.between(applied + 1, end - 2);
    fault.standing = {{applied * kTick, pause * kTick},
                      {random.between(pause + 1, end - 1) * kTick, end * kTick}};
  }
  fault.porous = random.chance(0.15);
  fault.changes_members = random.chance(0.1);
  return fault;
}

// Nodes, with their clients, on two sides; or any links at all.
void cut(base::Random& random, const RunContext& context, FaultRecord& fault) {
  std::vector<std::string> names = context.nodes;
  names.insert(names.end(), context.clients.begin(), context.clients.end());
  const bool sides = random.chance(0.7);
  const bool one_way = random.chance(0.2);
  std::vector<bool> first(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool client = i >= context.nodes.size();
    first[i] = client && random.chance(0.9) ? first[context.client_nodes[i - context.nodes.size()]]
                                            : random.chance(0.4);
  }
  for (std::size_t a = 0; a < names.size(); ++a) {
    for (std::size_t b = 0; b < names.size(); ++b) {
      const bool both_clients = a >= context.nodes.size() && b >= context.nodes.size();
      if (a == b || both_clients) continue;
      const bool across = sides ? first[a] && !first[b] : random.chance(0.2);
      if (!across) continue;
      fault.cut_links.emplace_back(names[a], names[b]);
      if (!one_way) fault.cut_links.emplace_back(names[b], names[a]);
    }
  }
}

}  // namespace

RunContext small_run_context(base::Random& random) {
  RunContext context;
  const std::size_t nodes = random.chance(0.6) ? 3 : 5;
  for (std::size_t i = 0; i < nodes; ++i) context.nodes.push_back("n" + std::to_string(i + 1));
  const std::size_t clients = 2 + random.below(3);
  for (std::size_t i = 0; i < clients; ++i) {
    context.clients.push_back("c" + std::to_string(i + 1));
    context.client_nodes.push_back(static_cast<std::uint32_t>(i % nodes));
    context.process_endpoints.emplace_back(static_cast<std::int64_t>(i),
                                           static_cast<std::uint32_t>(i));
  }
  for (std::uint64_t faults = random.below(4); faults > 0; --faults) {
    FaultRecord fault = small_fault(random);
    if (random.chance(0.75)) {
      cut(random, context, fault);
    } else {
      fault.disabled_nodes.push_back(random.pick(context.nodes));
    }
    if (random.chance(0.05)) fault.ended_nodes.push_back(random.pick(context.nodes));
    context.faults.push_back(std::move(fault));
  }
  return context;
}

RunWorld::RunWorld(const RunContext& context, bool possibly)
    : context_(context), possibly_(possibly) {
  std::vector<std::string> names = context.nodes;
  names.insert(names.end(), context.clients.begin(), context.clients.end());
  const auto number = [&](const std::string& name) {
    return static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
  };
  for (const FaultRecord& fault : context.faults) {
    Effect effect{.fault = &fault,
                  .cut = std::vector(names.size(), std::vector<bool>(names.size())),
                  .disabled = std::vector<bool>(names.size()),
                  .ended = std::vector<bool>(names.size())};
    for (const auto& [from, to] : fault.cut_links) effect.cut[number(from)][number(to)] = true;
    for (const std::string& node : fault.disabled_nodes) effect.disabled[number(node)] = true;
    for (const std::string& node : fault.ended_nodes) effect.ended[number(node)] = true;
    effects_.push_back(std::move(effect));
  }
}

bool RunWorld::stands(const FaultRecord& fault, std::int64_t tick) const {
  const std::int64_t time = tick * kTick;
  const bool for_ever = fault.active.end == kNever;
  if (possibly_) return fault.applying.begin <= time && (for_ever || time < fault.healed);
  if (fault.porous) return false;
  if (fault.standing.empty()) return fault.active.contains(time);
  return std::ranges::any_of(fault.standing,
                             [&](const Window& window) { return window.contains(time); });
}

bool RunWorld::is_up(std::size_t node, std::int64_t tick) const {
  return std::ranges::none_of(effects_, [&](const Effect& effect) {
    const bool ended = effect.ended[node] && effect.fault->applying.begin <= tick * kTick;
    return ended || (effect.disabled[node] && stands(*effect.fault, tick));
  });
}

bool RunWorld::passes(std::size_t from, std::size_t to, std::int64_t tick) const {
  return std::ranges::none_of(effects_, [&](const Effect& effect) {
    return effect.cut[from][to] && stands(*effect.fault, tick);
  });
}

std::optional<std::set<std::size_t>> RunWorld::majority(std::int64_t tick) const {
  std::size_t wanted = nodes() / 2 + 1;
  for (const FaultRecord& fault : context_.faults) {
    const bool going_on = fault.applying.begin <= tick * kTick &&
                          (fault.active.end == kNever || tick * kTick < fault.healed);
    if (fault.changes_members && going_on) {
      wanted = nodes() / 2 + 2;
      break;
    }
  }
  std::vector<std::set<std::size_t>> sets;
  for (std::size_t bits = 1; bits < (std::size_t{1} << nodes()); ++bits) {
    std::set<std::size_t> set;
    for (std::size_t node = 0; node < nodes(); ++node) {
      if ((bits >> node) % 2 == 1) set.insert(node);
    }
    const bool together = std::ranges::all_of(set, [&](std::size_t a) {
      return is_up(a, tick) &&
             std::ranges::all_of(set, [&](std::size_t b) { return a == b || linked(a, b, tick); });
    });
    if (together) sets.push_back(set);
  }
  std::optional<std::set<std::size_t>> found;
  for (const auto& set : sets) {
    const bool maximal = std::ranges::none_of(sets, [&](const auto& other) {
      return other.size() > set.size() && std::ranges::includes(other, set);
    });
    if (!maximal || set.size() < wanted) continue;
    if (found) return std::nullopt;
    found = set;
  }
  return found;
}

std::set<std::int64_t> RunWorld::changes() const {
  std::set<std::int64_t> times{0, kNever};
  for (const FaultRecord& fault : context_.faults) {
    times.insert({fault.applying.begin,
                  fault.applying.end,
                  fault.active.begin,
                  fault.active.end,
                  fault.healed});
    for (const Window& window : fault.standing) times.insert({window.begin, window.end});
  }
  std::set<std::int64_t> ticks;
  for (const std::int64_t time : times) ticks.insert(time == kNever ? kNever : time / kTick);
  return ticks;
}

std::int64_t RunWorld::quiet_from(std::int64_t tick) const {
  const std::set<std::int64_t> all = changes();
  return *std::prev(all.upper_bound(tick));
}

std::int64_t RunWorld::quiet_until(std::int64_t tick) const {
  const std::set<std::int64_t> all = changes();
  return *all.upper_bound(tick);
}

}  // namespace sunder::test
