// Terminal: the promise table a run ends with, at most 100 columns wide, readable without colour.

#include <algorithm>

#include <fmt/format.h>

#include "harness/report/coverage.hpp"
#include "harness/report/escape.hpp"
#include "harness/report/report.hpp"
#include "harness/report/summary.hpp"

namespace sunder::report {
namespace {

using checkers::VerdictKind;

constexpr std::size_t kColumns = 100;
constexpr std::size_t kVerdictColumns = 14;  // "not applicable"
constexpr std::size_t kNameColumnsMax = 30;
constexpr std::size_t kTextBytesMax = 2'000;

struct Look {
  std::string_view mark;
  std::string_view colour;
};

constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kRed = "\x1b[1;31m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kPlain = "\x1b[0m";

Look look_of(VerdictKind kind) noexcept {
  switch (kind) {
    case VerdictKind::kept:
      return {"✓", kGreen};
    case VerdictKind::broken:
      return {"✗", kRed};
    case VerdictKind::undetermined:
      return {"?", kYellow};
    case VerdictKind::not_exercised:
      return {"○", kYellow};
    case VerdictKind::not_applicable:
      return {"–", kDim};
  }
  return {"?", kYellow};
}

std::string coloured(std::string_view text, std::string_view colour, bool enabled) {
  return enabled ? fmt::format("{}{}{}", colour, text, kPlain) : std::string(text);
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  });
  return out;
}

std::string padded(std::string_view text, std::size_t columns) {
  const std::size_t width = column_count(text);
  return std::string(text) + std::string(width < columns ? columns - width : 0, ' ');
}

// The longest prefix of at most `columns` characters, cut at a space when there is one.
std::string_view line_of(std::string_view text, std::size_t columns) noexcept {
  if (column_count(text) <= columns) return text;
  std::size_t end = 0;
  std::size_t seen = 0;
  for (; end < text.size(); ++end) {
    const bool starts = (static_cast<unsigned char>(text[end]) & 0xC0U) != 0x80U;
    if (starts && seen++ == columns) break;
  }
  const std::size_t space = text.substr(0, end + 1).rfind(' ');
  return text.substr(0, space == std::string_view::npos || space == 0 ? end : space);
}

// Lines of `first` + text, the following ones indented as far as `first` is wide.
std::string wrapped(const std::string& first, std::size_t indent, std::string_view raw) {
  std::string text = printable(prefix_of(raw, kTextBytesMax));
  std::ranges::replace(text, '\n', ' ');
  std::ranges::replace(text, '\t', ' ');
  std::string_view rest = text;
  std::string out = first;
  do {
    const std::string_view line = line_of(rest, kColumns - indent);
    out += std::string(line) + "\n";
    rest.remove_prefix(line.size());
    while (rest.starts_with(' ')) rest.remove_prefix(1);
    if (!rest.empty()) out += std::string(indent, ' ');
  } while (!rest.empty());
  return out;
}

std::string name_of_promise(const PromiseResult& promise) {
  return std::string(line_of(printable(promise.name), kNameColumnsMax));
}

void add_table(std::string& out, const RunReport& report, bool colour) {
  std::size_t name_columns = 0;
  for (const PromiseResult& promise : report.promises) {
    name_columns = std::max(name_columns, column_count(name_of_promise(promise)));
  }
  const std::size_t indent = 2 + 2 + kVerdictColumns + 2 + name_columns + 2;
  for (const PromiseResult& promise : report.promises) {
    const Look look = promise.price ? Look{"¤", kYellow} : look_of(promise.verdict.kind);
    const std::string verdict = fmt::format("{} {}", look.mark, verdict_name(promise));
    const std::string first =
        fmt::format("  {}  {}  ",
                    coloured(padded(verdict, 2 + kVerdictColumns), look.colour, colour),
                    padded(name_of_promise(promise), name_columns));
    out += wrapped(first, indent, promise.verdict.summary);
  }
}

void add_reasons(std::string& out, const RunReport& report, bool colour) {
  for (const PromiseResult& promise : report.promises) {
    if (promise.verdict.kind != VerdictKind::broken || promise.verdict.counterexamples.empty())
      continue;
    const auto& first = promise.verdict.counterexamples.front();
    const std::string title = fmt::format("{}: {}", name_of_promise(promise), first.title);
    out += "\n" + coloured(wrapped("  ", 2, title), kRed, colour) + wrapped("    ", 4, first.why);
  }
}

}  // namespace

std::string render_terminal(const RunReport& report, bool colour) {
  const std::string_view result = result_of(report);
  const std::string_view result_colour = result == "kept"     ? kGreen
                                         : result == "broken" ? kRed
                                                              : kYellow;
  std::string out = fmt::format("\n{} · seed {} · {} (exit {})\n",
                                printable(report.scenario),
                                report.seed,
                                coloured(upper(result), result_colour, colour),
                                report.exit_code);
  if (!report.sabotage.empty()) out += wrapped("  sabotage: ", 12, report.sabotage);
  if (!report.harness_error.empty()) out += wrapped("  harness: ", 11, report.harness_error);
  if (report.partial) out += "  partial: the run was interrupted\n";
  if (!report.context.host_overload.empty())
    out += wrapped("  host: ", 8, report.context.host_overload);
  out += "\n";
  add_table(out, report, colour);
  add_reasons(out, report, colour);
  if (const CampaignTable events = event_table(report, true); !events.rows.empty()) {
    out += "\n" + wrapped("  ", 2, events.title);
    CampaignTable bare = events;
    bare.title.clear();
    bare.note.clear();
    out += render_table_terminal(bare) + "\n" + wrapped("  ", 2, events.note);
  }
  for (const auto& [fault, reason] : report.skipped) {
    out += wrapped("  skipped: ", 11, fmt::format("{}: {}", fault, reason));
  }
  // Paths and commands are not wrapped: they are copied.
  out += fmt::format("\n  report  {}/report.html\n  replay  {}\n",
                     printable(report.directory),
                     printable(report.replay));
  return out;
}

std::string render_campaign_terminal(const CampaignReport& campaign, bool colour) {
  std::string out =
      fmt::format("\ncampaign {} (exit {})\n\n", printable(campaign.name), campaign.exit_code);
  for (const CampaignTable& table : campaign.tables) out += render_table_terminal(table) + "\n";
  std::size_t expected = 0;
  for (const CampaignRow& row : campaign.rows) {
    if (row.as_expected) ++expected;
    const std::string mark =
        coloured(row.as_expected ? "✓" : "✗", row.as_expected ? kGreen : kRed, colour);
    const std::string what = row.as_expected
                                 ? fmt::format("{}, as expected", row.actual)
                                 : fmt::format("{}, but {} was expected", row.actual, row.expected);
    const std::string sabotage =
        row.sabotage.empty() ? "" : fmt::format(" --sabotage {}", row.sabotage);
    out += wrapped(
        fmt::format("  {} ", mark),
        4,
        fmt::format("{} ({} seed {}{}): {}", row.title, row.scenario, row.seed, sabotage, what));
    out += fmt::format("    {}/report.html\n", printable(row.directory));
  }
  out += fmt::format("\n  {} of {} runs as expected\n", expected, campaign.rows.size());
  return out;
}

}  // namespace sunder::report
