// Picture: the few operations of a counter-example that are drawn, with their places on an axis.
//
// The axis is time when every operation drawn has times, otherwise the order of events. At most
// kPictureItemsMax operations are drawn: the core first, then the context nearest to it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "checkers/verdict.hpp"
#include "harness/history/history.hpp"

namespace sunder::report {

constexpr std::size_t kPictureItemsMax = 400;
constexpr std::size_t kPicturesPerPromiseMax = 5;

struct PictureItem {
  std::size_t operation = 0;         // index into the history
  std::int64_t begin = 0;            // nanoseconds, or a rank in the order of events
  std::optional<std::int64_t> end;   // none: for ever open (info)
  std::optional<std::int64_t> seen;  // info: when the client gave up, if known
  bool core = false;
  bool first_error = false;
  std::string note;
  std::string label;  // "write 7", "read → 5"
};

struct Picture {
  bool timed = false;
  std::vector<PictureItem> items;  // in order of invocation
  std::size_t left_out = 0;        // items of the counter-example that are not drawn
};

[[nodiscard]] Picture draw(const history::History& history,
                           const checkers::Counterexample& counterexample);

// "read → 5": what an operation did, without its key.
[[nodiscard]] std::string label_of(const history::History& history,
                                   const history::Operation& operation);

}  // namespace sunder::report
