// Carries out a schedule: begins each fault at its time, heals it after its duration, one thing at
// a time, and heals whatever stands when it is cancelled.

#include <algorithm>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "harness/base/assert.hpp"
#include "nemesis/nemesis.hpp"

namespace sunder::nemesis {
namespace {

namespace asio = boost::asio;
using history::FaultRecord;
using std::chrono::nanoseconds;

// The faults of one run: which are still to come, which stand, what is to be done next and when.
// One thing at a time.
class Agenda {
 public:
  Agenda(NemesisContext& context, Schedule schedule)
      : context_(context),
        begin_(context.clock.now()),
        faults_(schedule.size()),
        pids_(context.cluster.nodes()) {
    for (std::size_t node = 0; node < pids_.size(); ++node) pids_[node] = context.cluster.pid(node);
    for (std::size_t i = 0; i < schedule.size(); ++i) {
      faults_[i].planned = std::move(schedule[i]);
      if (!faults_[i].planned.at.event.empty()) faults_[i].state = State::waits;
    }
  }

  // A node told something: true when a fault waited for it.
  bool notice(const history::NodeEvent& event) {
    const std::int64_t now = context_.clock.now();
    bool placed = false;
    for (Entry& entry : faults_) {
      const EventPlacement& at = entry.planned.at;
      if (entry.state != State::waits || at.event != event.event) continue;
      if (now < begin_ + entry.planned.start.count() || ++entry.seen < at.count) continue;
      entry.state = State::planned;
      entry.event_time = event.time;
      entry.planned.start = nanoseconds(now - begin_) + at.delay;
      const std::string& shape = entry.planned.shape;
      if (shape == "subject" || shape == "others") entry.planned.target = event.node;
      placed = true;
    }
    return placed;
  }

  // Takes in what was asked for meanwhile.
  void take_requests() {
    if (context_.requests == nullptr) return;
    for (PlannedFault& planned : std::exchange(context_.requests->begin, {})) {
      Entry entry;
      entry.planned = std::move(planned);
      if (!entry.planned.at.event.empty()) entry.state = State::waits;
      faults_.push_back(std::move(entry));
    }
    for (const std::uint32_t id : std::exchange(context_.requests->heal, {})) {
      for (Entry& entry : faults_) {
        if (entry.planned.id == id) withdraw(entry);
      }
    }
  }

  // The load begins: faults may wait for that too.
  void start() {
    history::NodeEvent event;
    event.event = kAtStart;
    event.time = begin_;
    notice(event);
  }

  // The run's time of the next thing to do; none when all is done.
  [[nodiscard]] std::optional<std::int64_t> next_time() const {
    std::optional<std::int64_t> next;
    for (const Entry& entry : faults_) {
      if (entry.state == State::over) continue;
      const std::int64_t due = due_of(entry);
      if (!next || due < *next) next = due;
    }
    return next;
  }

  // Does what is due first, and notices which nodes it started.
  asio::awaitable<Result<void>> act() {
    auto acted = co_await act_first();
    for (std::size_t node = 0; node < pids_.size(); ++node) {
      const int pid = context_.cluster.pid(node);
      if (pid == pids_[node]) continue;
      pids_[node] = pid;
      if (pid == 0) continue;
      history::NodeEvent event;
      event.event = kNodeStarted;
      event.node = context_.cluster.name(static_cast<cluster::Endpoint>(node));
      event.time = context_.clock.now();
      notice(event);
    }
    co_return acted;
  }

  // Heals what stands, the youngest first, whatever fails meanwhile.
  Result<void> heal_all() {
    Result<void> outcome;
    for (auto entry = faults_.rbegin(); entry != faults_.rend(); ++entry) {
      if (entry->state != State::stands) continue;
      auto healed = end(*entry);
      if (healed.has_error() && outcome.has_value()) outcome = healed;
    }
    return outcome;
  }

  [[nodiscard]] std::vector<FaultRecord> records() const {
    std::vector<FaultRecord> records;
    for (const Entry& entry : faults_) {
      if (entry.record) records.push_back(*entry.record);
    }
    return records;
  }

 private:
  asio::awaitable<Result<void>> act_first() {
    Entry* first = nullptr;
    for (Entry& entry : faults_) {
      if (entry.state == State::over) continue;
      if (first == nullptr || due_of(entry) < due_of(*first)) first = &entry;
    }
    SUNDER_ASSERT(first != nullptr);
    if (first->state == State::waits) {
      give_up(*first);
      co_return Result<void>();
    }
    if (first->state == State::planned) {
      auto begun = co_await begin(*first);
      co_return begun;
    }
    if (first->toggle_at && *first->toggle_at < first->heal_at) co_return toggle(*first);
    co_return end(*first);
  }

  enum class State : std::uint8_t { waits, planned, stands, over };

  struct Entry {
    PlannedFault planned;
    State state = State::planned;
    std::unique_ptr<ActiveFault> active;
    std::int64_t heal_at = 0;
    std::optional<std::int64_t> toggle_at;
    std::optional<FaultRecord> record;
    std::uint32_t seen = 0;                  // placed by event: how many came
    std::optional<std::int64_t> event_time;  // when the node told the one that counted
  };

  [[nodiscard]] std::int64_t requested(const Entry& entry) const {
    return begin_ + entry.planned.start.count();
  }

  [[nodiscard]] std::int64_t due_of(const Entry& entry) const {
    if (entry.state == State::waits) return patience_of(entry);
    if (entry.state == State::planned) return requested(entry);
    return entry.toggle_at ? std::min(*entry.toggle_at, entry.heal_at) : entry.heal_at;
  }

  // Until when a fault waits for its event.
  [[nodiscard]] std::int64_t patience_of(const Entry& entry) const {
    const std::int64_t within = entry.planned.at.within.count();
    if (within == 0) return context_.events_until;
    return std::min(context_.events_until, requested(entry) + within);
  }

  void write_down(Entry& entry, FaultRecord record) {
    record.requested = requested(entry);
    record.event = entry.planned.at.event;
    if (entry.event_time && record.healed > 0 && record.active.end > record.active.begin) {
      const std::int64_t lag = record.active.begin - *entry.event_time;
      record.evidence.push_back({"lag", static_cast<double>(lag) / 1e6, "ms"});
    }
    entry.record = std::move(record);
    if (context_.record) context_.record(*entry.record);
  }

  asio::awaitable<Result<void>> begin(Entry& entry) {
    const FaultInfo* const family = find_fault(entry.planned.family);
    SUNDER_ASSERT(family != nullptr);
    context_.held = held_nodes();
    auto applied = co_await family->apply(context_, entry.planned);
    if (applied.has_error()) {
      entry.state = State::over;
      const bool unsupported = is(applied.error(), Errc::unsupported);
      if (!unsupported && context_.requests == nullptr) co_return applied.error();
      write_down(entry,
                 not_begun(entry, unsupported ? "skipped" : "failed", applied.error().message()));
      co_return Result<void>();
    }
    entry.state = State::stands;
    entry.active = std::move(*applied);
    const std::int64_t since = entry.active->record().active.begin;
    entry.heal_at = since + entry.planned.duration.count();
    if (const auto period = entry.active->period()) entry.toggle_at = since + period->count();
    write_down(entry, entry.active->record());
    co_return Result<void>();
  }

  // Nodes of the faults that stand and would spoil, or be spoilt by, another one on the same node.
  [[nodiscard]] std::vector<std::size_t> held_nodes() const {
    std::vector<std::size_t> held;
    for (std::size_t node = 0; node < pids_.size(); ++node) {
      if (std::ranges::any_of(faults_, [&](const Entry& entry) { return holds(entry, node); })) {
        held.push_back(node);
      }
    }
    return held;
  }

  [[nodiscard]] bool holds(const Entry& entry, std::size_t node) const {
    if (entry.state != State::stands) return false;
    const Burden& burden = find_fault(entry.planned.family)->burden;
    const history::FaultRecord& record = entry.active->record();
    const std::string name = context_.cluster.name(static_cast<cluster::Endpoint>(node));
    if (burden.cuts) return is_cut_off(record, name);
    // Links of all nodes may be slow; a slow minority is one of processes.
    const bool slow = burden.slows && record.targets.size() * 2 <= pids_.size();
    if (!burden.stops && !burden.lies && !burden.ends && !burden.skews && !slow) return false;
    return std::ranges::count(record.targets, name) > 0;
  }

  // From most others; those on the greater side of a partition are not.
  [[nodiscard]] bool is_cut_off(const history::FaultRecord& record, const std::string& name) const {
    std::size_t others = 0;
    for (std::size_t node = 0; node < pids_.size(); ++node) {
      const std::string other = context_.cluster.name(static_cast<cluster::Endpoint>(node));
      others += std::ranges::any_of(record.cut_links,
                                    [&](const auto& link) {
                                      return (link.first == name && link.second == other) ||
                                             (link.first == other && link.second == name);
                                    })
                    ? 1U
                    : 0U;
    }
    return others * 2 > pids_.size() - 1;
  }

  // What stands is due for healing, what has not begun never will.
  void withdraw(Entry& entry) {
    if (entry.state == State::over) return;
    if (entry.state == State::stands) {
      entry.heal_at = context_.clock.now();
      entry.toggle_at.reset();
      return;
    }
    entry.state = State::over;
    write_down(entry, not_begun(entry, "withdrawn", "it was healed before it began"));
  }

  void give_up(Entry& entry) {
    entry.state = State::over;
    const EventPlacement& at = entry.planned.at;
    std::string reason = fmt::format("its event never came: {} of {} {} from {} ms of the load on",
                                     entry.seen,
                                     at.count,
                                     at.event,
                                     entry.planned.start / std::chrono::milliseconds(1));
    if (at.within.count() > 0) {
      reason += fmt::format(" within {} ms", at.within / std::chrono::milliseconds(1));
    }
    write_down(entry, not_begun(entry, "never placed", reason));
  }

  Result<void> toggle(Entry& entry) {
    const auto period = entry.active->period();
    SUNDER_ASSERT(period.has_value());
    *entry.toggle_at = std::max(*entry.toggle_at + period->count(), context_.clock.now());
    return entry.active->toggle();
  }

  Result<void> end(Entry& entry) {
    entry.state = State::over;
    auto healed = entry.active->heal();
    write_down(entry, entry.active->record());
    entry.active.reset();
    return healed;
  }

  [[nodiscard]] FaultRecord not_begun(const Entry& entry,
                                      std::string_view outcome,
                                      std::string reason) const {
    FaultRecord record;
    record.id = entry.planned.id;
    record.family = entry.planned.family;
    record.shape = entry.planned.shape;
    record.description =
        fmt::format("{} {}: {}", entry.planned.family, entry.planned.shape, outcome);
    record.reason = std::move(reason);
    const std::int64_t now = context_.clock.now();
    record.applying = {now, now};
    record.active = {now, now};
    record.healed = now;
    return record;
  }

  NemesisContext& context_;
  std::int64_t begin_;
  std::vector<Entry> faults_;
  std::vector<int> pids_;  // of the nodes, as last seen
};

// Receives node events for as long as it lives.
class EventSubscription {
 public:
  EventSubscription(NemesisContext& context, std::function<void(const history::NodeEvent&)> handler)
      : context_(context) {
    if (context_.on_event) context_.on_event(std::move(handler));
  }

  EventSubscription(const EventSubscription&) = delete;
  EventSubscription& operator=(const EventSubscription&) = delete;

  ~EventSubscription() {
    if (context_.on_event) context_.on_event({});
  }

 private:
  NemesisContext& context_;
};

// Requests wake the schedule for as long as it lives.
class RequestsOpen {
 public:
  RequestsOpen(NemesisContext& context, asio::steady_timer& alarm) : requests_(context.requests) {
    if (requests_ != nullptr) requests_->wake = [&alarm] { alarm.cancel(); };
  }

  RequestsOpen(const RequestsOpen&) = delete;
  RequestsOpen& operator=(const RequestsOpen&) = delete;

  ~RequestsOpen() {
    if (requests_ != nullptr) requests_->wake = {};
  }

 private:
  ScheduleRequests* requests_;
};

constexpr nanoseconds kLongestWait = std::chrono::hours(1);

}  // namespace

asio::awaitable<Result<std::vector<FaultRecord>>> run_schedule(NemesisContext& context,
                                                               Schedule schedule) {
  Agenda agenda(context, std::move(schedule));
  auto executor = co_await asio::this_coro::executor;
  asio::steady_timer alarm(executor);
  const EventSubscription subscription(context, [&agenda, &alarm](const history::NodeEvent& event) {
    if (agenda.notice(event)) alarm.cancel();
  });
  agenda.start();
  const RequestsOpen requests(context, alarm);
  // Cancellation is noticed between the acts, never in the middle of one: a fault is whole or not
  // there.
  const bool throwing = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  Result<void> outcome;
  bool cancelled = false;
  while (!cancelled && outcome.has_value()) {
    agenda.take_requests();
    const auto next = agenda.next_time();
    if (!next && context.requests == nullptr) break;
    const nanoseconds wait = next ? nanoseconds(*next - context.clock.now()) : kLongestWait;
    if (wait.count() > 0) {
      // An event may bring something that is due earlier: then it ends early.
      alarm.expires_after(std::min<nanoseconds>(wait, kLongestWait));
      co_await alarm.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    const auto before = co_await asio::this_coro::cancellation_state;
    if (before.cancelled() != asio::cancellation_type::none) break;
    const auto due = agenda.next_time();
    if (!due || *due > context.clock.now()) continue;
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation(),
                                                       asio::disable_cancellation());
    outcome = co_await agenda.act();
    const auto after = co_await asio::this_coro::cancellation_state;
    cancelled = after.cancelled() != asio::cancellation_type::none;
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
  }
  const auto healed = agenda.heal_all();
  co_await asio::this_coro::throw_if_cancelled(throwing);
  if (outcome.has_error()) co_return outcome.error();
  if (healed.has_error()) co_return healed.error();
  co_return agenda.records();
}

}  // namespace sunder::nemesis
