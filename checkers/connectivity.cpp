#include "checkers/connectivity.hpp"

#include <algorithm>
#include <set>

#include "harness/base/assert.hpp"

namespace sunder::checkers {
namespace {

using history::FaultRecord;
using history::kNever;
using history::Window;

// When the effect stood by this stance; several windows for a flapping fault, none for one that is
// never certain.
std::vector<Window> windows_of(const FaultRecord& fault, Stance stance) {
  if (stance == Stance::certain && fault.porous) return {};
  if (stance == Stance::possible) return {possible_window(fault)};
  return fault.standing.empty() ? std::vector<Window>{fault.active} : fault.standing;
}

// Enumerates maximal cliques (Bron & Kerbosch, 1973) until a second one of the wanted size shows
// that none is unique.
class MajoritySearch {
 public:
  MajoritySearch(std::vector<std::vector<bool>> linked, std::size_t size)
      : linked_(std::move(linked)), size_(size) {}

  [[nodiscard]] std::optional<EndpointSet> unique(const std::vector<std::size_t>& candidates) {
    extend({}, candidates, {});
    if (found_.size() != 1) return std::nullopt;
    EndpointSet set(linked_.size());
    for (const std::size_t node : found_.front()) set[node] = true;
    return set;
  }

 private:
  using Nodes = std::vector<std::size_t>;

  [[nodiscard]] Nodes neighbours(const Nodes& nodes, std::size_t of) const {
    Nodes result;
    for (const std::size_t node : nodes) {
      if (node != of && linked_[of][node]) result.push_back(node);
    }
    return result;
  }

  void extend(const Nodes& clique, Nodes candidates, Nodes excluded) {
    if (found_.size() > 1 || clique.size() + candidates.size() < size_) return;
    if (candidates.empty()) {
      if (excluded.empty()) found_.push_back(clique);
      return;
    }
    while (!candidates.empty()) {
      const std::size_t node = candidates.back();
      Nodes larger = clique;
      larger.push_back(node);
      extend(larger, neighbours(candidates, node), neighbours(excluded, node));
      candidates.pop_back();
      excluded.push_back(node);
    }
  }

  std::vector<std::vector<bool>> linked_;
  std::size_t size_;
  std::vector<Nodes> found_;
};

}  // namespace

std::size_t count_of(const EndpointSet& set) noexcept {
  return static_cast<std::size_t>(std::ranges::count(set, true));
}

Window possible_window(const FaultRecord& fault) noexcept {
  const bool lasts = fault.active.end == kNever || fault.healed < fault.active.end;
  return {fault.applying.begin, lasts ? fault.active.end : fault.healed};
}

Connectivity::Connectivity(const history::RunContext& context, Stance stance)
    : context_(context),
      nodes_(context.nodes.size()),
      endpoints_(context.nodes.size() + context.clients.size()) {
  for (std::size_t i = 0; i < nodes_; ++i) index_[context.nodes[i]] = i;
  for (std::size_t i = nodes_; i < endpoints_; ++i) index_[context.clients[i - nodes_]] = i;
  for (const auto& [process, client] : context.process_endpoints) {
    if (client < context.clients.size()) process_index_[process] = nodes_ + client;
  }
  make_segments();
  for (const FaultRecord& fault : context.faults) {
    for (const Window& window : windows_of(fault, stance)) apply(fault, window);
    FaultRecord for_good;
    for_good.disabled_nodes = fault.ended_nodes;
    if (!fault.ended_nodes.empty()) apply(for_good, {fault.applying.begin, kNever});
    if (!fault.changes_members) continue;
    for (Segment& segment : segments_) {
      if (segment.window.overlaps(possible_window(fault))) segment.members_change = true;
    }
  }
}

// Every moment at which a fault did anything ends a segment, also where this stance sees no
// change: nothing is stable across it.
void Connectivity::make_segments() {
  std::set<std::int64_t> changes{0};
  for (const FaultRecord& fault : context_.faults) {
    for (const std::int64_t time : {fault.applying.begin,
                                    fault.applying.end,
                                    fault.active.begin,
                                    fault.active.end,
                                    fault.healed}) {
      if (time > 0 && time < kNever) changes.insert(time);
    }
    for (const Window& window : fault.standing) {
      changes.insert(window.begin);
      if (window.end < kNever) changes.insert(window.end);
    }
  }
  for (auto change = changes.begin(); change != changes.end(); ++change) {
    const auto next = std::next(change);
    Segment segment{{*change, next == changes.end() ? kNever : *next}, {}, {}};
    segment.up.assign(nodes_, true);
    segment.cut.assign(endpoints_ * endpoints_, false);
    segments_.push_back(std::move(segment));
  }
}

void Connectivity::apply(const FaultRecord& fault, const Window& window) {
  for (Segment& segment : segments_) {
    if (!segment.window.overlaps(window)) continue;
    for (const auto& [from, to] : fault.cut_links) {
      const auto a = index_.find(from);
      const auto b = index_.find(to);
      if (a == index_.end() || b == index_.end()) continue;
      segment.cut[a->second * endpoints_ + b->second] = true;
    }
    for (const std::string& node : fault.disabled_nodes) {
      const auto found = index_.find(node);
      if (found != index_.end() && found->second < nodes_) segment.up[found->second] = false;
    }
  }
}

std::string Connectivity::names_of(const EndpointSet& set) const {
  std::string text;
  for (std::size_t i = 0; i < std::min(set.size(), nodes_); ++i) {
    if (!set[i]) continue;
    if (!text.empty()) text += ',';
    text += context_.nodes[i];
  }
  return text;
}

bool Connectivity::linked(const Segment& segment, std::size_t a, std::size_t b) const {
  return !segment.cut[a * endpoints_ + b] && !segment.cut[b * endpoints_ + a];
}

bool Connectivity::touching(const Segment& segment, std::size_t a, std::size_t b) const {
  return !segment.cut[a * endpoints_ + b] || !segment.cut[b * endpoints_ + a];
}

std::optional<EndpointSet> Connectivity::connected_majority(const Segment& segment) const {
  std::vector<std::vector<bool>> graph(nodes_, std::vector<bool>(nodes_));
  std::vector<std::size_t> candidates;
  for (std::size_t a = 0; a < nodes_; ++a) {
    if (segment.up[a]) candidates.push_back(a);
    for (std::size_t b = 0; b < nodes_; ++b) graph[a][b] = linked(segment, a, b);
  }
  return MajoritySearch(std::move(graph), majority_size(segment)).unique(candidates);
}

bool Connectivity::reaches_all(const Segment& segment,
                               std::size_t client,
                               const EndpointSet& set) const {
  for (std::size_t node = 0; node < nodes_; ++node) {
    if (set[node] && !linked(segment, client, node)) return false;
  }
  return true;
}

EndpointSet Connectivity::within_reach(std::size_t client,
                                       std::size_t first,
                                       std::size_t last) const {
  SUNDER_ASSERT(first <= last && last < segments_.size());
  const auto meet = [&](std::size_t a, std::size_t b) {
    for (std::size_t i = first; i <= last; ++i) {
      if (touching(segments_[i], a, b)) return true;
    }
    return false;
  };
  EndpointSet reached(nodes_);
  std::vector<std::size_t> frontier{client};
  while (!frontier.empty()) {
    const std::size_t from = frontier.back();
    frontier.pop_back();
    for (std::size_t node = 0; node < nodes_; ++node) {
      if (reached[node] || !meet(from, node)) continue;
      reached[node] = true;
      frontier.push_back(node);
    }
  }
  return reached;
}

std::size_t Connectivity::segment_at(std::int64_t time) const {
  const auto after = std::ranges::upper_bound(
      segments_, time, {}, [](const Segment& segment) { return segment.window.begin; });
  return after == segments_.begin() ? 0 : static_cast<std::size_t>(after - segments_.begin()) - 1;
}

std::optional<std::size_t> Connectivity::endpoint_of(std::int64_t process) const {
  const auto found = process_index_.find(process);
  if (found == process_index_.end()) return std::nullopt;
  return found->second;
}

const std::string& Connectivity::client_name(std::size_t endpoint) const {
  SUNDER_ASSERT(endpoint >= nodes_ && endpoint < endpoints_);
  return context_.clients[endpoint - nodes_];
}

}  // namespace sunder::checkers
