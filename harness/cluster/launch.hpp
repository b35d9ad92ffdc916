// Child: starts one program in a network namespace and waits for it, and for nothing else.
//
// Boost.Process v2 does the work, behind this header because it is slow to compile. The child dies
// with the runner (PDEATHSIG), starts with no signal blocked or ignored, and inherits nothing but
// its standard streams and file descriptor 3.
//
// Threading: the executor's single thread. Destroying a Child whose process has not ended kills it
// and waits for it.

#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "harness/base/error.hpp"

namespace sunder::cluster {

struct LaunchOptions {
  std::filesystem::path program;
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;  // added to ours
  int network_namespace = -1;                      // descriptor; -1: ours
  int input = -1;                                  // descriptors; -1: ours
  int output = -1;
  int error = -1;
  int events = -1;         // becomes descriptor 3; -1: none
  bool own_group = false;  // leads a process group of its own, away from the terminal's signals
};

class Child {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Child>> launch(boost::asio::any_io_executor executor,
                                                             const LaunchOptions& options);
  virtual ~Child() = default;

  [[nodiscard]] virtual int pid() const noexcept = 0;
  // Reaps it: its status as waitpid() gives it. Await once.
  [[nodiscard]] virtual boost::asio::awaitable<Result<int>> wait() = 0;
};

// The program that a shell would run for this name: looked up in PATH unless it contains a slash.
[[nodiscard]] Result<std::filesystem::path> find_program(const std::string& name);

}  // namespace sunder::cluster
