// A mutex: no two processes may surely hold it at one instant.
//
// That suffices: an acquire can take effect as late as it ends and a release as early as it begins,
// so that holds are no longer than they surely are. O(n log n).

#include <utility>

#include "checkers/holds.hpp"
#include "checkers/objects.hpp"

namespace sunder::checkers {

std::optional<ClosedForm> check_mutex(const history::History& history,
                                      std::span<const std::uint32_t> operations,
                                      const Parameters& /*none*/) {
  auto gathered = gather_holds(history, operations);
  if (!gathered) return std::nullopt;
  if (gathered->problem) return violation(std::move(*gathered->problem));
  return check_exclusive(history, std::move(gathered->holds));
}

}  // namespace sunder::checkers
