// ProcessClock: the harness's side of the clock shim: sets the realtime clock of one node's
// processes wrong while they run, and reads what they saw of it.
//
// Owns the page's file, which the processes map (page.hpp). Every fault adds one component; the
// clock's error is their sum, so faults compose and withdrawing one leaves the rest.
//
// Threading: one owner, the page's only writer. Errors: the file cannot be made; too many faults at
// once.

#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "harness/base/error.hpp"
#include "harness/clock_shim/page.hpp"

namespace sunder::clock_shim {

// How wrong one fault makes a clock.
struct ClockError {
  std::chrono::nanoseconds offset{0};  // ahead of the real one, or behind it
  double drift_ppm = 0;                // gained in each second, in microseconds; above -10⁶
  std::chrono::nanoseconds strobe{0};  // added and taken away again, in turns …
  std::chrono::nanoseconds period{0};  // … each for half of this; 0: no strobe
};

// What the processes did with the clock.
struct ClockReadings {
  std::uint64_t readings = 0;        // of realtime clocks, since the page was made
  std::uint64_t waits = 0;           // absolute deadlines translated, since the page was made
  std::chrono::nanoseconds last{0};  // error of the last reading
  // The furthest behind and ahead since clear_extremes(); zero if it never was.
  std::chrono::nanoseconds lowest{0};
  std::chrono::nanoseconds highest{0};
  std::uint32_t processes = 0;  // that ever used the page
};

class ProcessClock {
 public:
  // Makes the file; destruction removes it. The processes that have it mapped keep their clocks.
  [[nodiscard]] static Result<ProcessClock> create(const std::filesystem::path& file);
  ProcessClock(ProcessClock&& other) noexcept;
  ProcessClock& operator=(ProcessClock&&) = delete;
  ~ProcessClock();

  // What a process must be started with. `library`: libsunder_clock.so.
  [[nodiscard]] std::map<std::string, std::string> environment(
      const std::filesystem::path& library) const;

  // Adds or replaces the error that this fault makes, from now on.
  [[nodiscard]] Result<void> set(std::uint32_t fault, const ClockError& error);
  void withdraw(std::uint32_t fault);

  [[nodiscard]] ClockReadings readings() const noexcept;
  void clear_extremes() noexcept;
  // Whether a process read its clock since set() or withdraw() were called last.
  [[nodiscard]] bool looked_since_change() const noexcept;
  // Whether that process loaded the shim (the last 64 that did are known).
  [[nodiscard]] bool used_by(int process) const noexcept;
  // The error that a reading has now.
  [[nodiscard]] std::chrono::nanoseconds error() const noexcept;

 private:
  ProcessClock(std::filesystem::path file, Page* page) : file_(std::move(file)), page_(page) {}

  void publish();

  std::filesystem::path file_;
  Page* page_ = nullptr;
  std::map<std::uint32_t, Component> components_;
  std::uint64_t readings_at_change_ = 0;
};

}  // namespace sunder::clock_shim
