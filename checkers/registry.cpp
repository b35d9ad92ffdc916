// The tables of checkers and models, sorted by name; one row each.

#include <algorithm>
#include <array>
#include <exception>

#include <fmt/format.h>

#include "checkers/checker.hpp"

namespace sunder::checkers {

CheckerInfo linearizable_info();
CheckerInfo replicated_log_info();

std::span<const CheckerInfo> all_checkers() {
  static const std::array all{
      linearizable_info(),
      replicated_log_info(),
  };
  return all;
}

const CheckerInfo* find_checker(std::string_view name) {
  const std::span<const CheckerInfo> all = all_checkers();
  const auto found = std::ranges::find(all, name, &CheckerInfo::name);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace sunder::checkers
