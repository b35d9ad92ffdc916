#include "nodes/kv/state_machine.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "harness/base/assert.hpp"
#include "harness/wire/errors.hpp"

namespace sunder::nodes::kv {
namespace {

using wire::RespValue;

constexpr std::size_t kMany = std::numeric_limits<std::size_t>::max();

constexpr std::array kCommands{
    CommandInfo{
        .name = "APPEND", .kind = CommandKind::write, .arguments_min = 3, .arguments_max = 3},
    CommandInfo{.name = "CAS", .kind = CommandKind::write, .arguments_min = 4, .arguments_max = 4},
    CommandInfo{
        .name = "DEL", .kind = CommandKind::write, .arguments_min = 2, .arguments_max = kMany},
    CommandInfo{.name = "GET", .kind = CommandKind::read, .arguments_min = 2, .arguments_max = 2},
    CommandInfo{.name = "INCR", .kind = CommandKind::write, .arguments_min = 2, .arguments_max = 2},
    CommandInfo{
        .name = "LRANGE", .kind = CommandKind::read, .arguments_min = 4, .arguments_max = 4},
    CommandInfo{
        .name = "RPUSH", .kind = CommandKind::write, .arguments_min = 3, .arguments_max = kMany},
    CommandInfo{.name = "SET", .kind = CommandKind::write, .arguments_min = 3, .arguments_max = 3},
};

RespValue wrong_type() {
  return RespValue::error("WRONGTYPE the key holds another type of value");
}

RespValue not_an_integer() {
  return RespValue::error("ERR value is not an integer or out of range");
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::span<const CommandInfo> StateMachine::commands() const {
  return kCommands;
}

RespValue StateMachine::execute(const Arguments& command) {
  const std::string& name = command.front();
  if (name == "SET") return set(command);
  if (name == "DEL") return remove(command);
  if (name == "CAS") return compare_and_set(command);
  if (name == "INCR") return increment(command);
  if (name == "APPEND") return append(command);
  if (name == "RPUSH") return push(command);
  return read(command);
}

RespValue StateMachine::read(const Arguments& command) const {
  return command.front() == "GET" ? get(command) : range(command);
}

RespValue StateMachine::set(const Arguments& command) {
  items_.insert_or_assign(command[1], Value(command[2]));
  return RespValue::simple("OK");
}

RespValue StateMachine::remove(const Arguments& command) {
  std::int64_t removed = 0;
  for (std::size_t i = 1; i < command.size(); ++i) {
    removed += static_cast<std::int64_t>(items_.erase(command[i]));
  }
  return RespValue::number(removed);
}

RespValue StateMachine::compare_and_set(const Arguments& command) {
  const auto found = items_.find(command[1]);
  std::optional<std::string> actual;
  if (found != items_.end()) {
    if (!std::holds_alternative<std::string>(found->second)) return wrong_type();
    actual = std::get<std::string>(found->second);
  }
  const bool expects_absent = command[2] == wire::kNilMarker;
  const bool matches = expects_absent ? !actual.has_value() : actual == command[2];
  if (!matches) return RespValue::error(wire::cas_mismatch_text(actual));
  items_.insert_or_assign(command[1], Value(command[3]));
  return RespValue::simple("OK");
}

RespValue StateMachine::increment(const Arguments& command) {
  Value& value = items_.try_emplace(command[1], std::string("0")).first->second;
  auto* const text = std::get_if<std::string>(&value);
  if (text == nullptr) return wrong_type();
  const std::optional<std::int64_t> before = parse_integer(*text);
  if (!before || *before == std::numeric_limits<std::int64_t>::max()) return not_an_integer();
  *text = std::to_string(*before + 1);
  return RespValue::number(*before + 1);
}

RespValue StateMachine::append(const Arguments& command) {
  Value& value = items_.try_emplace(command[1], std::string()).first->second;
  auto* const text = std::get_if<std::string>(&value);
  if (text == nullptr) return wrong_type();
  text->append(command[2]);
  return RespValue::number(static_cast<std::int64_t>(text->size()));
}

RespValue StateMachine::push(const Arguments& command) {
  Value& value = items_.try_emplace(command[1], List()).first->second;
  auto* const list = std::get_if<List>(&value);
  if (list == nullptr) return wrong_type();
  list->insert(list->end(), command.begin() + 2, command.end());
  return RespValue::number(static_cast<std::int64_t>(list->size()));
}

RespValue StateMachine::get(const Arguments& command) const {
  const auto found = items_.find(command[1]);
  if (found == items_.end()) return RespValue::null();
  const auto* const text = std::get_if<std::string>(&found->second);
  return text == nullptr ? wrong_type() : RespValue::bulk(*text);
}

// Redis' rules: negative positions count from the end, positions outside are cut.
RespValue StateMachine::range(const Arguments& command) const {
  const std::optional<std::int64_t> first = parse_integer(command[2]);
  const std::optional<std::int64_t> last = parse_integer(command[3]);
  if (!first || !last) return not_an_integer();
  const auto found = items_.find(command[1]);
  if (found == items_.end()) return RespValue::array({});
  const auto* const list = std::get_if<List>(&found->second);
  if (list == nullptr) return wrong_type();
  const auto size = static_cast<std::int64_t>(list->size());
  const std::int64_t begin = std::max<std::int64_t>(0, *first < 0 ? *first + size : *first);
  const std::int64_t end = std::min(size - 1, *last < 0 ? *last + size : *last);
  std::vector<RespValue> items;
  for (std::int64_t i = begin; i <= end; ++i) {
    items.push_back(RespValue::bulk((*list)[static_cast<std::size_t>(i)]));
  }
  return RespValue::array(std::move(items));
}

std::string StateMachine::save() const {
  proto::State state;
  for (const auto& [key, value] : items_) {
    proto::State::Item& item = *state.add_items();
    item.set_key(key);
    if (const auto* const text = std::get_if<std::string>(&value)) {
      item.mutable_value()->set_text(*text);
    } else {
      item.mutable_value()->set_is_list(true);
      for (const std::string& element : std::get<List>(value))
        item.mutable_value()->add_items(element);
    }
  }
  return state.SerializeAsString();
}

Result<void> StateMachine::load(std::string_view bytes) {
  proto::State state;
  if (!state.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return base::make_error(Errc::failed, "the snapshot is not a state");
  }
  items_.clear();
  for (const proto::State::Item& item : state.items()) {
    const proto::Value& in = item.value();
    Value value =
        in.is_list() ? Value(List(in.items().begin(), in.items().end())) : Value(in.text());
    items_.emplace(item.key(), std::move(value));
  }
  return {};
}

std::vector<std::pair<std::string_view, std::size_t>> StateMachine::counts() const {
  return {{"keys", items_.size()}};
}

}  // namespace sunder::nodes::kv
