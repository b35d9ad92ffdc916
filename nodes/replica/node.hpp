// Node: one server of a replicated state machine; the shell that gives the Raft core its time,
// disk, network and clients.
//
// A client's command becomes a proposal or a read of the core; its reply comes out of the machine
// when the core says so. A follower forwards commands to the leader over the peer
// connection and answers for it, or redirects
// (`--on-follower redirect`). A command whose fate is not known any more is answered with an error
// that is not definite.
//
// Threading: the loop, but for the storage's own thread. Errors: what a peer or client sends never
// ends the process; a disk that fails does.

#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "harness/base/error.hpp"
#include "harness/base/task_group.hpp"
#include "nodes/host/command_line.hpp"
#include "nodes/host/event_writer.hpp"
#include "nodes/host/peer_transport.hpp"
#include "nodes/host/resp_server.hpp"
#include "nodes/raft/core.hpp"
#include "nodes/replica/alarms.hpp"
#include "nodes/replica/sessions.hpp"
#include "nodes/replica/storage.hpp"
#include "nodes/replica/waiting.hpp"

namespace sunder::nodes::replica {

enum class OnFollower : std::uint8_t { forward, redirect };

// The deliberate bugs of sessions and shell; those of the protocol are the core's, those of
// commands the machine's.
enum class Sabotage : std::uint8_t {
  none,
  ack_before_sync,  // the log is written, not synced
  apply_twice,
  lose_snapshot_tail,
  lose_timer_at_failover,  // a new leader does not arm the alarms that stand
  no_directory_sync,       // the name of the database's directory is never synced
  no_reconnect,
  trust_checksum_less_log,  // a log without checksums, believed as it is read
};

struct NodeOptions {
  host::HostOptions host;
  OnFollower on_follower = OnFollower::forward;
  std::uint64_t snapshot_every = 10'000;  // entries
  Sabotage sabotage = Sabotage::none;
  raft::Sabotage core_sabotage = raft::Sabotage::none;
  // The voters of a new cluster, the same on each of its nodes; empty: all peers. One that is not
  // among them waits until a member adds it. What is on disk counts more.
  std::vector<raft::NodeId> members;
};

class Node {
 public:
  Node(boost::asio::any_io_executor executor,
       NodeOptions options,
       std::unique_ptr<Machine> machine,
       host::EventWriter& events);
  ~Node();

  // Recovers from disk, begins to listen and to tick.
  [[nodiscard]] Result<void> start();
  // Ends every task, then writes what waits for the disk.
  [[nodiscard]] boost::asio::awaitable<void> stop();

  // A client's command on keys, or the opening of a session. The reply comes through `slot`, sooner
  // or later.
  void propose(const proto::Proposal& proposal, const host::ReplySlot& slot);
  void read(Arguments command, const host::ReplySlot& slot);
  // TRANSFER [nK]: the leader hands its leadership to that node, or to the most up-to-date one
  // (dissertation §3.10). +OK: asked for; who leads then is seen in INFO.
  void transfer(raft::NodeId target, const host::ReplySlot& slot);
  // MEMBER ADD nK and MEMBER REMOVE nK, to the leader: the index of the entry, once it is
  // committed.
  void change_member(raft::NodeId target, bool add, const host::ReplySlot& slot);
  // MEMBER LIST, to the leader: its members, and "committed", or "changing" while a change is under
  // way.
  void list_members(const host::ReplySlot& slot);
  // Before a planned stop: waits until another node leads, no longer than `limit`.
  [[nodiscard]] boost::asio::awaitable<void> hand_over(std::chrono::nanoseconds limit);
  // Null: not a command of the machine.
  [[nodiscard]] const CommandInfo* find_command(std::string_view name) const;
  // The text of INFO.
  [[nodiscard]] std::string info() const;

 private:
  struct PendingRead {
    Waiter waiter;
    Arguments command;
  };

  // A command handed to the leader.
  struct Forwarded {
    host::ReplySlot slot;
    raft::NodeId leader = raft::kNobody;
    bool read = false;
    std::uint64_t expires = 0;  // tick
  };

  struct HeldMessages {
    std::uint64_t sequence = 0;
    std::vector<raft::Message> messages;
  };

  [[nodiscard]] raft::Options core_options() const;
  // Null: this node leads.
  [[nodiscard]] std::optional<wire::RespValue> not_leading() const;
  void tick();
  void propose_here(std::string data, Waiter waiter);
  void propose_at_once(std::string data, Waiter waiter);
  void read_here(Arguments command, Waiter waiter);
  void forward(proto::ForwardRequest request, const host::ReplySlot& slot);
  void reply(const Waiter& waiter, const wire::RespValue& value);
  void answer_applied(const Waiter& waiter, const wire::RespValue& value);
  void conclude_proposal(std::uint64_t id, const std::optional<wire::RespValue>& value);
  void receive(raft::NodeId from, const std::string& frame);
  void receive_forward(raft::NodeId from, proto::ForwardRequest& request);
  void receive_reply(const proto::ForwardReply& reply);
  void give_up_forwards();
  void note_role();
  void arm(std::vector<Alarm> alarms);
  void ring_alarms();
  void serve_waiting();

  void perform(raft::Effects effects);
  void submit(raft::Effects& effects);
  void send(raft::Message message);
  void written(std::uint64_t sequence);
  void apply(std::vector<raft::Committed>& entries);
  void answer_reads(const std::vector<raft::ReadReady>& reads);
  void answer_rejections(const std::vector<raft::Rejection>& rejections);
  void tell(const std::vector<raft::Event>& events);
  void take_snapshot_when_due();

  boost::asio::any_io_executor executor_;
  NodeOptions options_;
  host::EventWriter& events_;
  base::TaskGroup tasks_;
  host::RespServer clients_;
  host::PeerTransport peers_;
  Sessions state_;
  Waiting waiting_;
  Alarms alarms_;
  bool leads_ = false;  // as of the last effects
  std::unique_ptr<raft::Core> core_;
  std::uint64_t ticks_ = 0;
  std::uint64_t next_id_ = 0;
  std::unordered_map<std::uint64_t, Waiter> proposals_;
  std::unordered_map<std::uint64_t, PendingRead> reads_;
  std::map<std::uint64_t, Forwarded> forwarded_;
  std::uint64_t durable_sequence_ = 0;
  std::deque<HeldMessages> held_;     // until their sequence is on disk
  std::uint64_t replies_ = 0;         // of numbered commands, for apply-twice
  std::string early_snapshot_;        // of the state some entries ago, for lose-snapshot-tail
  std::unique_ptr<Storage> storage_;  // last: its thread posts to this object
};

// Answers the commands of one client connection.
[[nodiscard]] std::unique_ptr<host::RequestHandler> make_request_handler(Node& node);

}  // namespace sunder::nodes::replica
