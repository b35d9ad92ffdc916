#include "checkers/elle/dependencies.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "checkers/order_graph.hpp"
#include "checkers/phrase.hpp"

namespace sunder::checkers::elle {
namespace {

using history::Operation;
using history::Value;

// Puts the operations next to the core of a counter-example into it, and all in order.
void add_neighbours(const history::History& history, Counterexample& example) {
  std::vector<std::size_t> core;
  for (const Counterexample::Item& item : example.items) core.push_back(item.operation);
  std::ranges::sort(core);
  std::vector<std::size_t> around;
  for (const std::size_t operation : core) {
    if (operation > 0) around.push_back(operation - 1);
    if (operation + 1 < history.operations().size()) around.push_back(operation + 1);
  }
  std::ranges::sort(around);
  const auto repeated = std::ranges::unique(around);
  around.erase(repeated.begin(), repeated.end());
  for (const std::size_t operation : around) {
    if (!std::ranges::binary_search(core, operation)) {
      example.items.push_back({operation, false, {}});
    }
  }
  std::ranges::sort(example.items, {}, &Counterexample::Item::operation);
}

}  // namespace

std::string name_of_transaction(std::uint32_t transaction) {
  return fmt::format("T{}", transaction + 1);
}

void Dependencies::add_process_arcs(const std::vector<std::uint8_t>& committed) {
  add_process_order(
      graph_, nodes(committed), arc::kProcess, [this](auto t) -> auto& { return operation(t); });
}

void Dependencies::add_realtime_arcs(const std::vector<std::uint8_t>& committed) {
  add_real_time(
      graph_, nodes(committed), arc::kRealtime, [this](auto t) -> auto& { return operation(t); });
}

std::vector<std::uint32_t> Dependencies::nodes(const std::vector<std::uint8_t>& committed) {
  std::vector<std::uint32_t> nodes;
  for (std::uint32_t t = 0; t < committed.size(); ++t) {
    if (committed[t] != 0) nodes.push_back(t);
  }
  return nodes;
}

Reason Dependencies::reason(const Step& step) const {
  const std::string from = name_of_transaction(step.from);
  const std::string to = name_of_transaction(step.to);
  const Operation& earlier = operation(step.from);
  const Operation& later = operation(step.to);
  if (step.kinds == arc::kProcess) {
    return {"process", fmt::format("p{} ran {} before {}", earlier.process, from, to)};
  }
  if (step.kinds == arc::kRealtime) {
    return {"realtime", fmt::format("{} had ended {} {} began", from, lead(earlier, later), to)};
  }
  return data_reason(step);
}

Counterexample explain_cycle(const history::History& history,
                             const Transactions& transactions,
                             const Dependencies& dependencies,
                             const std::vector<Step>& cycle) {
  Counterexample example;
  example.title = name_of_cycle(cycle);
  for (std::size_t i = 0; i < cycle.size(); ++i) {
    const Step& step = cycle[i];
    const std::size_t operation = transactions.all[step.from].operation;
    const std::string name = name_of_transaction(step.from);
    const Reason reason = dependencies.reason(step);
    example.graph.nodes.push_back({operation, name});
    example.graph.edges.push_back({i, (i + 1) % cycle.size(), reason.label, reason.why});
    example.items.push_back({operation, true, name});
    const bool last = i + 1 == cycle.size();
    if (i > 0) example.why += last ? "; but " : "; ";
    example.why += fmt::format(
        "{} comes before {}, because {}", name, name_of_transaction(step.to), reason.why);
    example.first_error = std::max(example.first_error, operation);
  }
  add_neighbours(history, example);
  return example;
}

}  // namespace sunder::checkers::elle
