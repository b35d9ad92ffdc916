// sunder-disk: the disk under one node. Started by the cluster with a control socket on file
// descriptor 3; of no use by hand.
//
// Exit codes: 0 when the harness hung up, 64 for a wrong command line, 3 when it cannot mount.

#include <csignal>
#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include "harness/disk/control.hpp"
#include "harness/disk/mount.hpp"

namespace {

// One descriptor per file of the node.
void allow_many_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace sunder;
  try {
    std::signal(SIGPIPE, SIG_IGN);
    disk::MountOptions options;
    CLI::App app("The disk under one node of a cluster", "sunder-disk");
    app.add_option("--directory", options.directory, "What is mounted over itself")->required();
    app.add_option("--attic", options.attic, "Where files without a name wait")->required();
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      const int status = app.exit(error);
      return status == 0 ? 0 : static_cast<int>(ExitCode::usage);
    }
    allow_many_files();
    const auto served = disk::serve(options);
    if (served.has_value()) return 0;
    fmt::print(stderr, "sunder-disk: {}\n", served.error().message());
    (void)base::write_all(options.control, disk::failure_line(served.error().message()) + "\n");
    return static_cast<int>(ExitCode::harness_failed);
  } catch (const std::exception& error) {
    fmt::print(stderr, "sunder-disk: {}\n", error.what());
    return static_cast<int>(ExitCode::harness_failed);
  }
}
