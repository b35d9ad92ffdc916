// PeakMemory: how much memory the process takes at most while a benchmark runs, and how much of it
// was there before, which is the history that is judged. As the kernel counts it (VmHWM, VmRSS).
//
// The kernel's mark is set back when an object is made, which Linux allows through
// /proc/self/clear_refs; where it does not, the mark of the whole process so far is told. What
// the making of the history left behind in the allocator is given back first.
//
// Threading: one object at a time.

#pragma once

#include <benchmark/benchmark.h>

namespace sunder::test {

class PeakMemory {
 public:
  PeakMemory();

  // As the counters `held` and `peak` of the benchmark, in bytes.
  void tell(benchmark::State& state) const;

 private:
  double held_;
};

}  // namespace sunder::test
