#include "harness/clock_shim/process_clock.hpp"

#include <cmath>
#include <cstdlib>
#include <new>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/base/clock.hpp"
#include "harness/base/file.hpp"

namespace sunder::clock_shim {

Result<ProcessClock> ProcessClock::create(const std::filesystem::path& file) {
  const base::FileDescriptor descriptor(
      ::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!descriptor.valid()) return base::system_error(fmt::format("make {}", file.string()));
  if (::ftruncate(descriptor.get(), sizeof(Page)) != 0) {
    return base::system_error(fmt::format("size {}", file.string()));
  }
  void* const memory =
      ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor.get(), 0);
  if (memory == MAP_FAILED) return base::system_error(fmt::format("map {}", file.string()));
  return ProcessClock(file, new (memory) Page);
}

ProcessClock::ProcessClock(ProcessClock&& other) noexcept
    : file_(std::move(other.file_)),
      page_(std::exchange(other.page_, nullptr)),
      components_(std::move(other.components_)),
      readings_at_change_(other.readings_at_change_) {}

ProcessClock::~ProcessClock() {
  if (page_ == nullptr) return;
  ::munmap(page_, sizeof(Page));
  std::error_code ignored;
  std::filesystem::remove(file_, ignored);
}

std::map<std::string, std::string> ProcessClock::environment(
    const std::filesystem::path& library) const {
  const char* const others = std::getenv("LD_PRELOAD");
  const bool alone = others == nullptr || *others == '\0';
  return {{"LD_PRELOAD", alone ? library.string() : fmt::format("{}:{}", library.string(), others)},
          {"SUNDER_CLOCK", file_.string()}};
}

Result<void> ProcessClock::set(std::uint32_t fault, const ClockError& error) {
  if (!components_.contains(fault) && components_.size() == kComponentsMax) {
    return base::make_error(Errc::failed,
                            fmt::format("more than {} clock faults on one node", kComponentsMax));
  }
  Component component;
  component.base = base::monotonic_ns();
  component.offset = error.offset.count();
  component.drift = std::llround(error.drift_ppm * 1000);
  component.strobe = error.strobe.count();
  component.period = error.period.count();
  components_[fault] = component;
  publish();
  return {};
}

void ProcessClock::withdraw(std::uint32_t fault) {
  if (components_.erase(fault) > 0) publish();
}

void ProcessClock::publish() {
  Component all[kComponentsMax];
  std::uint32_t count = 0;
  for (const auto& [fault, component] : components_) all[count++] = component;
  write_parameters(*page_, all, count);
  readings_at_change_ = page_->readings.load();
  // Whoever keeps timers by this clock sets them anew.
  ::syscall(SYS_futex, &page_->generation, FUTEX_WAKE, INT32_MAX, nullptr, nullptr, 0);
}

ClockReadings ProcessClock::readings() const noexcept {
  using std::chrono::nanoseconds;
  ClockReadings seen;
  seen.readings = page_->readings.load();
  seen.waits = page_->waits.load();
  seen.last = nanoseconds(page_->last.load());
  seen.lowest = nanoseconds(page_->lowest.load());
  seen.highest = nanoseconds(page_->highest.load());
  seen.processes = page_->registered.load();
  return seen;
}

void ProcessClock::clear_extremes() noexcept {
  page_->lowest.store(0);
  page_->highest.store(0);
}

bool ProcessClock::looked_since_change() const noexcept {
  return page_->readings.load() > readings_at_change_;
}

bool ProcessClock::used_by(int process) const noexcept {
  for (const auto& number : page_->processes) {
    if (number.load() == process) return true;
  }
  return false;
}

std::chrono::nanoseconds ProcessClock::error() const noexcept {
  return std::chrono::nanoseconds(read_parameters(*page_).shift(base::monotonic_ns()));
}

}  // namespace sunder::clock_shim
