// Why a trace violates a level: the least part of it that still does, and a circle of
// "this before that" in it.
//
// A violation is nearly always local: windows before the place where it was noticed go first. Then
// pieces are left out, halves first, single events last, as long as the rest still violates. The
// effort is bounded by a number of events, not by time, so that the same history gives the same
// picture. What is left is small enough for a plain closure of what the level's rules say.

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "checkers/closed_form.hpp"
#include "checkers/levels/levels.hpp"
#include "checkers/phrase.hpp"

namespace sunder::checkers::levels {
namespace {

using history::Operation;

class Shrinking {
 public:
  Shrinking(const Trace& trace, Test test)
      : trace_(trace), test_(test), effort_(kEffort + 8 * std::size_t{trace.size()}) {
    constexpr std::size_t kMemory = std::size_t{256} << 20;
    limits_.memory = kMemory;
  }

  [[nodiscard]] Trace shrink(std::uint32_t noticed) {
    if (noticed < trace_.size()) cut_to_window(noticed);
    std::uint32_t chunk = std::max(trace_.size() / 2, 1U);
    while (true) {
      const bool changed = leave_out(chunk);
      if (chunk == 1 && !changed) break;
      if (effort_ == 0) break;
      chunk = std::max(std::min(chunk, trace_.size()) / 2, 1U);
    }
    return trace_;
  }

 private:
  static constexpr std::size_t kEffort = 20'000'000;

  [[nodiscard]] bool still_violates(const Trace& candidate) {
    if (candidate.size() == 0) return false;
    effort_ -= std::min<std::size_t>(effort_, candidate.size() + 16);
    return effort_ > 0 && test_(candidate, limits_).finding == Finding::violated;
  }

  [[nodiscard]] bool keep_if_violating(const std::vector<bool>& dropped) {
    Trace candidate = trace_.without(dropped);
    if (!still_violates(candidate)) return false;
    trace_ = std::move(candidate);
    return true;
  }

  void cut_to_window(std::uint32_t noticed) {
    constexpr std::uint32_t kFirst = 32;
    for (std::uint32_t width = kFirst; width < 2 * trace_.size(); width *= 4) {
      std::vector<bool> dropped(trace_.size(), true);
      const std::uint32_t begin = noticed >= width ? noticed - width + 1 : 0;
      const std::uint32_t end = std::min(noticed + width / 4 + 1, trace_.size());
      for (std::uint32_t i = begin; i < end; ++i) dropped[i] = false;
      if (keep_if_violating(dropped)) return;
    }
  }

  // Leaves out every piece of that size that the violation does not need.
  bool leave_out(std::uint32_t chunk) {
    bool changed = false;
    for (std::uint32_t begin = 0; begin < trace_.size();) {
      std::vector<bool> dropped(trace_.size(), false);
      const std::uint32_t end = std::min(begin + chunk, trace_.size());
      for (std::uint32_t i = begin; i < end; ++i) dropped[i] = true;
      if (keep_if_violating(dropped)) {
        changed = true;
      } else {
        begin = end;
      }
      if (effort_ == 0) break;
    }
    return changed;
  }

  Trace trace_;
  Test test_;
  Limits limits_;
  std::size_t effort_;
};

// Why one event comes before another.
enum class Reason : std::uint8_t { none, process, reads, forced, replaced };

struct Arc {
  Reason reason = Reason::none;
  std::uint32_t by = kNone;  // forced: the read that had both before it
};

bool is_pattern(Rule rule) {
  constexpr std::array kPatterns{Rule::read_your_writes,
                                 Rule::monotonic_reads,
                                 Rule::monotonic_writes,
                                 Rule::writes_follow_reads,
                                 Rule::causal};
  return std::ranges::find(kPatterns, rule) != kPatterns.end();
}

bool has_views(Rule rule) {
  return rule == Rule::pram || rule == Rule::causal_memory || rule == Rule::read_your_writes ||
         rule == Rule::monotonic_reads;
}

// The order that a level's rules impose on a few events, and a circle in it.
class Closure {
 public:
  // `end`: whose view it is, for levels that have views; else kNone.
  Closure(const Trace& trace, Rule rule, std::uint32_t end)
      : trace_(&trace), rule_(rule), size_(trace.size()), own_(size_, false), arcs_(size_ * size_) {
    for (std::uint32_t i = end; i != kNone; i = trace.events[i].previous) own_[i] = true;
    for (std::uint32_t i = 0; i < size_; ++i) {
      for (std::uint32_t j = 0; j < size_; ++j) {
        if (i == j) continue;
        if (trace.events[j].source == i && sees(j)) add(i, j, {Reason::reads, kNone});
        if (trace.session_precedes(i, j) && keeps(i, j)) add(i, j, {Reason::process, kNone});
      }
    }
    close();
    saturate();
  }

  // Events of a circle, each before the next; empty: there is none.
  [[nodiscard]] std::vector<std::uint32_t> circle() const {
    std::vector<std::uint32_t> best;
    for (std::uint32_t i = 0; i < size_; ++i) {
      for (std::uint32_t j = 0; j < size_; ++j) {
        const Arc& first = arc(i, j);
        if (first.reason == Reason::none) continue;
        // One replaced value is what a pattern ends with.
        const bool closes =
            !is_pattern(rule_) || first.reason == Reason::replaced || reaches_base(j, i);
        if (!closes) continue;
        std::vector<std::uint32_t> path = path_between(j, i);
        if (path.empty()) continue;
        if (best.empty() || path.size() < best.size()) best = std::move(path);
      }
    }
    return best;
  }

  [[nodiscard]] const Arc& arc(std::uint32_t from, std::uint32_t to) const {
    return arcs_[from * size_ + to];
  }

 private:
  [[nodiscard]] bool writes(std::uint32_t i) const { return trace_->events[i].writes; }

  // Whether a read counts as having seen its write.
  [[nodiscard]] bool sees(std::uint32_t reader) const {
    return !has_views(rule_) || rule_ == Rule::causal_memory || own_[reader];
  }

  // Whether the order of one process counts between two of its events.
  [[nodiscard]] bool keeps(std::uint32_t i, std::uint32_t j) const {
    const bool reads_i = trace_->events[i].reads();
    const bool reads_j = trace_->events[j].reads();
    switch (rule_) {
      case Rule::read_your_writes:
        return own_[i] && own_[j] && (writes(i) || writes(j));
      case Rule::monotonic_reads:
        return (own_[i] && own_[j] && reads_i && reads_j) ||
               (writes(i) && writes(j) && trace_->events[i].key == trace_->events[j].key);
      case Rule::monotonic_writes:
        return (writes(i) && writes(j)) || (reads_i && reads_j);
      case Rule::writes_follow_reads:
        return writes(j) || reads_i;
      case Rule::pram:
        return (own_[i] || writes(i)) && (own_[j] || writes(j));
      default:
        return true;
    }
  }

  void add(std::uint32_t from, std::uint32_t to, Arc arc) {
    Arc& place = arcs_[from * size_ + to];
    if (place.reason == Reason::none) place = arc;
  }

  // Transitive closure of the arcs so far.
  void close() {
    reach_.assign(size_ * size_, false);
    for (std::size_t n = 0; n < arcs_.size(); ++n) reach_[n] = arcs_[n].reason != Reason::none;
    for (std::uint32_t k = 0; k < size_; ++k) {
      for (std::uint32_t i = 0; i < size_; ++i) {
        if (!reach_[i * size_ + k]) continue;
        for (std::uint32_t j = 0; j < size_; ++j) {
          if (reach_[k * size_ + j]) reach_[i * size_ + j] = true;
        }
      }
    }
    if (base_.empty()) base_ = reach_;
  }

  [[nodiscard]] bool reaches(std::uint32_t i, std::uint32_t j) const {
    return reach_[i * size_ + j];
  }

  [[nodiscard]] bool reaches_base(std::uint32_t i, std::uint32_t j) const {
    return base_[i * size_ + j];
  }

  void saturate() {
    const bool again =
        rule_ == Rule::sequential || rule_ == Rule::pram || rule_ == Rule::causal_memory;
    for (bool changed = true; changed;) {
      changed = false;
      for (std::uint32_t read = 0; read < size_; ++read) {
        for (std::uint32_t other = 0; other < size_; ++other) {
          changed = apply(read, other) || changed;
        }
      }
      close();
      if (!again) return;
    }
  }

  // What a read says of another write of its key.
  bool apply(std::uint32_t read, std::uint32_t other) {
    const Event& event = trace_->events[read];
    const bool rival = event.reads() && writes(other) && other != read && other != event.source &&
                       trace_->events[other].key == event.key && sees_rivals(read);
    if (!rival) return false;
    const bool initial = event.source == kInitial;
    const bool replaces = initial || reaches(event.source, other);
    const bool replaced_counts = initial || is_pattern(rule_) || rule_ == Rule::sequential;
    bool changed = false;
    if (replaces && replaced_counts && arc(read, other).reason == Reason::none) {
      add(read, other, {Reason::replaced, kNone});
      changed = true;
    }
    const bool forces = !initial && !is_pattern(rule_) && reaches(other, read);
    if (forces && arc(other, event.source).reason == Reason::none) {
      add(other, event.source, {Reason::forced, read});
      changed = true;
    }
    return changed;
  }

  [[nodiscard]] bool sees_rivals(std::uint32_t read) const {
    return !has_views(rule_) || own_[read];
  }

  // A shortest way, over the base only when the level is a pattern; both ends included.
  [[nodiscard]] std::vector<std::uint32_t> path_between(std::uint32_t from,
                                                        std::uint32_t to) const {
    std::vector<std::uint32_t> before(size_, kNone);
    std::vector<std::uint32_t> queue{from};
    for (std::size_t n = 0; n < queue.size(); ++n) {
      const std::uint32_t i = queue[n];
      if (i == to) break;
      for (std::uint32_t j = 0; j < size_; ++j) {
        const Reason reason = arc(i, j).reason;
        const bool walkable =
            reason != Reason::none && !(is_pattern(rule_) && reason == Reason::replaced);
        if (!walkable || before[j] != kNone || j == from) continue;
        before[j] = i;
        queue.push_back(j);
      }
    }
    if (from != to && before[to] == kNone) return {};
    std::vector<std::uint32_t> path{to};
    while (path.back() != from) path.push_back(before[path.back()]);
    std::ranges::reverse(path);
    return path;
  }

  const Trace* trace_;
  Rule rule_;
  std::uint32_t size_;
  std::vector<bool> own_;
  std::vector<Arc> arcs_;
  std::vector<bool> reach_;
  std::vector<bool> base_;
};

std::string_view title_of(Rule rule) {
  switch (rule) {
    case Rule::read_your_writes:
      return "own write not seen";
    case Rule::monotonic_reads:
      return "reads went back";
    case Rule::monotonic_writes:
      return "earlier write not seen";
    case Rule::writes_follow_reads:
      return "what a write followed not seen";
    case Rule::causal:
      return "cause not seen";
    case Rule::convergent_causal:
      return "no order of conflicting writes";
    case Rule::pram:
    case Rule::causal_memory:
      return "no order for one process";
    case Rule::sequential:
      break;
  }
  return "no order for all processes";
}

// Turns a small trace into sentences.
class Story {
 public:
  Story(const history::History& history, const Trace& trace, Rule rule)
      : history_(&history), trace_(&trace), rule_(rule) {}

  [[nodiscard]] Counterexample tell() const {
    Counterexample example = story(std::string(title_of(rule_)), members());
    if (trace_->size() <= kTold_max) tell_circle(example);
    if (example.why.empty()) {
      example.why = fmt::format(
          "No order of these {} operations, in which each process keeps its own, explains every "
          "read",
          trace_->size());
    }
    for (const Counterexample::Item& item : example.items) {
      example.first_error = std::max(example.first_error, item.operation);
    }
    example.key = common_key();
    return example;
  }

 private:
  static constexpr std::uint32_t kTold_max = 48;

  [[nodiscard]] std::vector<std::uint32_t> members() const {
    std::vector<std::uint32_t> operations;
    // A contradiction that could not be cut down is shown by its end.
    const std::uint32_t begin = trace_->size() > kTold_max ? trace_->size() - kTold_max : 0;
    for (std::uint32_t i = begin; i < trace_->size(); ++i) {
      operations.push_back(trace_->events[i].operation);
    }
    return operations;
  }

  [[nodiscard]] const Operation& at(std::uint32_t i) const {
    return history_->operations()[trace_->events[i].operation];
  }

  [[nodiscard]] bool has_one_key() const {
    return std::ranges::all_of(
        trace_->events, [&](const Event& event) { return event.key == trace_->events[0].key; });
  }

  [[nodiscard]] std::string common_key() const {
    return has_one_key() ? std::string(history_->pool().name(at(0).key)) : std::string();
  }

  // " on x", when there are several keys.
  [[nodiscard]] std::string place(std::uint32_t i) const {
    if (has_one_key()) return {};
    return fmt::format(" on {}", history_->pool().name(at(i).key));
  }

  [[nodiscard]] std::string named(std::uint32_t i) const {
    return phrase(*history_, at(i)) + place(i);
  }

  [[nodiscard]] std::string said(std::uint32_t i) const {
    return statement(*history_, at(i)) + place(i);
  }

  [[nodiscard]] std::string why(const Arc& arc, std::uint32_t from, std::uint32_t to) const {
    switch (arc.reason) {
      case Reason::process:
        return fmt::format("{} came before {}", named(from), named(to));
      case Reason::reads:
        return fmt::format("{} from {}", said(to), named(from));
      case Reason::forced:
        return fmt::format(
            "{} came before {}, for {} after both", named(from), named(to), said(arc.by));
      default:
        if (!is_pattern(rule_)) {
          return fmt::format(
              "{} came before {}, which replaced that value", named(from), named(to));
        }
        return fmt::format("yet {}, which {} had replaced", said(from), named(to));
    }
  }

  [[nodiscard]] std::string label(const Arc& arc, std::uint32_t to) const {
    const std::string key(history_->pool().name(at(to).key));
    const auto with_key = [&](std::string_view kind) {
      return key.empty() ? std::string(kind) : fmt::format("{} {}", kind, key);
    };
    switch (arc.reason) {
      case Reason::process:
        return "process";
      case Reason::reads:
        return with_key("wr");
      case Reason::forced:
        return with_key("ww");
      default:
        return with_key("rw");
    }
  }

  void tell_circle(Counterexample& example) const {
    std::vector<std::uint32_t> ends{kNone};
    if (has_views(rule_)) {
      ends.clear();
      std::vector<std::uint32_t> last(trace_->sessions, kNone);
      for (std::uint32_t i = 0; i < trace_->size(); ++i) last[trace_->events[i].session] = i;
      ends = last;
    }
    std::optional<Closure> best;
    std::vector<std::uint32_t> circle;
    for (const std::uint32_t end : ends) {
      Closure closure(*trace_, rule_, end);
      std::vector<std::uint32_t> found = closure.circle();
      if (found.empty() || (!circle.empty() && circle.size() <= found.size())) continue;
      circle = std::move(found);
      best.emplace(std::move(closure));
    }
    if (circle.empty()) {
      if (rule_ == Rule::monotonic_reads) tell_return(example);
      return;
    }
    for (std::size_t n = 0; n < circle.size(); ++n) {
      const std::uint32_t from = circle[n];
      const std::uint32_t to = circle[(n + 1) % circle.size()];
      const Arc& arc = best->arc(from, to);
      example.graph.nodes.push_back({trace_->events[from].operation, fmt::format("O{}", n + 1)});
      example.graph.edges.push_back(
          {n, (n + 1) % circle.size(), label(arc, to), why(arc, from, to)});
      example.why += (n == 0 ? "" : "; ") + example.graph.edges.back().why;
    }
  }

  // One value, another, the first again.
  void tell_return(Counterexample& example) const {
    std::vector<std::uint32_t> reads;
    for (std::uint32_t i = 0; i < trace_->size(); ++i) {
      if (trace_->events[i].reads()) reads.push_back(i);
    }
    for (std::size_t n = 0; n < reads.size(); ++n) {
      example.why += (n == 0 ? "" : n + 1 == reads.size() ? ", and then " : ", then ");
      example.why += said(reads[n]);
    }
  }

  const history::History* history_;
  const Trace* trace_;
  Rule rule_;
};

}  // namespace

Counterexample explain(const history::History& history,
                       const Trace& trace,
                       const Judgement& judgement,
                       Test test,
                       Rule rule) {
  const Trace core = Shrinking(trace, test).shrink(judgement.noticed);
  return Story(history, core, rule).tell();
}

}  // namespace sunder::checkers::levels
