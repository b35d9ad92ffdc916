// User-Mode Linux: runs a command under a kernel of its own on the files of this host, as an
// ordinary user and without KVM.
//
//   outer process ── universe ──► init ──► runner ──► linux.uml ── its PID 1 (guest.hpp) ──►
//   command
//
// The kernel runs in a universe (harness/cluster), so that the death of any of these processes
// leaves nothing: no process, and no file either, since the guest's memory and our meeting place
// are in a tmpfs of that universe. The command has the caller's arguments, directory, environment
// and output streams; SIGINT and SIGTERM reach it. Debian's package user-mode-linux has the kernel
// and its modules.
//
// Threading: call before any thread or io_context exists. Errors: Errc::unsupported when there is
// no such kernel or no universe; a kernel that does not boot or breaks is Errc::failed with what it
// said last.

#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/error.hpp"

namespace sunder::uml {

// Of the guest, in MiB. Pages are taken from the host as they are used.
constexpr std::size_t kMemoryDefault = 1024;
constexpr std::size_t kMemoryMin = 128;
constexpr std::size_t kMemoryMax = 64 * 1024;

struct MachineOptions {
  std::vector<std::string> command;  // [0] is an absolute path
  std::filesystem::path program;     // this program, whose mode `uml-init` is the guest's init
  std::size_t memory = kMemoryDefault;
  bool interactive = false;  // the command gets our terminal as its standard input
};

// The kernel that would be used.
struct Kernel {
  std::filesystem::path program;  // linux.uml
  std::string version;            // "6.1.176"
  std::filesystem::path modules;  // the directory that holds modules.dep
};

// Errc::unsupported names the package to install.
[[nodiscard]] Result<Kernel> find_kernel();

// The command's exit status (128 + N for signal N).
[[nodiscard]] Result<int> run_under_uml(const MachineOptions& options);

}  // namespace sunder::uml
