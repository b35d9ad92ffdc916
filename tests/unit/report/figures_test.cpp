// Goal: every kind of figure is drawn with its numbers, faults stand behind pictures of time, and
// nothing in it escapes from the page or grows without bound.

#include "harness/report/figures.hpp"

#include <boost/json/serialize.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/report/sample.hpp"

namespace sunder::report {
namespace {

using checkers::Bars;
using checkers::Figure;
using checkers::Flow;
using checkers::Gantt;
using checkers::Lines;
using checkers::Mark;
using checkers::Table;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::size_t count_of(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

std::vector<history::FaultRecord> one_fault() {
  history::FaultRecord fault;
  fault.description = "kill inventory";
  fault.active = {.begin = 2'000'000'000, .end = 3'000'000'000};
  return {fault};
}

TEST(Figures, BarsSayValueAndShare) {
  const Bars bars{"messages", {{"once", 75, Mark::good}, {"twice", 25, Mark::doubtful}}};
  const std::string html = figure_html({"Delivery", "Fates", "All of them.", bars}, {});
  EXPECT_THAT(html,
              AllOf(HasSubstr("<h3>Fates</h3>"),
                    HasSubstr("once"),
                    HasSubstr("fill good\" style=\"width:100.00%"),
                    HasSubstr("25.0 %"),
                    HasSubstr("<figcaption>All of them.</figcaption>")));
}

TEST(Figures, LinesStandBeforeTheFaultsOfTheirTime) {
  const Lines lines{"seconds", "messages", true, {{"waiting", {{0, 0}, {1, 5}, {4, 2}}}}};
  const std::string html = figure_html({"Delivery", "Lag", "", lines}, one_fault());
  EXPECT_THAT(html, AllOf(HasSubstr("class=\"fault\""), HasSubstr("kill inventory")));
  EXPECT_THAT(html, AllOf(HasSubstr("class=\"line neutral"), HasSubstr(">waiting</text>")));
}

TEST(Figures, LinesOverOtherThingsThanTimeShowNoFaults) {
  const Lines lines{"milliseconds", "probability", false, {{"stale", {{0, 1}, {4, 0}}}}};
  EXPECT_THAT(figure_html({"", "", "", lines}, one_fault()), Not(HasSubstr("class=\"fault\"")));
}

TEST(Figures, FlowCountsEveryStepAlsoBackAndInPlace) {
  const Flow flow{
      {{"began", 10}, {"done", 7, Mark::good}, {"undone", 3, Mark::bad}},
      {{0, 1, "all steps", 7}, {0, 2, "refused", 3}, {2, 0, "again", 1}, {1, 1, "", 2}}};
  const std::string html = figure_html({"Sagas", "Paths", "", flow}, {});
  EXPECT_EQ(count_of(html, "class=\"state "), 3U);
  EXPECT_EQ(count_of(html, "class=\"arc "), 4U);
  EXPECT_THAT(html, AllOf(HasSubstr(">all steps 7</text>"), HasSubstr("undone → began")));
}

TEST(Figures, GanttGivesEachActorALane) {
  const Gantt gantt{{{"order", "log", {1'000'000'000, 1'200'000'000}},
                     {"inventory", "reserve", {1'500'000'000, history::kNever}, Mark::bad}}};
  const std::string html = figure_html({"Sagas", "One", "", gantt}, one_fault());
  EXPECT_EQ(count_of(html, "class=\"span "), 2U);
  EXPECT_THAT(html, AllOf(HasSubstr(">order</text>"), HasSubstr(">inventory</text>")));
}

TEST(Figures, EmptyOnesAreSaidToBeEmpty) {
  for (const auto& body : {decltype(Figure::body)(Flow{}), decltype(Figure::body)(Gantt{})}) {
    EXPECT_THAT(figure_html({"", "", "", body}, {}), HasSubstr("Nothing to show."));
  }
  EXPECT_THAT(figure_html({"", "", "", Lines{}}, one_fault()), HasSubstr("</svg>"));
  EXPECT_THAT(figure_html({"", "", "", Bars{}}, {}), HasSubstr("<figure>"));
}

TEST(Figures, OutsideTextStaysText) {
  const std::string evil = "<script>alert(1)</script>";
  const std::vector<decltype(Figure::body)> bodies{
      Bars{evil, {{evil, 1}}},
      Flow{{{evil, 1}}, {{0, 0, evil, 1}}},
      Gantt{{{evil, evil, {0, 1}}}},
      Lines{evil, evil, true, {{evil, {{0, 1}}}}},
      Table{{evil}, {{evil}}},
  };
  for (const auto& body : bodies) {
    EXPECT_THAT(figure_html({evil, evil, evil, body}, {}), Not(HasSubstr("<script>")));
  }
}

TEST(Figures, AreBounded) {
  Gantt gantt;
  Lines lines{"x", "y", false, {{"many", {}}}};
  for (int i = 0; i < 100'000; ++i) {
    gantt.spans.push_back({"lane", "label", {i, i + 1}});
    lines.series[0].points.emplace_back(i, i % 7);
  }
  const std::string html = figure_html({"", "", "", gantt}, {});
  EXPECT_THAT(html, HasSubstr("99600 more are not drawn"));
  EXPECT_LT(html.size(), 200'000U);
  EXPECT_LT(figure_html({"", "", "", lines}, {}).size(), 60'000U);
  EXPECT_LT(boost::json::serialize(json_of({{"", "", "", lines}})).size(), 60'000U);
}

TEST(Figures, SectionsGatherWhatSeveralPromisesGave) {
  testing::Sample sample = testing::healthy_sample();
  for (auto& promise : sample.report.promises) promise.verdict.figures.clear();
  sample.report.promises[0].verdict.figures = {{"Delivery", "A", "", Bars{}}};
  sample.report.promises[1].verdict.figures = {{"Sagas", "B", "", Bars{}},
                                               {"Delivery", "C", "", Bars{}}};
  const std::string html = figures_html(sample.report);
  EXPECT_EQ(count_of(html, "<section"), 2U);
  EXPECT_LT(html.find("<h3>C</h3>"), html.find("<h2>Sagas</h2>"));
}

TEST(Figures, AreInTheDocument) {
  const testing::Sample sample = testing::healthy_sample();
  EXPECT_THAT(render_json(sample.report, sample.history), HasSubstr("\"kind\":\"gantt\""));
}

}  // namespace
}  // namespace sunder::report
