#include "harness/base/task_group.hpp"

#include <exception>
#include <list>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "harness/base/assert.hpp"

namespace sunder::base {
namespace asio = boost::asio;

struct TaskGroup::State {
  struct Task {
    std::string name;
    asio::cancellation_signal signal;
  };

  explicit State(const asio::any_io_executor& executor_)
      : executor(executor_), changed(executor_, asio::steady_timer::time_point::max()) {}

  asio::any_io_executor executor;
  std::list<Task> tasks;       // a list: signals must not move while a task holds their slot
  asio::steady_timer changed;  // cancelled (so: woken) each time a task ends
  std::exception_ptr failure;
  bool closing = false;
};

namespace {

// A task that was asked to stop ends with operation_aborted: a normal end.
bool is_cancellation(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const boost::system::system_error& caught) {
    return caught.code() == asio::error::operation_aborted;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace

TaskGroup::TaskGroup(asio::any_io_executor executor) : state_(std::make_shared<State>(executor)) {}

TaskGroup::~TaskGroup() {
  SUNDER_ASSERT_MESSAGE(state_->tasks.empty(),
                        "a TaskGroup was destroyed before close() or join()");
}

void TaskGroup::spawn(std::string name, asio::awaitable<void> task) {
  std::shared_ptr<State> state = state_;
  state->tasks.emplace_back();
  const auto self = std::prev(state->tasks.end());
  self->name = std::move(name);
  auto on_end = [state, self](const std::exception_ptr& error) {
    if (error && !state->failure && !is_cancellation(error)) state->failure = error;
    state->tasks.erase(self);
    state->changed.cancel();
  };
  auto token = asio::bind_cancellation_slot(self->signal.slot(), std::move(on_end));
  asio::co_spawn(state->executor, std::move(task), std::move(token));
  if (state->closing) cancel();
}

void TaskGroup::cancel() {
  state_->closing = true;
  // A signal may end a task at once and erase it: step over the element before emitting.
  for (auto next = state_->tasks.begin(); next != state_->tasks.end();) {
    const auto current = next++;
    current->signal.emit(asio::cancellation_type::all);
  }
}

asio::awaitable<void> TaskGroup::join() {
  std::shared_ptr<State> state = state_;
  while (!state->tasks.empty()) {
    co_await state->changed.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  if (state->failure) {
    const std::exception_ptr failure = std::exchange(state->failure, nullptr);
    std::rethrow_exception(failure);
  }
}

asio::awaitable<void> TaskGroup::close() {
  cancel();
  co_await join();
}

std::size_t TaskGroup::size() const noexcept {
  return state_->tasks.size();
}

}  // namespace sunder::base
