#include "nodes/host/ticker.hpp"

#include <algorithm>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace sunder::nodes::host {

namespace asio = boost::asio;

asio::awaitable<void> tick_for_ever(std::chrono::nanoseconds distance, std::function<void()> tick) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor);
  auto next = asio::steady_timer::clock_type::now();
  while (true) {
    const auto now = asio::steady_timer::clock_type::now();
    next = std::max(next + distance, now);
    timer.expires_at(next);
    co_await timer.async_wait(asio::use_awaitable);
    tick();
  }
}

}  // namespace sunder::nodes::host
