// `sunder check FILE… --model M`.

#include <fstream>
#include <memory>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "checkers/lattice.hpp"
#include "harness/base/duration.hpp"
#include "harness/base/file.hpp"
#include "harness/cli/command.hpp"
#include "harness/history/text.hpp"
#include "harness/report/report.hpp"

namespace sunder::cli {
namespace {

struct Flags {
  std::vector<std::string> files;
  std::string model;
  std::string budget = "60s";
  std::string html;
  unsigned threads = 0;
  bool json = false;
  bool strongest = false;
};

struct Checked {
  std::string file;
  history::ReadHistory read;
  checkers::Verdict verdict;
};

// kept and broken speak of promises; a bare history is valid or invalid.
std::string_view word(checkers::VerdictKind kind) {
  if (kind == checkers::VerdictKind::kept) return "valid";
  if (kind == checkers::VerdictKind::broken) return "INVALID";
  return checkers::name_of(kind);
}

ExitCode exit_code_of(checkers::VerdictKind kind) {
  if (kind == checkers::VerdictKind::kept) return ExitCode::kept;
  return kind == checkers::VerdictKind::broken ? ExitCode::broken : ExitCode::undetermined;
}

void print_text(const Checked& checked, const Flags& flags) {
  fmt::print("{}: {} ({}, {} operations, model {}): {}\n",
             checked.file,
             word(checked.verdict.kind),
             history::name_of(checked.read.format),
             checked.read.history.operations().size(),
             flags.model,
             checked.verdict.summary);
  for (const std::string& detail : checked.verdict.details) fmt::print("  {}\n", detail);
  for (const checkers::Counterexample& counterexample : checked.verdict.counterexamples) {
    fmt::print("  {}{}: {}\n",
               counterexample.title,
               counterexample.key.empty() ? "" : fmt::format(" of {}", counterexample.key),
               counterexample.why);
    for (const checkers::Counterexample::Item& item : counterexample.items) {
      if (!item.core) continue;
      const history::Operation& operation = checked.read.history.operations()[item.operation];
      const std::string end =
          operation.complete == history::kNever ? "…" : fmt::format("{}", operation.complete);
      fmt::print("    p{} [{}, {}] {}{}\n",
                 operation.process,
                 operation.invoke,
                 end,
                 checked.read.history.describe(operation),
                 item.note.empty() ? "" : fmt::format("  ← {}", item.note));
    }
  }
}

boost::json::object to_json(const Checked& checked, const Flags& flags) {
  boost::json::array counterexamples;
  for (const checkers::Counterexample& counterexample : checked.verdict.counterexamples) {
    boost::json::array items;
    for (const checkers::Counterexample::Item& item : counterexample.items) {
      const history::Operation& operation = checked.read.history.operations()[item.operation];
      items.push_back({{"operation", item.operation},
                       {"process", operation.process},
                       {"core", item.core},
                       {"text", checked.read.history.describe(operation)},
                       {"note", item.note}});
    }
    counterexamples.push_back({{"title", counterexample.title},
                               {"key", counterexample.key},
                               {"why", counterexample.why},
                               {"items", items}});
  }
  return {
      {"file", checked.file},
      {"format", history::name_of(checked.read.format)},
      {"operations", checked.read.history.operations().size()},
      {"model", flags.model},
      {"verdict", word(checked.verdict.kind) == "INVALID" ? "invalid" : word(checked.verdict.kind)},
      {"summary", checked.verdict.summary},
      {"details",
       boost::json::array(checked.verdict.details.begin(), checked.verdict.details.end())},
      {"counterexamples", counterexamples}};
}

Result<Checked> check_one(const std::string& file, const Flags& flags) {
  Checked checked{.file = file, .read = {}, .verdict = {}};
  auto read = history::read_history_file(file);
  SUNDER_TRY(read);
  checked.read = std::move(*read);
  checkers::CheckOptions options;
  const auto budget = base::parse_duration(flags.budget);
  if (budget.has_error()) return base::with_context(budget.error(), "--budget");
  options.time_budget = *budget;
  options.threads = flags.threads;
  const auto model = checkers::find_model(flags.model);
  SUNDER_TRY(model);
  const history::History& history = checked.read.history;
  checked.verdict = flags.strongest ? checkers::place(history, *model->model, options, {}).verdict()
                                    : checkers::check_model(history, *model, options, {});
  return checked;
}

Result<int> act(const Flags& flags) {
  // Said before a file is read: the same word is wrong for every one of them.
  const auto model = checkers::find_model(flags.model);
  if (model.has_error()) return base::with_context(model.error(), "--model");
  int worst = 0;
  const auto rank = [](int code) { return code == 65 ? 3 : code == 1 ? 2 : code == 2 ? 1 : 0; };
  boost::json::array documents;
  for (const std::string& file : flags.files) {
    auto checked = check_one(file, flags);
    // Several files: one that cannot be read does not keep the others from being judged.
    if (checked.has_error() && base::is(checked.error(), Errc::unreadable_input) &&
        flags.files.size() > 1) {
      fmt::print(stderr, "sunder: {}\n", checked.error().message());
      worst = static_cast<int>(ExitCode::unreadable_input);
      continue;
    }
    SUNDER_TRY(checked);
    const int code = static_cast<int>(exit_code_of(checked->verdict.kind));
    if (rank(code) > rank(worst)) worst = code;
    if (flags.json) {
      documents.push_back(to_json(*checked, flags));
    } else {
      print_text(*checked, flags);
    }
    if (!flags.html.empty()) {
      const std::string page =
          report::render_counterexample_html(checked->read.history, checked->verdict, file);
      SUNDER_TRY(base::write_file(flags.html, page));
    }
  }
  if (flags.json) fmt::print("{}\n", boost::json::serialize(documents));
  return worst;
}

}  // namespace

Command check_command(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("check", "Judge any history, ours or another tool's");
  command->add_option("files", flags->files, "Histories; - for standard input")->required();
  command
      ->add_option(
          "--model", flags->model, "What an ideal system would answer (sunder list models)")
      ->required();
  command->add_option("--budget", flags->budget, "Time for the search of each file")
      ->capture_default_str();
  command->add_option("--threads", flags->threads, "0: as many as the machine has")
      ->capture_default_str();
  command->add_option("--html", flags->html, "Write a picture of the counter-example to this file");
  command->add_flag("--strongest",
                    flags->strongest,
                    "Judge every level of the model: which is the strongest not refuted, and what "
                    "refutes the next");
  command->add_flag("--json", flags->json, "Print the verdicts as JSON");
  command->footer(
      "Formats: sunder's history.jsonl, Jepsen EDN, porcupine's etcd and key-value logs; detected, "
      "and named in the output.\n"
      "Examples:\n"
      "  sunder check runs/latest/history.jsonl --model register\n"
      "  sunder check etcd_000.log --model cas-register --html picture.html");
  return {command, [flags] { return act(*flags); }};
}

}  // namespace sunder::cli
