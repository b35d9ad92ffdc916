// Kernel modules of the guest: which ones sunder wants, in an order in which they can be loaded.
//
// There is no kmod: modules.dep is read, and the files go to the kernel as they are.

#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.hpp"

namespace sunder::uml {

// What the harness and its faults use.
[[nodiscard]] std::span<const std::string_view> wanted_modules();

// Files of `wanted` and of everything they need, relative to modules.dep, each after what it needs.
// A name that modules.dep does not know is built into the kernel, or missing: left out.
[[nodiscard]] std::vector<std::string> load_order(std::string_view modules_dep,
                                                  std::span<const std::string_view> wanted);

// Loads them into the running kernel, from the directory that holds modules.dep. One sentence for
// each that could not be loaded.
[[nodiscard]] Result<std::vector<std::string>> load_modules(const std::filesystem::path& directory);

}  // namespace sunder::uml
