#include "nodes/host/service.hpp"

#include <exception>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace sunder::nodes::host {
namespace {

namespace asio = boost::asio;

constexpr int kEventDescriptor = 3;

asio::awaitable<void> serve_until_told(Service& service, Result<void>& outcome) {
  asio::signal_set signals(co_await asio::this_coro::executor, SIGTERM, SIGINT);
  outcome = service.start();
  if (outcome.has_value()) {
    const auto [error, number] = co_await signals.async_wait(asio::as_tuple(asio::use_awaitable));
    spdlog::info("stopping: signal {}", number);
    co_await service.prepare_stop();
  }
  co_await service.stop();
}

}  // namespace

int run_service(const std::string& id, const MakeService& make) {
  EventWriter events(id, kEventDescriptor);
  spdlog::set_default_logger(spdlog::stderr_logger_st("node"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%eZ " + id + " %l %v", spdlog::pattern_time_type::utc);
  spdlog::flush_on(spdlog::level::info);
  asio::io_context loop(1);
  const std::unique_ptr<Service> service = make(loop.get_executor(), events);
  Result<void> outcome;
  std::exception_ptr failure;
  auto task = serve_until_told(*service, outcome);
  auto keep_failure = [&failure](std::exception_ptr error) { failure = std::move(error); };
  asio::co_spawn(loop, std::move(task), std::move(keep_failure));
  loop.run();
  if (failure) std::rethrow_exception(failure);
  if (outcome.has_value()) return 0;
  spdlog::critical("{}", outcome.error().message());
  return 1;
}

}  // namespace sunder::nodes::host
