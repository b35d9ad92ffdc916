#include "harness/run/load.hpp"

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "harness/base/deadline.hpp"

namespace sunder::run {
namespace {

using namespace std::chrono_literals;

// A client whose operation failed at once (every node refuses) would spin: it waits this long
// before the next.
constexpr auto kPauseAfterFailure = 20ms;
constexpr auto kQuickFailure = 5ms;

}  // namespace

Load::Load(LoadOptions options, workloads::Workload& workload, Recorder& recorder)
    : options_(std::move(options)),
      workload_(workload),
      recorder_(recorder),
      seats_(options_.clients),
      acknowledged_(options_.clients) {}

void Load::take_seat(std::size_t endpoint) {
  Seat& seat = seats_[endpoint];
  seat.process = next_process_++;
  seat.client = options_.make_client(endpoint);
  processes_.emplace_back(seat.process, static_cast<std::uint32_t>(endpoint));
}

void Load::start(base::TaskGroup& tasks) {
  for (std::size_t endpoint = 0; endpoint < options_.clients; ++endpoint) take_seat(endpoint);
  for (std::size_t endpoint = 0; endpoint < options_.clients; ++endpoint) {
    tasks.spawn(fmt::format("client c{}", endpoint + 1), client_loop(endpoint));
  }
}

boost::asio::awaitable<void> Load::perform(std::size_t endpoint, workloads::Invocation invocation) {
  const std::int64_t process = seats_[endpoint].process;
  recorder_.invoke(process, invocation);
  auto pending =
      workload_.invoke(*seats_[endpoint].client, std::move(invocation), recorder_.pool());
  const workloads::Completion completion = co_await std::move(pending);
  recorder_.complete(process, completion);
  if (completion.outcome == history::Outcome::ok) {
    ++acknowledged_[endpoint];
    if (options_.on_acknowledged) options_.on_acknowledged();
  }
  if (completion.outcome == history::Outcome::info) {
    seats_[endpoint].client->close();
    take_seat(endpoint);
  }
}

boost::asio::awaitable<bool> Load::think(const workloads::Invocation& invocation) {
  if (invocation.think <= 0ns) co_return true;
  const bool waited = co_await base::pause_for(invocation.think);
  co_return waited;
}

boost::asio::awaitable<void> Load::client_loop(std::size_t endpoint) {
  base::Random random = options_.random.fork("arrivals", endpoint);
  const double mean_gap_s =
      options_.rate > 0 ? static_cast<double>(options_.clients) / options_.rate : 0;
  auto due = base::MonotonicClock::now();
  while (!stopping_) {
    if (options_.rate > 0) {
      due +=
          std::chrono::nanoseconds(static_cast<std::int64_t>(random.exponential(mean_gap_s) * 1e9));
      // pause_for returns at once when the operation is overdue.
      const bool waited = co_await base::pause_for(due - base::MonotonicClock::now());
      if (!waited || stopping_) co_return;
    }
    auto invocation = workload_.next(seats_[endpoint].process, recorder_.pool());
    if (!invocation) co_return;
    const bool thought = co_await think(*invocation);
    if (!thought || stopping_) co_return;
    const std::uint64_t acknowledged_before = acknowledged_[endpoint];
    const auto started = base::MonotonicClock::now();
    co_await perform(endpoint, std::move(*invocation));
    const bool failed = acknowledged_[endpoint] == acknowledged_before;
    if (failed && base::MonotonicClock::now() - started < kQuickFailure) {
      const bool waited = co_await base::pause_for(kPauseAfterFailure);
      if (!waited) co_return;
    }
  }
}

boost::asio::awaitable<void> Load::final_loop(std::size_t endpoint,
                                              base::MonotonicClock::time_point end) {
  while (base::MonotonicClock::now() < end) {
    auto invocation = workload_.final_read(seats_[endpoint].process, recorder_.pool());
    if (!invocation) co_return;
    const bool thought = co_await think(*invocation);
    if (!thought) co_return;
    co_await perform(endpoint, std::move(*invocation));
  }
}

boost::asio::awaitable<void> Load::final_reads(std::chrono::nanoseconds limit) {
  auto executor = co_await boost::asio::this_coro::executor;
  base::TaskGroup tasks(executor);
  const auto end = base::MonotonicClock::now() + limit;
  for (std::size_t endpoint = 0; endpoint < seats_.size(); ++endpoint) {
    if (seats_[endpoint].process < 0) take_seat(endpoint);
    tasks.spawn(fmt::format("final reads of c{}", endpoint + 1), final_loop(endpoint, end));
  }
  co_await tasks.join();
}

void Load::close() {
  for (Seat& seat : seats_) {
    if (seat.client) seat.client->close();
  }
}

}  // namespace sunder::run
