// StateMachine: keys with strings or lists.
//
// Threading and errors: as replica::Machine says.

#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "nodes/kv/state.pb.h"
#include "nodes/replica/machine.hpp"

namespace sunder::nodes::kv {

using replica::Arguments;
using replica::CommandInfo;
using replica::CommandKind;

class StateMachine final : public replica::Machine {
 public:
  [[nodiscard]] std::span<const CommandInfo> commands() const override;
  [[nodiscard]] wire::RespValue execute(const Arguments& command) override;
  [[nodiscard]] wire::RespValue read(const Arguments& command) const override;
  [[nodiscard]] std::string save() const override;
  [[nodiscard]] Result<void> load(std::string_view bytes) override;
  [[nodiscard]] std::vector<std::pair<std::string_view, std::size_t>> counts() const override;

 private:
  using List = std::vector<std::string>;
  using Value = std::variant<std::string, List>;

  wire::RespValue set(const Arguments& command);
  wire::RespValue remove(const Arguments& command);
  wire::RespValue compare_and_set(const Arguments& command);
  wire::RespValue increment(const Arguments& command);
  wire::RespValue append(const Arguments& command);
  wire::RespValue push(const Arguments& command);
  wire::RespValue get(const Arguments& command) const;
  wire::RespValue range(const Arguments& command) const;

  std::map<std::string, Value, std::less<>> items_;
};

}  // namespace sunder::nodes::kv
