// Sequential consistency (Lamport, IEEE Trans. Computers C-28(9), 1979): one order of all
// operations, in which each process' own are in order, explains every read. NP-complete (Gibbons &
// Korach, SIAM J. Comput. 26(4), 1997).
//
// What causal memory or convergence contradicts is contradicted at once. The rest is searched: the
// state after some operations is fully given by which they are, since a value that still has
// readers cannot have been replaced. Reads are done as soon as they can be, and so are writes that
// nobody reads and the only cas that can come next; only writes that have readers are chosen among.

#include <algorithm>
#include <unordered_set>
#include <vector>

#include "checkers/levels/levels.hpp"
#include "harness/base/random.hpp"

namespace sunder::checkers::levels {
namespace {

// A set of events, by the sum of their random names.
struct SetName {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend bool operator==(const SetName&, const SetName&) noexcept = default;
};

struct SetNameHash {
  std::size_t operator()(const SetName& name) const noexcept {
    return static_cast<std::size_t>(name.low);
  }
};

class OrderSearch {
 public:
  OrderSearch(const Trace& trace, const Limits& limits)
      : trace_(&trace),
        limits_(&limits),
        readers_(trace.size(), 0),
        initial_readers_(trace.keys, 0),
        current_(trace.keys, kInitial),
        done_of_(trace.sessions, 0) {
    std::vector<std::uint32_t> session_of;
    session_of.reserve(trace.size());
    for (const Event& event : trace.events) {
      session_of.push_back(event.session);
      if (event.reads_event()) ++readers_[event.source];
      if (event.source == kInitial) ++initial_readers_[event.key];
    }
    sessions_ = group_by(session_of, trace.sessions);
    is_read_.assign(trace.size(), 0);
    for (std::uint32_t i = 0; i < trace.size(); ++i) is_read_[i] = readers_[i] > 0 ? 1 : 0;
  }

  [[nodiscard]] Finding search() {
    advance_all();
    while (done_.size() < trace_->size()) {
      if (++steps_ % kPoll == 0 && limits_->expired()) return Finding::out_of_time;
      if (seen_.size() * kBytes_of_state > limits_->memory) return Finding::out_of_memory;
      if (!choose_first() && !choose_another()) return Finding::violated;
      advance_all();
    }
    return Finding::holds;
  }

  // The most that any order explained.
  [[nodiscard]] std::uint32_t farthest() const noexcept { return farthest_; }

 private:
  static constexpr std::size_t kPoll = 1024;
  static constexpr std::size_t kBytes_of_state = 48;

  struct Choice {
    std::size_t done = 0;     // events before it
    std::size_t options = 0;  // where its options begin
    std::size_t next = 0;     // the option to be tried next
  };

  [[nodiscard]] std::uint32_t head(std::uint32_t session) const noexcept {
    const auto all = sessions_.of(session);
    if (done_of_[session] == all.size()) return kNone;
    const std::uint32_t i = all[done_of_[session]];
    // A late event waits for its process.
    const Event& event = trace_->events[i];
    if (event.place == 0 && event.previous != kNone && !is_done(event.previous)) return kNone;
    return i;
  }

  [[nodiscard]] bool is_done(std::uint32_t i) const noexcept {
    return trace_->events[i].place < done_of_[trace_->events[i].session];
  }

  [[nodiscard]] std::uint32_t& readers_left(std::uint32_t key) {
    const std::uint32_t current = current_[key];
    return current == kInitial ? initial_readers_[key] : readers_[current];
  }

  enum class Move : std::uint8_t { blocked, free, choice };

  [[nodiscard]] Move move_of(std::uint32_t i) {
    const Event& event = trace_->events[i];
    const std::uint32_t left = readers_left(event.key);
    if (!event.writes) return event.source == current_[event.key] ? Move::free : Move::blocked;
    if (event.reads()) {
      return event.source == current_[event.key] && left == 1 ? Move::free : Move::blocked;
    }
    if (left != 0) return Move::blocked;
    return is_read_[i] != 0 ? Move::choice : Move::free;
  }

  void apply(std::uint32_t i) {
    const Event& event = trace_->events[i];
    if (event.reads()) --readers_left(event.key);
    replaced_.push_back(current_[event.key]);
    if (event.writes) current_[event.key] = i;
    ++done_of_[event.session];
    done_.push_back(i);
    add_name(i);
    farthest_ = std::max(farthest_, static_cast<std::uint32_t>(done_.size()));
  }

  void undo() {
    const std::uint32_t i = done_.back();
    const Event& event = trace_->events[i];
    current_[event.key] = replaced_.back();
    if (event.reads()) ++readers_left(event.key);
    --done_of_[event.session];
    replaced_.pop_back();
    done_.pop_back();
    add_name(i);
  }

  void add_name(std::uint32_t i) {
    std::uint64_t state = std::uint64_t{i} * 2 + 1;
    name_.low ^= base::splitmix64(state);
    name_.high ^= base::splitmix64(state);
  }

  // Does whatever needs no choice.
  void advance_all() {
    for (bool moved = true; moved;) {
      moved = false;
      for (std::uint32_t session = 0; session < trace_->sessions; ++session) {
        for (std::uint32_t i = head(session); i != kNone && move_of(i) == Move::free;
             i = head(session)) {
          apply(i);
          moved = true;
        }
      }
    }
  }

  // A state not met before: its options, those that began first first.
  bool choose_first() {
    if (!seen_.insert(name_).second) return false;
    const std::size_t begin = options_.size();
    for (std::uint32_t session = 0; session < trace_->sessions; ++session) {
      const std::uint32_t i = head(session);
      if (i != kNone && move_of(i) == Move::choice) options_.push_back(i);
    }
    std::sort(options_.begin() + static_cast<std::ptrdiff_t>(begin), options_.end());
    if (options_.size() == begin) return false;
    choices_.push_back({done_.size(), begin, begin + 1});
    apply(options_[begin]);
    return true;
  }

  bool choose_another() {
    while (!choices_.empty()) {
      Choice& choice = choices_.back();
      while (done_.size() > choice.done) undo();
      if (choice.next < options_.size()) {
        apply(options_[choice.next++]);
        return true;
      }
      options_.resize(choice.options);
      choices_.pop_back();
    }
    return false;
  }

  const Trace* trace_;
  const Limits* limits_;
  Groups sessions_;
  std::vector<std::uint32_t> readers_;          // by write: how many are still to read it
  std::vector<std::uint32_t> initial_readers_;  // by key
  std::vector<std::uint8_t> is_read_;           // by event
  std::vector<std::uint32_t> current_;          // by key
  std::vector<std::uint32_t> done_of_;          // by session
  std::vector<std::uint32_t> done_;             // in order
  std::vector<std::uint32_t> replaced_;         // what was current before each of them
  std::vector<std::uint32_t> options_;
  std::vector<Choice> choices_;
  std::unordered_set<SetName, SetNameHash> seen_;
  SetName name_;
  std::size_t steps_ = 0;
  std::uint32_t farthest_ = 0;
};

}  // namespace

Judgement test_sequential(const Trace& trace, const Limits& limits) {
  const Judgement memory = test_causal_memory(trace, limits);
  if (memory.finding == Finding::violated) return memory;
  const Judgement convergent = test_convergent_causal(trace, limits);
  if (convergent.finding == Finding::violated) return convergent;
  OrderSearch search(trace, limits);
  const Finding finding = search.search();
  if (finding != Finding::violated) return {.finding = finding};
  return violated_at(std::min(search.farthest(), trace.size() - 1));
}

}  // namespace sunder::checkers::levels
