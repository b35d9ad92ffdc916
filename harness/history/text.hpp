// The text forms of a history: our JSONL, Jepsen's EDN, porcupine's logs; one entry point that
// detects which it is.
//
// Errors are Errc::unreadable_input with file, line, column and what was expected:
// "history.jsonl:12:8: expected …". Formats and their traps are described in docs/histories.md.

#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "harness/base/error.hpp"
#include "harness/history/history.hpp"
#include "harness/history/run_context.hpp"

namespace sunder::history {

enum class Format { automatic, jsonl, edn, porcupine_log, porcupine_kv };

[[nodiscard]] std::string_view name_of(Format format) noexcept;

struct ReadHistory {
  History history;
  Format format = Format::automatic;  // which one it was; never `automatic` afterwards
};

// `source` names the text in errors. An empty text is an empty history.
[[nodiscard]] Result<ReadHistory> read_history(std::string_view text,
                                               std::string_view source,
                                               Format format = Format::automatic);

// A file, or standard input for "-". A truncated last line without a newline (a run that died) is
// left out.
[[nodiscard]] Result<ReadHistory> read_history_file(const std::filesystem::path& path,
                                                    Format format = Format::automatic);

// Whether an ok completion's "value" repeats the input ("write", "cas", …) rather than giving the
// output.
[[nodiscard]] bool repeats_input(Function function) noexcept;

// One event as a line of history.jsonl, with its newline. `position` is the event's index in the
// file.
[[nodiscard]] std::string invoke_line(std::int64_t position,
                                      const ValuePool& pool,
                                      const Operation& operation);
[[nodiscard]] std::string completion_line(std::int64_t position,
                                          const ValuePool& pool,
                                          const Operation& operation);
// The whole history in order of its events.
[[nodiscard]] std::string to_jsonl(const History& history);

// Lines of faults.jsonl and events.jsonl, with their newlines, and their readers.
[[nodiscard]] std::string fault_line(const FaultRecord& fault);
[[nodiscard]] std::string event_line(const NodeEvent& event);
[[nodiscard]] Result<std::vector<FaultRecord>> read_faults(std::string_view text,
                                                           std::string_view source);
[[nodiscard]] Result<std::vector<NodeEvent>> read_events(std::string_view text,
                                                         std::string_view source);
// RunContext without faults and events, as one JSON document: context.json in a run's directory.
[[nodiscard]] std::string context_to_json(const RunContext& context);
[[nodiscard]] Result<RunContext> read_context(std::string_view text, std::string_view source);

}  // namespace sunder::history
