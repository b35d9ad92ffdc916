// A read–write lock: while a process surely holds it for writing, no other may surely hold it.
//
// That suffices, as for a mutex. O(n log n).

#include <algorithm>

#include "checkers/holds.hpp"
#include "checkers/objects.hpp"

namespace sunder::checkers {

std::optional<ClosedForm> check_rw_lock(const history::History& history,
                                        std::span<const std::uint32_t> operations,
                                        const Parameters& /*none*/) {
  auto gathered = gather_holds(history, operations);
  if (!gathered) return std::nullopt;
  if (gathered->problem) return violation(std::move(*gathered->problem));
  std::ranges::sort(gathered->holds, {}, &Hold::from);
  const Hold* longest_writer = nullptr;
  const Hold* longest_reader = nullptr;
  for (const Hold& hold : gathered->holds) {
    const bool reads = is_shared(history.pool(), history.operations()[hold.acquire]);
    for (const Hold* other : {longest_writer, reads ? nullptr : longest_reader}) {
      if (other != nullptr && other->until > hold.from) {
        return violation(two_holders(history, *other, hold));
      }
    }
    const Hold*& longest = reads ? longest_reader : longest_writer;
    if (longest == nullptr || hold.until > longest->until) longest = &hold;
  }
  return ClosedForm();
}

}  // namespace sunder::checkers
