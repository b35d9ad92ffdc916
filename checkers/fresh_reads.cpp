// Fresh reads: a read that began after a write was acknowledged never finds anything older.
//
// The regular register of Lamport (On Interprocess Communication, 1986) for several writers (Shao,
// Welch, Pierce & Lee, Multiwriter Consistency Conditions for Shared Memory Registers, 2011,
// MWR-weak
// ): what quorums of replicas with R + W > N give. A read is stale when the write that it read had
// ended before the invocation of another that was acknowledged before the read began. Writes of
// unknown outcome never end, so a read of one is never stale; two reads may see two concurrent
// writes in different orders, which a linearizable register forbids.
//
// How stale reads are is measured as Bailis et al. do (Probabilistically Bounded Staleness, VLDB
// 2012): the share of stale reads by the time since the newest acknowledged write, and how many
// versions they were behind.
//
// Exercised: at least `reads_min` (100) reads began after an acknowledged write of their key, and
// when faults were asked for at least `reads_under_fault_min` (20) of them while one that bit
// stood. O(n log n) and the versions behind.

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "checkers/findings.hpp"
#include "checkers/key_split.hpp"
#include "checkers/outcomes.hpp"
#include "checkers/phrase.hpp"
#include "checkers/read_sources.hpp"

namespace sunder::checkers {

CheckerInfo fresh_reads_info();

namespace {

using history::History;
using history::Operation;
using history::Outcome;

constexpr double kReads_min = 100;
constexpr double kReads_under_fault_min = 20;
constexpr std::size_t kCounterexamples_max = 5;
constexpr std::int64_t kBeforeEverything = -1;

// Ages of the newest acknowledged write, in milliseconds: each bucket begins where the last ends.
constexpr std::array<std::int64_t, 9> kAges_ms{0, 1, 3, 10, 30, 100, 300, 1000, 3000};

struct Share {
  std::size_t reads = 0;
  std::size_t stale = 0;
};

// The acknowledged writes of one key.
class Writes {
 public:
  Writes(const History& history, const ReadSources& sources) : history_(&history) {
    for (const std::uint32_t i : sources.writes()) {
      if (at(i).outcome == Outcome::ok) by_end_.push_back(i);
    }
    std::ranges::sort(by_end_, {}, [&](std::uint32_t i) { return at(i).complete; });
    for (const std::uint32_t i : by_end_) {
      const bool later = latest_.empty() || at(i).invoke > at(latest_.back()).invoke;
      latest_.push_back(later ? i : latest_.back());
    }
  }

  // Of those that had ended before the read began, the one that began last; kNothing: there is
  // none.
  [[nodiscard]] std::uint32_t newest_before(const Operation& read) const {
    const std::size_t count = ended_before(read.invoke);
    return count == 0 ? kNothing : latest_[count - 1];
  }

  // How many lie wholly between.
  [[nodiscard]] std::size_t between(std::int64_t end, const Operation& read) const {
    std::size_t count = 0;
    for (std::size_t i = ended_before(read.invoke); i > 0; --i) {
      const Operation& write = at(by_end_[i - 1]);
      if (write.complete <= end) break;
      if (write.invoke > end) ++count;
    }
    return count;
  }

  static constexpr std::uint32_t kNothing = 0xffffffff;

 private:
  [[nodiscard]] const Operation& at(std::uint32_t index) const {
    return history_->operations()[index];
  }

  [[nodiscard]] std::size_t ended_before(std::int64_t stamp) const {
    const auto end = std::ranges::lower_bound(
        by_end_, stamp, {}, [&](std::uint32_t i) { return at(i).complete; });
    return static_cast<std::size_t>(end - by_end_.begin());
  }

  const History* history_;
  std::vector<std::uint32_t> by_end_;  // acknowledged
  std::vector<std::uint32_t> latest_;  // of by_end_ up to here, the one that began last
};

class FreshReads {
 public:
  FreshReads(const History& history, const CheckOptions& options)
      : history_(history), options_(options) {}

  Verdict run(const std::stop_token& stop) {
    for (const KeyOperations& key : split_by_key(history_)) {
      if (stop.stop_requested()) break;
      judge(key);
    }
    decide(stop.stop_requested());
    draw();
    return std::move(verdict_);
  }

 private:
  void judge(const KeyOperations& key) {
    const ReadSources sources(history_, key);
    const Writes writes(history_, sources);
    for (const std::uint32_t read : sources.reads()) judge(key, sources, writes, read);
  }

  // When the write of the value that a read found was over, at the latest, and which that was;
  // none: nobody wrote it, or it may never be over.
  [[nodiscard]] std::optional<std::int64_t> end_of(const ReadSources& sources,
                                                   const Operation& read,
                                                   std::uint32_t& writer) const {
    if (read.output.is_nil()) return kBeforeEverything;
    std::optional<std::int64_t> end;
    for (const std::uint32_t i : sources.of(read).begun) {
      const Operation& write = history_.operations()[i];
      if (write.outcome != Outcome::ok) return std::nullopt;
      if (end && *end >= write.complete) continue;
      end = write.complete;
      writer = i;
    }
    return end;
  }

  void judge(const KeyOperations& key,
             const ReadSources& sources,
             const Writes& writes,
             std::uint32_t index) {
    const Operation& read = history_.operations()[index];
    const std::uint32_t newest = writes.newest_before(read);
    if (newest == Writes::kNothing) return;
    ++reads_;
    if (is_under_fault(read)) ++under_fault_;
    const Operation& missed = history_.operations()[newest];
    Share& share = shares_[age_of(missed, read)];
    ++share.reads;
    std::uint32_t writer = Writes::kNothing;
    const auto end = end_of(sources, read, writer);
    if (!end || *end >= missed.invoke) return;
    ++share.stale;
    ++stale_;
    ++behind_[std::min<std::size_t>(writes.between(*end, read), kBehind_max)];
    if (is_timed(read) && is_timed(missed)) {
      lags_.push_back(read.invoke_time - end_time(missed));
    }
    if (verdict_.counterexamples.size() < kCounterexamples_max) explain(key, index, writer, newest);
  }

  [[nodiscard]] bool is_under_fault(const Operation& read) const {
    if (options_.context == nullptr || !is_timed(read)) return false;
    const history::Window window{read.invoke_time, end_time(read) + 1};
    return std::ranges::any_of(options_.context->faults, [&](const history::FaultRecord& fault) {
      return fault.exercised && fault.active.overlaps(window);
    });
  }

  static std::size_t age_of(const Operation& write, const Operation& read) {
    if (!is_timed(write) || !is_timed(read)) return 0;
    const std::int64_t age_ms = (read.invoke_time - end_time(write)) / 1'000'000;
    const auto above = std::ranges::upper_bound(kAges_ms, age_ms);
    return above == kAges_ms.begin() ? 0 : static_cast<std::size_t>(above - kAges_ms.begin()) - 1;
  }

  void explain(const KeyOperations& key,
               std::uint32_t read,
               std::uint32_t writer,
               std::uint32_t newest) {
    const auto& operations = history_.operations();
    std::vector<Counterexample::Item> core{{newest, true, "acknowledged before the read began"},
                                           {read, true, "finds something older"}};
    if (writer != Writes::kNothing) core.push_back({writer, true, "over before that write began"});
    Counterexample example = example_of(
        "stale read",
        fmt::format("{} although {} had been acknowledged {}, and {}",
                    statement(history_, operations[read]),
                    phrase(history_, operations[newest]),
                    lead(operations[newest], operations[read]),
                    writer == Writes::kNothing
                        ? std::string("it is what was there before any write")
                        : phrase(history_, operations[writer]) + " was over before that began"),
        std::move(core));
    example.first_error = read;
    add_context(example, history_, key);
    verdict_.counterexamples.push_back(std::move(example));
  }

  void decide(bool stopped) {
    const auto wanted = static_cast<std::size_t>(parameter(options_, "reads_min", kReads_min));
    const auto wanted_under_fault = static_cast<std::size_t>(
        parameter(options_, "reads_under_fault_min", kReads_under_fault_min));
    const bool asked_for_faults = options_.context != nullptr && !options_.context->faults.empty();
    if (stopped) {
      verdict_.summary = "stopped before every key was looked at";
    } else if (stale_ > 0) {
      verdict_.kind = VerdictKind::broken;
      verdict_.summary =
          fmt::format("{} of {} reads that began after an acknowledged write found something older",
                      stale_,
                      reads_);
    } else if (reads_ < wanted) {
      verdict_.kind = VerdictKind::not_exercised;
      verdict_.summary = fmt::format(
          "only {} reads began after an acknowledged write; {} are needed", reads_, wanted);
    } else if (asked_for_faults && under_fault_ < wanted_under_fault) {
      verdict_.kind = VerdictKind::not_exercised;
      verdict_.summary =
          fmt::format("only {} of {} reads were under a fault that bit; {} are needed",
                      under_fault_,
                      reads_,
                      wanted_under_fault);
    } else {
      verdict_.kind = VerdictKind::kept;
      verdict_.summary = fmt::format(
          "none of {} reads ({} under a fault) found anything older than a write acknowledged "
          "before",
          reads_,
          under_fault_);
    }
    std::ranges::sort(lags_);
    verdict_.measurements = {
        {"reads judged", static_cast<double>(reads_), "operations"},
        {"stale reads", static_cast<double>(stale_), "operations"},
        {"staleness p50", static_cast<double>(quantile_of(lags_, 0.5)) / 1e6, "ms"},
        {"staleness p99", static_cast<double>(quantile_of(lags_, 0.99)) / 1e6, "ms"},
        {"staleness max", lags_.empty() ? 0 : static_cast<double>(lags_.back()) / 1e6, "ms"}};
  }

  void draw() {
    if (stale_ == 0) return;
    Lines lines{.across = "milliseconds since the newest write was acknowledged (bucket's begin)",
                .up = "share of reads that are stale",
                .series = {{.name = "stale", .points = {}, .mark = Mark::bad}}};
    for (const auto& [age, share] : shares_) {
      lines.series.front().points.emplace_back(
          static_cast<double>(kAges_ms.at(age)),
          static_cast<double>(share.stale) / static_cast<double>(share.reads));
    }
    verdict_.figures.push_back({.section = "Staleness",
                                .title = "How likely a read is stale, by the age of what it misses",
                                .note = "Probabilistically bounded staleness, as measured.",
                                .body = std::move(lines)});
    Bars bars{.unit = "reads", .bars = {}};
    for (const auto& [count, reads] : behind_) {
      bars.bars.push_back({.label = count == kBehind_max ? fmt::format("{} or more", count)
                                                         : fmt::format("{}", count),
                           .value = static_cast<double>(reads),
                           .mark = Mark::bad});
    }
    verdict_.figures.push_back({.section = "Staleness",
                                .title = "How many acknowledged versions stale reads were behind",
                                .note = {},
                                .body = std::move(bars)});
  }

  static constexpr std::size_t kBehind_max = 20;

  const History& history_;
  const CheckOptions& options_;
  Verdict verdict_;
  std::size_t reads_ = 0;
  std::size_t under_fault_ = 0;
  std::size_t stale_ = 0;
  std::map<std::size_t, Share> shares_;        // by age
  std::map<std::size_t, std::size_t> behind_;  // versions → reads
  std::vector<std::int64_t> lags_;
};

Verdict check_fresh_reads(const History& history,
                          const CheckOptions& options,
                          std::stop_token stop) {
  return FreshReads(history, options).run(stop);
}

}  // namespace

CheckerInfo fresh_reads_info() {
  return {.name = "fresh-reads",
          .summary = "No read that began after a write was acknowledged finds anything older.",
          .check = check_fresh_reads};
}

}  // namespace sunder::checkers
