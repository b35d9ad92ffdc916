#include "nodes/saga/node.hpp"

#include <algorithm>
#include <charconv>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "harness/base/assert.hpp"
#include "nodes/host/plain_commands.hpp"

namespace sunder::nodes::saga {

namespace asio = boost::asio;
using wire::RespValue;

namespace {

class Requests final : public host::RequestHandler {
 public:
  explicit Requests(Node& node) : node_(node) {}

  void handle(std::vector<std::string> arguments, host::ReplySlot reply) override {
    node_.handle(std::move(arguments), reply);
  }

 private:
  Node& node_;
};

}  // namespace

Node::Node(asio::any_io_executor executor, NodeOptions options, host::EventWriter& events)
    : executor_(executor),
      options_(std::move(options)),
      events_(events),
      tasks_(executor),
      clients_(executor, tasks_, [this] { return std::make_unique<Requests>(*this); }),
      peers_(executor,
             tasks_,
             options_.host.number,
             options_.host.peers,
             [this](std::uint32_t from, const std::string& bytes) {
               auto frame = decode_frame(bytes);
               if (frame.has_value()) {
                 receive(from, std::move(*frame));
               } else {
                 spdlog::warn("from n{}: {}", from, frame.error().message());
               }
             }),
      alarm_(executor, asio::steady_timer::time_point::max()) {}

Node::~Node() = default;

Result<void> Node::start() {
  auto on_written = [this](std::uint64_t sequence) {
    asio::post(executor_, [this, sequence] { written(sequence); });
  };
  storage::RecordStoreOptions storage_options;
  storage_options.name = "saga";
  storage_options.sync = options_.sabotage != Sabotage::ack_before_sync;
  auto opened = storage::RecordStore::open(
      options_.host.data_directory, std::move(storage_options), std::move(on_written));
  if (opened.has_error()) return std::move(opened).error();
  store_ = std::move(*opened);
  if (options_.sabotage == Sabotage::no_reconnect) {
    peers_.set_on_loss(host::PeerTransport::OnLoss::give_up);
  }
  SUNDER_TRY(peers_.start());
  SUNDER_TRY(recover());
  SUNDER_TRY(clients_.listen(options_.host.listen));
  tasks_.spawn("tick", tick_when_due());
  events_.write("recovered", {});
  return {};
}

asio::awaitable<void> Node::stop() {
  co_await tasks_.close();
  store_.reset();
}

Time Node::now() {
  return asio::steady_timer::clock_type::now().time_since_epoch();
}

void Node::commit(std::vector<storage::Record> records, std::function<void()> after) {
  if (!records.empty()) {
    storage::RecordBatch batch;
    batch.sequence = ++submitted_;
    batch.records = std::move(records);
    store_->submit(std::move(batch));
  }
  if (submitted_ == durable_) {
    SUNDER_ASSERT(held_.empty());
    after();
    return;
  }
  held_.push_back({.sequence = submitted_, .after = std::move(after)});
}

void Node::written(std::uint64_t sequence) {
  durable_ = std::max(durable_, sequence);
  while (!held_.empty() && held_.front().sequence <= durable_) {
    const Held held = std::move(held_.front());
    held_.pop_front();
    held.after();
  }
}

void Node::send(std::uint32_t to, const Frame& frame) {
  // A frame that is lost here is asked for again.
  (void)peers_.send(to, encode(frame));
}

void Node::rearm() {
  const auto next = next_tick();
  if (next && asio::steady_timer::time_point(*next) < alarm_.expiry()) alarm_.cancel();
}

asio::awaitable<void> Node::tick_when_due() {
  while (true) {
    const auto next = next_tick();
    alarm_.expires_at(next ? asio::steady_timer::time_point(*next)
                           : asio::steady_timer::time_point::max());
    co_await alarm_.async_wait(asio::as_tuple(asio::use_awaitable));
    const Time reached = now();
    const auto due = next_tick();
    if (due && *due <= reached) tick(reached);
  }
}

Result<Page> Node::read_page(const PageSource& source, const RowOf& row) {
  Page made;
  made.total = source.total;
  std::uint64_t seen = 0;
  const auto visit = [&](std::string_view name, std::string_view value) -> Result<void> {
    if (seen++ < source.skip) return {};
    auto text = row(name, value);
    SUNDER_TRY(text);
    made.rows.push_back(std::move(*text));
    return {};
  };
  SUNDER_TRY(store().read(source.first, source.end, source.skip + kPageRows, visit));
  return made;
}

void Node::handle(Arguments arguments, const host::ReplySlot& slot) {
  SUNDER_ASSERT(!arguments.empty());
  arguments.front() = host::upper(std::move(arguments.front()));
  const std::string& name = arguments.front();
  if (command(arguments, slot) || host::answer_plain_command(arguments, slot)) return;
  if (name == "INFO") {
    slot.answer(RespValue::bulk(fmt::format("# sunder\r\nid:{}\r\nmode:{}\r\nrole:{}\r\n{}",
                                            options_.host.id,
                                            options_.host.mode,
                                            name_of(options_.role),
                                            info())));
  } else {
    slot.answer(RespValue::error(
        fmt::format("ERR unknown command '{}', or wrong arguments for it", arguments.front())));
  }
}

RespValue resp_of(const Result<Page>& page) {
  if (page.has_error()) return RespValue::error("ERR " + page.error().message());
  std::vector<RespValue> items;
  items.push_back(RespValue::number(static_cast<std::int64_t>(page->total)));
  for (const std::string& row : page->rows) items.push_back(RespValue::bulk(row));
  return RespValue::array(std::move(items));
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace sunder::nodes::saga
