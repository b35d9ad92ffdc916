#include "harness/report/counterexample_text.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <fmt/format.h>

namespace sunder::report {
namespace {

using checkers::Counterexample;
using history::History;
using history::kNever;
using history::Operation;

std::string stamps(const Operation& operation) {
  if (operation.complete == kNever) return fmt::format("[{}, …]", operation.invoke);
  return fmt::format("[{}, {}]", operation.invoke, operation.complete);
}

// Bars over the order of the stamps of some operations.
class Bars {
 public:
  explicit Bars(const std::vector<const Operation*>& operations)
      : drawn_(operations.size() > 1 && operations.size() <= kBarsMax) {
    if (!drawn_) return;
    for (const Operation* operation : operations) {
      stamps_.push_back(operation->invoke);
      stamps_.push_back(operation->complete);
    }
    std::ranges::sort(stamps_);
    const auto repeated = std::ranges::unique(stamps_);
    stamps_.erase(repeated.begin(), repeated.end());
  }

  // With a space behind it; empty when there are none.
  [[nodiscard]] std::string of(const Operation& operation) const {
    if (!drawn_) return {};
    const std::size_t begin = column_of(operation.invoke);
    const std::size_t end = column_of(operation.complete);
    const std::size_t width = column_of(stamps_.back()) + 2;
    std::string bar(begin, ' ');
    if (begin == end) {
      bar += "│";
    } else {
      bar += "├";
      for (std::size_t column = begin + 1; column < end; ++column) bar += "─";
      bar += operation.complete == kNever ? "→" : "┤";
    }
    return bar + std::string(width - end - 1, ' ');
  }

 private:
  [[nodiscard]] std::size_t column_of(std::int64_t stamp) const {
    constexpr std::size_t kColumnsEach = 2;
    const auto found = std::ranges::lower_bound(stamps_, stamp);
    return static_cast<std::size_t>(found - stamps_.begin()) * kColumnsEach;
  }

  bool drawn_;
  std::vector<std::int64_t> stamps_;
};

}  // namespace

std::string counterexample_text(const Counterexample& example,
                                const History& history,
                                std::size_t indent) {
  const std::string margin(indent, ' ');
  const std::string of_key = example.key.empty() ? "" : fmt::format(" of {}", example.key);
  std::string text = fmt::format("{}{}{}: {}\n", margin, example.title, of_key, example.why);
  std::vector<const Operation*> core;
  std::size_t process_columns = 0;
  for (const Counterexample::Item& item : example.items) {
    if (!item.core) continue;
    core.push_back(&history.operations()[item.operation]);
    process_columns = std::max(process_columns, std::to_string(core.back()->process).size());
  }
  const Bars bars(core);
  for (const Counterexample::Item& item : example.items) {
    if (!item.core) continue;
    const Operation& operation = history.operations()[item.operation];
    text += fmt::format("{}  p{:<{}} {}{} {}{}\n",
                        margin,
                        operation.process,
                        process_columns,
                        bars.of(operation),
                        stamps(operation),
                        history.describe(operation),
                        item.note.empty() ? "" : fmt::format("  ← {}", item.note));
  }
  for (const checkers::Graph::Edge& edge : example.graph.edges) {
    text += fmt::format("{}  {} –{}→ {}{}\n",
                        margin,
                        example.graph.nodes[edge.from].name,
                        edge.label,
                        example.graph.nodes[edge.to].name,
                        edge.why.empty() ? "" : ": " + edge.why);
  }
  return text;
}

}  // namespace sunder::report
