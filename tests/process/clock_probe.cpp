// A program that waits in every way that Linux has, for tests of the clock shim: it knows nothing
// of it.
//
//   clock_probe now                        one reading of each function: NAME NANOSECONDS
//   clock_probe wait REALTIME MONOTONIC    every kind of wait at once: those by the realtime clock
//                                          for a deadline so many milliseconds ahead, the others
//                                          for so many milliseconds; "ready" once the deadline is
//                                          known, then NAME CLOCK ELAPSED LEFT for each that
//                                          ended: milliseconds by the monotonic clock, nanoseconds
//                                          that the deadline was still ahead
//   clock_probe cancel                     sets a timer descriptor to the day after tomorrow that
//                                          changes of the clock cancel, and one that they do not:
//                                          "ready", then "woken" when the first one is
//   clock_probe periodic COUNT             a timer descriptor that expires at an absolute time and
//                                          every hour after it: "ready", then "expired" each time
//   clock_probe signals COUNT              hands a token to and fro by condition variables whose
//                                          waits have a deadline of the realtime clock: "done"

#include <cerrno>
#include <chrono>
#include <climits>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <future>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/system_timer.hpp>
#include <fcntl.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <threads.h>
#include <unistd.h>

namespace {

// tidy-allow: system_clock because these tests are about it
using Realtime = std::chrono::system_clock;
using Monotonic = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr long long kBillion = 1'000'000'000;

long long now_of(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return time.tv_sec * kBillion + time.tv_nsec;
}

timespec timespec_of(long long ns) {
  return {ns / kBillion, ns % kBillion};
}

struct Goal {
  long long deadline = 0;   // of the realtime clock
  long long monotonic = 0;  // of the monotonic clock
  milliseconds length{0};   // of relative waits

  [[nodiscard]] timespec real() const { return timespec_of(deadline); }

  [[nodiscard]] Realtime::time_point real_point() const {
    return Realtime::time_point(std::chrono::nanoseconds(deadline));
  }

  [[nodiscard]] Monotonic::time_point monotonic_point() const {
    return Monotonic::time_point(std::chrono::nanoseconds(monotonic));
  }
};

// What must be taken and never is: locked or empty for the whole program.
struct Unavailable {
  Unavailable() {
    timed.lock();
    shared.lock();
    pthread_mutex_lock(&mutex);
    sem_init(&semaphore, 0, 0);
    mtx_init(&c_mutex, mtx_timed);
    mtx_lock(&c_mutex);
    cnd_init(&c_condition);
    mtx_init(&c_own, mtx_plain);
  }

  std::timed_mutex timed;
  std::shared_timed_mutex shared;
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  sem_t semaphore{};
  mtx_t c_mutex{};
  mtx_t c_own{};
  cnd_t c_condition{};
  std::promise<void> promise;
};

Unavailable& unavailable() {
  static Unavailable all;
  return all;
}

// ---- by the realtime clock ----

void cv_wait_until(Goal& goal) {
  std::mutex mutex;
  std::condition_variable condition;
  std::unique_lock lock(mutex);
  while (condition.wait_until(lock, goal.real_point()) != std::cv_status::timeout) {
  }
}

template <typename Wait>
void wait_for_condition(Goal& goal, Wait wait) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
  const timespec deadline = goal.real();
  pthread_mutex_lock(&mutex);
  while (wait(&condition, &mutex, &deadline) != ETIMEDOUT) {
  }
  pthread_mutex_unlock(&mutex);
}

void cond_timedwait(Goal& goal) {
  wait_for_condition(goal, &pthread_cond_timedwait);
}

void cond_clockwait(Goal& goal) {
  wait_for_condition(goal, [](pthread_cond_t* c, pthread_mutex_t* m, const timespec* t) {
    return pthread_cond_clockwait(c, m, CLOCK_REALTIME, t);
  });
}

void c11_condition(Goal& goal) {
  const timespec deadline = goal.real();
  mtx_lock(&unavailable().c_own);
  while (cnd_timedwait(&unavailable().c_condition, &unavailable().c_own, &deadline) !=
         thrd_timedout) {
  }
  mtx_unlock(&unavailable().c_own);
}

void c11_mutex(Goal& goal) {
  const timespec deadline = goal.real();
  if (mtx_timedlock(&unavailable().c_mutex, &deadline) != thrd_timedout) std::abort();
}

void timed_mutex_until(Goal& goal) {
  if (unavailable().timed.try_lock_until(goal.real_point())) std::abort();
}

void shared_mutex_until(Goal& goal) {
  if (unavailable().shared.try_lock_until(goal.real_point())) std::abort();
}

void shared_mutex_shared_until(Goal& goal) {
  if (unavailable().shared.try_lock_shared_until(goal.real_point())) std::abort();
}

void mutex_timedlock(Goal& goal) {
  const timespec deadline = goal.real();
  if (pthread_mutex_timedlock(&unavailable().mutex, &deadline) != ETIMEDOUT) std::abort();
}

void mutex_clocklock(Goal& goal) {
  const timespec deadline = goal.real();
  const int error = pthread_mutex_clocklock(&unavailable().mutex, CLOCK_REALTIME, &deadline);
  if (error != ETIMEDOUT) std::abort();
}

void semaphore_timedwait(Goal& goal) {
  const timespec deadline = goal.real();
  if (sem_timedwait(&unavailable().semaphore, &deadline) == 0 || errno != ETIMEDOUT) std::abort();
}

void semaphore_clockwait(Goal& goal) {
  const timespec deadline = goal.real();
  const int result = sem_clockwait(&unavailable().semaphore, CLOCK_REALTIME, &deadline);
  if (result == 0 || errno != ETIMEDOUT) std::abort();
}

void future_wait_until(Goal& goal) {
  static std::shared_future<void> future = unavailable().promise.get_future().share();
  if (future.wait_until(goal.real_point()) != std::future_status::timeout) std::abort();
}

void absolute_sleep(Goal& goal) {
  const timespec deadline = goal.real();
  if (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &deadline, nullptr) != 0) std::abort();
}

int timer_descriptor(clockid_t clock, int flags, timespec value) {
  const int descriptor = timerfd_create(clock, TFD_CLOEXEC | TFD_NONBLOCK);
  const itimerspec setting{{}, value};
  if (timerfd_settime(descriptor, flags, &setting, nullptr) != 0) std::abort();
  return descriptor;
}

void poll_and_close(int descriptor) {
  pollfd waiting{descriptor, POLLIN, 0};
  std::uint64_t expirations = 0;
  if (::poll(&waiting, 1, -1) != 1) std::abort();
  if (::read(descriptor, &expirations, sizeof expirations) != 8) std::abort();
  ::close(descriptor);
}

void timerfd_absolute(Goal& goal) {
  poll_and_close(timer_descriptor(CLOCK_REALTIME, TFD_TIMER_ABSTIME, goal.real()));
}

void timerfd_epoll(Goal& goal) {
  const int timer = timer_descriptor(CLOCK_REALTIME, TFD_TIMER_ABSTIME, goal.real());
  const int poller = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{EPOLLIN, {}};
  ::epoll_ctl(poller, EPOLL_CTL_ADD, timer, &event);
  if (::epoll_wait(poller, &event, 1, -1) != 1) std::abort();
  ::close(poller);
  ::close(timer);
}

void posix_timer(Goal& goal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN);
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGRTMIN;
  timer_t timer{};
  if (timer_create(CLOCK_REALTIME, &event, &timer) != 0) std::abort();
  const itimerspec setting{{}, goal.real()};
  if (timer_settime(timer, TIMER_ABSTIME, &setting, nullptr) != 0) std::abort();
  int number = 0;
  sigwait(&set, &number);
  timer_delete(timer);
}

void futex_realtime(Goal& goal) {
  std::uint32_t word = 0;
  const timespec deadline = goal.real();
  const long result = ::syscall(SYS_futex,
                                &word,
                                FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME | FUTEX_PRIVATE_FLAG,
                                0,
                                &deadline,
                                nullptr,
                                FUTEX_BITSET_MATCH_ANY);
  if (result != -1 || errno != ETIMEDOUT) std::abort();
}

// Where queues exist at all.
void message_queue(Goal& goal) {
  const std::string name = "/sunder-clock-" + std::to_string(::getpid());
  mq_attr attributes{};
  attributes.mq_maxmsg = 1;
  attributes.mq_msgsize = 8;
  const mqd_t queue = mq_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
  mq_unlink(name.c_str());
  const timespec deadline = goal.real();
  if (queue == -1) return absolute_sleep(goal);
  char text[8];
  const ssize_t size = mq_timedreceive(queue, text, sizeof text, nullptr, &deadline);
  if (size != -1 || errno != ETIMEDOUT) std::abort();
  mq_close(queue);
}

void* stay(void* /*nothing*/) {
  for (;;) ::pause();
}

void timed_join(Goal& goal) {
  pthread_t thread{};
  pthread_create(&thread, nullptr, &stay, nullptr);
  const timespec deadline = goal.real();
  if (pthread_timedjoin_np(thread, nullptr, &deadline) != ETIMEDOUT) std::abort();
}

// Asio computes the length of a wait once and looks at the clock when it is over.
void asio_system_timer(Goal& goal) {
  boost::asio::io_context loop(1);
  boost::asio::system_timer timer(loop, goal.real_point());
  timer.async_wait([](const boost::system::error_code&) {});
  loop.run();
}

// ---- by the monotonic clock ----

void cv_wait_for(Goal& goal) {
  std::mutex mutex;
  std::condition_variable condition;
  std::unique_lock lock(mutex);
  condition.wait_for(lock, goal.length, [] { return false; });
}

void cv_wait_until_steady(Goal& goal) {
  std::mutex mutex;
  std::condition_variable condition;
  std::unique_lock lock(mutex);
  condition.wait_until(lock, goal.monotonic_point(), [] { return false; });
}

void timed_mutex_for(Goal& goal) {
  if (unavailable().timed.try_lock_for(goal.length)) std::abort();
}

void semaphore_monotonic(Goal& goal) {
  const timespec deadline = timespec_of(goal.monotonic);
  if (sem_clockwait(&unavailable().semaphore, CLOCK_MONOTONIC, &deadline) == 0) std::abort();
}

// A condition variable that was made for the monotonic clock takes its times from there.
void cond_monotonic(Goal& goal) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t condition;
  pthread_cond_init(&condition, &attributes);
  const timespec deadline = timespec_of(goal.monotonic);
  pthread_mutex_lock(&mutex);
  while (pthread_cond_timedwait(&condition, &mutex, &deadline) != ETIMEDOUT) {
  }
  pthread_mutex_unlock(&mutex);
}

void relative_sleep(Goal& goal) {
  std::this_thread::yield();
  const timespec length = timespec_of(std::chrono::nanoseconds(goal.length).count());
  clock_nanosleep(CLOCK_REALTIME, 0, &length, nullptr);
}

void poll_timeout(Goal& goal) {
  ::poll(nullptr, 0, static_cast<int>(goal.length.count()));
}

void timerfd_relative(Goal& goal) {
  const timespec length = timespec_of(std::chrono::nanoseconds(goal.length).count());
  poll_and_close(timer_descriptor(CLOCK_REALTIME, 0, length));
}

void timerfd_monotonic(Goal& goal) {
  poll_and_close(timer_descriptor(CLOCK_MONOTONIC, TFD_TIMER_ABSTIME, timespec_of(goal.monotonic)));
}

void futex_relative(Goal& goal) {
  std::uint32_t word = 0;
  const timespec length = timespec_of(std::chrono::nanoseconds(goal.length).count());
  ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &length, nullptr, 0);
}

void asio_steady_timer(Goal& goal) {
  boost::asio::io_context loop(1);
  boost::asio::steady_timer timer(loop, goal.monotonic_point());
  timer.async_wait([](const boost::system::error_code&) {});
  loop.run();
}

struct Kind {
  const char* name;
  const char* clock;
  void (*wait)(Goal&);
};

constexpr Kind kKinds[] = {
    {"absolute-sleep", "realtime", &absolute_sleep},
    {"asio-system-timer", "asio", &asio_system_timer},
    {"c11-condition", "realtime", &c11_condition},
    {"c11-mutex", "realtime", &c11_mutex},
    {"cond-clockwait", "realtime", &cond_clockwait},
    {"cond-timedwait", "realtime", &cond_timedwait},
    {"cv-wait-until", "realtime", &cv_wait_until},
    {"future-wait-until", "realtime", &future_wait_until},
    {"futex", "realtime", &futex_realtime},
    {"message-queue", "realtime", &message_queue},
    {"mutex-clocklock", "realtime", &mutex_clocklock},
    {"mutex-timedlock", "realtime", &mutex_timedlock},
    {"posix-timer", "realtime", &posix_timer},
    {"semaphore-clockwait", "realtime", &semaphore_clockwait},
    {"semaphore-timedwait", "realtime", &semaphore_timedwait},
    {"shared-mutex", "realtime", &shared_mutex_until},
    {"shared-mutex-shared", "realtime", &shared_mutex_shared_until},
    {"timed-join", "realtime", &timed_join},
    {"timed-mutex", "realtime", &timed_mutex_until},
    {"timerfd", "realtime", &timerfd_absolute},
    {"timerfd-epoll", "realtime", &timerfd_epoll},
    {"asio-steady-timer", "monotonic", &asio_steady_timer},
    {"cond-monotonic", "monotonic", &cond_monotonic},
    {"cv-wait-for", "monotonic", &cv_wait_for},
    {"cv-wait-until-steady", "monotonic", &cv_wait_until_steady},
    {"futex-relative", "monotonic", &futex_relative},
    {"poll", "monotonic", &poll_timeout},
    {"relative-sleep", "monotonic", &relative_sleep},
    {"semaphore-monotonic", "monotonic", &semaphore_monotonic},
    {"timed-mutex-for", "monotonic", &timed_mutex_for},
    {"timerfd-monotonic", "monotonic", &timerfd_monotonic},
    {"timerfd-relative", "monotonic", &timerfd_relative},
};

int wait_in_every_way(long long real_ms, long long monotonic_ms) {
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGRTMIN);
  pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  (void)unavailable();
  Goal goal;
  goal.length = milliseconds(monotonic_ms);
  const long long begun = now_of(CLOCK_MONOTONIC);
  goal.monotonic = begun + monotonic_ms * 1'000'000;
  goal.deadline = now_of(CLOCK_REALTIME) + real_ms * 1'000'000;
  std::puts("ready");
  std::fflush(stdout);
  std::mutex output;
  std::vector<std::thread> threads;
  for (const Kind& kind : kKinds) {
    threads.emplace_back([&goal, &output, kind, begun] {
      kind.wait(goal);
      const long long left = goal.deadline - now_of(CLOCK_REALTIME);
      const long long elapsed = (now_of(CLOCK_MONOTONIC) - begun) / 1'000'000;
      const std::lock_guard lock(output);
      std::printf("%s %s %lld %lld\n", kind.name, kind.clock, elapsed, left);
      std::fflush(stdout);
    });
  }
  for (std::thread& thread : threads) thread.join();
  // Threads that stay, and locks that are held, are part of the test.
  std::fflush(stdout);
  ::_exit(0);
}

int print_readings() {
  timeval day{};
  ::gettimeofday(&day, nullptr);
  timespec c11{};
  (void)timespec_get(&c11, TIME_UTC);
  timespec system{};
  ::syscall(SYS_clock_gettime, CLOCK_REALTIME, &system);
  std::printf("clock_gettime %lld\n", now_of(CLOCK_REALTIME));
  std::printf("coarse %lld\n", now_of(CLOCK_REALTIME_COARSE));
  std::printf("gettimeofday %lld\n", day.tv_sec * kBillion + day.tv_usec * 1000);
  std::printf("time %lld\n", static_cast<long long>(::time(nullptr)) * kBillion);
  std::printf("timespec_get %lld\n", c11.tv_sec * kBillion + c11.tv_nsec);
  std::printf("syscall %lld\n", system.tv_sec * kBillion + system.tv_nsec);
  std::printf(
      "chrono %lld\n",
      static_cast<long long>(std::chrono::nanoseconds(Realtime::now().time_since_epoch()).count()));
  std::printf("monotonic %lld\n", now_of(CLOCK_MONOTONIC));
  return 0;
}

// No signal may be lost between two slices of a wait.
int hand_to_and_fro(int count) {
  std::mutex mutex;
  std::condition_variable condition;
  int turn = 0;
  const auto play = [&](int own) {
    for (int i = 0; i < count; ++i) {
      std::unique_lock lock(mutex);
      const auto limit = Realtime::now() + std::chrono::hours(24);
      while (turn != own) condition.wait_until(lock, limit);
      turn = 1 - own;
      condition.notify_one();
    }
  };
  std::thread other(play, 1);
  play(0);
  other.join();
  std::puts("done");
  return 0;
}

int wait_for_a_change() {
  const timespec deadline = timespec_of(now_of(CLOCK_REALTIME) + 48 * 3600 * kBillion);
  const int plain = timer_descriptor(CLOCK_REALTIME, TFD_TIMER_ABSTIME, deadline);
  const int cancelled =
      timer_descriptor(CLOCK_REALTIME, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, deadline);
  std::puts("ready");
  std::fflush(stdout);
  pollfd waiting[2] = {{plain, POLLIN, 0}, {cancelled, POLLIN, 0}};
  ::poll(waiting, 2, -1);
  std::puts(waiting[0].revents == 0 && waiting[1].revents != 0 ? "woken" : "the wrong one");
  return 0;
}

int expire_every_hour(int count) {
  const timespec deadline = timespec_of(now_of(CLOCK_REALTIME) + 3600 * kBillion);
  const int timer = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC);
  const itimerspec setting{{3600, 0}, deadline};
  if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &setting, nullptr) != 0) return 1;
  std::puts("ready");
  for (int i = 0; i < count; ++i) {
    std::fflush(stdout);
    std::uint64_t expirations = 0;
    if (::read(timer, &expirations, sizeof expirations) != 8) return 1;
    std::puts("expired");
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "now") return print_readings();
  if (what == "wait" && argc == 4)
    return wait_in_every_way(std::atoll(argv[2]), std::atoll(argv[3]));
  if (what == "cancel") return wait_for_a_change();
  if (what == "periodic" && argc == 3) return expire_every_hour(std::atoi(argv[2]));
  if (what == "signals" && argc == 3) return hand_to_and_fro(std::atoi(argv[2]));
  std::fputs(
      "usage: clock_probe now | wait REALTIME MONOTONIC | cancel | periodic COUNT | signals "
      "COUNT\n",
      stderr);
  return 64;
}
