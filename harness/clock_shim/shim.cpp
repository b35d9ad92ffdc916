// The shim's preparation, its page, and its arithmetic.

#include "harness/clock_shim/shim.hpp"

#include <cstdlib>

#include <dlfcn.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sunder::clock_shim {
namespace {

enum class State : int { untouched, preparing, ready };

// How late a wait notices that the clock was changed.
constexpr std::int64_t kSlice_ns = 20'000'000;

std::atomic<State> state{State::untouched};
Next functions{};
Page* shared = nullptr;

template <typename Function>
void find(Function& function, const char* name) noexcept {
  function = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

// Condition variables changed in glibc 2.3.2; the older version still is in x86-64's table.
template <typename Function>
void find_condition(Function& function, const char* name) noexcept {
  function = reinterpret_cast<Function>(::dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2"));
  if (function == nullptr) find(function, name);
}

void find_functions() noexcept {
  find(functions.clock_gettime, "clock_gettime");
  find(functions.clock_nanosleep, "clock_nanosleep");
  find_condition(functions.pthread_cond_timedwait, "pthread_cond_timedwait");
  find(functions.pthread_cond_clockwait, "pthread_cond_clockwait");
  find(functions.pthread_mutex_timedlock, "pthread_mutex_timedlock");
  find(functions.pthread_mutex_clocklock, "pthread_mutex_clocklock");
  find(functions.pthread_rwlock_timedrdlock, "pthread_rwlock_timedrdlock");
  find(functions.pthread_rwlock_timedwrlock, "pthread_rwlock_timedwrlock");
  find(functions.pthread_rwlock_clockrdlock, "pthread_rwlock_clockrdlock");
  find(functions.pthread_rwlock_clockwrlock, "pthread_rwlock_clockwrlock");
  find(functions.pthread_timedjoin_np, "pthread_timedjoin_np");
  find(functions.pthread_clockjoin_np, "pthread_clockjoin_np");
  find(functions.sem_timedwait, "sem_timedwait");
  find(functions.sem_clockwait, "sem_clockwait");
  find(functions.mq_timedsend, "mq_timedsend");
  find(functions.mq_timedreceive, "mq_timedreceive");
  find(functions.cnd_timedwait, "cnd_timedwait");
  find(functions.mtx_timedlock, "mtx_timedlock");
  find(functions.timerfd_settime, "timerfd_settime");
  find(functions.timer_create, "timer_create");
  find(functions.timer_settime, "timer_settime");
  find(functions.timer_gettime, "timer_gettime");
  find(functions.timer_delete, "timer_delete");
  find(functions.close, "close");
  find(functions.dup2, "dup2");
  find(functions.dup3, "dup3");
  find(functions.pthread_create, "pthread_create");
}

Page* map_page(const char* path) noexcept {
  const int file = ::open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return nullptr;

  struct stat facts {};

  void* memory = MAP_FAILED;
  if (::fstat(file, &facts) == 0 && facts.st_size >= static_cast<off_t>(sizeof(Page))) {
    memory = ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  }
  system_call(SYS_close, file, 0, 0, 0, 0, 0);
  if (memory == MAP_FAILED) return nullptr;
  Page* const mapped = static_cast<Page*>(memory);
  if (mapped->magic == kMagic) return mapped;
  ::munmap(memory, sizeof(Page));
  return nullptr;
}

void register_process() noexcept {
  if (shared == nullptr) return;
  const std::uint32_t slot = shared->registered.fetch_add(1) % kProcessesMax;
  shared->processes[slot].store(::getpid());
}

void prepare() noexcept {
  State expected = State::untouched;
  if (!state.compare_exchange_strong(expected, State::preparing)) {
    while (state.load(std::memory_order_acquire) != State::ready) ::sched_yield();
    return;
  }
  const int error = errno;
  find_functions();
  const char* const path = std::getenv("SUNDER_CLOCK");
  if (path != nullptr && *path != '\0') shared = map_page(path);
  register_process();
  if (shared != nullptr) ::pthread_atfork(nullptr, nullptr, &register_process);
  errno = error;
  state.store(State::ready, std::memory_order_release);
}

__attribute__((constructor)) void prepare_early() {
  (void)next();
}

std::int64_t real(clockid_t clock) noexcept {
  timespec time{};
  next().clock_gettime(clock, &time);
  return to_ns(time);
}

void raise_to(std::atomic<std::int64_t>& extreme, std::int64_t value, bool highest) noexcept {
  std::int64_t seen = extreme.load(std::memory_order_relaxed);
  while (highest ? value > seen : value < seen) {
    if (extreme.compare_exchange_weak(seen, value, std::memory_order_relaxed)) return;
  }
}

}  // namespace

const Next& next() noexcept {
  if (state.load(std::memory_order_acquire) != State::ready) prepare();
  return functions;
}

bool preparing() noexcept {
  return state.load(std::memory_order_acquire) == State::preparing;
}

Page* page() noexcept {
  (void)next();
  return shared;
}

timespec read_clock(clockid_t clock) noexcept {
  const std::int64_t time = real(clock);
  if (page() == nullptr) return to_timespec(time);
  const std::int64_t shift = read_parameters(*shared).shift(real(CLOCK_MONOTONIC));
  shared->readings.fetch_add(1, std::memory_order_relaxed);
  shared->last.store(shift, std::memory_order_relaxed);
  raise_to(shared->highest, shift, true);
  raise_to(shared->lowest, shift, false);
  return to_timespec(time + shift);
}

Until until(std::int64_t deadline, clockid_t clock) noexcept {
  const Parameters parameters = read_parameters(*shared);
  Until left;
  left.fake = deadline - real(clock) - parameters.shift(real(CLOCK_MONOTONIC));
  left.real = left.fake > 0 ? undisturbed(left.fake, parameters.drift()) : 0;
  return left;
}

Slice slice_until(const timespec& deadline, clockid_t clock) noexcept {
  const Until left = until(to_ns(deadline), clock);
  if (left.fake <= 0) return {};
  // At least a microsecond: a slice that rounds to nothing would spin.
  const std::int64_t length = left.real < 1000        ? 1000
                              : left.real > kSlice_ns ? kSlice_ns
                                                      : left.real;
  return {to_timespec(real(CLOCK_REALTIME) + length), length};
}

bool is_reached(const timespec& deadline, clockid_t clock) noexcept {
  return until(to_ns(deadline), clock).fake <= 0;
}

void count_wait() noexcept {
  shared->waits.fetch_add(1, std::memory_order_relaxed);
}

long system_call(long number, long a, long b, long c, long d, long e, long f) noexcept {
#if defined(__x86_64__)
  long result = number;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "+a"(result)
                   : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory");
  return x0;
#else
#error "the clock shim knows x86-64 and arm64"
#endif
}

}  // namespace sunder::clock_shim
