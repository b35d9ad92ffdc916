#include "workloads/mix.hpp"

#include <cstddef>

namespace sunder::workloads {

Mix::Mix(const std::map<std::string_view, double>& own,
         const std::map<std::string, double>& asked) {
  for (const auto& [name, weight] : own) {
    const auto found = asked.find(std::string(name));
    const double given = found == asked.end() ? 0 : found->second;
    functions_.emplace_back(name);
    weights_.push_back(asked.empty() ? weight : given);
  }
}

bool Mix::has(std::string_view function) const {
  for (std::size_t i = 0; i < functions_.size(); ++i) {
    if (functions_[i] == function) return weights_[i] > 0;
  }
  return false;
}

}  // namespace sunder::workloads
