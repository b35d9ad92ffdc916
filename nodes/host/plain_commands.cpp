#include "nodes/host/plain_commands.hpp"

#include <algorithm>

namespace sunder::nodes::host {
namespace {

using wire::RespValue;

// redis-benchmark asks for two settings and wants values.
RespValue config(const std::vector<std::string>& arguments) {
  if (arguments.size() != 3 || upper(arguments[1]) != "GET") {
    return RespValue::error("ERR CONFIG GET <name> is the only form");
  }
  const std::string value = arguments[2] == "appendonly" ? "yes" : "";
  return RespValue::array({RespValue::bulk(arguments[2]), RespValue::bulk(value)});
}

}  // namespace

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return text;
}

bool answer_plain_command(const std::vector<std::string>& arguments, const ReplySlot& slot) {
  const std::string& name = arguments.front();
  if (name == "PING") {
    slot.answer(arguments.size() > 1 ? RespValue::bulk(arguments[1]) : RespValue::simple("PONG"));
  } else if (name == "ECHO" && arguments.size() == 2) {
    slot.answer(RespValue::bulk(arguments[1]));
  } else if (name == "QUIT") {
    slot.answer_and_close(RespValue::simple("OK"));
  } else if (name == "SELECT" && arguments.size() == 2) {
    slot.answer(arguments[1] == "0" ? RespValue::simple("OK")
                                    : RespValue::error("ERR there is one database, 0"));
  } else if (name == "COMMAND") {
    slot.answer(RespValue::array({}));
  } else if (name == "CLIENT") {
    slot.answer(RespValue::simple("OK"));
  } else if (name == "CONFIG") {
    slot.answer(config(arguments));
  } else {
    return false;
  }
  return true;
}

}  // namespace sunder::nodes::host
