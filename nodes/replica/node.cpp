#include "nodes/replica/node.hpp"

#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "harness/base/assert.hpp"
#include "harness/base/clock.hpp"
#include "harness/base/deadline.hpp"
#include "nodes/host/ticker.hpp"
#include "nodes/replica/codec.hpp"

namespace sunder::nodes::replica {

namespace asio = boost::asio;
using wire::RespValue;

namespace {

// In ticks of 20 ms: heartbeats every 40 ms, elections after 200 to 400 ms of silence.
constexpr unsigned kHeartbeatTicks = 2;
constexpr unsigned kElectionTicks = 10;
// A forwarded command is given up before the client gives up on this node.
constexpr std::chrono::milliseconds kForwardLimit{600};
constexpr std::size_t kForwardedMax = 10'000;
constexpr std::size_t kCommandBytesMax = std::size_t{8} << 20;
// Sabotages.
constexpr std::uint64_t kLostTail = 48;        // lose-snapshot-tail: entries whose effects are lost
constexpr std::uint64_t kReplyLostEvery = 40;  // apply-twice: one reply in so many is never sent

std::chrono::nanoseconds monotonic_now() {
  return std::chrono::nanoseconds(base::monotonic_ns());
}

std::string encoded(const RespValue& value) {
  std::string bytes;
  wire::encode(value, bytes);
  return bytes;
}

RespValue no_leader() {
  return RespValue::error("NOLEADER no leader is known; nothing was proposed");
}

std::string error_text(const raft::Rejection& rejection) {
  switch (rejection.reason) {
    case raft::RejectionReason::overloaded:
      return "OVERLOADED too many commands in flight";
    case raft::RejectionReason::change_under_way:
      return "MEMBERBUSY the last change of members is not committed yet";
    case raft::RejectionReason::no_change:
      return "ERR it is a member already, or is none";
    case raft::RejectionReason::last_voter:
      return "ERR the last member stays";
    case raft::RejectionReason::too_slow:
      return "MEMBERSLOW the new node could not be brought up to date";
    case raft::RejectionReason::leadership_lost:
      if (!rejection.definite)
        return "LEADERLOST the leader stepped down; the command may still commit";
      [[fallthrough]];
    case raft::RejectionReason::transferring:
    case raft::RejectionReason::not_leader:
      break;
  }
  if (rejection.leader == raft::kNobody) return no_leader().text;
  return "NOTLEADER " + host::node_name(rejection.leader);
}

}  // namespace

Node::Node(asio::any_io_executor executor,
           NodeOptions options,
           std::unique_ptr<Machine> machine,
           host::EventWriter& events)
    : executor_(executor),
      options_(std::move(options)),
      events_(events),
      tasks_(executor),
      clients_(executor, tasks_, [this] { return make_request_handler(*this); }),
      peers_(executor,
             tasks_,
             options_.host.number,
             options_.host.peers,
             [this](raft::NodeId from, const std::string& frame) { receive(from, frame); }),
      state_(std::move(machine),
             Sessions::Options{.ignore = options_.sabotage == Sabotage::apply_twice}),
      waiting_(state_.machine()) {}

Node::~Node() = default;

raft::Options Node::core_options() const {
  raft::Options core;
  core.id = options_.host.number;
  for (const auto& [number, endpoint] : options_.host.peers) {
    const auto& members = options_.members;
    const bool named = std::find(members.begin(), members.end(), number) != members.end();
    if (members.empty() || named) core.configuration.voters.push_back(number);
  }
  core.seed = options_.host.seed;
  core.election_ticks = kElectionTicks;
  core.heartbeat_ticks = kHeartbeatTicks;
  core.sabotage = options_.core_sabotage;
  return core;
}

Result<void> Node::start() {
  auto on_written = [this](std::uint64_t sequence) {
    asio::post(executor_, [this, sequence] { written(sequence); });
  };
  StorageOptions storage;
  storage.sync = options_.sabotage != Sabotage::ack_before_sync;
  storage.sync_directories = options_.sabotage != Sabotage::no_directory_sync;
  storage.plain_log = options_.sabotage == Sabotage::trust_checksum_less_log;
  auto opened = Storage::open(options_.host.data_directory, storage, std::move(on_written));
  if (opened.has_error()) return std::move(opened).error();
  storage_ = std::move(*opened);
  const Result<raft::Recovered> recovered = storage_->recover();
  if (recovered.has_error()) return recovered.error();
  if (recovered->snapshot.index > 0) SUNDER_TRY(state_.load(*recovered->snapshot.data));
  spdlog::info("recovered: term {}, snapshot at {}, {} log entries",
               recovered->hard_state.term,
               recovered->snapshot.index,
               recovered->entries.size());
  core_ = std::make_unique<raft::Core>(core_options(), *recovered);
  perform(core_->start());
  if (options_.sabotage == Sabotage::no_reconnect) {
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
  storage_.reset();
}

void Node::tick() {
  ++ticks_;
  perform(core_->step(raft::Tick{.wall = base::wall_ns()}));
  give_up_forwards();
  ring_alarms();
  serve_waiting();
}

// ---------------------------------------------------------------- commands

void Node::propose(const proto::Proposal& proposal, const host::ReplySlot& slot) {
  if (proposal.ByteSizeLong() > kCommandBytesMax) {
    slot.answer(RespValue::error("ERR command too large"));
    return;
  }
  std::string data = proposal.SerializeAsString();
  if (core_->role() == raft::Role::leader) {
    propose_here(std::move(data), Waiter{.slot = slot});
    return;
  }
  proto::ForwardRequest request;
  request.set_proposal(std::move(data));
  forward(std::move(request), slot);
}

void Node::transfer(raft::NodeId target, const host::ReplySlot& slot) {
  const bool known = target == raft::kNobody || options_.host.peers.contains(target);
  if (!known) {
    slot.answer(RespValue::error("ERR TRANSFER takes the name of a node of this cluster"));
  } else if (const auto refusal = not_leading()) {
    slot.answer(*refusal);
  } else {
    perform(core_->step(raft::TransferLeadership{.target = target}));
    slot.answer(RespValue::simple("OK"));
  }
}

std::optional<RespValue> Node::not_leading() const {
  if (core_->role() == raft::Role::leader) return std::nullopt;
  const raft::NodeId leader = core_->leader();
  if (leader == raft::kNobody) return no_leader();
  return RespValue::error("NOTLEADER " + host::node_name(leader));
}

void Node::change_member(raft::NodeId target, bool add, const host::ReplySlot& slot) {
  if (!options_.host.peers.contains(target)) {
    slot.answer(RespValue::error("ERR MEMBER takes the name of a node that --peers names"));
  } else if (const auto refusal = not_leading()) {
    slot.answer(*refusal);
  } else {
    const std::uint64_t id = ++next_id_;
    proposals_.emplace(id, Waiter{.slot = slot});
    perform(core_->step(raft::ChangeMember{.id = id, .node = target, .add = add}));
  }
}

void Node::list_members(const host::ReplySlot& slot) {
  if (const auto refusal = not_leading()) {
    slot.answer(*refusal);
    return;
  }
  std::vector<RespValue> answer;
  answer.push_back(RespValue::bulk(raft::to_text(core_->configuration())));
  answer.push_back(RespValue::bulk(core_->is_changing_members() ? "changing" : "committed"));
  slot.answer(RespValue::array(std::move(answer)));
}

asio::awaitable<void> Node::hand_over(std::chrono::nanoseconds limit) {
  if (core_->role() != raft::Role::leader || options_.host.peers.size() < 2) co_return;
  perform(core_->step(raft::TransferLeadership{.target = raft::kNobody}));
  const auto end = asio::steady_timer::clock_type::now() + limit;
  while (core_->role() == raft::Role::leader && asio::steady_timer::clock_type::now() < end) {
    co_await base::pause_for(std::chrono::milliseconds(5));
  }
}

void Node::read(Arguments command, const host::ReplySlot& slot) {
  if (core_->role() == raft::Role::leader) {
    read_here(std::move(command), Waiter{.slot = slot});
    return;
  }
  proto::ForwardRequest request;
  for (std::string& argument : command) request.mutable_read()->add_arguments(std::move(argument));
  forward(std::move(request), slot);
}

// A command that has nothing to do yet may wait here, if this node leads.
void Node::propose_here(std::string data, Waiter waiter) {
  if (waiting_.possible() && core_->role() == raft::Role::leader) {
    proto::Proposal proposal;
    const bool parsed = proposal.ParseFromString(data);
    if (parsed && !proposal.transaction() && proposal.commands_size() == 1) {
      const auto& arguments = proposal.commands(0).arguments();
      WaitingWrite write;
      write.command.assign(arguments.begin(), arguments.end());
      write.data = std::move(data);
      write.waiter = std::move(waiter);
      if (waiting_.full()) {
        reply(write.waiter, RespValue::error("OVERLOADED too many commands wait"));
      } else if (waiting_.admit(write, monotonic_now())) {
        propose_at_once(std::move(write.data), std::move(write.waiter));
      }
      return;
    }
  }
  propose_at_once(std::move(data), std::move(waiter));
}

void Node::propose_at_once(std::string data, Waiter waiter) {
  const std::uint64_t id = ++next_id_;
  proposals_.emplace(id, std::move(waiter));
  perform(core_->step(raft::Propose{.id = id, .data = std::move(data)}));
}

void Node::read_here(Arguments command, Waiter waiter) {
  const std::uint64_t id = ++next_id_;
  reads_.emplace(id, PendingRead{.waiter = std::move(waiter), .command = std::move(command)});
  perform(core_->step(raft::Read{.id = id, .wall = base::wall_ns()}));
}

void Node::forward(proto::ForwardRequest request, const host::ReplySlot& slot) {
  const raft::NodeId leader = core_->leader();
  if (leader == raft::kNobody || leader == options_.host.number) {
    slot.answer(no_leader());
    return;
  }
  if (options_.on_follower == OnFollower::redirect) {
    slot.answer(RespValue::error("NOTLEADER " + host::node_name(leader)));
    return;
  }
  if (forwarded_.size() >= kForwardedMax) {
    slot.answer(RespValue::error("OVERLOADED too many commands in flight"));
    return;
  }
  const std::uint64_t id = ++next_id_;
  request.set_id(id);
  Forwarded pending;
  pending.slot = slot;
  pending.leader = leader;
  pending.read = request.has_read();
  pending.expires = ticks_ + static_cast<std::uint64_t>(kForwardLimit / options_.host.tick) + 1;
  proto::PeerFrame frame;
  *frame.mutable_forward_request() = std::move(request);
  if (!peers_.send(leader, frame.SerializeAsString())) {
    slot.answer(no_leader());
    return;
  }
  forwarded_.emplace(id, std::move(pending));
}

// Forwarded commands that wait for too long, or for a node that does not lead any more.
void Node::give_up_forwards() {
  for (auto at = forwarded_.begin(); at != forwarded_.end();) {
    const Forwarded& pending = at->second;
    const bool moved = core_->leader() != raft::kNobody && core_->leader() != pending.leader;
    const bool lost = moved || !peers_.connected(pending.leader);
    if (!lost && ticks_ < pending.expires) {
      ++at;
      continue;
    }
    const RespValue unknown =
        RespValue::error(lost ? "LEADERLOST the leader is gone; the command may still commit"
                              : "TIMEOUT no answer from the leader");
    pending.slot.answer(pending.read ? no_leader() : unknown);
    at = forwarded_.erase(at);
  }
}

void Node::reply(const Waiter& waiter, const RespValue& value) {
  if (waiter.peer == raft::kNobody) {
    waiter.slot.answer(value);
    return;
  }
  proto::PeerFrame frame;
  frame.mutable_forward_reply()->set_id(waiter.forward_id);
  frame.mutable_forward_reply()->set_reply(encoded(value));
  // A lost reply is a time-out at the other end.
  peers_.send(waiter.peer, frame.SerializeAsString());
}

// ---------------------------------------------------------------- peers

void Node::receive(raft::NodeId from, const std::string& bytes) {
  proto::PeerFrame frame;
  if (!frame.ParseFromString(bytes)) {
    spdlog::warn("a frame of {} does not parse", host::node_name(from));
    return;
  }
  if (frame.has_forward_request()) {
    receive_forward(from, *frame.mutable_forward_request());
  } else if (frame.has_forward_reply()) {
    receive_reply(frame.forward_reply());
  } else if (frame.has_raft()) {
    auto message = from_proto(std::move(*frame.mutable_raft()), from, options_.host.number);
    if (message.has_error()) {
      spdlog::warn("{} sent {}", host::node_name(from), message.error().message());
      return;
    }
    perform(core_->step(raft::Receive{.message = std::move(*message), .wall = base::wall_ns()}));
  }
}

void Node::receive_forward(raft::NodeId from, proto::ForwardRequest& request) {
  Waiter waiter;
  waiter.peer = from;
  waiter.forward_id = request.id();
  if (request.has_proposal()) {
    propose_here(std::move(*request.mutable_proposal()), std::move(waiter));
  } else {
    const auto& arguments = request.read().arguments();
    read_here(Arguments(arguments.begin(), arguments.end()), std::move(waiter));
  }
}

void Node::receive_reply(const proto::ForwardReply& reply) {
  const auto found = forwarded_.find(reply.id());
  if (found == forwarded_.end()) return;
  wire::RespParser parser;
  parser.feed(reply.reply());
  RespValue value;
  const Result<bool> whole = parser.next_value(value);
  if (whole.has_error() || !*whole) return;
  found->second.slot.answer(value);
  forwarded_.erase(found);
}

void Node::send(raft::Message message) {
  if (!options_.host.peers.contains(message.to)) return;  // a member that this node cannot know
  proto::PeerFrame frame;
  *frame.mutable_raft() = to_proto(message);
  peers_.send(message.to, frame.SerializeAsString());
}

// ---------------------------------------------------------------- the core's effects

void Node::perform(raft::Effects effects) {
  for (raft::OutgoingMessage& outgoing : effects.messages) {
    if (!outgoing.after_persist) send(std::move(outgoing.message));
  }
  HeldMessages held;
  held.sequence = effects.sequence;
  for (raft::OutgoingMessage& outgoing : effects.messages) {
    if (outgoing.after_persist) held.messages.push_back(std::move(outgoing.message));
  }
  tell(effects.events);
  if (effects.has_writes()) submit(effects);
  if (held.sequence <= durable_sequence_) {
    for (raft::Message& message : held.messages) send(std::move(message));
  } else if (!held.messages.empty()) {
    held_.push_back(std::move(held));
  }
  note_role();
  if (effects.install_snapshot) {
    SUNDER_ASSERT(effects.snapshot.has_value());
    const Result<void> loaded = state_.load(*effects.snapshot->data);
    SUNDER_ASSERT_MESSAGE(loaded.has_value(), "a snapshot of the leader does not load");
    early_snapshot_.clear();
  }
  apply(effects.apply);
  answer_reads(effects.reads);
  answer_rejections(effects.rejections);
  if (effects.apply.empty()) return;
  take_snapshot_when_due();
  serve_waiting();
}

// Who begins to lead arms what stands; who leads no more keeps neither alarms nor clients waiting.
void Node::note_role() {
  const bool leads = core_->role() == raft::Role::leader;
  if (leads == std::exchange(leads_, leads)) return;
  alarms_.clear();
  if (leads) {
    if (options_.sabotage != Sabotage::lose_timer_at_failover)
      arm(state_.machine().standing_alarms());
    return;
  }
  for (const WaitingWrite& write : waiting_.take_all()) reply(write.waiter, *not_leading());
}

void Node::arm(std::vector<Alarm> alarms) {
  for (Alarm& alarm : alarms) alarms_.set(std::move(alarm), monotonic_now());
}

void Node::ring_alarms() {
  for (Arguments& command : alarms_.take_due(monotonic_now())) {
    proto::Proposal proposal;
    proto::Command& out = *proposal.add_commands();
    for (std::string& argument : command) out.add_arguments(std::move(argument));
    propose_at_once(proposal.SerializeAsString(), Waiter());
  }
}

void Node::serve_waiting() {
  for (WaitingWrite& write : waiting_.take_ready(monotonic_now())) {
    propose_at_once(std::move(write.data), std::move(write.waiter));
  }
}

void Node::submit(raft::Effects& effects) {
  WriteRequest request;
  request.sequence = effects.sequence;
  request.hard_state = effects.hard_state;
  request.snapshot = effects.snapshot;
  request.drop_log = effects.install_snapshot;
  request.truncate_from = effects.truncate_from;
  request.entries = std::move(effects.entries);
  storage_->submit(std::move(request));
}

void Node::written(std::uint64_t sequence) {
  if (!storage_) return;
  durable_sequence_ = sequence;
  // The events that told of these writes come first: who hears an acknowledgement may rely on them.
  perform(core_->step(raft::Persisted{.sequence = sequence}));
  while (!held_.empty() && held_.front().sequence <= sequence) {
    for (raft::Message& message : held_.front().messages) send(std::move(message));
    held_.pop_front();
  }
}

void Node::apply(std::vector<raft::Committed>& committed) {
  if (committed.empty()) return;
  std::vector<raft::Entry> entries;
  for (raft::Committed& item : committed) {
    std::optional<RespValue> value;
    if (item.entry.kind == raft::EntryKind::command) {
      value = state_.apply(item.entry.index, item.entry.data);
    } else if (item.entry.kind == raft::EntryKind::configuration) {
      value = RespValue::number(static_cast<std::int64_t>(item.entry.index));
    }
    if (options_.sabotage == Sabotage::lose_snapshot_tail && early_snapshot_.empty() &&
        item.entry.index + kLostTail >= core_->snapshot().index + options_.snapshot_every) {
      early_snapshot_ = state_.snapshot();
    }
    if (item.proposal) conclude_proposal(*item.proposal, value);
    item.entry.data.clear();
    entries.push_back(std::move(item.entry));
  }
  std::vector<Alarm> alarms = state_.machine().take_alarms();
  if (leads_) arm(std::move(alarms));
  tell(raft::applied_events(entries));
}

// Applied, or (without a value) an entry that nobody needs to hear of.
void Node::conclude_proposal(std::uint64_t id, const std::optional<RespValue>& value) {
  const auto found = proposals_.find(id);
  SUNDER_ASSERT(found != proposals_.end());
  waiting_.done(found->second.waited_on);
  if (value) answer_applied(found->second, *value);
  proposals_.erase(found);
}

// apply-twice loses replies as well, so that clients do retry.
void Node::answer_applied(const Waiter& waiter, const RespValue& value) {
  if (options_.sabotage == Sabotage::apply_twice && ++replies_ % kReplyLostEvery == 0) return;
  reply(waiter, value);
}

void Node::answer_reads(const std::vector<raft::ReadReady>& ready) {
  for (const raft::ReadReady& item : ready) {
    const auto found = reads_.find(item.id);
    SUNDER_ASSERT(found != reads_.end());
    reply(found->second.waiter, state_.machine().read(found->second.command));
    reads_.erase(found);
  }
}

void Node::answer_rejections(const std::vector<raft::Rejection>& rejections) {
  for (const raft::Rejection& rejection : rejections) {
    const RespValue error = RespValue::error(error_text(rejection));
    if (rejection.read) {
      const auto found = reads_.find(rejection.id);
      SUNDER_ASSERT(found != reads_.end());
      reply(found->second.waiter, error);
      reads_.erase(found);
    } else {
      const auto found = proposals_.find(rejection.id);
      SUNDER_ASSERT(found != proposals_.end());
      waiting_.done(found->second.waited_on);
      reply(found->second, error);
      proposals_.erase(found);
    }
  }
}

void Node::tell(const std::vector<raft::Event>& events) {
  for (const raft::Event& event : events) {
    std::vector<host::EventWriter::Text> texts;
    if (event.hash) texts.emplace_back("hash", raft::hash_text(*event.hash));
    if (event.voters) texts.emplace_back("voters", *event.voters);
    events_.write(event.name, event.numbers, texts);
    if (event.name == "became-leader" || event.name == "became-follower" ||
        event.name == "configuration-changed") {
      spdlog::info("{}", raft::describe(event));
    }
  }
}

void Node::take_snapshot_when_due() {
  const raft::Index applied = core_->applied_index();
  if (applied < core_->snapshot().index + options_.snapshot_every) return;
  const raft::Event started{
      .name = "snapshot-started", .numbers = {{"index", applied}}, .hash = {}};
  tell({started});
  raft::SnapshotTaken taken;
  taken.index = applied;
  taken.data = early_snapshot_.empty() ? state_.snapshot() : std::exchange(early_snapshot_, {});
  perform(core_->step(std::move(taken)));
}

const CommandInfo* Node::find_command(std::string_view name) const {
  return replica::find_command(state_.machine(), name);
}

std::string Node::info() const {
  const raft::Core& core = *core_;
  std::string text = "# Replication\r\n";
  const auto line = [&text](std::string_view name, const auto& value) {
    fmt::format_to(std::back_inserter(text), "{}:{}\r\n", name, value);
  };
  line("id", options_.host.id);
  line("mode", options_.host.mode);
  line("role", raft::name_of(core.role()));
  line("term", core.term());
  line("leader", core.leader() == raft::kNobody ? std::string() : host::node_name(core.leader()));
  line("commit", core.commit_index());
  line("applied", core.applied_index());
  line("last_index", core.log().last_index());
  line("snapshot_index", core.snapshot().index);
  line("members", raft::to_text(core.configuration()));
  for (const auto& [name, count] : state_.machine().counts()) line(name, count);
  line("sessions", state_.count());
  for (const raft::NodeId peer : core.configuration().voters) {
    if (peer == core.id()) continue;
    std::string view = fmt::format("connected={}", peers_.connected(peer) ? 1 : 0);
    if (core.role() == raft::Role::leader) {
      const raft::Index match = core.match_of(peer);
      fmt::format_to(
          std::back_inserter(view), ",match={},lag={}", match, core.log().last_index() - match);
    }
    line("peer_" + host::node_name(peer), view);
  }
  return text;
}

}  // namespace sunder::nodes::replica
