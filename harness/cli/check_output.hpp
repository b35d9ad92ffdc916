// What `sunder check` says of one history: text for people, JSON for programs.
//
// Threading: pure functions.

#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "checkers/checker.hpp"
#include "harness/history/text.hpp"

namespace sunder::cli {

struct Checked {
  std::string file;
  history::ReadHistory read;
  checkers::AutomaticChoice choice;
  checkers::Verdict verdict;
};

// "register", "list-append/serializable".
[[nodiscard]] std::string name_of(const checkers::ModelChoice& choice);

[[nodiscard]] std::string to_text(const Checked& checked);
// `page`: the picture's file; may be empty.
[[nodiscard]] boost::json::object to_json(const Checked& checked, std::string_view page);
[[nodiscard]] boost::json::object error_to_json(std::string_view file, const Error& error);

}  // namespace sunder::cli
