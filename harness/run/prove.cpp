#include "harness/run/prove.hpp"

#include <algorithm>
#include <csignal>
#include <set>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "harness/base/clock.hpp"
#include "harness/base/deadline.hpp"
#include "harness/base/duration.hpp"
#include "harness/base/file.hpp"
#include "harness/base/random.hpp"
#include "harness/base/task_group.hpp"
#include "harness/run/child_run.hpp"
#include "harness/run/directory.hpp"
#include "harness/run/host.hpp"
#include "nemesis/nemesis.hpp"
#include "nemesis/parameters.hpp"
#include "nemesis/roles.hpp"
#include "nemesis/schedule_text.hpp"

namespace sunder::run {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using std::chrono::nanoseconds;
using namespace std::chrono_literals;

// One thing for a worker to do: all attempts of a row's seed, or one control run.
struct Cell {
  std::size_t row = 0;  // or index of the control
  std::size_t seed = 0;
  bool control = false;
};

class Prover {
 public:
  explicit Prover(const ProveOptions& options) : options_(options) {}

  // What is to be done; wrong names are said here, before anything is made.
  Result<void> plan();

  void write_into(fs::path directory) { directory_ = std::move(directory); }

  Result<ExitCode> perform();

 private:
  Result<void> add_rows(const nodes::Sabotage& sabotage);
  void add_controls(const nodes::Sabotage& sabotage, const ProveRow& row);
  void order_cells();
  [[nodiscard]] RunOptions run_options(const nodes::Sabotage& sabotage, const ProveRow& row) const;

  asio::awaitable<void> body();
  asio::awaitable<void> worker();
  asio::awaitable<void> attempts(Cell cell);
  asio::awaitable<ChildEnding> attempt(Cell cell, std::size_t number, fs::path directory);
  asio::awaitable<void> control(std::size_t index);
  asio::awaitable<void> watch_signals();
  asio::awaitable<void> show_progress();
  void judge(ProveSeed& seed, const ProveRow& row, const ChildEnding& ending, const fs::path& at);
  void keep(ProveSeed& seed, const fs::path& directory);
  void say(const std::string& line) const;
  [[nodiscard]] std::string live_line() const;
  Result<ExitCode> conclude();

  const ProveOptions& options_;
  fs::path directory_;
  std::optional<asio::io_context> loop_;  // made after the plan, which probes the machine
  std::int64_t begin_ = base::monotonic_ns();
  ProveResult result_;
  std::vector<const nodes::Sabotage*> sabotages_;  // of each row of the result
  std::vector<RunOptions> controls_;               // of each control of the result
  std::vector<Cell> cells_;
  std::size_t next_ = 0;
  std::size_t done_ = 0;
  std::set<std::string> working_;  // what the workers are at
  std::set<std::string> shown_;    // sabotages of which a caught run is kept
  ChildRuns children_{options_.program};
  bool stopping_ = false;
};

// ---- what is to be done ----

Result<void> Prover::plan() {
  result_.scenario = options_.scenario->name;
  result_.started = base::utc_readable();
  result_.version = version();
  result_.attempt = options_.attempt;
  std::vector<const nodes::Sabotage*> chosen;
  for (const std::string& name : options_.sabotages) {
    auto sabotage = find_sabotage(*options_.scenario, name);
    SUNDER_TRY(sabotage);
    if (std::ranges::find(chosen, *sabotage) == chosen.end()) chosen.push_back(*sabotage);
  }
  if (chosen.empty()) {
    for (const nodes::Sabotage& sabotage : mode_of(*options_.scenario).sabotages) {
      chosen.push_back(&sabotage);
    }
  }
  for (const nodes::Sabotage* sabotage : chosen) SUNDER_TRY(add_rows(*sabotage));
  order_cells();
  return {};
}

Result<void> Prover::add_rows(const nodes::Sabotage& sabotage) {
  ProveRow row;
  row.sabotage = sabotage.name;
  row.breaks = sabotage.breaks;
  const bool timed = sabotage.duration.count() > 0 && !options_.faults;
  row.duration =
      timed ? std::min<nanoseconds>(options_.attempt, sabotage.duration) : options_.attempt;
  row.budget = options_.budget;
  const std::string suited =
      sabotage.faults.empty() ? std::string(options_.scenario->default_faults) : sabotage.faults;
  const std::string named = nemesis::name_nodes(options_.faults.value_or(suited),
                                                role_names(mode_of(*options_.scenario)));
  auto faults = items_within(named, row.duration);
  SUNDER_TRY(faults);
  row.faults = std::move(*faults);
  auto families = nemesis::families_of(row.faults);
  SUNDER_TRY(families);
  row.families = std::move(*families);
  const auto resolved = resolve(run_options(sabotage, row));
  if (resolved.has_error()) {
    if (!is(resolved.error(), Errc::unsupported))
      return with_context(resolved.error(), row.sabotage);
    row.skipped = resolved.error().message();
    result_.rows.push_back(std::move(row));
    sabotages_.push_back(&sabotage);
    return {};
  }
  for (std::size_t i = 0; i < options_.seeds; ++i) {
    row.seeds.emplace_back().seed = options_.first_seed + i;
  }
  add_controls(sabotage, row);
  ProveRow random = row;
  result_.rows.push_back(std::move(row));
  sabotages_.push_back(&sabotage);
  if (options_.random == 0 || random.families.empty()) return {};
  random.arm = ProveArm::random;
  random.faults = fmt::format("{}", fmt::join(random.families, ","));
  random.duration = options_.attempt;
  random.budget = options_.random_budget;
  random.seeds.resize(0);
  for (std::size_t i = 0; i < options_.random; ++i) {
    random.seeds.emplace_back().seed = options_.first_seed + i;
  }
  result_.rows.push_back(std::move(random));
  sabotages_.push_back(&sabotage);
  return {};
}

// Sabotages that share a schedule share its control.
void Prover::add_controls(const nodes::Sabotage& sabotage, const ProveRow& row) {
  RunOptions options = run_options(sabotage, row);
  options.sabotage.clear();
  for (const RunOptions& other : controls_) {
    const bool same = other.faults == options.faults && other.rate == options.rate &&
                      other.keys == options.keys && other.mix == options.mix &&
                      other.duration == options.duration;
    if (same) return;
  }
  for (std::size_t i = 0; i < options_.controls; ++i) {
    ProveControl& control = result_.controls.emplace_back();
    control.faults = row.faults;
    control.seed = options_.first_seed + i;
    options.seed = control.seed;
    controls_.push_back(options);
  }
}

// Seed by seed, so that an interrupted proof has seen every sabotage; then what compares.
void Prover::order_cells() {
  const auto add_arm = [this](ProveArm arm, std::size_t seeds) {
    for (std::size_t seed = 0; seed < seeds; ++seed) {
      for (std::size_t row = 0; row < result_.rows.size(); ++row) {
        if (result_.rows[row].arm != arm || seed >= result_.rows[row].seeds.size()) continue;
        cells_.push_back({.row = row, .seed = seed});
      }
    }
  };
  add_arm(ProveArm::suited, options_.seeds);
  for (std::size_t i = 0; i < result_.controls.size(); ++i) {
    cells_.push_back({.row = i, .control = true});
  }
  add_arm(ProveArm::random, options_.random);
}

RunOptions Prover::run_options(const nodes::Sabotage& sabotage, const ProveRow& row) const {
  RunOptions options;
  options.kernel = options_.kernel;
  options.scenario = options_.scenario->name;
  options.sabotage = sabotage.name;
  options.faults = row.faults;
  options.duration = row.duration;
  options.rate = sabotage.rate;
  options.mix = sabotage.mix;
  if (sabotage.keys > 0) options.keys = sabotage.keys;
  return options;
}

// ---- doing it ----

Result<ExitCode> Prover::perform() {
  std::exception_ptr failure;
  auto on_end = [&failure](const std::exception_ptr& error) { failure = error; };
  loop_.emplace(1);
  asio::co_spawn(*loop_, body(), on_end);
  loop_->run();
  if (failure) std::rethrow_exception(failure);
  result_.took = nanoseconds(base::monotonic_ns() - begin_);
  return conclude();
}

asio::awaitable<void> Prover::body() {
  base::TaskGroup watching(loop_->get_executor());
  watching.spawn("signals", watch_signals());
  watching.spawn("progress", show_progress());
  base::TaskGroup workers(loop_->get_executor());
  for (std::size_t i = 0; i < options_.jobs; ++i) workers.spawn("attempts", worker());
  co_await workers.join();
  co_await watching.close();
}

asio::awaitable<void> Prover::worker() {
  while (next_ < cells_.size() && !stopping_) {
    const Cell cell = cells_[next_++];
    if (cell.control) {
      co_await control(cell.row);
    } else {
      co_await attempts(cell);
    }
    ++done_;
  }
}

asio::awaitable<void> Prover::attempts(Cell cell) {
  ProveRow& row = result_.rows[cell.row];
  ProveSeed& seed = row.seeds[cell.seed];
  const std::string arm = row.arm == ProveArm::suited ? "suited" : "random";
  const std::int64_t begin = base::monotonic_ns();
  while (!stopping_ && !seed.finished) {
    ++seed.attempts;
    const fs::path directory =
        directory_ / "attempts" /
        fmt::format("{}-{}-{}-{}", row.sabotage, arm, seed.seed, seed.attempts);
    const std::string doing =
        fmt::format("{} ({}) seed {} attempt {}", row.sabotage, arm, seed.seed, seed.attempts);
    working_.insert(doing);
    auto trying = attempt(cell, seed.attempts, directory);
    const ChildEnding ending = co_await std::move(trying);
    working_.erase(doing);
    seed.wall = nanoseconds(base::monotonic_ns() - begin);
    seed.load += ending.load.count() > 0 ? ending.load : row.duration;
    judge(seed, row, ending, directory);
  }
  if (!seed.finished) co_return;
  say(fmt::format("{} ({}) seed {}: {} after {} in {:.1f} s",
                  row.sabotage,
                  arm,
                  seed.seed,
                  !seed.failure.empty() ? "the harness failed"
                  : seed.caught ? fmt::format("caught by {}", fmt::join(seed.promises, ", "))
                                : "not caught",
                  seed.attempts == 1 ? "1 attempt" : fmt::format("{} attempts", seed.attempts),
                  static_cast<double>(seed.wall.count()) / 1e9));
}

asio::awaitable<ChildEnding> Prover::attempt(Cell cell, std::size_t number, fs::path directory) {
  const ProveRow& row = result_.rows[cell.row];
  const ProveSeed& seed = row.seeds[cell.seed];
  ChildStart start{
      .options = run_options(*sabotages_[cell.row], row), .directory = {}, .errors = {}};
  // Short enough to type.
  start.options.seed = base::Random(seed.seed).fork(row.sabotage, number).next() >> 32U;
  start.errors = directory.string() + ".errors";
  start.directory = std::move(directory);
  auto performing = children_.perform(std::move(start));
  ChildEnding ending = co_await std::move(performing);
  co_return ending;
}

void Prover::judge(ProveSeed& seed,
                   const ProveRow& row,
                   const ChildEnding& ending,
                   const fs::path& at) {
  const bool right = ending.exit_code == static_cast<int>(ExitCode::broken);
  for (const std::string& promise : ending.broken) {
    const bool said = std::ranges::find(row.breaks, promise) != row.breaks.end();
    (right && said ? seed.promises : seed.others).push_back(promise);
  }
  if (!seed.promises.empty()) {
    seed.caught = seed.finished = true;
  } else if (!right && ending.exit_code > static_cast<int>(ExitCode::undetermined)) {
    if (stopping_) return;  // it was stopped before it had begun
    const auto said = base::read_file(at.string() + ".errors");
    seed.failure = said.has_value() && !said->empty() ? said->substr(0, said->find('\n'))
                                                      : fmt::format("exit {}", ending.exit_code);
    seed.finished = true;
  } else if (seed.wall >= row.budget) {
    seed.finished = true;
  }
  const bool shown = seed.caught && row.arm == ProveArm::suited && shown_.contains(row.sabotage);
  const bool worth = seed.finished && !shown && (row.arm == ProveArm::suited || !seed.caught);
  std::error_code ignored;  // what cannot be removed stays
  if (seed.failure.empty()) fs::remove(at.string() + ".errors", ignored);
  if (worth || options_.keep || !seed.failure.empty()) {
    keep(seed, at);
    if (seed.caught) shown_.insert(row.sabotage);
  } else {
    fs::remove_all(at, ignored);
  }
}

void Prover::keep(ProveSeed& seed, const fs::path& directory) {
  std::error_code ignored;
  // The nodes' data and their events are most of a run, and a report needs neither.
  if (!options_.keep && seed.failure.empty()) {
    for (const auto& node : fs::directory_iterator(directory / "nodes", ignored)) {
      fs::remove_all(node.path() / "data", ignored);
    }
  }
  seed.directory = directory.lexically_relative(directory_).string();
}

asio::awaitable<void> Prover::control(std::size_t index) {
  ProveControl& control = result_.controls[index];
  ChildStart start{.options = controls_[index], .directory = {}, .errors = {}};
  start.directory = directory_ / "attempts" / fmt::format("control-{}", index + 1);
  start.errors = start.directory.string() + ".errors";
  const fs::path directory = start.directory;
  const std::string doing = fmt::format("healthy control {} of {}", index + 1, controls_.size());
  working_.insert(doing);
  auto performing = children_.perform(std::move(start));
  const ChildEnding ending = co_await std::move(performing);
  working_.erase(doing);
  if (stopping_) co_return;
  control.finished = true;
  control.exit_code = ending.exit_code;
  control.broken = ending.broken;
  const bool wrong = control.false_alarm() || control.exit_code > 2;
  say(fmt::format("{}: {}", doing, wrong ? "NOT KEPT" : "nothing broken"));
  std::error_code ignored;
  if (wrong || options_.keep) {
    control.directory = directory.lexically_relative(directory_).string();
  } else {
    fs::remove_all(directory, ignored);
    fs::remove(directory.string() + ".errors", ignored);
  }
}

asio::awaitable<void> Prover::watch_signals() {
  asio::signal_set signals(loop_->get_executor(), SIGINT, SIGTERM);
  for (;;) {
    const auto [error, number] = co_await signals.async_wait(asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
    stopping_ = true;
    result_.interrupted = true;
    children_.interrupt();
  }
}

// ---- what is seen of it ----

std::string Prover::live_line() const {
  std::size_t caught = 0;
  std::size_t missed = 0;
  for (const ProveRow& row : result_.rows) {
    if (row.arm != ProveArm::suited) continue;
    const ProveSummary summary = summary_of(row);
    caught += summary.caught;
    missed += summary.finished - summary.caught;
  }
  const auto elapsed = std::chrono::seconds((base::monotonic_ns() - begin_) / 1'000'000'000);
  return fmt::format("{} {}/{} · caught {} · missed {} · {}",
                     base::format_duration(elapsed),
                     done_,
                     cells_.size(),
                     caught,
                     missed,
                     fmt::join(working_, " · "));
}

asio::awaitable<void> Prover::show_progress() {
  if (options_.quiet || ::isatty(STDERR_FILENO) == 0) co_return;
  while (co_await base::pause_for(200ms)) {
    const std::string line = live_line();
    fmt::print(stderr, "\r\x1b[K{}", line.substr(0, 150));
    std::fflush(stderr);
  }
  fmt::print(stderr, "\r\x1b[K");
}

void Prover::say(const std::string& line) const {
  if (options_.quiet) return;
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  fmt::print(stderr, "{}[{}/{}] {}\n", terminal ? "\r\x1b[K" : "", done_ + 1, cells_.size(), line);
}

Result<ExitCode> Prover::conclude() {
  const report::CampaignReport page = page_of(result_);
  SUNDER_TRY(base::write_file(directory_ / "prove.json", to_json(result_)));
  SUNDER_TRY(base::write_file(directory_ / "prove.md", report::render_campaign_markdown(page)));
  SUNDER_TRY(base::write_file(directory_ / "prove.html", report::render_campaign_html(page)));
  SUNDER_TRY(base::write_file(directory_ / "junit.xml", report::render_campaign_junit(page)));
  if (options_.json) {
    fmt::print("{}", to_json(result_));
  } else {
    fmt::print("\n");
    for (const report::CampaignTable& table : page.tables) {
      fmt::print("{}\n", report::render_table_terminal(table));
    }
    fmt::print("{}\n  report  {}/prove.html\n", conclusion_of(result_), as_typed(directory_));
  }
  std::fflush(stdout);
  return exit_code_of(result_);
}

}  // namespace

Result<std::string> items_within(std::string_view faults, std::chrono::nanoseconds load) {
  auto items = nemesis::parse_items(faults);
  SUNDER_TRY(items);
  std::vector<std::string> kept;
  std::string_view rest = faults;
  for (const nemesis::ScheduleItem& item : *items) {
    const std::size_t comma = rest.find(',');
    std::string text(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    const bool timed = item.start && item.at.event.empty();
    if (item.start && *item.start >= load) continue;
    if (timed && *item.start + item.duration > load) {
      // Ends with the load: the run would wait for it otherwise.
      const std::size_t end = std::min(text.find(';'), text.size());
      const std::size_t plus = text.rfind('+', end);
      text.replace(plus + 1, end - plus - 1, nemesis::exact_duration(load - *item.start));
    }
    kept.push_back(std::move(text));
  }
  // "all" and "none" are words of their own.
  if (items->empty() || faults == "all") return std::string(faults);
  return kept.empty() ? std::string("none") : fmt::format("{}", fmt::join(kept, ","));
}

Result<ExitCode> perform_prove(const ProveOptions& options) {
  const std::string name = fmt::format("prove-{}", options.scenario->name);
  Prover prover(options);
  SUNDER_TRY(prover.plan());
  auto directory = make_run_directory(options.out, name);
  SUNDER_TRY(directory);
  std::error_code error;
  fs::create_directory(*directory / "attempts", error);
  if (error) return Error{error, fmt::format("create {}", (*directory / "attempts").string())};
  prover.write_into(*directory);
  auto code = prover.perform();
  SUNDER_TRY(return_to_sudo_user(*directory));
  return code;
}

}  // namespace sunder::run
