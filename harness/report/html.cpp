// HTML: report.html, one file that opens without a network, and the page of a bare history's
// verdict.

#include <algorithm>

#include <fmt/format.h>

#include "harness/report/assets.hpp"
#include "harness/report/coverage.hpp"
#include "harness/report/escape.hpp"
#include "harness/report/figures.hpp"
#include "harness/report/page.hpp"
#include "harness/report/picture.hpp"
#include "harness/report/report.hpp"
#include "harness/report/summary.hpp"

namespace sunder::report {
namespace {

using checkers::VerdictKind;
using history::History;

constexpr std::size_t kFaultRowsMax = 500;

std::string header_html(const RunReport& report) {
  const std::string_view result = result_of(report);
  std::string out = fmt::format(
      "<div class=\"title\"><h1>{}</h1><p class=\"facts\">seed <b>{}</b> · started {} · sunder {} "
      "· "
      "<code>{}</code></p></div>\n"
      "<div class=\"result\">{}<p>exit {}. {}</p></div>\n",
      escape_markup(report.scenario),
      report.seed,
      escape_markup(report.started),
      escape_markup(report.version),
      escape_markup(report.directory),
      verdict_badge(result),
      report.exit_code,
      meaning_of(result));
  if (!report.replay.empty()) {
    out += fmt::format(
        "<p class=\"replay\"><span>replay</span><code id=\"replay\">{}</code>"
        "<button type=\"button\" id=\"copy\">copy</button></p>\n",
        escape_markup(report.replay));
  }
  return out;
}

std::string banners_html(const RunReport& report) {
  std::string out;
  const auto add = [&](std::string_view kind, std::string_view title, std::string_view text) {
    out +=
        fmt::format("<p class=\"banner {}\"><b>{}</b> {}</p>\n", kind, title, escape_markup(text));
  };
  if (!report.harness_error.empty()) add("bad", "The harness failed.", report.harness_error);
  if (report.partial)
    add("warn",
        "Partial.",
        "The run was interrupted: verdicts cover what was recorded until then.");
  if (!report.sabotage.empty()) {
    add("sabotage",
        "Sabotage is on:",
        report.sabotage + " – a deliberate bug, so a broken promise is what should be found.");
  }
  if (!report.context.host_overload.empty())
    add("warn", "Host overloaded.", report.context.host_overload);
  if (report.context.dropped_events > 0) {
    add("warn",
        "Node events were lost:",
        fmt::format("{}; the leader lane may have gaps.", report.context.dropped_events));
  }
  return out;
}

// What is behind a verdict, folded away until asked for.
std::string evidence_html(const PromiseResult& promise) {
  std::string out;
  const auto& verdict = promise.verdict;
  if (!verdict.measurements.empty() || !verdict.details.empty()) {
    out += fmt::format("<details><summary>evidence</summary><p>{}</p>",
                       evidence_chips(verdict.measurements));
    if (!verdict.details.empty()) {
      out += "<ul>";
      for (const std::string& detail : verdict.details)
        out += fmt::format("<li>{}</li>", escape_markup(detail));
      out += "</ul>";
    }
    out += "</details>";
  }
  return out;
}

std::string promises_html(const RunReport& report) {
  std::string out;
  std::size_t picture = 0;
  for (const PromiseResult& promise : report.promises) {
    std::string links;
    const std::size_t all = promise.verdict.counterexamples.size();
    const std::size_t drawn = std::min(all, kPicturesPerPromiseMax);
    if (all > 0) {
      links = fmt::format(" <a href=\"#picture-{}\">see the counter-example{} ↓</a>",
                          picture,
                          all == 1 ? "" : fmt::format(" (first of {})", all));
    }
    picture += drawn;
    std::string claim = fmt::format("<b>{}</b>", escape_markup(promise.name));
    const auto add = [&](std::string_view kind, const std::string& text) {
      if (text.empty()) return;
      claim += fmt::format("<p class=\"{}\">{}</p>", kind, escape_markup(text));
    };
    add("sentence", promise.sentence);
    add("condition", promise.condition);
    add("source", promise.source);
    out += fmt::format("<tr class=\"{}\"><td>{}</td><td>{}</td><td><p>{}{}</p>{}</td></tr>\n",
                       verdict_name(promise) == "not applicable" ? "idle" : "",
                       verdict_badge(verdict_name(promise)),
                       claim,
                       escape_markup(promise.verdict.summary),
                       links,
                       evidence_html(promise));
  }
  if (report.promises.empty()) out = "<tr><td colspan=\"3\">No promise was judged.</td></tr>";
  return out;
}

std::string counterexamples_html(const RunReport& report, const History& history) {
  std::string out;
  std::size_t picture = 0;
  for (const PromiseResult& promise : report.promises) {
    const auto& all = promise.verdict.counterexamples;
    for (std::size_t i = 0; i < std::min(all.size(), kPicturesPerPromiseMax); ++i) {
      out += counterexample_html(history, all[i], picture++);
    }
    if (all.size() > kPicturesPerPromiseMax) {
      out += fmt::format("<p class=\"cut\">{}: {} more counter-examples are not drawn.</p>",
                         escape_markup(promise.name),
                         all.size() - kPicturesPerPromiseMax);
    }
  }
  if (out.empty()) return out;
  return "<section id=\"counterexamples\"><h2>What cannot all be true</h2>\n" + out +
         "</section>\n";
}

std::string_view bite_html(const history::FaultRecord& fault) {
  if (!took_place(fault)) return "<span class=\"no\">– skipped</span>";
  return fault.exercised ? "<span class=\"yes\">✓ bit</span>"
                         : "<span class=\"no\">○ did not bite</span>";
}

std::string faults_html(const RunReport& report) {
  std::string out;
  std::size_t rows = 0;
  for (const auto& fault : report.context.faults) {
    if (++rows > kFaultRowsMax) break;
    const std::int64_t installed = fault.applying.end - fault.applying.begin;
    const std::int64_t lasted = std::max<std::int64_t>(0, fault.active.end - fault.active.begin);
    const bool placed = took_place(fault);
    out += fmt::format(
        "<tr><td class=\"number\">{}</td><td>{}</td><td class=\"number\">{}</td><td "
        "class=\"number\">{}</td>"
        "<td>{}</td><td>{}{}</td></tr>\n",
        placed ? time_text(fault.active.begin) : "–",
        escape_markup(fault.description),
        placed && fault.active.end != history::kNever ? time_text(lasted) : "–",
        placed && installed > 0 ? latency_text(installed) : "–",
        bite_html(fault),
        evidence_chips(fault.evidence),
        fault.exercised ? "" : escape_markup(fault.reason));
  }
  if (out.empty()) return "<p class=\"none\">No fault was applied.</p>";
  const std::string more =
      rows <= kFaultRowsMax ? ""
                            : fmt::format("<p class=\"cut\">{} more faults are in report.json.</p>",
                                          report.context.faults.size() - kFaultRowsMax);
  return fmt::format(
      "<table><thead><tr><th class=\"number\">from</th><th>fault</th><th "
      "class=\"number\">lasted</th>"
      "<th class=\"number\">installed in</th><th>exercised</th><th>evidence</th></tr></thead>\n"
      "<tbody>{}</tbody></table>{}",
      out,
      more);
}

std::string coverage_html(const RunReport& report) {
  std::string out;
  for (const FamilyCoverage& family : coverage_of(report)) {
    std::string state = fmt::format("{} of {} bit", family.exercised, family.applied);
    if (family.applied == 0) state = "never applied";
    if (!family.skipped.empty()) state = "skipped: " + escape_markup(family.skipped);
    const bool good = family.exercised > 0 && family.skipped.empty();
    out += fmt::format("<span class=\"chip {}\">{} <b>{}</b></span> ",
                       good ? "good" : "doubtful",
                       escape_markup(family.family),
                       state);
  }
  return out.empty() ? out : fmt::format("<p class=\"coverage\">{}</p>\n", out);
}

// The two coverage tables.
std::string coverage_tables_html(const RunReport& report) {
  std::string out;
  for (const CampaignTable& table : {family_table(report), event_table(report, false)}) {
    if (!table.rows.empty()) out += render_table_html(table);
  }
  return out;
}

std::string operation_row(const OperationRow& row, std::string_view kind) {
  const std::uint64_t total = row.total();
  const std::string share =
      total == 0 ? "–"
                 : fmt::format("{:.2f} %",
                               100.0 * static_cast<double>(row.ok) / static_cast<double>(total));
  return fmt::format(
      "<tr class=\"{}\"><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td>"
      "<td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td>"
      "<td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>\n",
      kind,
      escape_markup(row.name),
      number_text(static_cast<double>(row.ok)),
      number_text(static_cast<double>(row.fail)),
      number_text(static_cast<double>(row.info)),
      share,
      latency_text(row.p50),
      latency_text(row.p95),
      latency_text(row.p99),
      latency_text(row.maximum));
}

std::string operations_html(const OperationTable& table) {
  std::string out = operation_row(table.all, "all");
  for (const OperationRow& row : table.functions) out += operation_row(row, "function");
  for (const OperationRow& row : table.phases) out += operation_row(row, "phase");
  return out;
}

// The verdicts about availability and recovery carry their measurements per phase and side; shown
// unfolded.
std::string availability_html(const RunReport& report) {
  std::string out;
  for (const PromiseResult& promise : report.promises) {
    const bool about = promise.checker.find("availab") != std::string::npos ||
                       promise.checker.find("recover") != std::string::npos;
    const bool known = !promise.verdict.details.empty() || !promise.verdict.measurements.empty();
    if (!about || !known) continue;
    out += fmt::format("<h3>{}</h3><p>{}</p><ul>",
                       escape_markup(promise.name),
                       evidence_chips(promise.verdict.measurements));
    for (const std::string& detail : promise.verdict.details)
      out += fmt::format("<li>{}</li>", escape_markup(detail));
    out += "</ul>";
  }
  return out;
}

std::string pairs_html(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string out;
  for (const auto& [name, value] : pairs) {
    out += fmt::format("<dt>{}</dt><dd>{}</dd>", escape_markup(name), escape_markup(value));
  }
  return out.empty() ? "<p class=\"none\">Nothing recorded.</p>" : fmt::format("<dl>{}</dl>", out);
}

std::string skipped_html(const RunReport& report) {
  if (report.skipped.empty()) return {};
  return "<section><h2>Skipped on this machine</h2>" + pairs_html(report.skipped) + "</section>";
}

std::string timeline_html(const RunReport& report, const History& history) {
  const bool timed = std::ranges::any_of(
      history.operations(), [](const auto& operation) { return operation.invoke_time >= 0; });
  if (!timed && report.context.faults.empty())
    return "<p class=\"none\">The history has no times.</p>";
  return "<div id=\"timeline\"></div>";
}

// The part below the verdicts: what happened in a run.
std::string run_sections(const RunReport& report, const History& history) {
  return fmt::format(
      "<section><h2>Time-line</h2>{}</section>\n{}{}"
      "<section id=\"faults\"><h2>Faults</h2>{}{}</section>\n{}"
      "<section><h2>Operations</h2><table><thead><tr><th></th><th class=\"number\">ok</th>"
      "<th class=\"number\">fail</th><th class=\"number\">info</th><th class=\"number\">ok "
      "share</th>"
      "<th class=\"number\">p50</th><th class=\"number\">p95</th><th class=\"number\">p99</th>"
      "<th class=\"number\">max</th></tr></thead><tbody>{}</tbody></table>{}</section>\n"
      "{}<section "
      "class=\"columns\"><div><h2>Inputs</h2>{}</div><div><h2>Host</h2>{}</div></section>\n",
      timeline_html(report, history),
      counterexamples_html(report, history),
      figures_html(report),
      coverage_html(report),
      faults_html(report),
      coverage_tables_html(report),
      operations_html(count_operations(history, report.context)),
      availability_html(report),
      skipped_html(report),
      pairs_html(report.inputs),
      pairs_html(report.host));
}

std::string frame(std::string_view title,
                  std::string_view header,
                  std::string_view promises,
                  std::string_view sections,
                  std::string_view data,
                  std::string_view chart) {
  const std::string escaped_title = escape_markup(title);
  return fill(assets::kReportHtml,
              {{"title", escaped_title},
               {"css", assets::kReportCss},
               {"marks", assets::kMarksSvg},
               {"header", header},
               {"promises", promises},
               {"sections", sections},
               {"data", data},
               {"chart", chart},
               {"timeline", assets::kTimelineJs},
               {"picture", assets::kPictureJs}});
}

}  // namespace

std::string render_html(const RunReport& report, const History& history) {
  return frame(fmt::format("{} seed {}: {}", report.scenario, report.seed, result_of(report)),
               header_html(report) + banners_html(report),
               promises_html(report),
               run_sections(report, history),
               page_data(report, history),
               assets::kChartJs);
}

std::string render_counterexample_html(const History& history,
                                       const checkers::Verdict& verdict,
                                       std::string_view title,
                                       std::string_view judged_as) {
  RunReport report;
  PromiseResult& promise = report.promises.emplace_back();
  promise.name = title;
  promise.sentence = fmt::format("judged as {}", judged_as);
  promise.verdict = verdict;
  const std::string_view kind = name_of(verdict.kind);
  const std::string header = fmt::format(
      "<div class=\"title\"><h1>{}</h1><p class=\"facts\">{} operations</p></div>\n<div "
      "class=\"result\">{}</div>\n",
      escape_markup(title),
      number_text(static_cast<double>(history.operations().size())),
      verdict_badge(kind));
  return frame(fmt::format("{}: {}", title, kind),
               header,
               promises_html(report),
               counterexamples_html(report, history) + figures_html(report),
               page_data(report, history),
               {});
}

}  // namespace sunder::report
