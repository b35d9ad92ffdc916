// Verdict: what a checker says of a promise, with the evidence and the counter-examples that a
// reader can follow.
//
// The one structure that text, HTML, JSON and JUnit are rendered from. The report may include this
// file and nothing else of checkers/.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/history/run_context.hpp"

namespace sunder::checkers {

enum class VerdictKind : std::uint8_t { kept, broken, undetermined, not_exercised, not_applicable };

// "kept", "broken", "undetermined", "not exercised", "not applicable".
[[nodiscard]] std::string_view name_of(VerdictKind kind) noexcept;

// The operations that cannot all be right, and one sentence why. Indices are into
// History::operations().
struct Counterexample {
  struct Item {
    std::size_t operation = 0;
    bool core = false;  // one of the few that contradict each other; the others are context
    std::string note;   // "the lost write", "reads the older value", …
  };

  std::string title;            // "stale read", "lost write", "not linearizable"
  std::string why;              // one sentence that names operations, values and times
  std::string key;              // empty: the only object
  std::vector<Item> items;      // in order of invocation
  std::size_t first_error = 0;  // the operation at which the history became impossible
};

struct Verdict {
  VerdictKind kind = VerdictKind::undetermined;
  std::string summary;  // one sentence: what was decided, over how much, or why it could not be
  std::vector<std::string> details;  // further findings, one sentence each
  // Numbers behind it: operations checked, latencies, …
  std::vector<history::Evidence> measurements;
  std::vector<Counterexample> counterexamples;
};

// The worse of two when one promise is checked in parts: broken > undetermined > not exercised >
// kept > not applicable.
[[nodiscard]] VerdictKind worse(VerdictKind a, VerdictKind b) noexcept;

}  // namespace sunder::checkers
