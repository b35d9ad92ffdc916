// Events as text, and the cutting of batches at checkpoints.

#include "nodes/raft/event.hpp"

#include <cstddef>
#include <iterator>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "harness/base/assert.hpp"

namespace sunder::nodes::raft {

std::string hash_text(std::uint64_t hash) {
  return fmt::format("{:016x}", hash);
}

std::vector<Event> applied_events(std::span<const Entry> entries) {
  std::vector<Event> events;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    if (i > 0) SUNDER_ASSERT(entry.index == entries[i - 1].index + 1);
    if (i + 1 < entries.size() && entry.index % kCheckpointInterval != 0) continue;
    events.push_back({.name = "applied",
                      .numbers = {{"index", entry.index}, {"term", entry.term}},
                      .hash = entry.hash});
  }
  return events;
}

std::string describe(const Event& event) {
  std::string line(event.name);
  for (const auto& [name, value] : event.numbers) {
    fmt::format_to(std::back_inserter(line), " {}={}", name, value);
  }
  if (event.voters && event.name != "recovered") line += " voters=" + *event.voters;
  return line;
}

}  // namespace sunder::nodes::raft
