// Ticker: calls a node's core at even distances.
//
// A process that was stopped for a while gets one tick for it, not all that it missed: a burst
// would look like time that nobody had.
//
// Threading: the executor's single thread. Ends when it is cancelled.

#pragma once

#include <chrono>
#include <functional>

#include <boost/asio/awaitable.hpp>

namespace sunder::nodes::host {

[[nodiscard]] boost::asio::awaitable<void> tick_for_ever(std::chrono::nanoseconds distance,
                                                         std::function<void()> tick);

}  // namespace sunder::nodes::host
