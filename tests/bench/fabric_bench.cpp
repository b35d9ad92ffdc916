// Measures the fabric inside a universe: building it, installing and healing a partition or any
// other matrix, reading all counters; and what the same matrix takes by forking tc for each link.
//
// The comparison needs iproute2's tc, which sunder itself never uses; without it that part says so.
//
// All of it runs inside one universe (universe_main.cpp). Each fabric's links need fresh
// interface numbers, so building one is measured in a network namespace of its own.

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/assert.hpp"
#include "harness/base/clock.hpp"
#include "harness/cluster/fabric.hpp"
#include "harness/cluster/link_leaf.hpp"

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

constexpr std::size_t kClients = 16;

bool netem_works() {
  Fabric fabric = fresh_fabric(2);
  LinkMatrix delayed(2 + 2 * kClientsPerNode);
  delayed.at(0, 1).delay = std::chrono::milliseconds(1);
  return fabric.install(delayed).has_value();
}

// Every link in another state: cut, slow, or, where the kernel can, slow, late with jitter and
// lossy.
LinkMatrix any_matrix(std::size_t nodes, bool netem) {
  LinkMatrix matrix(nodes + kClients);
  std::size_t number = 0;
  for (std::size_t from = 0; from < matrix.endpoints(); ++from) {
    for (std::size_t to = 0; to < matrix.endpoints(); ++to) {
      if (from == to || (from >= nodes && to >= nodes)) continue;
      LinkState& state = matrix.at(static_cast<Endpoint>(from), static_cast<Endpoint>(to));
      ++number;
      state.blackhole = number % 3 == 0;
      state.rate = 1'000'000 + number;
      if (!netem) continue;
      state.delay = std::chrono::microseconds(1'000 + number);
      state.jitter = std::chrono::microseconds(100);
      state.distribution = Distribution::normal;
      state.loss = 0.01;
    }
  }
  return matrix;
}

// One matrix and its healing an iteration; "install_ms" is the slowest of either.
void BM_Fabric_AnyMatrix(benchmark::State& state) {
  const bool netem = netem_works();
  const auto nodes = static_cast<std::size_t>(state.range(0));
  SUNDER_ASSERT(::unshare(CLONE_NEWNET) == 0);
  Fabric fabric = std::move(Fabric::create(nodes, kClients).value());
  const LinkMatrix wanted = any_matrix(nodes, netem);
  const LinkMatrix healthy(wanted.endpoints());
  std::size_t links = 0;
  std::chrono::nanoseconds slowest{0};
  for (auto iteration : state) {
    const LinkChange change = fabric.install(wanted).value();
    const LinkChange heal = fabric.install(healthy).value();
    links = change.links;
    slowest = std::max({slowest, change.installing, heal.installing});
  }
  state.counters["links"] = static_cast<double>(links);
  state.counters["install_ms"] = static_cast<double>(slowest.count()) / 1e6;
  state.SetLabel(netem ? "cut, rate, netem" : "cut, rate; this kernel has no netem");
}

bool run_tc(const std::vector<std::string>& arguments) {
  std::vector<std::string> words{"tc"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> raw;
  for (std::string& word : words) raw.push_back(word.data());
  raw.push_back(nullptr);
  pid_t child = 0;
  if (::posix_spawnp(&child, "tc", nullptr, nullptr, raw.data(), environ) != 0) return false;
  int status = 0;
  return ::waitpid(child, &status, 0) == child && status == 0;
}

// The same matrix as a script would make it: a process for each class and each leaf.
void BM_Fabric_AnyMatrixByTc(benchmark::State& state) {
  if (!run_tc({"-Version"})) {
    state.SkipWithError("no tc: install iproute2 for the comparison");
    return;
  }
  const bool netem = netem_works();
  const auto nodes = static_cast<std::size_t>(state.range(0));
  SUNDER_ASSERT(::unshare(CLONE_NEWNET) == 0);
  Fabric fabric = std::move(Fabric::create(nodes, kClients).value());
  const LinkMatrix wanted = any_matrix(nodes, netem);
  std::int64_t by_tc = 0;
  for (auto iteration : state) {
    const std::int64_t begun = base::monotonic_ns();
    for (std::size_t from = 0; from < wanted.endpoints(); ++from) {
      for (std::size_t to = 0; to < wanted.endpoints(); ++to) {
        if (from == to || (from >= nodes && to >= nodes)) continue;
        const LinkState& link = wanted.at(static_cast<Endpoint>(from), static_cast<Endpoint>(to));
        const bool client = to >= nodes;
        const std::string device = client ? "clients" : fmt::format("n{}", to + 1);
        const std::size_t minor = client ? from * kClients + (to - nodes) + 1 : from + 1;
        const std::string place = fmt::format("1:{:x}", minor);
        SUNDER_ASSERT(run_tc({"class",
                              "change",
                              "dev",
                              device,
                              "parent",
                              "1:",
                              "classid",
                              place,
                              "htb",
                              "rate",
                              fmt::format("{}bit", link.rate)}));
        std::vector<std::string> leaf{"qdisc", "replace", "dev", device, "parent", place};
        if (link.blackhole) {
          leaf.emplace_back("blackhole");
        } else if (netem) {
          for (const char* word : {"netem", "delay", "1ms", "100us", "loss", "1%"}) {
            leaf.emplace_back(word);
          }
        } else {
          for (const char* word : {"pfifo", "limit", "100"}) leaf.emplace_back(word);
        }
        SUNDER_ASSERT(run_tc(leaf));
      }
    }
    by_tc = base::monotonic_ns() - begun;
  }
  SUNDER_ASSERT(::unshare(CLONE_NEWNET) == 0);
  Fabric other = std::move(Fabric::create(nodes, kClients).value());
  const auto ours = static_cast<double>(other.install(wanted).value().installing.count());
  state.counters["tc_ms"] = static_cast<double>(by_tc) / 1e6;
  state.counters["ours_ms"] = ours / 1e6;
  state.counters["ratio"] = static_cast<double>(by_tc) / ours;
}

BENCHMARK(BM_Fabric_AnyMatrix)->ArgName("nodes")->Arg(3)->Arg(9)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Fabric_AnyMatrixByTc)
    ->ArgName("nodes")
    ->Arg(3)
    ->Arg(9)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);
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
