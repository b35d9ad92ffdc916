// RunFixture: a small run written by hand, in milliseconds: nodes, clients, faults and operations.
// And what happened around it in words, for tests that fail.

#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "harness/history/history.hpp"
#include "harness/history/run_context.hpp"

namespace sunder::checkers {

class RunFixture {
 public:
  // Client c1 is process 0 and pinned to n1, and so on, round robin.
  RunFixture(std::size_t nodes, std::size_t clients) {
    for (std::size_t i = 0; i < nodes; ++i) context.nodes.push_back("n" + std::to_string(i + 1));
    for (std::size_t i = 0; i < clients; ++i) {
      context.clients.push_back("c" + std::to_string(i + 1));
      context.client_nodes.push_back(static_cast<std::uint32_t>(i % nodes));
      context.process_endpoints.emplace_back(static_cast<std::int64_t>(i),
                                             static_cast<std::uint32_t>(i));
    }
  }

  static std::int64_t ms(std::int64_t value) { return value * 1'000'000; }

  // Installed at `begin`, healed at `end`, one millisecond each; standing in between.
  history::FaultRecord& fault(std::string family, std::int64_t begin, std::int64_t end) {
    history::FaultRecord record;
    record.id = static_cast<std::uint32_t>(context.faults.size() + 1);
    record.family = std::move(family);
    record.description = record.family + " " + std::to_string(record.id);
    record.applying = {ms(begin), ms(begin + 1)};
    record.active = {ms(begin + 1), ms(end)};
    record.healed = ms(end + 1);
    record.exercised = true;
    context.faults.push_back(std::move(record));
    return context.faults.back();
  }

  // Cuts every link between the two groups of nodes (and their clients); one_way: only from a to b.
  history::FaultRecord& partition(std::vector<std::size_t> a,
                                  std::vector<std::size_t> b,
                                  std::int64_t begin,
                                  std::int64_t end,
                                  bool one_way = false) {
    history::FaultRecord& record = fault("partition", begin, end);
    const auto from = with_clients(a);
    const auto to = with_clients(b);
    for (const std::string& x : from) {
      for (const std::string& y : to) {
        if (x.front() == 'c' && y.front() == 'c') continue;
        record.cut_links.emplace_back(x, y);
        if (!one_way) record.cut_links.emplace_back(y, x);
      }
    }
    return record;
  }

  history::FaultRecord& kill(const std::vector<std::size_t>& nodes,
                             std::int64_t begin,
                             std::int64_t end) {
    history::FaultRecord& record = fault("kill", begin, end);
    for (const std::size_t node : nodes)
      record.disabled_nodes.push_back(context.nodes.at(node - 1));
    return record;
  }

  struct Call {
    std::int64_t process = 0;
    std::string_view function = "write";
    std::string_view key = "x";
    std::int64_t begin = 0;
    std::int64_t end = 0;
    history::Outcome outcome = history::Outcome::ok;
    history::Value input = {};
    history::Value output = {};
    std::string_view error = {};
  };

  void call(const Call& call) {
    history::Operation operation;
    operation.process = call.process;
    operation.function = history::function_of(call.function);
    operation.function_name = builder.pool().symbol(call.function);
    operation.key = builder.pool().symbol(call.key);
    operation.invoke_time = operation.invoke = ms(call.begin);
    operation.complete_time = ms(call.end);
    operation.complete = call.outcome == history::Outcome::info ? history::kNever : ms(call.end);
    operation.outcome = call.outcome;
    operation.input = call.input;
    operation.output = call.output;
    if (!call.error.empty()) operation.error = builder.pool().symbol(call.error);
    builder.add(operation);
  }

  // Writes of unique values by a process, one every `every` ms, each taking 5 ms.
  void writes(std::int64_t process,
              std::int64_t begin,
              std::int64_t end,
              std::int64_t every,
              history::Outcome outcome = history::Outcome::ok) {
    for (std::int64_t time = begin; time < end; time += every) {
      call({.process = process,
            .begin = time,
            .end = time + 5,
            .outcome = outcome,
            .input = history::Value::integer(++value)});
    }
  }

  Verdict check(std::string_view checker) {
    history::History judged;
    return check(checker, judged);
  }

  // The same, and keeps the history that was judged.
  Verdict check(std::string_view checker, history::History& history) {
    history = builder.finish();
    return judge(checker, history);
  }

  // What it says of a history of this run.
  [[nodiscard]] Verdict judge(std::string_view checker, const history::History& history) const {
    CheckOptions options;
    options.context = &context;
    options.parameters = parameters;
    return find_checker(checker)->check(history, options, std::stop_token());
  }

  history::RunContext context;
  history::HistoryBuilder builder;
  std::map<std::string, double> parameters;
  std::int64_t value = 0;

 private:
  [[nodiscard]] std::vector<std::string> with_clients(const std::vector<std::size_t>& nodes) const {
    std::vector<std::string> names;
    for (const std::size_t node : nodes) names.push_back(context.nodes.at(node - 1));
    for (std::size_t client = 0; client < context.clients.size(); ++client) {
      if (std::ranges::find(nodes, context.client_nodes[client] + 1) != nodes.end()) {
        names.push_back(context.clients[client]);
      }
    }
    return names;
  }
};

// Times in whole milliseconds.
inline std::string text_of(const history::RunContext& context) {
  std::string text =
      fmt::format("{} nodes, {} clients\n", context.nodes.size(), context.clients.size());
  const auto add = [&text](std::string_view what, const history::Window& window) {
    text += fmt::format(" {} {} {}", what, window.begin / 1'000'000, window.end / 1'000'000);
  };
  for (const history::Phase& phase : context.phases) {
    add("phase " + phase.name, phase.window);
    text += "\n";
  }
  for (const history::FaultRecord& fault : context.faults) {
    text += fmt::format(" fault {}:", fault.family);
    add("applying", fault.applying);
    add("active", fault.active);
    for (const auto& window : fault.standing) add("standing", window);
    text += fmt::format(" healed {}", fault.healed / 1'000'000);
    if (fault.exercised) text += " bit";
    if (fault.porous) text += " porous";
    if (fault.changes_members) text += " members";
    for (const std::string& node : fault.disabled_nodes) text += " disables " + node;
    for (const std::string& node : fault.ended_nodes) text += " ends " + node;
    for (const auto& [from, to] : fault.cut_links) text += " cuts " + from + ">" + to;
    text += "\n";
  }
  return text;
}

}  // namespace sunder::checkers
