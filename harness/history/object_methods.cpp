#include "harness/history/object_methods.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace sunder::history {
namespace {

enum class Role : std::uint8_t { put, take, look };

struct Word {
  std::string_view name;
  Role role;
};

constexpr std::array kWords{
    Word{"add", Role::put},
    Word{"deq", Role::take},
    Word{"dequeue", Role::take},
    Word{"enq", Role::put},
    Word{"enqueue", Role::put},
    Word{"front", Role::look},
    Word{"insert", Role::put},
    Word{"offer", Role::put},
    Word{"peek", Role::look},
    Word{"poll", Role::take},
    Word{"pop", Role::take},
    Word{"push", Role::put},
    Word{"remove", Role::take},
    Word{"top", Role::look},
};

std::string lower(std::string_view name) {
  std::string text(name);
  std::ranges::transform(
      text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

Function function_in(ObjectType type, Role role) noexcept {
  if (role == Role::look) return Function::peek;
  const bool puts = role == Role::put;
  if (type == ObjectType::stack) return puts ? Function::push : Function::pop;
  if (type == ObjectType::priority_queue) return puts ? Function::insert : Function::poll;
  return puts ? Function::enqueue : Function::dequeue;
}

Method set_method(const std::string& name) {
  if (name == "insert") return {Function::add, {}};
  if (name == "contains_true") return {Function::contains, true};
  if (name == "contains_false") return {Function::contains, false};
  return {function_of(name), {}};
}

// What tools write for a truth.
Value truth_of(const ValuePool& pool, Value value) {
  if (value.is_integer()) return Value::boolean(value.raw() != 0);
  if (value.is_text() && pool.text_of(value) == "true") return Value::boolean(true);
  if (value.is_text() && pool.text_of(value) == "false") return Value::boolean(false);
  return value;
}

}  // namespace

ObjectType object_type_of(std::string_view name) {
  const std::string text = lower(name);
  const auto has = [&](std::string_view part) { return text.find(part) != std::string::npos; };
  if (has("priority") || has("pqueue") || has("heap")) return ObjectType::priority_queue;
  if (has("deque")) return ObjectType::other;
  if (has("queue")) return ObjectType::queue;
  if (has("stack")) return ObjectType::stack;
  if (has("register") || has("rmw")) return ObjectType::cell;
  if (has("set")) return ObjectType::set;
  return ObjectType::other;
}

Method method_of(ObjectType type, std::string_view name) {
  const std::string word = lower(name);
  if (type == ObjectType::set) return set_method(word);
  if (type == ObjectType::cell && word == "read_modify_write") return {Function::cas, {}};
  if (type == ObjectType::cell || type == ObjectType::other) return {function_of(word), {}};
  const auto found = std::ranges::find(kWords, word, &Word::name);
  return {found == kWords.end() ? function_of(word) : function_in(type, found->role), {}};
}

bool takes_out(Function function) noexcept {
  return function == Function::dequeue || function == Function::pop || function == Function::poll ||
         function == Function::peek;
}

void set_values(ValuePool& pool, Operation& operation, std::span<const Value> values) {
  if (values.empty()) return;
  if (takes_out(operation.function) || operation.function == Function::read) {
    operation.output = values.front();
    return;
  }
  if (operation.function == Function::cas && values.size() >= 2) {
    operation.input = pool.list({values[0], values[1]});
    return;
  }
  operation.input = values.front();
  if (values.size() > 1) operation.output = truth_of(pool, values[1]);
}

}  // namespace sunder::history
