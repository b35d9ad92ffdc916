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
  std::map<std::string, double> parameters;
  std::optional<std::uint64_t> seed;
};

// "none" gives no items, "all" every family.
[[nodiscard]] Result<std::vector<ScheduleItem>> parse_items(std::string_view text);

// That the item is possible in a cluster of this size.
[[nodiscard]] Result<void> check_item(const ScheduleItem& item, std::size_t nodes);

// The shape of this name; null when the family has none.
[[nodiscard]] const FaultShape* find_shape(const FaultInfo& family, std::string_view name);

// The words that a fault may be placed by; sorted.
[[nodiscard]] std::span<const std::string_view> event_words();

// Reads back exactly by parse_duration: "1500ms", never rounded.
[[nodiscard]] std::string exact_duration(std::chrono::nanoseconds duration);

}  // namespace sunder::nemesis
