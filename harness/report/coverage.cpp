#include "harness/report/coverage.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "harness/report/summary.hpp"
#include "harness/report/timeline.hpp"

namespace sunder::report {
namespace {

constexpr std::string_view kBit = "✓";
constexpr std::string_view kIdle = "○";
constexpr std::string_view kNeverCame = "–";
constexpr std::size_t kReasonsMax = 12;

// The families of a --faults list: "partition:leader@2s+6s, kill" names partition and kill.
std::vector<std::string> families_in(std::string_view list) {
  std::vector<std::string> families;
  constexpr std::string_view atlas = "atlas:";
  if (list.starts_with(atlas)) list.remove_prefix(atlas.size());
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view item = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    while (item.starts_with(' ')) item.remove_prefix(1);
    item = item.substr(0, item.find_first_of(" :@;"));
    const bool word = item == "none" || item == "all" || item == "atlas";
    if (!item.empty() && !word) families.emplace_back(item);
  }
  return families;
}

// What the fault showed of itself; numbers that only name a process say little.
std::string evidence_of(const history::FaultRecord& fault) {
  for (const history::Evidence& item : fault.evidence) {
    const bool tells = item.name.find("pid") == std::string::npos && item.name != "lag";
    if (tells && item.value != 0) return evidence_text(item);
  }
  return fault.evidence.empty() ? std::string() : evidence_text(fault.evidence.front());
}

std::string_view mark_of(const EventCoverage& cell) {
  if (cell.exercised > 0) return kBit;
  return cell.reason.starts_with("its event never came") ? kNeverCame : kIdle;
}

}  // namespace

std::vector<FamilyCoverage> coverage_of(const RunReport& report) {
  std::map<std::string, FamilyCoverage> families;
  for (const auto& [name, value] : report.inputs) {
    if (name != "faults") continue;
    for (std::string& family : families_in(value)) families[std::move(family)];
  }
  for (const auto& fault : report.context.faults) {
    FamilyCoverage& family = families[fault.family];
    ++family.planned;
    if (!took_place(fault)) {
      if (fault.event.empty()) family.skipped = fault.reason;
      continue;
    }
    ++family.applied;
    if (!fault.exercised) continue;
    ++family.exercised;
    if (family.evidence.empty()) family.evidence = evidence_of(fault);
  }
  for (const auto& [family, reason] : report.skipped) families[family].skipped = reason;
  std::vector<FamilyCoverage> rows;
  for (auto& [name, coverage] : families) {
    coverage.family = name;
    rows.push_back(std::move(coverage));
  }
  return rows;
}

std::vector<EventCoverage> event_coverage_of(const RunReport& report) {
  std::map<std::pair<std::string, std::string>, EventCoverage> cells;
  for (const history::FaultRecord& fault : report.context.faults) {
    if (fault.event.empty()) continue;
    EventCoverage& cell = cells[{fault.family, fault.event}];
    ++cell.planned;
    if (fault.exercised) ++cell.exercised;
    if (!fault.exercised && cell.reason.empty()) cell.reason = fault.reason;
  }
  std::vector<EventCoverage> rows;
  for (auto& [key, cell] : cells) {
    std::tie(cell.family, cell.event) = key;
    rows.push_back(std::move(cell));
  }
  return rows;
}

CampaignTable family_table(const RunReport& report) {
  CampaignTable table;
  table.title = "Fault families";
  table.header = {"family", "planned", "applied", "bit", "evidence"};
  for (const FamilyCoverage& family : coverage_of(report)) {
    table.rows.push_back(
        {family.family,
         fmt::format("{}", family.planned),
         fmt::format("{}", family.applied),
         fmt::format("{}", family.exercised),
         family.skipped.empty() ? family.evidence : fmt::format("skipped: {}", family.skipped)});
  }
  return table;
}

CampaignTable event_table(const RunReport& report, bool numbered) {
  const std::vector<EventCoverage> cells = event_coverage_of(report);
  std::set<std::string> events;
  for (const EventCoverage& cell : cells) events.insert(cell.event);
  CampaignTable table;
  table.title = "Faults at events";
  table.header = {"family"};
  std::string legend;
  for (const std::string& event : events) {
    const std::size_t number = table.header.size();
    table.header.push_back(numbered ? fmt::format("{}", number) : event);
    if (numbered) legend += fmt::format("{}{} {}", legend.empty() ? "" : ", ", number, event);
  }
  std::map<std::string, std::vector<std::string>> rows;
  std::set<std::string> reasons;
  std::size_t exercised = 0;
  for (const EventCoverage& cell : cells) {
    auto& row = rows[cell.family];
    row.resize(table.header.size());
    row.front() = cell.family;
    const auto column = std::distance(events.begin(), events.find(cell.event)) + 1;
    row[static_cast<std::size_t>(column)] = mark_of(cell);
    if (cell.exercised > 0) {
      ++exercised;
    } else {
      reasons.insert(fmt::format("{} at {}: {}", cell.family, cell.event, cell.reason));
    }
  }
  for (auto& [family, row] : rows) table.rows.push_back(std::move(row));
  if (table.rows.empty()) return table;
  table.note = fmt::format("{} of {} exercised ({} bit, {} did not bite, {} its event never came).",
                           exercised,
                           cells.size(),
                           kBit,
                           kIdle,
                           kNeverCame);
  if (!legend.empty()) table.note += fmt::format(" Columns: {}.", legend);
  std::size_t shown = 0;
  for (const std::string& reason : reasons) {
    if (numbered || ++shown > kReasonsMax) break;
    table.note += fmt::format(" {}.", reason);
  }
  return table;
}

}  // namespace sunder::report
