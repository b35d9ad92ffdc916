#include "harness/run/child_run.hpp"

#include <csignal>

#include <boost/asio/this_coro.hpp>
#include <boost/json.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>

#include "harness/base/clock.hpp"
#include "harness/base/duration.hpp"
#include "harness/base/file.hpp"
#include "harness/cluster/launch.hpp"

namespace sunder::run {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace json = boost::json;

// The verdicts as the run's own report.json states them.
void read_verdicts(const fs::path& directory, ChildEnding& ending) {
  const auto text = base::read_file(directory / "report.json");
  if (text.has_error()) return;
  boost::system::error_code error;
  const json::value document = json::parse(*text, error);
  if (error || !document.is_object()) return;
  const json::object& report = document.as_object();
  if (const json::value* promises = report.if_contains("promises"); promises != nullptr) {
    for (const json::value& promise : promises->as_array()) {
      const json::object& fields = promise.as_object();
      const auto verdict = json::value_to<std::string>(fields.at("verdict"));
      const auto name = json::value_to<std::string>(fields.at("name"));
      if (verdict == "broken") ending.broken.push_back(name);
      if (verdict == "price") ending.prices.push_back(name);
    }
  }
  if (const json::value* phases = report.if_contains("phases"); phases != nullptr) {
    for (const json::value& phase : phases->as_array()) {
      const json::object& fields = phase.as_object();
      if (json::value_to<std::string>(fields.at("name")) != "load") continue;
      const json::value* begin = fields.if_contains("begin_ns");
      const json::value* end = fields.if_contains("end_ns");
      if (begin == nullptr || end == nullptr || end->is_null()) continue;
      ending.load = std::chrono::nanoseconds(end->to_number<std::int64_t>() -
                                             begin->to_number<std::int64_t>());
    }
  }
}

Result<base::FileDescriptor> open_or_null(const fs::path& path) {
  const fs::path target = path.empty() ? "/dev/null" : path;
  base::FileDescriptor file(::open(target.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!file.valid()) return base::system_error(fmt::format("open {}", target.string()));
  return file;
}

}  // namespace

std::vector<std::string> arguments_of(const ChildStart& start) {
  const RunOptions& options = start.options;
  std::vector<std::string> arguments{"run",
                                     options.scenario,
                                     "--seed",
                                     fmt::format("{}", options.seed.value_or(0)),
                                     "--clients",
                                     fmt::format("{}", options.clients),
                                     "--out",
                                     start.directory.string()};
  const auto add = [&](const char* flag, const std::string& value) {
    arguments.emplace_back(flag);
    arguments.push_back(value);
  };
  if (options.duration) add("--duration", base::format_duration(*options.duration));
  if (options.keys) add("--keys", fmt::format("{}", *options.keys));
  if (options.nodes) add("--nodes", fmt::format("{}", *options.nodes));
  if (options.faults) add("--faults", *options.faults);
  if (options.rate > 0) add("--rate", fmt::format("{}", options.rate));
  if (!options.mix.empty()) add("--mix", options.mix);
  if (!options.sabotage.empty()) add("--sabotage", options.sabotage);
  if (options.clients_see_all) add("--clients-see", "all");
  if (options.kernel != "host") add("--kernel", options.kernel);
  if (!start.shown) arguments.insert(arguments.end(), {"--quiet", "--json"});
  return arguments;
}

asio::awaitable<ChildEnding> ChildRuns::perform(ChildStart start) {
  const std::int64_t started = base::monotonic_ns();
  auto executor = co_await asio::this_coro::executor;
  ChildEnding ending;
  const auto nothing = open_or_null({});
  const auto errors = open_or_null(start.errors);
  if (nothing.has_error() || errors.has_error()) co_return ending;
  cluster::LaunchOptions launch;
  launch.program = program_;
  launch.arguments = arguments_of(start);
  launch.input = nothing->get();
  if (!start.shown) launch.output = nothing->get();
  if (!start.errors.empty()) launch.error = errors->get();
  const auto child = cluster::Child::launch(executor, launch);
  if (child.has_error()) co_return ending;
  const int id = (*child)->pid();
  running_.insert(id);
  const Result<int> status = co_await (*child)->wait();
  running_.erase(id);
  if (status.has_value() && WIFEXITED(*status)) ending.exit_code = WEXITSTATUS(*status);
  ending.took = std::chrono::nanoseconds(base::monotonic_ns() - started);
  try {
    read_verdicts(start.directory, ending);
  } catch (const std::exception&) {
    ending.exit_code = 3;  // a report that is not ours
  }
  co_return ending;
}

void ChildRuns::interrupt() const noexcept {
  for (const int id : running_) ::kill(id, SIGINT);
}

}  // namespace sunder::run
