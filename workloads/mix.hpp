// Mix: the functions of a workload and how often each is drawn.
//
// Threading: immutable after construction; the randomness is the caller's.

#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/random.hpp"

namespace sunder::workloads {

class Mix {
 public:
  // Weights by function as asked for; empty: the workload's own. A function that was not asked for
  // is never drawn, and one that the workload does not have is ignored.
  Mix(const std::map<std::string_view, double>& own, const std::map<std::string, double>& asked);

  [[nodiscard]] const std::string& draw(base::Random& random) const {
    return functions_[random.weighted(weights_)];
  }

  [[nodiscard]] bool has(std::string_view function) const;

 private:
  std::vector<std::string> functions_;
  std::vector<double> weights_;  // of functions_
};

}  // namespace sunder::workloads
