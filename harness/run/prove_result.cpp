#include "harness/run/prove_result.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/base/duration.hpp"

namespace sunder::run {
namespace {

namespace json = boost::json;
using std::chrono::nanoseconds;

constexpr std::size_t kSeedsPerMiss = 20;

nanoseconds median_of(std::vector<nanoseconds> times) {
  if (times.empty()) return nanoseconds(0);
  std::ranges::sort(times);
  return times[times.size() / 2];
}

double seconds(nanoseconds time) {
  return static_cast<double>(time.count()) / 1e9;
}

std::string seconds_text(nanoseconds time) {
  return fmt::format("{:.1f} s", seconds(time));
}

std::string_view name_of(ProveArm arm) {
  return arm == ProveArm::suited ? "suited" : "random";
}

const ProveRow* find_row(const ProveResult& result, std::string_view sabotage, ProveArm arm) {
  for (const ProveRow& row : result.rows) {
    if (row.sabotage == sabotage && row.arm == arm) return &row;
  }
  return nullptr;
}

bool harness_failed(const ProveRow& row) {
  return std::ranges::any_of(row.seeds,
                             [](const ProveSeed& seed) { return !seed.failure.empty(); });
}

std::string caught_text(const ProveSummary& summary) {
  return summary.finished == 0 ? "–" : fmt::format("{}/{}", summary.caught, summary.finished);
}

std::string time_of(const ProveSummary& summary, nanoseconds time) {
  return summary.caught == 0 ? "–" : seconds_text(time);
}

report::CampaignTable verdicts_of(const ProveResult& result) {
  report::CampaignTable table;
  table.title = "Sabotages: caught, and how fast";
  table.header = {
      "sabotage", "caught", "median", "slowest", "under load", "attempts", "by", "random alone"};
  for (const ProveRow& row : result.rows) {
    if (row.arm != ProveArm::suited) continue;
    const ProveSummary summary = summary_of(row);
    const ProveRow* const random = find_row(result, row.sabotage, ProveArm::random);
    const ProveSummary other = random == nullptr ? ProveSummary() : summary_of(*random);
    std::string alone = random == nullptr || !random->skipped.empty() ? "–" : caught_text(other);
    if (other.caught > 0) alone += fmt::format(", {}", seconds_text(other.median));
    table.rows.push_back({row.sabotage,
                          row.skipped.empty() ? caught_text(summary) : "skipped",
                          time_of(summary, summary.median),
                          time_of(summary, summary.slowest),
                          time_of(summary, summary.median_load),
                          fmt::format("{}", summary.attempts),
                          fmt::format("{}", fmt::join(summary.promises, ", ")),
                          alone});
  }
  table.note = fmt::format(
      "Wall time from the first attempt's start to the verdict; an attempt has at most {} of load.",
      base::format_duration(result.attempt));
  for (const ProveRow& row : result.rows) {
    if (row.arm != ProveArm::random) continue;
    table.note += fmt::format(
        " Random alone: the same families, load and attempts, laid out at random, for {}.",
        base::format_duration(row.budget));
    break;
  }
  return table;
}

std::string seed_text(const ProveRow& row, const ProveSeed& seed) {
  if (!seed.failure.empty()) return fmt::format("the harness failed: {}", seed.failure);
  const std::string spent = fmt::format(
      "{} in {} attempt{}", seconds_text(seed.wall), seed.attempts, seed.attempts == 1 ? "" : "s");
  if (seed.caught) return fmt::format("{}, {}", fmt::join(seed.promises, ", "), spent);
  std::string text = seed.finished ? "not caught" : "interrupted";
  if (!seed.others.empty()) text += fmt::format(" (broken: {})", fmt::join(seed.others, ", "));
  return fmt::format("{}, {} of {}", text, spent, base::format_duration(row.budget));
}

json::object seed_json(const ProveSeed& seed) {
  return json::object{{"seed", seed.seed},
                      {"finished", seed.finished},
                      {"caught", seed.caught},
                      {"attempts", seed.attempts},
                      {"wall_s", seconds(seed.wall)},
                      {"load_s", seconds(seed.load)},
                      {"promises", json::value_from(seed.promises)},
                      {"broken_otherwise", json::value_from(seed.others)},
                      {"failure", seed.failure},
                      {"directory", seed.directory}};
}

json::object row_json(const ProveRow& row) {
  const ProveSummary summary = summary_of(row);
  json::array seeds;
  for (const ProveSeed& seed : row.seeds) seeds.push_back(seed_json(seed));
  return json::object{{"sabotage", row.sabotage},
                      {"schedules", name_of(row.arm)},
                      {"breaks", json::value_from(row.breaks)},
                      {"families", json::value_from(row.families)},
                      {"faults", row.faults},
                      {"attempt_s", seconds(row.duration)},
                      {"budget_s", seconds(row.budget)},
                      {"skipped", row.skipped},
                      {"caught", summary.caught},
                      {"finished", summary.finished},
                      {"median_wall_s", seconds(summary.median)},
                      {"slowest_wall_s", seconds(summary.slowest)},
                      {"median_load_s", seconds(summary.median_load)},
                      {"seeds", seeds}};
}

}  // namespace

ProveSummary summary_of(const ProveRow& row) {
  ProveSummary summary;
  std::vector<nanoseconds> walls;
  std::vector<nanoseconds> loads;
  std::map<std::string, std::size_t> promises;
  for (const ProveSeed& seed : row.seeds) {
    summary.attempts += seed.attempts;
    if (seed.finished) ++summary.finished;
    if (!seed.caught) continue;
    ++summary.caught;
    walls.push_back(seed.wall);
    loads.push_back(seed.load);
    for (const std::string& promise : seed.promises) ++promises[promise];
  }
  summary.median = median_of(walls);
  summary.median_load = median_of(loads);
  if (!walls.empty()) summary.slowest = *std::ranges::max_element(walls);
  for (const auto& [promise, count] : promises) summary.promises.push_back(promise);
  std::ranges::stable_sort(
      summary.promises, std::greater<>(), [&](const auto& name) { return promises[name]; });
  return summary;
}

bool is_proven(const ProveSummary& summary) noexcept {
  return summary.finished - summary.caught <= summary.finished / kSeedsPerMiss;
}

ExitCode exit_code_of(const ProveResult& result) {
  for (const ProveRow& row : result.rows) {
    const bool missed = row.arm == ProveArm::suited && !is_proven(summary_of(row));
    if (missed || harness_failed(row)) return ExitCode::harness_failed;
  }
  for (const ProveControl& control : result.controls) {
    if (control.false_alarm() || (control.finished && control.exit_code > 2)) {
      return ExitCode::harness_failed;
    }
  }
  return result.interrupted ? ExitCode::undetermined : ExitCode::kept;
}

report::CampaignTable matrix_of(const ProveResult& result) {
  std::set<std::string> families;
  for (const ProveRow& row : result.rows) families.insert(row.families.begin(), row.families.end());
  report::CampaignTable table;
  table.title = "Sabotage × fault family: median time to detection";
  table.header = {"sabotage"};
  table.header.insert(table.header.end(), families.begin(), families.end());
  for (const ProveRow& row : result.rows) {
    if (row.arm != ProveArm::suited) continue;
    const ProveSummary summary = summary_of(row);
    std::vector<std::string> cells{row.sabotage};
    for (const std::string& family : families) {
      const bool used = std::ranges::find(row.families, family) != row.families.end();
      std::string cell = used ? time_of(summary, summary.median) : "";
      if (used && !row.skipped.empty()) cell = "skipped";
      if (used && summary.caught == 0 && summary.finished > 0) cell = "missed";
      cells.push_back(std::move(cell));
    }
    table.rows.push_back(std::move(cells));
  }
  table.note = "By the schedule that suits the sabotage, in the column of every family it uses.";
  return table;
}

report::CampaignReport page_of(const ProveResult& result) {
  report::CampaignReport page;
  page.name = fmt::format("prove {}", result.scenario);
  page.started = result.started;
  page.version = result.version;
  page.exit_code = static_cast<int>(exit_code_of(result));
  page.tables = {verdicts_of(result), matrix_of(result)};
  for (const ProveRow& row : result.rows) {
    for (const ProveSeed& seed : row.seeds) {
      report::CampaignRow line;
      line.title = fmt::format("{} under {} schedules", row.sabotage, name_of(row.arm));
      line.scenario = result.scenario;
      line.seed = seed.seed;
      line.sabotage = row.sabotage;
      line.expected = row.arm == ProveArm::suited
                          ? fmt::format("{} broken", fmt::join(row.breaks, " or "))
                          : "whatever comes";
      line.actual = seed_text(row, seed);
      line.as_expected = seed.failure.empty() && (seed.caught || row.arm == ProveArm::random);
      line.duration_ns = seed.wall.count();
      line.directory = seed.directory;
      line.link = seed.directory.empty() ? "" : seed.directory + "/report.html";
      page.rows.push_back(std::move(line));
    }
  }
  for (const ProveControl& control : result.controls) {
    report::CampaignRow line;
    line.title = fmt::format("healthy control: {}", control.faults);
    line.scenario = result.scenario;
    line.seed = control.seed;
    line.expected = "nothing broken";
    line.as_expected = control.finished && control.exit_code <= 2 && !control.false_alarm();
    line.actual = !control.finished ? "interrupted"
                  : control.false_alarm()
                      ? fmt::format("broken: {}", fmt::join(control.broken, ", "))
                  : control.exit_code > 2 ? "the harness failed"
                                          : "nothing broken";
    line.directory = control.directory;
    line.link = control.directory.empty() ? "" : control.directory + "/report.html";
    page.rows.push_back(std::move(line));
  }
  return page;
}

std::string to_json(const ProveResult& result) {
  json::array rows;
  for (const ProveRow& row : result.rows) rows.push_back(row_json(row));
  json::array controls;
  for (const ProveControl& control : result.controls) {
    controls.push_back(json::object{{"faults", control.faults},
                                    {"seed", control.seed},
                                    {"finished", control.finished},
                                    {"exit_code", control.exit_code},
                                    {"false_alarm", control.false_alarm()},
                                    {"broken", json::value_from(control.broken)},
                                    {"directory", control.directory}});
  }
  const json::object document{{"format", 1},
                              {"sunder", result.version},
                              {"scenario", result.scenario},
                              {"started", result.started},
                              {"took_s", seconds(result.took)},
                              {"interrupted", result.interrupted},
                              {"exit_code", static_cast<int>(exit_code_of(result))},
                              {"sabotages", rows},
                              {"controls", controls}};
  return json::serialize(document) + "\n";
}

std::string conclusion_of(const ProveResult& result) {
  std::string text;
  std::size_t suited = 0;
  std::size_t proven = 0;
  for (const ProveRow& row : result.rows) {
    for (const ProveSeed& seed : row.seeds) {
      if (seed.failure.empty()) continue;
      text += fmt::format(
          "  the harness failed: {} seed {}: {}\n", row.sabotage, seed.seed, seed.failure);
    }
    if (row.arm != ProveArm::suited) continue;
    if (!row.skipped.empty()) {
      text += fmt::format("  skipped: {}: {}\n", row.sabotage, row.skipped);
      continue;
    }
    const ProveSummary summary = summary_of(row);
    if (summary.finished == 0) continue;
    ++suited;
    if (is_proven(summary)) {
      ++proven;
    } else {
      text += fmt::format("  NOT CAUGHT: {} in {} of {} seeds: a defect of the harness\n",
                          row.sabotage,
                          summary.finished - summary.caught,
                          summary.finished);
    }
  }
  std::size_t controls = 0;
  for (const ProveControl& control : result.controls) {
    if (control.finished) ++controls;
    if (control.false_alarm()) {
      text += fmt::format("  FALSE ALARM: {} broken without a sabotage: see {}\n",
                          fmt::join(control.broken, ", "),
                          control.directory);
    } else if (control.finished && control.exit_code > 2) {
      text += fmt::format("  the harness failed in a healthy control: see {}\n", control.directory);
    }
  }
  text += fmt::format("  {} of {} sabotages caught, {} healthy controls, {}{}\n",
                      proven,
                      suited,
                      controls,
                      base::format_duration(std::chrono::seconds(
                          std::chrono::duration_cast<std::chrono::seconds>(result.took))),
                      result.interrupted ? ", interrupted" : "");
  return text;
}

}  // namespace sunder::run
