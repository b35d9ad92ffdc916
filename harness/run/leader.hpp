// LeaderTracker: who leads, from what the nodes tell.
//
// The node that became leader with the highest term, until it says that it follows again, or is
// known to be down.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "harness/history/run_context.hpp"

namespace sunder::run {

class LeaderTracker {
 public:
  // Node names are "n1"…; index 0 is n1.
  void note(const history::NodeEvent& event);
  [[nodiscard]] std::optional<std::size_t> leader() const;

 private:
  struct Claim {
    std::int64_t term = -1;
    bool leads = false;
  };

  std::map<std::string, Claim> claims_;
};

}  // namespace sunder::run
