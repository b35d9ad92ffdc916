// The closed-form test of a register whose values are written once: Gibbons & Korach's zones,
// extended by chains of compare-and-sets.
//
// All operations on one value form a cluster; a successful cas joins the cluster of what it read to
// the cluster of what it wrote, into a chain that must be one uninterrupted block. The block's zone
// is [least end, greatest start]. The history is linearizable exactly when every chain is in order
// inside and no two zones conflict: E(A) < S(B) and E(B) < S(A). A conflict names the four
// operations that realise the two inequalities. O(n log n), no search.
//
// Unknown writes and cas that nobody observed are dropped; observed ones never end. A failed cas
// that tells the actual value is a read of it; one that does not makes the test necessary only
// (ClosedForm::exact is false).

#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "checkers/closed_form.hpp"
#include "harness/history/history.hpp"

namespace sunder::checkers {

// Judges the operations (indices into the history) of one key. Nothing when the test does not
// apply: two operations produce the same value, or one produces the initial value nil.
[[nodiscard]] std::optional<ClosedForm> check_zones(const history::History& history,
                                                    std::span<const std::uint32_t> operations,
                                                    const Parameters& parameters);

}  // namespace sunder::checkers
