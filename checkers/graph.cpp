#include "checkers/graph.hpp"

#include <algorithm>
#include <utility>

#include "harness/base/assert.hpp"

namespace sunder::checkers {
namespace {

constexpr std::uint32_t kUnseen = 0xffffffff;

// Tarjan's algorithm with an explicit stack.
class ComponentSearch {
 public:
  ComponentSearch(const Digraph& graph, ArcKinds kinds, const Components* within)
      : graph_(&graph), kinds_(kinds | kPass), within_(within) {
    index_.assign(graph.size(), kUnseen);
    low_.resize(graph.size());
    found_.of.assign(graph.size(), Components::kAlone);
  }

  [[nodiscard]] Components run() && {
    if (within_ != nullptr) {
      for (const std::uint32_t node : within_->cyclic) start(node);
    } else {
      for (std::uint32_t node = 0; node < graph_->size(); ++node) start(node);
    }
    std::ranges::sort(found_.cyclic);
    return std::move(found_);
  }

 private:
  struct Frame {
    std::uint32_t node;
    std::uint32_t next;  // the arc to look at
  };

  void start(std::uint32_t root) {
    if (index_[root] != kUnseen) return;
    enter(root);
    while (!frames_.empty()) {
      Frame& frame = frames_.back();
      const auto arcs = graph_->arcs(frame.node);
      if (frame.next == arcs.size()) {
        leave();
        continue;
      }
      const Digraph::Arc arc = arcs[frame.next++];
      if ((arc.kinds & kinds_) == 0) continue;
      if (within_ != nullptr && !within_->together(frame.node, arc.to)) continue;
      if (index_[arc.to] == kUnseen) {
        enter(arc.to);
      } else if (index_[arc.to] != kClosed) {
        low_[frame.node] = std::min(low_[frame.node], index_[arc.to]);
      }
    }
  }

  void enter(std::uint32_t node) {
    index_[node] = low_[node] = next_index_++;
    open_.push_back(node);
    frames_.push_back({node, 0});
  }

  void leave() {
    const std::uint32_t node = frames_.back().node;
    frames_.pop_back();
    if (!frames_.empty()) {
      const std::uint32_t parent = frames_.back().node;
      low_[parent] = std::min(low_[parent], low_[node]);
    }
    if (low_[node] != index_[node]) return;
    const bool cyclic = open_.back() != node;
    while (true) {
      const std::uint32_t member = open_.back();
      open_.pop_back();
      index_[member] = kClosed;
      if (cyclic) {
        found_.of[member] = next_component_;
        found_.cyclic.push_back(member);
      }
      if (member == node) break;
    }
    if (cyclic) ++next_component_;
  }

  static constexpr std::uint32_t kClosed = kUnseen - 1;

  const Digraph* graph_;
  ArcKinds kinds_;
  const Components* within_;
  std::vector<std::uint32_t> index_;
  std::vector<std::uint32_t> low_;
  std::vector<std::uint32_t> open_;
  std::vector<Frame> frames_;
  std::uint32_t next_index_ = 0;
  std::uint32_t next_component_ = 0;
  Components found_;
};

// Breadth-first searches from one node after the other, each for a shorter way back to it.
class CycleSearch {
 public:
  CycleSearch(const Digraph& graph, const Components& within, const CycleQuery& query)
      : graph_(&graph), within_(&within), query_(query) {
    seen_.assign(graph.size(), kUnseen);
    left_by_.assign(graph.size() - graph.real(), kUnseen);
    parent_.resize(graph.real());
    kinds_.resize(graph.real());
  }

  [[nodiscard]] std::optional<std::vector<Step>> run() && {
    for (const std::uint32_t node : within_->cyclic) {
      if (node >= graph_->real()) continue;
      if (found_ && (walked_ > query_.effort || length_ <= 2)) break;
      search(node);
    }
    return std::move(found_);
  }

 private:
  // Walks from `root` and keeps the cycle when it is shorter than the best. Entering a helper costs
  // nothing, any other node one.
  void search(std::uint32_t root) {
    level_.clear();
    next_.clear();
    expand(root, root, query_.first);
    for (std::uint32_t length = 1; seen_[root] != root; ++length) {
      // A cycle that closes from here has length + 1 arcs at least.
      if (next_.empty() || (found_ && length + 1 >= length_)) return;
      std::swap(level_, next_);
      next_.clear();
      for (std::size_t i = 0; i < level_.size() && seen_[root] != root; ++i) {
        expand(root, level_[i], query_.path);
      }
    }
    keep(root);
  }

  // Goes one step on from a node, through helpers. Those that the root itself goes through count
  // apart: another node's way through one of them may be the way back.
  void expand(std::uint32_t root, std::uint32_t node, ArcKinds kinds) {
    work_.assign(1, {node, 0});
    while (!work_.empty()) {
      const Way way = work_.back();
      work_.pop_back();
      for (const Digraph::Arc arc : graph_->arcs(way.at)) {
        ++walked_;
        // A cycle begins with one of the arcs asked for; helpers are passed.
        const bool leaves = way.at == node;
        const bool allowed = (arc.kinds & (way.at == root ? kinds : kinds | kPass)) != 0;
        if (!allowed || !within_->together(root, arc.to)) continue;
        const ArcKinds left = leaves ? arc.kinds : way.left;
        if (arc.to >= graph_->real()) {
          std::uint32_t& seen = node == root ? left_by_[arc.to - graph_->real()] : seen_[arc.to];
          if (std::exchange(seen, root) != root) work_.push_back({arc.to, left});
          continue;
        }
        if (seen_[arc.to] == root) continue;
        if (arc.to == root && node == root) continue;  // round through a helper: says nothing
        seen_[arc.to] = root;
        parent_[arc.to] = node;
        kinds_[arc.to] = left;
        next_.push_back(arc.to);
        if (arc.to == root) return;
      }
    }
  }

  void keep(std::uint32_t root) {
    std::vector<Step> steps;
    std::uint32_t to = root;
    do {
      steps.push_back({parent_[to], to, kinds_[to]});
      to = parent_[to];
    } while (to != root);
    std::ranges::reverse(steps);
    length_ = steps.size();
    found_ = std::move(steps);
  }

  // Where a walk is, and the kinds of the arc by which it left the node that it came from.
  struct Way {
    std::uint32_t at = 0;
    ArcKinds left = 0;
  };

  const Digraph* graph_;
  const Components* within_;
  CycleQuery query_;
  std::vector<std::uint32_t> seen_;     // the root whose search has been here
  std::vector<std::uint32_t> left_by_;  // of helpers: the root that itself goes through them
  std::vector<std::uint32_t> parent_;   // of nodes: which one that search came from
  std::vector<ArcKinds> kinds_;         // and by which arc it left that
  std::vector<std::uint32_t> level_;
  std::vector<std::uint32_t> next_;
  std::vector<Way> work_;
  std::uint64_t walked_ = 0;
  std::size_t length_ = 0;
  std::optional<std::vector<Step>> found_;
};

}  // namespace

void Digraph::finish() {
  begins_.assign(std::size_t{nodes_} + 1, 0);
  for (const Entry& entry : entries_) ++begins_[entry.from + 1];
  for (std::size_t i = 1; i < begins_.size(); ++i) begins_[i] += begins_[i - 1];
  arcs_.resize(entries_.size());
  std::vector<std::uint32_t> places(begins_.begin(), begins_.end() - 1);
  for (const Entry& entry : entries_) arcs_[places[entry.from]++] = entry.arc;
}

Components components(const Digraph& graph, ArcKinds kinds, const Components* within) {
  return ComponentSearch(graph, kinds, within).run();
}

std::optional<std::vector<Step>> shortest_cycle(const Digraph& graph,
                                                const Components& within,
                                                const CycleQuery& query) {
  return CycleSearch(graph, within, query).run();
}

}  // namespace sunder::checkers
