// Page: what the harness and the clock shim inside a process share: how wrong the realtime clock is
// to be, and what the processes that use it have done.
//
// One file of one page per node. The harness writes parameters, the shim counts. A process's clock
// is the real one plus the sum of its components, each a straight line or a square wave over the
// monotonic clock, so that faults add up and removing one leaves the rest exactly as it was.
//
// Threading: any number of readers in any number of processes, one writer. Parameters are kept
// twice: the writer fills the copy that nobody reads and then publishes its generation, so a reader
// never waits, not even for a writer that died half-way.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace sunder::clock_shim {

constexpr std::uint64_t kMagic = 0x314b4c43444e5553;  // "SUNDCLK1"
constexpr std::size_t kComponentsMax = 8;
constexpr std::size_t kProcessesMax = 64;
constexpr std::int64_t kBillion = 1'000'000'000;

// One fault's share. Nanoseconds; `base` is of CLOCK_MONOTONIC.
struct Component {
  std::int64_t base = 0;    // from when drift and strobe count
  std::int64_t offset = 0;  // added throughout
  std::int64_t drift = 0;  // gained in each 10⁹ ns; above -10⁹, so that time never stands still
  std::int64_t strobe = 0;  // added in the first half of each period
  std::int64_t period = 0;  // of the strobe; 0: none

  friend bool operator==(const Component&, const Component&) = default;
};

// What a component adds to the real time at this instant of the monotonic clock.
[[nodiscard]] constexpr std::int64_t shift_of(const Component& component,
                                              std::int64_t monotonic) noexcept {
  const std::int64_t elapsed = monotonic - component.base;
  std::int64_t shift = component.offset + elapsed / kBillion * component.drift +
                       elapsed % kBillion * component.drift / kBillion;
  if (component.period > 0 && elapsed >= 0 && elapsed % component.period < component.period / 2) {
    shift += component.strobe;
  }
  return shift;
}

__extension__ using Wide = __int128;  // products of two times

// How long, by an undisturbed clock, one that gains `drift` in each 10⁹ ns needs for `remaining`;
// rounded up, so that nothing is early.
[[nodiscard]] constexpr std::int64_t undisturbed(std::int64_t remaining,
                                                 std::int64_t drift) noexcept {
  const std::int64_t speed = kBillion + drift;
  if (speed <= 0) return remaining;
  return static_cast<std::int64_t>((Wide{remaining} * kBillion + speed - 1) / speed);
}

// All components at once; a plain copy.
struct Parameters {
  std::uint32_t generation = 0;
  std::uint32_t count = 0;
  Component components[kComponentsMax];

  [[nodiscard]] constexpr std::int64_t shift(std::int64_t monotonic) const noexcept {
    std::int64_t sum = 0;
    for (std::uint32_t i = 0; i < count; ++i) sum += shift_of(components[i], monotonic);
    return sum;
  }

  [[nodiscard]] constexpr std::int64_t drift() const noexcept {
    std::int64_t sum = 0;
    for (std::uint32_t i = 0; i < count; ++i) sum += components[i].drift;
    return sum;
  }

  [[nodiscard]] constexpr bool strobes() const noexcept {
    for (std::uint32_t i = 0; i < count; ++i) {
      if (components[i].period > 0) return true;
    }
    return false;
  }
};

struct Page {
  std::uint64_t magic = kMagic;
  // The copy in use is the one of its lowest bit. Also a futex that the writer wakes.
  std::atomic<std::uint32_t> generation{0};

  struct Copy {
    std::atomic<std::uint32_t> count{0};

    struct Cell {
      std::atomic<std::int64_t> base{0}, offset{0}, drift{0}, strobe{0}, period{0};
    } cells[kComponentsMax];
  } copies[2];

  // Written by the processes.
  alignas(64) std::atomic<std::uint64_t> readings{0};  // of a realtime clock
  std::atomic<std::uint64_t> waits{0};                 // whose absolute deadline was translated
  std::atomic<std::int64_t> last{0};                   // the shift given out last
  std::atomic<std::int64_t> lowest{0};                 // since the harness cleared it
  std::atomic<std::int64_t> highest{0};
  std::atomic<std::uint32_t> registered{0};              // processes that ever used the page
  std::atomic<std::int32_t> processes[kProcessesMax]{};  // a ring of their numbers
};

static_assert(sizeof(Page) <= 4096, "one page");
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

// A consistent copy of the parameters.
[[nodiscard]] inline Parameters read_parameters(const Page& page) noexcept {
  Parameters parameters;
  for (;;) {
    parameters.generation = page.generation.load(std::memory_order_acquire);
    const Page::Copy& copy = page.copies[parameters.generation & 1U];
    parameters.count = copy.count.load(std::memory_order_relaxed);
    if (parameters.count > kComponentsMax) parameters.count = kComponentsMax;
    for (std::uint32_t i = 0; i < parameters.count; ++i) {
      const Page::Copy::Cell& cell = copy.cells[i];
      parameters.components[i] = {cell.base.load(std::memory_order_relaxed),
                                  cell.offset.load(std::memory_order_relaxed),
                                  cell.drift.load(std::memory_order_relaxed),
                                  cell.strobe.load(std::memory_order_relaxed),
                                  cell.period.load(std::memory_order_relaxed)};
    }
    std::atomic_thread_fence(std::memory_order_acquire);
    if (page.generation.load(std::memory_order_relaxed) == parameters.generation) return parameters;
  }
}

// Replaces the parameters; the caller then wakes the futex. One writer at a time. Precondition:
// count <= kComponentsMax.
inline void write_parameters(Page& page,
                             const Component* components,
                             std::uint32_t count) noexcept {
  const std::uint32_t next = page.generation.load(std::memory_order_relaxed) + 1;
  Page::Copy& copy = page.copies[next & 1U];
  std::atomic_thread_fence(std::memory_order_release);
  copy.count.store(count, std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < count; ++i) {
    Page::Copy::Cell& cell = copy.cells[i];
    cell.base.store(components[i].base, std::memory_order_relaxed);
    cell.offset.store(components[i].offset, std::memory_order_relaxed);
    cell.drift.store(components[i].drift, std::memory_order_relaxed);
    cell.strobe.store(components[i].strobe, std::memory_order_relaxed);
    cell.period.store(components[i].period, std::memory_order_relaxed);
  }
  page.generation.store(next, std::memory_order_release);
}

}  // namespace sunder::clock_shim
