// Isolation levels as the sets of anomalies that they forbid, and the words of `sunder check` for
// them.
//
// Plain levels leave the order of a process alone, as Adya's and Elle's do; strong-session-…
// includes it, strong-… (and strict-serializable) also the order in real time. Causal consistency
// is about sessions and includes theirs. The name of an anomaly is a level too: nothing but that
// anomaly is forbidden.
//
// Threading: constants.

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkers/checker.hpp"
#include "checkers/elle/anomalies.hpp"

namespace sunder::checkers::elle {

struct IsolationLevel {
  std::string_view name;
  std::string_view summary;
  AnomalySet forbidden = 0;
};

// The strictest first: what is judged when no level is named.
[[nodiscard]] std::span<const IsolationLevel> isolation_levels() noexcept;

// The levels and the anomalies of `known`, as a model lists them.
[[nodiscard]] std::vector<LevelInfo> level_words(AnomalySet known);

// What a level or the name of an anomaly forbids. Precondition: it is one of level_words().
[[nodiscard]] AnomalySet forbidden_by(std::string_view word);

// The levels that an anomaly rules out, the weakest first: "snapshot-isolation, serializable".
[[nodiscard]] std::string ruled_out_by(Anomaly anomaly);

}  // namespace sunder::checkers::elle
