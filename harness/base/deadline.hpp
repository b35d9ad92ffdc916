// with_deadline: gives any awaited operation a limit; the only file that includes
// awaitable_operators.hpp.
//
// The operation is cancelled when the limit passes and the result is Errc::timed_out; what it had
// done until then is its own business (a cancelled socket read has read nothing). Cancellation from
// outside travels through both.

#pragma once

#include <chrono>
#include <utility>
#include <variant>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "harness/base/error.hpp"

namespace sunder::base {

// Waits on the monotonic clock; returns early, without throwing, when cancelled (false).
inline boost::asio::awaitable<bool> pause_for(std::chrono::nanoseconds duration) {
  auto executor = co_await boost::asio::this_coro::executor;
  boost::asio::steady_timer timer(executor, duration);
  const auto [error] = co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  co_return !error;
}

template <typename T>
boost::asio::awaitable<Result<T>> with_deadline(boost::asio::awaitable<Result<T>> operation,
                                                std::chrono::nanoseconds limit) {
  using boost::asio::experimental::awaitable_operators::operator||;
  auto timer = pause_for(limit);
  auto outcome = co_await (std::move(operation) || std::move(timer));
  if (outcome.index() == 0) co_return std::move(std::get<0>(outcome));
  const bool elapsed = std::get<1>(outcome);
  co_return make_error(elapsed ? Errc::timed_out : Errc::cancelled, std::string());
}

}  // namespace sunder::base
