// Library: where libsunder_clock.so lies, and whether it does what it is for on this machine.
//
// Threading: any. Errors are sentences for `sunder doctor`.

#pragma once

#include <filesystem>
#include <string>

#include "harness/base/error.hpp"

namespace sunder::clock_shim {

// Beside this program, or in a folder above it (where a build has its tests). Errc::unsupported.
[[nodiscard]] Result<std::filesystem::path> find_library();

// Preloads it into date(1) and looks for the shifted time: empty when it is there, else what was
// seen. Starts one process and waits for it.
[[nodiscard]] std::string probe_library(const std::filesystem::path& library);

}  // namespace sunder::clock_shim
