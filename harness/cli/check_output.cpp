#include "harness/cli/check_output.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "harness/report/counterexample_text.hpp"

namespace sunder::cli {
namespace {

namespace json = boost::json;
using checkers::Counterexample;
using history::Operation;

// kept and broken speak of promises; a bare history is valid or invalid.
std::string_view word(const Checked& checked) {
  const checkers::VerdictKind kind = checked.verdict.kind;
  if (kind == checkers::VerdictKind::kept) return checked.placed ? "placed" : "valid";
  if (kind == checkers::VerdictKind::broken) return "invalid";
  return checkers::name_of(kind);
}

std::string heading(const Checked& checked) {
  const bool invalid = checked.verdict.kind == checkers::VerdictKind::broken;
  return fmt::format("{}: {} ({}, {} operations, model {}): {}\n",
                     checked.file,
                     invalid ? "INVALID" : word(checked),
                     history::name_of(checked.read.format),
                     checked.read.history.operations().size(),
                     model_name(checked),
                     checked.verdict.summary);
}

std::string note_on_choice(const Checked& checked) {
  if (!checked.choice.automatic || !checked.choice.chosen) return {};
  const std::string name = model_name(checked);
  if (checked.choice.also_fit.empty()) {
    return fmt::format("  model {} was chosen: it alone knows every operation\n", name);
  }
  return fmt::format(
      "  model {} was chosen, the strongest that knows every operation; {} would "
      "too (--model)\n",
      name,
      fmt::join(checked.choice.also_fit, ", "));
}

json::value number_or_null(std::int64_t value, std::int64_t unknown) {
  return value == unknown ? json::value(nullptr) : json::value(value);
}

json::object to_json(const Counterexample::Item& item, const history::History& history) {
  const Operation& operation = history.operations()[item.operation];
  return {{"operation", item.operation},
          {"process", operation.process},
          {"core", item.core},
          {"outcome", history::name_of(operation.outcome)},
          {"invoke", operation.invoke},
          {"complete", number_or_null(operation.complete, history::kNever)},
          {"invoke_time", number_or_null(operation.invoke_time, history::kUnknownTime)},
          {"complete_time", number_or_null(operation.complete_time, history::kUnknownTime)},
          {"text", history.describe(operation)},
          {"note", item.note}};
}

json::object to_json(const checkers::Graph& graph) {
  json::array nodes;
  for (const checkers::Graph::Node& node : graph.nodes) {
    nodes.push_back({{"name", node.name}, {"operation", node.operation}});
  }
  json::array edges;
  for (const checkers::Graph::Edge& edge : graph.edges) {
    edges.push_back({{"from", graph.nodes[edge.from].name},
                     {"to", graph.nodes[edge.to].name},
                     {"label", edge.label},
                     {"why", edge.why}});
  }
  return {{"nodes", std::move(nodes)}, {"edges", std::move(edges)}};
}

json::object to_json(const Counterexample& example, const history::History& history) {
  json::array items;
  for (const Counterexample::Item& item : example.items) items.push_back(to_json(item, history));
  json::object object{{"title", example.title},
                      {"key", example.key},
                      {"why", example.why},
                      {"first_error", example.first_error},
                      {"items", std::move(items)}};
  if (!example.graph.empty()) object["graph"] = to_json(example.graph);
  return object;
}

}  // namespace

std::string model_name(const Checked& checked) {
  if (!checked.choice.chosen) return "none";
  const checkers::ModelChoice& choice = *checked.choice.chosen;
  const bool only = choice.model->levels.size() == 1 || checked.placed;
  return only ? std::string(choice.model->name)
              : fmt::format("{}/{}", choice.model->name, choice.level);
}

std::string to_text(const Checked& checked, const Files& files) {
  std::string text = heading(checked) + note_on_choice(checked);
  for (const std::string& remark : checked.read.remarks) {
    text += fmt::format("  remark: {}\n", remark);
  }
  for (const std::string& detail : checked.verdict.details) {
    text += fmt::format("  {}\n", detail);
  }
  for (const Counterexample& example : checked.verdict.counterexamples) {
    text += report::counterexample_text(example, checked.read.history, 2);
  }
  if (!files.page.empty()) text += fmt::format("  page: {}\n", files.page);
  if (!files.graph.empty()) text += fmt::format("  graph: {}\n", files.graph);
  return text;
}

json::object to_json(const Checked& checked, const Files& files) {
  const auto& chosen = checked.choice.chosen;
  const bool levelled = chosen.has_value() && !checked.placed;
  json::array examples;
  for (const Counterexample& example : checked.verdict.counterexamples) {
    examples.push_back(to_json(example, checked.read.history));
  }
  json::array details(checked.verdict.details.begin(), checked.verdict.details.end());
  json::object measurements;
  for (const history::Evidence& evidence : checked.verdict.measurements) {
    measurements[evidence.name] = evidence.value;
  }
  json::array also(checked.choice.also_fit.begin(), checked.choice.also_fit.end());
  json::array remarks(checked.read.remarks.begin(), checked.read.remarks.end());
  json::object object{{"file", checked.file},
                      {"remarks", std::move(remarks)},
                      {"format", history::name_of(checked.read.format)},
                      {"operations", checked.read.history.operations().size()},
                      {"model", chosen ? json::value(chosen->model->name) : json::value(nullptr)},
                      {"level", levelled ? json::value(chosen->level) : json::value(nullptr)},
                      {"automatic", checked.choice.automatic},
                      {"also_fit", std::move(also)},
                      {"verdict", word(checked)},
                      {"summary", checked.verdict.summary},
                      {"details", std::move(details)},
                      {"measurements", std::move(measurements)},
                      {"counterexamples", std::move(examples)}};
  if (!files.page.empty()) object["page"] = files.page;
  if (!files.graph.empty()) object["graph"] = files.graph;
  return object;
}

json::object error_to_json(std::string_view file, const Error& error) {
  return {{"file", file}, {"verdict", "unreadable"}, {"summary", error.context}};
}

}  // namespace sunder::cli
