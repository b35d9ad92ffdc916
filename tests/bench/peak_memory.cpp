#include "tests/bench/peak_memory.hpp"

#include <fstream>
#include <string>
#include <string_view>

#include <malloc.h>

namespace sunder::test {
namespace {

// A line of /proc/self/status that gives kibibytes, in bytes.
double bytes_of(std::string_view name) {
  constexpr double kKibibyte = 1024;
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word != name) continue;
    double kibibytes = 0;
    status >> kibibytes;
    return kibibytes * kKibibyte;
  }
  return 0;
}

}  // namespace

PeakMemory::PeakMemory() {
  ::malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << "5";
  held_ = bytes_of("VmRSS:");
}

void PeakMemory::tell(benchmark::State& state) const {
  state.counters["held"] = held_;
  state.counters["peak"] = bytes_of("VmHWM:");
}

}  // namespace sunder::test
