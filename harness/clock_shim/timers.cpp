// Timers that are set to an absolute time of the realtime clock: timer descriptors and POSIX
// timers.
//
// Nobody waits inside a call of ours for these, so they are translated when they are set and again
// whenever the clock is changed, by a thread that exists only once such a timer does. The kernel's
// timer is always set relative, which no change of the host's clock touches. A timer set with
// TFD_TIMER_CANCEL_ON_SET expires when the clock is changed: its owner wakes and looks at the clock
// as it would after ECANCELED, which only a read could return.
//
// Threading: the table is behind a spin lock, held for a few system calls with signals blocked.

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/clock_shim/shim.hpp"

namespace clock_shim = sunder::clock_shim;

namespace sunder::clock_shim {
namespace {

constexpr std::size_t kTimersMax = 256;
constexpr std::int64_t kLookEvery_ns = 1'000'000'000;
constexpr std::size_t kWatcherStack = 128 * 1024;

enum class Kind : std::uint8_t { none, descriptor, posix };

struct Timer {
  Kind kind = Kind::none;
  bool armed = false;  // a POSIX timer is known from its creation on, for its clock
  bool cancel_on_set = false;
  int descriptor = -1;
  timer_t timer = nullptr;
  clockid_t clock = CLOCK_REALTIME;
  std::int64_t deadline = 0;  // by the process's clock; of a periodic timer the next one
  std::int64_t expires = 0;   // by the monotonic clock, as the kernel's timer was set
  std::int64_t interval = 0;
};

Timer timers[kTimersMax];
std::atomic_flag lock_flag = ATOMIC_FLAG_INIT;
std::atomic<std::uint32_t> armed_descriptors{0};
bool watcher_runs = false;
std::uint32_t seen_generation = 0;  // by the watcher

class Lock {
 public:
  Lock() noexcept {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before_);
    while (lock_flag.test_and_set(std::memory_order_acquire)) ::sched_yield();
  }

  ~Lock() {
    lock_flag.clear(std::memory_order_release);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  sigset_t before_{};
};

// What the kernel says of a timer descriptor.
struct DescriptorFacts {
  bool known = false;    // it is one, of the realtime clock
  bool expired = false;  // and nobody has read that yet
};

DescriptorFacts facts_of(int descriptor) noexcept {
  char text[512];
  std::snprintf(text, sizeof text, "/proc/self/fdinfo/%d", descriptor);
  const int file = ::open(text, O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  const ssize_t count = ::read(file, text, sizeof text - 1);
  next().close(file);
  if (count <= 0) return {};
  text[count] = '\0';
  const char* const clock = std::strstr(text, "clockid:");
  const char* const ticks = std::strstr(text, "ticks:");
  if (clock == nullptr || ticks == nullptr) return {};
  // CLOCK_REALTIME, or CLOCK_REALTIME_ALARM (8).
  const long number = std::strtol(clock + 8, nullptr, 10);
  return {number == CLOCK_REALTIME || number == 8, std::strtol(ticks + 6, nullptr, 10) > 0};
}

std::int64_t monotonic_now() noexcept {
  timespec time{};
  next().clock_gettime(CLOCK_MONOTONIC, &time);
  return to_ns(time);
}

// A periodic timer's deadline goes on by what the kernel has let expire meanwhile.
void advance(Timer& timer) noexcept {
  const std::int64_t late = monotonic_now() - timer.expires;
  if (timer.interval <= 0 || late < 0) return;
  timer.deadline += (late / timer.interval + 1) * timer.interval;
}

int set_real(Timer& timer, std::int64_t value, itimerspec* before) noexcept {
  const itimerspec relative{to_timespec(timer.interval), to_timespec(value < 1 ? 1 : value)};
  timer.expires = monotonic_now() + value;
  return timer.kind == Kind::descriptor
             ? next().timerfd_settime(timer.descriptor, 0, &relative, before)
             : next().timer_settime(timer.timer, 0, &relative, before);
}

bool is_disarmed(const Timer& timer) noexcept {
  itimerspec left{};
  const int failed = timer.kind == Kind::descriptor ? ::timerfd_gettime(timer.descriptor, &left)
                                                    : next().timer_gettime(timer.timer, &left);
  return failed != 0 || to_ns(left.it_value) == 0;
}

void forget(Timer& timer) noexcept {
  if (timer.kind == Kind::descriptor) armed_descriptors.fetch_sub(1);
  if (timer.kind == Kind::posix) {
    timer.armed = false;
  } else {
    timer = {};
  }
}

// Sets a timer anew after the clock was changed.
void translate_again(Timer& timer, bool changed) noexcept {
  const bool descriptor = timer.kind == Kind::descriptor;
  const DescriptorFacts facts = descriptor ? facts_of(timer.descriptor) : DescriptorFacts{};
  if (descriptor && !facts.known) return forget(timer);  // closed behind our back
  if (is_disarmed(timer)) return forget(timer);          // expired, and set only once
  advance(timer);
  const Until left = until(timer.deadline, timer.clock);
  // Setting it would forget an expiration that nobody has read: so it expires again, at once.
  if (facts.expired || (changed && timer.cancel_on_set)) {
    timer.deadline -= timer.interval;  // this one does not count
    (void)set_real(timer, 0, nullptr);
    return;
  }
  // One expiration for all periods that a jump went over.
  if (left.fake <= 0 && timer.interval > 0) {
    timer.deadline += -left.fake / timer.interval * timer.interval;
  }
  (void)set_real(timer, left.real, nullptr);
}

void translate_all(bool changed) noexcept {
  const Lock lock;
  for (Timer& timer : timers) {
    if (timer.armed) translate_again(timer, changed);
  }
}

// How long the parameters stay as they are, if nobody writes them: until the next strobe.
std::int64_t quiet_time(const Parameters& parameters) noexcept {
  std::int64_t shortest = kLookEvery_ns;
  const std::int64_t now = monotonic_now();
  for (std::uint32_t i = 0; i < parameters.count; ++i) {
    const Component& component = parameters.components[i];
    const std::int64_t half = component.period / 2;
    if (half <= 0) continue;
    const std::int64_t left = half - (now - component.base) % half;
    if (left < shortest) shortest = left;
  }
  return shortest;
}

void* watch(void* /*nothing*/) noexcept {
  Page& shared = *page();
  for (;;) {
    const Parameters parameters = read_parameters(shared);
    const bool changed = parameters.generation != seen_generation;
    seen_generation = parameters.generation;
    if (changed || parameters.strobes()) translate_all(changed);
    const timespec limit = to_timespec(quiet_time(parameters) + 100'000);
    system_call(SYS_futex,
                reinterpret_cast<long>(&shared.generation),
                FUTEX_WAIT,
                static_cast<long>(parameters.generation),
                reinterpret_cast<long>(&limit),
                0,
                0);
  }
  return nullptr;
}

// A child has its parent's descriptors, which the parent watches, and none of its timers.
void forget_all_in_child() noexcept {
  for (Timer& timer : timers) timer = {};
  armed_descriptors.store(0);
  lock_flag.clear();
  watcher_runs = false;
}

// Precondition: the table is locked, so that signals are blocked, also in the new thread.
void start_watcher() noexcept {
  if (watcher_runs) return;
  seen_generation = read_parameters(*page()).generation;
  static bool fork_is_watched = false;
  if (!fork_is_watched) ::pthread_atfork(nullptr, nullptr, &forget_all_in_child);
  fork_is_watched = true;
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  ::pthread_attr_setstacksize(&attributes, kWatcherStack);
  pthread_t thread{};
  watcher_runs = next().pthread_create(&thread, &attributes, &watch, nullptr) == 0;
  ::pthread_attr_destroy(&attributes);
}

template <typename Matches>
Timer* find(Matches matches) noexcept {
  for (Timer& timer : timers) {
    if (matches(timer)) return &timer;
  }
  return nullptr;
}

Timer* free_row() noexcept {
  return find([](const Timer& timer) { return timer.kind == Kind::none; });
}

Timer* row_of(int descriptor) noexcept {
  return find([=](const Timer& timer) {
    return timer.kind == Kind::descriptor && timer.descriptor == descriptor;
  });
}

Timer* row_of(timer_t id) noexcept {
  return find([=](const Timer& timer) { return timer.kind == Kind::posix && timer.timer == id; });
}

// Sets the kernel's timer for what was asked and remembers it.
int arm(Timer& timer, const itimerspec& value, itimerspec* before) noexcept {
  count_wait();
  timer.deadline = to_ns(value.it_value);
  timer.interval = to_ns(value.it_interval);
  start_watcher();
  const int result = set_real(timer, until(timer.deadline, timer.clock).real, before);
  timer.armed = result == 0;
  return result;
}

bool is_armed_absolutely(int flags, const itimerspec* value) noexcept {
  if ((flags & TIMER_ABSTIME) == 0 || page() == nullptr || value == nullptr) return false;
  return !is_foreign(&value->it_value) && !is_foreign(&value->it_interval) &&
         to_ns(value->it_value) != 0;
}

void forget_descriptor(int descriptor) noexcept {
  if (armed_descriptors.load(std::memory_order_relaxed) == 0) return;
  const Lock lock;
  if (Timer* const row = row_of(descriptor)) forget(*row);
}

}  // namespace
}  // namespace sunder::clock_shim

SUNDER_INTERPOSE int timerfd_settime(int descriptor,
                                     int flags,
                                     const itimerspec* value,
                                     itimerspec* before) noexcept {
  using clock_shim::Timer;
  const auto real = clock_shim::next().timerfd_settime;
  static_assert(TFD_TIMER_ABSTIME == TIMER_ABSTIME);
  clock_shim::forget_descriptor(descriptor);
  const bool translated =
      clock_shim::is_armed_absolutely(flags, value) && clock_shim::facts_of(descriptor).known;
  if (!translated) return real(descriptor, flags, value, before);
  const clock_shim::Lock lock;
  Timer* const row = clock_shim::free_row();
  if (row == nullptr) return real(descriptor, flags, value, before);
  row->kind = clock_shim::Kind::descriptor;
  row->descriptor = descriptor;
  row->cancel_on_set = (flags & TFD_TIMER_CANCEL_ON_SET) != 0;
  clock_shim::armed_descriptors.fetch_add(1);
  const int result = clock_shim::arm(*row, *value, before);
  if (result != 0) clock_shim::forget(*row);
  return result;
}

SUNDER_INTERPOSE int timer_create(clockid_t clock, sigevent* event, timer_t* timer) noexcept {
  const int result = clock_shim::next().timer_create(clock, event, timer);
  const bool shifted = clock == CLOCK_REALTIME || clock == CLOCK_TAI;
  if (result != 0 || !shifted || clock_shim::page() == nullptr) return result;
  const clock_shim::Lock lock;
  if (clock_shim::Timer* const row = clock_shim::free_row()) {
    row->kind = clock_shim::Kind::posix;
    row->timer = *timer;
    row->clock = clock;
  }
  return result;
}

SUNDER_INTERPOSE int timer_settime(timer_t timer,
                                   int flags,
                                   const itimerspec* value,
                                   itimerspec* before) noexcept {
  const auto real = clock_shim::next().timer_settime;
  if (clock_shim::page() == nullptr) return real(timer, flags, value, before);
  const clock_shim::Lock lock;
  clock_shim::Timer* const row = clock_shim::row_of(timer);
  if (row == nullptr) return real(timer, flags, value, before);
  row->armed = false;
  if (!clock_shim::is_armed_absolutely(flags, value)) return real(timer, flags, value, before);
  return clock_shim::arm(*row, *value, before);
}

SUNDER_INTERPOSE int timer_delete(timer_t timer) noexcept {
  if (clock_shim::page() != nullptr) {
    const clock_shim::Lock lock;
    if (clock_shim::Timer* const row = clock_shim::row_of(timer)) *row = {};
  }
  return clock_shim::next().timer_delete(timer);
}

// A descriptor's number may be another file's from now on.
SUNDER_INTERPOSE int close(int descriptor) {
  clock_shim::forget_descriptor(descriptor);
  return clock_shim::next().close(descriptor);
}

SUNDER_INTERPOSE int dup2(int from, int to) noexcept {
  if (from != to) clock_shim::forget_descriptor(to);
  return clock_shim::next().dup2(from, to);
}

SUNDER_INTERPOSE int dup3(int from, int to, int flags) noexcept {
  if (from != to) clock_shim::forget_descriptor(to);
  return clock_shim::next().dup3(from, to, flags);
}
