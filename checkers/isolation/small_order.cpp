#include "checkers/isolation/small_order.hpp"

#include <algorithm>

namespace sunder::checkers::isolation {

SmallOrder::SmallOrder(const Transactions& transactions,
                       const history::History& history,
                       const Rules& rules,
                       std::span<const std::uint32_t> core)
    : data_(&transactions),
      history_(&history),
      rules_(rules),
      core_(core.begin(), core.end()),
      split_(rules.axiom == Axiom::prefix || rules.axiom == Axiom::snapshot),
      events_(static_cast<std::uint32_t>((split_ ? 2 : 1) * core.size())),
      words_((events_ + 63) / 64),
      reach_(events_ * words_, 0) {}

std::uint32_t SmallOrder::start(std::uint32_t node) const noexcept {
  return split_ ? 2 * node : node;
}

std::uint32_t SmallOrder::commit(std::uint32_t node) const noexcept {
  return split_ ? 2 * node + 1 : node;
}

std::uint32_t SmallOrder::node_of(std::uint32_t event) const noexcept {
  return split_ ? event / 2 : event;
}

bool SmallOrder::reaches(std::uint32_t from, std::uint32_t to) const noexcept {
  return ((reach_[from * words_ + to / 64] >> (to % 64)) & 1U) != 0;
}

void SmallOrder::add_edge(std::uint32_t from, std::uint32_t to, Dependency dependency) {
  dependency.from = core_[node_of(from)];
  dependency.to = core_[node_of(to)];
  edges_.push_back({.from = from, .to = to, .dependency = std::move(dependency)});
  cyclic_ = cyclic_ || from == to || reaches(to, from);
  if (reaches(from, to)) return;
  const auto take_over = [&](std::uint32_t event) {
    for (std::size_t i = 0; i < words_; ++i) {
      reach_[event * words_ + i] |= reach_[to * words_ + i];
    }
    reach_[event * words_ + to / 64] |= std::uint64_t{1} << (to % 64);
  };
  for (std::uint32_t event = 0; event < events_; ++event) {
    if (event == from || reaches(event, from)) take_over(event);
  }
}

void SmallOrder::add_known() {
  const auto& operations = history_->operations();
  for (std::uint32_t i = 0; i < core_.size(); ++i) {
    if (split_) add_edge(start(i), commit(i), {.kind = EdgeKind::same});
    for (std::uint32_t j = 0; j < core_.size(); ++j) {
      if (i == j) continue;
      if (rules_.sessions && data_->session_precedes(core_[i], core_[j])) {
        add_edge(commit(i), start(j), {.kind = EdgeKind::session});
      } else if (rules_.real_time && operations[data_->operation[core_[i]]].precedes(
                                         operations[data_->operation[core_[j]]])) {
        add_edge(commit(i), start(j), {.kind = EdgeKind::real_time});
      }
    }
    for (std::uint32_t read = data_->read_begin[core_[i]]; read < data_->read_begin[core_[i] + 1];
         ++read) {
      const auto writer = std::ranges::lower_bound(core_, data_->writer_of(read));
      if (writer == core_.end() || *writer != data_->writer_of(read)) continue;
      add_edge(commit(static_cast<std::uint32_t>(writer - core_.begin())),
               start(i),
               {.kind = EdgeKind::wr, .key = data_->read_key[read]});
    }
  }
  known_ = reach_;
}

void SmallOrder::add_choices() {
  for (std::uint32_t i = 0; i < core_.size(); ++i) {
    for (std::uint32_t read = data_->read_begin[core_[i]]; read < data_->read_begin[core_[i] + 1];
         ++read) {
      add_choices_of_read(i, read);
    }
    const bool whole = rules_.axiom == Axiom::snapshot || rules_.axiom == Axiom::parallel_snapshot;
    for (std::uint32_t j = i + 1; whole && j < core_.size(); ++j) {
      for (const std::uint32_t key : data_->keys_written(core_[i])) {
        if (data_->find_write(core_[j], key) != kNone) add_overlap(i, j, key);
      }
    }
  }
}

void SmallOrder::add_choices_of_read(std::uint32_t reader, std::uint32_t read) {
  const std::uint32_t key = data_->read_key[read];
  const std::uint32_t from = data_->writer_of(read);
  const auto found = std::ranges::lower_bound(core_, from);
  const bool inside = from != kNone && found != core_.end() && *found == from;
  if (from != kNone && !inside) return;
  const auto source = static_cast<std::uint32_t>(found - core_.begin());
  for (std::uint32_t other = 0; other < core_.size(); ++other) {
    if (other == reader || core_[other] == from) continue;
    if (data_->find_write(core_[other], key) == kNone || !sees(reader, read, other)) continue;
    Choice choice;
    choice.other = other;
    choice.reader = reader;
    choice.needs_seen = rules_.axiom == Axiom::causal || rules_.axiom == Axiom::parallel_snapshot;
    Dependency dependency{.key = key, .reader = core_[reader], .read_from = from};
    if (inside) {
      dependency.kind = EdgeKind::ww;
      const std::uint32_t target = rules_.axiom == Axiom::snapshot ? start(source) : commit(source);
      choice.options.push_back({commit(other), target, dependency});
    }
    // Also where only "T2 before T1" is demanded: what the reader missed comes after it.
    const bool later = split_ || rules_.axiom == Axiom::serializable;
    if (later || !inside) {
      dependency.kind = EdgeKind::rw;
      choice.options.push_back({start(reader), commit(other), dependency});
    }
    choices_.push_back(std::move(choice));
  }
}

void SmallOrder::add_overlap(std::uint32_t first, std::uint32_t second, std::uint32_t key) {
  Choice choice;
  const Dependency dependency{.kind = EdgeKind::ww, .key = key};
  choice.options.push_back({commit(first), start(second), dependency});
  choice.options.push_back({commit(second), start(first), dependency});
  choices_.push_back(std::move(choice));
}

bool SmallOrder::sees(std::uint32_t reader, std::uint32_t read, std::uint32_t other) const {
  const auto reads_from = [&](std::uint32_t end) {
    for (std::uint32_t i = data_->read_begin[core_[reader]]; i < end; ++i) {
      if (data_->writer_of(i) == core_[other]) return true;
    }
    return false;
  };
  if (rules_.axiom == Axiom::read_committed) return reads_from(read);
  if (rules_.axiom == Axiom::read_atomic) {
    return (rules_.sessions && data_->session_precedes(core_[other], core_[reader])) ||
           reads_from(data_->read_begin[core_[reader] + 1]);
  }
  if (rules_.axiom == Axiom::causal) {
    const std::size_t bit = reader;
    return ((known_[other * words_ + bit / 64] >> (bit % 64)) & 1U) != 0;
  }
  return true;
}

bool SmallOrder::settle(Choice& choice) {
  if (choice.settled) return false;
  if (choice.needs_seen && rules_.axiom == Axiom::parallel_snapshot &&
      !reaches(choice.other, choice.reader)) {
    return false;
  }
  const auto force = [&](const Option& option, std::uint32_t from, std::uint32_t to) {
    Dependency dependency = option.dependency;
    if (from != to) dependency.because = transactions_of(path(from, to));
    choice.settled = true;
    add_edge(option.from, option.to, std::move(dependency));
  };
  if (choice.options.size() == 1) {
    const bool through_others = choice.needs_seen;
    force(choice.options[0], choice.other, through_others ? choice.reader : choice.other);
    return true;
  }
  // Where neither is possible, what the reader missed tells more than what it makes of versions.
  for (const std::size_t i : {1U, 0U}) {
    const Option& rejected = choice.options[1 - i];
    if (!reaches(rejected.to, rejected.from)) continue;
    force(choice.options[i], rejected.to, rejected.from);
    return true;
  }
  return false;
}

bool SmallOrder::saturate() {
  for (bool changed = true; changed && !cyclic_;) {
    changed = false;
    for (Choice& choice : choices_) {
      changed = settle(choice) || changed;
      if (cyclic_) return true;
    }
  }
  return cyclic_;
}

// A shortest way by edges, as events, both ends included.
std::vector<std::uint32_t> SmallOrder::path(std::uint32_t from, std::uint32_t to) const {
  std::vector<std::uint32_t> parent(events_, kNone);
  std::vector<std::uint32_t> queue{from};
  for (std::size_t next = 0; next < queue.size(); ++next) {
    for (const Edge& edge : edges_) {
      if (edge.from != queue[next] || edge.to == from || parent[edge.to] != kNone) continue;
      parent[edge.to] = edge.from;
      queue.push_back(edge.to);
    }
    if (parent[to] != kNone) break;
  }
  std::vector<std::uint32_t> way;
  if (parent[to] == kNone) return way;
  for (std::uint32_t at = to; at != from; at = parent[at]) way.push_back(at);
  way.push_back(from);
  std::ranges::reverse(way);
  return way;
}

std::vector<std::uint32_t> SmallOrder::transactions_of(
    std::span<const std::uint32_t> events) const {
  std::vector<std::uint32_t> made;
  for (const std::uint32_t event : events) {
    const std::uint32_t transaction = core_[node_of(event)];
    if (made.empty() || made.back() != transaction) made.push_back(transaction);
  }
  return made;
}

Cycle SmallOrder::cycle_of(std::span<const std::uint32_t> edges) const {
  Cycle cycle;
  for (const std::uint32_t edge : edges) {
    if (edges_[edge].dependency.kind != EdgeKind::same) cycle.push_back(edges_[edge].dependency);
  }
  return cycle;
}

// Breadth first from every event; a transaction's own start and commit cost nothing. Known edges
// come first in edges_, so that of equally short cycles the plainer one is told.
Cycle SmallOrder::shortest() const {
  std::vector<std::vector<std::uint32_t>> out(events_);
  for (std::uint32_t i = 0; i < edges_.size(); ++i) out[edges_[i].from].push_back(i);
  std::vector<std::uint32_t> best;
  std::size_t best_length = kNone;
  std::vector<std::uint32_t> reached_by(events_);
  std::vector<std::uint32_t> distance(events_);
  for (std::uint32_t root = 0; root < events_; ++root) {
    std::ranges::fill(reached_by, kNone);
    std::ranges::fill(distance, kNone);
    std::vector<std::uint32_t> layer{root};
    distance[root] = 0;
    for (std::uint32_t length = 0; !layer.empty() && length < best_length; ++length) {
      std::vector<std::uint32_t> following;
      for (std::size_t next = 0; next < layer.size(); ++next) {
        for (const std::uint32_t number : out[layer[next]]) {
          const Edge& edge = edges_[number];
          const bool free = edge.dependency.kind == EdgeKind::same;
          if (edge.to == root) {
            const std::size_t found = distance[edge.from] + (free ? 0U : 1U);
            if (found >= best_length) continue;
            best_length = found;
            best.assign(1, number);
            for (std::uint32_t at = edge.from; at != root; at = edges_[best.back()].from) {
              best.push_back(reached_by[at]);
            }
            std::ranges::reverse(best);
            continue;
          }
          if (distance[edge.to] != kNone) continue;
          distance[edge.to] = distance[edge.from] + (free ? 0U : 1U);
          reached_by[edge.to] = number;
          (free ? layer : following).push_back(edge.to);
        }
      }
      layer = std::move(following);
    }
  }
  return cycle_of(best);
}

Cycle SmallOrder::through_reader(const Cycle& cycle) const {
  const auto derived = [](const Dependency& edge) {
    return edge.kind == EdgeKind::ww && edge.reader != kNone;
  };
  const bool weak = rules_.axiom <= Axiom::causal || rules_.axiom == Axiom::parallel_snapshot;
  if (!weak || std::ranges::count_if(cycle, derived) != 1) return cycle;
  const Dependency& forced = *std::ranges::find_if(cycle, derived);
  const auto node = [&](std::uint32_t transaction) {
    return static_cast<std::uint32_t>(std::ranges::lower_bound(core_, transaction) - core_.begin());
  };
  Cycle made;
  Dependency missed = forced;
  missed.kind = EdgeKind::rw;
  missed.from = forced.reader;
  missed.to = forced.from;
  missed.because.clear();
  // The version read came before the one missed, by the rest of the cycle.
  const auto at = std::ranges::find_if(cycle, derived) - cycle.begin();
  for (std::size_t i = 1; i < cycle.size(); ++i) {
    const Dependency& edge = cycle[(static_cast<std::size_t>(at) + i) % cycle.size()];
    if (missed.because.empty()) missed.because.push_back(edge.from);
    missed.because.push_back(edge.to);
  }
  made.push_back(missed);
  const std::vector<std::uint32_t> way = path(node(forced.from), node(forced.reader));
  for (std::size_t i = 1; i < way.size(); ++i) {
    const auto edge = std::ranges::find_if(edges_, [&](const Edge& candidate) {
      return candidate.from == way[i - 1] && candidate.to == way[i];
    });
    made.push_back(edge->dependency);
  }
  return way.empty() ? cycle : made;
}

std::vector<Cycle> SmallOrder::contradictions() {
  add_known();
  if (!cyclic_) add_choices();
  if (saturate()) return {through_reader(shortest())};
  // A case distinction: a choice both of whose options end in a cycle.
  for (const Choice& choice : choices_) {
    if (choice.settled || choice.options.size() != 2) continue;
    std::vector<Cycle> cycles;
    for (const Option& option : choice.options) {
      SmallOrder assumed = *this;
      Dependency dependency = option.dependency;
      dependency.assumed = true;
      assumed.add_edge(option.from, option.to, std::move(dependency));
      if (assumed.saturate()) cycles.push_back(assumed.through_reader(assumed.shortest()));
    }
    if (cycles.size() == 2) return cycles;
  }
  return {};
}

}  // namespace sunder::checkers::isolation
