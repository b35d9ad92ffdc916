#include "checkers/isolation/contradiction.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "checkers/graph.hpp"
#include "checkers/isolation/small_order.hpp"
#include "harness/base/assert.hpp"

namespace sunder::checkers::isolation {
namespace {

using history::History;
using history::Operation;
using history::Value;

std::string name_of(const Transactions& data, std::uint32_t transaction) {
  return fmt::format("T{}", data.operation[transaction]);
}

// "T3 → T5 → T9".
std::string way_of(const Transactions& data, std::span<const std::uint32_t> transactions) {
  std::string text;
  for (const std::uint32_t transaction : transactions) {
    text += (text.empty() ? "" : " → ") + name_of(data, transaction);
  }
  return text;
}

// Puts edges between transactions into words.
class Words {
 public:
  Words(const Transactions& data, const History& history)
      : data_(&data), history_(&history), reader_(history.pool()) {}

  [[nodiscard]] std::string key(std::uint32_t number) const {
    const Value value = data_->keys[number];
    if (value.is_text()) return std::string(history_->pool().text_of(value));
    return history_->pool().describe(value);
  }

  // "x = 3", as a transaction left it behind.
  [[nodiscard]] std::string written(std::uint32_t transaction, std::uint32_t key_number) const {
    const Operation& operation = history_->operations()[data_->operation[transaction]];
    Value value;
    for (const Value item : reader_.items(operation)) {
      const std::optional<Access> access = reader_.access(item);
      if (access && access->write && access->key == data_->keys[key_number]) value = access->value;
    }
    return fmt::format("{} = {}", key(key_number), history_->pool().describe(value));
  }

  // "x = 3", or "x as it was at first".
  [[nodiscard]] std::string version(std::uint32_t writer, std::uint32_t key_number) const {
    if (writer == kNone) return key(key_number) + " as it was at first";
    return written(writer, key_number);
  }

  [[nodiscard]] std::string label(const Dependency& edge) const {
    switch (edge.kind) {
      case EdgeKind::same:
        return {};
      case EdgeKind::session:
        return "process";
      case EdgeKind::real_time:
        return "real time";
      case EdgeKind::wr:
        return "wr " + key(edge.key);
      case EdgeKind::ww:
        return "ww " + key(edge.key);
      case EdgeKind::rw:
        return "rw " + key(edge.key);
    }
    return {};
  }

  [[nodiscard]] std::string why(const Dependency& edge) const {
    const std::string from = name_of(*data_, edge.from);
    const std::string to = name_of(*data_, edge.to);
    switch (edge.kind) {
      case EdgeKind::same:
        return {};
      case EdgeKind::session: {
        const Operation& operation = history_->operations()[data_->operation[edge.to]];
        return fmt::format("p{} ran {} before {}", operation.process, from, to);
      }
      case EdgeKind::real_time:
        return fmt::format("{} was over when {} began", from, to);
      case EdgeKind::wr:
        return fmt::format("{} read {}, which {} wrote", to, written(edge.from, edge.key), from);
      case EdgeKind::ww:
        return why_written_before(edge);
      case EdgeKind::rw:
        return fmt::format("{} read {}, which {} replaced by {}{}",
                           from,
                           version(edge.read_from, edge.key),
                           to,
                           written(edge.to, edge.key),
                           because(edge));
    }
    return {};
  }

 private:
  [[nodiscard]] std::string because(const Dependency& edge) const {
    if (edge.assumed) return " (suppose so)";
    if (edge.because.size() < 2) return {};
    return fmt::format(" ({})", way_of(*data_, edge.because));
  }

  [[nodiscard]] std::string why_written_before(const Dependency& edge) const {
    const std::string from = name_of(*data_, edge.from);
    const std::string to = name_of(*data_, edge.to);
    if (edge.reader == kNone || edge.assumed) {
      return fmt::format("{} wrote {} before {} wrote {}{}",
                         from,
                         written(edge.from, edge.key),
                         to,
                         written(edge.to, edge.key),
                         because(edge));
    }
    return fmt::format("{} came after {}{} and read {}, so {} replaced {}",
                       name_of(*data_, edge.reader),
                       from,
                       because(edge),
                       written(edge.to, edge.key),
                       to,
                       written(edge.from, edge.key));
  }

  const Transactions* data_;
  const History* history_;
  AccessReader reader_;
};

bool is_kind(const Dependency& edge, EdgeKind kind) noexcept {
  return edge.kind == kind;
}

// Adya's and Elle's name of a cycle by its edges.
std::string class_of(const Cycle& cycle) {
  const auto count = [&](EdgeKind kind) {
    return std::ranges::count_if(cycle, [&](const Dependency& edge) { return edge.kind == kind; });
  };
  const auto anti = count(EdgeKind::rw);
  bool adjacent = false;
  for (std::size_t i = 0; i < cycle.size(); ++i) {
    adjacent = adjacent || (is_kind(cycle[i], EdgeKind::rw) &&
                            is_kind(cycle[(i + 1) % cycle.size()], EdgeKind::rw));
  }
  std::string name = anti > 1                  ? (adjacent ? "G2-item" : "G-nonadjacent")
                     : anti == 1               ? "G-single"
                     : count(EdgeKind::wr) > 0 ? "G1c"
                                               : "G0";
  if (count(EdgeKind::real_time) > 0) return name + "-realtime";
  if (count(EdgeKind::session) > 0) return name + "-process";
  return name;
}

// What people call it; empty when it has no better name.
std::string_view pattern_of(const Cycle& cycle, Axiom axiom) {
  using enum EdgeKind;
  const auto count = [&](EdgeKind kind) {
    return static_cast<std::size_t>(std::ranges::count(cycle, kind, &Dependency::kind));
  };
  const bool pair = cycle.size() == 2;
  if (count(ww) == cycle.size()) return "cyclic versions";
  if (count(wr) + count(session) == cycle.size()) return "circular information flow";
  if (pair && count(rw) == 2) return "write skew";
  if (count(ww) > 0) return {};
  if (count(rw) == 1 && count(real_time) > 0) return "stale read";
  if (count(rw) == 1 && pair) {
    if (count(session) == 1) return "own past missed";
    return axiom == Axiom::read_committed ? "non-monotonic read" : "fractured read";
  }
  if (count(rw) == 1) return "causality violation";
  const auto both_miss = [&](std::size_t i) {
    return cycle[i].kind == rw && cycle[i + 2].kind == rw;
  };
  const bool fork = cycle.size() == 4 && count(wr) + count(session) == 2;
  return fork && (both_miss(0) || both_miss(1)) ? "long fork" : "";
}

struct FaultWords {
  ReadFault fault;
  std::string_view title;
  std::string_view text;  // of reader, value, writer
};

constexpr std::array kFaultWords{
    FaultWords{ReadFault::thin_air, "garbage read", "{0} read {1}, which nobody wrote"},
    FaultWords{ReadFault::not_own_write,
               "internal inconsistency",
               "{0} read {1} after it had itself written another value"},
    FaultWords{ReadFault::future, "future read", "{0} read {1} before it wrote that itself"},
    FaultWords{ReadFault::aborted,
               "aborted read (G1a)",
               "{0} read {1}, which {2} wrote, a transaction that failed"},
    FaultWords{ReadFault::intermediate,
               "intermediate read (G1b)",
               "{0} read {1}, which {2} itself replaced before it committed"},
    FaultWords{ReadFault::non_repeatable,
               "non-repeatable read",
               "{0} read {1} after it had read another value of the same key"},
};

}  // namespace

Counterexample Contradiction::of_read(const BadRead& bad) const {
  const AccessReader reader(history_->pool());
  const Operation& operation = history_->operations()[bad.operation];
  const Access access = *reader.access(reader.items(operation)[bad.position]);
  const history::ValuePool& pool = history_->pool();
  const std::string key =
      access.key.is_text() ? std::string(pool.text_of(access.key)) : pool.describe(access.key);
  const auto words = std::ranges::find(kFaultWords, bad.fault, &FaultWords::fault);
  Counterexample made;
  made.title = words->title;
  made.key = key;
  made.why = fmt::format(fmt::runtime(words->text),
                         fmt::format("T{}", bad.operation),
                         fmt::format("{} = {}", key, pool.describe(access.value)),
                         fmt::format("T{}", bad.writer));
  made.items.push_back({bad.operation, true, "the read"});
  if (bad.writer != kNone && bad.writer != bad.operation) {
    made.items.push_back({bad.writer, true, "wrote what was read"});
  }
  std::ranges::sort(made.items, {}, &Counterexample::Item::operation);
  made.first_error = bad.operation;
  return made;
}

// Two transactions that read the same version of a key and both replaced it.
std::optional<Counterexample> Contradiction::lost_update(
    std::span<const std::uint32_t> core) const {
  if (rules_.axiom < Axiom::parallel_snapshot) return std::nullopt;

  struct Update {
    std::uint32_t key;
    std::uint32_t version;
    std::uint32_t transaction;
  };

  std::vector<Update> updates;
  for (const std::uint32_t transaction : core) {
    for (std::uint32_t read = data_->read_begin[transaction];
         read < data_->read_begin[transaction + 1];
         ++read) {
      const std::uint32_t key = data_->read_key[read];
      if (data_->find_write(transaction, key) == kNone) continue;
      updates.push_back({key, data_->read_write[read], transaction});
    }
  }
  for (std::size_t i = 0; i < updates.size(); ++i) {
    for (std::size_t j = i + 1; j < updates.size(); ++j) {
      const Update& one = updates[i];
      const Update& two = updates[j];
      if (one.key != two.key || one.version != two.version) continue;
      if (one.transaction == two.transaction) continue;
      return lost_update(one.key, one.version, one.transaction, two.transaction);
    }
  }
  return std::nullopt;
}

Counterexample Contradiction::lost_update(std::uint32_t key,
                                          std::uint32_t version,
                                          std::uint32_t one,
                                          std::uint32_t two) const {
  const Words words(*data_, *history_);
  const std::uint32_t writer = version == kNone ? kNone : data_->write_transaction[version];
  Counterexample made;
  made.title =
      rules_.axiom == Axiom::serializable ? "lost update (G2-item)" : "lost update (G-single)";
  made.key = words.key(key);
  made.why = fmt::format("{} and {} both read {} and replaced it, by {} and by {}",
                         name_of(*data_, one),
                         name_of(*data_, two),
                         words.version(writer, key),
                         words.written(one, key),
                         words.written(two, key));
  const auto add_edge = [&](std::uint32_t from, std::uint32_t to) {
    const Dependency edge{
        .kind = EdgeKind::rw, .from = from, .to = to, .key = key, .read_from = writer};
    const std::size_t node = made.graph.nodes.size();
    made.graph.nodes.push_back({data_->operation[from], name_of(*data_, from)});
    made.graph.edges.push_back({node, 1 - node, words.label(edge), words.why(edge)});
  };
  add_edge(one, two);
  add_edge(two, one);
  made.items.push_back({data_->operation[one], true, name_of(*data_, one)});
  made.items.push_back({data_->operation[two], true, name_of(*data_, two)});
  if (writer != kNone) {
    made.items.push_back({data_->operation[writer], false, "wrote what both replaced"});
  }
  std::ranges::sort(made.items, {}, &Counterexample::Item::operation);
  made.first_error = std::max(data_->operation[one], data_->operation[two]);
  return made;
}

Counterexample Contradiction::of_transactions(std::span<const std::uint32_t> core) const {
  if (std::optional<Counterexample> lost = lost_update(core)) return *std::move(lost);
  constexpr std::size_t kCoreMax = 200;  // beyond it no reader would follow
  std::vector<Cycle> cycles;
  if (core.size() <= kCoreMax)
    cycles = SmallOrder(*data_, *history_, rules_, core).contradictions();
  const Words words(*data_, *history_);
  Counterexample made;
  std::set<std::uint32_t> shown;
  std::set<std::uint32_t> context;
  if (cycles.empty()) {
    made.title = fmt::format("no order that is {}", level_);
    made.why =
        fmt::format("no order of these {} transactions explains what they read", core.size());
    shown.insert(core.begin(),
                 core.begin() + static_cast<std::ptrdiff_t>(std::min(core.size(), kCoreMax)));
  } else {
    const std::string_view pattern = pattern_of(cycles.front(), rules_.axiom);
    const std::string name = class_of(cycles.front());
    made.title = pattern.empty() ? name : fmt::format("{} ({})", pattern, name);
  }
  for (const Cycle& cycle : cycles) {
    made.why += made.why.empty() ? "" : "; otherwise ";
    std::string sentence;
    for (const Dependency& edge : cycle) {
      sentence += (sentence.empty() ? "" : ", and ") + words.why(edge);
      shown.insert({edge.from, edge.to});
      if (edge.reader != kNone) context.insert(edge.reader);
      if (edge.read_from != kNone) context.insert(edge.read_from);
      context.insert(edge.because.begin(), edge.because.end());
    }
    made.why += sentence;
  }
  const auto add_items = [&](const std::set<std::uint32_t>& transactions, bool is_core) {
    for (const std::uint32_t transaction : transactions) {
      if (!is_core && shown.contains(transaction)) continue;
      made.items.push_back({data_->operation[transaction], is_core, name_of(*data_, transaction)});
    }
  };
  add_items(shown, true);
  add_items(context, false);
  std::ranges::sort(made.items, {}, &Counterexample::Item::operation);
  if (!cycles.empty()) {
    const Cycle& cycle = cycles.front();
    for (std::size_t i = 0; i < cycle.size(); ++i) {
      made.graph.nodes.push_back({data_->operation[cycle[i].from], name_of(*data_, cycle[i].from)});
      made.graph.edges.push_back(
          {i, (i + 1) % cycle.size(), words.label(cycle[i]), words.why(cycle[i])});
    }
  }
  for (const Counterexample::Item& item : made.items) {
    if (item.core) made.first_error = std::max(made.first_error, item.operation);
  }
  return made;
}

// A session's earlier transactions are one step away: each is looked at once.
std::vector<std::uint32_t> shortest_path(const Transactions& data,
                                         std::uint32_t from,
                                         std::uint32_t to) {
  std::vector<std::uint32_t> towards(data.size(), kNone);
  std::vector<std::uint32_t> queue{to};
  towards[to] = to;
  for (std::size_t next = 0; next < queue.size() && towards[from] == kNone; ++next) {
    const std::uint32_t at = queue[next];
    const auto visit = [&](std::uint32_t before) {
      if (before == kNone || towards[before] != kNone) return;
      towards[before] = at;
      queue.push_back(before);
    };
    for (std::uint32_t read = data.read_begin[at]; read < data.read_begin[at + 1]; ++read) {
      visit(data.writer_of(read));
    }
    for (std::uint32_t i = data.previous[at]; i != kNone && towards[i] == kNone;
         i = data.previous[i]) {
      visit(i);
    }
  }
  if (towards[from] == kNone) return {};
  std::vector<std::uint32_t> path{from};
  while (path.back() != to) path.push_back(towards[path.back()]);
  return path;
}

std::vector<std::uint32_t> shortest_cycle(std::uint32_t events, std::span<const Before> edges) {
  constexpr ArcKinds kBefore = 1;
  Digraph graph(events);
  graph.reserve(edges.size());
  for (const Before& edge : edges) graph.add(edge.first, edge.second, kBefore);
  graph.finish();
  const auto steps = checkers::shortest_cycle(
      graph, components(graph, kBefore), {.first = kBefore, .path = kBefore});
  SUNDER_ASSERT(steps.has_value());
  std::vector<std::uint32_t> cycle;
  for (const checkers::Step& step : *steps) cycle.push_back(step.from);
  return cycle;
}

}  // namespace sunder::checkers::isolation
