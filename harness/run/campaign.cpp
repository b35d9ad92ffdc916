#include "harness/run/campaign.hpp"

#include <csignal>
#include <map>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "harness/base/clock.hpp"
#include "harness/base/duration.hpp"
#include "harness/base/file.hpp"
#include "harness/base/task_group.hpp"
#include "harness/report/comparison.hpp"
#include "harness/report/report.hpp"
#include "harness/run/child_run.hpp"
#include "harness/run/directory.hpp"
#include "harness/run/host.hpp"

namespace sunder::run {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

std::string expected_of(const CampaignRun& run) {
  if (run.expect_broken) return fmt::format("broken {}", run.expect_promise);
  return run.expect_price.empty() ? "kept" : fmt::format("kept, price {}", run.expect_price);
}

class Conductor {
 public:
  Conductor(const Campaign& campaign, const CampaignOptions& options, fs::path directory)
      : campaign_(campaign),
        options_(options),
        directory_(std::move(directory)),
        tasks_(loop_.get_executor()) {}

  Result<ExitCode> perform();

 private:
  asio::awaitable<void> body();
  asio::awaitable<void> worker();
  asio::awaitable<void> one(std::size_t index);
  void announce(std::size_t index) const;
  void skip(std::size_t index);
  asio::awaitable<void> watch_signals();
  Result<ExitCode> conclude();
  void compare_runs(report::CampaignReport& report) const;
  [[nodiscard]] fs::path directory_of(std::size_t index) const;
  [[nodiscard]] bool as_expected(std::size_t index) const;
  [[nodiscard]] std::string actual(std::size_t index) const;

  const Campaign& campaign_;
  const CampaignOptions& options_;
  fs::path directory_;
  asio::io_context loop_{1};
  base::TaskGroup tasks_;
  std::string started_ = base::utc_readable();
  std::vector<std::size_t> mine_;  // indices of this shard
  std::size_t next_ = 0;
  std::map<std::size_t, ChildEnding> endings_;
  ChildRuns children_{options_.program};
  bool stopping_ = false;
};

fs::path Conductor::directory_of(std::size_t index) const {
  const RunOptions& options = campaign_.runs[index].options;
  std::string name =
      fmt::format("{:02}-{}-{}", index + 1, options.scenario, options.seed.value_or(0));
  if (!options.sabotage.empty()) name += "-" + options.sabotage;
  std::ranges::replace(name, '/', '-');
  return directory_ / name;
}

bool Conductor::as_expected(std::size_t index) const {
  const CampaignRun& run = campaign_.runs[index];
  const ChildEnding& ending = endings_.at(index);
  if (!run.expect_broken) {
    const bool shown = run.expect_price.empty() ||
                       std::ranges::find(ending.prices, run.expect_price) != ending.prices.end();
    return ending.exit_code == static_cast<int>(ExitCode::kept) && shown;
  }
  const bool right_promise =
      run.expect_promise.empty() ||
      std::ranges::find(ending.broken, run.expect_promise) != ending.broken.end();
  return ending.exit_code == static_cast<int>(ExitCode::broken) && right_promise;
}

std::string Conductor::actual(std::size_t index) const {
  const CampaignRun& run = campaign_.runs[index];
  if (!run.skipped.empty()) return "skipped: " + run.skipped;
  const ChildEnding& ending = endings_.at(index);
  switch (ending.exit_code) {
    case 0:
      return ending.prices.empty() ? "kept"
                                   : fmt::format("kept; price: {}", fmt::join(ending.prices, ", "));
    case 1:
      return fmt::format("broken: {}", fmt::join(ending.broken, ", "));
    case 2:
      return "undetermined or not exercised";
    default:
      return fmt::format("the harness failed (exit {})", ending.exit_code);
  }
}

void Conductor::announce(std::size_t index) const {
  if (options_.quiet) return;
  const CampaignRun& run = campaign_.runs[index];
  fmt::print(
      stderr,
      "[{}/{}] {} ({} seed {}{})\n",
      index + 1,
      campaign_.runs.size(),
      run.title,
      run.options.scenario,
      run.options.seed.value_or(0),
      run.options.sabotage.empty() ? "" : fmt::format(", sabotaged: {}", run.options.sabotage));
}

void Conductor::skip(std::size_t index) {
  endings_[index].exit_code = static_cast<int>(ExitCode::undetermined);
  if (!options_.quiet) fmt::print(stderr, "      {}\n", actual(index));
}

asio::awaitable<void> Conductor::one(std::size_t index) {
  const CampaignRun& run = campaign_.runs[index];
  const fs::path directory = directory_of(index);
  announce(index);
  if (!run.skipped.empty()) {
    skip(index);
    co_return;
  }
  ChildStart start{.options = run.options, .directory = directory, .errors = {}};
  start.shown = options_.jobs == 1 && !options_.quiet;  // side by side, lines would mix
  auto performing = children_.perform(std::move(start));
  const ChildEnding ending = co_await std::move(performing);
  endings_[index] = ending;
  if (!options_.quiet) {
    fmt::print(stderr,
               "      {}{} in {}, {}\n",
               // Side by side, runs end in another order than they begin.
               options_.jobs > 1 ? fmt::format("[{}] ", index + 1) : "",
               actual(index),
               base::format_duration(std::chrono::milliseconds(ending.took.count() / 1'000'000)),
               as_expected(index) ? "as expected" : "NOT as expected");
  }
}

asio::awaitable<void> Conductor::worker() {
  while (next_ < mine_.size() && !stopping_) co_await one(mine_[next_++]);
}

asio::awaitable<void> Conductor::watch_signals() {
  asio::signal_set signals(loop_.get_executor(), SIGINT, SIGTERM);
  for (;;) {
    const auto [error, number] = co_await signals.async_wait(asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
    stopping_ = true;
    children_.interrupt();
  }
}

asio::awaitable<void> Conductor::body() {
  base::TaskGroup watching(loop_.get_executor());
  watching.spawn("signals", watch_signals());
  for (std::size_t i = 0; i < options_.jobs; ++i) tasks_.spawn("runs", worker());
  co_await tasks_.join();
  co_await watching.close();
}

Result<ExitCode> Conductor::perform() {
  for (std::size_t i = 0; i < campaign_.runs.size(); ++i) {
    if (i % options_.shards == options_.shard - 1) mine_.push_back(i);
  }
  std::exception_ptr failure;
  auto on_end = [&failure](const std::exception_ptr& error) { failure = error; };
  asio::co_spawn(loop_, body(), on_end);
  loop_.run();
  if (failure) std::rethrow_exception(failure);
  return conclude();
}

// A run that left no report is missing in the comparison; its row says why.
void Conductor::compare_runs(report::CampaignReport& report) const {
  std::vector<report::ComparedRun> runs;
  for (const auto& [index, ending] : endings_) {
    const auto document = base::read_file(directory_of(index) / "report.json");
    if (document.has_error()) continue;
    auto run = report::read_compared_run(campaign_.runs[index].title, *document);
    if (run.has_value()) runs.push_back(std::move(*run));
  }
  if (!runs.empty()) report.figures = report::compare(runs);
}

Result<ExitCode> Conductor::conclude() {
  report::CampaignReport report;
  report.name = campaign_.name;
  report.started = started_;
  report.version = version();
  int code = stopping_ ? 2 : 0;
  const auto worsen = [&code](int other) {
    const auto rank = [](int value) {
      return value == 3 ? 3 : value == 1 ? 2 : value == 2 ? 1 : 0;
    };
    if (rank(other) > rank(code)) code = other;
  };
  for (const auto& [index, ending] : endings_) {
    const CampaignRun& run = campaign_.runs[index];
    const bool expected = as_expected(index);
    if (!expected) {
      const bool known = ending.exit_code == 1 || ending.exit_code == 2;
      // A sabotage that was not caught is a defect of the harness, not of the system.
      const bool uncaught = run.expect_broken && run.skipped.empty();
      // A price that was not shown proves nothing.
      const bool unshown = !run.expect_broken && ending.exit_code == 0;
      worsen(unshown ? 2 : uncaught || !known ? 3 : ending.exit_code);
    }
    report::CampaignRow row;
    row.title = run.title;
    row.scenario = run.options.scenario;
    row.seed = run.options.seed.value_or(0);
    row.sabotage = run.options.sabotage;
    row.expected = expected_of(run);
    row.actual = actual(index);
    row.as_expected = expected;
    row.duration_ns = ending.took.count();
    row.directory = as_typed(directory_of(index));
    if (run.skipped.empty()) row.link = directory_of(index).filename().string() + "/report.html";
    report.rows.push_back(std::move(row));
  }
  report.exit_code = code;
  if (campaign_.compare) compare_runs(report);
  SUNDER_TRY(report::write_campaign(report, directory_));
  fmt::print("{}", report::render_campaign_terminal(report, ::isatty(STDOUT_FILENO) == 1));
  return static_cast<ExitCode>(code);
}

}  // namespace

Result<ExitCode> perform_campaign(const Campaign& campaign, const CampaignOptions& options) {
  auto directory = make_run_directory(options.out, campaign.name);
  SUNDER_TRY(directory);
  Conductor conductor(campaign, options, *directory);
  auto code = conductor.perform();
  SUNDER_TRY(return_to_sudo_user(*directory));
  return code;
}

}  // namespace sunder::run
