// Goal: the page really renders in a browser: no script error, charts and pictures drawn, hostile
// text inert. Method: headless Chromium opens the file, without a network, and prints the document
// it ended with.

#include <cstdlib>
#include <filesystem>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "checkers/verdict.hpp"
#include "harness/base/file.hpp"
#include "harness/history/text.hpp"
#include "harness/report/report.hpp"
#include "tests/unit/report/sample.hpp"

namespace sunder::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A directory of its own for each test, with the browser's profile in it; removed afterwards.
class ReportPage : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(std::system("command -v chromium >/dev/null"), 0)
        << "chromium is missing: ./dev installs it (Debian package chromium)";
    std::string pattern = (std::filesystem::temp_directory_path() / "sunder-web-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }

  void TearDown() override {
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
  }

  // Runs Chromium on the page with more arguments and returns what it printed.
  [[nodiscard]] std::string browse(const std::string& page, const std::string& arguments) const {
    const std::filesystem::path file = directory_ / "page.html";
    EXPECT_TRUE(base::write_file(file, page).has_value());
    const std::string command = fmt::format(
        "timeout -k 5 100 chromium --headless --no-sandbox --disable-gpu --disable-quic "
        "--no-first-run "
        "--disable-background-networking --disable-component-update --disable-sync "
        "--disable-dev-shm-usage "
        "--hide-scrollbars --user-data-dir='{0}/profile' --window-size=1280,2000 "
        "--virtual-time-budget=5000 "
        "{1} 'file://{2}' >'{0}/output' 2>'{0}/errors'",
        directory_.string(),
        arguments,
        file.string());
    EXPECT_EQ(std::system(command.c_str()), 0) << base::read_file(directory_ / "errors").value();
    return base::read_file(directory_ / "output").value();
  }

  // SUNDER_WEB_KEEP=directory keeps the screenshots for a person to look at.
  void keep(const std::filesystem::path& file, const std::string& name) const {
    const char* kept = std::getenv("SUNDER_WEB_KEEP");
    if (kept == nullptr) return;
    std::filesystem::copy_file(file,
                               std::filesystem::path(kept) / name,
                               std::filesystem::copy_options::overwrite_existing);
  }

  std::filesystem::path directory_;
};

// The promise that has figures, and nothing of a run around it: the page is then one screen.
std::string figures_only(const testing::Sample& sample) {
  return render_counterexample_html(
      sample.history, sample.report.promises[0].verdict, "figures", "a sample");
}

TEST_F(ReportPage, DrawsChartsAndCounterexampleOfABrokenRun) {
  const testing::Sample sample = testing::broken_sample();
  const std::string page = browse(render_html(sample.report, sample.history), "--dump-dom");
  EXPECT_THAT(page, HasSubstr("data-rendered=\"true\""));
  EXPECT_THAT(page, Not(HasSubstr("data-errors=")));
  EXPECT_THAT(page, HasSubstr("data-charts=\"2\""));
  EXPECT_THAT(page, HasSubstr("data-drawn=\"10\""));
  EXPECT_THAT(page, HasSubstr("class=\"operation core\""));
  EXPECT_THAT(page, HasSubstr("n4 leads"));
  EXPECT_THAT(page, HasSubstr("did not bite: no operation overlapped the crash"));
}

TEST_F(ReportPage, DrawsAHealthyRunWithoutCounterexample) {
  const testing::Sample sample = testing::healthy_sample();
  const std::string page = browse(render_html(sample.report, sample.history), "--dump-dom");
  EXPECT_THAT(page, HasSubstr("data-rendered=\"true\""));
  EXPECT_THAT(page, HasSubstr("data-charts=\"2\""));
  EXPECT_THAT(page, Not(HasSubstr("data-drawn=")));
}

TEST_F(ReportPage, DrawsTheVerdictOnABareHistory) {
  const testing::Sample sample = testing::broken_sample();
  const std::string html = render_counterexample_html(
      sample.history, sample.report.promises[0].verdict, "history.jsonl", "register");
  const std::string page = browse(html, "--dump-dom");
  EXPECT_THAT(page, HasSubstr("data-rendered=\"true\""));
  EXPECT_THAT(page, HasSubstr("data-drawn=\"10\""));
}

TEST_F(ReportPage, RendersAnEmptyRunWithoutScriptErrors) {
  const std::string page = browse(render_html(RunReport(), history::History()), "--dump-dom");
  EXPECT_THAT(page, HasSubstr("data-rendered=\"true\""));
}

// A page that does something to itself before it is printed: what a reader's mouse would do.
std::string acting(std::string html, std::string_view script) {
  const std::size_t end = html.rfind("</body>");
  return html.insert(end, fmt::format("<script>{}</script>", script));
}

TEST_F(ReportPage, ZoomsEveryChartAndLaneByDragging) {
  const testing::Sample sample = testing::broken_sample();
  const std::string html = render_html(sample.report, sample.history);
  constexpr std::string_view kDrag = R"(
    const line = document.getElementById("timeline");
    const box = line.getBoundingClientRect();
    const send = (name, x, target) => {
      const place = {bubbles: true, button: 0, clientX: box.left + x, clientY: box.top + 60};
      target.dispatchEvent(new MouseEvent(name, place));
    };
    send("mousedown", 500, line);
    send("mousemove", 700, line);
    send("mouseup", 700, window);
    const axes = Object.values(Chart.instances).map((chart) => chart.scales.x);
    document.body.dataset.ranges = new Set(axes.map((axis) => `${axis.min}-${axis.max}`)).size;
    const reset = line.querySelector("button");
    document.body.dataset.zoomed = axes.every((axis) => axis.max < 25) && !reset.hidden;
  )";
  const std::string page = browse(acting(html, kDrag), "--dump-dom");
  EXPECT_THAT(page, HasSubstr("data-zoomed=\"true\""));
  EXPECT_THAT(page, HasSubstr("data-ranges=\"1\""));  // both charts show the same range
  EXPECT_THAT(page, Not(HasSubstr("data-errors=")));
}

TEST_F(ReportPage, FiltersAPictureByProcessAndSwitchesToTrueTime) {
  const testing::Sample sample = testing::broken_sample();
  const std::string html = render_html(sample.report, sample.history);
  constexpr std::string_view kClick = R"(
    const press = (text) => [...document.querySelectorAll(".picture button")]
        .find((button) => button.textContent === text).click();
    press("p905");
    press("true time");
    document.body.dataset.left = document.querySelectorAll(".picture .operation").length;
    document.body.dataset.rows = document.querySelectorAll(".picture .names text").length;
  )";
  const std::string page = browse(acting(html, kClick), "--dump-dom");
  EXPECT_THAT(page, HasSubstr("data-left=\"9\""));
  EXPECT_THAT(page, HasSubstr("data-rows=\"5\""));
  EXPECT_THAT(page, Not(HasSubstr("data-errors=")));
}

TEST_F(ReportPage, ShowsAllOfAPictureAndItsFirstError) {
  const testing::Sample sample = testing::broken_sample();
  const std::string html = render_counterexample_html(
      sample.history, sample.report.promises[0].verdict, "history.jsonl", "register");
  constexpr std::string_view kMeasure = R"(
    const box = (element) => element.getBoundingClientRect();
    const svgs = [...document.querySelectorAll(".picture svg")];
    document.body.dataset.cut = svgs.filter(
        (svg) => Math.abs(box(svg).width - svg.width.baseVal.value) > 1).length;
    const pictures = [...document.querySelectorAll(".picture")];
    document.body.dataset.hidden = pictures.filter((picture) => {
      const seen = box(picture.querySelector(".scroll"));
      const bar = box(picture.querySelector("rect[stroke-width='2.5']"));
      return bar.left < seen.left || bar.right > seen.right;
    }).length;
  )";
  const std::string page = browse(acting(html, kMeasure), "--dump-dom");
  EXPECT_THAT(page, HasSubstr("data-cut=\"0\""));
  EXPECT_THAT(page, HasSubstr("data-hidden=\"0\""));
  EXPECT_THAT(page, Not(HasSubstr("data-errors=")));
}

// There is no room behind the last bar, and none inside.
TEST_F(ReportPage, PutsALabelBeforeTheFirstBarOfAProcess) {
  const std::string value(44, 'v');
  const auto read =
      history::read_history(fmt::format(R"({{"process":0,"type":"invoke","f":"write","value":1}}
{{"process":0,"type":"ok","f":"write","value":1}}
{{"process":1,"type":"invoke","f":"write","value":"{0}"}}
{{"process":1,"type":"ok","f":"write","value":"{0}"}}
)",
                                        value),
                            "h",
                            history::Format::jsonl);
  ASSERT_TRUE(read.has_value());
  checkers::Verdict verdict;
  verdict.kind = checkers::VerdictKind::broken;
  checkers::Counterexample& example = verdict.counterexamples.emplace_back();
  example.items = {{.operation = 0, .core = true, .note = {}},
                   {.operation = 1, .core = true, .note = {}}};
  example.first_error = 1;
  constexpr std::string_view kRead = R"(
    const ahead = document.querySelectorAll(".operation text[text-anchor='end']");
    document.body.dataset.ahead = [...ahead].map((text) => text.textContent).join();
  )";
  const std::string html =
      render_counterexample_html(read->history, verdict, "history.jsonl", "register");
  const std::string page = browse(acting(html, kRead), "--dump-dom");
  EXPECT_THAT(page, HasSubstr(fmt::format("data-ahead=\"write &quot;{}&quot;\"", value)));
  EXPECT_THAT(page, Not(HasSubstr("data-errors=")));
}

// The error hook is what the tests above rely on: a page whose script fails must say so.
TEST_F(ReportPage, SaysSoWhenAScriptFails) {
  std::string html = render_html(RunReport(), history::History());
  const std::string marker = "id=\"data\">";
  html.replace(html.find(marker), marker.size(), marker + "not JSON ");
  const std::string page = browse(html, "--dump-dom");
  EXPECT_THAT(page, HasSubstr("data-rendered=\"false\""));
  EXPECT_THAT(page, HasSubstr("data-errors="));
}

TEST_F(ReportPage, RunsNothingThatAHistoryOrNodeSays) {
  const std::string attack =
      "</script><img src=x "
      "onerror=\"document.body.dataset.owned=1\"><!--<script>document.body.dataset.owned=1</"
      "script>";
  const testing::Sample sample = testing::hostile_sample(attack);
  const std::string page = browse(render_html(sample.report, sample.history), "--dump-dom");
  EXPECT_THAT(page, HasSubstr("data-rendered=\"true\""));
  EXPECT_THAT(page, HasSubstr("data-drawn=\"1\""));
  EXPECT_THAT(page, Not(HasSubstr("data-owned")));
  EXPECT_THAT(page, Not(HasSubstr("<img")));
}

TEST_F(ReportPage, ShowsTheFiguresOfCheckers) {
  testing::Sample sample = testing::healthy_sample();
  const std::filesystem::path picture = directory_ / "figures.png";
  const std::string page = browse(figures_only(sample), "--dump-dom");
  EXPECT_THAT(page, HasSubstr("data-rendered=\"true\""));
  EXPECT_THAT(page, HasSubstr("<h2>Sagas</h2>"));
  static_cast<void>(
      browse(figures_only(sample), fmt::format("--screenshot='{}'", picture.string())));
  ASSERT_TRUE(std::filesystem::exists(picture));
  EXPECT_GT(std::filesystem::file_size(picture), 50'000U);
  keep(picture, "figures.png");
}

TEST_F(ReportPage, ScreenshotsAreNotEmpty) {
  const testing::Sample sample = testing::broken_sample();
  const std::filesystem::path picture = directory_ / "report.png";
  static_cast<void>(browse(render_html(sample.report, sample.history),
                           fmt::format("--screenshot='{}'", picture.string())));
  ASSERT_TRUE(std::filesystem::exists(picture));
  EXPECT_GT(std::filesystem::file_size(picture),
            50'000U);  // a blank page of this size is about 10 kB
  keep(picture, "report.png");
}

}  // namespace
}  // namespace sunder::report
