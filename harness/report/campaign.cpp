// Campaign: one page that lists many runs, what was expected of each and what came of it.

#include <algorithm>

#include <fmt/format.h>

#include "harness/report/assets.hpp"
#include "harness/report/escape.hpp"
#include "harness/report/figures.hpp"
#include "harness/report/page.hpp"
#include "harness/report/report.hpp"
#include "harness/report/summary.hpp"

namespace sunder::report {
namespace {

// Only links that stay in the campaign's directory: never a scheme that runs something.
bool is_relative(std::string_view link) noexcept {
  return !link.empty() && link.find(':') == std::string_view::npos && !link.starts_with("//");
}

std::string row_html(const CampaignRow& row) {
  const std::string title = escape_markup(row.title);
  const std::string linked =
      is_relative(row.link) ? fmt::format("<a href=\"{}\">{}</a>", escape_markup(row.link), title)
                            : title;
  const std::string sabotage =
      row.sabotage.empty()
          ? ""
          : fmt::format("<span class=\"chip sabotage\">{}</span>", escape_markup(row.sabotage));
  return fmt::format(
      "<tr><td><span class=\"badge {}\"><svg aria-hidden=\"true\"><use "
      "href=\"#mark-{}\"/></svg>{}</span></td>"
      "<td><b>{}</b><br><code>{}</code></td><td>{}</td><td "
      "class=\"number\">{}</td><td>{}</td><td>{}</td><td>{}</td>"
      "<td class=\"number\">{:.1f} s</td></tr>\n",
      row.as_expected ? "kept" : "broken",
      row.as_expected ? "kept" : "broken",
      row.as_expected ? "as expected" : "unexpected",
      linked,
      escape_markup(row.directory),
      escape_markup(row.scenario),
      row.seed,
      sabotage,
      escape_markup(row.expected),
      escape_markup(row.actual),
      static_cast<double>(row.duration_ns) / 1e9);
}

}  // namespace

std::string render_campaign_html(const CampaignReport& campaign) {
  std::string rows;
  for (const CampaignRow& row : campaign.rows) rows += row_html(row);
  const auto expected = std::ranges::count(campaign.rows, true, &CampaignRow::as_expected);
  const bool harness = campaign.exit_code >= 3;
  const std::string_view look = harness                   ? "harness-failed"
                                : campaign.exit_code == 0 ? "kept"
                                                          : "broken";
  const std::string header = fmt::format(
      "<div class=\"title\"><h1>{}</h1><p class=\"facts\">started {} · sunder {}</p></div>\n"
      "<div class=\"result\"><span class=\"badge {}\"><svg aria-hidden=\"true\"><use "
      "href=\"#mark-{}\"/></svg>{} of {}</span>"
      "<p>exit {}. Runs that ended as the campaign expects.</p></div>\n",
      escape_markup(campaign.name),
      escape_markup(campaign.started),
      escape_markup(campaign.version),
      look,
      look,
      expected,
      campaign.rows.size(),
      campaign.exit_code);
  const std::string title = escape_markup(campaign.name);
  std::string tables;
  for (const CampaignTable& table : campaign.tables) tables += render_table_html(table);
  tables += figures_html(campaign.figures);
  return fill(assets::kCampaignHtml,
              {{"title", title},
               {"css", assets::kReportCss},
               {"marks", assets::kMarksSvg},
               {"header", header},
               {"tables", tables},
               {"rows", rows}});
}

}  // namespace sunder::report
