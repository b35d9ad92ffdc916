// Connectivity: who could talk to whom at each moment of a run, from its fault records.
//
// Time is cut into segments in which nothing changed. Installing and healing a fault take time;
// what held meanwhile is not known, so a caller chooses its stance: `possible` counts a cut from
// the start of installing to the end of healing, `certain` only while it surely stood. A checker
// that demands answers takes the first, one that forbids them the second.
//
// Threading: immutable after construction. Reads a RunContext that must outlive it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "harness/history/operation.hpp"
#include "harness/history/run_context.hpp"

namespace sunder::checkers {

enum class Stance : std::uint8_t { possible, certain };

// A set of endpoints, one bit each.
using EndpointSet = std::vector<bool>;

[[nodiscard]] std::size_t count_of(const EndpointSet& set) noexcept;

class Connectivity {
 public:
  struct Segment {
    history::Window window;
    std::vector<bool> up;         // by node
    std::vector<bool> cut;        // [from * endpoints + to]
    bool members_change = false;  // by one more or less, or another in one's place
  };

  Connectivity(const history::RunContext& context, Stance stance);

  // In order of time, without gaps, from 0 to kNever.
  [[nodiscard]] const std::vector<Segment>& segments() const noexcept { return segments_; }

  [[nodiscard]] std::size_t nodes() const noexcept { return nodes_; }

  [[nodiscard]] std::size_t endpoints() const noexcept { return endpoints_; }

  [[nodiscard]] std::size_t majority_size() const noexcept { return nodes_ / 2 + 1; }

  // So many nodes are surely a majority of the members, whoever they are just then.
  [[nodiscard]] std::size_t majority_size(const Segment& segment) const noexcept {
    return majority_size() + (segment.members_change ? 1 : 0);
  }

  // "n1,n4".
  [[nodiscard]] std::string names_of(const EndpointSet& set) const;

  // Both directions work.
  [[nodiscard]] bool linked(const Segment& segment, std::size_t a, std::size_t b) const;
  // At least one direction works.
  [[nodiscard]] bool touching(const Segment& segment, std::size_t a, std::size_t b) const;

  // The majority of nodes that is up and fully connected in both directions; none when there is
  // none, or when several overlap (a bridge), because then no single one is meant.
  [[nodiscard]] std::optional<EndpointSet> connected_majority(const Segment& segment) const;
  // Whether the client reaches every node of the set, in both directions.
  [[nodiscard]] bool reaches_all(const Segment& segment,
                                 std::size_t client,
                                 const EndpointSet& set) const;
  // Nodes that anything sent by, or to, the client could have passed through during the segments
  // [first, last].
  [[nodiscard]] EndpointSet within_reach(std::size_t client,
                                         std::size_t first,
                                         std::size_t last) const;

  // Index of the segment that holds this time.
  [[nodiscard]] std::size_t segment_at(std::int64_t time) const;
  // Endpoint of the client that a process used; none when not recorded.
  [[nodiscard]] std::optional<std::size_t> endpoint_of(std::int64_t process) const;
  // Name of a client endpoint, "c3".
  [[nodiscard]] const std::string& client_name(std::size_t endpoint) const;

 private:
  void make_segments();
  void apply(const history::FaultRecord& fault, const history::Window& window);

  const history::RunContext& context_;
  std::size_t nodes_;
  std::size_t endpoints_;
  std::unordered_map<std::string, std::size_t> index_;           // endpoint name → index
  std::unordered_map<std::int64_t, std::size_t> process_index_;  // process → endpoint
  std::vector<Segment> segments_;
};

// When the fault's effect possibly stood: from the start of applying to the end of healing.
[[nodiscard]] history::Window possible_window(const history::FaultRecord& fault) noexcept;

}  // namespace sunder::checkers
