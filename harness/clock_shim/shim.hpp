// Shim: the state that every interposed function of libsunder_clock.so shares: the next definition
// of each function, the page, and the arithmetic between the process's clock and the real one.
//
// The library is preloaded into programs that know nothing of it (LD_PRELOAD, with the page's path
// in SUNDER_CLOCK). So it uses libc alone, allocates nothing, throws nothing, keeps errno, and
// without a page hands every call through. Only the realtime clock is touched; monotonic time,
// relative waits and the time stamps of files are the kernel's own.
//
// Threading: any thread, signal handlers included.

#pragma once

#include <cerrno>
#include <cstdint>
#include <ctime>

#include <mqueue.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/time.h>
#include <sys/timeb.h>
#include <sys/timerfd.h>
#include <threads.h>

#include "harness/clock_shim/page.hpp"

// What the preloading program finds.
#define SUNDER_INTERPOSE extern "C" __attribute__((visibility("default")))

namespace sunder::clock_shim {

// The functions that would be called without us.
struct Next {
  int (*clock_gettime)(clockid_t, timespec*);
  int (*clock_nanosleep)(clockid_t, int, const timespec*, timespec*);
  int (*pthread_cond_timedwait)(pthread_cond_t*, pthread_mutex_t*, const timespec*);
  int (*pthread_cond_clockwait)(pthread_cond_t*, pthread_mutex_t*, clockid_t, const timespec*);
  int (*pthread_mutex_timedlock)(pthread_mutex_t*, const timespec*);
  int (*pthread_mutex_clocklock)(pthread_mutex_t*, clockid_t, const timespec*);
  int (*pthread_rwlock_timedrdlock)(pthread_rwlock_t*, const timespec*);
  int (*pthread_rwlock_timedwrlock)(pthread_rwlock_t*, const timespec*);
  int (*pthread_rwlock_clockrdlock)(pthread_rwlock_t*, clockid_t, const timespec*);
  int (*pthread_rwlock_clockwrlock)(pthread_rwlock_t*, clockid_t, const timespec*);
  int (*pthread_timedjoin_np)(pthread_t, void**, const timespec*);
  int (*pthread_clockjoin_np)(pthread_t, void**, clockid_t, const timespec*);
  int (*sem_timedwait)(sem_t*, const timespec*);
  int (*sem_clockwait)(sem_t*, clockid_t, const timespec*);
  int (*mq_timedsend)(mqd_t, const char*, std::size_t, unsigned, const timespec*);
  ssize_t (*mq_timedreceive)(mqd_t, char*, std::size_t, unsigned*, const timespec*);
  int (*cnd_timedwait)(cnd_t*, mtx_t*, const timespec*);
  int (*mtx_timedlock)(mtx_t*, const timespec*);
  int (*timerfd_settime)(int, int, const itimerspec*, itimerspec*);
  int (*timer_create)(clockid_t, sigevent*, timer_t*);
  int (*timer_settime)(timer_t, int, const itimerspec*, itimerspec*);
  int (*timer_gettime)(timer_t, itimerspec*);
  int (*timer_delete)(timer_t);
  int (*close)(int);
  int (*dup2)(int, int);
  int (*dup3)(int, int, int);
  int (*pthread_create)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
};

// Ready to be used, the page mapped if there is one. Spins while another thread prepares it.
const Next& next() noexcept;

// True while the library prepares itself: what it calls then may call us.
bool preparing() noexcept;

// The page, or null.
Page* page() noexcept;

// A system call as the kernel gives it: -errno on failure.
long system_call(long number, long a, long b, long c, long d, long e, long f) noexcept;

constexpr bool is_realtime(clockid_t clock) noexcept {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
}

constexpr std::int64_t to_ns(const timespec& time) noexcept {
  return time.tv_sec * kBillion + time.tv_nsec;
}

constexpr timespec to_timespec(std::int64_t ns) noexcept {
  timespec time{ns / kBillion, ns % kBillion};
  if (time.tv_nsec < 0) {
    --time.tv_sec;
    time.tv_nsec += kBillion;
  }
  return time;
}

// A deadline that the real functions refuse, or that is beyond our arithmetic (200 years): left to
// them as it is.
constexpr bool is_foreign(const timespec* time) noexcept {
  constexpr time_t kFar = 6'000'000'000;
  return time == nullptr || time->tv_nsec < 0 || time->tv_nsec >= kBillion || time->tv_sec < 0 ||
         time->tv_sec > kFar;
}

// The process's reading of a realtime clock, counted as one.
timespec read_clock(clockid_t clock) noexcept;

// How long until the process's clock shows `deadline`, as far as can be said now. Not counted.
struct Until {
  std::int64_t fake = 0;  // by the process's clock; not positive: it is reached
  std::int64_t real = 0;  // by an undisturbed one, if the parameters stay
};

Until until(std::int64_t deadline, clockid_t clock = CLOCK_REALTIME) noexcept;

// Waits are cut into slices: after each the deadline is translated anew, so that a wait ends when
// the process's clock shows its deadline, whatever was done to the clock meanwhile.
struct Slice {
  timespec deadline{};      // of the real CLOCK_REALTIME; long past when the process's is reached
  std::int64_t length = 0;  // of the wait; 0 when it is reached
};

Slice slice_until(const timespec& deadline, clockid_t clock = CLOCK_REALTIME) noexcept;
bool is_reached(const timespec& deadline, clockid_t clock = CLOCK_REALTIME) noexcept;
void count_wait() noexcept;

}  // namespace sunder::clock_shim
