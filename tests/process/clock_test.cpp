// The clock shim in real programs: they see the shifted time, every kind of wait ends when the
// process's own clock shows its deadline and never hangs, and monotonic time stays untouched.
//
// The probe waits in every way at once. Bounds are one-sided where a busy machine could exceed
// them: a wait may always be late, never early.

#include "harness/base/clock.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/file.hpp"
#include "harness/clock_shim/process_clock.hpp"

namespace sunder::clock_shim {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::int64_t kHour_ns = 3'600 * kBillion;
constexpr std::int64_t kSecond_ns = kBillion;
constexpr milliseconds kPatience = 30s;
constexpr std::size_t kRealtimeKinds = 20;
constexpr std::size_t kMonotonicKinds = 11;

std::string library() {
  return std::string(SUNDER_BINARY_DIR) + "/libsunder_clock.so";
}

std::string probe() {
  return std::string(SUNDER_BINARY_DIR) + "/tests/process/sunder_clock_probe";
}

// A command line; g++ 12 warns of a list of strings in braces.
template <typename... Words>
std::vector<std::string> words(const Words&... given) {
  std::vector<std::string> all;
  (all.emplace_back(given), ...);
  return all;
}

// A temporary folder with one page in it.
class Shim {
 public:
  Shim() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sunder-clock-XXXXXX").string();
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    auto made = ProcessClock::create(folder_ / "clock");
    EXPECT_TRUE(made.has_value());
    clock_.emplace(std::move(*made));
  }

  ~Shim() {
    clock_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  Shim(const Shim&) = delete;
  Shim& operator=(const Shim&) = delete;

  ProcessClock& clock() { return *clock_; }

  void offset(nanoseconds value) {
    ClockError error;
    error.offset = value;
    EXPECT_TRUE(clock_->set(1, error).has_value());
  }

  // The address sanitizer's runtime wants to be the first library; being the second harms nothing.
  std::vector<std::string> command(const std::vector<std::string>& program) {
    std::vector<std::string> all = words("env");
    all.emplace_back("ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0");
    for (const auto& [name, value] : clock_->environment(library())) {
      all.push_back(fmt::format("{}={}", name, value));
    }
    all.insert(all.end(), program.begin(), program.end());
    return all;
  }

 private:
  std::filesystem::path folder_;
  std::optional<ProcessClock> clock_;
};

// A running program whose lines are read one by one.
class Running {
 public:
  explicit Running(const std::vector<std::string>& command) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::dup2(ends[1], STDOUT_FILENO);
      std::vector<char*> words;
      for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
      words.push_back(nullptr);
      ::execvp(words[0], words.data());
      ::_exit(127);
    }
    ::close(ends[1]);
    output_.reset(ends[0]);
  }

  ~Running() {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    (void)wait();
  }

  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  [[nodiscard]] int pid() const noexcept { return pid_; }

  // The next line; nothing at the end, or when none comes in time.
  std::optional<std::string> line() {
    const auto limit = base::MonotonicClock::now() + kPatience;
    for (;;) {
      const std::size_t end = text_.find('\n');
      if (end != std::string::npos) {
        std::string found = text_.substr(0, end);
        text_.erase(0, end + 1);
        return found;
      }
      const auto left =
          std::chrono::duration_cast<milliseconds>(limit - base::MonotonicClock::now());
      pollfd waiting{output_.get(), POLLIN, 0};
      if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) return {};
      std::array<char, 4096> bytes{};
      const ssize_t count = ::read(output_.get(), bytes.data(), bytes.size());
      if (count <= 0) return {};
      text_.append(bytes.data(), static_cast<std::size_t>(count));
    }
  }

  std::string all() {
    std::string text;
    while (const auto next = line()) text += *next + "\n";
    return text;
  }

  // 128 + N for signal N.
  int wait() {
    int status = 0;
    if (pid_ > 0) ::waitpid(std::exchange(pid_, 0), &status, 0);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  pid_t pid_ = 0;
  base::FileDescriptor output_;
  std::string text_;
};

std::int64_t real_ns(clockid_t clock = CLOCK_REALTIME) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return time.tv_sec * kBillion + time.tv_nsec;
}

struct Ended {
  std::string clock;
  std::int64_t elapsed_ms = 0;
  std::int64_t left_ns = 0;
};

std::pair<std::string, Ended> parse(const std::string& line) {
  std::istringstream words(line);
  std::string name;
  Ended ended;
  words >> name >> ended.clock >> ended.elapsed_ms >> ended.left_ns;
  return {name, ended};
}

// Reads how waits ended until `count` of this clock did, or all.
using Results = std::map<std::string, Ended>;

void collect(Running& running, Results& results, std::string_view clock, std::size_t count) {
  const auto of_clock = [&] {
    return static_cast<std::size_t>(std::ranges::count_if(
        results, [&](const auto& result) { return result.second.clock == clock; }));
  };
  while (of_clock() < count) {
    const auto line = running.line();
    if (!line) {
      ADD_FAILURE() << "only " << of_clock() << " " << clock << " waits of " << count << " ended";
      return;
    }
    results.insert(parse(*line));
  }
}

Running start_waiting(Shim& shim, milliseconds realtime, milliseconds monotonic) {
  return Running(shim.command(words(
      probe(), "wait", fmt::format("{}", realtime.count()), fmt::format("{}", monotonic.count()))));
}

void expect_reached(const Results& results) {
  for (const auto& [name, ended] : results) {
    if (ended.clock != "realtime") continue;
    EXPECT_LE(ended.left_ns, 0) << name << " ended early";
  }
}

void expect_lasted(const Results& results, std::string_view clock, std::int64_t least_ms) {
  for (const auto& [name, ended] : results) {
    if (ended.clock != clock) continue;
    EXPECT_GE(ended.elapsed_ms, least_ms) << name;
  }
}

void expect_ended_by(const Results& results, std::string_view clock, std::int64_t most_ms) {
  for (const auto& [name, ended] : results) {
    if (ended.clock != clock) continue;
    EXPECT_LE(ended.elapsed_ms, most_ms) << name;
  }
}

TEST(ClockShim, ShiftsEveryReadingAndNoMonotonicOne) {
  Shim shim;
  shim.offset(1h);
  const std::int64_t before = real_ns();
  const std::int64_t monotonic_before = base::monotonic_ns();
  Running running(shim.command(words(probe(), "now")));
  const int pid = running.pid();
  std::istringstream lines(running.all());
  EXPECT_EQ(running.wait(), 0);
  const std::int64_t after = real_ns();
  std::size_t count = 0;
  std::string name;
  for (std::int64_t reading = 0; lines >> name >> reading; ++count) {
    const bool monotonic = name == "monotonic";
    const std::int64_t shift = monotonic ? 0 : kHour_ns;
    // Coarse clocks and whole seconds lag behind.
    EXPECT_GE(reading, (monotonic ? monotonic_before : before) + shift - kSecond_ns) << name;
    EXPECT_LE(reading, (monotonic ? base::monotonic_ns() : after) + shift) << name;
  }
  EXPECT_EQ(count, 8U);
  const ClockReadings seen = shim.clock().readings();
  EXPECT_GE(seen.readings, 7U);
  EXPECT_EQ(seen.highest, 1h);
  EXPECT_EQ(seen.lowest, 0h);
  EXPECT_TRUE(shim.clock().used_by(pid));
  EXPECT_FALSE(shim.clock().used_by(::getpid()));
}

TEST(ClockShim, ShiftsProgramsThatKnowNothingOfIt) {
  Shim shim;
  shim.offset(-24h);
  for (const char* const program : {"date +%s",
                                    "exec bash -c \"printf '%(%s)T\\n'\"",
                                    "exec perl -e 'print time, \"\\n\"'",
                                    "exec python3 -c 'import time; print(int(time.time()))'"}) {
    SCOPED_TRACE(program);
    const std::int64_t before = real_ns() / kBillion - 1;
    Running running(shim.command(words("sh", "-c", program)));
    const auto line = running.line();
    const int status = running.wait();
    if (status == 127) continue;  // not on this machine
    ASSERT_TRUE(line.has_value());
    const std::int64_t shown = std::atoll(line->c_str());
    EXPECT_GE(shown, before - 86'400);
    EXPECT_LE(shown, real_ns() / kBillion - 86'400);
  }
}

TEST(ClockShim, WithoutAPageChangesNothing) {
  Shim shim;
  shim.offset(1h);
  const std::int64_t before = real_ns() / kBillion;
  Running running(words("env", "LD_PRELOAD=" + library(), "SUNDER_CLOCK=/nowhere", "date", "+%s"));
  const auto line = running.line();
  ASSERT_TRUE(line.has_value());
  EXPECT_GE(std::atoll(line->c_str()), before);
  EXPECT_LE(std::atoll(line->c_str()), real_ns() / kBillion);
  EXPECT_EQ(shim.clock().readings().processes, 0U);
}

TEST(ClockShim, LetsEveryWaitEndOnTimeWithoutAFault) {
  Shim shim;
  Running running = start_waiting(shim, 200ms, 200ms);
  Results results;
  EXPECT_EQ(running.line(), "ready");
  collect(running, results, "realtime", kRealtimeKinds);
  collect(running, results, "monotonic", kMonotonicKinds);
  collect(running, results, "asio", 1);
  EXPECT_EQ(running.wait(), 0);
  expect_reached(results);
  expect_lasted(results, "realtime", 199);
  expect_lasted(results, "monotonic", 199);
}

// An hour's wait ends when the clock jumps over its end.
TEST(ClockShim, EndsWaitsAtAJumpForward) {
  Shim shim;
  Running running = start_waiting(shim, 1h, 300ms);
  Results results;
  EXPECT_EQ(running.line(), "ready");
  shim.offset(1h + 1s);
  collect(running, results, "realtime", kRealtimeKinds);
  collect(running, results, "monotonic", kMonotonicKinds);
  expect_reached(results);
  expect_lasted(results, "monotonic", 299);
}

// A short wait lasts for as long as the clock is behind; when it is right again the wait ends.
TEST(ClockShim, ProlongsWaitsAtAJumpBackAndEndsThemWhenItIsHealed) {
  Shim shim;
  Running running = start_waiting(shim, 400ms, 500ms);
  Results results;
  EXPECT_EQ(running.line(), "ready");
  shim.offset(-1h);
  collect(running, results, "monotonic", kMonotonicKinds);
  shim.clock().withdraw(1);
  collect(running, results, "realtime", kRealtimeKinds);
  expect_reached(results);
  expect_lasted(results, "monotonic", 499);
  expect_lasted(results, "realtime", 399);
}

TEST(ClockShim, FollowsAClockThatIsAFifthTooFast) {
  Shim shim;
  ClockError error;
  error.drift_ppm = 200'000;
  ASSERT_TRUE(shim.clock().set(1, error).has_value());
  Running running = start_waiting(shim, 600ms, 300ms);
  Results results;
  EXPECT_EQ(running.line(), "ready");
  collect(running, results, "realtime", kRealtimeKinds);
  collect(running, results, "monotonic", kMonotonicKinds);
  expect_reached(results);
  expect_lasted(results, "realtime", 499);
  expect_lasted(results, "monotonic", 299);
}

TEST(ClockShim, FollowsAClockThatIsAFifthTooSlow) {
  Shim shim;
  ClockError error;
  error.drift_ppm = -200'000;
  ASSERT_TRUE(shim.clock().set(1, error).has_value());
  Running running = start_waiting(shim, 400ms, 300ms);
  Results results;
  EXPECT_EQ(running.line(), "ready");
  collect(running, results, "realtime", kRealtimeKinds);
  collect(running, results, "monotonic", kMonotonicKinds);
  expect_reached(results);
  expect_lasted(results, "realtime", 499);
  expect_lasted(results, "monotonic", 299);
}

// Ten times too fast: a minute is over in six seconds, or somebody waited by the real clock.
TEST(ClockShim, ShortensWaitsOfAClockThatRuns) {
  Shim shim;
  ClockError error;
  error.drift_ppm = 9'000'000;
  ASSERT_TRUE(shim.clock().set(1, error).has_value());
  Running running = start_waiting(shim, 10s, 300ms);
  Results results;
  EXPECT_EQ(running.line(), "ready");
  collect(running, results, "realtime", kRealtimeKinds);
  expect_reached(results);
  expect_lasted(results, "realtime", 999);
  expect_ended_by(results, "realtime", 8000);
}

// The clock is an hour ahead for 50 ms of every 100 ms: whoever waits for less sees it pass.
TEST(ClockShim, EndsWaitsUnderAStrobe) {
  Shim shim;
  ClockError error;
  error.strobe = 1h;
  error.period = 100ms;
  ASSERT_TRUE(shim.clock().set(1, error).has_value());
  Running running = start_waiting(shim, 300ms, 300ms);
  Results results;
  EXPECT_EQ(running.line(), "ready");
  collect(running, results, "realtime", kRealtimeKinds);
  collect(running, results, "monotonic", kMonotonicKinds);
  expect_lasted(results, "monotonic", 299);
  EXPECT_EQ(shim.clock().readings().highest, 1h);
}

TEST(ClockShim, WakesTimersThatAChangeOfTheClockCancels) {
  Shim shim;
  Running running(shim.command(words(probe(), "cancel")));
  EXPECT_EQ(running.line(), "ready");
  shim.offset(1s);
  EXPECT_EQ(running.line(), "woken");
}

TEST(ClockShim, KeepsPeriodicTimersOnTheirHours) {
  Shim shim;
  Running running(shim.command(words(probe(), "periodic", "3")));
  EXPECT_EQ(running.line(), "ready");
  for (int hour = 1; hour <= 3; ++hour) {
    shim.offset(std::chrono::hours(hour) + 1s);
    EXPECT_EQ(running.line(), "expired") << "hour " << hour;
  }
  EXPECT_EQ(running.wait(), 0);
}

TEST(ClockShim, LosesNoSignalOfAConditionVariable) {
  Shim shim;
  ClockError error;
  error.strobe = -1h;
  error.period = 20ms;
  ASSERT_TRUE(shim.clock().set(1, error).has_value());
  Running running(shim.command(words(probe(), "signals", "20000")));
  EXPECT_EQ(running.line(), "done");
  EXPECT_EQ(running.wait(), 0);
}

// A program without a dynamic linker cannot be helped, and is known by not having registered.
TEST(ClockShim, IsNotUsedByAStaticProgram) {
  Shim shim;
  shim.offset(1h);
  const std::int64_t before = real_ns() / kBillion;
  Running running(
      shim.command(words(std::string(SUNDER_BINARY_DIR) + "/tests/process/sunder_clock_static")));
  const int pid = running.pid();
  const auto line = running.line();
  ASSERT_TRUE(line.has_value());
  EXPECT_GE(std::atoll(line->c_str()), before);
  EXPECT_LE(std::atoll(line->c_str()), real_ns() / kBillion);
  EXPECT_FALSE(shim.clock().used_by(pid));
}

}  // namespace
}  // namespace sunder::clock_shim
