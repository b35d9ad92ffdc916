// Where this program lies.

#include "harness/cli/command.hpp"

namespace sunder::cli {

std::filesystem::path program_path() {
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::filesystem::path("sunder") : path;
}

std::filesystem::path program_directory() {
  return program_path().parent_path();
}

}  // namespace sunder::cli
