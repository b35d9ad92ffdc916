// `sunder doctor`: what this machine can do, probed by use; what is missing and the command that
// adds it; and for every fault family where it can be done.
//
// Rows of faults come from what the families say they need, so a new family shows up by itself.
// --kernel uml boots User-Mode Linux once and asks the same there; without it, its column is what
// its modules promise.

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/file.hpp"
#include "harness/cli/command.hpp"
#include "harness/cluster/capabilities.hpp"
#include "harness/uml/machine.hpp"
#include "nemesis/nemesis.hpp"

namespace sunder::cli {
namespace {

namespace json = boost::json;

using cluster::Capability;
using Capabilities = std::vector<Capability>;

// Where a fault family can be done.
struct FaultSupport {
  std::string name;
  bool here = true;
  std::optional<bool> under_uml = true;  // nothing: only booting says
  std::string lacks;                     // what is missing here, and why
  std::string remedy;                    // the command that brings it
};

// What a family needs of the system under test is no capability of the machine.
bool is_of_the_mode(std::string_view need) {
  return need == "membership";
}

void add_need(std::string_view need, const Capabilities& capabilities, FaultSupport& support) {
  const auto found = std::ranges::find(capabilities, need, &Capability::name);
  if (found == capabilities.end()) {
    support.here = false;
    support.under_uml = std::nullopt;
    support.lacks = fmt::format("{}: not probed by this build", need);
    return;
  }
  if (support.under_uml != false && found->under_uml != true) support.under_uml = found->under_uml;
  if (found->works || !support.here) return;  // the first reason is enough
  support.here = false;
  support.lacks = fmt::format("{}: {}", found->name, found->detail);
  support.remedy = found->remedy;
}

std::vector<FaultSupport> support_of_faults(const Capabilities& capabilities) {
  const auto uml = std::ranges::find(capabilities, "user-mode linux", &Capability::name);
  std::vector<FaultSupport> faults;
  for (const nemesis::FaultInfo& family : nemesis::all_faults()) {
    FaultSupport support;
    support.name = family.name;
    for (const std::string_view need : family.needs) {
      if (!is_of_the_mode(need)) add_need(need, capabilities, support);
    }
    if (!support.here && support.under_uml == true && !cluster::is_user_mode_linux()) {
      const bool boots = uml != capabilities.end() && uml->works;
      support.remedy += boots ? "; or: sunder run … --kernel uml"
                              : "; or: sudo apt install user-mode-linux, then --kernel uml";
    }
    faults.push_back(std::move(support));
  }
  return faults;
}

// ---- asking User-Mode Linux ----

// What `sunder doctor --json` prints there. Its standard output is a file in memory.
Result<std::string> doctor_under_uml() {
  const base::FileDescriptor output(::memfd_create("doctor", MFD_CLOEXEC));
  if (!output.valid()) return base::system_error("make a file in memory");
  const pid_t child = ::fork();
  if (child < 0) return base::system_error("fork");
  if (child == 0) {
    ::dup2(output.get(), STDOUT_FILENO);
    uml::MachineOptions options;
    options.program = program_path();
    options.command = {options.program.string(), "doctor", "--json"};
    const auto status = uml::run_under_uml(options);
    if (status.has_error()) fmt::print(stderr, "sunder: {}\n", status.error().message());
    ::_exit(status.has_value() ? *status : static_cast<int>(ExitCode::harness_failed));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return base::make_error(Errc::failed, "sunder does not run under User-Mode Linux here");
  }
  return base::read_file(fmt::format("/proc/self/fd/{}", output.get()));
}

// Replaces what is expected of User-Mode Linux by what was seen there.
Result<void> ask_uml(Capabilities& capabilities) {
  const auto text = doctor_under_uml();
  SUNDER_TRY(text);
  boost::system::error_code error;
  const json::value document = json::parse(*text, error);
  if (error) return base::make_error(Errc::failed, "the doctor under User-Mode Linux: " + *text);
  for (const json::value& row : document.at("capabilities").as_array()) {
    const auto name = json::value_to<std::string>(row.at("name"));
    if (name == "user-mode linux") continue;  // its files are there too; one inside another is not
    const auto found = std::ranges::find(capabilities, name, &Capability::name);
    if (found != capabilities.end()) found->under_uml = row.at("works").as_bool();
  }
  return {};
}

// ---- printing ----

const char* word(std::optional<bool> value) {
  if (!value) return "?";
  return *value ? "yes" : "no";
}

void print_text(const Capabilities& capabilities, const std::vector<FaultSupport>& faults) {
  for (const Capability& capability : capabilities) {
    const char* const mark = capability.works ? "✓" : capability.required ? "✗" : "–";
    fmt::print("{} {:<15} {}: {}\n", mark, capability.name, capability.purpose, capability.detail);
    if (!capability.remedy.empty()) fmt::print("  {:<15} → {}\n", "", capability.remedy);
  }
  fmt::print("\n{:<20} {:<9} {:<10} {}\n", "fault", "natively", "under uml", "how to get it");
  for (const FaultSupport& fault : faults) {
    std::string how;
    if (!fault.here) how = fmt::format("{} → {}", fault.lacks, fault.remedy);
    fmt::print(
        "{:<20} {:<9} {:<10} {}\n", fault.name, word(fault.here), word(fault.under_uml), how);
  }
}

json::value to_json(std::optional<bool> value) {
  return value ? json::value(*value) : json::value(nullptr);
}

void print_json(const Capabilities& capabilities, const std::vector<FaultSupport>& faults) {
  json::array rows;
  for (const Capability& capability : capabilities) {
    rows.push_back({{"name", capability.name},
                    {"purpose", capability.purpose},
                    {"required", capability.required},
                    {"works", capability.works},
                    {"under_uml", to_json(capability.under_uml)},
                    {"detail", capability.detail},
                    {"remedy", capability.remedy}});
  }
  json::array families;
  for (const FaultSupport& fault : faults) {
    families.push_back({{"name", fault.name},
                        {"natively", fault.here},
                        {"under_uml", to_json(fault.under_uml)},
                        {"lacks", fault.lacks},
                        {"remedy", fault.remedy}});
  }
  const json::object document{{"capabilities", std::move(rows)}, {"faults", std::move(families)}};
  fmt::print("{}\n", json::serialize(document));
}

// Exit code 3 when something is missing without which nothing runs.
Result<int> act(bool as_json, const std::string& kernel) {
  Capabilities capabilities = cluster::probe_capabilities();
  if (kernel == "uml" && !cluster::is_user_mode_linux()) SUNDER_TRY(ask_uml(capabilities));
  const std::vector<FaultSupport> faults = support_of_faults(capabilities);
  as_json ? print_json(capabilities, faults) : print_text(capabilities, faults);
  const bool ready = std::ranges::all_of(capabilities, [](const Capability& capability) {
    return capability.works || !capability.required;
  });
  if (!as_json) {
    fmt::print("\n{}\n",
               ready ? "sunder runs here; – marks what would need more"
                     : "sunder cannot run here; ✗ marks what is missing");
  }
  return static_cast<int>(ready ? ExitCode::kept : ExitCode::harness_failed);
}

}  // namespace

Command doctor_command(CLI::App& app) {
  auto json_wanted = std::make_shared<bool>(false);
  auto kernel = std::make_shared<std::string>("host");
  CLI::App* command =
      app.add_subcommand("doctor", "What this machine can do, probed by use; what is missing");
  command->add_flag("--json", *json_wanted, "Print the tables as JSON");
  command->add_option("--kernel", *kernel, "uml: boot User-Mode Linux and ask there too")
      ->check(CLI::IsMember({"host", "uml"}))
      ->capture_default_str();
  return {command, [json_wanted, kernel]() -> Result<int> { return act(*json_wanted, *kernel); }};
}

}  // namespace sunder::cli
