// Causal consistency in its weak and convergent forms, and writes-follow-reads: what a read must
// have seen, by vector clocks (Bouajjani et al., "On verifying causal consistency", POPL 2017;
// clocks as in Møldrup & Pavlogiannis, "AWDIT", PLDI 2025: only each session's latest write of the
// key can matter).

#include <algorithm>
#include <vector>

#include "checkers/levels/levels.hpp"

namespace sunder::checkers::levels {
namespace {

struct Edge {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
};

class CausalTest {
 public:
  enum class Kind : std::uint8_t { causal, convergent, writes_follow_reads };

  CausalTest(const Trace& trace, const Limits& limits, Kind kind)
      : trace_(&trace), limits_(&limits), kind_(kind), width_(trace.sessions) {}

  [[nodiscard]] Judgement test() {
    std::vector<std::uint32_t> circle;
    const std::vector<std::uint32_t> order = trace_->topological_order(&circle);
    if (!circle.empty()) return violated_at(*std::ranges::max_element(circle));
    index_writes();
    index_late();
    const bool apart = kind_ == Kind::writes_follow_reads;
    const std::size_t rows = (apart ? 2U : 1U) * std::size_t{width_} + written_.members.size();
    if (rows * width_ * sizeof(std::uint32_t) > limits_->memory) {
      return {.finding = Finding::out_of_memory};
    }
    clocks_.assign(rows * width_, 0);
    constexpr std::size_t kPoll = 1024;
    for (std::size_t step = 0; step < order.size(); ++step) {
      if (step % kPoll == 0 && limits_->expired()) return {.finding = Finding::out_of_time};
      const std::uint32_t i = order[step];
      enter(i);
      if (trace_->events[i].reads() && !allows(i)) return violated_at(i);
      leave(i);
    }
    return kind_ == Kind::convergent ? find_circle() : Judgement{};
  }

 private:
  // Rows of the table of clocks: what each session has seen, what its writes carry, and what each
  // single write carries, itself included.
  [[nodiscard]] std::uint32_t* seen(std::uint32_t session) {
    return clocks_.data() + std::size_t{session} * width_;
  }

  [[nodiscard]] std::uint32_t* carried(std::uint32_t session) {
    const std::uint32_t row = kind_ == Kind::writes_follow_reads ? width_ + session : session;
    return clocks_.data() + std::size_t{row} * width_;
  }

  [[nodiscard]] std::uint32_t* of_write(std::uint32_t event) {
    const std::size_t base = kind_ == Kind::writes_follow_reads ? 2 * std::size_t{width_} : width_;
    return clocks_.data() + (base + number_[event]) * width_;
  }

  void join(std::uint32_t* into, const std::uint32_t* other) const {
    for (std::uint32_t s = 0; s < width_; ++s) into[s] = std::max(into[s], other[s]);
  }

  void index_writes() {
    const std::vector<Event>& events = trace_->events;
    std::vector<std::uint32_t> key_of(events.size(), kNone);
    for (std::uint32_t i = 0; i < events.size(); ++i) {
      if (events[i].writes) key_of[i] = events[i].key;
    }
    Groups by_key = group_by(key_of, trace_->keys);
    // Lanes: the writes of one key by one session, in order.
    lanes_begin_.assign(1, 0);
    std::vector<std::uint32_t> lane_of(events.size(), kNone);
    std::vector<std::uint32_t> open(width_, kNone);
    for (std::uint32_t key = 0; key < trace_->keys; ++key) {
      for (const std::uint32_t i : by_key.of(key)) {
        std::uint32_t& lane = open[events[i].session];
        if (lane == kNone) {
          lane = static_cast<std::uint32_t>(lane_session_.size());
          lane_session_.push_back(events[i].session);
        }
        lane_of[i] = lane;
      }
      for (const std::uint32_t i : by_key.of(key)) open[events[i].session] = kNone;
      lanes_begin_.push_back(static_cast<std::uint32_t>(lane_session_.size()));
    }
    written_ = group_by(lane_of, static_cast<std::uint32_t>(lane_session_.size()));
    places_.resize(written_.members.size());
    number_.assign(events.size(), kNone);
    for (std::uint32_t n = 0; n < written_.members.size(); ++n) {
      places_[n] = events[written_.members[n]].place;
      number_[written_.members[n]] = n;
    }
  }

  // What a session that begins from another knows already.
  void enter(std::uint32_t i) {
    const Event& event = trace_->events[i];
    if (event.place == 0 && event.previous != kNone) {
      // Its process may have gone on meanwhile.
      const std::vector<std::uint32_t>& saved = *saved_after(event.previous);
      std::copy_n(saved.begin(), width_, seen(event.session));
      std::copy_n(saved.begin() + width_, width_, carried(event.session));
    }
    if (!event.reads_event()) return;
    join(seen(event.session), of_write(event.source));
  }

  void index_late() {
    for (const Event& event : trace_->events) {
      if (event.place == 0 && event.previous != kNone) late_parents_.push_back(event.previous);
    }
    std::ranges::sort(late_parents_);
    const auto same = std::ranges::unique(late_parents_);
    late_parents_.erase(same.begin(), same.end());
    saved_.resize(late_parents_.size());
  }

  // What its process knew at an event that a late one follows; null: none does.
  [[nodiscard]] std::vector<std::uint32_t>* saved_after(std::uint32_t event) {
    const auto found = std::ranges::lower_bound(late_parents_, event);
    if (found == late_parents_.end() || *found != event) return nullptr;
    return &saved_[static_cast<std::size_t>(found - late_parents_.begin())];
  }

  void leave(std::uint32_t i) {
    const Event& event = trace_->events[i];
    const bool apart = kind_ == Kind::writes_follow_reads;
    std::uint32_t* mine = seen(event.session);
    if (event.writes) {
      std::uint32_t* carry = carried(event.session);
      if (apart) join(carry, mine);
      carry[event.session] = std::max(carry[event.session], event.place + 1);
      std::copy_n(carry, width_, of_write(i));
    }
    if (std::vector<std::uint32_t>* saved = saved_after(i); saved != nullptr) {
      saved->assign(mine, mine + width_);
      const std::uint32_t* carry = carried(event.session);
      saved->insert(saved->end(), carry, carry + width_);
    }
  }

  // Whether an event has seen another: the write itself counts.
  [[nodiscard]] bool carries(std::uint32_t later_write, std::uint32_t earlier) {
    const Event& event = trace_->events[earlier];
    return later_write == earlier || of_write(later_write)[event.session] > event.place;
  }

  // Compares what a read found with each session's latest write of its key that it had seen.
  [[nodiscard]] bool allows(std::uint32_t i) {
    const Event& event = trace_->events[i];
    const std::uint32_t* mine = seen(event.session);
    for (std::uint32_t lane = lanes_begin_[event.key]; lane < lanes_begin_[event.key + 1]; ++lane) {
      const std::uint32_t limit = mine[lane_session_[lane]];
      const auto begin = places_.begin() + written_.begin[lane];
      if (limit == 0 || *begin >= limit) continue;
      if (event.source == kInitial) return false;
      const auto end = places_.begin() + written_.begin[lane + 1];
      const auto found = std::lower_bound(begin, end, limit) - 1;
      const std::uint32_t newest =
          written_.members[static_cast<std::size_t>(found - places_.begin())];
      if (newest == event.source || newest == i) continue;
      if (kind_ == Kind::convergent) {
        add_forced({newest, event.source});
      } else if (carries(newest, event.source)) {
        return false;
      }
    }
    return true;
  }

  void add_forced(Edge edge) {
    if (carries(edge.to, edge.from)) return;
    if (!forced_.empty() && forced_.back().from == edge.from && forced_.back().to == edge.to) {
      return;
    }
    forced_.push_back(edge);
  }

  // Session order, reads-from and the forced edges must have no circle: peels off what nothing
  // else precedes.
  [[nodiscard]] Judgement find_circle() const {
    const std::vector<Event>& events = trace_->events;
    std::vector<std::uint32_t> from;
    from.reserve(forced_.size());
    std::vector<std::uint32_t> waits(events.size(), 0);
    for (const Edge& edge : forced_) {
      from.push_back(edge.from);
      ++waits[edge.to];
    }
    const Groups forced = group_by(from, trace_->size());
    std::vector<std::uint32_t> source(events.size(), kNone);
    std::vector<std::uint32_t> previous(events.size(), kNone);
    for (std::uint32_t i = 0; i < events.size(); ++i) {
      if (events[i].reads_event()) source[i] = events[i].source;
      previous[i] = events[i].previous;
      waits[i] += (source[i] != kNone ? 1U : 0U) + (previous[i] != kNone ? 1U : 0U);
    }
    const Groups readers = group_by(source, trace_->size());
    const Groups followers = group_by(previous, trace_->size());
    std::vector<std::uint32_t> ready;
    for (std::uint32_t i = 0; i < events.size(); ++i) {
      if (waits[i] == 0) ready.push_back(i);
    }
    std::size_t done = 0;
    while (!ready.empty()) {
      const std::uint32_t i = ready.back();
      ready.pop_back();
      ++done;
      const auto release = [&](std::uint32_t next) {
        if (--waits[next] == 0) ready.push_back(next);
      };
      for (const std::uint32_t next : readers.of(i)) release(next);
      for (const std::uint32_t next : followers.of(i)) release(next);
      for (const std::uint32_t edge : forced.of(i)) release(forced_[edge].to);
    }
    if (done == events.size()) return {};
    // The last forced edge among what is left is near the circle.
    std::uint32_t noticed = 0;
    for (const Edge& edge : forced_) {
      if (waits[edge.to] > 0 && waits[edge.from] > 0) noticed = std::max(noticed, edge.to);
    }
    return violated_at(noticed);
  }

  const Trace* trace_;
  const Limits* limits_;
  Kind kind_;
  std::uint32_t width_;
  std::vector<std::uint32_t> clocks_;
  std::vector<std::uint32_t> lanes_begin_;   // by key
  std::vector<std::uint32_t> lane_session_;  // by lane
  Groups written_;                           // by lane
  std::vector<std::uint32_t> places_;        // of written_.members
  std::vector<std::uint32_t> number_;        // by event: its place in written_.members
  std::vector<Edge> forced_;
  std::vector<std::uint32_t> late_parents_;
  std::vector<std::vector<std::uint32_t>> saved_;  // by late parent: seen, then carried
};

}  // namespace

Judgement test_causal(const Trace& trace, const Limits& limits) {
  return CausalTest(trace, limits, CausalTest::Kind::causal).test();
}

Judgement test_convergent_causal(const Trace& trace, const Limits& limits) {
  return CausalTest(trace, limits, CausalTest::Kind::convergent).test();
}

Judgement test_writes_follow_reads(const Trace& trace, const Limits& limits) {
  return CausalTest(trace, limits, CausalTest::Kind::writes_follow_reads).test();
}

}  // namespace sunder::checkers::levels
