#include "tests/histories/support/register_oracle.hpp"

#include <map>

namespace sunder::test {
namespace {

using Registers = std::map<std::string, std::string>;

Registers parse(const std::string& state) {
  Registers registers;
  for (std::size_t begin = 0; begin < state.size();) {
    const std::size_t equals = state.find('=', begin);
    const std::size_t end = state.find(';', equals);
    registers[state.substr(begin, equals - begin)] = state.substr(equals + 1, end - equals - 1);
    begin = end + 1;
  }
  return registers;
}

std::string print(const Registers& registers) {
  std::string state;
  for (const auto& [name, value] : registers) state += name + "=" + value + ";";
  return state;
}

}  // namespace

std::optional<std::string> apply_registers(const history::History& history,
                                           const history::Operation& operation,
                                           const std::string& state) {
  const history::ValuePool& pool = history.pool();
  const bool told = operation.outcome == history::Outcome::ok && operation.output.is_list();
  if (!told && !operation.input.is_list()) return state;
  Registers registers = parse(state);
  Registers absent;  // what this operation found in registers that nobody wrote: nil or 0
  for (const history::Value step : pool.items_of(told ? operation.output : operation.input)) {
    const auto items = pool.items_of(step);
    const std::string name = pool.describe(items[1]);
    if (pool.text_of(items[0]).starts_with('w')) {
      registers[name] = pool.describe(items[2]);
      if (items[2].is_nil()) registers.erase(name);
    } else if (told && items.size() == 3 && !items[2].is_none()) {
      const auto found = registers.find(name);
      const std::string read = pool.describe(items[2]);
      if (found != registers.end()) {
        if (found->second != read) return std::nullopt;
        continue;
      }
      if (read != "nil" && read != "0") return std::nullopt;
      if (absent.try_emplace(name, read).first->second != read) return std::nullopt;
    }
  }
  return print(registers);
}

}  // namespace sunder::test
