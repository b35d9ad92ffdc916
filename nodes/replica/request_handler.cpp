// The commands of one client connection: transactions, sessions, and what Redis' own tools ask for.
//
// The machine's commands go to the node as proposals or reads. MULTI queues them until EXEC, which
// proposes all as one entry. `SESSION OPEN` and `SEQ <session> <number> <command…>` make retries
// take effect once; a read under SEQ is a plain read, because it changes nothing. Everything else
// is answered here.

#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "nodes/host/plain_commands.hpp"
#include "nodes/replica/node.hpp"

namespace sunder::nodes::replica {
namespace {

using host::ReplySlot;
using host::upper;
using wire::RespValue;

constexpr std::size_t kTransactionCommandsMax = 1024;

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value == 0) return std::nullopt;
  return value;
}

RespValue wrong_arguments(std::string_view name) {
  return RespValue::error(fmt::format("ERR wrong number of arguments for '{}'", name));
}

void add_command(proto::Proposal& proposal, Arguments command) {
  proto::Command& out = *proposal.add_commands();
  for (std::string& argument : command) out.add_arguments(std::move(argument));
}

class ReplicaRequestHandler final : public host::RequestHandler {
 public:
  explicit ReplicaRequestHandler(Node& node) : node_(node) {}

  void handle(Arguments arguments, ReplySlot slot) override {
    arguments.front() = upper(std::move(arguments.front()));
    const std::string& name = arguments.front();
    if (name == "MULTI" || name == "EXEC" || name == "DISCARD") {
      transaction(name, slot);
    } else if (queue_) {
      enqueue(std::move(arguments), slot);
    } else if (name == "SEQ") {
      numbered(std::move(arguments), slot);
    } else if (name == "SESSION") {
      open_session(std::move(arguments), slot);
    } else if (!answer_here(arguments, slot)) {
      run(std::move(arguments), proto::Proposal(), slot);
    }
  }

 private:
  // None: one of the machine's commands with a right number of arguments.
  static std::optional<RespValue> refusal(const CommandInfo* info, const Arguments& command) {
    if (info == nullptr || info->kind == CommandKind::internal) {
      return RespValue::error(
          fmt::format("ERR unknown command '{}'", command.front().substr(0, 64)));
    }
    if (command.size() < info->arguments_min || command.size() > info->arguments_max) {
      return wrong_arguments(info->name);
    }
    return std::nullopt;
  }

  void run(Arguments command, proto::Proposal proposal, const ReplySlot& slot) {
    const CommandInfo* const info = node_.find_command(command.front());
    if (const auto refused = refusal(info, command)) {
      slot.answer(*refused);
    } else if (info->kind == CommandKind::read) {
      node_.read(std::move(command), slot);
    } else {
      add_command(proposal, std::move(command));
      node_.propose(proposal, slot);
    }
  }

  void numbered(Arguments arguments, const ReplySlot& slot) {
    if (arguments.size() < 4) {
      slot.answer(wrong_arguments("SEQ"));
      return;
    }
    const auto session = parse_number(arguments[1]);
    const auto sequence = parse_number(arguments[2]);
    if (!session || !sequence) {
      slot.answer(RespValue::error("ERR SEQ takes a session and a number, both above zero"));
      return;
    }
    arguments.erase(arguments.begin(), arguments.begin() + 3);
    arguments.front() = upper(std::move(arguments.front()));
    proto::Proposal proposal;
    proposal.set_session(*session);
    proposal.set_sequence(*sequence);
    run(std::move(arguments), std::move(proposal), slot);
  }

  void open_session(Arguments arguments, const ReplySlot& slot) {
    if (arguments.size() != 2 || upper(arguments[1]) != "OPEN") {
      slot.answer(RespValue::error("ERR SESSION OPEN is the only form"));
      return;
    }
    proto::Proposal proposal;
    proposal.set_open_session(true);
    node_.propose(proposal, slot);
  }

  void transaction(const std::string& name, const ReplySlot& slot) {
    if (name == "MULTI") {
      if (queue_) {
        slot.answer(RespValue::error("ERR MULTI calls can not be nested"));
        return;
      }
      queue_.emplace().set_transaction(true);
      refused_ = false;
      slot.answer(RespValue::simple("OK"));
      return;
    }
    if (!queue_) {
      slot.answer(RespValue::error(fmt::format("ERR {} without MULTI", name)));
      return;
    }
    const proto::Proposal proposal = std::move(*queue_);
    queue_.reset();
    if (name == "DISCARD") {
      slot.answer(RespValue::simple("OK"));
    } else if (refused_) {
      slot.answer(RespValue::error("EXECABORT a command was refused; nothing was done"));
    } else if (proposal.commands().empty()) {
      slot.answer(RespValue::array({}));
    } else {
      node_.propose(proposal, slot);
    }
  }

  void enqueue(Arguments command, const ReplySlot& slot) {
    auto refused = refusal(node_.find_command(command.front()), command);
    if (!refused && static_cast<std::size_t>(queue_->commands_size()) >= kTransactionCommandsMax) {
      refused = RespValue::error("ERR too many commands in a transaction");
    }
    if (refused) {
      refused_ = true;
      slot.answer(*refused);
      return;
    }
    add_command(*queue_, std::move(command));
    slot.answer(RespValue::simple("QUEUED"));
  }

  // What needs neither the log nor the keys. False: not such a command.
  bool answer_here(const Arguments& arguments, const ReplySlot& slot) {
    const std::string& name = arguments.front();
    if (name == "INFO") {
      slot.answer(RespValue::bulk(node_.info()));
    } else if (name == "TRANSFER" && arguments.size() <= 2) {
      transfer(arguments, slot);
    } else if (name == "MEMBER") {
      member(arguments, slot);
    } else {
      return host::answer_plain_command(arguments, slot);
    }
    return true;
  }

  void transfer(const Arguments& arguments, const ReplySlot& slot) {
    if (arguments.size() == 1) return node_.transfer(raft::kNobody, slot);
    const auto target = host::parse_node_name(arguments[1]);
    // No node has the number 0, so a name that is none is refused like an unknown one.
    constexpr raft::NodeId kNoSuchNode = std::numeric_limits<raft::NodeId>::max();
    node_.transfer(target.has_value() ? *target : kNoSuchNode, slot);
  }

  // MEMBER LIST · MEMBER ADD nK · MEMBER REMOVE nK
  void member(const Arguments& arguments, const ReplySlot& slot) {
    const std::string what = arguments.size() > 1 ? upper(arguments[1]) : std::string();
    const bool lists = what == "LIST" && arguments.size() == 2;
    const bool changes = (what == "ADD" || what == "REMOVE") && arguments.size() == 3;
    if (lists) return node_.list_members(slot);
    const auto target = changes ? host::parse_node_name(arguments[2])
                                : base::make_error(Errc::usage, "MEMBER LIST, ADD or REMOVE");
    if (target.has_value()) return node_.change_member(*target, what == "ADD", slot);
    slot.answer(RespValue::error("ERR MEMBER LIST, MEMBER ADD nK and MEMBER REMOVE nK"));
  }

  Node& node_;
  std::optional<proto::Proposal> queue_;  // inside MULTI
  bool refused_ = false;                  // a command of the transaction was refused
};

}  // namespace

std::unique_ptr<host::RequestHandler> make_request_handler(Node& node) {
  return std::make_unique<ReplicaRequestHandler>(node);
}

}  // namespace sunder::nodes::replica
