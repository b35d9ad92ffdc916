// StateMachine: keys with strings or lists, and client sessions; what applying the log in order
// leads to.
//
// Deterministic: state and replies follow from the entries alone. A session (Ongaro 2014, §6.3)
// remembers the reply to its latest sequence number, so that a retry is answered and not applied
// again. Sessions are bounded: opening one more than kSessionsMax ends the one whose latest use
// lies furthest back in the log.
//
// Threading: one owner. Errors: replies. An entry that does not parse is a programmer's error.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/wire/resp.hpp"
#include "nodes/kv/messages.pb.h"

namespace sunder::nodes::kv {

using Arguments = std::vector<std::string>;

enum class CommandKind : std::uint8_t { read, write };

struct CommandInfo {
  std::string_view name;  // upper case
  CommandKind kind = CommandKind::read;
  std::size_t arguments_min = 0;  // with the name
  std::size_t arguments_max = 0;
};

// Commands on keys: what may stand in a log entry or be read. Null: not one of them. The name is in
// upper case.
[[nodiscard]] const CommandInfo* find_command(std::string_view name);

class StateMachine {
 public:
  static constexpr std::size_t kSessionsMax = 10'000;

  struct Options {
    bool ignore_sessions = false;  // sabotage apply-twice: a retry is applied again
  };

  StateMachine() = default;

  explicit StateMachine(Options options) : options_(options) {}

  // Applies one log entry's proposal and returns the reply to it.
  [[nodiscard]] wire::RespValue apply(std::uint64_t index, std::string_view proposal);
  // Precondition: a read command with a right number of arguments.
  [[nodiscard]] wire::RespValue read(const Arguments& command) const;

  // The whole state as bytes, the same for equal states.
  [[nodiscard]] std::string snapshot() const;
  // Replaces the state. Errc::failed: the bytes are not a state.
  [[nodiscard]] Result<void> load(std::string_view snapshot);

  [[nodiscard]] std::size_t key_count() const noexcept { return items_.size(); }

  [[nodiscard]] std::size_t session_count() const noexcept { return sessions_.size(); }

 private:
  using List = std::vector<std::string>;
  using Value = std::variant<std::string, List>;

  struct Session {
    std::uint64_t sequence = 0;
    std::uint64_t used = 0;
    wire::RespValue reply;
  };

  wire::RespValue open_session(std::uint64_t index);
  void touch(std::uint64_t id, Session& session, std::uint64_t index);
  wire::RespValue apply_commands(proto::Proposal& proposal);
  wire::RespValue execute(const Arguments& command);
  wire::RespValue set(const Arguments& command);
  wire::RespValue remove(const Arguments& command);
  wire::RespValue compare_and_set(const Arguments& command);
  wire::RespValue increment(const Arguments& command);
  wire::RespValue append(const Arguments& command);
  wire::RespValue push(const Arguments& command);
  wire::RespValue get(const Arguments& command) const;
  wire::RespValue range(const Arguments& command) const;

  Options options_;
  std::map<std::string, Value, std::less<>> items_;
  std::map<std::uint64_t, Session> sessions_;
  std::map<std::uint64_t, std::uint64_t>
      by_use_;  // Session::used → id; the first is the next to end
};

}  // namespace sunder::nodes::kv
