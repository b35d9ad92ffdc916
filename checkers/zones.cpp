#include "checkers/zones.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "checkers/models/model.hpp"
#include "checkers/phrase.hpp"
#include "checkers/value_index.hpp"
#include "harness/base/large_pages.hpp"

namespace sunder::checkers {
namespace {

using history::Function;
using history::kNever;
using history::Operation;
using history::Outcome;
using history::Value;

constexpr std::int64_t kAlways = std::numeric_limits<std::int64_t>::min();
constexpr std::uint32_t kNone = kNo_operation;

// A stamp and the operation that it is of.
struct Extreme {
  std::int64_t stamp = 0;
  std::uint32_t operation = kNone;
};

// Least end and greatest start of some operations.
struct Span {
  Extreme end{kNever, kNone};
  Extreme start{kAlways, kNone};

  void add(const Operation& operation, std::uint32_t index) noexcept {
    if (operation.complete < end.stamp || end.operation == kNone) end = {operation.complete, index};
    if (operation.invoke > start.stamp) start = {operation.invoke, index};
  }

  void add(const Span& other) noexcept {
    if (other.end.stamp < end.stamp) end = other.end;
    if (other.start.stamp > start.stamp) start = other.start;
  }
};

struct Cluster {
  Span reads;
  std::uint32_t producer =
      kNone;  // a write, or the cas that wrote the value; kNone: initial or unknown to us
  std::uint32_t consumer = kNone;  // the cas that read the value
  std::uint32_t next = kNone;      // the cluster that the consumer produced
  std::uint32_t reader = kNone;    // some read, for messages
  bool made = false;               // initial, or has a producer
  bool joined = false;             // its producer is a cas: not the root of a chain
  bool observed = false;
};

struct Zone {
  std::int64_t left = 0;
  std::int64_t right = 0;
  std::uint32_t chain = 0;
  bool forward = false;
};

class ZoneCheck {
 public:
  ZoneCheck(const history::History& history, std::span<const std::uint32_t> operations)
      // An operation names at most two values, and there is the initial one.
      : history_(&history), operations_(operations), values_(2 * operations.size() + 1) {
    constexpr std::size_t kShareOfWrites = 2;
    reserve(clusters_, operations.size() / kShareOfWrites + 2);
  }

  [[nodiscard]] std::optional<ClosedForm> run() {
    Cluster& initial = clusters_[cluster_of(Value::nil())];
    initial.made = true;
    if (!collect_producers()) return std::nullopt;
    collect_reads();
    observe_unknown();
    if (const auto problem = link()) return violation(*problem);
    if (const auto problem = find_unmade()) return violation(*problem);
    if (const auto problem = walk_chains()) return violation(*problem);
    if (const auto problem = find_conflict()) return violation(*problem);
    ClosedForm answer;
    answer.exact = !compares_;
    return answer;
  }

 private:
  template <typename Element>
  static void reserve(std::vector<Element>& elements, std::size_t count) {
    elements.reserve(count);
    base::use_large_pages(elements);
  }

  [[nodiscard]] const Operation& at(std::uint32_t index) const {
    return history_->operations()[index];
  }

  std::uint32_t cluster_of(Value value) {
    const std::uint32_t id = values_.number(value);
    if (id == clusters_.size()) clusters_.emplace_back();
    return id;
  }

  [[nodiscard]] std::span<const Value> pair_of(const Operation& operation) const {
    if (!operation.input.is_list()) return {};
    const std::span<const Value> pair = history_->pool().items_of(operation.input);
    return pair.size() == 2 ? pair : std::span<const Value>();
  }

  // False: a value is produced twice.
  bool collect_producers() {
    for (const std::uint32_t index : operations_) {
      const Operation& operation = at(index);
      if (operation.outcome == Outcome::fail) continue;
      Value value = operation.input;
      if (operation.function == Function::cas) {
        if (pair_of(operation).empty()) continue;
        value = pair_of(operation)[1];
        cas_.push_back(index);
      } else if (operation.function != Function::write) {
        continue;
      }
      Cluster& cluster = clusters_[cluster_of(value)];
      if (cluster.made) return false;
      cluster.made = true;
      cluster.producer = index;
    }
    return true;
  }

  // What an operation read: an ok read, or a failed cas that told what it found.
  [[nodiscard]] Value read_value(const Operation& operation) const {
    const bool is_read = operation.function == Function::read && operation.outcome == Outcome::ok;
    const bool failed = operation.function == Function::cas && operation.outcome == Outcome::fail;
    return is_read || failed ? operation.output : Value();
  }

  void collect_reads() {
    for (const std::uint32_t index : operations_) {
      const Operation& operation = at(index);
      const Value value = read_value(operation);
      if (value.is_none()) {
        compares_ = compares_ || has_compared(history_->pool(), operation);
        continue;
      }
      Cluster& cluster = clusters_[cluster_of(value)];
      cluster.reads.add(operation, index);
      cluster.reader = index;
      cluster.observed = true;
    }
  }

  // An unknown cas has happened when its value was observed, and then has itself observed what it
  // replaced.
  void observe_unknown() {
    std::vector<std::uint32_t> work;
    for (const std::uint32_t index : cas_) {
      if (at(index).outcome == Outcome::ok) mark(pair_of(at(index))[0], work);
    }
    for (std::uint32_t id = 0; id < clusters_.size(); ++id) {
      if (clusters_[id].observed) work.push_back(id);
    }
    while (!work.empty()) {
      const std::uint32_t id = work.back();
      work.pop_back();
      const std::uint32_t producer = clusters_[id].producer;
      if (producer == kNone || at(producer).function != Function::cas) continue;
      if (at(producer).outcome == Outcome::info) mark(pair_of(at(producer))[0], work);
    }
  }

  void mark(Value value, std::vector<std::uint32_t>& work) {
    const std::uint32_t id = cluster_of(value);
    if (clusters_[id].observed) return;
    clusters_[id].observed = true;
    work.push_back(id);
  }

  [[nodiscard]] bool happened(std::uint32_t index, const Cluster& made) const {
    return at(index).outcome == Outcome::ok || made.observed;
  }

  // Joins clusters by the cas that certainly happened. Returns two that read the same value.
  std::optional<Counterexample> link() {
    for (const std::uint32_t index : cas_) {
      const std::span<const Value> pair = pair_of(at(index));
      const std::uint32_t to = cluster_of(pair[1]);
      if (!happened(index, clusters_[to])) continue;
      Cluster& from = clusters_[cluster_of(pair[0])];
      if (from.consumer != kNone) {
        Counterexample example =
            story("value replaced twice", {from.producer, from.consumer, index});
        example.why = fmt::format("{} and {} both replaced {}, which was written once",
                                  phrase(*history_, at(from.consumer)),
                                  phrase(*history_, at(index)),
                                  history_->pool().describe(pair[0]));
        example.first_error = std::max(from.consumer, index);
        return example;
      }
      from.consumer = index;
      from.next = to;
      clusters_[to].joined = true;
    }
    return std::nullopt;
  }

  std::optional<Counterexample> find_unmade() const {
    for (const Cluster& cluster : clusters_) {
      if (cluster.made) continue;
      const std::uint32_t witness = cluster.reader != kNone ? cluster.reader : cluster.consumer;
      if (witness == kNone) continue;
      Counterexample example = story("value never written", {witness});
      example.why = fmt::format("{}, a value that nobody wrote", statement(*history_, at(witness)));
      example.first_error = witness;
      return example;
    }
    return std::nullopt;
  }

  // Sums every chain up into its zone and checks the order inside. Chains that are rings have no
  // root.
  std::optional<Counterexample> walk_chains() {
    std::size_t walked = 0;
    reserve(chains_, clusters_.size());
    reserve(zones_, clusters_.size());
    for (std::uint32_t root = 0; root < clusters_.size(); ++root) {
      const Cluster& cluster = clusters_[root];
      if (cluster.joined || !cluster.made) {
        walked += cluster.made ? 0U : 1U;
        continue;
      }
      Span chain;
      if (cluster.producer == kNone)
        chain.end = {kAlways, kNone};  // the initial value was always there
      Extreme latest{kAlways, kNone};
      const auto enter = [&](const Span& slot) -> std::optional<Counterexample> {
        if (slot.end.stamp < latest.stamp)
          return out_of_order(slot.end.operation, latest.operation);
        chain.add(slot);
        if (slot.start.stamp > latest.stamp) latest = slot.start;
        return std::nullopt;
      };
      for (std::uint32_t id = root; id != kNone; id = clusters_[id].next) {
        ++walked;
        if (clusters_[id].producer != kNone) {
          const bool idle = !happened_at_all(clusters_[id]);
          if (idle) break;
          Span write;
          write.add(at(clusters_[id].producer), clusters_[id].producer);
          if (auto problem = enter(write)) return problem;
        }
        if (auto problem = enter(clusters_[id].reads)) return problem;
      }
      add_zone(chain);
    }
    if (walked == clusters_.size()) return std::nullopt;
    return ring();
  }

  [[nodiscard]] bool happened_at_all(const Cluster& cluster) const {
    return at(cluster.producer).outcome == Outcome::ok || cluster.observed;
  }

  void add_zone(const Span& chain) {
    const bool empty = chain.start.operation == kNone;
    if (empty) return;
    const bool forward = chain.end.stamp < chain.start.stamp;
    const auto id = static_cast<std::uint32_t>(chains_.size());
    chains_.push_back(chain);
    zones_.push_back({std::min(chain.end.stamp, chain.start.stamp),
                      std::max(chain.end.stamp, chain.start.stamp),
                      id,
                      forward});
  }

  std::optional<Counterexample> ring() const {
    std::set<std::uint32_t> from_roots;
    for (std::uint32_t root = 0; root < clusters_.size(); ++root) {
      if (clusters_[root].joined) continue;
      for (std::uint32_t id = root; id != kNone; id = clusters_[id].next) from_roots.insert(id);
    }
    for (std::uint32_t start = 0; start < clusters_.size(); ++start) {
      if (from_roots.contains(start)) continue;
      std::vector<std::uint32_t> members;
      std::uint32_t id = start;
      do {
        members.push_back(clusters_[id].consumer);
        id = clusters_[id].next;
      } while (id != start);
      Counterexample example = story("circle of cas", members);
      example.why =
          "Each of these cas read what another of them wrote, so none can have been the first";
      example.first_error = *std::ranges::max_element(members);
      return example;
    }
    return std::nullopt;
  }

  // `late` belongs before `early` in the chain, but began after it had ended.
  Counterexample out_of_order(std::uint32_t early, std::uint32_t late) const {
    if (at(late).function == Function::read) return stale_in_chain(early, late);
    Counterexample example = story("value read before it was written", {early, late});
    example.why = fmt::format("{}, but that ended {} {} began, on which it depends",
                              statement(*history_, at(early)),
                              lead(at(early), at(late)),
                              phrase(*history_, at(late)));
    example.first_error = early;
    return example;
  }

  Counterexample stale_in_chain(std::uint32_t early, std::uint32_t late) const {
    Counterexample example = story("stale read", {early, late});
    example.why = fmt::format("{} although {}, which came after that value, had ended {}",
                              statement(*history_, at(late)),
                              phrase(*history_, at(early)),
                              lead(at(early), at(late)));
    for (Counterexample::Item& item : example.items) {
      if (item.operation == late) item.note = "comes too late for its value";
      if (item.operation == early) item.note = "its value had replaced the other";
    }
    example.first_error = late;
    return example;
  }

  std::optional<Counterexample> find_conflict() {
    std::ranges::sort(zones_, [](const Zone& a, const Zone& b) {
      // At the same left end a backward zone goes first: ties are concurrent.
      if (a.left != b.left) return a.left < b.left;
      return static_cast<int>(a.forward) < static_cast<int>(b.forward);
    });
    const Zone* longest = nullptr;  // the forward zone that reaches farthest right
    for (const Zone& zone : zones_) {
      // A conflict: this zone's least end lies before the other's greatest start.
      if (longest != nullptr && chains_[zone.chain].end.stamp < longest->right) {
        return conflict(chains_[longest->chain], chains_[zone.chain]);
      }
      if (zone.forward && (longest == nullptr || zone.right > longest->right)) longest = &zone;
    }
    return std::nullopt;
  }

  // a must be before b (a.end < b.start) and b before a.
  Counterexample conflict(const Span& a, const Span& b) const {
    // The later of the two starts came too late for its value; the initial value is never the newer
    // one.
    const bool a_is_initial = a.end.operation == kNone;
    const bool b_is_initial = b.end.operation == kNone;
    const bool culprit_is_a = a_is_initial || (!b_is_initial && a.start.stamp > b.start.stamp);
    const Span& older = culprit_is_a ? a : b;
    const Span& newer = culprit_is_a ? b : a;
    const std::uint32_t culprit = older.start.operation;
    const std::uint32_t ended = newer.end.operation;
    Counterexample example =
        story("", {older.end.operation, newer.start.operation, ended, culprit});
    const bool acknowledged = at(ended).function != Function::read;
    example.title = at(culprit).function == Function::read ? "stale read" : "not linearizable";
    if (acknowledged && at(culprit).function == Function::read && never_read(at(ended))) {
      example.title = "lost write";
    }
    example.why = fmt::format("{} although {} had {} {}",
                              statement(*history_, at(culprit)),
                              phrase(*history_, at(ended)),
                              acknowledged ? "been acknowledged" : "ended",
                              lead(at(ended), at(culprit)));
    if (older.end.operation != kNone) {
      example.why += fmt::format(", and {} had ended {} {} began",
                                 phrase(*history_, at(older.end.operation)),
                                 lead(at(older.end.operation), at(newer.start.operation)),
                                 phrase(*history_, at(newer.start.operation)));
    }
    for (Counterexample::Item& item : example.items) {
      if (item.operation == culprit) item.note = "comes too late for its value";
      if (item.operation == ended) item.note = "its value had replaced the other";
    }
    example.first_error = culprit;
    return example;
  }

  [[nodiscard]] bool never_read(const Operation& write) const {
    const Value value = write.function == Function::write ? write.input : pair_of(write)[1];
    const std::uint32_t id = values_.find(value);
    return id != ValueIndex::kMissing && clusters_[id].reader == kNone &&
           clusters_[id].consumer == kNone;
  }

  const history::History* history_;
  std::span<const std::uint32_t> operations_;
  std::vector<Cluster> clusters_;
  ValueIndex values_;  // the clusters' numbers
  std::vector<std::uint32_t> cas_;
  std::vector<Span> chains_;
  std::vector<Zone> zones_;
  bool compares_ = false;  // a failed cas said only "not this value"
};

}  // namespace

std::optional<ClosedForm> check_zones(const history::History& history,
                                      std::span<const std::uint32_t> operations,
                                      const Parameters& /*none*/) {
  return ZoneCheck(history, operations).run();
}

}  // namespace sunder::checkers
