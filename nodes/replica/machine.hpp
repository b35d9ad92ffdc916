// Machine: what the commands of a replicated log do; the part of a replicated server that differs
// from one kind of server to the next.
//
// Deterministic: state and replies follow from the commands alone, in their order. Sessions, disk,
// network and clients are the shell's.
//
// Threading: one owner. Errors: replies.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/wire/resp.hpp"

namespace sunder::nodes::replica {

using Arguments = std::vector<std::string>;

enum class CommandKind : std::uint8_t { read, write };

struct CommandInfo {
  std::string_view name;  // upper case
  CommandKind kind = CommandKind::read;
  std::size_t arguments_min = 0;  // with the name
  std::size_t arguments_max = 0;
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

  // How much of what it holds: lines of INFO.
  [[nodiscard]] virtual std::vector<std::pair<std::string_view, std::size_t>> counts() const = 0;
};

// By its name in upper case; null: not one of them.
[[nodiscard]] const CommandInfo* find_command(const Machine& machine, std::string_view name);

}  // namespace sunder::nodes::replica
