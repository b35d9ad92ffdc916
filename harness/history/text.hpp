// The forms of a history that sunder reads, ours and other tools'; one entry point that detects
// which it is.
//
// Errors are Errc::unreadable_input with file, line, column and what was expected:
// "history.jsonl:12:8: expected …"; of a binary form, the byte. Formats and their traps are
// described in docs/histories.md.

#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/history/history.hpp"
#include "harness/history/run_context.hpp"

namespace sunder::history {

enum class Format {
  automatic,
  jsonl,           // ours: one event a line
  json,            // an array of Jepsen's maps with string keys, as elle-cli takes it
  edn,             // Jepsen's maps
  jepsen_history,  // Jepsen's history.txt
  jepsen_log,      // operations between other lines of jepsen.log
  porcupine_log,   // porcupine's etcd logs
  porcupine_kv,    // EDN with keys and texts
  awdit,           // AWDIT's transactions
  plume,           // those of Plume, IsoVista and PolySI
  dbcop,           // dbcop's bincode
  object,          // calls and returns of one object: LiMo, Violin
  intervals,       // calls with start and end: fptlin, fastlin, PolyLin
};

[[nodiscard]] std::string_view name_of(Format format) noexcept;
// By its name; nothing when there is none of that name.
[[nodiscard]] std::optional<Format> find_format(std::string_view name) noexcept;
// "jsonl, json, …", for messages.
[[nodiscard]] std::string format_names();

struct ReadHistory {
  History history;
  Format format = Format::automatic;  // which one it was; never `automatic` afterwards
  std::vector<std::string> remarks;   // sentences about the text, for whoever reads the verdict
};

// `source` names the text in errors. An empty text is an empty history.
[[nodiscard]] Result<ReadHistory> read_history(std::string_view text,
                                               std::string_view source,
                                               Format format = Format::automatic);

struct ReadOptions {
  Format format = Format::automatic;
  // Called now and then with the bytes read and those there are; empty: nobody wants to know.
  std::function<void(std::size_t read, std::size_t total)> progress;
};

// A file, or standard input for "-"; gzip is unpacked. A truncated last line without a newline (a
// run that died) is left out.
[[nodiscard]] Result<ReadHistory> read_history_file(const std::filesystem::path& path,
                                                    const ReadOptions& options = {});

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
[[nodiscard]] Result<EventLog> read_events(std::string_view text, std::string_view source);
// RunContext without faults and events, as one JSON document: context.json in a run's directory.
[[nodiscard]] std::string context_to_json(const RunContext& context);
[[nodiscard]] Result<RunContext> read_context(std::string_view text, std::string_view source);

}  // namespace sunder::history
