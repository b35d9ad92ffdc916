// The benchmarks of what only exists inside a universe: links between namespaces, disks of nodes.

#include <cstdio>

#include <benchmark/benchmark.h>

#include "harness/cluster/universe.hpp"

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const auto status = sunder::cluster::enter_universe({}, [] {
    benchmark::RunSpecifiedBenchmarks();
    return 0;
  });
  if (status.has_error()) std::fprintf(stderr, "%s\n", status.error().message().c_str());
  return status.has_value() ? *status : 3;
}
