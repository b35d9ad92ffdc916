// Playground texts: what a user types at `sunder fault`, and what `sunder status` prints.
//
// Threading: pure functions. Errors: Errc::usage, one line.

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "harness/base/error.hpp"

namespace sunder::run {

// How long a fault stands that was given no duration: until it is healed.
constexpr std::chrono::nanoseconds kUntilHealed = std::chrono::hours(10'000);

struct FaultOrder {
  std::string items;  // in the language of schedules, each with a placement
  bool open = false;  // without a duration: until healed
};

// The words after `sunder fault` as items of the schedule language. Both of its forms are taken:
//   kill:leader   delay:leader;delay=50ms   partition:n1+n2/n3,kill:n4 kill:leader@became-leader+1s
//   kill leader   delay leader delay=50ms   partition n1,n2 | n3,n4,n5   partition n1 > n2
// An item without a placement begins now and lasts `duration`, or until healed.
[[nodiscard]] Result<FaultOrder> read_fault_order(const std::vector<std::string>& words,
                                                  std::optional<std::chrono::nanoseconds> duration);

// The reply to `status` for a reader: nodes, faults, the matrix of links.
[[nodiscard]] std::string status_text(const boost::json::object& status);
// The replies to `fault` and `heal`, a line for each fault.
[[nodiscard]] std::string faults_text(const boost::json::object& reply);

}  // namespace sunder::run
