// DelayTable: the shape of random delays, as netem takes it: quantiles of a distribution of mean 0
// and standard deviation 1.
//
// netem draws an entry at random, multiplies it by the jitter and adds the delay; 8192 stands for
// one jitter. The formulas are those of iproute2's generators (normal.c, pareto.c, paretonormal.c),
// and a file in its .dist format gives any other shape.
//
// Threading: immutable once made; the built-in ones are made once.

#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "harness/base/error.hpp"

namespace sunder::netlink {

// Never empty; null where there is none.
using DelayTable = std::shared_ptr<const std::vector<std::int16_t>>;

// One jitter in a table's entries.
constexpr int kDelay_table_unit = 8192;

// Evenly spread from one jitter below the delay to one above.
[[nodiscard]] DelayTable uniform_delays();
// The normal distribution, cut at four jitters.
[[nodiscard]] DelayTable normal_delays();
// Pareto with exponent 3: x = u^(-1/3), u uniform in (0, 1]; from two thirds of a jitter below the
// delay to four above it.
[[nodiscard]] DelayTable pareto_delays();
// A quarter normal, three quarters Pareto, quantile by quantile.
[[nodiscard]] DelayTable pareto_normal_delays();

// Reads iproute2's .dist format: whole numbers between spaces or newlines, `#` begins a comment.
// Errc::unreadable_input names the word, or says that there are none or too many.
[[nodiscard]] Result<DelayTable> parse_delay_table(std::string_view text);

}  // namespace sunder::netlink
