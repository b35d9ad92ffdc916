// sunder: the command line. The only place that sees every registry.

#include <array>
#include <csignal>
#include <cstdio>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "harness/cli/command.hpp"
#include "harness/run/host.hpp"
#include "harness/uml/guest.hpp"

namespace sunder::cli {
namespace {

constexpr const char* kFooter = R"(Examples:
  sunder run raft/register --faults partition,kill --duration 30s --seed 7
  sunder run raft/register --sabotage ack-before-quorum
  sunder campaign campaigns/quickstart.toml
  sunder prove raft
  sunder up raft --nodes 5 -- redis-cli -h n1 set x 1
  sunder check history.jsonl --model register

Exit codes: 0 every promise kept · 1 a promise broken · 2 undetermined or not exercised ·
            3 the harness itself failed · 64 usage · 65 unreadable input)";

// CLI11 says several lines ("… Run with --help …"); a user needs the first.
// Where something is missing, it leaves out that there is an unknown flag, too: a misspelt one is
// the likelier mistake.
int refuse(const CLI::App& app, const CLI::ParseError& error) {
  std::string text = error.what();
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    for (const std::string& word : app.remaining(true)) {
      if (!word.starts_with('-')) continue;
      text = "The following argument was not expected: " + word;
      break;
    }
  }
  fmt::print(stderr, "sunder: {} (sunder --help shows how)\n", text.substr(0, text.find('\n')));
  return static_cast<int>(ExitCode::usage);
}

// CLI11 calls an unknown word "a subcommand is required".
Result<void> check_command_word(const CLI::App& app, int count, char** arguments) {
  if (count < 2 || arguments[1][0] == '-') return {};
  std::string known;
  for (const CLI::App* command : app.get_subcommands({})) {
    if (command->get_name() == arguments[1]) return {};
    known += (known.empty() ? "" : ", ") + command->get_name();
  }
  return base::make_error(Errc::usage,
                          fmt::format("unknown command '{}': known are {}", arguments[1], known));
}

int report_error(const Error& error) {
  fmt::print(stderr, "sunder: {}\n", error.message());
  return static_cast<int>(base::exit_code_of(error));
}

int run_cli(int count, char** arguments) {
  CLI::App app("Breaks a cluster of real processes on purpose and says which of its promises held.",
               "sunder");
  app.footer(kFooter);
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string(run::version()));
  const std::array commands{run_command(app),
                            campaign_command(app),
                            prove_command(app),
                            up_command(app),
                            fault_command(app),
                            heal_command(app),
                            status_command(app),
                            under_uml_command(app),
                            check_command(app),
                            list_command(app),
                            doctor_command(app),
                            replay_command(app),
                            report_command(app)};
  const auto known = check_command_word(app, count, arguments);
  if (known.has_error()) return report_error(known.error());
  try {
    app.parse(count, arguments);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::CallForAllHelp& help) {
    return app.exit(help);
  } catch (const CLI::CallForVersion& version) {
    return app.exit(version);
  } catch (const CLI::ParseError& error) {
    return refuse(app, error);
  }
  for (const Command& command : commands) {
    if (!command.parsed->parsed()) continue;
    const Result<int> code = command.act();
    return code.has_value() ? *code : report_error(code.error());
  }
  return static_cast<int>(ExitCode::usage);
}

}  // namespace
}  // namespace sunder::cli

int main(int count, char** arguments) {
  // A reader that closes its end (| head) is an error of write(), not a death.
  std::signal(SIGPIPE, SIG_IGN);
  // linux.uml adds an argument of its own to its init's.
  const bool guest = count >= 2 && std::string_view(arguments[1]) == "uml-init";
  if (guest && ::getpid() == 1) sunder::uml::be_guest();
  try {
    return sunder::cli::run_cli(count, arguments);
  } catch (const std::exception& caught) {
    fmt::print(stderr, "sunder: internal error: {}\n", caught.what());
    return static_cast<int>(sunder::ExitCode::harness_failed);
  }
}
