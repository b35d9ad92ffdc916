// Playground session: what `sunder fault`, `heal` and `status` do to the cluster of a `sunder up`.
//
// Faults go through the same schedule machinery as those of a run (nemesis::run_schedule), as
// requests to a schedule that starts empty; each begin and end is a line of faults.jsonl. What was
// done can be given back as a schedule that `sunder run` takes.
//
// Threading: the playground's loop. Errors of requests go to who asked; a fault that could not be
// healed ends the session's schedule, and failure() says so.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>

#include "harness/base/clock.hpp"
#include "harness/base/error.hpp"
#include "harness/cluster/cluster.hpp"
#include "harness/run/directory.hpp"
#include "harness/run/leader.hpp"
#include "nemesis/nemesis.hpp"
#include "nodes/system.hpp"

namespace sunder::run {

struct SessionOptions {
  const nodes::Mode* mode = nullptr;
  std::uint64_t seed = 1;
  base::RunClock clock;
};

class PlaygroundSession {
 public:
  // `faults` receives the records. The cluster outlives this object.
  PlaygroundSession(cluster::Cluster& cluster, SessionOptions options, LineFile faults);

  // Carries out what is asked for until cancelled, then heals everything.
  [[nodiscard]] boost::asio::awaitable<void> serve();
  // Answers a request: {"do":"fault","items":…,"open":…}, {"do":"heal","id":…}, {"do":"status"}.
  [[nodiscard]] boost::asio::awaitable<Result<boost::json::object>> answer(
      boost::json::object request);
  void note(const history::NodeEvent& event);

  [[nodiscard]] std::optional<std::size_t> leader() const { return leader_.leader(); }

  // Empty, or why the schedule ended by itself.
  [[nodiscard]] const std::string& failure() const noexcept { return failure_; }

  // Everything that was done, as --faults takes it; "none" when nothing was.
  [[nodiscard]] std::string as_schedule() const;

 private:
  // One fault that was asked for, from then on.
  struct Asked {
    nemesis::PlannedFault planned;
    std::optional<history::FaultRecord> record;  // none: it waits
    bool open = false;                           // until healed
  };

  // What a node said of itself last.
  struct Role {
    std::string name;
    std::int64_t term = 0;
  };

  [[nodiscard]] boost::asio::awaitable<Result<boost::json::object>> begin(
      boost::json::object request);
  [[nodiscard]] boost::asio::awaitable<Result<boost::json::object>> heal(
      boost::json::object request);
  [[nodiscard]] Result<boost::json::object> status() const;
  [[nodiscard]] Result<nemesis::Schedule> plan(const boost::json::object& request) const;
  [[nodiscard]] bool stands(const Asked& asked) const;
  [[nodiscard]] boost::json::object describe(const Asked& asked) const;
  [[nodiscard]] boost::json::object describe_node(std::size_t node) const;
  [[nodiscard]] Result<boost::json::array> describe_links() const;
  void note_fault(const history::FaultRecord& record);

  cluster::Cluster& cluster_;
  SessionOptions options_;
  LineFile faults_;
  LeaderTracker leader_;
  std::map<std::string, Role> roles_;
  std::int64_t begin_ = 0;  // the clock's time at which the schedule began
  std::map<std::uint32_t, Asked> asked_;
  std::uint32_t next_id_ = 1;
  nemesis::ScheduleRequests requests_;
  std::function<void(const history::NodeEvent&)> event_handler_;
  std::string failure_;
};

}  // namespace sunder::run
