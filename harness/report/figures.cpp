#include "harness/report/figures.hpp"

#include <algorithm>
#include <utility>

#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "harness/report/document.hpp"
#include "harness/report/escape.hpp"
#include "harness/report/figure_drawing.hpp"
#include "harness/report/page.hpp"
#include "harness/report/summary.hpp"

namespace sunder::report {
namespace {

namespace json = boost::json;

using checkers::Bars;
using checkers::Figure;
using checkers::Flow;
using checkers::Gantt;
using checkers::kFigureItemsMax;
using checkers::Lines;
using checkers::Table;

template <typename T>
std::size_t drawn(const std::vector<T>& items) {
  return std::min(items.size(), kFigureItemsMax);
}

std::string left_out_html(std::size_t count) {
  if (count == 0) return {};
  return fmt::format("<p class=\"cut\">{} more are not drawn.</p>", count);
}

std::string bars_html(const Bars& bars) {
  const bool shares = bars.unit == "%";
  double most = shares ? 100 : 0;
  double sum = 0;
  for (const Bars::Bar& bar : bars.bars) {
    most = std::max(most, bar.value);
    sum += bar.value;
  }
  std::string out = "<div class=\"bars\">";
  for (std::size_t i = 0; i < drawn(bars.bars); ++i) {
    const Bars::Bar& bar = bars.bars[i];
    out += fmt::format(
        "<span>{}</span><span class=\"track\"><span class=\"fill {}\" "
        "style=\"width:{:.2f}%\"></span></span><span class=\"number\">{}{}</span>\n",
        escape_markup(bar.label),
        name_of(bar.mark),
        most > 0 ? 100 * bar.value / most : 0,
        shares ? fmt::format("{:.1f} %", bar.value) : number_text(bar.value),
        sum > 0 && !shares ? fmt::format(" <i>{:.1f} %</i>", 100 * bar.value / sum) : "");
  }
  return out + "</div>" + left_out_html(bars.bars.size() - drawn(bars.bars));
}

std::string rows_html(const Table& table) {
  const auto end = table.rows.begin() + static_cast<std::ptrdiff_t>(drawn(table.rows));
  return report::table_html(table.header, {table.rows.begin(), end}) +
         left_out_html(table.rows.size() - drawn(table.rows));
}

struct Body {
  const Faults& faults;

  std::string operator()(const Bars& bars) const { return bars_html(bars); }

  std::string operator()(const Flow& flow) const { return flow_svg(flow); }

  std::string operator()(const Gantt& gantt) const {
    return gantt_svg(gantt, faults) + left_out_html(gantt.spans.size() - drawn(gantt.spans));
  }

  std::string operator()(const Lines& lines) const { return lines_svg(lines, faults); }

  std::string operator()(const Table& table) const { return rows_html(table); }
};

struct Document {
  json::object operator()(const Bars& bars) const {
    json::array all;
    for (std::size_t i = 0; i < drawn(bars.bars); ++i) {
      const Bars::Bar& bar = bars.bars[i];
      all.push_back(json::object{
          {"label", json_text(bar.label)}, {"value", bar.value}, {"mark", name_of(bar.mark)}});
    }
    return {{"kind", "bars"}, {"unit", json_text(bars.unit)}, {"bars", std::move(all)}};
  }

  json::object operator()(const Flow& flow) const {
    json::array states;
    for (std::size_t i = 0; i < drawn(flow.states); ++i) {
      const Flow::State& state = flow.states[i];
      states.push_back(json::object{
          {"name", json_text(state.name)}, {"count", state.count}, {"mark", name_of(state.mark)}});
    }
    json::array arcs;
    for (std::size_t i = 0; i < drawn(flow.arcs); ++i) {
      const Flow::Arc& arc = flow.arcs[i];
      arcs.push_back(json::object{{"from", arc.from},
                                  {"to", arc.to},
                                  {"label", json_text(arc.label)},
                                  {"count", arc.count},
                                  {"mark", name_of(arc.mark)}});
    }
    return {{"kind", "flow"}, {"states", std::move(states)}, {"arcs", std::move(arcs)}};
  }

  json::object operator()(const Gantt& gantt) const {
    json::array spans;
    for (std::size_t i = 0; i < drawn(gantt.spans); ++i) {
      const Gantt::Span& span = gantt.spans[i];
      json::object object{{"lane", json_text(span.lane)},
                          {"label", json_text(span.label)},
                          {"begin_ns", span.window.begin},
                          {"mark", name_of(span.mark)}};
      object["end_ns"] = nullptr;
      if (span.window.end != history::kNever) object["end_ns"] = span.window.end;
      spans.push_back(std::move(object));
    }
    return {{"kind", "gantt"}, {"spans", std::move(spans)}};
  }

  json::object operator()(const Lines& lines) const {
    json::array series;
    for (const Lines::Series& one : lines.series) {
      json::array points;
      for (const auto& [across, up] : thinned(one.points))
        points.push_back(json::array{across, up});
      series.push_back(json::object{{"name", json_text(one.name)},
                                    {"mark", name_of(one.mark)},
                                    {"points", std::move(points)}});
    }
    return {{"kind", "lines"},
            {"across", json_text(lines.across)},
            {"up", json_text(lines.up)},
            {"run_time", lines.run_time},
            {"series", std::move(series)}};
  }

  json::object operator()(const Table& table) const {
    json::array header;
    for (const std::string& name : table.header) header.push_back(json_text(name));
    json::array rows;
    for (std::size_t i = 0; i < drawn(table.rows); ++i) {
      json::array cells;
      for (const std::string& cell : table.rows[i]) cells.push_back(json_text(cell));
      rows.push_back(std::move(cells));
    }
    return {{"kind", "table"},
            {"names", table.names},
            {"header", std::move(header)},
            {"rows", std::move(rows)}};
  }
};

// Title and content, in the order in which they were first named.
using Sections = std::vector<std::pair<std::string, std::string>>;

void add_to(Sections& sections, const Figure& figure, const Faults& faults) {
  auto section = std::ranges::find(sections, figure.section, &Sections::value_type::first);
  if (section == sections.end()) section = sections.insert(sections.end(), {figure.section, {}});
  section->second += figure_html(figure, faults);
}

std::string sections_html(const Sections& sections) {
  std::string out;
  for (const auto& [title, content] : sections) {
    out += fmt::format(
        "<section class=\"figures\"><h2>{}</h2>\n{}</section>\n", escape_markup(title), content);
  }
  return out;
}

}  // namespace

std::string figure_html(const Figure& figure, const Faults& faults) {
  std::string note;
  if (!figure.note.empty())
    note = fmt::format("<figcaption>{}</figcaption>", escape_markup(figure.note));
  return fmt::format("<figure><h3>{}</h3>\n{}{}</figure>\n",
                     escape_markup(figure.title),
                     std::visit(Body{faults}, figure.body),
                     note);
}

std::string figures_html(const RunReport& report) {
  Sections sections;
  for (const PromiseResult& promise : report.promises) {
    for (const Figure& figure : promise.verdict.figures)
      add_to(sections, figure, report.context.faults);
  }
  return sections_html(sections);
}

std::string figures_html(const std::vector<Figure>& figures) {
  Sections sections;
  for (const Figure& figure : figures) add_to(sections, figure, {});
  return sections_html(sections);
}

json::array json_of(const std::vector<Figure>& figures) {
  json::array array;
  for (const Figure& figure : figures) {
    json::object object = std::visit(Document{}, figure.body);
    object["section"] = json_text(figure.section);
    object["title"] = json_text(figure.title);
    object["note"] = json_text(figure.note);
    array.push_back(std::move(object));
  }
  return array;
}

}  // namespace sunder::report
