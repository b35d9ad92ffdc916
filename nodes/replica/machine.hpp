// Machine: what the commands of a replicated log do; the part of a replicated server that differs
// from one kind of server to the next.
//
// Deterministic: state and replies follow from the commands alone, in their order. Sessions, disk,
// network, clients and time are the shell's. A machine that wants something done later sets an
// alarm, whose command the leader proposes when it is due; a command that has nothing to do yet may
// wait at the leader.
//
// Threading: one owner. Errors: replies.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/wire/resp.hpp"

namespace sunder::nodes::replica {

using Arguments = std::vector<std::string>;

// internal: a write that only an alarm proposes; clients are refused it.
enum class CommandKind : std::uint8_t { internal, read, write };

struct CommandInfo {
  std::string_view name;  // upper case
  CommandKind kind = CommandKind::read;
  std::size_t arguments_min = 0;  // with the name
  std::size_t arguments_max = 0;
  bool may_wait = false;  // Machine::wait_of may answer for it
};

// Something to be proposed later. It rings never before `after` has passed since the entry that set
// it was applied, and rings again until the machine moves or cancels it: its command must do
// nothing when it comes too late.
struct Alarm {
  std::uint64_t id = 0;  // an alarm set under the same number replaces it
  std::chrono::milliseconds after{0};
  Arguments command;  // empty: the alarm is cancelled
};

// What a write waits for when it has nothing to do.
struct Wait {
  std::string on;             // writes that wait for the same are served in the order they came
  std::size_t available = 0;  // how many of them would find something to do now
  std::chrono::milliseconds limit{0};  // it is executed then, whatever there is
};

class Machine {
 public:
  virtual ~Machine() = default;

  // What may stand in a log entry or be read; sorted by name.
  [[nodiscard]] virtual std::span<const CommandInfo> commands() const = 0;

  // Precondition for both: one of the commands, its name in upper case, with a right number of
  // arguments.
  [[nodiscard]] virtual wire::RespValue execute(const Arguments& command) = 0;
  [[nodiscard]] virtual wire::RespValue read(const Arguments& command) const = 0;

  // The whole state as bytes, the same for equal states.
  [[nodiscard]] virtual std::string save() const = 0;
  // Replaces the state. Errc::failed: the bytes are not a state.
  [[nodiscard]] virtual Result<void> load(std::string_view bytes) = 0;

  // The alarms that the commands executed since the last call set, moved or cancelled.
  [[nodiscard]] virtual std::vector<Alarm> take_alarms() { return {}; }

  // All that stand, each with its whole time: who begins to lead cannot know how much of it is
  // over.
  [[nodiscard]] virtual std::vector<Alarm> standing_alarms() const { return {}; }

  // None: the write does not wait. Same precondition as execute().
  [[nodiscard]] virtual std::optional<Wait> wait_of(const Arguments& /*command*/) const {
    return std::nullopt;
  }

  // How much of what it holds: lines of INFO.
  [[nodiscard]] virtual std::vector<std::pair<std::string_view, std::size_t>> counts() const = 0;
};

// By its name in upper case; null: not one of them.
[[nodiscard]] const CommandInfo* find_command(const Machine& machine, std::string_view name);

}  // namespace sunder::nodes::replica
