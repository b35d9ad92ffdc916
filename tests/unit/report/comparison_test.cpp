// Goal: runs stand beside each other as their reports say, and what is no report is an error.

#include "harness/report/comparison.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/report/report.hpp"
#include "tests/unit/report/sample.hpp"

namespace sunder::report {
namespace {

using checkers::Bars;
using checkers::Figure;
using checkers::Lines;
using checkers::Mark;
using checkers::Table;
using ::testing::ElementsAre;

ComparedRun run_of(std::string name, std::vector<Figure> figures) {
  return {std::move(name), {{"linearizable", "kept", "all of it"}}, std::move(figures)};
}

Figure figure_titled(const std::vector<Figure>& figures, std::string_view title) {
  for (const Figure& figure : figures) {
    if (figure.title == title) return figure;
  }
  ADD_FAILURE() << "no figure " << title;
  return {};
}

TEST(Comparison, ReadsBackEveryFigureOfAReport) {
  const testing::Sample sample = testing::healthy_sample();
  const auto run = read_compared_run("here", render_json(sample.report, sample.history));
  ASSERT_TRUE(run.has_value()) << run.error().message();
  const auto& figures = sample.report.promises[0].verdict.figures;
  ASSERT_EQ(run->figures.size(), figures.size());
  for (std::size_t i = 0; i < figures.size(); ++i) {
    EXPECT_EQ(run->figures[i].title, figures[i].title);
    EXPECT_EQ(run->figures[i].body.index(), figures[i].body.index());
  }
  EXPECT_EQ(run->promises.size(), sample.report.promises.size());
  EXPECT_EQ(run->promises[0].verdict, "kept");
}

TEST(Comparison, RefusesWhatIsNoReport) {
  for (const std::string_view document : {"", "{", "7", "{}", "{\"promises\":[{}]}"}) {
    const auto run = read_compared_run("there", document);
    ASSERT_TRUE(run.has_error()) << document;
    EXPECT_TRUE(base::is(run.error(), Errc::unreadable_input));
  }
}

TEST(Comparison, LaysBarsAndLinesOfAllIntoOnePicture) {
  const Figure bars{"A", "share", "", Bars{"%", {{"reads", 99, Mark::good}}}};
  const Figure lines{"A", "lag", "", Lines{"s", "n", true, {{"all", {{0, 1}}}}}};
  const std::vector<ComparedRun> runs{run_of("cp", {bars, lines}), run_of("ap", {bars, lines})};
  const auto figures = compare(runs);
  ASSERT_EQ(figures.size(), 3U);
  const auto joined = std::get<Bars>(figure_titled(figures, "share").body);
  ASSERT_EQ(joined.bars.size(), 2U);
  EXPECT_EQ(joined.bars[0].label, "cp: reads");
  EXPECT_EQ(joined.bars[1].label, "ap: reads");
  EXPECT_EQ(joined.bars[1].mark, Mark::good);
  EXPECT_EQ(std::get<Lines>(figure_titled(figures, "lag").body).series.size(), 2U);
}

TEST(Comparison, JoinsTablesByTheNamesOfTheirRows) {
  const Table one{{"where", "what", "ok"}, {{"here", "read", "99"}, {"there", "read", "1"}}, 2};
  const Table other{{"where", "what", "ok"}, {{"there", "read", "98"}, {"else", "read", "5"}}, 2};
  const std::vector<ComparedRun> runs{run_of("cp", {{"A", "t", "", one}}),
                                      run_of("ap", {{"A", "t", "", other}})};
  const auto table = std::get<Table>(figure_titled(compare(runs), "t").body);
  EXPECT_THAT(table.header, ElementsAre("where", "what", "cp: ok", "ap: ok"));
  EXPECT_THAT(table.rows,
              ElementsAre(ElementsAre("here", "read", "99", "–"),
                          ElementsAre("there", "read", "1", "98"),
                          ElementsAre("else", "read", "–", "5")));
}

TEST(Comparison, LeavesAloneWhatOnlyOneRunHas) {
  const Figure bars{"A", "dropped", "", Bars{"writes", {{"lost", 3}}}};
  const std::vector<ComparedRun> runs{run_of("cp", {}), run_of("ap", {bars})};
  const auto figures = compare(runs);
  ASSERT_EQ(figures.size(), 2U);
  EXPECT_EQ(figures[0].section, "Promises");
  EXPECT_EQ(figures[1].title, "ap: dropped");
}

TEST(Comparison, SaysWhatEachRunPromisesAndWhatItDoesNot) {
  std::vector<ComparedRun> runs{run_of("cp", {}), run_of("ap", {})};
  runs[1].promises = {{"converges", "kept", "within 2 s"}};
  const auto table = std::get<Table>(compare(runs)[0].body);
  EXPECT_THAT(table.rows,
              ElementsAre(ElementsAre("linearizable", "kept: all of it", "not promised"),
                          ElementsAre("converges", "not promised", "kept: within 2 s")));
}

}  // namespace
}  // namespace sunder::report
