#include "checkers/levels/trace.hpp"

#include <algorithm>
#include <unordered_map>

#include "checkers/models/model.hpp"
#include "harness/base/assert.hpp"

namespace sunder::checkers::levels {
namespace {

using history::Function;
using history::Operation;
using history::Outcome;
using history::Value;

// How many writers a read of "another value" is tried with.
constexpr std::size_t kCandidates_max = 64;

// Numbers what it is given 0, 1, … in the order of first meeting.
template <typename Name>
class Numbers {
 public:
  std::uint32_t of(Name name) {
    return numbers_.try_emplace(name, static_cast<std::uint32_t>(numbers_.size())).first->second;
  }

  [[nodiscard]] std::uint32_t size() const noexcept {
    return static_cast<std::uint32_t>(numbers_.size());
  }

 private:
  std::unordered_map<Name, std::uint32_t> numbers_;
};

std::pair<Value, Value> pair_of(const history::History& history, const Operation& operation) {
  if (!operation.input.is_list()) return {};
  const auto pair = history.pool().items_of(operation.input);
  return pair.size() == 2 ? std::pair(pair[0], pair[1]) : std::pair<Value, Value>();
}

// Sets sessions, places and predecessors of events whose `session` is their process.
void chain(Trace& trace, std::uint32_t processes) {
  struct Process {
    std::uint32_t last = kNone;  // its newest event that others follow
    std::uint32_t session = kNone;
    std::uint32_t places = 0;
  };

  std::vector<std::uint32_t> last_of(processes, kNone);
  for (std::uint32_t i = 0; i < trace.size(); ++i) last_of[trace.events[i].session] = i;
  std::vector<Process> states(processes);
  trace.sessions = 0;
  for (std::uint32_t i = 0; i < trace.size(); ++i) {
    Event& event = trace.events[i];
    const std::uint32_t process_number = event.session;
    Process& process = states[process_number];
    event.previous = process.last;
    if (event.is_late && last_of[process_number] != i) {
      event.session = trace.sessions++;
      event.place = 0;
      continue;
    }
    if (process.session == kNone) process.session = trace.sessions++;
    event.session = process.session;
    event.place = process.places++;
    process.last = i;
  }
}

}  // namespace

bool Trace::session_precedes(std::uint32_t earlier, std::uint32_t later) const noexcept {
  const Event& first = events[earlier];
  std::uint32_t place = events[later].place;
  if (first.session != events[later].session) {
    // The later one may have left the earlier one's session.
    const std::uint32_t parent = place == 0 ? events[later].previous : kNone;
    if (parent == kNone || events[parent].session != first.session) return false;
    place = events[parent].place + 1;
  }
  return first.place < place;
}

Trace Trace::without(const std::vector<bool>& dropped) const {
  std::vector<bool> out = dropped;
  // Who reads from what is left out goes, too, and so on: a writer may come after its reader.
  for (bool again = true; again;) {
    again = false;
    for (std::uint32_t i = 0; i < size(); ++i) {
      if (out[i] || !events[i].reads_event() || !out[events[i].source]) continue;
      out[i] = true;
      again = again || events[i].writes;
    }
  }
  Trace rest;
  rest.keys = keys;
  std::vector<std::uint32_t> number(size(), kNone);
  // The process of a late event is that of the event before it.
  std::vector<std::uint32_t> process(size());
  for (std::uint32_t i = 0; i < size(); ++i) {
    const bool left = events[i].place == 0 && events[i].previous != kNone;
    process[i] = left ? process[events[i].previous] : events[i].session;
    if (out[i]) continue;
    number[i] = rest.size();
    rest.events.push_back(events[i]);
    rest.events.back().session = process[i];
  }
  for (Event& event : rest.events) {
    if (event.reads_event()) event.source = number[event.source];
  }
  chain(rest, sessions);
  return rest;
}

std::vector<std::uint32_t> Trace::topological_order(std::vector<std::uint32_t>* circle) const {
  std::vector<std::uint32_t> order;
  order.reserve(size());
  std::vector<std::uint8_t> state(size(), 0);  // 1: waits for others, 2: placed
  std::vector<std::uint32_t> stack;
  for (std::uint32_t root = 0; root < size(); ++root) {
    if (state[root] != 0) continue;
    stack.push_back(root);
    while (!stack.empty()) {
      const std::uint32_t i = stack.back();
      const auto waits_for = [&](std::uint32_t other) {
        if (other >= kInitial || state[other] == 2) return false;
        stack.push_back(other);
        return true;
      };
      if (state[i] == 2) {
        stack.pop_back();
        continue;
      }
      state[i] = 1;
      const std::uint32_t previous = events[i].previous;
      const std::uint32_t source = events[i].source;
      for (const std::uint32_t other : {previous, source}) {
        if (other >= kInitial || state[other] != 1) continue;
        circle->assign(std::ranges::find(stack, other), stack.end());
        return order;
      }
      if (waits_for(previous) || waits_for(source)) continue;
      state[i] = 2;
      order.push_back(i);
      stack.pop_back();
    }
  }
  return order;
}

Draft::Draft(const history::History& history) {
  collect(history);
  trace_reads();
}

void Draft::collect(const history::History& history) {
  Numbers<std::int64_t> processes;
  Numbers<history::Symbol> keys;
  for (std::uint32_t i = 0; i < history.operations().size(); ++i) {
    const Operation& operation = history.operations()[i];
    const bool unknown = operation.outcome == Outcome::info;
    const bool failed = operation.outcome == Outcome::fail;
    const bool silent = failed && operation.output.is_none();
    observations_ += operation.outcome == Outcome::ok || !operation.output.is_none() ||
                             has_compared(history.pool(), operation)
                         ? 1U
                         : 0U;
    Value read;
    Value written;
    if (operation.function == Function::read) {
      if (operation.outcome == Outcome::ok) read = operation.output;
    } else if (operation.function == Function::write) {
      if (!failed) written = operation.input;
    } else if (operation.function == Function::cas) {
      const auto [from, to] = pair_of(history, operation);
      if (!failed) {
        read = from;
        written = to;
      } else if (!silent) {
        read = operation.output;
      } else if (has_compared(history.pool(), operation)) {
        read = from;
      }
    }
    if (read.is_none() && written.is_none()) continue;
    const auto event = static_cast<std::uint32_t>(events_.size());
    events_.push_back({.operation = i,
                       .session = processes.of(operation.process),
                       .key = keys.of(operation.key),
                       .writes = !written.is_none(),
                       .is_late = unknown});
    written_.push_back(written);
    unknown_.push_back(unknown);
    invoked_.push_back(operation.invoke);
    completed_.push_back(operation.complete);
    const bool differs = silent && operation.function == Function::cas;
    if (!read.is_none()) reads_.push_back({read, event, differs});
  }
  processes_ = processes.size();
  keys_ = keys.size();
}

// Who wrote what each read found.
void Draft::trace_reads() {
  std::vector<std::uint32_t> key_of(events_.size(), kNone);
  for (std::uint32_t i = 0; i < events_.size(); ++i) {
    if (events_[i].writes) key_of[i] = events_[i].key;
  }
  Groups writers = group_by(key_of, keys_);
  const auto by_value = [&](std::uint32_t a, std::uint32_t b) { return written_[a] < written_[b]; };
  for (std::uint32_t key = 0; key < keys_; ++key) {
    std::stable_sort(writers.members.begin() + writers.begin[key],
                     writers.members.begin() + writers.begin[key + 1],
                     by_value);
  }
  for (const Read& read : reads_) {
    const std::span<const std::uint32_t> all = writers.of(events_[read.event].key);
    const bool from_nil = read.value.is_nil();
    std::vector<std::uint32_t> candidates;
    if (read.differs) {
      if (!from_nil) candidates.push_back(kInitial);
      for (const std::uint32_t i : all) {
        if (written_[i] != read.value && i != read.event) candidates.push_back(i);
      }
    } else {
      if (from_nil) candidates.push_back(kInitial);
      const auto [begin, end] = std::ranges::equal_range(
          all, read.value, {}, [&](std::uint32_t i) { return written_[i]; });
      for (const std::uint32_t i : std::span(begin, end)) {
        if (i != read.event) candidates.push_back(i);
      }
    }
    if (candidates.size() == 1) {
      events_[read.event].source = candidates.front();
      continue;
    }
    if (candidates.empty() && !unknown_[read.event]) {
      unmade_ = std::min(unmade_, events_[read.event].operation);
    }
    ask(read, std::move(candidates));
  }
}

void Draft::ask(const Read& read, std::vector<std::uint32_t> candidates) {
  // The newest one that had begun when the read ended is the likeliest.
  const std::int64_t end = completed_[read.event];
  const auto likely = [&](std::uint32_t i) {
    if (i == kInitial) return std::pair(1, std::int64_t{-1});
    return invoked_[i] <= end ? std::pair(0, -invoked_[i]) : std::pair(2, invoked_[i]);
  };
  std::ranges::stable_sort(candidates, {}, likely);
  Question question{.event = read.event, .candidates = std::move(candidates)};
  if (question.candidates.size() > kCandidates_max) {
    question.candidates.resize(kCandidates_max);
    question.complete = false;
  }
  questions_.push_back(std::move(question));
}

std::vector<std::uint32_t> Draft::sources(std::span<const std::uint32_t> answers) const {
  SUNDER_ASSERT(answers.size() == questions_.size());
  std::vector<std::uint32_t> sources(events_.size());
  for (std::uint32_t i = 0; i < events_.size(); ++i) sources[i] = events_[i].source;
  for (std::size_t i = 0; i < answers.size(); ++i) sources[questions_[i].event] = answers[i];
  return sources;
}

// Everything with a known outcome, and whatever that read from.
std::vector<bool> Draft::happened(std::span<const std::uint32_t> sources) const {
  std::vector<bool> happened(events_.size(), false);
  std::vector<std::uint32_t> work;
  const auto enter = [&](std::uint32_t i) {
    if (i >= kInitial || happened[i]) return;
    happened[i] = true;
    work.push_back(i);
  };
  for (std::uint32_t i = 0; i < events_.size(); ++i) {
    if (!unknown_[i]) enter(i);
    while (!work.empty()) {
      const std::uint32_t next = work.back();
      work.pop_back();
      enter(sources[next]);
    }
  }
  return happened;
}

bool Draft::happens(std::uint32_t event, std::span<const std::uint32_t> answers) const {
  return happened(sources(answers))[event];
}

Trace Draft::settle(std::span<const std::uint32_t> answers) const {
  const std::vector<std::uint32_t> sources = this->sources(answers);
  const std::vector<bool> happened = this->happened(sources);
  Trace trace;
  trace.keys = keys_;
  trace.events.reserve(events_.size());
  std::vector<std::uint32_t> number(events_.size(), kNone);
  for (std::uint32_t i = 0; i < events_.size(); ++i) {
    if (!happened[i] || (sources[i] == kNone && !events_[i].writes)) continue;
    number[i] = trace.size();
    trace.events.push_back(events_[i]);
    trace.events.back().source = sources[i];
  }
  for (Event& event : trace.events) {
    if (event.reads_event()) event.source = number[event.source];
  }
  chain(trace, processes_);
  return trace;
}

}  // namespace sunder::checkers::levels
