// `sunder fault`, `sunder heal` and `sunder status`: they act on the cluster of a `sunder up`.

#include <charconv>
#include <chrono>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "harness/base/duration.hpp"
#include "harness/cli/command.hpp"
#include "harness/run/control.hpp"
#include "harness/run/playground_text.hpp"

namespace sunder::cli {
namespace {

namespace json = boost::json;

// Longer than a fault may take to begin or to end.
constexpr std::chrono::seconds kAnswerLimit(60);

struct Flags {
  std::vector<std::string> words;
  std::string duration;
  std::string id;
  std::string directory;
  bool as_json = false;
  bool as_schedule = false;
};

Result<json::object> request(const Flags& flags, json::object what) {
  const auto path = run::find_control(flags.directory);
  SUNDER_TRY(path);
  return run::ask(*path, std::move(what), kAnswerLimit);
}

void add_common(CLI::App& command, Flags& flags) {
  command.add_option(
      "--dir",
      flags.directory,
      "The run's directory (default: that of the shell's cluster, else runs/latest)");
  command.add_flag("--json", flags.as_json, "Print the reply as JSON");
}

Result<int> fault(const Flags& flags) {
  std::optional<std::chrono::nanoseconds> duration;
  if (!flags.duration.empty()) {
    const auto parsed = base::parse_duration(flags.duration);
    if (parsed.has_error()) return base::with_context(parsed.error(), "--for");
    if (parsed->count() == 0) return base::make_error(Errc::usage, "--for 0s: longer than nothing");
    duration = *parsed;
  }
  const auto order = run::read_fault_order(flags.words, duration);
  SUNDER_TRY(order);
  const json::object what{{"do", "fault"}, {"items", order->items}, {"open", order->open}};
  const auto reply = request(flags, what);
  SUNDER_TRY(reply);
  fmt::print("{}", flags.as_json ? json::serialize(*reply) + "\n" : run::faults_text(*reply));
  return 0;
}

Result<int> heal(const Flags& flags) {
  json::object what{{"do", "heal"}};
  if (flags.id != "all") {
    std::uint32_t id = 0;
    const char* const end = flags.id.data() + flags.id.size();
    const auto [stop, error] = std::from_chars(flags.id.data(), end, id);
    if (error != std::errc{} || stop != end) {
      return base::make_error(Errc::usage,
                              fmt::format("heal '{}': give a fault's number, or all", flags.id));
    }
    what["id"] = id;
  }
  const auto reply = request(flags, std::move(what));
  SUNDER_TRY(reply);
  fmt::print("{}", flags.as_json ? json::serialize(*reply) + "\n" : run::faults_text(*reply));
  return 0;
}

Result<int> status(const Flags& flags) {
  const auto reply = request(flags, json::object{{"do", "status"}});
  SUNDER_TRY(reply);
  if (flags.as_schedule) {
    fmt::print("{}\n", std::string_view(reply->at("schedule").as_string()));
  } else {
    fmt::print("{}", flags.as_json ? json::serialize(*reply) + "\n" : run::status_text(*reply));
  }
  return 0;
}

}  // namespace

Command fault_command(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("fault", "Break the cluster of a sunder up, now");
  command->add_option("fault", flags->words, "What to do, in the language of --faults")->required();
  command->add_option("--for", flags->duration, "Heal it after this long (default: until healed)");
  add_common(*command, *flags);
  command->footer(
      "Examples:\n"
      "  sunder fault kill:leader\n"
      "  sunder fault 'partition n1,n2 | n3,n4,n5' --for 5s\n"
      "  sunder fault 'partition:leader;flap=500ms'\n"
      "  sunder fault kill:subject@became-leader+1s       waits for the next leader");
  return {command, [flags] { return fault(*flags); }};
}

Command heal_command(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  flags->id = "all";
  CLI::App* command = app.add_subcommand("heal", "Heal faults of a sunder up, all or one");
  command->add_option("fault", flags->id, "Its number, or all")->capture_default_str();
  add_common(*command, *flags);
  return {command, [flags] { return heal(*flags); }};
}

Command status_command(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command =
      app.add_subcommand("status", "Nodes, faults and links of the cluster of a sunder up");
  add_common(*command, *flags);
  command->add_flag(
      "--as-schedule", flags->as_schedule, "Print what was done as sunder run --faults takes it");
  command->footer(
      "Example:\n"
      "  sunder run raft/register --faults \"$(sunder status --as-schedule)\"");
  return {command, [flags] { return status(*flags); }};
}

}  // namespace sunder::cli
