// Parameters: the numbers that a model cannot tell from a history, such as how many permits a
// semaphore has.

#pragma once

#include <map>
#include <string>
#include <string_view>

namespace sunder::checkers {

// By name: {"permits", 3}.
using Parameters = std::map<std::string, double>;

// A number that a model takes.
struct ParameterInfo {
  std::string_view name;     // "permits"
  std::string_view summary;  // what it is, and what holds without it
  bool needed = false;       // the model says nothing without it
};

}  // namespace sunder::checkers
