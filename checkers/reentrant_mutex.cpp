// A reentrant mutex: no two processes may surely hold it at one instant, and none more often than
// allowed.
//
// What a process does between its first acquire and its last release concerns nobody else, so that
// its hold is the mutex's. After an operation of unknown outcome nobody knows how often its process
// holds: if it goes on, the search decides. O(n log n).

#include <algorithm>
#include <limits>
#include <utility>

#include "checkers/holds.hpp"
#include "checkers/objects.hpp"

namespace sunder::checkers {

std::int64_t acquires_max_of(const Parameters& parameters) {
  const auto found = parameters.find("acquires");
  if (found == parameters.end()) return std::numeric_limits<std::int64_t>::max();
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(found->second));
}

std::optional<ClosedForm> check_reentrant_mutex(const history::History& history,
                                                std::span<const std::uint32_t> operations,
                                                const Parameters& parameters) {
  auto gathered = gather_holds(history, operations, acquires_max_of(parameters));
  if (!gathered) return std::nullopt;
  if (gathered->problem) return violation(std::move(*gathered->problem));
  return check_exclusive(history, std::move(gathered->holds));
}

}  // namespace sunder::checkers
