// GuestOrder: what the outside tells the guest's init to run, as a file that both can reach.
//
// Texts may hold any byte but NUL (an environment has newlines), so fields are separated by NUL.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.hpp"

namespace sunder::uml {

// Where outside and guest meet: a private tmpfs that the outside mounts over /sys in its own mount
// namespace, and that the guest sees through its root until it mounts its own /sys.
constexpr const char* kMeetingPlace = "/sys";
constexpr const char* kOrderFile = "order";
constexpr const char* kExitFile = "exit";

// Serial lines of the guest; each is a pipe outside.
enum class Line { control = 0, output = 1, error = 2, terminal = 3 };

// Bytes on the control line. To the guest: signals for the command. From it: the init runs.
constexpr char kInterrupt = 'i';
constexpr char kTerminate = 't';
constexpr char kUp = 'u';

// Size of a terminal; rows 0: it is none.
struct TerminalSize {
  std::uint16_t rows = 0;
  std::uint16_t columns = 0;
};

struct GuestOrder {
  std::vector<std::string> command;      // [0] is an absolute path
  std::vector<std::string> environment;  // "NAME=value"
  std::string directory;
  TerminalSize output;  // of the caller's standard output, error and (interactive only) input
  TerminalSize error;
  TerminalSize input;
  std::uint64_t files_max = 1024;  // RLIMIT_NOFILE
  std::uint32_t mask = 022;        // umask

  friend bool operator==(const GuestOrder& left, const GuestOrder& right) noexcept;
};

[[nodiscard]] std::string to_text(const GuestOrder& order);
[[nodiscard]] Result<GuestOrder> read_order(std::string_view text);

}  // namespace sunder::uml
