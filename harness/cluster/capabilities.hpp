// Capabilities: what this machine can do for sunder, each probed by doing it, with what is missing
// and how to get it.
//
// `sunder doctor` prints them and run.json records them. Probes that need a universe run in one of
// their own and leave nothing; the rest only looks.
//
// Threading: call before any thread or io_context exists, because of the universe.

#pragma once

#include <optional>
#include <string>
#include <vector>

namespace sunder::cluster {

struct Capability {
  std::string name{};     // "universe", "links", "netem", …
  std::string purpose{};  // what sunder does with it
  bool required = false;  // without it nothing runs
  bool works = false;
  std::string detail{};  // what was seen
  std::string remedy{};  // the command or setting that brings it; empty when it works
  // Whether User-Mode Linux has it, by the modules that lie there; unknown: only booting it says.
  std::optional<bool> under_uml{};
};

// In a fixed order, the required ones first. Works as root and as an ordinary user; takes less than
// a second.
[[nodiscard]] std::vector<Capability> probe_capabilities();

// Whether the running kernel is User-Mode Linux.
[[nodiscard]] bool is_user_mode_linux();

}  // namespace sunder::cluster
