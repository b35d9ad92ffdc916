// TaskGroup and with_deadline: nothing is left running, failures reach the owner, limits hold.

#include "harness/base/task_group.hpp"

#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "harness/base/deadline.hpp"

namespace sunder::base {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

asio::awaitable<void> wait_then_count(std::chrono::milliseconds duration,
                                      int* finished,
                                      int* cancelled) {
  const bool elapsed = co_await pause_for(duration);
  ++*(elapsed ? finished : cancelled);
}

asio::awaitable<void> throws() {
  co_await pause_for(1ms);
  throw std::runtime_error("task failed");
}

asio::awaitable<Result<int>> answer_after(std::chrono::milliseconds duration) {
  co_await pause_for(duration);
  co_return 42;
}

// Runs a coroutine to its end and rethrows what it threw.
void run(asio::io_context& loop, asio::awaitable<void> task) {
  std::exception_ptr failure;
  auto on_end = [&failure](const std::exception_ptr& error) { failure = error; };
  asio::co_spawn(loop, std::move(task), on_end);
  loop.run();
  if (failure) std::rethrow_exception(failure);
}

asio::awaitable<void> spawn_and_close(asio::io_context& loop, int* finished, int* cancelled) {
  TaskGroup group(loop.get_executor());
  group.spawn("short", wait_then_count(1ms, finished, cancelled));
  group.spawn("long", wait_then_count(1h, finished, cancelled));
  while (*finished == 0) co_await pause_for(1ms);
  co_await group.close();
  EXPECT_EQ(group.size(), 0U);
}

TEST(TaskGroup, CloseCancelsWhatStillRunsAndWaitsForIt) {
  asio::io_context loop;
  int finished = 0;
  int cancelled = 0;
  run(loop, spawn_and_close(loop, &finished, &cancelled));
  EXPECT_EQ(finished, 1);
  EXPECT_EQ(cancelled, 1);
}

asio::awaitable<void> spawn_failing(asio::io_context& loop) {
  TaskGroup group(loop.get_executor());
  group.spawn("fails", throws());
  co_await group.join();
}

TEST(TaskGroup, JoinRethrowsATasksFailure) {
  asio::io_context loop;
  EXPECT_THROW(run(loop, spawn_failing(loop)), std::runtime_error);
}

asio::awaitable<void> deadlines(Result<int>* in_time, Result<int>* late) {
  *in_time = co_await with_deadline(answer_after(1ms), 1h);
  *late = co_await with_deadline(answer_after(3'600'000ms), 5ms);
}

TEST(Deadline, GivesTheAnswerInTimeAndTimedOutAfterTheLimit) {
  asio::io_context loop;
  Result<int> in_time = make_error(Errc::failed, "not run");
  Result<int> late = make_error(Errc::failed, "not run");
  run(loop, deadlines(&in_time, &late));
  EXPECT_EQ(in_time.value(), 42);
  ASSERT_TRUE(late.has_error());
  EXPECT_TRUE(is(late.error(), Errc::timed_out));
}

}  // namespace
}  // namespace sunder::base
