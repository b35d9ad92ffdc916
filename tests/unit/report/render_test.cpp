// Goal: every output has its structure, escapes what came from outside and stays small.
// Method: seeded samples; JSON and XML are parsed, not searched.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <vector>

#include <boost/json/parse.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "harness/base/file.hpp"
#include "harness/report/coverage.hpp"
#include "harness/report/escape.hpp"
#include "harness/report/picture.hpp"
#include "harness/report/report.hpp"
#include "harness/report/summary.hpp"
#include "tests/unit/report/sample.hpp"

namespace sunder::report {
namespace {

using testing::broken_sample;
using ::testing::HasSubstr;
using testing::healthy_sample;
using testing::hostile_sample;
using ::testing::Not;
using testing::Sample;

const std::string kAttack =
    "</script><img src=x onerror=alert(1)>\x1b[2J\x01\xFF|`*<!-- ]]> \"' & {{data}}";

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

// Whether XML 1.0 allows the text at all (characters, entities) and its elements nest.
bool is_well_formed_xml(std::string_view text) {
  if (valid_utf8(text) != text) return false;
  std::vector<std::string_view> open;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') return false;
    if (c == '&') {
      constexpr std::array<std::string_view, 5> kEntities{
          "&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
      const auto rest = text.substr(i);
      if (std::ranges::none_of(kEntities, [&](std::string_view e) { return rest.starts_with(e); }))
        return false;
    }
    if (c == '>') return false;
    if (c != '<') continue;
    const std::size_t end = text.find('>', i);
    if (end == std::string_view::npos) return false;
    const std::string_view tag = text.substr(i + 1, end - i - 1);
    i = end;
    if (tag.find('<') != std::string_view::npos || count_of(tag, "\"") % 2 != 0) return false;
    if (tag.starts_with('?') || tag.ends_with('/')) continue;
    const std::string_view name = tag.substr(0, tag.find(' '));
    if (!name.starts_with('/')) {
      open.push_back(name);
      continue;
    }
    if (open.empty() || open.back() != name.substr(1)) return false;
    open.pop_back();
  }
  return open.empty();
}

TEST(ReportResult, SaysInOneWordWhatTheExitCodeMeans) {
  RunReport report = healthy_sample().report;
  EXPECT_EQ(result_of(report), "kept");
  report.exit_code = 1;
  EXPECT_EQ(result_of(report), "broken");
  report.exit_code = 2;
  EXPECT_EQ(result_of(report), "not exercised");
  report.promises[1].verdict.kind = checkers::VerdictKind::undetermined;
  EXPECT_EQ(result_of(report), "undetermined");
  report.harness_error = "the bridge is gone";
  EXPECT_EQ(result_of(report), "harness failed");
}

TEST(ReportJson, HoldsVerdictsFaultsAndCounterexample) {
  const Sample sample = broken_sample();
  const auto document = boost::json::parse(render_json(sample.report, sample.history)).as_object();
  EXPECT_EQ(document.at("schema").as_string(), "sunder-report/1");
  EXPECT_EQ(document.at("result").as_string(), "broken");
  EXPECT_EQ(document.at("exit_code").as_int64(), 1);
  EXPECT_EQ(document.at("faults").as_array().size(), 6U);
  const auto& promises = document.at("promises").as_array();
  ASSERT_EQ(promises.size(), 5U);
  EXPECT_EQ(promises[0].at("verdict").as_string(), "broken");
  const auto& example = promises[0].at("counterexamples").at(0);
  EXPECT_EQ(example.at("key").as_string(), "x");
  EXPECT_EQ(example.at("operations").as_array().size(), 10U);
  EXPECT_EQ(example.at("operations").at(0).at("input").as_int64(), 41);
  const auto operations = static_cast<std::int64_t>(sample.history.operations().size());
  const auto& counts = document.at("operations");
  EXPECT_EQ(
      counts.at("ok").as_int64() + counts.at("fail").as_int64() + counts.at("info").as_int64(),
      operations);
}

TEST(ReportJson, WritesInfiniteNumbersAsNull) {
  Sample sample = healthy_sample();
  sample.report.promises[0].verdict.measurements = {{"gap", 1.0 / 0.0, "ms"}};
  const auto document = boost::json::parse(render_json(sample.report, sample.history));
  EXPECT_TRUE(document.at("promises").at(0).at("measurements").at(0).at("value").is_null());
}

TEST(ReportJson, ParsesWhateverTheTextsAre) {
  const Sample sample = hostile_sample(kAttack);
  const auto document = boost::json::parse(render_json(sample.report, sample.history));
  EXPECT_EQ(document.at("scenario").as_string(), valid_utf8(kAttack));
}

TEST(ReportJunit, MapsEveryVerdictToItsElement) {
  const Sample sample = broken_sample();
  const std::string xml = render_junit(sample.report, sample.history);
  EXPECT_TRUE(is_well_formed_xml(xml));
  EXPECT_THAT(xml, HasSubstr("tests=\"6\" failures=\"1\" errors=\"2\" skipped=\"2\""));
  EXPECT_THAT(xml, HasSubstr("<failure type=\"broken\""));
  EXPECT_THAT(xml, HasSubstr("<error type=\"undetermined\""));
  EXPECT_THAT(xml, HasSubstr("<error type=\"not-exercised\""));
  EXPECT_THAT(xml, HasSubstr("name=\"fault clock\""));
}

TEST(ReportJunit, SaysThatTheHarnessFailed) {
  RunReport report;
  report.exit_code = 3;
  report.harness_error = "the universe could not be made";
  const std::string xml = render_junit(report, history::History());
  EXPECT_TRUE(is_well_formed_xml(xml));
  EXPECT_THAT(xml, HasSubstr("failures=\"0\" errors=\"1\""));
  EXPECT_THAT(xml, HasSubstr("type=\"harness-failed\""));
}

TEST(ReportJunit, ParsesWhateverTheTextsAre) {
  const Sample sample = hostile_sample(kAttack);
  EXPECT_TRUE(is_well_formed_xml(render_junit(sample.report, sample.history)));
  // The check can fail.
  for (const char* bad :
       {"<a>\x01</a>", "<a>", "<a><b></a></b>", "<a>&nbsp;</a>", "<a b=\"<\"></a>"}) {
    EXPECT_FALSE(is_well_formed_xml(bad)) << bad;
  }
}

TEST(ReportMarkdown, NamesTheBrokenPromiseAndItsOperations) {
  const Sample sample = broken_sample();
  const std::string text = render_markdown(sample.report, sample.history);
  EXPECT_THAT(text, HasSubstr("| ❌ | linearizable | broken |"));
  EXPECT_THAT(text, HasSubstr("`read x -> ok 42` reads the older value"));
  EXPECT_THAT(text, HasSubstr("31 ms before the read began"));
}

TEST(ReportMarkdown, StaysUnderTheLimitAndSaysWhatItLeftOut) {
  Sample sample = broken_sample();
  for (int i = 0; i < 2000; ++i) {
    sample.report.promises.push_back(sample.report.promises[0]);
    sample.report.promises.back().verdict.summary.assign(100'000, '|');
  }
  const std::string text = render_markdown(sample.report, sample.history);
  EXPECT_LT(text.size(), std::size_t{1} << 20U);
  EXPECT_THAT(text, HasSubstr("left out"));
  EXPECT_THAT(render_markdown(broken_sample().report, sample.history), Not(HasSubstr("left out")));
}

TEST(ReportMarkdown, GivesTextsNoMeaning) {
  const Sample sample = hostile_sample(kAttack);
  const std::string text = render_markdown(sample.report, sample.history);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  // Outside of code spans nothing is HTML.
  bool code = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '`' && (i == 0 || text[i - 1] != '\\')) code = !code;
    EXPECT_FALSE(!code && text.substr(i).starts_with("<img")) << text.substr(0, i);
  }
  EXPECT_FALSE(code);
}

TEST(ReportTerminal, FitsIntoAHundredColumns) {
  Sample sample = broken_sample();
  sample.report.promises[0].verdict.summary.assign(950, 'x');
  sample.report.promises[1].name.assign(200, 'n');
  const std::string text = render_terminal(sample.report, false);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    EXPECT_LE(column_count(text.substr(begin, end - begin)), 100U)
        << text.substr(begin, end - begin);
    begin = end + 1;
  }
}

TEST(ReportTerminal, SaysWhyAPromiseBrokeAndWhereTheReportIs) {
  const Sample sample = broken_sample();
  const std::string text = render_terminal(sample.report, true);
  EXPECT_THAT(text, HasSubstr("BROKEN"));
  EXPECT_THAT(text, HasSubstr("linearizable: stale read"));
  EXPECT_THAT(text, HasSubstr("had been acknowledged by n1"));
  EXPECT_THAT(text, HasSubstr("runs/20260131T235959Z-raft-register-7/report.html"));
  EXPECT_THAT(text, HasSubstr("\x1b[1;31m"));
  EXPECT_THAT(render_terminal(healthy_sample().report, false), Not(HasSubstr("stale read")));
}

TEST(ReportTerminal, LetsNoTextReachTheTerminalsControls) {
  const std::string text = render_terminal(hostile_sample(kAttack).report, false);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\x01'), std::string::npos);
}

TEST(ReportHtml, NeedsNoNetwork) {
  const Sample sample = broken_sample();
  const std::string html = render_html(sample.report, sample.history);
  EXPECT_THAT(html, HasSubstr("Chart.js v3"));
  EXPECT_EQ(html.find(" src="), std::string::npos);
  EXPECT_EQ(html.find("<link"), std::string::npos);
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
}

TEST(ReportHtml, ShowsResultReplaySabotageAndEveryPromise) {
  const Sample sample = broken_sample();
  const std::string html = render_html(sample.report, sample.history);
  EXPECT_THAT(html, HasSubstr("Sabotage is on:"));
  EXPECT_THAT(html, HasSubstr("<code id=\"replay\">sunder replay"));
  for (const PromiseResult& promise : sample.report.promises)
    EXPECT_THAT(html, HasSubstr(promise.name));
  EXPECT_THAT(html, HasSubstr("id=\"picture-0\""));
  EXPECT_THAT(html, Not(HasSubstr("Partial.")));
}

TEST(ReportHtml, EscapesEveryText) {
  const Sample sample = hostile_sample(kAttack);
  const std::string html = render_html(sample.report, sample.history);
  EXPECT_EQ(html.find("<img"), std::string::npos);
  EXPECT_EQ(html.find('\x1b'), std::string::npos);
  // As many script elements as without the hostile text, and none of its places filled again.
  EXPECT_EQ(count_of(html, "</script>"),
            count_of(render_html(RunReport(), history::History()), "</script>"));
  EXPECT_EQ(count_of(html, "id=\"data\""), 1U);
}

TEST(ReportHtml, StaysSmallForAMillionOperations) {
  const history::History history = testing::long_history(1'000'000);
  RunReport report = healthy_sample().report;
  checkers::Counterexample& example = report.promises[0].verdict.counterexamples.emplace_back();
  for (std::size_t i = 0; i < 100'000; ++i) {
    checkers::Counterexample::Item item;
    item.operation = i;
    item.core = i == 50'000 || i == 50'001;
    example.items.push_back(item);
  }
  const std::string html = render_html(report, history);
  const std::string empty = render_html(RunReport(), history::History());
  EXPECT_LT(html.size(), empty.size() + 400'000);
  EXPECT_THAT(html, HasSubstr("99600 further operations"));
  EXPECT_LT(render_json(report, history).size(), 300'000U);
}

TEST(ReportPicture, KeepsTheCoreAndTheContextNearestToIt) {
  const history::History history = testing::long_history(5'000);
  checkers::Counterexample example;
  for (std::size_t i = 0; i < 5'000; ++i)
    example.items.push_back({.operation = i, .core = i == 2'500, .note = ""});
  const Picture picture = draw(history, example);
  ASSERT_EQ(picture.items.size(), kPictureItemsMax);
  EXPECT_EQ(picture.left_out, 5'000 - kPictureItemsMax);
  EXPECT_EQ(picture.items.front().operation, 2'300U);
  EXPECT_EQ(picture.items.back().operation, 2'699U);
  EXPECT_TRUE(picture.timed);
}

TEST(ReportPicture, OrdersByEventsWhenTimesAreUnknown) {
  history::HistoryBuilder builder;
  history::Operation operation;
  operation.outcome = history::Outcome::ok;
  for (const std::int64_t invoke : {100, 900, 5'000}) {
    operation.invoke = invoke;
    operation.complete = invoke + 50;
    builder.add(operation);
  }
  checkers::Counterexample example;
  example.items = {{.operation = 0, .core = true, .note = ""},
                   {.operation = 2, .core = true, .note = ""}};
  example.items.push_back({.operation = 77, .core = true, .note = "no such operation"});
  const Picture picture = draw(builder.finish(), example);
  ASSERT_EQ(picture.items.size(), 2U);
  EXPECT_FALSE(picture.timed);
  EXPECT_EQ(picture.items[1].begin, 2);
  EXPECT_EQ(picture.items[1].end, 3);
  EXPECT_EQ(picture.left_out, 1U);
}

TEST(ReportCoverage, ListsWhatWasRequestedButNeverApplied) {
  RunReport report = healthy_sample().report;
  report.inputs = {{"faults", "partition:leader@2s+6s;flap=500ms, restart"}};
  history::FaultRecord skipped;
  skipped.family = "disk";
  skipped.reason = "/dev/fuse is closed to this user";
  report.context.faults.push_back(skipped);
  std::map<std::string, FamilyCoverage> rows;
  for (const FamilyCoverage& row : coverage_of(report)) rows[row.family] = row;
  EXPECT_EQ(rows.at("restart").applied, 0U);
  EXPECT_EQ(rows.at("kill").applied, 2U);
  EXPECT_EQ(rows.at("kill").exercised, 1U);
  EXPECT_EQ(rows.at("disk").applied, 0U);
  EXPECT_EQ(rows.at("disk").skipped, "/dev/fuse is closed to this user");
  EXPECT_FALSE(rows.contains("partition:leader@2s+6s;flap=500ms"));
  EXPECT_EQ(rows.at("clock").skipped, "this kernel has no time namespaces");
}

TEST(ReportCoverage, ShowsWhichEventMetWhichFault) {
  RunReport report = healthy_sample().report;
  history::FaultRecord fault;
  fault.family = "kill";
  fault.event = "became-leader";
  fault.exercised = true;
  fault.active = {1'000'000, 2'000'000};
  report.context.faults.push_back(fault);
  fault.event = "truncated";
  fault.exercised = false;
  fault.reason = "its event never came: 0 of 1 truncated";
  fault.active = {5, 5};
  report.context.faults.push_back(fault);
  const CampaignTable table = event_table(report, true);
  ASSERT_EQ(table.rows.size(), 1U);
  EXPECT_EQ(table.rows.front(), (std::vector<std::string>{"kill", "✓", "–"}));
  EXPECT_THAT(table.note, HasSubstr("1 of 2 exercised"));
  EXPECT_THAT(table.note, HasSubstr("2 truncated"));
  const Sample sample = healthy_sample();
  EXPECT_TRUE(event_table(sample.report, false).rows.empty());
  EXPECT_THAT(render_terminal(report, false), HasSubstr("Faults at events"));
  EXPECT_THAT(render_markdown(report, sample.history), HasSubstr("became-leader"));
  EXPECT_THAT(render_json(report, sample.history), HasSubstr("\"event\":\"truncated\""));
  EXPECT_THAT(render_html(report, sample.history), HasSubstr("Fault families"));
}

TEST(ReportNumbers, ReadWell) {
  EXPECT_EQ(number_text(1234567), "1,234,567");
  EXPECT_EQ(number_text(-1200), "-1,200");
  EXPECT_EQ(number_text(0.97312), "0.9731");
  EXPECT_EQ(latency_text(-1), "–");
  EXPECT_EQ(latency_text(1'234'000), "1.23 ms");
  EXPECT_EQ(latency_text(950'000), "950 µs");
  EXPECT_EQ(latency_text(2'500'000'000), "2.50 s");
  EXPECT_EQ(evidence_text({"packets dropped", 2314, "packets"}), "packets dropped 2,314");
  EXPECT_EQ(evidence_text({"n3 pid killed", 23412, ""}), "n3 pid killed 23412");
  EXPECT_EQ(evidence_text({"installed", 0.5, "ms"}), "installed 0.5 ms");
}

CampaignReport sample_campaign(const std::string& text) {
  CampaignReport campaign;
  campaign.name = text;
  CampaignRow row;
  row.title = row.scenario = row.expected = row.actual = row.directory = text;
  row.as_expected = true;
  row.link = "runs/a/report.html";
  campaign.rows = {row, row};
  campaign.rows[1].as_expected = false;
  campaign.rows[1].link = "javascript:alert(1)";
  return campaign;
}

TEST(ReportCampaign, ListsEveryRunAndCountsTheUnexpected) {
  const CampaignReport campaign = sample_campaign("quickstart");
  EXPECT_THAT(render_campaign_markdown(campaign), HasSubstr("1 of 2 runs as expected"));
  EXPECT_THAT(render_campaign_terminal(campaign, false), HasSubstr("1 of 2 runs as expected"));
  EXPECT_THAT(render_campaign_junit(campaign), HasSubstr("tests=\"2\" failures=\"1\""));
  const std::string html = render_campaign_html(campaign);
  EXPECT_THAT(html, HasSubstr("<a href=\"runs/a/report.html\">"));
  EXPECT_THAT(html, Not(HasSubstr("javascript:")));
}

TEST(ReportCampaign, EscapesEveryText) {
  const CampaignReport campaign = sample_campaign(kAttack);
  EXPECT_EQ(render_campaign_html(campaign).find("<img"), std::string::npos);
  EXPECT_TRUE(is_well_formed_xml(render_campaign_junit(campaign)));
  EXPECT_EQ(render_campaign_terminal(campaign, false).find('\x1b'), std::string::npos);
}

TEST(ReportFiles, AreWrittenIntoTheDirectory) {
  std::string pattern = (std::filesystem::temp_directory_path() / "sunder-report-XXXXXX").string();
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  const std::filesystem::path directory = pattern;
  const Sample sample = broken_sample();
  ASSERT_TRUE(write_reports(sample.report, sample.history, directory).has_value());
  ASSERT_TRUE(write_campaign(sample_campaign("quickstart"), directory).has_value());
  for (const char* name :
       {"report.html", "report.json", "junit.xml", "summary.md", "campaign.html"}) {
    EXPECT_GT(std::filesystem::file_size(directory / name), 100U) << name;
  }
  EXPECT_TRUE(write_reports(sample.report, sample.history, directory / "missing").has_error());
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace sunder::report
