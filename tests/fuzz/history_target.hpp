// What the fuzzers of the readers do with some bytes: read them as a form of a history, and use
// what comes out.

#pragma once

#include <cstddef>
#include <string_view>

namespace sunder::fuzz {

// Forms of histories first, then the files that a run writes beside its history.
[[nodiscard]] std::size_t target_count() noexcept;
// "automatic", "jsonl", …, "faults", "events", "context".
[[nodiscard]] std::string_view target_name(std::size_t target) noexcept;

// Reads `text` as target `target` and aborts when that breaks a rule of all readers: an error names
// its place; what was read can be written, and our own form read and written again is the same.
void feed(std::size_t target, std::string_view text);

}  // namespace sunder::fuzz
