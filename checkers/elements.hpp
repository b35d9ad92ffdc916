// Elements: the additions of a set and the reads of the whole of it, sorted by element.
//
// Definite failures added nothing; an addition of unknown outcome may take effect at any later
// moment, or never. Adding an element again changes nothing, so that all its additions together
// are one that takes effect between the first start and the first acknowledged end.
//
// Threading: pure functions.

#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "checkers/findings.hpp"
#include "checkers/key_split.hpp"
#include "harness/history/history.hpp"

namespace sunder::checkers {

inline constexpr std::uint32_t kNothing = std::numeric_limits<std::uint32_t>::max();

struct Element {
  history::Value value;
  std::uint32_t first = kNothing;         // the first addition that may have taken effect
  std::uint32_t acknowledged = kNothing;  // the one that was acknowledged first
  std::uint32_t failed = kNothing;        // the first that definitely failed
  std::int64_t start = history::kNever;   // of `first`; kNever: every addition failed
  std::int64_t end = history::kNever;     // of `acknowledged`

  // Whether an addition of it had begun by then.
  [[nodiscard]] bool may_be_seen_by(std::int64_t stamp) const noexcept {
    return first != kNothing && start <= stamp;
  }
};

// An acknowledged read with a known result.
struct WholeRead {
  std::uint32_t operation = 0;
  std::uint32_t begin = 0;  // its elements are Elements::members[begin, end), each once
  std::uint32_t end = 0;
};

// A read that shows a value it should not.
struct OddValue {
  std::uint32_t read = 0;  // the operation
  history::Value value;
};

struct Elements {
  std::vector<Element> elements;  // in order of their first addition
  std::vector<WholeRead> reads;   // in order of invocation
  std::vector<std::uint32_t> members;
  std::vector<OddValue> strangers;  // read, but nobody ever tried to add it
  std::vector<OddValue> repeats;    // more than once in one read

  [[nodiscard]] std::span<const std::uint32_t> members_of(const WholeRead& read) const {
    return std::span(members).subspan(read.begin, read.end - read.begin);
  }
};

// The functions add and read, with a list or nil (nothing in it) as what was read.
[[nodiscard]] bool is_element_operation(const history::History& history,
                                        const history::Operation& operation);

// `addition` adds one element, whatever a model calls that. Precondition: the others are reads of
// the whole, as is_element_operation() knows them.
[[nodiscard]] Elements gather_elements(const history::History& history,
                                       const KeyOperations& key,
                                       history::Function addition = history::Function::add);

// Whether the history is one of a set that was read as a whole.
[[nodiscard]] bool holds_elements(const history::History& history);

// Why a read cannot show an element: nobody had begun to add it, or every addition failed.
[[nodiscard]] Counterexample impossible_element(const history::History& history,
                                                const Element& element,
                                                std::uint32_t read);
// A read that does not show an element although its addition was over before.
[[nodiscard]] Counterexample missing_element(const history::History& history,
                                             const Element& element,
                                             std::uint32_t read,
                                             std::string_view title);
// "unexpected": a read shows a value that nobody ever added.
void report_stranger(const history::History& history,
                     const KeyOperations& key,
                     const OddValue& stranger,
                     Findings& findings);

// "duplicated": a read shows an element more than once.
void report_repeat(const history::History& history,
                   const KeyOperations& key,
                   const OddValue& repeat,
                   Findings& findings);

}  // namespace sunder::checkers
