// Node: one server of a quorum store; the shell that gives the core its time, disk, network and
// clients.
//
// Threading: the loop, but for the record store's own thread. Errors: what a peer or client sends
// never ends the process; a disk that fails does.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "harness/base/error.hpp"
#include "harness/base/task_group.hpp"
#include "nodes/host/command_line.hpp"
#include "nodes/host/event_writer.hpp"
#include "nodes/host/peer_transport.hpp"
#include "nodes/host/resp_server.hpp"
#include "nodes/host/service.hpp"
#include "nodes/quorum/core.hpp"
#include "nodes/storage/record_store.hpp"

namespace sunder::nodes::quorum {

// The deliberate bugs of the shell; those of the protocol are the core's.
enum class ShellSabotage : std::uint8_t {
  none,
  ack_before_sync,  // records are written, not synced
  ack_from_memory,  // they are written a second after they were acknowledged
  no_reconnect,     // a connection to a peer that was lost is never made again
};

struct NodeOptions {
  host::HostOptions host;
  std::size_t replicas = 3;
  std::size_t reads = 1;
  std::size_t writes = 1;
  bool sloppy = false;
  Sabotage sabotage = Sabotage::none;
  ShellSabotage shell_sabotage = ShellSabotage::none;
};

class Node final : public host::Service {
 public:
  Node(boost::asio::any_io_executor executor, NodeOptions options, host::EventWriter& events);

  Result<void> start() override;
  boost::asio::awaitable<void> stop() override;

  void get(std::string key, const host::ReplySlot& slot);
  void set(std::string key, std::string value, const host::ReplySlot& slot);
  // The text of INFO.
  [[nodiscard]] std::string info() const;

  // The mode's name, for refusals.
  [[nodiscard]] const std::string& mode() const noexcept { return options_.host.mode; }

 private:
  [[nodiscard]] Result<Recovered> recover();
  void tick();
  void receive(NodeId from, const std::string& frame);
  void written(std::uint64_t sequence);
  void perform(Effects effects);
  void submit(const Effects& effects);
  void write_late();
  void answer(const Answer& answer);

  boost::asio::any_io_executor executor_;
  NodeOptions options_;
  host::EventWriter& events_;
  base::TaskGroup tasks_;
  host::RespServer clients_;
  host::PeerTransport peers_;
  std::unique_ptr<Core> core_;
  std::uint64_t next_id_ = 0;
  std::unordered_map<std::uint64_t, host::ReplySlot> waiting_;
  std::vector<storage::RecordBatch> late_;         // ack-from-memory
  std::uint64_t ticks_ = 0;                        // since those were written
  std::unique_ptr<storage::RecordStore> records_;  // last: its thread posts to this object
};

}  // namespace sunder::nodes::quorum
