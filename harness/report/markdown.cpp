// Markdown: summary.md, for a CI's job page. Stays under GitHub's limit of 1 MiB by leaving out the
// end, and says so.

#include <fmt/format.h>

#include "harness/report/coverage.hpp"
#include "harness/report/escape.hpp"
#include "harness/report/report.hpp"
#include "harness/report/summary.hpp"
#include "harness/report/timeline.hpp"

namespace sunder::report {
namespace {

using checkers::VerdictKind;

constexpr std::size_t kBytesMax = 1'000'000;
constexpr std::size_t kTextBytesMax = 4'000;  // of one sentence from outside
constexpr std::size_t kFaultRowsMax = 200;
constexpr std::size_t kItemsMax = 40;

std::string cell(std::string_view text) {
  const bool whole = text.size() <= kTextBytesMax;
  return escape_markdown(prefix_of(text, kTextBytesMax)) + (whole ? "" : "…");
}

std::string_view mark_of(VerdictKind kind) noexcept {
  switch (kind) {
    case VerdictKind::kept:
      return "✅";
    case VerdictKind::broken:
      return "❌";
    case VerdictKind::undetermined:
      return "❓";
    case VerdictKind::not_exercised:
      return "⭕";
    case VerdictKind::not_applicable:
      return "➖";
  }
  return "❓";
}

// Cuts what is too long at the end of a line.
std::string bounded(std::string text) {
  if (text.size() <= kBytesMax) return text;
  std::string_view kept = prefix_of(text, kBytesMax);
  kept = kept.substr(0, kept.rfind('\n') + 1);
  return std::string(kept) + "\n*The rest is left out here: see report.html and report.json.*\n";
}

// A code span around text that may hold backquotes.
std::string code(std::string_view text) {
  std::string line;
  for (const char c : printable(prefix_of(text, kTextBytesMax)))
    line += c == '`' ? '\'' : c == '\n' ? ' ' : c;
  return "`" + line + "`";
}

void add_promises(std::string& out, const RunReport& report) {
  out += "\n| | promise | verdict | found |\n|---|---|---|---|\n";
  for (const PromiseResult& promise : report.promises) {
    out += fmt::format("| {} | {} | {} | {} |\n",
                       promise.price ? "💰" : mark_of(promise.verdict.kind),
                       cell(promise.name),
                       verdict_name(promise),
                       cell(promise.verdict.summary));
  }
}

void add_counterexamples(std::string& out,
                         const RunReport& report,
                         const history::History& history) {
  for (const PromiseResult& promise : report.promises) {
    if (promise.verdict.counterexamples.empty()) continue;
    const auto& first = promise.verdict.counterexamples.front();
    out += fmt::format(
        "\n## {}: {}\n\n{}\n\n", cell(promise.name), cell(first.title), cell(first.why));
    std::size_t shown = 0;
    for (const auto& item : first.items) {
      if (!item.core || item.operation >= history.operations().size() || ++shown > kItemsMax)
        continue;
      const auto& operation = history.operations()[item.operation];
      out += fmt::format(
          "- p{} {} – {}: {}{}{}\n",
          operation.process,
          time_text(operation.invoke_time),
          operation.outcome == history::Outcome::info ? "?" : time_text(operation.complete_time),
          code(history.describe(operation)),
          item.note.empty() ? "" : " ",
          cell(item.note));
    }
    if (shown > kItemsMax) out += fmt::format("- … and {} more\n", shown - kItemsMax);
  }
}

void add_faults(std::string& out, const RunReport& report) {
  if (report.context.faults.empty()) return;
  out += "\n## Faults\n\n| at | fault | bit | evidence |\n|---|---|---|---|\n";
  std::size_t rows = 0;
  for (const auto& fault : report.context.faults) {
    if (++rows > kFaultRowsMax) break;
    std::string evidence;
    for (const auto& item : fault.evidence)
      evidence += (evidence.empty() ? "" : ", ") + evidence_text(item);
    if (!fault.exercised && !fault.reason.empty())
      evidence += (evidence.empty() ? "" : "; ") + fault.reason;
    out += fmt::format("| {} | {} | {} | {} |\n",
                       time_text(fault.active.begin),
                       cell(fault.description),
                       fault.exercised     ? "yes"
                       : took_place(fault) ? "**no**"
                                           : "skipped",
                       cell(evidence));
  }
  const std::size_t count = report.context.faults.size();
  if (count > kFaultRowsMax)
    out += fmt::format("\n{} more are in report.json.\n", count - kFaultRowsMax);
}

}  // namespace

std::string render_markdown(const RunReport& report, const history::History& history) {
  const std::string_view result = result_of(report);
  const OperationTable operations = count_operations(history, report.context);
  std::string out = fmt::format("# sunder: {} seed {}: {}\n\n{}\n",
                                cell(report.scenario),
                                report.seed,
                                result,
                                meaning_of(result));
  if (!report.harness_error.empty())
    out += fmt::format("\n> **Harness:** {}\n", cell(report.harness_error));
  if (report.partial) out += "\n> **Partial:** the run was interrupted.\n";
  if (!report.sabotage.empty()) out += fmt::format("\n> **Sabotage:** {}\n", cell(report.sabotage));
  add_promises(out, report);
  out += fmt::format(
      "\n{} operations: {} ok, {} fail, {} info; latency p50 {}, p99 {}.\n\nReplay: {}\n",
      operations.all.total(),
      operations.all.ok,
      operations.all.fail,
      operations.all.info,
      latency_text(operations.all.p50),
      latency_text(operations.all.p99),
      code(report.replay));
  add_counterexamples(out, report, history);
  for (const auto& [fault, reason] : report.skipped) {
    out += fmt::format("\nSkipped: {}: {}\n", cell(fault), cell(reason));
  }
  for (const CampaignTable& table : {family_table(report), event_table(report, false)}) {
    if (!table.rows.empty()) out += "\n" + render_table_markdown(table);
  }
  add_faults(out, report);
  return bounded(std::move(out));
}

std::string render_campaign_markdown(const CampaignReport& campaign) {
  std::size_t unexpected = 0;
  std::string tables;
  for (const CampaignTable& table : campaign.tables) tables += render_table_markdown(table);
  std::string rows;
  for (const CampaignRow& row : campaign.rows) {
    if (!row.as_expected) ++unexpected;
    rows += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n",
                        row.as_expected ? "✅" : "❌",
                        cell(row.title),
                        cell(row.scenario),
                        row.seed,
                        cell(row.sabotage),
                        cell(row.expected),
                        cell(row.actual));
  }
  return bounded(
      fmt::format("# sunder campaign: {}: {} of {} runs as expected\n\n{}"
                  "| | run | scenario | seed | sabotage | expected | actual |\n"
                  "|---|---|---|---|---|---|---|\n{}",
                  cell(campaign.name),
                  campaign.rows.size() - unexpected,
                  campaign.rows.size(),
                  tables,
                  rows));
}

}  // namespace sunder::report
