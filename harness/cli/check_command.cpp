// `sunder check FILE… [--model M]`.

#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "checkers/lattice.hpp"
#include "harness/base/duration.hpp"
#include "harness/base/file.hpp"
#include "harness/cli/check_output.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/live_line.hpp"
#include "harness/history/text.hpp"
#include "harness/report/graph.hpp"
#include "harness/report/report.hpp"

namespace sunder::cli {
namespace {

struct Flags {
  std::vector<std::string> files;
  std::string model = "auto";
  std::string format = "automatic";
  std::string budget = "60s";
  std::string memory = "4G";
  std::string html;
  std::string dot;
  std::vector<std::string> parameters;
  unsigned threads = 0;
  bool json = false;
  bool strongest = false;
};

// What the flags say, understood.
struct Job {
  std::optional<checkers::ModelChoice> model;  // nothing: chosen for each file
  std::string level;                           // of the one that is chosen; empty: its first
  history::Format format = history::Format::automatic;
  checkers::CheckOptions options;
  bool strongest = false;
};

ExitCode exit_code_of(checkers::VerdictKind kind) {
  if (kind == checkers::VerdictKind::kept) return ExitCode::kept;
  return kind == checkers::VerdictKind::broken ? ExitCode::broken : ExitCode::undetermined;
}

// "512M" in bytes.
Result<std::size_t> parse_memory(const std::string& text) {
  constexpr std::string_view kUnits = "KMGT";
  std::size_t number = 0;
  const char* const last = text.data() + text.size();
  const auto [end, failure] = std::from_chars(text.data(), last, number);
  const std::string_view rest(end, static_cast<std::size_t>(last - end));
  const std::size_t unit = rest.empty() ? 0 : kUnits.find(rest) + 1;
  const bool known = rest.empty() || (rest.size() == 1 && unit != 0);
  const std::size_t shift = 10 * unit;
  const bool fits = known && number <= (std::numeric_limits<std::size_t>::max() >> shift);
  if (failure != std::errc() || number == 0 || !fits) {
    return base::make_error(Errc::usage,
                            fmt::format("--memory: expected a size as 512M or 4G, not '{}'", text));
  }
  return number << shift;
}

// "permits=3".
Result<void> add_parameter(const std::string& text, checkers::Parameters& parameters) {
  const std::size_t sign = text.find('=');
  double value = 0;
  const char* const last = text.data() + text.size();
  const char* const first = sign == std::string::npos ? last : text.data() + sign + 1;
  const auto [end, failure] = std::from_chars(first, last, value);
  if (failure != std::errc() || end != last || sign == 0 || !std::isfinite(value)) {
    return base::make_error(Errc::usage,
                            fmt::format("--parameter: expected NAME=NUMBER, not '{}'", text));
  }
  parameters[text.substr(0, sign)] = value;
  return {};
}

// Said before a file is read: the same word is wrong for every one of them.
Result<Job> understand(const Flags& flags) {
  Job job;
  if (checkers::is_level(flags.model) && checkers::find_model(flags.model).has_error()) {
    job.level = flags.model;
  } else if (flags.model != "auto") {
    const auto model = checkers::find_model(flags.model);
    if (model.has_error()) return base::with_context(model.error(), "--model");
    job.model = *model;
  }
  const std::optional<history::Format> format = history::find_format(flags.format);
  if (!format) {
    return base::make_error(
        Errc::usage,
        fmt::format(
            "--format: no format '{}'; known are {}", flags.format, history::format_names()));
  }
  job.format = *format;
  const auto budget = base::parse_duration(flags.budget);
  if (budget.has_error()) return base::with_context(budget.error(), "--budget");
  job.options.time_budget = *budget;
  const auto memory = parse_memory(flags.memory);
  SUNDER_TRY(memory);
  job.options.memory_budget = *memory;
  job.options.threads = flags.threads;
  job.strongest = flags.strongest;
  for (const std::string& text : flags.parameters) {
    SUNDER_TRY(add_parameter(text, job.options.parameters));
  }
  if (job.model) {
    const auto accepted = checkers::accept_parameters(*job.model->model, job.options.parameters);
    if (accepted.has_error()) return base::with_context(accepted.error(), "--parameter");
  }
  return job;
}

Result<Checked> check_one(const std::string& file, const Job& job) {
  Checked checked;
  checked.file = file;
  LiveLine line;
  history::ReadOptions reading;
  reading.format = job.format;
  reading.progress = [&](std::size_t read, std::size_t total) {
    line.say(fmt::format("reading {}: {} %", file, total == 0 ? 100 : read * 100 / total));
  };
  auto read = history::read_history_file(file, reading);
  SUNDER_TRY(read);
  checked.read = std::move(*read);
  checked.choice.chosen = job.model;
  if (!job.model) {
    auto choice = checkers::choose_model(checked.read.history, job.level);
    if (choice.has_error()) return base::with_context(choice.error(), file);
    checked.choice = std::move(*choice);
  }
  if (!job.model && checked.choice.chosen) {
    const auto accepted =
        checkers::accept_parameters(*checked.choice.chosen->model, job.options.parameters);
    if (accepted.has_error()) return base::with_context(accepted.error(), file);
  }
  if (!checked.choice.chosen) {
    checked.verdict.summary = "nothing observed: the history is empty";
    return checked;
  }
  checked.placed = job.strongest;
  line.keep_saying(fmt::format("checking {} as {}", file, model_name(checked)));
  const history::History& history = checked.read.history;
  const checkers::ModelChoice& chosen = *checked.choice.chosen;
  checked.verdict = job.strongest
                        ? checkers::place(history, *chosen.model, job.options, {}).verdict()
                        : checkers::check_model(history, chosen, job.options, {});
  return checked;
}

// The first file's page has the name given, the others a number in it.
std::filesystem::path page_path(const std::string& given, std::size_t index) {
  if (index == 0) return given;
  const std::filesystem::path path = given;
  return path.parent_path() /
         fmt::format("{}-{}{}", path.stem().string(), index + 1, path.extension().string());
}

Result<void> write_page(const Checked& checked, const std::filesystem::path& path) {
  const std::string page = report::render_counterexample_html(
      checked.read.history, checked.verdict, checked.file, model_name(checked));
  return base::write_file(path, page);
}

// The first counter-example that has a graph; others would be graphs of their own.
Result<bool> write_graph(const Checked& checked, const std::filesystem::path& path) {
  for (const checkers::Counterexample& example : checked.verdict.counterexamples) {
    if (example.graph.empty()) continue;
    SUNDER_TRY(base::write_file(path, report::graph_dot(checked.read.history, example.graph)));
    return true;
  }
  return false;
}

// Writes what was asked for beside the verdict.
Result<Files> write_files(const Checked& checked, const Flags& flags, std::size_t index) {
  Files files;
  if (!flags.html.empty()) {
    const std::filesystem::path path = page_path(flags.html, index);
    SUNDER_TRY(write_page(checked, path));
    files.page = path.string();
  }
  if (!flags.dot.empty()) {
    const std::filesystem::path path = page_path(flags.dot, index);
    const auto written = write_graph(checked, path);
    SUNDER_TRY(written);
    if (*written) files.graph = path.string();
  }
  return files;
}

Result<int> act(const Flags& flags) {
  const auto job = understand(flags);
  SUNDER_TRY(job);
  int worst = 0;
  const auto rank = [](int code) { return code > 2 ? 3 : code == 1 ? 2 : code == 2 ? 1 : 0; };
  boost::json::array documents;
  for (std::size_t i = 0; i < flags.files.size(); ++i) {
    const std::string& file = flags.files[i];
    auto checked = check_one(file, *job);
    // Several files: one that cannot be read, or has no model, does not keep the others from being
    // judged.
    if (checked.has_error() && flags.files.size() > 1) {
      fmt::print(stderr, "sunder: {}\n", checked.error().message());
      if (flags.json) documents.push_back(error_to_json(file, checked.error()));
      worst = static_cast<int>(base::exit_code_of(checked.error()));
      continue;
    }
    SUNDER_TRY(checked);
    const int code = static_cast<int>(exit_code_of(checked->verdict.kind));
    if (rank(code) > rank(worst)) worst = code;
    const auto files = write_files(*checked, flags, i);
    SUNDER_TRY(files);
    if (flags.json) {
      documents.push_back(to_json(*checked, *files));
    } else {
      fmt::print("{}", to_text(*checked, *files));
    }
  }
  if (flags.json) fmt::print("{}\n", boost::json::serialize(documents));
  return worst;
}

}  // namespace

Command check_command(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("check", "Judge any history, ours or another tool's");
  command->add_option("files", flags->files, "Histories, gzipped or not; - for standard input")
      ->required();
  command
      ->add_option("--model",
                   flags->model,
                   "What an ideal system would answer (sunder list models); auto chooses by the "
                   "operations, and so does a level alone, as serializable")
      ->capture_default_str();
  command->add_option("--format", flags->format, "The files' form; automatic detects it")
      ->capture_default_str();
  command->add_option("--budget", flags->budget, "Time for the search of each file")
      ->capture_default_str();
  command->add_option("--memory", flags->memory, "Memory for the search of each file")
      ->capture_default_str();
  command->add_option("--threads", flags->threads, "0: as many as the machine has")
      ->capture_default_str();
  command->add_option("--html",
                      flags->html,
                      "Write a picture of the counter-example to this file; of further histories "
                      "beside it, numbered");
  command->add_option("--dot",
                      flags->dot,
                      "Write the graph of the counter-example to this file, for Graphviz, when it "
                      "has one; of further histories beside it, numbered");
  command
      ->add_option(
          "--parameter",
          flags->parameters,
          "A number that the model takes (sunder list models), NAME=NUMBER; may be repeated")
      ->allow_extra_args(false);
  command->add_flag("--strongest",
                    flags->strongest,
                    "Judge every level of the model: which is the strongest not refuted, and what "
                    "refutes the next");
  command->add_flag("--json", flags->json, "Print the verdicts as JSON");
  command->footer(
      "Formats: sunder's history.jsonl, Jepsen's EDN, its twins in JSON, history.txt and "
      "jepsen.log,\nporcupine's logs, transactions of AWDIT, Plume and dbcop, histories of one "
      "object (LiMo, fptlin,\nfastlin); detected, and named in the output (docs/histories.md).\n"
      "Examples:\n"
      "  sunder check runs/latest/history.jsonl\n"
      "  sunder check etcd_000.log --model cas-register --html picture.html\n"
      "  sunder check bank.edn --model snapshot-isolation\n"
      "  sunder check register.edn --model register/k-atomicity --parameter k=3\n"
      "  zcat history.edn.gz | sunder check - --json");
  return {command, [flags] { return act(*flags); }};
}

}  // namespace sunder::cli
