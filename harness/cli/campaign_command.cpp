// `sunder campaign FILE`.

#include <charconv>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "harness/cli/command.hpp"
#include "harness/run/campaign.hpp"

namespace sunder::cli {
namespace {

struct Flags {
  std::string file;
  std::string shard = "1/1";
  std::string out;
  std::string kernel;
  std::optional<std::size_t> jobs;
  bool quiet = false;
};

Result<void> parse_shard(std::string_view text, run::CampaignOptions& options) {
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, options.shard);
  const bool slash = first.ptr != end && *first.ptr == '/';
  const auto second = slash ? std::from_chars(first.ptr + 1, end, options.shards) : first;
  const bool valid = slash && first.ec == std::errc{} && second.ec == std::errc{} &&
                     second.ptr == end && options.shard >= 1 && options.shard <= options.shards;
  if (valid) return {};
  return base::make_error(Errc::usage,
                          fmt::format("--shard '{}': write part/of, such as 3/16", text));
}

Result<int> act(const Flags& flags) {
  run::CampaignOptions options;
  SUNDER_TRY(parse_shard(flags.shard, options));
  if (flags.jobs && (*flags.jobs < 1 || *flags.jobs > run::kJobsMax))
    return base::make_error(Errc::usage, fmt::format("--jobs: give 1 to {}", run::kJobsMax));
  options.program = program_path();
  options.out = flags.out;
  options.quiet = flags.quiet;
  auto campaign = run::read_campaign(flags.file, flags.kernel);
  SUNDER_TRY(campaign);
  options.jobs = flags.jobs.value_or(campaign->jobs);
  const auto code = run::perform_campaign(*campaign, options);
  SUNDER_TRY(code);
  return static_cast<int>(*code);
}

}  // namespace

Command campaign_command(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command =
      app.add_subcommand("campaign", "Run many scenarios × seeds from one TOML file");
  command->add_option("file", flags->file, "The campaign, such as campaigns/quickstart.toml")
      ->required();
  command->add_option(
      "--jobs", flags->jobs, "Runs at the same time (default: as the file says, or 1)");
  command->add_option("--shard", flags->shard, "Only this part of the runs: 3/16")
      ->capture_default_str();
  command->add_option(
      "--out", flags->out, "Directory for the campaign (default: runs/<UTC time>-<name>)");
  command
      ->add_option("--kernel",
                   flags->kernel,
                   "Every run on this kernel: host or uml (default: as the file says)")
      ->check(CLI::IsMember({"host", "uml"}));
  command->add_flag("--quiet", flags->quiet, "No progress");
  command->footer(
      "Exit code 0 when every run ended as the campaign expects; a sabotage must be caught to be "
      "as expected.");
  return {command, [flags] { return act(*flags); }};
}

}  // namespace sunder::cli
