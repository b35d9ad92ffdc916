#include "harness/report/graph.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "harness/report/escape.hpp"

namespace sunder::report {
namespace {

using checkers::Graph;
using history::History;
using history::Operation;
using history::Value;

constexpr std::size_t kBytes_max = 90;  // of a node's text

// "r", "append": texts of operations without quotes, lists in brackets.
std::string plain(const history::ValuePool& pool, Value value) {
  if (value.is_text()) return std::string(pool.text_of(value));
  if (!value.is_list()) return pool.describe(value);
  std::string text;
  for (const Value item : pool.items_of(value)) {
    if (!text.empty()) text += ' ';
    text += plain(pool, item);
  }
  return "[" + text + "]";
}

// "append y 2 · r x [1]": a transaction's micro-operations, or any other operation described.
std::string summary_of(const History& history, const Graph::Node& node) {
  if (node.operation >= history.operations().size()) return {};
  const Operation& operation = history.operations()[node.operation];
  const Value value = operation.output.is_list() ? operation.output : operation.input;
  std::string text;
  if (operation.function != history::Function::cas && value.is_list()) {
    for (const Value item : history.pool().items_of(value)) {
      const std::string part = plain(history.pool(), item);
      const bool framed = item.is_list() && part.size() > 1;
      text += text.empty() ? "" : " · ";
      text += framed ? part.substr(1, part.size() - 2) : part;
    }
  } else {
    text = history.describe(operation);
  }
  if (operation.outcome == history::Outcome::info) text += " ?";
  text = printable(text);
  if (text.size() <= kBytes_max) return text;
  return std::string(prefix_of(text, kBytes_max)) + "…";
}

std::string process_of(const History& history, const Graph::Node& node) {
  if (node.operation >= history.operations().size()) return {};
  return fmt::format("p{}", history.operations()[node.operation].process);
}

std::string dot_string(std::string_view text) {
  std::string result = "\"";
  for (const char c : printable(text)) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

// Sizes of the drawing, in its units.
constexpr double kLeft = 8;
constexpr double kBox_height = 40;
constexpr double kGap = 46;
constexpr double kLane = 34;        // between two arcs that bend around
constexpr double kCharacter = 7.2;  // a character of the text's font

class Drawing {
 public:
  Drawing(const History& history, const Graph& graph) : history_(&history), graph_(&graph) {
    std::size_t longest = 12;
    for (const Graph::Node& node : graph.nodes) {
      summaries_.push_back(summary_of(history, node));
      longest = std::max(longest, column_count(summaries_.back()));
    }
    width_ = static_cast<double>(longest) * kCharacter + 20;
  }

  [[nodiscard]] std::string draw() {
    std::string arcs;
    for (const Graph::Edge& edge : graph_->edges) arcs += arc(edge);
    std::string boxes;
    for (std::size_t i = 0; i < graph_->nodes.size(); ++i) boxes += box(i);
    const double right = kLeft + width_ + lanes_ * kLane + label_room_ + 12;
    const double bottom = top(graph_->nodes.size()) - kGap + 8;
    return fmt::format(
        "<svg class=\"cycle\" role=\"img\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" "
        "height=\"{1:.0f}\">\n<title>{2}</title>\n<defs><marker id=\"cycle-head\" "
        "viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" "
        "orient=\"auto-start-reverse\"><path d=\"M0 0 L8 4 L0 8 z\" "
        "fill=\"currentColor\"/></marker></defs>\n{3}{4}</svg>\n",
        right,
        bottom,
        escape_markup(title()),
        arcs,
        boxes);
  }

 private:
  [[nodiscard]] static double top(std::size_t node) {
    return 8 + static_cast<double>(node) * (kBox_height + kGap);
  }

  [[nodiscard]] std::string title() const {
    std::string text;
    for (const Graph::Edge& edge : graph_->edges) {
      text += fmt::format("{}{} → {} ({})",
                          text.empty() ? "" : ", ",
                          graph_->nodes[edge.from].name,
                          graph_->nodes[edge.to].name,
                          edge.label);
    }
    return text;
  }

  [[nodiscard]] std::string box(std::size_t index) const {
    const Graph::Node& node = graph_->nodes[index];
    return fmt::format(
        "<g><rect x=\"{:.0f}\" y=\"{:.0f}\" width=\"{:.0f}\" height=\"{:.0f}\" rx=\"5\" "
        "fill=\"none\" stroke=\"currentColor\"/><text x=\"{:.0f}\" y=\"{:.0f}\" "
        "fill=\"currentColor\"><tspan font-weight=\"700\">{}</tspan> {}</text><text x=\"{:.0f}\" "
        "y=\"{:.0f}\" fill=\"currentColor\">{}</text></g>\n",
        kLeft,
        top(index),
        width_,
        kBox_height,
        kLeft + 8,
        top(index) + 16,
        escape_markup(node.name),
        process_of(*history_, node),
        kLeft + 8,
        top(index) + 32,
        escape_markup(summaries_[index]));
  }

  std::string arc(const Graph::Edge& edge) {
    if (edge.to == edge.from + 1) return straight(edge);
    return bent(edge);
  }

  [[nodiscard]] std::string straight(const Graph::Edge& edge) const {
    const double x = kLeft + 30;
    const double from = top(edge.from) + kBox_height;
    return fmt::format(
        "<g><title>{}</title><path d=\"M{:.0f} {:.0f} V{:.0f}\" fill=\"none\" "
        "stroke=\"currentColor\" marker-end=\"url(#cycle-head)\"/><text x=\"{:.0f}\" y=\"{:.0f}\" "
        "fill=\"currentColor\">{}</text></g>\n",
        escape_markup(edge.why),
        x,
        from,
        top(edge.to) - 1,
        x + 10,
        (from + top(edge.to)) / 2 + 4,
        escape_markup(edge.label));
  }

  // Around on the right, each arc in a lane of its own.
  [[nodiscard]] std::string bent(const Graph::Edge& edge) {
    lanes_ += 1;
    label_room_ = std::max(label_room_, static_cast<double>(column_count(edge.label)) * kCharacter);
    const double box = kLeft + width_;
    const double lane = box + lanes_ * kLane;
    const double from = top(edge.from) + kBox_height / 2 + 4;
    const double to = top(edge.to) + kBox_height / 2 - 4;
    return fmt::format(
        "<g><title>{}</title><path d=\"M{:.0f} {:.0f} C{:.0f} {:.0f} {:.0f} {:.0f} {:.0f} "
        "{:.0f}\" fill=\"none\" stroke=\"currentColor\" marker-end=\"url(#cycle-head)\"/><text "
        "x=\"{:.0f}\" y=\"{:.0f}\" fill=\"currentColor\">{}</text></g>\n",
        escape_markup(edge.why),
        box,
        from,
        lane,
        from,
        lane,
        to,
        box + 1,
        to,
        box + (lane - box) * 0.75 + 6,
        (from + to) / 2 + 4,
        escape_markup(edge.label));
  }

  const History* history_;
  const Graph* graph_;
  std::vector<std::string> summaries_;
  double width_ = 0;
  double lanes_ = 0;
  double label_room_ = 0;
};

}  // namespace

std::string graph_text(const History& history, const Graph& graph) {
  std::string text;
  for (const Graph::Node& node : graph.nodes) {
    text +=
        fmt::format("{} {}  {}\n", node.name, process_of(history, node), summary_of(history, node));
  }
  for (const Graph::Edge& edge : graph.edges) {
    text += fmt::format("{} → {}  {}: {}\n",
                        graph.nodes[edge.from].name,
                        graph.nodes[edge.to].name,
                        printable(edge.label),
                        printable(edge.why));
  }
  return text;
}

std::string graph_dot(const History& history, const Graph& graph) {
  std::string text = "digraph cycle {\n  node [shape=box];\n";
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Graph::Node& node = graph.nodes[i];
    const std::string label =
        fmt::format("{} {}: {}", node.name, process_of(history, node), summary_of(history, node));
    text += fmt::format("  n{} [label={}];\n", i, dot_string(label));
  }
  for (const Graph::Edge& edge : graph.edges) {
    text += fmt::format("  n{} -> n{} [label={}, tooltip={}];\n",
                        edge.from,
                        edge.to,
                        dot_string(edge.label),
                        dot_string(edge.why));
  }
  return text + "}\n";
}

std::string graph_svg(const History& history, const Graph& graph) {
  return Drawing(history, graph).draw();
}

}  // namespace sunder::report
