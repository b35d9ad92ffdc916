// The functions that read a realtime clock.

#include <sys/syscall.h>

#include "harness/clock_shim/shim.hpp"

namespace clock_shim = sunder::clock_shim;

namespace sunder::clock_shim {
namespace {

// The real clock by the kernel alone: for whoever reads it while we look up the real functions.
int kernel_clock(clockid_t clock, timespec* time) noexcept {
  const long result =
      system_call(SYS_clock_gettime, clock, reinterpret_cast<long>(time), 0, 0, 0, 0);
  if (result >= 0) return 0;
  errno = static_cast<int>(-result);
  return -1;
}

timespec read_or_ask_kernel() noexcept {
  if (!preparing()) return read_clock(CLOCK_REALTIME);
  timespec time{};
  kernel_clock(CLOCK_REALTIME, &time);
  return time;
}

}  // namespace
}  // namespace sunder::clock_shim

SUNDER_INTERPOSE int clock_gettime(clockid_t clock, timespec* time) noexcept {
  if (clock_shim::preparing()) return clock_shim::kernel_clock(clock, time);
  if (!clock_shim::is_realtime(clock) || clock_shim::page() == nullptr) {
    return clock_shim::next().clock_gettime(clock, time);
  }
  *time = clock_shim::read_clock(clock);
  return 0;
}

// The time zone is obsolete and always zero on Linux.
SUNDER_INTERPOSE int gettimeofday(timeval* time, void* zone) noexcept {
  const timespec now = clock_shim::read_or_ask_kernel();
  // glibc declares that it is never null; callers of old do pass null.
  timeval* volatile target = time;
  if (target != nullptr) *target = {now.tv_sec, now.tv_nsec / 1000};
  if (zone != nullptr) *static_cast<struct timezone*>(zone) = {};
  return 0;
}

SUNDER_INTERPOSE time_t time(time_t* target) noexcept {
  const timespec now = clock_shim::read_or_ask_kernel();
  if (target != nullptr) *target = now.tv_sec;
  return now.tv_sec;
}

SUNDER_INTERPOSE int timespec_get(timespec* time, int base) noexcept {
  if (base != TIME_UTC) return 0;
  *time = clock_shim::read_or_ask_kernel();
  return base;
}

SUNDER_INTERPOSE int ftime(timeb* target) {
  const timespec now = clock_shim::read_or_ask_kernel();
  *target = {};
  target->time = now.tv_sec;
  target->millitm = static_cast<unsigned short>(now.tv_nsec / 1'000'000);
  return 0;
}
