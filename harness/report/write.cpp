// Writing: the rendered outputs into a run's or a campaign's directory.

#include "harness/base/file.hpp"
#include "harness/report/report.hpp"

namespace sunder::report {

Result<void> write_reports(const RunReport& report,
                           const history::History& history,
                           const std::filesystem::path& directory) {
  SUNDER_TRY(base::write_file(directory / "report.json", render_json(report, history)));
  SUNDER_TRY(base::write_file(directory / "junit.xml", render_junit(report, history)));
  SUNDER_TRY(base::write_file(directory / "summary.md", render_markdown(report, history)));
  return base::write_file(directory / "report.html", render_html(report, history));
}

Result<void> write_campaign(const CampaignReport& campaign,
                            const std::filesystem::path& directory) {
  SUNDER_TRY(base::write_file(directory / "junit.xml", render_campaign_junit(campaign)));
  SUNDER_TRY(base::write_file(directory / "summary.md", render_campaign_markdown(campaign)));
  return base::write_file(directory / "campaign.html", render_campaign_html(campaign));
}

}  // namespace sunder::report
