// The text form of schedules: one item of --faults, parsed and checked against the fault table.
//
// Threading: pure functions. Errors: Errc::usage, one line that names the wrong word and lists what
// exists.

#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.hpp"
#include "nemesis/nemesis.hpp"

namespace sunder::nemesis {

struct ScheduleItem {
  const FaultInfo* family = nullptr;
  const FaultShape* shape = nullptr;  // null: the family alone
  std::string target;
  std::optional<std::chrono::nanoseconds> start;  // none: wherever a random schedule puts it
  EventPlacement at;
  std::chrono::nanoseconds duration{0};
  std::map<std::string, std::string> parameters;
  std::optional<std::uint64_t> seed;
};

// Whether the text is "all": what this machine cannot do is left out then.
[[nodiscard]] bool means_all(std::string_view text) noexcept;

// Whether it is "atlas" or "atlas:FAMILY,…".
[[nodiscard]] bool means_atlas(std::string_view text) noexcept;

// "none" gives no items, "all" every family.
[[nodiscard]] Result<std::vector<ScheduleItem>> parse_items(std::string_view text);

// That the item is possible in such a cluster, and waits for an event that its nodes tell.
[[nodiscard]] Result<void> check_item(const ScheduleItem& item, const ScheduleOptions& options);

// Whether it is named after the leader: where none is known another node stands in for it.
[[nodiscard]] bool is_of_leader(const FaultShape& shape) noexcept;

// Whether such a cluster can have it: there are nodes enough, and a leader when it is named after
// one.
[[nodiscard]] bool is_possible(const FaultShape& shape, const ScheduleOptions& options);

// The shape of this name; null when the family has none.
[[nodiscard]] const FaultShape* find_shape(const FaultInfo& family, std::string_view name);

}  // namespace sunder::nemesis
