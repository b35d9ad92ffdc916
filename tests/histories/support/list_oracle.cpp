#include "tests/histories/support/list_oracle.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <vector>

#include "harness/base/assert.hpp"

namespace sunder::test {
namespace {

using history::History;
using history::Operation;
using history::Outcome;
using history::Value;

constexpr std::size_t kMost = 7;

struct Relation {
  std::array<std::array<bool, kMost>, kMost> holds{};

  [[nodiscard]] Relation operator|(const Relation& other) const {
    Relation result = *this;
    for (std::size_t a = 0; a < kMost; ++a) {
      for (std::size_t b = 0; b < kMost; ++b) {
        result.holds[a][b] = result.holds[a][b] || other.holds[a][b];
      }
    }
    return result;
  }

  // First this, then the other.
  [[nodiscard]] Relation then(const Relation& other) const {
    Relation result;
    for (std::size_t a = 0; a < kMost; ++a) {
      for (std::size_t b = 0; b < kMost; ++b) {
        for (std::size_t c = 0; c < kMost; ++c) {
          if (holds[a][b] && other.holds[b][c]) result.holds[a][c] = true;
        }
      }
    }
    return result;
  }

  [[nodiscard]] Relation closed() const {
    Relation result = *this;
    for (std::size_t b = 0; b < kMost; ++b) {
      for (std::size_t a = 0; a < kMost; ++a) {
        for (std::size_t c = 0; c < kMost; ++c) {
          if (result.holds[a][b] && result.holds[b][c]) result.holds[a][c] = true;
        }
      }
    }
    return result;
  }

  [[nodiscard]] bool irreflexive() const {
    for (std::size_t a = 0; a < kMost; ++a) {
      if (holds[a][a]) return false;
    }
    return true;
  }

  [[nodiscard]] bool acyclic() const { return closed().irreflexive(); }
};

using Element = Value;
using List = std::vector<Element>;

struct Step {
  bool append = false;
  std::string key;
  List list;  // what was read, or the one element appended
};

struct Node {
  const Operation* operation = nullptr;
  std::vector<Step> steps;
};

class Oracle {
 public:
  explicit Oracle(const History& history) : history_(&history) {
    SUNDER_ASSERT(history.operations().size() <= kMost);
    for (const Operation& operation : history.operations()) nodes_.push_back(read(operation));
  }

  std::set<std::string> run() {
    rename_equal_appends();
    choose_read(0, 0, 0);
    return found_;
  }

 private:
  Node read(const Operation& operation) const {
    Node node;
    node.operation = &operation;
    const bool told = operation.outcome == Outcome::ok && operation.output.is_list();
    for (const Value item : history_->pool().items_of(told ? operation.output : operation.input)) {
      const auto parts = history_->pool().items_of(item);
      Step step;
      step.append = history_->pool().text_of(parts[0]) == "append";
      step.key = history_->pool().describe(parts[1]);
      if (step.append) {
        step.list = {parts[2]};
      } else {
        if (!told) continue;
        if (parts.size() > 2 && parts[2].is_list()) {
          const auto items = history_->pool().items_of(parts[2]);
          step.list.assign(items.begin(), items.end());
        }
      }
      node.steps.push_back(step);
    }
    return node;
  }

  // Elements that several appends which did not fail have given to a key get a name for each.
  void rename_equal_appends() {
    std::map<std::pair<std::string, Element>, std::vector<Element*>> appends;
    for (Node& node : nodes_) {
      if (node.operation->outcome == Outcome::fail) continue;
      for (Step& step : node.steps) {
        if (step.append) appends[{step.key, step.list[0]}].push_back(&step.list[0]);
      }
    }
    std::int64_t fresh = 1'000'000;
    for (const auto& [what, places] : appends) {
      if (places.size() == 1) continue;
      for (Element* place : places) {
        *place = Value::integer(++fresh);
        names_[what].push_back(*place);
      }
    }
  }

  // What each read shows of them may be any.
  void choose_read(std::size_t node, std::size_t step, std::size_t place) {
    if (node == nodes_.size()) return choose_outcomes(0);
    if (step == nodes_[node].steps.size()) return choose_read(node + 1, 0, 0);
    Step& at = nodes_[node].steps[step];
    if (at.append || place == at.list.size()) return choose_read(node, step + 1, 0);
    const Element shown = at.list[place];
    const auto names = names_.find({at.key, shown});
    if (names == names_.end()) return choose_read(node, step, place + 1);
    for (const Element name : names->second) {
      // What a read shows twice explains nothing.
      const auto before = at.list.begin() + static_cast<std::ptrdiff_t>(place);
      if (std::find(at.list.begin(), before, name) != before) continue;
      at.list[place] = name;
      choose_read(node, step, place + 1);
    }
    at.list[place] = shown;
  }

  void choose_outcomes(std::size_t next) {
    if (next == nodes_.size()) {
      choose_orders();
      return;
    }
    const Outcome outcome = nodes_[next].operation->outcome;
    if (outcome != Outcome::fail) {
      committed_[next] = true;
      choose_outcomes(next + 1);
    }
    if (outcome != Outcome::ok) {
      committed_[next] = false;
      choose_outcomes(next + 1);
    }
  }

  void choose_orders() {
    std::map<std::string, List> appended;
    for (std::size_t t = 0; t < nodes_.size(); ++t) {
      for (const Step& step : nodes_[t].steps) {
        if (committed_[t]) appended[step.key];
        if (committed_[t] && step.append) appended[step.key].push_back(step.list[0]);
      }
    }
    keys_.clear();
    for (auto& [key, elements] : appended) {
      std::ranges::sort(elements);
      keys_.push_back(key);
      orders_[key] = elements;
    }
    permute(0);
  }

  void permute(std::size_t next) {
    if (next == keys_.size()) {
      judge();
      return;
    }
    List& order = orders_[keys_[next]];
    std::ranges::sort(order);
    do {
      permute(next + 1);
    } while (std::ranges::next_permutation(order).found);
  }

  // The transaction that appended an element, and whether it appends to the key again later.
  struct Writer {
    std::size_t node = kMost;
    bool last = true;
    std::size_t step = 0;
  };

  [[nodiscard]] Writer writer_of(const std::string& key, Element element) const {
    Writer writer;
    for (std::size_t t = 0; t < nodes_.size(); ++t) {
      const auto& steps = nodes_[t].steps;
      for (std::size_t i = 0; i < steps.size(); ++i) {
        if (!steps[i].append || steps[i].key != key) continue;
        if (steps[i].list[0] == element) {
          writer = {t, true, i};
        } else if (writer.node == t) {
          writer.last = false;
        }
      }
    }
    return writer;
  }

  template <typename Visit>
  bool each_read(Visit visit) const {
    for (std::size_t t = 0; t < nodes_.size(); ++t) {
      for (std::size_t i = 0; i < nodes_[t].steps.size(); ++i) {
        if (!nodes_[t].steps[i].append && !visit(t, i, nodes_[t].steps[i])) return false;
      }
    }
    return true;
  }

  // Nobody's elements, or an element twice: no level has an explanation.
  [[nodiscard]] bool sane() const {
    return each_read([&](std::size_t, std::size_t, const Step& step) {
      List sorted = step.list;
      std::ranges::sort(sorted);
      if (std::ranges::adjacent_find(sorted) != sorted.end()) return false;
      return std::ranges::all_of(
          sorted, [&](Element element) { return writer_of(step.key, element).node != kMost; });
    });
  }

  static bool is_prefix(const List& shorter, const List& longer) {
    return shorter.size() <= longer.size() &&
           std::equal(shorter.begin(), shorter.end(), longer.begin());
  }

  // What was read of a key tells its order as far as the reads agree with each other: the committed
  // elements come in the order of the longest read up to where another differs, before all others.
  [[nodiscard]] bool follows_longest() const {
    for (const auto& [key, order] : orders_) {
      if (std::ranges::find(keys_, key) == keys_.end()) continue;
      List longest;
      std::vector<List> reads;
      each_read([&](std::size_t, std::size_t, const Step& step) {
        if (step.key == key) reads.push_back(step.list);
        if (step.key == key && step.list.size() > longest.size()) longest = step.list;
        return true;
      });
      const auto agrees = [&](const List& list) {
        return is_prefix(list, longest) || is_prefix(longest, list);
      };
      while (!std::ranges::all_of(reads, agrees)) longest.pop_back();
      std::erase_if(longest, [&](Element e) { return !committed_[writer_of(key, e).node]; });
      if (!is_prefix(longest, order)) return false;
    }
    return true;
  }

  // Reads are prefixes of the order, nothing aborted or intermediate is read, nothing before it was
  // written, and appends of a transaction stand in the order of its program.
  [[nodiscard]] bool reads_committed() const {
    for (const std::string& key : keys_) {
      const List& order = orders_.at(key);
      for (std::size_t i = 0; i < order.size(); ++i) {
        for (std::size_t j = i + 1; j < order.size(); ++j) {
          const Writer a = writer_of(key, order[i]);
          const Writer b = writer_of(key, order[j]);
          if (a.node == b.node && a.step > b.step) return false;
        }
      }
    }
    return each_read([&](std::size_t t, std::size_t i, const Step& step) {
      if (!is_prefix(step.list, orders_.at(step.key))) return false;
      std::size_t length = step.list.size();
      for (const Element element : step.list) {
        const Writer writer = writer_of(step.key, element);
        if (writer.node == t && writer.step > i) return false;
      }
      while (length > 0 && writer_of(step.key, step.list[length - 1]).node == t) --length;
      return length == 0 || writer_of(step.key, step.list[length - 1]).last;
    });
  }

  // A read agrees with what its transaction had read and appended before.
  [[nodiscard]] bool internally_consistent() const {
    return each_read([&](std::size_t t, std::size_t i, const Step& step) {
      List state;
      bool whole = false;  // the state is all of it, not only its end
      for (std::size_t j = 0; j < i; ++j) {
        const Step& earlier = nodes_[t].steps[j];
        if (earlier.key != step.key) continue;
        if (earlier.append) {
          state.push_back(earlier.list[0]);
        } else {
          state = earlier.list;
          whole = true;
        }
      }
      if (whole) return step.list == state;
      return state.size() <= step.list.size() &&
             std::equal(state.rbegin(), state.rend(), step.list.rbegin());
    });
  }

  // No transaction sees one append of another and not all of them; `later`: it may miss those that
  // it looked for before it saw the first.
  [[nodiscard]] bool sees_whole(bool later) const {
    return each_read([&](std::size_t t, std::size_t i, const Step& seen) {
      for (const Element element : seen.list) {
        const std::size_t writer = writer_of(seen.key, element).node;
        if (writer == t || !committed_[writer]) continue;
        for (const Step& other : nodes_[writer].steps) {
          if (!other.append) continue;
          for (std::size_t j = later ? i + 1 : 0; j < nodes_[t].steps.size(); ++j) {
            const Step& read = nodes_[t].steps[j];
            if (read.append || read.key != other.key) continue;
            if (std::ranges::find(read.list, other.list[0]) == read.list.end()) return false;
          }
        }
      }
      return true;
    });
  }

  // What is appended after a read of the same key follows it without a foreign element between.
  [[nodiscard]] bool loses_no_update() const {
    return each_read([&](std::size_t t, std::size_t i, const Step& read) {
      for (std::size_t j = i + 1; j < nodes_[t].steps.size(); ++j) {
        const Step& next = nodes_[t].steps[j];
        if (next.key != read.key) continue;
        if (!next.append) return true;
        const List& order = orders_.at(read.key);
        for (std::size_t k = read.list.size(); k < order.size(); ++k) {
          if (order[k] == next.list[0]) return true;
          if (writer_of(read.key, order[k]).node != t) return false;
        }
      }
      return true;
    });
  }

  void relate() {
    ww_ = wr_ = rw_ = saw_ = session_ = time_ = Relation{};
    for (const std::string& key : keys_) {
      const List& order = orders_.at(key);
      for (std::size_t i = 0; i < order.size(); ++i) {
        for (std::size_t j = i + 1; j < order.size(); ++j) {
          link(ww_, writer_of(key, order[i]).node, writer_of(key, order[j]).node);
        }
      }
    }
    each_read([&](std::size_t t, std::size_t, const Step& step) {
      const List& order = orders_.at(step.key);
      for (const Element element : step.list) link(saw_, writer_of(step.key, element).node, t);
      if (!step.list.empty()) link(wr_, writer_of(step.key, step.list.back()).node, t);
      for (std::size_t i = step.list.size(); i < order.size(); ++i) {
        link(rw_, t, writer_of(step.key, order[i]).node);
      }
      return true;
    });
    for (std::size_t a = 0; a < nodes_.size(); ++a) {
      for (std::size_t b = 0; b < nodes_.size(); ++b) {
        const Operation& first = *nodes_[a].operation;
        const Operation& second = *nodes_[b].operation;
        if (first.precedes(second)) link(time_, a, b);
        if (first.process == second.process && first.invoke < second.invoke) link(session_, a, b);
      }
    }
  }

  void link(Relation& relation, std::size_t a, std::size_t b) const {
    if (a != b && committed_[a] && committed_[b]) relation.holds[a][b] = true;
  }

  void judge() {
    if (!sane()) return;
    relate();
    const std::array<std::pair<std::string, Relation>, 3> orders{
        std::pair{std::string(), Relation{}},
        std::pair{std::string("strong-session-"), session_},
        std::pair{std::string("strong-"), session_ | time_}};
    const bool committed = reads_committed();
    const bool kept = committed && loses_no_update();
    const bool atomic = committed && internally_consistent() && sees_whole(false);
    for (const auto& [prefix, order] : orders) {
      const auto add = [&](const std::string& name, bool holds) {
        if (holds) found_.insert(prefix + name);
      };
      const Relation depends = ww_ | wr_ | order;
      const Relation reads = wr_ | order;
      add("read-uncommitted", follows_longest() && (ww_ | order).acyclic());
      add("read-committed", committed && depends.acyclic());
      const bool plain = prefix.empty() && depends.acyclic();
      add("monotonic-atomic-view", plain && committed && sees_whole(true));
      add("read-atomic", plain && atomic);
      add("cursor-stability", plain && kept);
      const Relation causes = (saw_ | session_).closed();
      add("causal",
          plain && atomic && (ww_ | wr_ | session_).acyclic() && causes.then(rw_).irreflexive());
      add("prefix", atomic && depends.acyclic() && (reads | reads.then(rw_) | ww_).acyclic());
      const bool single = kept && depends.acyclic() && depends.closed().then(rw_).irreflexive();
      add("consistent-view", single);
      add("parallel-snapshot-isolation", single && atomic);
      add("snapshot-isolation", kept && atomic && (depends | depends.then(rw_)).acyclic());
      const bool serial = kept && (depends | rw_).acyclic();
      add("repeatable-read", prefix.empty() && serial);
      add("serializable", serial && atomic);
    }
  }

  const History* history_;
  std::vector<Node> nodes_;
  std::map<std::pair<std::string, Element>, std::vector<Element>> names_;  // of equal appends
  std::array<bool, kMost> committed_{};
  std::vector<std::string> keys_;
  std::map<std::string, List> orders_;
  Relation ww_, wr_, rw_, saw_, session_, time_;
  std::set<std::string> found_;
};

}  // namespace

std::set<std::string> levels_explained(const History& history) {
  return Oracle(history).run();
}

}  // namespace sunder::test
