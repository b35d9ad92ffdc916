#include "nodes/replica/sessions.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "harness/base/assert.hpp"

namespace sunder::nodes::replica {

using wire::RespValue;

const CommandInfo* find_command(const Machine& machine, std::string_view name) {
  const auto all = machine.commands();
  const auto found = std::ranges::lower_bound(all, name, {}, &CommandInfo::name);
  return found != all.end() && found->name == name ? &*found : nullptr;
}

Sessions::Sessions(std::unique_ptr<Machine> machine, Options options)
    : machine_(std::move(machine)), options_(options) {
  SUNDER_ASSERT(machine_ != nullptr);
}

RespValue Sessions::apply(std::uint64_t index, std::string_view bytes) {
  proto::Proposal proposal;
  const bool parsed = proposal.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  SUNDER_ASSERT_MESSAGE(parsed, "a log entry does not parse");
  if (proposal.open_session()) return open_session(index);
  if (proposal.session() == 0 || options_.ignore) return apply_commands(proposal);
  const auto found = sessions_.find(proposal.session());
  if (found == sessions_.end())
    return RespValue::error("NOSESSION the session is unknown or expired");
  Session& session = found->second;
  if (proposal.sequence() < session.sequence) {
    return RespValue::error("STALESEQ the session has moved past this number");
  }
  touch(found->first, session, index);
  if (proposal.sequence() > session.sequence) {
    session.sequence = proposal.sequence();
    session.reply = apply_commands(proposal);
  }
  return session.reply;
}

RespValue Sessions::open_session(std::uint64_t index) {
  if (sessions_.size() >= kSessionsMax) {
    const auto oldest = by_use_.begin();
    sessions_.erase(oldest->second);
    by_use_.erase(oldest);
  }
  Session& session = sessions_[index];
  session.used = index;
  by_use_[index] = index;
  return RespValue::number(static_cast<std::int64_t>(index));
}

void Sessions::touch(std::uint64_t id, Session& session, std::uint64_t index) {
  by_use_.erase(session.used);
  session.used = index;
  by_use_[index] = id;
}

RespValue Sessions::apply_commands(const proto::Proposal& proposal) {
  std::vector<RespValue> replies;
  for (const proto::Command& command : proposal.commands()) {
    replies.push_back(
        machine_->execute(Arguments(command.arguments().begin(), command.arguments().end())));
  }
  if (proposal.transaction()) return RespValue::array(std::move(replies));
  SUNDER_ASSERT(replies.size() == 1);
  return std::move(replies.front());
}

std::string Sessions::snapshot() const {
  proto::State state;
  state.set_machine(machine_->save());
  for (const auto& [id, session] : sessions_) {
    proto::Session& out = *state.add_sessions();
    out.set_id(id);
    out.set_sequence(session.sequence);
    out.set_used(session.used);
    wire::encode(session.reply, *out.mutable_reply());
  }
  return state.SerializeAsString();
}

Result<void> Sessions::load(std::string_view snapshot) {
  proto::State state;
  if (!state.ParseFromArray(snapshot.data(), static_cast<int>(snapshot.size()))) {
    return base::make_error(Errc::failed, "the snapshot is not a state");
  }
  SUNDER_TRY(machine_->load(state.machine()));
  sessions_.clear();
  by_use_.clear();
  for (const proto::Session& in : state.sessions()) {
    Session& session = sessions_[in.id()];
    session.sequence = in.sequence();
    session.used = in.used();
    by_use_[in.used()] = in.id();
    wire::RespParser parser;
    parser.feed(in.reply());
    const Result<bool> whole = parser.next_value(session.reply);
    if (whole.has_error() || !*whole) {
      return base::make_error(Errc::failed, "a session's reply is not RESP");
    }
  }
  return {};
}

}  // namespace sunder::nodes::replica
