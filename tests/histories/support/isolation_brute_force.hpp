// Decides the isolation of small histories of read–write transactions by trying every order: the
// oracle that the checkers are compared with.
//
// It tries every choice of which transactions of unknown outcome committed, which write each read
// saw, and every total order of the transactions, and asks the axioms of Biswas & Enea (OOPSLA
// 2019) as they are written. It shares no code with the checkers.

#pragma once

#include <string_view>

#include "harness/history/history.hpp"

namespace sunder::test {

// Whether transactions (lists of ["r" key value] and ["w" key value]) satisfy a level of the model
// txn-rw. Sessions are processes and keep their order. At most 8 transactions.
[[nodiscard]] bool brute_force_isolation(const history::History& history, std::string_view level);

}  // namespace sunder::test
