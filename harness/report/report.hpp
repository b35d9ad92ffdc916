// Report: one run's history, faults and verdicts as HTML for a reader, JSON for programs, JUnit for
// CI, Markdown.
//
// Input is plain data (RunReport) and a History; output goes into the run's directory. report.html
// is self-contained: no network, Chart.js embedded at build time. All texts that came from outside
// are escaped. Every output is bounded, whatever the history's length: aggregates, and at most 400
// operations of each of a few counter-examples.
//
// Threading: pure functions. Errors: only the write_ functions, naming the file.

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "checkers/verdict.hpp"
#include "harness/base/error.hpp"
#include "harness/history/history.hpp"
#include "harness/history/run_context.hpp"

namespace sunder::report {

struct PromiseResult {
  std::string name;
  std::string sentence;
  std::string condition;
  std::string checker;
  std::string source;
  checkers::Verdict verdict;
  // Not promised, and this run shows that it does not hold: told as "price", with the verdict not
  // applicable and its counter-examples.
  bool price = false;
};

struct RunReport {
  std::string scenario;  // "raft/register"
  std::uint64_t seed = 0;
  std::string started;  // "2026-01-31T23:59:59Z"
  std::string version;
  std::string directory;  // as the user would type it
  std::string replay;     // the command that runs exactly this again
  std::string sabotage;   // empty: none
  bool partial = false;   // interrupted
  int exit_code = 0;
  std::string harness_error;  // the harness itself failed: the sentence
  std::vector<std::pair<std::string, std::string>> inputs;  // {"nodes","5"}, {"duration","30s"}, …
  std::vector<std::pair<std::string, std::string>> host;    // kernel, cores, capabilities
  std::vector<std::pair<std::string, std::string>>
      skipped;  // faults this machine cannot do → reason
  std::vector<PromiseResult> promises;
  history::RunContext context;
};

// Many runs on one page: what was expected of each, and what came of it.
struct CampaignRow {
  std::string title;  // the campaign file's name of the run
  std::string scenario;
  std::uint64_t seed = 0;
  std::string sabotage;  // empty: none
  std::string expected;  // "kept", "linearizable broken", …
  std::string actual;
  bool as_expected = false;
  std::int64_t duration_ns = 0;
  std::string directory;  // as the user would type it
  std::string link;       // to the run's report.html, relative to the campaign's page
};

// Numbers of all runs together, in front of the list of them.
struct CampaignTable {
  std::string title;
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  // each as long as the header
  std::string note;                            // a sentence below it; may be empty
};

struct CampaignReport {
  std::string name;
  std::string started;
  std::string version;
  std::vector<CampaignTable> tables;
  std::vector<checkers::Figure> figures;
  std::vector<CampaignRow> rows;
  int exit_code = 0;
};

// Writes report.html, report.json, junit.xml and summary.md into `directory`.
[[nodiscard]] Result<void> write_reports(const RunReport& report,
                                         const history::History& history,
                                         const std::filesystem::path& directory);

[[nodiscard]] std::string render_html(const RunReport& report, const history::History& history);
[[nodiscard]] std::string render_json(const RunReport& report, const history::History& history);
[[nodiscard]] std::string render_junit(const RunReport& report, const history::History& history);
[[nodiscard]] std::string render_markdown(const RunReport& report, const history::History& history);
// The promise table for the terminal, at most 100 columns wide.
[[nodiscard]] std::string render_terminal(const RunReport& report, bool colour);

// The verdict on a bare history as a page of its own, with a picture of each counter-example
// (`sunder check --html`); small, whatever the history's length. `judged_as` names the model.
[[nodiscard]] std::string render_counterexample_html(const history::History& history,
                                                     const checkers::Verdict& verdict,
                                                     std::string_view title,
                                                     std::string_view judged_as);

// Writes campaign.html, junit.xml and summary.md into `directory`.
[[nodiscard]] Result<void> write_campaign(const CampaignReport& campaign,
                                          const std::filesystem::path& directory);

[[nodiscard]] std::string render_campaign_html(const CampaignReport& campaign);
[[nodiscard]] std::string render_campaign_junit(const CampaignReport& campaign);
[[nodiscard]] std::string render_campaign_markdown(const CampaignReport& campaign);
[[nodiscard]] std::string render_campaign_terminal(const CampaignReport& campaign, bool colour);
// One table of it; the terminal's has columns as wide as their texts.
[[nodiscard]] std::string render_table_html(const CampaignTable& table);
[[nodiscard]] std::string render_table_markdown(const CampaignTable& table);
[[nodiscard]] std::string render_table_terminal(const CampaignTable& table);

}  // namespace sunder::report
