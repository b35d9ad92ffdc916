#include "harness/run/host.hpp"

#include <thread>

#include <fmt/format.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "harness/base/deadline.hpp"
#include "harness/base/file.hpp"
#include "harness/cluster/capabilities.hpp"

namespace sunder::run {
namespace {

using namespace std::chrono_literals;

constexpr auto kWakeEvery = 50ms;
constexpr std::int64_t kSampleEvery_ns = 500'000'000;
// A wake this late delays every measurement of the run by as much.
constexpr double kLate_ms = 100;
// One pause this long may hold up heartbeats of every node: no liveness promise can be judged.
constexpr double kStalled_ms = 500;
constexpr double kLateShareMax = 0.02;

double cpu_pressure() {
  const auto text = base::read_file("/proc/pressure/cpu");
  if (text.has_error()) return 0;
  const std::size_t at = text->find("avg10=");
  return at == std::string::npos ? 0 : std::strtod(text->c_str() + at + 6, nullptr);
}

}  // namespace

std::string_view version() noexcept {
  return SUNDER_VERSION;
}

std::vector<std::pair<std::string, std::string>> host_facts() {
  utsname names{};
  ::uname(&names);

  struct sysinfo memory {};

  ::sysinfo(&memory);
  const double gib =
      static_cast<double>(memory.totalram) * memory.mem_unit / (1024.0 * 1024 * 1024);
  return {
      {"kernel",
       fmt::format("{}{} {}",
                   cluster::is_user_mode_linux() ? "User-Mode " : "",
                   names.sysname,
                   names.release)},
      {"machine", names.machine},
      {"cores", fmt::format("{}", std::thread::hardware_concurrency())},
      {"memory", fmt::format("{:.1f} GiB", gib)},
  };
}

boost::asio::awaitable<void> HostWatch::watch() {
  for (;;) {
    const std::int64_t before = clock_.now();
    const bool elapsed = co_await base::pause_for(kWakeEvery);
    if (!elapsed) co_return;
    const std::int64_t now = clock_.now();
    const std::int64_t late_ns = now - before - std::chrono::nanoseconds(kWakeEvery).count();
    note_delay(now, static_cast<double>(std::max<std::int64_t>(late_ns, 0)) / 1e6);
  }
}

void HostWatch::note_delay(std::int64_t now, double delay_ms) {
  if (ended_) return;
  ++wakes_;
  if (delay_ms > kLate_ms) ++late_wakes_;
  if (delay_ms > worst_ms_) {
    worst_ms_ = delay_ms;
    worst_time_ = now;
  }
  if (samples_.empty() || now - samples_.back().time >= kSampleEvery_ns) {
    samples_.push_back({.time = now, .loop_delay_ms = delay_ms, .cpu_pressure = cpu_pressure()});
  } else {
    samples_.back().loop_delay_ms = std::max(samples_.back().loop_delay_ms, delay_ms);
  }
}

std::string HostWatch::overload() const {
  const double seconds = static_cast<double>(worst_time_) / 1e9;
  if (worst_ms_ > kStalled_ms) {
    return fmt::format("the harness itself ran {:.0f} ms late at {:.1f} s", worst_ms_, seconds);
  }
  if (wakes_ > 0 &&
      static_cast<double>(late_wakes_) > kLateShareMax * static_cast<double>(wakes_)) {
    return fmt::format(
        "the harness itself ran more than {:.0f} ms late in {} of {} wakes (worst {:.0f} ms)",
        kLate_ms,
        late_wakes_,
        wakes_,
        worst_ms_);
  }
  return {};
}

}  // namespace sunder::run
