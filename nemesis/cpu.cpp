// Processor: starves processes: they may use one processor only, and share it with busy processes
// of ours.
//
// CPU affinity and competitors at the same priority need no privilege and can be taken back, unlike
// nice and SCHED_IDLE, which an ordinary user cannot leave again. The competitors die with the
// harness (PDEATHSIG, and the universe).

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/file.hpp"
#include "nemesis/families.hpp"
#include "nemesis/resource_fault.hpp"

namespace sunder::nemesis {
namespace {

// Waiting for this part of the fault's time shows that a processor was lacking.
constexpr double kWaiting_min = 0.02;
constexpr double kShare_low = 3;
constexpr double kShare_high = 60;

std::vector<int> threads_of(int pid) {
  std::vector<int> threads;
  std::error_code error;
  std::filesystem::directory_iterator entries(fmt::format("/proc/{}/task", pid), error);
  if (error) return threads;
  for (const auto& entry : entries) {
    threads.push_back(std::atoi(entry.path().filename().c_str()));
  }
  return threads;
}

struct Usage {
  double ran_ms = 0;
  double waited_ms = 0;  // ready to run, without a processor
};

// Of all threads of the process, from the kernel's scheduler.
Usage usage_of(int pid) {
  Usage sum;
  for (const int thread : threads_of(pid)) {
    const auto text = base::read_file(fmt::format("/proc/{}/task/{}/schedstat", pid, thread));
    if (text.has_error()) continue;
    char* end = nullptr;
    sum.ran_ms += std::strtod(text->c_str(), &end) / 1e6;
    sum.waited_ms += std::strtod(end, nullptr) / 1e6;
  }
  return sum;
}

Result<void> bind_threads(int pid, const cpu_set_t& processors) {
  for (const int thread : threads_of(pid)) {
    if (::sched_setaffinity(thread, sizeof processors, &processors) == 0) continue;
    if (errno == ESRCH) continue;
    return base::system_error(fmt::format("set the processors of process {}", pid));
  }
  return {};
}

int last_processor(const cpu_set_t& processors) {
  int last = -1;
  for (std::size_t i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &processors)) last = static_cast<int>(i);
  }
  return last;
}

// A process that does nothing but use one processor. It keeps nothing of ours open.
Result<pid_t> start_competitor(const cpu_set_t& processor) {
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return base::system_error("start a competitor");
  if (child > 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  ::close_range(0, ~0U, 0);
  ::sched_setaffinity(0, sizeof processor, &processor);
  for (volatile unsigned turns = 0;;) turns = turns + 1;
}

class ActiveCpu final : public ResourceFault {
 public:
  using ResourceFault::ResourceFault;

  ~ActiveCpu() override {
    heal_at_last();
    end_competitors();
  }

 private:
  struct Starved {
    cpu_set_t before{};
    Usage usage;
  };

  [[nodiscard]] Result<void> start_competitors(const cpu_set_t& processor) {
    const double share = number_of(planned_, "share").value_or(10) / 100;
    const auto count = static_cast<std::size_t>(std::max(1.0, std::round(1 / share) - 1));
    while (competitors_.size() < count) {
      const auto started = start_competitor(processor);
      if (started.has_error()) return started.error();
      competitors_.push_back(*started);
    }
    return {};
  }

  void end_competitors() noexcept {
    for (const pid_t competitor : competitors_) ::kill(competitor, SIGKILL);
    for (const pid_t competitor : competitors_) {
      while (::waitpid(competitor, nullptr, 0) < 0 && errno == EINTR) {
      }
    }
    competitors_.clear();
  }

  [[nodiscard]] Result<void> restrict(std::size_t index) override {
    starved_.resize(victims_.size());
    const int pid = victims_[index].pid;
    Starved& starved = starved_[index];
    if (::sched_getaffinity(pid, sizeof starved.before, &starved.before) != 0) {
      return base::system_error(fmt::format("read the processors of process {}", pid));
    }
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(last_processor(starved.before)), &one);
    starved.usage = usage_of(pid);
    SUNDER_TRY(start_competitors(one));
    return bind_threads(pid, one);
  }

  [[nodiscard]] Result<void> restore(std::size_t index) override {
    const std::size_t competitors = competitors_.size();
    end_competitors();
    const int pid = victims_[index].pid;
    Starved& starved = starved_.at(index);
    const Usage after = usage_of(pid);
    const double waited = after.waited_ms - starved.usage.waited_ms;
    waited_ms_ += waited;
    add_evidence(victims_[index], "ran", after.ran_ms - starved.usage.ran_ms, "ms");
    add_evidence(victims_[index], "waited for a processor", waited, "ms");
    if (competitors > 0) {
      record_.evidence.push_back(
          {"competitors on its processor", static_cast<double>(competitors), "processes"});
    }
    SUNDER_TRY(bind_threads(pid, starved.before));
    cpu_set_t now;
    if (::sched_getaffinity(pid, sizeof now, &now) != 0) {
      if (errno == ESRCH) return {};
      return base::system_error(fmt::format("read the processors of process {}", pid));
    }
    if (CPU_EQUAL(&now, &starved.before) != 0) return {};
    return base::make_error(Errc::failed, fmt::format("process {} stays on one processor", pid));
  }

  [[nodiscard]] std::string prove(std::size_t ended) override {
    const double stood = static_cast<double>(record_.active.end - record_.active.begin) / 1e6;
    if (victims_.empty() || ended > 0 || waited_ms_ > stood * kWaiting_min) return {};
    return fmt::format("its processes waited for a processor for only {:.1f} ms", waited_ms_);
  }

  std::vector<Starved> starved_;
  std::vector<pid_t> competitors_;
  double waited_ms_ = 0;
};

constexpr std::array kParameters{
    FaultParameter{.name = "share",
                   .summary = "of one processor that is left for each busy thread of the node",
                   .kind = ParameterKind::percent,
                   .low = kShare_low,
                   .high = kShare_high,
                   .otherwise = "10%"},
};

}  // namespace

FaultInfo cpu_fault() {
  return {.name = "cpu",
          .summary = "Starves processes of processor time.",
          .shapes = kResource_shapes,
          .parameters = kParameters,
          .evidence =
              "How long the node's threads ran and how long they were ready but waited for a "
              "processor, from the kernel's scheduler; how many competitors there were.",
          .limits =
              "By CPU affinity and competing processes, not by a control group: one processor of "
              "the machine is busy meanwhile, and a node that needs little gets what it needs, "
              "only later.",
          .example = "cpu:leader@2s+3s;share=5%",
          .burden = {.slows = true},
          .usual = std::chrono::seconds(2),
          .apply = apply_process_fault<ActiveCpu>};
}

}  // namespace sunder::nemesis
