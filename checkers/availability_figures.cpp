// Pictures of availability: what each side of the cuts was answered, before, meanwhile, afterwards.

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "checkers/availability.hpp"
#include "checkers/connectivity.hpp"
#include "checkers/outcomes.hpp"
#include "checkers/phases.hpp"
#include "checkers/sides.hpp"

namespace sunder::checkers {
namespace {

using history::FaultRecord;
using history::History;
using history::kNever;
using history::Operation;
using history::RunContext;
using history::Window;

constexpr double kNearly_all = 90;  // percent
constexpr double kNearly_none = 10;

// When and where, in the order of the table.
struct Place {
  int order = 0;
  std::string when;
  std::string where;

  auto operator<=>(const Place&) const = default;
};

// Operations of one place and function: those that were over in time, and how many were not.
struct Asked {
  std::vector<std::size_t> in_time;
  std::size_t late = 0;
};

bool separates(const FaultRecord& fault) {
  return !fault.cut_links.empty() && fault.active.end != kNever;
}

Window window_of_phase(const RunContext& context, std::string_view name) {
  const history::Phase* const phase = find_phase(context, name);
  return phase == nullptr ? Window{0, kNever} : phase->window;
}

class Collector {
 public:
  Collector(const History& history, const RunContext& context)
      : history_(history), context_(context), connectivity_(context, Stance::possible) {}

  std::vector<Figure> figures() {
    collect();
    if (chosen_.empty()) return {};
    Table table;
    table.names = 3;
    table.header = {"when", "where", "what", "asked", "answered", "p50", "p99"};
    Bars bars{"%", {}};
    for (const auto& [key, asked] : chosen_) add(key.first, key.second, asked, table, bars);
    std::vector<Figure> figures;
    if (!bars.bars.empty()) {
      figures.push_back({"Availability",
                         "Answered while the network was cut",
                         "What was answered only after the heal does not count.",
                         std::move(bars)});
    }
    figures.push_back({"Availability", "Before, during and after the cuts", "", std::move(table)});
    return figures;
  }

 private:
  void collect() {
    std::int64_t first = kNever;
    std::int64_t last = 0;
    for (const FaultRecord& fault : context_.faults) {
      if (!separates(fault) || context_.clients_see_all) continue;
      first = std::min(first, fault.applying.begin);
      last = std::max(last, fault.healed);
      for (const EndpointSet& side : sides_of(context_, fault)) meanwhile(fault, side);
    }
    const Window load = window_of_phase(context_, "load");
    const Window end = window_of_phase(context_, "tear down");
    const bool cut = first != kNever;
    take({0, cut ? "before the first cut" : "under load", "everywhere"},
         invoked_in(history_, {load.begin, cut ? first : load.end}));
    const std::int64_t until = end.end == kNever && end.begin == 0 ? kNever : end.begin;
    if (cut) take({3, "after the last heal", "everywhere"}, invoked_in(history_, {last, until}));
  }

  void meanwhile(const FaultRecord& fault, const EndpointSet& side) {
    const EndpointSet clients = clients_of(context_, connectivity_, side);
    std::vector<std::size_t> chosen;
    for (const std::size_t index : invoked_in(history_, fault.active)) {
      const auto endpoint = connectivity_.endpoint_of(history_.operations()[index].process);
      if (endpoint && clients[*endpoint]) chosen.push_back(index);
    }
    const bool majority = 2 * count_of(side) > side.size();
    take({majority ? 1 : 2, "while cut", majority ? "majority side" : "minority side"},
         chosen,
         fault.active.end);
  }

  // What is over only after `until` was not answered there, but later.
  void take(const Place& place,
            const std::vector<std::size_t>& operations,
            std::int64_t until = kNever) {
    for (const std::size_t index : operations) {
      const Operation& operation = history_.operations()[index];
      Asked& asked = chosen_[{place, std::string(history_.pool().name(operation.function_name))}];
      const bool late = until != kNever && end_time(operation) > until;
      asked.late += late ? 1 : 0;
      if (!late) asked.in_time.push_back(index);
    }
  }

  void add(const Place& place,
           const std::string& what,
           const Asked& asked,
           Table& table,
           Bars& bars) const {
    const Answers answers = sum_up(history_, asked.in_time, {0, kNever});
    const std::size_t all = asked.in_time.size() + asked.late;
    const double share = 100 * static_cast<double>(answers.answered) / static_cast<double>(all);
    const bool any = answers.answered > 0;
    table.rows.push_back({place.when,
                          place.where,
                          what,
                          fmt::format("{}", all),
                          fmt::format("{:.1f} %", share),
                          any ? milliseconds_text(answers.quantile(0.5)) : "–",
                          any ? milliseconds_text(answers.quantile(0.99)) : "–"});
    if (place.when != "while cut") return;
    const Mark mark = share >= kNearly_all    ? Mark::good
                      : share <= kNearly_none ? Mark::bad
                                              : Mark::doubtful;
    bars.bars.push_back({fmt::format("{}, {}", place.where, what), share, mark});
  }

  const History& history_;
  const RunContext& context_;
  Connectivity connectivity_;
  std::map<std::pair<Place, std::string>, Asked> chosen_;
};

}  // namespace

std::vector<Figure> availability_figures(const History& history, const RunContext& context) {
  return Collector(history, context).figures();
}

}  // namespace sunder::checkers
