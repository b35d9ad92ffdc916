// FaultPage: docs/faults.md, the catalogue of every fault family, from the families' own rows.
//
// Threading: pure functions.

#pragma once

#include <string>

namespace sunder::cli {

[[nodiscard]] std::string fault_page();

}  // namespace sunder::cli
