// Valid reads: every value that was read had been written to that key, by a write that had begun.
//
// The least that any register owes, however stale it may be. A write that definitely failed wrote
// nothing; one of unknown outcome may have written. A key's first value is nil.
//
// Exercised: at least `reads_min` (100) reads of a value.

#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "checkers/findings.hpp"
#include "checkers/key_split.hpp"
#include "checkers/outcomes.hpp"
#include "checkers/phrase.hpp"
#include "checkers/read_sources.hpp"

namespace sunder::checkers {

CheckerInfo valid_reads_info();

namespace {

using history::History;
using history::Operation;

constexpr double kReads_min = 100;

class ValidReads {
 public:
  explicit ValidReads(const History& history) : history_(history), findings_(history) {}

  Verdict run(const CheckOptions& options, const std::stop_token& stop) {
    for (const KeyOperations& key : split_by_key(history_)) {
      if (stop.stop_requested()) {
        Verdict stopped;
        stopped.summary = "stopped before every key was looked at";
        return stopped;
      }
      judge(key);
    }
    findings_.measure("reads of a value", static_cast<double>(reads_), "operations");
    Verdict verdict = findings_.finish(
        fmt::format("all of {} reads found a value that was written to their key", reads_),
        "no read found a value");
    const auto wanted = static_cast<std::size_t>(parameter(options, "reads_min", kReads_min));
    if (verdict.kind != VerdictKind::broken && reads_ < wanted) {
      verdict.kind = VerdictKind::not_exercised;
      verdict.summary = fmt::format("only {} reads found a value; {} are needed", reads_, wanted);
    }
    return verdict;
  }

 private:
  void judge(const KeyOperations& key) {
    const ReadSources sources(history_, key);
    for (const std::uint32_t i : sources.reads()) {
      const Operation& read = history_.operations()[i];
      if (read.output.is_nil()) continue;
      ++reads_;
      findings_.observed();
      const auto [begun, later] = sources.of(read);
      if (begun.empty()) report(key, i, later.empty() ? nullptr : &later.front());
    }
  }

  void report(const KeyOperations& key, std::uint32_t read, const std::uint32_t* writer) {
    const Operation& operation = history_.operations()[read];
    findings_.add("invented value", key, operation.output, [&] {
      std::vector<Counterexample::Item> core{{read, true, "finds what nobody wrote there"}};
      if (writer != nullptr) core.push_back({*writer, true, "began only afterwards"});
      return example_of(
          "invented value",
          fmt::format("{}, {}",
                      statement(history_, operation),
                      writer == nullptr ? "which no write of this key that may have happened wrote"
                                        : "and had ended before the write of it began"),
          std::move(core));
    });
  }

  const History& history_;
  Findings findings_;
  std::size_t reads_ = 0;
};

Verdict check_valid_reads(const History& history,
                          const CheckOptions& options,
                          std::stop_token stop) {
  return ValidReads(history).run(options, stop);
}

}  // namespace

CheckerInfo valid_reads_info() {
  return {.name = "valid-reads",
          .summary = "Every value that was read had been written to that key.",
          .check = check_valid_reads};
}

}  // namespace sunder::checkers
