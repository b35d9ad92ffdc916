// Out of memory: a node whose allocation fails says so in one line and stops at once.
//
// Going on would mean to unwind a half-done change of its state, in any thread, also in libraries'
// that do not expect it. A stop is a crash that the design already bears.

#pragma once

namespace sunder::nodes::host {

// From now on a failed `new` writes "out of memory: stopping" to standard error and ends the
// process with status 1. Call it first in main().
void stop_when_out_of_memory() noexcept;

}  // namespace sunder::nodes::host
