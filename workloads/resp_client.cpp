// The RESP client: sessions, sequence numbers, retries on other nodes within one deadline.
//
// An attempt is one request to one node. Its end is one of three: a reply that settles the
// operation (ok, or a definite error that another node would repeat); a definite refusal (this
// attempt had no effect: try elsewhere); or silence and not-definite errors (it may have taken
// effect: try again with the same session and number, which the cluster deduplicates, so that a
// settling reply to any attempt speaks for all). When the deadline comes first, the operation is
// info as soon as one attempt was possibly applied, and fail only if none was.
//
// The session is opened before the first command that needs one and is not part of the operation's
// outcome: until a numbered request was sent, nothing can have happened. Idempotent commands go
// without a number: reads, and those with an id of their own.

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "harness/base/assert.hpp"
#include "harness/base/clock.hpp"
#include "harness/base/deadline.hpp"
#include "harness/wire/errors.hpp"
#include "workloads/client.hpp"

namespace sunder::workloads {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using base::make_error;
using base::MonotonicClock;
using wire::RespKind;
using wire::RespValue;

constexpr std::chrono::milliseconds kFirstPause{5};
constexpr std::chrono::milliseconds kLongestPause{80};
// A client that left its pinned node tries it again after this long.
constexpr std::chrono::seconds kAwayFor{3};
constexpr auto kAwaitTuple = asio::as_tuple(asio::use_awaitable);

// Sent again, it changes nothing that the first did not: reads, and what carries an id of its own.
bool is_idempotent(const std::string& name) {
  constexpr std::array<std::string_view, 10> names{
      "GET", "INFO", "LEDGER", "LEVELS", "LRANGE", "OPEN", "ORDER", "PING", "SAGAS", "STATUS"};
  return std::ranges::binary_search(names, name);
}

Error failure(const boost::system::error_code& error, std::string context) {
  Error failed;
  failed.code = error;
  failed.context = std::move(context);
  return failed;
}

// A settling reply is the same from every node.
bool settles(const RespValue& reply) {
  if (reply.kind != RespKind::error) return true;
  const wire::ErrorWord* const row = wire::find_error(reply.text);
  return row != nullptr && row->definite && !row->retry_elsewhere && row->word != "NOSESSION";
}

class RespClient final : public Client {
 public:
  explicit RespClient(ClientOptions options)
      : options_(std::move(options)), current_(options_.pinned) {
    SUNDER_ASSERT(options_.pinned < options_.nodes.size());
    SUNDER_ASSERT(options_.node_names.size() == options_.nodes.size());
  }

  asio::awaitable<Reply> call(std::vector<std::string> command) override;

  void close() override {
    socket_.reset();
    parser_ = wire::RespParser();
  }

 private:
  // What is known while one operation is under way.
  struct Progress {
    MonotonicClock::time_point deadline;
    std::chrono::milliseconds pause = kFirstPause;
    bool possibly_applied = false;
    bool cancelled = false;
    std::string error = "timeout";
  };

  asio::awaitable<Result<void>> connect();
  asio::awaitable<Result<RespValue>> read_reply();
  asio::awaitable<Result<RespValue>> exchange(std::string bytes);
  asio::awaitable<Result<RespValue>> attempt(std::string bytes,
                                             MonotonicClock::time_point deadline);
  asio::awaitable<bool> open_session(Progress& progress);
  asio::awaitable<void> give_way(Progress& progress, std::string hint);
  void choose_first_node();
  void move_on(std::string_view hint);
  void note_failure(Progress& progress, const Error& error);

  ClientOptions options_;
  std::size_t current_;  // the node talked to
  MonotonicClock::time_point left_pinned_at_;
  std::optional<tcp::socket> socket_;  // connected to current_, nothing in flight
  wire::RespParser parser_;
  std::array<char, 16 * 1024> buffer_{};
  std::string session_;  // empty: not open
  std::uint64_t sequence_ = 0;
};

std::chrono::nanoseconds remaining(MonotonicClock::time_point deadline) {
  return std::max(std::chrono::nanoseconds(0),
                  std::chrono::nanoseconds(deadline - MonotonicClock::now()));
}

asio::awaitable<Result<void>> RespClient::connect() {
  Result<tcp::socket> made = options_.connector();
  if (made.has_error()) co_return std::move(made).error();
  tcp::socket socket = std::move(*made);
  const tcp::endpoint endpoint = options_.nodes[current_];
  const auto [error] = co_await socket.async_connect(endpoint, kAwaitTuple);
  if (error) co_return failure(error, "connect to " + options_.node_names[current_]);
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  parser_ = wire::RespParser();
  socket_.emplace(std::move(socket));
  co_return Result<void>();
}

asio::awaitable<Result<RespValue>> RespClient::read_reply() {
  RespValue value;
  while (true) {
    const Result<bool> whole = parser_.next_value(value);
    if (whole.has_error()) co_return whole.error();
    if (*whole) co_return value;
    const auto space = asio::buffer(buffer_);
    const auto [error, size] = co_await socket_->async_read_some(space, kAwaitTuple);
    if (error) co_return failure(error, "read from " + options_.node_names[current_]);
    parser_.feed(std::string_view(buffer_.data(), size));
  }
}

asio::awaitable<Result<RespValue>> RespClient::exchange(std::string bytes) {
  const auto data = asio::buffer(bytes);
  const auto [error, size] = co_await asio::async_write(*socket_, data, kAwaitTuple);
  if (error) co_return failure(error, "write to " + options_.node_names[current_]);
  co_return co_await read_reply();
}

// One request to the current node. Precondition: connected. After an error the connection is gone,
// because a late reply would be taken for the next one.
asio::awaitable<Result<RespValue>> RespClient::attempt(std::string bytes,
                                                       MonotonicClock::time_point deadline) {
  const auto limit = std::min(options_.attempt_deadline, remaining(deadline));
  Result<RespValue> reply = co_await base::with_deadline(exchange(std::move(bytes)), limit);
  if (reply.has_error()) close();
  co_return reply;
}

void RespClient::choose_first_node() {
  if (current_ == options_.pinned || MonotonicClock::now() - left_pinned_at_ < kAwayFor) return;
  close();
  current_ = options_.pinned;
}

void RespClient::move_on(std::string_view hint) {
  if (options_.stay_pinned) return;
  const std::size_t before = current_;
  const auto& names = options_.node_names;
  const auto named = std::find(names.begin(), names.end(), hint);
  current_ = named != names.end() ? static_cast<std::size_t>(named - names.begin())
                                  : (current_ + 1) % names.size();
  if (current_ == before) return;
  close();
  if (current_ != options_.pinned) left_pinned_at_ = MonotonicClock::now();
}

void RespClient::note_failure(Progress& progress, const Error& error) {
  progress.cancelled = base::is(error, Errc::cancelled);
  progress.error = base::is(error, Errc::timed_out) ? "timeout" : error.message();
}

// Waits a little and turns to another node.
asio::awaitable<void> RespClient::give_way(Progress& progress, std::string hint) {
  move_on(hint);
  const std::chrono::nanoseconds pause =
      std::min<std::chrono::nanoseconds>(progress.pause, remaining(progress.deadline));
  progress.pause = std::min(progress.pause * 2, kLongestPause);
  const bool waited = co_await base::pause_for(pause);
  if (!waited) progress.cancelled = true;
}

asio::awaitable<bool> RespClient::open_session(Progress& progress) {
  const std::vector<std::string> command = {"SESSION", "OPEN"};
  std::string request = wire::encode_request(command);
  const Result<RespValue> reply = co_await attempt(std::move(request), progress.deadline);
  if (reply.has_error()) {
    note_failure(progress, reply.error());
    co_return false;
  }
  if (reply->kind != RespKind::integer) {
    progress.error = reply->text;
    co_return false;
  }
  session_ = std::to_string(reply->integer);
  sequence_ = 0;
  co_return true;
}

std::string leader_hint(const RespValue& reply) {
  constexpr std::string_view kNotLeader = "NOTLEADER ";
  const bool hinted = reply.kind == RespKind::error && reply.text.rfind(kNotLeader, 0) == 0;
  return hinted ? reply.text.substr(kNotLeader.size()) : std::string();
}

Reply settled(RespValue value, const std::string& node) {
  Reply reply;
  reply.node = node;
  if (value.kind == RespKind::error) {
    reply.outcome = history::Outcome::fail;
    reply.error = std::move(value.text);
  } else {
    reply.outcome = history::Outcome::ok;
    reply.value = std::move(value);
  }
  return reply;
}

std::string numbered(const std::string& session,
                     std::uint64_t sequence,
                     const std::vector<std::string>& command) {
  std::vector<std::string> arguments = {"SEQ", session, std::to_string(sequence)};
  arguments.insert(arguments.end(), command.begin(), command.end());
  return wire::encode_request(arguments);
}

asio::awaitable<Reply> RespClient::call(std::vector<std::string> command) {
  SUNDER_ASSERT(!command.empty());
  Progress progress;
  progress.deadline = MonotonicClock::now() + options_.operation_deadline;
  const bool idempotent = is_idempotent(command.front());
  const bool plain = idempotent || !options_.sessions;
  bool sequence_taken = false;
  std::string answered_by;
  choose_first_node();
  while (!progress.cancelled && remaining(progress.deadline).count() > 0) {
    if (!socket_) {
      const auto limit = std::min(options_.connect_deadline, remaining(progress.deadline));
      const Result<void> connected = co_await base::with_deadline(connect(), limit);
      if (connected.has_error()) {
        note_failure(progress, connected.error());
        co_await give_way(progress, std::string());
        continue;
      }
    }
    if (!plain && session_.empty()) {
      const bool opened = co_await open_session(progress);
      if (!opened) co_await give_way(progress, std::string());
      continue;
    }
    if (!plain && !std::exchange(sequence_taken, true)) ++sequence_;
    std::string request =
        plain ? wire::encode_request(command) : numbered(session_, sequence_, command);
    Result<RespValue> reply = co_await attempt(std::move(request), progress.deadline);
    std::string hint;
    if (reply.has_error()) {
      progress.possibly_applied = true;
      note_failure(progress, reply.error());
    } else {
      answered_by = options_.node_names[current_];
      if (settles(*reply)) co_return settled(std::move(*reply), answered_by);
      if (!wire::is_definite(reply->text)) progress.possibly_applied = true;
      progress.error = reply->text;
      hint = leader_hint(*reply);
      if (reply->text.rfind("NOSESSION", 0) == 0) {
        if (progress.possibly_applied) break;
        session_.clear();
        sequence_taken = false;
        continue;
      }
    }
    if (plain && !idempotent && progress.possibly_applied) break;
    co_await give_way(progress, std::move(hint));
  }
  Reply unknown;
  unknown.outcome = progress.possibly_applied ? history::Outcome::info : history::Outcome::fail;
  unknown.error = std::move(progress.error);
  unknown.node = std::move(answered_by);
  co_return unknown;
}

}  // namespace

std::unique_ptr<Client> make_resp_client(ClientOptions options) {
  return std::make_unique<RespClient>(std::move(options));
}

}  // namespace sunder::workloads
