#include "harness/run/member_operator.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "harness/base/assert.hpp"
#include "harness/base/deadline.hpp"
#include "harness/run/node_command.hpp"

namespace sunder::run {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using nemesis::MemberChange;
using nemesis::MemberChangeOutcome;
using wire::RespKind;
using wire::RespValue;
using namespace std::chrono_literals;

// A change answers when it is committed: a new node must be brought up to date before.
constexpr auto kAnswerLimit = 3s;
constexpr auto kPause = 20ms;
constexpr auto kLookEvery = 5ms;
constexpr auto kEndLimit = 5s;
constexpr auto kAwaitTuple = asio::as_tuple(asio::use_awaitable);

Error failure(const boost::system::error_code& error) {
  Error failed;
  failed.code = error;
  return failed;
}

asio::awaitable<Result<RespValue>> exchange(tcp::socket& socket,
                                            tcp::endpoint endpoint,
                                            const std::string& request) {
  const auto [refused] = co_await socket.async_connect(endpoint, kAwaitTuple);
  if (refused) co_return failure(refused);
  const auto data = asio::buffer(request);
  const auto [unsent, sent] = co_await asio::async_write(socket, data, kAwaitTuple);
  if (unsent) co_return failure(unsent);
  wire::RespParser parser;
  RespValue value;
  std::array<char, 1024> bytes{};
  for (;;) {
    const auto whole = parser.next_value(value);
    if (whole.has_error()) co_return whole.error();
    if (*whole) co_return value;
    const auto space = asio::buffer(bytes);
    const auto [error, size] = co_await socket.async_read_some(space, kAwaitTuple);
    if (error) co_return failure(error);
    parser.feed(std::string_view(bytes.data(), size));
  }
}

std::string name_of(std::size_t node) {
  return fmt::format("n{}", node + 1);
}

// "n3" → 2; nothing for what is no node's name.
std::optional<std::size_t> node_named(std::string_view name) {
  if (name.size() < 2 || name.front() != 'n') return std::nullopt;
  std::size_t number = 0;
  for (const char digit : name.substr(1)) {
    if (digit < '0' || digit > '9' || number > 1000) return std::nullopt;
    number = number * 10 + static_cast<std::size_t>(digit - '0');
  }
  if (number == 0) return std::nullopt;
  return number - 1;
}

std::vector<std::size_t> nodes_named(std::string_view list) {
  std::vector<std::size_t> nodes;
  while (!list.empty()) {
    const std::string_view item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), item.size() + 1));
    if (const auto node = node_named(item)) nodes.push_back(*node);
  }
  std::ranges::sort(nodes);
  return nodes;
}

bool is_word(const RespValue& reply, std::string_view word) {
  return reply.kind == RespKind::error && reply.text.starts_with(word);
}

}  // namespace

MemberOperator::MemberOperator(MemberOperatorOptions options, cluster::Cluster& cluster)
    : options_(std::move(options)), cluster_(cluster), tasks_(options_.executor) {}

void MemberOperator::begin(nemesis::MemberJob wanted) {
  auto job = std::make_shared<Job>();
  job->wanted = std::move(wanted);
  jobs_.push_back(std::move(job));
  if (!std::exchange(working_, true)) tasks_.spawn("changes of members", work());
}

std::vector<MemberChangeOutcome> MemberOperator::end(std::uint32_t fault) {
  for (const auto& job : jobs_) {
    if (job->wanted.fault != fault) continue;
    job->ended = true;
    return job->outcomes;
  }
  return {};
}

asio::awaitable<void> MemberOperator::work() {
  while (next_job_ < jobs_.size()) {
    const std::shared_ptr<Job> job = jobs_[next_job_];
    const bool begins = !job->ended;
    if (begins) {
      if (job->wanted.hasty_at) {
        co_await change_at_once(job);
      } else {
        co_await change_in_order(job);
      }
      while (!job->ended) {
        const bool waited = co_await base::pause_for(kLookEvery);
        if (!waited) co_return;
      }
      co_await bring_back();
      co_await end_spares();
    }
    job->restored = options_.clock.now();
    ++next_job_;
  }
  working_ = false;
}

asio::awaitable<void> MemberOperator::change_in_order(std::shared_ptr<Job> job) {
  for (const MemberChange& change : job->wanted.changes) {
    if (job->ended) co_return;
    MemberChangeOutcome outcome;
    outcome.change = change;
    outcome.began = options_.clock.now();
    job->outcomes.push_back(std::move(outcome));
    co_await carry_out(job, job->outcomes.size() - 1);
  }
}

// Until it is committed or the job ends.
asio::awaitable<void> MemberOperator::carry_out(std::shared_ptr<Job> job, std::size_t number) {
  const MemberChange change = job->outcomes[number].change;
  if (const auto ready = prepare(change); ready.has_error()) {
    job->outcomes[number].error = ready.error().message();
    co_return;
  }
  while (!job->ended) {
    MemberChangeOutcome& outcome = job->outcomes[number];
    ++outcome.requests;
    const std::size_t node = choose_node();
    std::vector<std::string> command{"MEMBER", change.add ? "ADD" : "REMOVE"};
    command.push_back(name_of(change.node));
    const auto reply = co_await ask(node, std::move(command));
    note_answer(reply, node);
    if (reply.has_error()) {
      outcome.error = reply.error().message();
    } else if (reply->kind == RespKind::integer || is_word(*reply, "ERR it is a member already")) {
      // The second answers an attempt before, whose own answer was lost.
      ++outcome.answers;
      outcome.index = reply->kind == RespKind::integer ? reply->integer : 0;
      outcome.committed = options_.clock.now();
      break;
    } else {
      outcome.error = reply->text;
      if (is_word(*reply, "MEMBERBUSY")) ++outcome.refusals;
    }
    const bool waited = co_await base::pause_for(kPause);
    if (!waited) co_return;
  }
  const bool ends = change.end && job->outcomes[number].committed > 0 &&
                    cluster_.state(change.node) == cluster::NodeState::running;
  if (!ends) co_return;
  (void)cluster_.signal(change.node, SIGKILL);
  (void)co_await cluster_.wait_down(change.node, kEndLimit);
}

// What a hasty operator does: every request at once, to a node that said it leads.
asio::awaitable<void> MemberOperator::change_at_once(std::shared_ptr<Job> job) {
  for (const MemberChange& change : job->wanted.changes) {
    MemberChangeOutcome outcome;
    outcome.change = change;
    outcome.began = options_.clock.now();
    outcome.requests = 1;
    job->outcomes.push_back(std::move(outcome));
    tasks_.spawn("a change of members", change_at(job, job->outcomes.size() - 1));
  }
  co_return;
}

asio::awaitable<void> MemberOperator::change_at(std::shared_ptr<Job> job, std::size_t number) {
  const MemberChange change = job->outcomes[number].change;
  std::vector<std::string> command{"MEMBER", change.add ? "ADD" : "REMOVE"};
  command.push_back(name_of(change.node));
  const auto reply = co_await ask(*job->wanted.hasty_at, std::move(command));
  MemberChangeOutcome& outcome = job->outcomes[number];
  if (reply.has_error()) {
    outcome.error = reply.error().message();
    co_return;
  }
  const bool redirected = is_word(*reply, "NOTLEADER") || is_word(*reply, "NOLEADER");
  if (!redirected) ++outcome.answers;
  if (is_word(*reply, "MEMBERBUSY")) ++outcome.refusals;
  if (reply->kind == RespKind::error) outcome.error = reply->text;
  if (reply->kind != RespKind::integer) co_return;
  outcome.index = reply->integer;
  outcome.committed = options_.clock.now();
}

// A node too many goes before one that lacks comes: never more than one above the first number.
asio::awaitable<void> MemberOperator::bring_back() {
  for (std::size_t node = 0; node < cluster_.nodes(); ++node) {
    bool ours = false;
    for (const MemberChangeOutcome& outcome : jobs_[next_job_]->outcomes) {
      ours = ours || (outcome.change.end && outcome.change.node == node && outcome.committed > 0);
    }
    if (ours && cluster_.state(node) == cluster::NodeState::down) (void)cluster_.start(node);
  }
  for (;;) {
    const auto now = co_await list();
    if (now.has_value()) {
      std::optional<std::size_t> extra;
      std::optional<std::size_t> missing;
      for (const std::size_t node : now->members) {
        if (node >= cluster_.nodes()) extra = node;
      }
      for (std::size_t node = 0; node < cluster_.nodes(); ++node) {
        if (!std::ranges::binary_search(now->members, node)) missing = node;
      }
      if (!extra && !missing && now->committed) co_return;
      const bool removes = extra && (!missing || now->members.size() > cluster_.nodes());
      if (extra || missing) {
        std::vector<std::string> command{"MEMBER", removes ? "REMOVE" : "ADD"};
        command.push_back(name_of(removes ? *extra : *missing));
        const std::size_t node = choose_node();
        const auto reply = co_await ask(node, std::move(command));
        note_answer(reply, node);
      }
    }
    const bool waited = co_await base::pause_for(kPause);
    if (!waited) co_return;
  }
}

// Their disks stay: a name that voted must not come back without its memory.
asio::awaitable<void> MemberOperator::end_spares() {
  for (std::size_t spare = cluster_.nodes(); spare < cluster_.nodes() + cluster_.spares();
       ++spare) {
    if (cluster_.state(spare) == cluster::NodeState::down) continue;
    (void)cluster_.signal(spare, SIGKILL);
    (void)co_await cluster_.wait_down(spare, kEndLimit);
  }
}

asio::awaitable<Result<MemberOperator::MemberList>> MemberOperator::list() {
  const std::size_t node = choose_node();
  std::vector<std::string> command{"MEMBER", "LIST"};
  const auto reply = co_await ask(node, std::move(command));
  note_answer(reply, node);
  if (reply.has_error()) co_return reply.error();
  if (reply->kind != RespKind::array || reply->items.size() != 2) {
    co_return base::make_error(Errc::failed, reply->text);
  }
  MemberList list;
  list.members = nodes_named(reply->items[0].text);
  list.committed = reply->items[1].text == "committed";
  co_return list;
}

asio::awaitable<Result<RespValue>> MemberOperator::ask(std::size_t node,
                                                       std::vector<std::string> command) {
  auto socket = cluster_.operator_socket();
  if (socket.has_error()) co_return socket.error();
  const auto address = asio::ip::make_address(fmt::format("10.0.0.{}", node + 1));
  const tcp::endpoint endpoint(address, kClientPort);
  const std::string request = wire::encode_request(command);
  auto reply = exchange(*socket, endpoint, request);
  auto result = co_await base::with_deadline(std::move(reply), kAnswerLimit);
  co_return result;
}

Result<void> MemberOperator::prepare(const MemberChange& change) {
  if (!change.add || change.node < cluster_.nodes()) return {};
  if (change.beside) SUNDER_TRY(cluster_.place_beside(change.node, *change.beside));
  if (cluster_.state(change.node) != cluster::NodeState::down) return {};
  return cluster_.start(change.node);
}

// Who was said to lead, else who says so, else everybody in turn.
std::size_t MemberOperator::choose_node() {
  const auto runs = [this](std::size_t node) {
    return cluster_.state(node) == cluster::NodeState::running;
  };
  const std::size_t all = cluster_.nodes() + cluster_.spares();
  if (hint_ && *hint_ < all && runs(*hint_)) return *hint_;
  const auto leader = options_.leader();
  if (leader && *leader < all && runs(*leader) && turn_ % 2 == 0) return *leader;
  for (std::size_t i = 0; i < all; ++i) {
    const std::size_t node = (turn_ / 2 + i) % all;
    if (runs(node)) return node;
  }
  return turn_ % cluster_.nodes();
}

void MemberOperator::note_answer(const Result<RespValue>& reply, std::size_t node) {
  hint_.reset();
  constexpr std::string_view kNotLeader = "NOTLEADER ";
  if (reply.has_value() && is_word(*reply, kNotLeader)) {
    hint_ = node_named(std::string_view(reply->text).substr(kNotLeader.size()));
  }
  const bool leads =
      reply.has_value() && !is_word(*reply, kNotLeader) && !is_word(*reply, "NOLEADER");
  if (leads) hint_ = node;
  if (!hint_) ++turn_;
}

asio::awaitable<bool> MemberOperator::settle(std::chrono::nanoseconds limit) {
  const std::int64_t end = options_.clock.now() + limit.count();
  while (working_ && options_.clock.now() < end) {
    const bool waited = co_await base::pause_for(kLookEvery);
    if (!waited) break;
  }
  co_return !working_;
}

void MemberOperator::complete(std::vector<history::FaultRecord>& records) const {
  for (history::FaultRecord& record : records) {
    for (const auto& job : jobs_) {
      if (job->wanted.fault != record.id || !record.changes_members) continue;
      if (job->restored == 0) {
        record.exercised = false;
        record.reason = "the first members were not brought back in time";
        continue;
      }
      const double after = static_cast<double>(job->restored - record.active.end) / 1e6;
      record.evidence.push_back({"first members back after", std::max(0.0, after), "ms"});
      record.healed = std::max(record.healed, job->restored);
    }
  }
}

asio::awaitable<void> MemberOperator::close() {
  co_await tasks_.close();
}

}  // namespace sunder::run
