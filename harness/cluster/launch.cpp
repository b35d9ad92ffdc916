#include "harness/cluster/launch.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/optional.hpp>
#include <boost/process/v2/posix/default_launcher.hpp>
#include <boost/process/v2/process.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "harness/base/file.hpp"

namespace sunder::cluster {
namespace {

namespace process = boost::process::v2;
using boost::system::error_code;

constexpr int kEventsDescriptor = 3;
constexpr int kSafeDescriptor = 10;  // above everything that a child's dup2 overwrites

error_code last_error() {
  return {errno, boost::system::system_category()};
}

// Descriptors 0…3 are where a child's streams go. One that is free here could become Boost.Process'
// own error pipe and be overwritten in the child; so they are never free.
void occupy_low_descriptors() {
  for (;;) {
    const int descriptor = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (descriptor < 0) return;
    if (descriptor > kEventsDescriptor) {
      ::close(descriptor);
      return;
    }
  }
}

// What happens in the child between fork and exec, and what its environment is. Boost's own bind_fd
// lacks a return statement in 1.81, which optimised builds do not survive.
class Setup {
 public:
  explicit Setup(const LaunchOptions& options) : options_(options), parent_(::getpid()) {
    for (char** entry = ::environ; *entry != nullptr; ++entry) {
      const std::string_view text(*entry);
      const std::string name(text.substr(0, text.find('=')));
      if (!options.environment.contains(name)) environment_.emplace_back(text);
    }
    for (const auto& [name, value] : options.environment)
      environment_.push_back(name + "=" + value);
    for (const std::string& entry : environment_) pointers_.push_back(entry.c_str());
    pointers_.push_back(nullptr);
    for (const auto& [from, to] : {std::pair{options.input, STDIN_FILENO},
                                   std::pair{options.output, STDOUT_FILENO},
                                   std::pair{options.error, STDERR_FILENO},
                                   std::pair{options.events, kEventsDescriptor}}) {
      if (from < 0) continue;
      streams_.emplace_back(base::FileDescriptor(::fcntl(from, F_DUPFD_CLOEXEC, kSafeDescriptor)),
                            to);
    }
  }

  error_code on_setup(process::posix::default_launcher& launcher,
                      const std::filesystem::path&,
                      const char* const*) const {
    launcher.env = pointers_.data();
    if (options_.events >= 0) launcher.fd_whitelist.push_back(kEventsDescriptor);
    return {};
  }

  error_code on_exec_setup(process::posix::default_launcher&,
                           const std::filesystem::path&,
                           const char* const*) const {
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return last_error();
    if (::getppid() != parent_) ::_exit(EXIT_FAILURE);  // the runner died before the line above
    if (options_.network_namespace >= 0 && ::setns(options_.network_namespace, CLONE_NEWNET) != 0) {
      return last_error();
    }
    if (options_.own_group && ::setpgid(0, 0) != 0) return last_error();
    for (const auto& [from, to] : streams_) {
      if (::dup2(from.get(), to) < 0) return last_error();
    }
    ::signal(SIGPIPE, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    return {};
  }

 private:
  const LaunchOptions& options_;
  pid_t parent_;
  std::vector<std::string> environment_;
  std::vector<const char*> pointers_;
  std::vector<std::pair<base::FileDescriptor, int>> streams_;  // from → to
};

class BoostChild final : public Child {
 public:
  using Process = process::basic_process<boost::asio::any_io_executor>;

  explicit BoostChild(Process started) : process_(std::move(started)), pid_(process_.id()) {}

  [[nodiscard]] int pid() const noexcept override { return pid_; }

  [[nodiscard]] boost::asio::awaitable<Result<int>> wait() override {
    auto [error, status] =
        co_await process_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    if (error) {
      co_return base::system_error(error.value(), fmt::format("wait for process {}", pid_));
    }
    const int result = process_.native_exit_code();
    // The number may be another process' from now on, which the destructor must not kill.
    (void)process_.detach();
    co_return result;
  }

 private:
  Process process_;
  int pid_;
};

}  // namespace

Result<std::unique_ptr<Child>> Child::launch(boost::asio::any_io_executor executor,
                                             const LaunchOptions& options) {
  occupy_low_descriptors();
  const Setup setup(options);
  error_code error;
  process::posix::default_launcher launcher;
  BoostChild::Process started =
      launcher(executor, error, options.program, options.arguments, setup);
  if (error) {
    return base::system_error(error.value(), fmt::format("start {}", options.program.string()));
  }
  return std::unique_ptr<Child>(std::make_unique<BoostChild>(std::move(started)));
}

Result<std::filesystem::path> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return std::filesystem::path(name);
  const char* const variable = std::getenv("PATH");
  std::string_view rest = variable != nullptr ? variable : "/usr/local/bin:/usr/bin:/bin";
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const std::filesystem::path candidate = std::filesystem::path(rest.substr(0, end)) / name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return make_error(Errc::usage, fmt::format("{}: no such program", name));
}

}  // namespace sunder::cluster
