#include "harness/report/figure_drawing.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "harness/report/escape.hpp"
#include "harness/report/summary.hpp"

namespace sunder::report {
namespace {

using checkers::Flow;
using checkers::Gantt;
using checkers::kFigureItemsMax;
using checkers::Lines;
using checkers::Mark;

constexpr double kWidth = 1120;
constexpr double kCharacter = 6.6;  // of the text's font
constexpr std::size_t kTicks = 6;
constexpr std::size_t kFaultBandsMax = 100;
constexpr double kNanosecondsPerSecond = 1e9;

std::string shorten(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  return std::string(prefix_of(text, bytes_max)) + "…";
}

// 1, 2 or 5 times a power of ten, so that about kTicks of it make up `range`.
double step_for(double range) {
  if (!(range > 0)) return 1;
  const double raw = range / static_cast<double>(kTicks);
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (raw <= factor * power) return factor * power;
  }
  return 10 * power;
}

std::string open_svg(double width, double height, std::string_view title) {
  return fmt::format(
      "<svg class=\"drawing\" role=\"img\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" "
      "height=\"{1:.0f}\"><title>{2}</title>\n",
      width,
      height,
      escape_markup(title));
}

std::string text_at(double x, double y, std::string_view anchor, std::string_view text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n",
                     x,
                     y,
                     anchor,
                     escape_markup(text));
}

// A range of numbers laid over a stretch of the drawing.
struct Axis {
  double least = 0;
  double most = 1;
  double from = 0;  // places in the drawing
  double to = 1;

  [[nodiscard]] double place(double value) const {
    const double range = most > least ? most - least : 1;
    return from + (std::clamp(value, least, most) - least) / range * (to - from);
  }
};

// The faults that touch the axis, which counts seconds, as bands behind the picture.
std::string fault_bands(const Faults& faults, const Axis& seconds, double top, double bottom) {
  std::string out;
  std::size_t count = 0;
  for (const history::FaultRecord& fault : faults) {
    const double begin = static_cast<double>(fault.active.begin) / kNanosecondsPerSecond;
    const double end = fault.active.end == history::kNever
                           ? seconds.most
                           : static_cast<double>(fault.active.end) / kNanosecondsPerSecond;
    if (end <= begin || end < seconds.least || begin > seconds.most) continue;
    if (++count > kFaultBandsMax) break;
    const double x = seconds.place(begin);
    out += fmt::format(
        "<rect class=\"fault\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\">"
        "<title>{}</title></rect>\n",
        x,
        top,
        std::max(1.0, seconds.place(end) - x),
        bottom - top,
        escape_markup(fault.description));
  }
  return out;
}

std::string ticks_across(const Axis& axis, double top, double bottom) {
  std::string out;
  const double step = step_for(axis.most - axis.least);
  for (double value = std::ceil(axis.least / step) * step; value <= axis.most; value += step) {
    const double x = axis.place(value);
    out += fmt::format("<path class=\"grid\" d=\"M{:.1f} {:.1f} V{:.1f}\"/>\n", x, top, bottom);
    out += text_at(x, bottom + 16, "middle", fmt::format("{:g}", std::round(value / step) * step));
  }
  return out;
}

std::string ticks_up(const Axis& axis, double left, double right) {
  std::string out;
  const double step = step_for(axis.most - axis.least);
  for (double value = std::ceil(axis.least / step) * step; value <= axis.most; value += step) {
    const double y = axis.place(value);
    out += fmt::format("<path class=\"grid\" d=\"M{:.1f} {:.1f} H{:.1f}\"/>\n", left, y, right);
    out += text_at(left - 6, y + 4, "end", number_text(std::round(value / step) * step));
  }
  return out;
}

// ---- Lines ----------------------------------------------------------------------------------

std::pair<Axis, Axis> axes_of(const Lines& lines) {
  Axis across;
  Axis up;
  bool first = true;
  for (const Lines::Series& series : lines.series) {
    for (const auto& [x, y] : series.points) {
      across.least = first ? x : std::min(across.least, x);
      across.most = first ? x : std::max(across.most, x);
      up.most = first ? std::max(1e-9, y) : std::max(up.most, y);
      first = false;
    }
  }
  return {across, up};
}

std::string path_of(const Lines::Series& series, const Axis& across, const Axis& up) {
  std::string path;
  for (const auto& [x, y] : thinned(series.points)) {
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : " L", across.place(x), up.place(y));
  }
  return path;
}

}  // namespace

std::vector<std::pair<double, double>> thinned(
    const std::vector<std::pair<double, double>>& points) {
  const std::size_t stride = (points.size() + 4 * kFigureItemsMax - 1) / (4 * kFigureItemsMax);
  std::vector<std::pair<double, double>> kept;
  for (std::size_t i = 0; i < points.size(); i += stride) {
    auto point = points[i];
    for (std::size_t j = i; j < std::min(points.size(), i + stride); ++j)
      point.second = std::max(point.second, points[j].second);
    kept.push_back(point);
  }
  return kept;
}

std::string lines_svg(const Lines& lines, const Faults& faults) {
  constexpr double kTop = 26;
  constexpr double kBottom = 236;
  constexpr double kLeft = 70;
  auto [across, up] = axes_of(lines);
  across.from = kLeft;
  across.to = kWidth - 10;
  up.from = kBottom;
  up.to = kTop;
  std::string out = open_svg(kWidth, kBottom + 40, lines.up + " against " + lines.across);
  if (lines.run_time) out += fault_bands(faults, across, kTop, kBottom);
  out += ticks_across(across, kTop, kBottom) + ticks_up(up, kLeft, across.to);
  out += text_at(across.to, kBottom + 34, "end", lines.across);
  out += text_at(4, 14, "start", lines.up);
  double legend = across.to;
  for (std::size_t i = 0; i < std::min(lines.series.size(), kFigureItemsMax); ++i) {
    const Lines::Series& series = lines.series[i];
    const std::string kind = fmt::format("{} series-{}", name_of(series.mark), i % 6);
    out += fmt::format("<path class=\"line {}\" d=\"{}\"><title>{}</title></path>\n",
                       kind,
                       path_of(series, across, up),
                       escape_markup(series.name));
    const double width = static_cast<double>(column_count(series.name)) * kCharacter + 34;
    legend -= width;
    if (legend < kLeft + 160) continue;
    out += fmt::format("<path class=\"line {}\" d=\"M{:.1f} 10 h16\"/>\n", kind, legend);
    out += text_at(legend + 20, 14, "start", series.name);
  }
  return out + "</svg>\n";
}

// ---- Flow -----------------------------------------------------------------------------------

namespace {

constexpr double kState_height = 42;
constexpr double kRow = 78;
constexpr double kColumn_gap = 150;
constexpr double kParallel = 13;  // between two arcs from the same box

class FlowDrawing {
 public:
  explicit FlowDrawing(const Flow& flow)
      : flow_(&flow), count_(std::min(flow.states.size(), kFigureItemsMax)) {
    std::size_t longest = 10;
    for (std::size_t i = 0; i < count_; ++i)
      longest = std::max(longest, std::min<std::size_t>(28, column_count(flow.states[i].name)));
    width_ = static_cast<double>(longest) * kCharacter + 22;
    lay_out();
  }

  [[nodiscard]] std::string draw() const {
    if (count_ == 0) return "<p class=\"none\">Nothing to show.</p>";
    const double columns = 1.0 + *std::ranges::max_element(column_);
    const double rows = 1.0 + *std::ranges::max_element(row_);
    double most = 1;
    for (const Flow::Arc& arc : flow_->arcs) most = std::max(most, arc.count);
    std::string arcs;
    for (std::size_t i = 0; i < std::min(flow_->arcs.size(), kFigureItemsMax); ++i)
      arcs += arc_svg(flow_->arcs[i], most);
    std::string states;
    for (std::size_t i = 0; i < count_; ++i) states += hidden(i) ? "" : state_svg(i);
    return open_svg(columns * (width_ + kColumn_gap) - kColumn_gap + 24,
                    rows * kRow + 40,
                    "states and how often each step was taken") +
           "<defs><marker id=\"flow-head\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" "
           "markerWidth=\"9\" markerHeight=\"9\" markerUnits=\"userSpaceOnUse\" orient=\"auto\">"
           "<path d=\"M0 0 L8 4 L0 8 z\"/></marker></defs>\n" +
           arcs + states + "</svg>\n";
  }

 private:
  // Each state in the column after the last of those that lead to it, arcs that go back aside: most
  // arcs then go right.
  void lay_out() {
    column_.assign(count_, 0);
    row_.assign(count_, 0);
    std::vector<Visit> visits(count_, Visit::none);
    std::vector<bool> back(flow_->arcs.size(), false);
    for (std::size_t root = 0; root < count_; ++root) {
      if (visits[root] == Visit::none) find_back_arcs(root, visits, back);
    }
    for (std::size_t round = 0; round < count_; ++round) {
      for (std::size_t i = 0; i < flow_->arcs.size(); ++i) {
        const Flow::Arc& arc = flow_->arcs[i];
        if (back[i] || arc.from >= count_ || arc.to >= count_) continue;
        column_[arc.to] = std::max(column_[arc.to], column_[arc.from] + 1);
      }
    }
    find_rows(back);
  }

  // The way that most take goes straight on; what leaves it goes a row down.
  void find_rows(const std::vector<bool>& back) {
    std::vector<std::size_t> order(count_);
    for (std::size_t state = 0; state < count_; ++state) order[state] = state;
    std::ranges::stable_sort(order, {}, [this](std::size_t state) { return column_[state]; });
    std::vector<const Flow::Arc*> main(count_, nullptr);  // of the arcs that go on, the widest
    for (std::size_t i = 0; i < flow_->arcs.size(); ++i) {
      const Flow::Arc& arc = flow_->arcs[i];
      if (back[i] || arc.from >= count_ || arc.to >= count_) continue;
      if (main[arc.from] == nullptr || main[arc.from]->count < arc.count) main[arc.from] = &arc;
    }
    std::set<std::pair<int, int>> taken;
    for (const std::size_t state : order) {
      if (hidden(state)) continue;
      int straight = -1;
      int below = 0;
      for (std::size_t i = 0; i < flow_->arcs.size(); ++i) {
        const Flow::Arc& arc = flow_->arcs[i];
        if (back[i] || arc.to != state || arc.from >= count_) continue;
        if (main[arc.from] == &arc) straight = std::max(straight, row_[arc.from]);
        below = std::max(below, row_[arc.from] + 1);
      }
      row_[state] = straight >= 0 ? straight : below;
      while (!taken.emplace(column_[state], row_[state]).second) ++row_[state];
    }
  }

  enum class Visit : std::uint8_t { none, open, done };

  // Depth first; an arc to a state that is still open goes back.
  void find_back_arcs(std::size_t state,
                      std::vector<Visit>& visits,
                      std::vector<bool>& back) const {
    visits[state] = Visit::open;
    for (std::size_t i = 0; i < flow_->arcs.size(); ++i) {
      const Flow::Arc& arc = flow_->arcs[i];
      if (arc.from != state || arc.to >= count_) continue;
      if (visits[arc.to] == Visit::open) back[i] = true;
      if (visits[arc.to] == Visit::none) find_back_arcs(arc.to, visits, back);
    }
    visits[state] = Visit::done;
  }

  [[nodiscard]] double left(std::size_t state) const {
    return 8 + column_[state] * (width_ + kColumn_gap);
  }

  [[nodiscard]] double top(std::size_t state) const { return 28 + row_[state] * kRow; }

  [[nodiscard]] std::string state_svg(std::size_t index) const {
    const Flow::State& state = flow_->states[index];
    return fmt::format(
               "<g class=\"state {}\"><rect x=\"{:.0f}\" y=\"{:.0f}\" width=\"{:.0f}\" "
               "height=\"{:.0f}\" rx=\"6\"><title>{}</title></rect></g>\n",
               name_of(state.mark),
               left(index),
               top(index),
               width_,
               kState_height,
               escape_markup(state.name)) +
           text_at(left(index) + width_ / 2, top(index) + 17, "middle", shorten(state.name, 28)) +
           text_at(left(index) + width_ / 2, top(index) + 34, "middle", number_text(state.count));
  }

  // Where an arc runs, and where its label stands.
  struct Route {
    std::string path;
    double x = 0;
    double y = 0;
    std::string_view anchor = "middle";
  };

  // Whether a box stands between the two on the row of the second.
  [[nodiscard]] bool blocked(const Flow::Arc& arc) const {
    for (std::size_t state = 0; state < count_; ++state) {
      const bool between = column_[state] > column_[arc.from] && column_[state] < column_[arc.to];
      if (between && row_[state] == row_[arc.to]) return true;
    }
    return false;
  }

  // How many arcs before this one leave the same box along a lane.
  [[nodiscard]] double earlier(const Flow::Arc& arc) const {
    double count = 0;
    for (const Flow::Arc& other : flow_->arcs) {
      if (&other == &arc) break;
      const bool along = other.to < count_ && column_[other.to] > column_[arc.from] + 1;
      if (other.from == arc.from && along) ++count;
    }
    return count;
  }

  // Nothing came to it and nothing leads there.
  [[nodiscard]] bool hidden(std::size_t state) const {
    return flow_->states[state].count == 0 &&
           std::ranges::none_of(flow_->arcs, [state](const Flow::Arc& arc) {
             return arc.from == state || arc.to == state;
           });
  }

  // Down from below a box and along a lane; into the side of the other, or up into it from below.
  [[nodiscard]] Route lane(const Flow::Arc& arc, double y, bool from_below) const {
    const double x = left(arc.from) + width_ / 2;
    std::string path = fmt::format("M{:.1f} {:.1f} Q{:.1f} {:.1f} {:.1f} {:.1f}",
                                   x,
                                   top(arc.from) + kState_height,
                                   x,
                                   y,
                                   x + 30,
                                   y);
    const double end = left(arc.to) + (from_below ? width_ / 2 - 10 : 0);
    path += from_below ? fmt::format(" H{:.1f} Q{:.1f} {:.1f} {:.1f} {:.1f}",
                                     end - 20,
                                     end,
                                     y,
                                     end,
                                     top(arc.to) + kState_height)
                       : fmt::format(" H{:.1f}", end);
    return {.path = std::move(path), .x = x + 34, .y = y - 4, .anchor = "start"};
  }

  // To the next column from side to side; further on along a lane; back or in place over the top.
  [[nodiscard]] Route route(const Flow::Arc& arc) const {
    const int columns = column_[arc.to] - column_[arc.from];
    const double middle = kState_height / 2;
    if (columns > 1 && (blocked(arc) || row_[arc.to] < row_[arc.from]))
      return lane(arc, top(arc.to) + kState_height + 20 + earlier(arc) * kParallel, true);
    if (columns > 1 && row_[arc.to] > row_[arc.from])
      return lane(arc, top(arc.to) + middle + earlier(arc) * kParallel, false);
    const bool onward = columns > 0;
    const double shift = arc.from == arc.to ? 18 : 0;
    const double x1 = left(arc.from) + (onward ? width_ : width_ / 2) - shift;
    const double y1 = top(arc.from) + (onward ? middle : 0);
    const double x2 = left(arc.to) + (onward ? 0 : width_ / 2) + shift;
    const double y2 = top(arc.to) + (onward ? middle : 0);
    const double bend = onward ? (x2 - x1) / 2 : 0;
    const double rise = onward ? 0 : -30;
    return {.path = fmt::format("M{:.1f} {:.1f} C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}",
                                x1,
                                y1,
                                x1 + bend,
                                y1 + rise,
                                x2 - bend,
                                y2 + rise,
                                x2,
                                y2),
            .x = x1 + (x2 - x1) * 0.45,
            .y = y1 + (y2 - y1) * 0.42 + (onward ? -5 : -24)};
  }

  [[nodiscard]] std::string arc_svg(const Flow::Arc& arc, double most) const {
    if (arc.from >= count_ || arc.to >= count_) return {};
    const Route way = route(arc);
    const std::string label =
        arc.label.empty() ? number_text(arc.count)
                          : fmt::format("{} {}", shorten(arc.label, 26), number_text(arc.count));
    return fmt::format(
               "<path class=\"arc {}\" stroke-width=\"{:.1f}\" marker-end=\"url(#flow-head)\" "
               "d=\"{}\"><title>{} → {}: {} {}</title></path>\n",
               name_of(arc.mark),
               1 + 2.5 * std::log1p(arc.count) / std::log1p(most),
               way.path,
               escape_markup(flow_->states[arc.from].name),
               escape_markup(flow_->states[arc.to].name),
               escape_markup(arc.label),
               number_text(arc.count)) +
           text_at(way.x, way.y, way.anchor, label);
  }

  const Flow* flow_;
  std::size_t count_;
  double width_ = 0;
  std::vector<int> column_;  // by state
  std::vector<int> row_;
};

// ---- Gantt ----------------------------------------------------------------------------------

constexpr double kLane_height = 30;
constexpr double kGantt_top = 10;

std::vector<std::string> lanes_of(const Gantt& gantt, std::size_t count) {
  std::vector<std::string> lanes;
  for (std::size_t i = 0; i < count; ++i) {
    if (std::ranges::find(lanes, gantt.spans[i].lane) == lanes.end())
      lanes.push_back(gantt.spans[i].lane);
  }
  return lanes;
}

double seconds_of(std::int64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / kNanosecondsPerSecond;
}

// From the first begin to the last end, with some room on both sides.
Axis gantt_axis(const Gantt& gantt, std::size_t count) {
  Axis axis;
  axis.least = seconds_of(gantt.spans.front().window.begin);
  axis.most = axis.least;
  for (std::size_t i = 0; i < count; ++i) {
    const history::Window& window = gantt.spans[i].window;
    axis.least = std::min(axis.least, seconds_of(window.begin));
    axis.most = std::max(axis.most, seconds_of(window.begin));
    if (window.end != history::kNever) axis.most = std::max(axis.most, seconds_of(window.end));
  }
  const double room = std::max(0.001, (axis.most - axis.least) * 0.03);
  axis.least -= room;
  axis.most += room;
  return axis;
}

std::string span_svg(const Gantt::Span& span, const Axis& axis, double top) {
  const double x = axis.place(seconds_of(span.window.begin));
  const double end =
      span.window.end == history::kNever ? axis.to : axis.place(seconds_of(span.window.end));
  const double width = std::max(3.0, end - x);
  std::string out = fmt::format(
      "<rect class=\"span {}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.0f}\" "
      "rx=\"3\"><title>{}</title></rect>\n",
      name_of(span.mark),
      x,
      top + 4,
      width,
      kLane_height - 8,
      escape_markup(span.label));
  const double needed = static_cast<double>(column_count(span.label)) * kCharacter + 8;
  if (needed <= width) out += text_at(x + 4, top + 19, "start", span.label);
  return out;
}

}  // namespace

std::string flow_svg(const Flow& flow) {
  return FlowDrawing(flow).draw();
}

std::string gantt_svg(const Gantt& gantt, const Faults& faults) {
  const std::size_t count = std::min(gantt.spans.size(), kFigureItemsMax);
  if (count == 0) return "<p class=\"none\">Nothing to show.</p>";
  const std::vector<std::string> lanes = lanes_of(gantt, count);
  std::size_t longest = 0;
  for (const std::string& lane : lanes)
    longest = std::max(longest, std::min<std::size_t>(24, column_count(lane)));
  Axis axis = gantt_axis(gantt, count);
  axis.from = static_cast<double>(longest) * kCharacter + 24;
  axis.to = kWidth - 10;
  const double bottom = kGantt_top + static_cast<double>(lanes.size()) * kLane_height;
  std::string out = open_svg(kWidth, bottom + 40, "what happened when, in seconds of the run");
  out += fault_bands(faults, axis, kGantt_top, bottom) + ticks_across(axis, kGantt_top, bottom);
  for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
    const double top = kGantt_top + static_cast<double>(lane) * kLane_height;
    out += text_at(axis.from - 8, top + 19, "end", shorten(lanes[lane], 24));
    for (std::size_t i = 0; i < count; ++i) {
      if (gantt.spans[i].lane == lanes[lane]) out += span_svg(gantt.spans[i], axis, top);
    }
  }
  return out + text_at(axis.to, bottom + 34, "end", "seconds since the start") + "</svg>\n";
}

}  // namespace sunder::report
