#include "nodes/quorum/node.hpp"

#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "harness/base/assert.hpp"
#include "harness/base/clock.hpp"
#include "nodes/host/plain_commands.hpp"
#include "nodes/host/ticker.hpp"
#include "nodes/quorum/records.hpp"

namespace sunder::nodes::quorum {

namespace asio = boost::asio;
using wire::RespValue;

namespace {

constexpr std::size_t kKeyBytesMax = std::size_t{64} << 10;
constexpr std::size_t kValueBytesMax = std::size_t{8} << 20;
constexpr std::uint64_t kLateTicks = 50;  // ack-from-memory

Options core_options(const NodeOptions& options) {
  Options core;
  core.id = options.host.number;
  for (const auto& [number, endpoint] : options.host.peers) core.nodes.push_back(number);
  core.replicas = options.replicas;
  core.reads = options.reads;
  core.writes = options.writes;
  core.sloppy = options.sloppy;
  core.sabotage = options.sabotage;
  return core;
}

class QuorumRequestHandler final : public host::RequestHandler {
 public:
  explicit QuorumRequestHandler(Node& node) : node_(node) {}

  void handle(std::vector<std::string> arguments, host::ReplySlot slot) override {
    arguments.front() = host::upper(std::move(arguments.front()));
    const std::string& name = arguments.front();
    if (name == "GET" || name == "SET") {
      run(std::move(arguments), slot);
    } else if (name == "INFO") {
      slot.answer(RespValue::bulk(node_.info()));
    } else if (!host::answer_plain_command(arguments, slot)) {
      slot.answer(RespValue::error(
          fmt::format("ERR unknown command '{}' in mode {}", name.substr(0, 64), node_.mode())));
    }
  }

 private:
  void run(std::vector<std::string> arguments, const host::ReplySlot& slot) {
    const bool write = arguments.front() == "SET";
    if (arguments.size() != (write ? 3 : 2)) {
      slot.answer(RespValue::error(
          fmt::format("ERR wrong number of arguments for '{}'", arguments.front())));
    } else if (arguments[1].empty() || arguments[1].size() > kKeyBytesMax) {
      slot.answer(RespValue::error("ERR a key has 1 to 65536 bytes"));
    } else if (!write) {
      node_.get(std::move(arguments[1]), slot);
    } else if (arguments[2].size() > kValueBytesMax) {
      slot.answer(RespValue::error("ERR value too large"));
    } else {
      node_.set(std::move(arguments[1]), std::move(arguments[2]), slot);
    }
  }

  Node& node_;
};

}  // namespace

Node::Node(asio::any_io_executor executor, NodeOptions options, host::EventWriter& events)
    : executor_(executor),
      options_(std::move(options)),
      events_(events),
      tasks_(executor),
      clients_(executor, tasks_, [this] { return std::make_unique<QuorumRequestHandler>(*this); }),
      peers_(executor,
             tasks_,
             options_.host.number,
             options_.host.peers,
             [this](NodeId from, const std::string& frame) { receive(from, frame); }) {}

Result<void> Node::start() {
  auto on_written = [this](std::uint64_t sequence) {
    asio::post(executor_, [this, sequence] { written(sequence); });
  };
  storage::RecordStoreOptions store;
  store.name = "quorum";
  store.sync = options_.shell_sabotage != ShellSabotage::ack_before_sync;
  auto opened =
      storage::RecordStore::open(options_.host.data_directory, store, std::move(on_written));
  if (opened.has_error()) return std::move(opened).error();
  records_ = std::move(*opened);
  const Result<Recovered> recovered = recover();
  if (recovered.has_error()) return recovered.error();
  spdlog::info(
      "recovered: {} versions, {} hints", recovered->items.size(), recovered->hints.size());
  core_ = std::make_unique<Core>(core_options(options_), *recovered);
  if (options_.shell_sabotage == ShellSabotage::no_reconnect) {
    peers_.set_on_loss(host::PeerTransport::OnLoss::give_up);
  }
  SUNDER_TRY(peers_.start());
  SUNDER_TRY(clients_.listen(options_.host.listen));
  const auto on_tick = [this] { tick(); };
  auto ticking = host::tick_for_ever(options_.host.tick, on_tick);
  tasks_.spawn("tick", std::move(ticking));
  return {};
}

asio::awaitable<void> Node::stop() {
  co_await tasks_.close();
  if (records_) write_late();
  records_.reset();
}

Result<Recovered> Node::recover() {
  Recovered recovered;
  const auto visit = [&recovered](std::string_view name, std::string_view value) {
    return take_record(name, value, recovered);
  };
  SUNDER_TRY(records_->recover(visit));
  return recovered;
}

void Node::tick() {
  perform(core_->step(Tick()));
  if (++ticks_ % kLateTicks == 0) write_late();
}

void Node::get(std::string key, const host::ReplySlot& slot) {
  waiting_.emplace(++next_id_, slot);
  perform(core_->step(Get{.id = next_id_, .key = std::move(key)}));
}

void Node::set(std::string key, std::string value, const host::ReplySlot& slot) {
  waiting_.emplace(++next_id_, slot);
  perform(core_->step(Set{
      .id = next_id_, .key = std::move(key), .value = std::move(value), .wall = base::wall_ns()}));
}

void Node::receive(NodeId from, const std::string& frame) {
  Result<Message> message = decode_message(frame);
  if (message.has_error()) {
    spdlog::warn("from n{}: {}", from, message.error().message());
    return;
  }
  message->from = from;
  message->to = options_.host.number;
  perform(core_->step(Receive{.message = std::move(*message)}));
}

void Node::written(std::uint64_t sequence) {
  if (records_) perform(core_->step(Written{.sequence = sequence}));
}

void Node::perform(Effects effects) {
  if (effects.sequence != 0) submit(effects);
  for (const Message& message : effects.messages) peers_.send(message.to, encode(message));
  for (const Answer& one : effects.answers) answer(one);
  for (const Event& event : effects.events) {
    const std::vector<host::EventWriter::Text> texts(event.texts.begin(), event.texts.end());
    events_.write(event.name, event.numbers, texts);
  }
}

void Node::submit(const Effects& effects) {
  storage::RecordBatch batch;
  batch.sequence = effects.sequence;
  for (const Change& change : effects.writes) batch.records.push_back(record_of(change));
  if (options_.shell_sabotage != ShellSabotage::ack_from_memory) {
    records_->submit(std::move(batch));
    return;
  }
  const std::uint64_t sequence = batch.sequence;
  late_.push_back(std::move(batch));
  asio::post(executor_, [this, sequence] { written(sequence); });
}

void Node::write_late() {
  for (storage::RecordBatch& batch : late_) records_->submit(std::move(batch));
  late_.clear();
}

void Node::answer(const Answer& answer) {
  const auto found = waiting_.find(answer.id);
  SUNDER_ASSERT(found != waiting_.end());
  const host::ReplySlot slot = std::move(found->second);
  waiting_.erase(found);
  switch (answer.ending) {
    case Ending::ok:
      if (!answer.read) return slot.answer(RespValue::simple("OK"));
      return slot.answer(answer.value ? RespValue::bulk(*answer.value) : RespValue::null());
    case Ending::no_quorum:
      return slot.answer(RespValue::error(
          "NOQUORUM too few of the key's replicas are within reach; nothing was done"));
    case Ending::timed_out:
      return slot.answer(RespValue::error("TIMEOUT too few replicas answered"));
    case Ending::overloaded:
      return slot.answer(RespValue::error("OVERLOADED too many commands in flight"));
  }
}

std::string Node::info() const {
  std::string text = "# Replication\r\n";
  const auto line = [&text](std::string_view name, const auto& value) {
    fmt::format_to(std::back_inserter(text), "{}:{}\r\n", name, value);
  };
  line("id", options_.host.id);
  line("mode", options_.host.mode);
  line("replicas", options_.replicas);
  line("r", options_.reads);
  line("w", options_.writes);
  line("sloppy", options_.sloppy ? 1 : 0);
  line("keys", core_->versions().size());
  line("hints", core_->hints());
  line("requests", core_->requests());
  for (const auto& [number, endpoint] : options_.host.peers) {
    if (number == options_.host.number) continue;
    line("peer_" + host::node_name(number),
         fmt::format("connected={},near={},digest={:016x}",
                     peers_.connected(number) ? 1 : 0,
                     core_->is_near(number) ? 1 : 0,
                     core_->versions().digest_with(number)));
  }
  return text;
}

}  // namespace sunder::nodes::quorum
