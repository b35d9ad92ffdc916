// Measures the fabric inside a universe: building it, installing and healing a partition, reading
// all counters.
//
// A binary of its own, because all of it runs inside one universe. Each fabric's links need fresh
// interface numbers, so building one is measured in a network namespace of its own.

#include <cstdio>

#include <benchmark/benchmark.h>
#include <sched.h>

#include "harness/base/assert.hpp"
#include "harness/cluster/fabric.hpp"
#include "harness/cluster/universe.hpp"

namespace sunder::cluster {
namespace {

constexpr std::int64_t kClientsPerNode = 2;

Fabric fresh_fabric(std::size_t nodes) {
  SUNDER_ASSERT(::unshare(CLONE_NEWNET) == 0);
  return std::move(Fabric::create(nodes, nodes * kClientsPerNode).value());
}

LinkMatrix halves(std::size_t nodes) {
  const std::size_t count = nodes * (1 + kClientsPerNode);
  const auto side = [&](std::size_t i) { return i % nodes < nodes / 2; };
  LinkMatrix matrix(count);
  for (std::size_t from = 0; from < count; ++from) {
    for (std::size_t to = 0; to < count; ++to) {
      if (from >= nodes && to >= nodes) continue;
      matrix.at(static_cast<Endpoint>(from), static_cast<Endpoint>(to)).blackhole =
          side(from) != side(to);
    }
  }
  return matrix;
}

void BM_Fabric_Build(benchmark::State& state) {
  const auto nodes = static_cast<std::size_t>(state.range(0));
  for (auto iteration : state) {
    const Fabric fabric = fresh_fabric(nodes);
    benchmark::DoNotOptimize(fabric.installed().endpoints());
  }
}

// One cut and one heal an iteration; items are links changed.
void BM_Fabric_PartitionAndHeal(benchmark::State& state) {
  const auto nodes = static_cast<std::size_t>(state.range(0));
  Fabric fabric = fresh_fabric(nodes);
  const LinkMatrix cut = halves(nodes);
  const LinkMatrix healthy(cut.endpoints());
  std::size_t links = 0;
  for (auto iteration : state) {
    links += fabric.install(cut).value().links;
    links += fabric.install(healthy).value().links;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(links));
}

void BM_Fabric_Counters(benchmark::State& state) {
  Fabric fabric = fresh_fabric(static_cast<std::size_t>(state.range(0)));
  for (auto iteration : state) benchmark::DoNotOptimize(fabric.counters().value().size());
}

BENCHMARK(BM_Fabric_Build)->ArgName("nodes")->Arg(3)->Arg(5)->Arg(9)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Fabric_PartitionAndHeal)
    ->ArgName("nodes")
    ->Arg(3)
    ->Arg(5)
    ->Arg(9)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(BM_Fabric_Counters)
    ->ArgName("nodes")
    ->Arg(3)
    ->Arg(5)
    ->Arg(9)
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace sunder::cluster

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const auto status = sunder::cluster::enter_universe({}, [] {
    benchmark::RunSpecifiedBenchmarks();
    return 0;
  });
  if (status.has_error()) std::fprintf(stderr, "%s\n", status.error().message().c_str());
  return status.has_value() ? *status : 3;
}
