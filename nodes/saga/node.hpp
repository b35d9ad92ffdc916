// Node: what every service of a saga has around its core: clients, peers, a disk, a clock.
//
// A core's effects become records; what follows from them (messages, replies, events) waits until
// they are on disk and then happens in order. Frames between nodes may be lost: whoever needs an
// answer asks again.
//
// Threading: the loop, but for the store's own thread. Errors: what a peer or client sends never
// ends the process; a disk that fails does.

#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "harness/base/error.hpp"
#include "harness/base/task_group.hpp"
#include "nodes/host/command_line.hpp"
#include "nodes/host/event_writer.hpp"
#include "nodes/host/peer_transport.hpp"
#include "nodes/host/resp_server.hpp"
#include "nodes/host/service.hpp"
#include "nodes/saga/codec.hpp"
#include "nodes/saga/orchestrator.hpp"
#include "nodes/storage/record_store.hpp"

namespace sunder::nodes::saga {

struct NodeOptions {
  host::HostOptions host;
  Role role = Role::order;
  std::optional<std::int64_t> initial;  // what there is of each object at first
  std::string refuse_prefix;
  Sabotage sabotage = Sabotage::none;
};

// Rows of one page.
constexpr std::size_t kPageRows = 500;

class Node : public host::Service {
 public:
  Node(boost::asio::any_io_executor executor, NodeOptions options, host::EventWriter& events);
  ~Node() override;

  [[nodiscard]] Result<void> start() final;
  [[nodiscard]] boost::asio::awaitable<void> stop() final;

  // One request of a client.
  void handle(std::vector<std::string> arguments, const host::ReplySlot& slot);

 protected:
  using Arguments = std::vector<std::string>;

  // Reads its state from disk and begins.
  [[nodiscard]] virtual Result<void> recover() = 0;
  // The name is in capitals. False: not one of its commands.
  [[nodiscard]] virtual bool command(const Arguments& arguments, const host::ReplySlot& slot) = 0;
  virtual void receive(std::uint32_t from, Frame frame) = 0;
  virtual void tick(Time now) = 0;
  // When tick() is wanted; none: not before something happens.
  [[nodiscard]] virtual std::optional<Time> next_tick() const = 0;
  // Lines "name:value" beside the common ones.
  [[nodiscard]] virtual std::string info() const = 0;

  [[nodiscard]] static Time now();

  // Saves, and does `after` once that and everything before is on disk. Nothing to save: waits all
  // the same.
  void commit(std::vector<storage::Record> records, std::function<void()> after);
  void send(std::uint32_t to, const Frame& frame);
  // After whatever may have made next_tick() earlier.
  void rearm();

  // Where the rows of a page lie on disk.
  struct PageSource {
    std::string first;       // names from here on
    std::string end;         // and before this
    std::uint64_t skip = 0;  // so many of them
    std::uint64_t total = 0;
  };

  using RowOf = std::function<Result<std::string>(std::string_view name, std::string_view value)>;

  [[nodiscard]] Result<Page> read_page(const PageSource& source, const RowOf& row);

  [[nodiscard]] const NodeOptions& options() const noexcept { return options_; }

  [[nodiscard]] host::EventWriter& events() noexcept { return events_; }

  [[nodiscard]] storage::RecordStore& store() noexcept { return *store_; }

 private:
  // What waits for the disk.
  struct Held {
    std::uint64_t sequence = 0;
    std::function<void()> after;
  };

  void written(std::uint64_t sequence);
  boost::asio::awaitable<void> tick_when_due();

  boost::asio::any_io_executor executor_;
  NodeOptions options_;
  host::EventWriter& events_;
  base::TaskGroup tasks_;
  host::RespServer clients_;
  host::PeerTransport peers_;
  boost::asio::steady_timer alarm_;
  std::uint64_t submitted_ = 0;
  std::uint64_t durable_ = 0;
  std::deque<Held> held_;
  std::unique_ptr<storage::RecordStore> store_;  // last: its thread posts to this object
};

// An array: the number of all rows, then the rows.
[[nodiscard]] wire::RespValue resp_of(const Result<Page>& page);
// A whole number without a sign.
[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view text);

[[nodiscard]] std::unique_ptr<Node> make_order_node(boost::asio::any_io_executor executor,
                                                    NodeOptions options,
                                                    host::EventWriter& events);
[[nodiscard]] std::unique_ptr<Node> make_participant_node(boost::asio::any_io_executor executor,
                                                          NodeOptions options,
                                                          host::EventWriter& events);

}  // namespace sunder::nodes::saga
