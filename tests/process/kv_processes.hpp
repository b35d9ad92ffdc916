// KvProcesses: real nodes on loopback, of sunder-kv if nothing else is said, started, killed and
// restarted by a test.
//
// Node nK answers at 127.X.Y.K, X and Y from the test's process id, so that tests side by side do
// not meet. Data stays in a temporary directory until the object goes; every node is killed and
// reaped then.

#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "harness/base/error.hpp"
#include "harness/base/file.hpp"
#include "harness/wire/resp.hpp"

namespace sunder::tests {

using Arguments = std::vector<std::string>;

// Calls `condition` every few milliseconds until it holds; false when it does not within `limit`.
[[nodiscard]] bool wait_until(const std::function<bool()>& condition,
                              std::chrono::milliseconds limit = std::chrono::seconds(10));

struct ExitStatus {
  int code = -1;       // -1: ended by a signal
  std::string output;  // standard output and error
};

// Runs a program to its end.
[[nodiscard]] ExitStatus run_program(const Arguments& command, const std::string& input = "");

// One blocking connection.
class BlockingClient {
 public:
  explicit BlockingClient(const std::string& address);

  // The reply, or an error value "IO …" when there is none within two seconds.
  [[nodiscard]] wire::RespValue call(const Arguments& command);

 private:
  base::FileDescriptor socket_;
  wire::RespParser parser_;
};

struct NodeProgram {
  std::string name = "sunder-kv";
  std::string mode = "raft";
  Arguments read = {"GET", "?"};    // what a leader that can serve answers
  std::vector<Arguments> own = {};  // of each node, n1 first; empty: none has any
};

class KvProcesses {
 public:
  explicit KvProcesses(std::size_t nodes, Arguments extra = {}, NodeProgram program = {});
  ~KvProcesses();
  KvProcesses(const KvProcesses&) = delete;
  KvProcesses& operator=(const KvProcesses&) = delete;

  void start(std::size_t node);
  void start_all();
  void signal(std::size_t node, int number);
  // Kills and reaps.
  void kill(std::size_t node);
  void kill_all();
  // Waits for a node that was told to stop; its exit code.
  [[nodiscard]] int wait(std::size_t node);

  [[nodiscard]] std::size_t size() const noexcept { return pids_.size(); }

  // Numbers begin at 1, as in nK.
  [[nodiscard]] std::string address(std::size_t node) const;
  // One command on a fresh connection.
  [[nodiscard]] wire::RespValue call(std::size_t node, const Arguments& command) const;
  // Retries until the node answers something else than an error; that reply, or the last error.
  [[nodiscard]] wire::RespValue call_until_ok(std::size_t node, const Arguments& command) const;
  // The leader that INFO of any node names and that agrees; 0 when there is none within the limit.
  [[nodiscard]] std::size_t wait_for_leader() const;
  // What the node told on descriptor 3 so far, over all its lives.
  [[nodiscard]] std::string events(std::size_t node) const;

 private:
  Arguments extra_;
  NodeProgram program_;
  std::filesystem::path directory_;
  std::vector<pid_t> pids_;  // 0: down
};

[[nodiscard]] std::string info_field(const wire::RespValue& info, const std::string& name);

}  // namespace sunder::tests
