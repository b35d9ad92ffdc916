// Plain commands: what every RESP server answers by itself, Redis' own tools among those who ask.
//
// PING, ECHO, QUIT, SELECT 0, COMMAND, CLIENT and CONFIG GET: none of them needs the node's state.
//
// Threading: pure but for the answer.

#pragma once

#include <string>
#include <vector>

#include "nodes/host/resp_server.hpp"

namespace sunder::nodes::host {

// "get" → "GET"; other bytes than letters stay.
[[nodiscard]] std::string upper(std::string text);

// Answers the command when it is one of those; false: it is not. Precondition: the command's name
// is in upper case.
[[nodiscard]] bool answer_plain_command(const std::vector<std::string>& arguments,
                                        const ReplySlot& slot);

}  // namespace sunder::nodes::host
