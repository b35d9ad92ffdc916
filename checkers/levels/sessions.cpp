// Session guarantees that need no clocks (Terry et al., "Session guarantees for weakly consistent
// replicated data", PDIS 1994), as far as clients can see them.

#include <algorithm>
#include <vector>

#include "checkers/levels/levels.hpp"

namespace sunder::checkers::levels {
namespace {

// The process of each event, as the session that it began with.
std::vector<std::uint32_t> processes_of(const Trace& trace) {
  std::vector<std::uint32_t> process(trace.size());
  for (std::uint32_t i = 0; i < trace.size(); ++i) {
    const Event& event = trace.events[i];
    const bool left = event.place == 0 && event.previous != kNone;
    process[i] = left ? process[event.previous] : event.session;
  }
  return process;
}

// Events of one process on one key, in order, one group after the other.
Groups by_process_and_key(const Trace& trace) {
  const std::vector<std::uint32_t> process = processes_of(trace);
  std::vector<std::uint32_t> keys(trace.size());
  for (std::uint32_t i = 0; i < trace.size(); ++i) keys[i] = trace.events[i].key;
  const Groups of_key = group_by(keys, trace.keys);
  // Two stable passes: events sorted by process, then by key.
  std::vector<std::uint32_t> group_of(trace.size());
  std::vector<std::uint32_t> group_in_key(trace.sessions, kNone);
  std::uint32_t groups = 0;
  for (std::uint32_t key = 0; key < trace.keys; ++key) {
    for (const std::uint32_t i : of_key.of(key)) {
      std::uint32_t& group = group_in_key[process[i]];
      if (group == kNone) group = groups++;
      group_of[i] = group;
    }
    for (const std::uint32_t i : of_key.of(key)) group_in_key[process[i]] = kNone;
  }
  return group_by(group_of, groups);
}

// Whether others of its process follow it.
bool is_followed(const Trace& trace, std::uint32_t i) {
  const Event& event = trace.events[i];
  return event.place != 0 || event.previous == kNone;
}

// Who read a write has seen what its process wrote before, and keeps it.
class MonotonicWrites {
 public:
  explicit MonotonicWrites(const Trace& trace)
      : trace_(&trace),
        next_write_(trace.size(), kNone),
        seen_(trace.sessions, 0),
        seen_by_(trace.sessions, kNone) {
    index_writes();
  }

  [[nodiscard]] Judgement test() {
    const std::vector<std::uint32_t> process = processes_of(*trace_);
    const Groups groups = group_by(process, trace_->sessions);
    for (std::uint32_t group = 0; group < trace_->sessions; ++group) {
      reader_ = group;
      for (const std::uint32_t i : groups.of(group)) {
        if (!trace_->events[i].reads()) continue;
        if (!allows(i)) return violated_at(i);
      }
    }
    return {};
  }

 private:
  void index_writes() {
    std::vector<std::uint32_t> key_of(trace_->size(), kNone);
    std::vector<std::uint32_t> late_key(trace_->size(), kNone);
    for (std::uint32_t i = 0; i < trace_->size(); ++i) {
      const Event& event = trace_->events[i];
      if (event.writes) key_of[i] = event.key;
      if (event.writes && !is_followed(*trace_, i)) late_key[i] = event.key;
    }
    late_ = group_by(late_key, trace_->keys);
    const Groups writers = group_by(key_of, trace_->keys);
    std::vector<std::uint32_t> newest(trace_->sessions, kNone);
    std::vector<std::uint32_t> first_key(trace_->size(), kNone);
    for (std::uint32_t key = 0; key < trace_->keys; ++key) {
      for (const std::uint32_t i : writers.of(key)) {
        std::uint32_t& before = newest[trace_->events[i].session];
        if (before == kNone) first_key[i] = key;
        if (before != kNone) next_write_[before] = i;
        before = i;
      }
      for (const std::uint32_t i : writers.of(key)) newest[trace_->events[i].session] = kNone;
    }
    first_ = group_by(first_key, trace_->keys);
  }

  [[nodiscard]] std::uint32_t seen(std::uint32_t session) const noexcept {
    return seen_by_[session] == reader_ ? seen_[session] : 0;
  }

  // Returns what was seen before.
  std::uint32_t see(const Event& write) {
    const std::uint32_t before = seen(write.session);
    seen_by_[write.session] = reader_;
    seen_[write.session] = std::max(before, write.place + 1);
    return before;
  }

  // Whether a read may find what it found after all that its process has seen.
  [[nodiscard]] bool allows(std::uint32_t i) {
    const Event& event = trace_->events[i];
    if (event.source == kInitial) {
      return std::ranges::none_of(first_.of(event.key), [&](std::uint32_t first) {
        return trace_->events[first].place < seen(trace_->events[first].session);
      });
    }
    const Event& source = trace_->events[event.source];
    const bool left = source.place == 0 && source.previous != kNone;
    const Event* parent = left ? &trace_->events[source.previous] : nullptr;
    const std::uint32_t before = see(source);
    const std::uint32_t parent_before = parent == nullptr ? 0 : see(*parent);
    const std::uint32_t next = next_write_[event.source];
    const bool replaced = next != kNone && trace_->events[next].place < seen(source.session);
    // Late writes are in sessions of their own.
    const auto replaces = [&](std::uint32_t late) {
      return late != event.source && seen(trace_->events[late].session) > 0 &&
             trace_->session_precedes(event.source, late);
    };
    const bool allowed = !replaced && std::ranges::none_of(late_.of(event.key), replaces);
    if (!is_followed(*trace_, i)) {
      // Nobody follows a late cas: what it saw is nobody else's.
      seen_[source.session] = before;
      if (parent != nullptr) seen_[parent->session] = parent_before;
    }
    return allowed;
  }

  const Trace* trace_;
  std::vector<std::uint32_t> next_write_;  // of the same key by the same session
  Groups first_;                           // by key: each session's first write of it
  Groups late_;                            // by key: writes in sessions of their own
  std::vector<std::uint32_t> seen_;        // by session: places before it were seen
  std::vector<std::uint32_t> seen_by_;     // by session: whose `seen_` it is
  std::uint32_t reader_ = 0;
};

}  // namespace

// A read must not find the initial value, or one that its process knew to be older, after a write
// of its own.
Judgement test_read_your_writes(const Trace& trace, const Limits& /*linear*/) {
  const Groups groups = by_process_and_key(trace);
  // By write: the group that read it, and where in the group it was read first.
  std::vector<std::uint32_t> read_in(trace.size(), kNone);
  std::vector<std::uint32_t> read_at(trace.size(), 0);
  for (std::uint32_t group = 0; group + 1 < groups.begin.size(); ++group) {
    std::uint32_t own = kNone;  // its newest write
    std::uint32_t own_at = 0;   // where in the group
    std::uint32_t position = 0;
    for (const std::uint32_t i : groups.of(group)) {
      const Event& event = trace.events[i];
      ++position;
      if (event.reads() && own != kNone) {
        const std::uint32_t source = event.source;
        if (source == kInitial) return violated_at(i);
        const bool knew = read_in[source] == group && read_at[source] <= own_at &&
                          !trace.session_precedes(own, source);
        if (source != own && (knew || trace.session_precedes(source, own))) return violated_at(i);
      }
      if (!is_followed(trace, i)) continue;
      if (event.reads_event() && read_in[event.source] != group) {
        read_in[event.source] = group;
        read_at[event.source] = position;
      }
      if (event.writes) {
        own = i;
        own_at = position;
      }
    }
  }
  return {};
}

// A process' reads of a key must not go back: to the initial value, to one that it has moved on
// from, or to one that its writer had replaced by one seen.
Judgement test_monotonic_reads(const Trace& trace, const Limits& /*linear*/) {
  const Groups groups = by_process_and_key(trace);
  std::vector<std::uint32_t> read_in(trace.size(), kNone);  // by write: the group that read it
  std::vector<std::uint32_t> marked_in(trace.sessions, kNone);
  std::vector<std::uint32_t> replaced(trace.sessions, 0);  // places before it, if marked
  for (std::uint32_t group = 0; group + 1 < groups.begin.size(); ++group) {
    std::uint32_t last = kInitial;
    const auto mark = [&](std::uint32_t session, std::uint32_t places) {
      if (marked_in[session] != group) replaced[session] = 0;
      marked_in[session] = group;
      replaced[session] = std::max(replaced[session], places);
    };
    for (const std::uint32_t i : groups.of(group)) {
      const std::uint32_t source = trace.events[i].source;
      if (source == kNone || source == last) continue;
      if (source == kInitial || read_in[source] == group) return violated_at(i);
      const Event& writer = trace.events[source];
      const bool older =
          marked_in[writer.session] == group && writer.place < replaced[writer.session];
      if (older) return violated_at(i);
      if (!is_followed(trace, i)) continue;
      read_in[source] = group;
      last = source;
      mark(writer.session, writer.place);
      if (writer.place == 0 && writer.previous != kNone) {
        mark(trace.events[writer.previous].session, trace.events[writer.previous].place + 1);
      }
    }
  }
  return {};
}

Judgement test_monotonic_writes(const Trace& trace, const Limits& /*linear*/) {
  return MonotonicWrites(trace).test();
}

}  // namespace sunder::checkers::levels
