// Decides small histories of logs with offsets by the words of the anomalies: the oracle of the
// kafka checker. Values are compared as texts, every pair is looked at.

#pragma once

#include "harness/history/history.hpp"

namespace sunder::test {

[[nodiscard]] bool kafka_delivered(const history::History& history);
[[nodiscard]] bool kafka_ordered(const history::History& history);
[[nodiscard]] bool kafka_log(const history::History& history);

}  // namespace sunder::test
