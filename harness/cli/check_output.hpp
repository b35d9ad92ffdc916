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
  bool placed = false;  // every level of the model was judged: the verdict is of none of them
};

// What was written beside the verdict; empty: nothing.
struct Files {
  std::string page;
  std::string graph;
};

// "register", "list-append/serializable", "list-append" when it was placed; "none" when there was
// nothing to choose by.
[[nodiscard]] std::string model_name(const Checked& checked);

[[nodiscard]] std::string to_text(const Checked& checked, const Files& files);
[[nodiscard]] boost::json::object to_json(const Checked& checked, const Files& files);
[[nodiscard]] boost::json::object error_to_json(std::string_view file, const Error& error);

}  // namespace sunder::cli
