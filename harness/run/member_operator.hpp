// MemberOperator: carries out changes of members at the running cluster, and brings the first
// members back.
//
// It acts as an operator with a console that no fault cuts off (Cluster::operator_socket): MEMBER
// ADD, REMOVE and LIST, to whoever leads or says who does. One job at a time: its changes, its end,
// then the way back to the first members, for as long as it takes; the job after it waits.
//
// Threading: the run's single thread. Errors: what a job could not do is in its outcomes; a spare
// that cannot be started is one of them.

#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "harness/base/clock.hpp"
#include "harness/base/error.hpp"
#include "harness/base/task_group.hpp"
#include "harness/cluster/cluster.hpp"
#include "harness/history/run_context.hpp"
#include "harness/wire/resp.hpp"
#include "nemesis/members.hpp"

namespace sunder::run {

struct MemberOperatorOptions {
  boost::asio::any_io_executor executor;
  base::RunClock clock;
  // The node that says it leads, spares included.
  std::function<std::optional<std::size_t>()> leader;
};

class MemberOperator final : public nemesis::Members {
 public:
  MemberOperator(MemberOperatorOptions options, cluster::Cluster& cluster);

  void begin(nemesis::MemberJob job) override;
  [[nodiscard]] std::vector<nemesis::MemberChangeOutcome> end(std::uint32_t fault) override;

  // Waits until every job is over and the first members are back, no longer than `limit`: whether
  // they are.
  [[nodiscard]] boost::asio::awaitable<bool> settle(std::chrono::nanoseconds limit);
  // Adds to records of faults of ours when, and whether, the first members were back.
  void complete(std::vector<history::FaultRecord>& records) const;
  // Ends every task.
  [[nodiscard]] boost::asio::awaitable<void> close();

 private:
  struct Job {
    nemesis::MemberJob wanted;
    std::vector<nemesis::MemberChangeOutcome> outcomes;
    bool ended = false;
    std::int64_t restored = 0;  // when the first members were back; 0: not yet
  };

  // What MEMBER LIST says.
  struct MemberList {
    std::vector<std::size_t> members;
    bool committed = false;
  };

  boost::asio::awaitable<void> work();
  boost::asio::awaitable<void> change_in_order(std::shared_ptr<Job> job);
  boost::asio::awaitable<void> change_at_once(std::shared_ptr<Job> job);
  boost::asio::awaitable<void> change_at(std::shared_ptr<Job> job, std::size_t number);
  boost::asio::awaitable<void> carry_out(std::shared_ptr<Job> job, std::size_t number);
  boost::asio::awaitable<void> bring_back();
  boost::asio::awaitable<void> end_spares();
  boost::asio::awaitable<Result<MemberList>> list();
  boost::asio::awaitable<Result<wire::RespValue>> ask(std::size_t node,
                                                      std::vector<std::string> command);
  [[nodiscard]] Result<void> prepare(const nemesis::MemberChange& change);
  [[nodiscard]] std::size_t choose_node();
  void note_answer(const Result<wire::RespValue>& reply, std::size_t node);

  MemberOperatorOptions options_;
  cluster::Cluster& cluster_;
  base::TaskGroup tasks_;
  std::vector<std::shared_ptr<Job>> jobs_;
  std::size_t next_job_ = 0;
  bool working_ = false;
  std::optional<std::size_t> hint_;  // the node that was said to lead
  std::size_t turn_ = 0;             // whom to ask when nobody knows
};

}  // namespace sunder::run
