// PRAM and causal memory: whether each session can see all writes in one order that explains its
// own reads.
//
// A view must respect every session's order (PRAM: Lipton & Sandberg, 1988) or causality (causal
// memory: Ahamad et al., Distributed Computing 9, 1995), and whatever its own reads force: a write
// that comes before a read comes before the write that was read (Bouajjani et al., POPL 2017,
// "hb").
//
// The view's own reads cut its order into rounds 1, 2, …: a write's round is that of the first own
// read that it must come before. Reading value w again in round i moves every write of the key out
// of the rounds after w's up to i, into w's; what precedes moves along. Rounds only ever fall; when
// nothing moves any more, only the order inside of each round is left to check. O(n k) with k
// sessions while little moves.

#include <algorithm>
#include <vector>

#include "checkers/levels/levels.hpp"

namespace sunder::checkers::levels {
namespace {

constexpr std::uint32_t kNever = 0xffffffff;  // a round: no own read comes after it

class View {
 public:
  View(const Trace& trace, bool causal)
      : trace_(&trace),
        causal_(causal),
        round_(trace.size(), kNever),
        last_read_(trace.size(), 0),
        floor_(trace.size(), 0),
        is_own_(trace.size(), 0),
        colour_(trace.size(), 0),
        keys_(trace.keys) {}

  // The view of the session that ends with that event. False: it has none; noticed() is an event
  // of the contradiction.
  [[nodiscard]] bool explain_up_to(std::uint32_t end) {
    reset();
    path_.clear();
    own_reads_.clear();
    for (std::uint32_t i = end; i != kNone; i = trace_->events[i].previous) path_.push_back(i);
    std::ranges::reverse(path_);
    for (const std::uint32_t i : path_) is_own_[i] = 1;
    std::uint32_t round = 1;
    for (const std::uint32_t i : path_) {
      const Event& event = trace_->events[i];
      noticed_ = i;
      if (event.reads()) {
        own_reads_.push_back(i);
        if (!read(event, round)) return false;
        ++round;
      }
      if (event.writes) {
        place(i, round);
        if (!respects_reads(i)) return false;
      }
      floor_[i] = round;
      is_own_[i] = 2;
      touched_.push_back(i);
      if (!settle()) return false;
    }
    return is_ordered();
  }

  [[nodiscard]] std::uint32_t noticed() const noexcept { return noticed_; }

 private:
  struct Key {
    std::vector<std::uint32_t> writes;  // by round
    std::vector<std::uint32_t> read;    // writes that own reads found, by round
    std::uint32_t initial_until = 0;    // the last round that found the initial value
    bool touched = false;
  };

  void reset() {
    for (const std::uint32_t i : touched_) {
      round_[i] = kNever;
      last_read_[i] = 0;
      floor_[i] = 0;
      is_own_[i] = 0;
      colour_[i] = 0;
    }
    for (const std::uint32_t i : path_) is_own_[i] = 0;
    touched_.clear();
    for (const std::uint32_t key : touched_keys_) keys_[key] = {};
    touched_keys_.clear();
    work_.clear();
  }

  Key& key_of(std::uint32_t i) {
    const std::uint32_t number = trace_->events[i].key;
    Key& key = keys_[number];
    if (!key.touched) touched_keys_.push_back(number);
    key.touched = true;
    return key;
  }

  // Puts an event into the newest round.
  void place(std::uint32_t i, std::uint32_t round) {
    round_[i] = round;
    touched_.push_back(i);
    if (trace_->events[i].writes) key_of(i).writes.push_back(i);
  }

  template <typename Visit>
  void for_each_before(std::uint32_t i, Visit visit) const {
    const Event& event = trace_->events[i];
    if (event.previous != kNone) visit(event.previous);
    if (causal_ && event.reads_event()) visit(event.source);
  }

  [[nodiscard]] bool read(const Event& event, std::uint32_t round) {
    if (event.source == kInitial) {
      Key& key = keys_[event.key];
      if (!key.touched) touched_keys_.push_back(event.key);
      key.touched = true;
      key.initial_until = round;
      return key.writes.empty();
    }
    const std::uint32_t source = event.source;
    if (round_[source] == kNever && !pull(source, round)) return false;
    Key& key = key_of(source);
    if (last_read_[source] == 0) {
      const auto later = std::ranges::upper_bound(
          key.read, round_[source], {}, [&](std::uint32_t i) { return round_[i]; });
      key.read.insert(later, source);
    }
    last_read_[source] = round;
    return collapse(source);
  }

  // Brings an unseen write and all that precedes it into a round.
  [[nodiscard]] bool pull(std::uint32_t source, std::uint32_t round) {
    std::vector<std::uint32_t>& stack = pulled_;
    stack.assign(1, source);
    bool possible = true;
    while (!stack.empty()) {
      const std::uint32_t i = stack.back();
      stack.pop_back();
      if (is_own_[i] == 2 || round_[i] != kNever) continue;
      // Its own future.
      if (is_own_[i] == 1) return false;
      place(i, round);
      for_each_before(i, [&](std::uint32_t before) { stack.push_back(before); });
      possible = possible && respects_reads(i);
    }
    return possible;
  }

  // The initial value must not be read once a write is there.
  [[nodiscard]] bool respects_reads(std::uint32_t i) {
    return !trace_->events[i].writes || round_[i] > keys_[trace_->events[i].key].initial_until;
  }

  // Moves the writes of the key out of the rounds in which a read value was the newest.
  [[nodiscard]] bool collapse(std::uint32_t source) {
    const Key& key = key_of(source);
    const auto round = [&](std::uint32_t i) { return round_[i]; };
    const auto begin = std::ranges::upper_bound(key.writes, round_[source], {}, round);
    const auto end = std::ranges::upper_bound(key.writes, last_read_[source], {}, round);
    for (auto i = begin; i < end; ++i) {
      // Values read later cannot be moved to before this one.
      if (last_read_[*i] != 0) return false;
      work_.push_back({*i, round_[source]});
    }
    return true;
  }

  [[nodiscard]] bool settle() {
    while (!work_.empty()) {
      const Move move = work_.back();
      work_.pop_back();
      if (!lower(move.event, move.round)) return false;
    }
    return true;
  }

  [[nodiscard]] bool lower(std::uint32_t i, std::uint32_t round) {
    if (is_own_[i] == 2)
      return floor_[i] <= round && (!trace_->events[i].writes || round_[i] <= round);
    if (round_[i] <= round) return true;
    const bool writes = trace_->events[i].writes;
    if (writes) {
      std::vector<std::uint32_t>& all = key_of(i).writes;
      move_down(all, i, round);
      if (last_read_[i] != 0) move_down(key_of(i).read, i, round);
    }
    round_[i] = round;
    if (!respects_reads(i)) return false;
    for_each_before(i, [&](std::uint32_t before) { work_.push_back({before, round}); });
    if (!writes) return true;
    if (last_read_[i] != 0 && !collapse(i)) return false;
    return join_value(i, round);
  }

  // Among the rounds in which another value was the newest, a write moves to that value's own.
  [[nodiscard]] bool join_value(std::uint32_t i, std::uint32_t round) {
    const Key& key = key_of(i);
    const auto after = std::ranges::upper_bound(
        key.read, round, {}, [&](std::uint32_t other) { return round_[other]; });
    for (auto other = after; other != key.read.begin();) {
      --other;
      if (*other == i) continue;
      if (last_read_[*other] < round) break;
      if (last_read_[i] != 0) return false;
      if (round_[*other] < round) work_.push_back({i, round_[*other]});
      break;
    }
    return true;
  }

  // Keeps a list sorted by round when one member's falls. Precondition: it still has the old one.
  void move_down(std::vector<std::uint32_t>& list, std::uint32_t i, std::uint32_t round) {
    const auto key = [&](std::uint32_t other) { return round_[other]; };
    auto from = std::ranges::lower_bound(list, round_[i], {}, key);
    from = std::find(from, list.end(), i);
    const auto to = std::ranges::upper_bound(list, round, {}, key);
    std::rotate(to, from, from + 1);
  }

  // Whether each round has an order: others' writes before the one that was read.
  [[nodiscard]] bool is_ordered() {
    for (const std::uint32_t root : touched_) {
      if (colour_[root] == 0 && !visit(root)) return false;
    }
    return true;
  }

  [[nodiscard]] bool is_inside(std::uint32_t i) const noexcept { return round_[i] != kNever; }

  struct Frame {
    std::uint32_t event = 0;
    std::uint32_t next = 0;   // which of its predecessors comes next
    std::uint32_t begin = 0;  // of its rivals: writes of the key in its round, if it was read
    std::uint32_t end = 0;
  };

  [[nodiscard]] Frame frame_of(std::uint32_t i) {
    Frame frame{.event = i};
    if (last_read_[i] == 0) return frame;
    const std::vector<std::uint32_t>& all = key_of(i).writes;
    const auto round = [&](std::uint32_t other) { return round_[other]; };
    const auto rivals = std::ranges::equal_range(all, round_[i], {}, round);
    frame.begin = static_cast<std::uint32_t>(rivals.begin() - all.begin());
    frame.end = static_cast<std::uint32_t>(rivals.end() - all.begin());
    return frame;
  }

  // The next event of the same round that must come before; kNone: no more.
  [[nodiscard]] std::uint32_t next_before(Frame& frame) {
    const Event& event = trace_->events[frame.event];
    while (true) {
      const std::uint32_t turn = frame.next++;
      std::uint32_t before = kNone;
      if (turn == 0) {
        before = event.previous;
      } else if (turn == 1) {
        const bool counts = causal_ && is_own_[frame.event] == 0 && event.reads_event();
        before = counts ? event.source : kNone;
      } else if (frame.begin + turn - 2 < frame.end) {
        before = key_of(frame.event).writes[frame.begin + turn - 2];
      } else {
        return kNone;
      }
      const bool counts = before != kNone && before != frame.event && is_inside(before) &&
                          round_[before] == round_[frame.event];
      if (counts) return before;
    }
  }

  [[nodiscard]] bool visit(std::uint32_t root) {
    if (!is_inside(root)) return true;
    frames_.assign(1, frame_of(root));
    colour_[root] = 1;
    while (!frames_.empty()) {
      const std::uint32_t before = next_before(frames_.back());
      if (before == kNone) {
        colour_[frames_.back().event] = 2;
        frames_.pop_back();
      } else if (colour_[before] == 1) {
        // The reads that put it in order come after what they force.
        noticed_ = 0;
        for (const Frame& frame : frames_) {
          const std::uint32_t last = last_read_[frame.event];
          noticed_ = std::max({noticed_, frame.event, last == 0 ? 0 : own_reads_[last - 1]});
        }
        return false;
      } else if (colour_[before] == 0) {
        colour_[before] = 1;
        frames_.push_back(frame_of(before));
      }
    }
    return true;
  }

  struct Move {
    std::uint32_t event = 0;
    std::uint32_t round = 0;
  };

  const Trace* trace_;
  bool causal_;
  std::vector<std::uint32_t> round_;      // by event
  std::vector<std::uint32_t> last_read_;  // by write: the last round that found it; 0: none
  std::vector<std::uint32_t> floor_;      // by own event: the least round of what follows it
  std::vector<std::uint8_t> is_own_;      // 1: of this view's session, to come; 2: done
  std::vector<std::uint8_t> colour_;      // 1: on the way, 2: done
  std::vector<Key> keys_;
  std::vector<std::uint32_t> path_;       // the view's own events
  std::vector<std::uint32_t> own_reads_;  // of them, by round
  std::vector<std::uint32_t> touched_;
  std::vector<std::uint32_t> touched_keys_;
  std::vector<std::uint32_t> pulled_;
  std::vector<Move> work_;
  std::vector<Frame> frames_;
  std::uint32_t noticed_ = kNone;
};

// The events at which views end: the last of each session, but no late write, which sees nothing.
std::vector<std::uint32_t> ends_of(const Trace& trace) {
  std::vector<std::uint32_t> last(trace.sessions, kNone);
  std::vector<bool> reads(trace.sessions, false);
  for (std::uint32_t i = 0; i < trace.size(); ++i) {
    last[trace.events[i].session] = i;
    if (trace.events[i].reads()) reads[trace.events[i].session] = true;
  }
  std::vector<std::uint32_t> ends;
  for (std::uint32_t session = 0; session < trace.sessions; ++session) {
    if (reads[session]) ends.push_back(last[session]);
  }
  return ends;
}

Judgement test_views(const Trace& trace, const Limits& limits, bool causal) {
  if (causal) {
    std::vector<std::uint32_t> circle;
    (void)trace.topological_order(&circle);
    if (!circle.empty()) return violated_at(*std::ranges::max_element(circle));
  }
  View view(trace, causal);
  for (const std::uint32_t end : ends_of(trace)) {
    if (limits.expired()) return {.finding = Finding::out_of_time};
    if (!view.explain_up_to(end)) return violated_at(view.noticed());
  }
  return {};
}

}  // namespace

Judgement test_pram(const Trace& trace, const Limits& limits) {
  return test_views(trace, limits, false);
}

Judgement test_causal_memory(const Trace& trace, const Limits& limits) {
  return test_views(trace, limits, true);
}

}  // namespace sunder::checkers::levels
