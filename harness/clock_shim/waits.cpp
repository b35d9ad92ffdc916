// The functions that wait until an absolute time of the realtime clock.
//
// Each waits in slices (shim.hpp). Where a wait can be cut without anybody noticing, slices follow
// one another inside the call. A condition variable cannot: between two waits a signal would be
// lost; so each slice that ends early is a spurious wake-up, which its callers must expect anyhow.

#include <climits>
#include <cstdarg>

#include <linux/futex.h>
#include <sys/syscall.h>

#include "harness/clock_shim/shim.hpp"

namespace clock_shim = sunder::clock_shim;

namespace sunder::clock_shim {
namespace {

bool is_translated(clockid_t clock, const timespec* deadline) noexcept {
  return clock == CLOCK_REALTIME && page() != nullptr && !is_foreign(deadline);
}

// Waits in slices by a function that returns an error number.
template <typename Wait>
int wait_in_slices(const timespec& deadline, Wait wait) noexcept {
  count_wait();
  for (;;) {
    const Slice slice = slice_until(deadline);
    const int error = wait(slice.deadline);
    if (error != ETIMEDOUT || slice.length == 0) return error;
  }
}

// The same for functions that return -1 and set errno.
template <typename Wait>
auto wait_in_slices_errno(const timespec& deadline, Wait wait) noexcept {
  count_wait();
  for (;;) {
    const Slice slice = slice_until(deadline);
    const auto result = wait(slice.deadline);
    if (result >= 0 || errno != ETIMEDOUT || slice.length == 0) return result;
  }
}

// One slice of a wait for a condition: a spurious wake-up when it ends before the deadline.
template <typename Wait>
int wait_for_condition(const timespec& deadline, int timed_out, Wait wait) noexcept {
  count_wait();
  const Slice slice = slice_until(deadline);
  const int error = wait(slice.deadline);
  return error == timed_out && slice.length != 0 && !is_reached(deadline) ? 0 : error;
}

// Condition variables remember which clock they were made for; glibc keeps it in this bit.
bool is_monotonic(const pthread_cond_t* condition) noexcept {
  constexpr unsigned kMonotonicBit = 2;
  return (__atomic_load_n(&condition->__data.__wrefs, __ATOMIC_RELAXED) & kMonotonicBit) != 0;
}

int futex_operation(long arguments) noexcept {
  return static_cast<int>(arguments) & FUTEX_CMD_MASK;
}

// Futex waits whose time-out is an absolute time of the realtime clock.
bool is_realtime_futex(const long (&arguments)[6]) noexcept {
  const int operation = futex_operation(arguments[1]);
  if (operation == FUTEX_LOCK_PI) return true;
  const bool waits = operation == FUTEX_WAIT_BITSET || operation == FUTEX_LOCK_PI2;
  return waits && (arguments[1] & FUTEX_CLOCK_REALTIME) != 0;
}

long raw(long number, const long (&a)[6]) noexcept {
  return system_call(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

// Each slice compares the futex's word anew, so nothing is lost between two.
long futex(const long (&arguments)[6]) noexcept {
  const auto* const deadline = reinterpret_cast<const timespec*>(arguments[3]);
  const bool translated = is_realtime_futex(arguments) && is_translated(CLOCK_REALTIME, deadline);
  if (!translated) return raw(SYS_futex, arguments);
  count_wait();
  for (;;) {
    const Slice slice = slice_until(*deadline);
    long sliced[6] = {};
    for (int i = 0; i < 6; ++i) sliced[i] = arguments[i];
    sliced[3] = reinterpret_cast<long>(&slice.deadline);
    const long result = raw(SYS_futex, sliced);
    if (result != -ETIMEDOUT || slice.length == 0) return result;
  }
}

// Calls that have a function of libc go there; -1 and errno are made of the kernel's answer.
long dispatch(long number, const long (&a)[6]) noexcept {
  switch (number) {
    case SYS_clock_gettime:
      return ::clock_gettime(static_cast<clockid_t>(a[0]), reinterpret_cast<timespec*>(a[1]));
    case SYS_gettimeofday:
      return ::gettimeofday(reinterpret_cast<timeval*>(a[0]), reinterpret_cast<void*>(a[1]));
#ifdef SYS_time
    case SYS_time:
      return ::time(reinterpret_cast<time_t*>(a[0]));
#endif
    case SYS_timerfd_settime:
      return ::timerfd_settime(static_cast<int>(a[0]),
                               static_cast<int>(a[1]),
                               reinterpret_cast<const itimerspec*>(a[2]),
                               reinterpret_cast<itimerspec*>(a[3]));
    default:
      break;
  }
  long result = 0;
  if (number == SYS_futex) {
    result = futex(a);
  } else if (number == SYS_clock_nanosleep) {
    result = -::clock_nanosleep(static_cast<clockid_t>(a[0]),
                                static_cast<int>(a[1]),
                                reinterpret_cast<const timespec*>(a[2]),
                                reinterpret_cast<timespec*>(a[3]));
  } else {
    result = raw(number, a);
  }
  if (result >= 0 || result < -4095) return result;
  errno = static_cast<int>(-result);
  return -1;
}

}  // namespace
}  // namespace sunder::clock_shim

SUNDER_INTERPOSE long syscall(long number, ...) noexcept {
  long arguments[6];
  va_list list;
  va_start(list, number);
  for (long& argument : arguments) argument = va_arg(list, long);
  va_end(list);
  return clock_shim::dispatch(number, arguments);
}

SUNDER_INTERPOSE int clock_nanosleep(clockid_t clock,
                                     int flags,
                                     const timespec* time,
                                     timespec* remaining) {
  const auto real = clock_shim::next().clock_nanosleep;
  const bool absolute = (flags & TIMER_ABSTIME) != 0;
  const bool shifted = clock == CLOCK_REALTIME || clock == CLOCK_TAI;
  if (!absolute || !shifted || !clock_shim::is_translated(CLOCK_REALTIME, time))
    return real(clock, flags, time, remaining);
  clock_shim::count_wait();
  for (;;) {
    const clock_shim::Slice slice = clock_shim::slice_until(*time, clock);
    if (slice.length == 0) return 0;
    const timespec length = clock_shim::to_timespec(slice.length);
    const int error = real(CLOCK_MONOTONIC, 0, &length, nullptr);
    if (error != 0) return error;
  }
}

SUNDER_INTERPOSE int pthread_cond_timedwait(pthread_cond_t* condition,
                                            pthread_mutex_t* mutex,
                                            const timespec* deadline) {
  const auto real = clock_shim::next().pthread_cond_timedwait;
  if (clock_shim::is_monotonic(condition) || !clock_shim::is_translated(CLOCK_REALTIME, deadline)) {
    return real(condition, mutex, deadline);
  }
  return clock_shim::wait_for_condition(
      *deadline, ETIMEDOUT, [=](const timespec& slice) { return real(condition, mutex, &slice); });
}

SUNDER_INTERPOSE int pthread_cond_clockwait(pthread_cond_t* condition,
                                            pthread_mutex_t* mutex,
                                            clockid_t clock,
                                            const timespec* deadline) {
  const auto real = clock_shim::next().pthread_cond_clockwait;
  if (!clock_shim::is_translated(clock, deadline)) return real(condition, mutex, clock, deadline);
  return clock_shim::wait_for_condition(*deadline, ETIMEDOUT, [=](const timespec& slice) {
    return real(condition, mutex, clock, &slice);
  });
}

SUNDER_INTERPOSE int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const timespec* deadline) {
  const auto real = clock_shim::next().cnd_timedwait;
  if (!clock_shim::is_translated(CLOCK_REALTIME, deadline)) {
    return real(condition, mutex, deadline);
  }
  static_assert(thrd_success == 0);
  return clock_shim::wait_for_condition(*deadline, thrd_timedout, [=](const timespec& slice) {
    return real(condition, mutex, &slice);
  });
}

SUNDER_INTERPOSE int mtx_timedlock(mtx_t* mutex, const timespec* deadline) {
  const auto real = clock_shim::next().mtx_timedlock;
  if (!clock_shim::is_translated(CLOCK_REALTIME, deadline)) return real(mutex, deadline);
  clock_shim::count_wait();
  for (;;) {
    const clock_shim::Slice slice = clock_shim::slice_until(*deadline);
    const int result = real(mutex, &slice.deadline);
    if (result != thrd_timedout || slice.length == 0) return result;
  }
}

SUNDER_INTERPOSE int pthread_mutex_timedlock(pthread_mutex_t* mutex,
                                             const timespec* deadline) noexcept {
  const auto real = clock_shim::next().pthread_mutex_timedlock;
  if (!clock_shim::is_translated(CLOCK_REALTIME, deadline)) return real(mutex, deadline);
  return clock_shim::wait_in_slices(*deadline,
                                    [=](const timespec& slice) { return real(mutex, &slice); });
}

SUNDER_INTERPOSE int pthread_mutex_clocklock(pthread_mutex_t* mutex,
                                             clockid_t clock,
                                             const timespec* deadline) noexcept {
  const auto real = clock_shim::next().pthread_mutex_clocklock;
  if (!clock_shim::is_translated(clock, deadline)) return real(mutex, clock, deadline);
  return clock_shim::wait_in_slices(
      *deadline, [=](const timespec& slice) { return real(mutex, clock, &slice); });
}

SUNDER_INTERPOSE int pthread_rwlock_timedrdlock(pthread_rwlock_t* lock,
                                                const timespec* deadline) noexcept {
  const auto real = clock_shim::next().pthread_rwlock_timedrdlock;
  if (!clock_shim::is_translated(CLOCK_REALTIME, deadline)) return real(lock, deadline);
  return clock_shim::wait_in_slices(*deadline,
                                    [=](const timespec& slice) { return real(lock, &slice); });
}

SUNDER_INTERPOSE int pthread_rwlock_timedwrlock(pthread_rwlock_t* lock,
                                                const timespec* deadline) noexcept {
  const auto real = clock_shim::next().pthread_rwlock_timedwrlock;
  if (!clock_shim::is_translated(CLOCK_REALTIME, deadline)) return real(lock, deadline);
  return clock_shim::wait_in_slices(*deadline,
                                    [=](const timespec& slice) { return real(lock, &slice); });
}

SUNDER_INTERPOSE int pthread_rwlock_clockrdlock(pthread_rwlock_t* lock,
                                                clockid_t clock,
                                                const timespec* deadline) noexcept {
  const auto real = clock_shim::next().pthread_rwlock_clockrdlock;
  if (!clock_shim::is_translated(clock, deadline)) return real(lock, clock, deadline);
  return clock_shim::wait_in_slices(
      *deadline, [=](const timespec& slice) { return real(lock, clock, &slice); });
}

SUNDER_INTERPOSE int pthread_rwlock_clockwrlock(pthread_rwlock_t* lock,
                                                clockid_t clock,
                                                const timespec* deadline) noexcept {
  const auto real = clock_shim::next().pthread_rwlock_clockwrlock;
  if (!clock_shim::is_translated(clock, deadline)) return real(lock, clock, deadline);
  return clock_shim::wait_in_slices(
      *deadline, [=](const timespec& slice) { return real(lock, clock, &slice); });
}

SUNDER_INTERPOSE int pthread_timedjoin_np(pthread_t thread,
                                          void** result,
                                          const timespec* deadline) {
  const auto real = clock_shim::next().pthread_timedjoin_np;
  if (!clock_shim::is_translated(CLOCK_REALTIME, deadline)) return real(thread, result, deadline);
  return clock_shim::wait_in_slices(
      *deadline, [=](const timespec& slice) { return real(thread, result, &slice); });
}

SUNDER_INTERPOSE int pthread_clockjoin_np(pthread_t thread,
                                          void** result,
                                          clockid_t clock,
                                          const timespec* deadline) {
  const auto real = clock_shim::next().pthread_clockjoin_np;
  if (!clock_shim::is_translated(clock, deadline)) return real(thread, result, clock, deadline);
  return clock_shim::wait_in_slices(
      *deadline, [=](const timespec& slice) { return real(thread, result, clock, &slice); });
}

SUNDER_INTERPOSE int sem_timedwait(sem_t* semaphore, const timespec* deadline) {
  const auto real = clock_shim::next().sem_timedwait;
  if (!clock_shim::is_translated(CLOCK_REALTIME, deadline)) return real(semaphore, deadline);
  return clock_shim::wait_in_slices_errno(
      *deadline, [=](const timespec& slice) { return real(semaphore, &slice); });
}

SUNDER_INTERPOSE int sem_clockwait(sem_t* semaphore, clockid_t clock, const timespec* deadline) {
  const auto real = clock_shim::next().sem_clockwait;
  if (!clock_shim::is_translated(clock, deadline)) return real(semaphore, clock, deadline);
  return clock_shim::wait_in_slices_errno(
      *deadline, [=](const timespec& slice) { return real(semaphore, clock, &slice); });
}

SUNDER_INTERPOSE int mq_timedsend(mqd_t queue,
                                  const char* message,
                                  std::size_t size,
                                  unsigned priority,
                                  const timespec* deadline) {
  const auto real = clock_shim::next().mq_timedsend;
  if (!clock_shim::is_translated(CLOCK_REALTIME, deadline)) {
    return real(queue, message, size, priority, deadline);
  }
  return clock_shim::wait_in_slices_errno(*deadline, [=](const timespec& slice) {
    return real(queue, message, size, priority, &slice);
  });
}

SUNDER_INTERPOSE ssize_t mq_timedreceive(
    mqd_t queue, char* message, std::size_t size, unsigned* priority, const timespec* deadline) {
  const auto real = clock_shim::next().mq_timedreceive;
  if (!clock_shim::is_translated(CLOCK_REALTIME, deadline)) {
    return real(queue, message, size, priority, deadline);
  }
  return clock_shim::wait_in_slices_errno(*deadline, [=](const timespec& slice) {
    return real(queue, message, size, priority, &slice);
  });
}
