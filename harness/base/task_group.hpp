// TaskGroup: owns every spawned coroutine; nothing runs detached.
//
// A task that ends with an exception is remembered; join() and close() rethrow the first one, so
// that a failure in a task is a failure of its owner. The destructor asserts that the group is
// empty: whoever makes a group must await close() or join() first (the "gate" of Seastar).
//
// Threading: the executor's single thread.

#pragma once

#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace sunder::base {

class TaskGroup {
 public:
  explicit TaskGroup(boost::asio::any_io_executor executor);
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Starts `task`; it begins at the next turn of the loop. `name` is for failure messages. A task
  // spawned while the group is closing is cancelled at its first wait.
  void spawn(std::string name, boost::asio::awaitable<void> task);

  // Asks every running task to stop at its next wait (cancellation_type::all); returns at once.
  void cancel();

  // Waits until every task has ended; rethrows the first failure. Cancellation of a task is not a
  // failure.
  [[nodiscard]] boost::asio::awaitable<void> join();
  // cancel() and join().
  [[nodiscard]] boost::asio::awaitable<void> close();

  [[nodiscard]] std::size_t size() const noexcept;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace sunder::base
