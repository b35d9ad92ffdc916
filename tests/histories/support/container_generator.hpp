// Histories of bags, queues, stacks and priority queues: the benchmark's, and small random ones for
// comparing with brute force.
//
// Both are functions of their seed alone.

#pragma once

#include <cstdint>
#include <string_view>

#include "harness/history/history.hpp"

namespace sunder::test {

enum class ContainerKind : std::uint8_t { bag, queue, stack, priority_queue };

// Every kind, for loops over them.
constexpr ContainerKind kContainer_kinds[] = {
    ContainerKind::bag, ContainerKind::queue, ContainerKind::stack, ContainerKind::priority_queue};

// "bag", "queue", "stack", "priority-queue", as models are called.
[[nodiscard]] std::string_view model_of(ContainerKind kind) noexcept;

// A simulated container, the greatest first for a priority queue: linearizable unless `violation`.
struct ContainerOptions {
  ContainerKind kind = ContainerKind::queue;
  std::uint64_t seed = 1;
  std::uint64_t operations = 1000;
  std::uint64_t clients = 16;
  std::uint64_t half_service_mean = 1000;
  std::uint64_t add_percent = 50;
  std::uint64_t peek_percent = 0;
  // Two removals after 99 % of the operations swap what they got; a bag gives one value to both.
  bool violation = false;
};

[[nodiscard]] history::History container_history(const ContainerOptions& options);

// A few operations with random intervals, outcomes and results; a good part of them linearizable.
struct SmallContainerOptions {
  ContainerKind kind = ContainerKind::queue;
  std::uint64_t seed = 1;
  std::uint64_t operations_max = 7;
  bool unique = true;  // every value is put in once
  bool peeks = true;
  bool empties = true;         // removals that found nothing
  bool unknown_adds = true;    // of unknown outcome
  bool unknown_takes = false;  // of unknown outcome, or that do not tell what they took
};

[[nodiscard]] history::History small_container_history(const SmallContainerOptions& options);

}  // namespace sunder::test
