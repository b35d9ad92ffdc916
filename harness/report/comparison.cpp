#include "harness/report/comparison.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "harness/history/operation.hpp"

namespace sunder::report {
namespace {

namespace json = boost::json;

using checkers::Bars;
using checkers::Figure;
using checkers::Flow;
using checkers::Gantt;
using checkers::Lines;
using checkers::Mark;
using checkers::Table;

// ---- Reading --------------------------------------------------------------------------------

// What follows throws when a field is missing or of another type; read_compared_run catches it.
std::string text_in(const json::object& object, std::string_view name) {
  return json::value_to<std::string>(object.at(name));
}

double number_in(const json::object& object, std::string_view name) {
  return object.at(name).to_number<double>();
}

std::size_t index_in(const json::object& object, std::string_view name) {
  return object.at(name).to_number<std::size_t>();
}

Mark mark_in(const json::object& object) {
  const std::string name = text_in(object, "mark");
  for (const Mark mark : {Mark::good, Mark::bad, Mark::doubtful}) {
    if (name_of(mark) == name) return mark;
  }
  return Mark::neutral;
}

Bars bars_in(const json::object& object) {
  Bars bars{text_in(object, "unit"), {}};
  for (const json::value& value : object.at("bars").as_array()) {
    const json::object& bar = value.as_object();
    bars.bars.push_back({text_in(bar, "label"), number_in(bar, "value"), mark_in(bar)});
  }
  return bars;
}

Lines lines_in(const json::object& object) {
  const bool run_time = object.at("run_time").as_bool();
  Lines lines{text_in(object, "across"), text_in(object, "up"), run_time, {}};
  for (const json::value& value : object.at("series").as_array()) {
    const json::object& one = value.as_object();
    Lines::Series series{text_in(one, "name"), {}, mark_in(one)};
    for (const json::value& point : one.at("points").as_array()) {
      series.points.emplace_back(point.as_array().at(0).to_number<double>(),
                                 point.as_array().at(1).to_number<double>());
    }
    lines.series.push_back(std::move(series));
  }
  return lines;
}

Flow flow_in(const json::object& object) {
  Flow flow;
  for (const json::value& value : object.at("states").as_array()) {
    const json::object& state = value.as_object();
    flow.states.push_back({text_in(state, "name"), number_in(state, "count"), mark_in(state)});
  }
  for (const json::value& value : object.at("arcs").as_array()) {
    const json::object& arc = value.as_object();
    flow.arcs.push_back({index_in(arc, "from"),
                         index_in(arc, "to"),
                         text_in(arc, "label"),
                         number_in(arc, "count"),
                         mark_in(arc)});
  }
  return flow;
}

Gantt gantt_in(const json::object& object) {
  Gantt gantt;
  for (const json::value& value : object.at("spans").as_array()) {
    const json::object& span = value.as_object();
    const json::value& end = span.at("end_ns");
    gantt.spans.push_back({text_in(span, "lane"),
                           text_in(span, "label"),
                           {.begin = span.at("begin_ns").to_number<std::int64_t>(),
                            .end = end.is_null() ? history::kNever : end.to_number<std::int64_t>()},
                           mark_in(span)});
  }
  return gantt;
}

std::vector<std::string> texts_in(const json::value& array) {
  return json::value_to<std::vector<std::string>>(array);
}

Table table_in(const json::object& object) {
  Table table;
  table.names = index_in(object, "names");
  table.header = texts_in(object.at("header"));
  for (const json::value& row : object.at("rows").as_array()) {
    table.rows.push_back(texts_in(row));
    table.rows.back().resize(table.header.size());
  }
  table.names = std::min(table.names, table.header.size());
  return table;
}

Figure figure_in(const json::object& object) {
  Figure figure;
  figure.section = text_in(object, "section");
  figure.title = text_in(object, "title");
  figure.note = text_in(object, "note");
  const std::string kind = text_in(object, "kind");
  if (kind == "bars") figure.body = bars_in(object);
  if (kind == "flow") figure.body = flow_in(object);
  if (kind == "gantt") figure.body = gantt_in(object);
  if (kind == "lines") figure.body = lines_in(object);
  if (kind == "table") figure.body = table_in(object);
  return figure;
}

// ---- Joining --------------------------------------------------------------------------------

struct Part {
  const std::string* run = nullptr;
  const Figure* figure = nullptr;
};

Bars join_bars(const std::vector<Part>& parts) {
  Bars joined;
  for (const Part& part : parts) {
    const Bars& bars = std::get<Bars>(part.figure->body);
    joined.unit = bars.unit;
    for (Bars::Bar bar : bars.bars) {
      bar.label = fmt::format("{}: {}", *part.run, bar.label);
      joined.bars.push_back(std::move(bar));
    }
  }
  return joined;
}

Lines join_lines(const std::vector<Part>& parts) {
  Lines joined;
  for (const Part& part : parts) {
    const Lines& lines = std::get<Lines>(part.figure->body);
    joined.across = lines.across;
    joined.up = lines.up;
    joined.run_time = lines.run_time;
    for (Lines::Series series : lines.series) {
      series.name = fmt::format("{}: {}", *part.run, series.name);
      joined.series.push_back(std::move(series));
    }
  }
  return joined;
}

// Rows of the same names become one; each run has its own columns behind the names.
Table join_tables(const std::vector<Part>& parts) {
  const Table& first = std::get<Table>(parts.front().figure->body);
  const auto names = static_cast<std::ptrdiff_t>(first.names);
  Table joined;
  joined.names = first.names;
  joined.header.assign(first.header.begin(), first.header.begin() + names);
  for (const Part& part : parts) {
    const Table& table = std::get<Table>(part.figure->body);
    const std::size_t width = joined.header.size();
    for (std::size_t i = first.names; i < table.header.size(); ++i)
      joined.header.push_back(fmt::format("{}: {}", *part.run, table.header[i]));
    for (auto& row : joined.rows) row.resize(joined.header.size(), "–");
    for (const auto& row : table.rows) {
      const auto same = [&](const std::vector<std::string>& other) {
        return std::equal(row.begin(), row.begin() + names, other.begin());
      };
      auto place = std::ranges::find_if(joined.rows, same);
      if (place == joined.rows.end()) {
        joined.rows.emplace_back(row.begin(), row.begin() + names);
        joined.rows.back().resize(joined.header.size(), "–");
        place = std::prev(joined.rows.end());
      }
      std::copy(
          row.begin() + names, row.end(), place->begin() + static_cast<std::ptrdiff_t>(width));
    }
  }
  return joined;
}

bool same_names(const Figure& a, const Figure& b) {
  const Table& one = std::get<Table>(a.body);
  const Table& other = std::get<Table>(b.body);
  return one.names == other.names && one.names <= one.header.size() &&
         std::equal(one.header.begin(),
                    one.header.begin() + static_cast<std::ptrdiff_t>(one.names),
                    other.header.begin());
}

bool can_join(const Figure& a, const Figure& b) {
  if (a.section != b.section || a.title != b.title || a.body.index() != b.body.index())
    return false;
  if (std::holds_alternative<Table>(a.body)) return same_names(a, b);
  return std::holds_alternative<Bars>(a.body) || std::holds_alternative<Lines>(a.body);
}

Figure join(const std::vector<Part>& parts) {
  Figure figure = *parts.front().figure;
  if (parts.size() == 1) {
    figure.title = fmt::format("{}: {}", *parts.front().run, figure.title);
    return figure;
  }
  if (std::holds_alternative<Bars>(figure.body)) figure.body = join_bars(parts);
  if (std::holds_alternative<Lines>(figure.body)) figure.body = join_lines(parts);
  if (std::holds_alternative<Table>(figure.body)) figure.body = join_tables(parts);
  return figure;
}

}  // namespace

Result<ComparedRun> read_compared_run(std::string name, std::string_view document) {
  ComparedRun run;
  run.name = std::move(name);
  try {
    const json::value parsed = json::parse(document);
    for (const json::value& value : parsed.at("promises").as_array()) {
      const json::object& promise = value.as_object();
      run.promises.push_back(
          {text_in(promise, "name"), text_in(promise, "verdict"), text_in(promise, "summary")});
      for (const json::value& figure : promise.at("figures").as_array())
        run.figures.push_back(figure_in(figure.as_object()));
    }
  } catch (const std::exception& error) {
    return base::make_error(Errc::unreadable_input,
                            fmt::format("the report of {}: {}", run.name, error.what()));
  }
  return run;
}

namespace {

// A row for each promise of any run, a column for each run.
Figure promises_of(std::span<const ComparedRun> runs) {
  Table table;
  table.header = {"promise"};
  std::vector<std::string> names;
  for (const ComparedRun& run : runs) {
    table.header.push_back(run.name);
    for (const ComparedRun::Promise& promise : run.promises) {
      if (std::ranges::find(names, promise.name) == names.end()) names.push_back(promise.name);
    }
  }
  for (const std::string& name : names) {
    std::vector<std::string> row{name};
    for (const ComparedRun& run : runs) {
      const auto found = std::ranges::find(run.promises, name, &ComparedRun::Promise::name);
      row.push_back(found == run.promises.end()
                        ? "not promised"
                        : fmt::format("{}: {}", found->verdict, found->summary));
    }
    table.rows.push_back(std::move(row));
  }
  return {"Promises", "What each of them promises, and what came of it", "", std::move(table)};
}

}  // namespace

std::vector<Figure> compare(std::span<const ComparedRun> runs) {
  std::vector<std::vector<Part>> groups;
  for (const ComparedRun& run : runs) {
    for (const Figure& figure : run.figures) {
      const auto group = std::ranges::find_if(groups, [&](const std::vector<Part>& parts) {
        const bool taken = std::ranges::find(parts, &run.name, &Part::run) != parts.end();
        return !taken && can_join(*parts.front().figure, figure);
      });
      if (group == groups.end()) {
        groups.push_back({{&run.name, &figure}});
      } else {
        group->push_back({&run.name, &figure});
      }
    }
  }
  std::vector<Figure> figures;
  for (const std::vector<Part>& parts : groups) {
    if (parts.size() > 1) figures.push_back(join(parts));
  }
  figures.push_back(promises_of(runs));
  for (const std::vector<Part>& parts : groups) {
    if (parts.size() == 1) figures.push_back(join(parts));
  }
  return figures;
}

}  // namespace sunder::report
