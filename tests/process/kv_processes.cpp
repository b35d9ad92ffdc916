#include "tests/process/kv_processes.hpp"

#include <array>
#include <csignal>
#include <cstdlib>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/assert.hpp"
#include "harness/base/clock.hpp"

namespace sunder::tests {
namespace {

using wire::RespValue;

constexpr std::uint16_t kClientPort = 6379;
constexpr std::uint16_t kPeerPort = 7000;

// Replaces this (forked) process.
[[noreturn]] void execute(const Arguments& command) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::vector<char*> pointers;
  for (const std::string& argument : command)
    pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  ::execvp(pointers[0], pointers.data());
  ::_exit(127);
}

void redirect_to_file(const std::filesystem::path& path, int descriptor) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::dup2(file, descriptor);
  if (file != descriptor) ::close(file);
}

int reap(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

bool wait_until(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  const auto deadline = base::MonotonicClock::now() + limit;
  while (!condition()) {
    if (base::MonotonicClock::now() >= deadline) return false;
    ::poll(nullptr, 0, 10);
  }
  return true;
}

ExitStatus run_program(const Arguments& command, const std::string& input) {
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  SUNDER_ASSERT(::pipe2(in.data(), O_CLOEXEC) == 0);
  SUNDER_ASSERT(::pipe2(out.data(), O_CLOEXEC) == 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(in[0], 0);
    ::dup2(out[1], 1);
    ::dup2(out[1], 2);
    execute(command);
  }
  ::close(in[0]);
  ::close(out[1]);
  const auto written = base::write_all(in[1], input);
  SUNDER_ASSERT(written.has_value());
  ::close(in[1]);
  ExitStatus status;
  std::array<char, 4096> space{};
  while (true) {
    const ssize_t size = ::read(out[0], space.data(), space.size());
    if (size <= 0) break;
    status.output.append(space.data(), static_cast<std::size_t>(size));
  }
  ::close(out[0]);
  status.code = reap(pid);
  return status;
}

BlockingClient::BlockingClient(const std::string& address) {
  socket_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval limit{.tv_sec = 2, .tv_usec = 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(kClientPort);
  ::inet_pton(AF_INET, address.c_str(), &to.sin_addr);
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    socket_.reset();
}

RespValue BlockingClient::call(const Arguments& command) {
  const std::string request = wire::encode_request(command);
  if (!socket_.valid()) return RespValue::error("IO not connected");
  const ssize_t sent = ::send(socket_.get(), request.data(), request.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(request.size())) return RespValue::error("IO not sent");
  RespValue reply;
  std::array<char, 4096> space{};
  while (true) {
    const Result<bool> whole = parser_.next_value(reply);
    if (whole.has_error()) return RespValue::error("IO not RESP");
    if (*whole) return reply;
    const ssize_t size = ::recv(socket_.get(), space.data(), space.size(), 0);
    if (size <= 0) return RespValue::error("IO no reply");
    parser_.feed(std::string_view(space.data(), static_cast<std::size_t>(size)));
  }
}

KvProcesses::KvProcesses(std::size_t nodes, Arguments extra, NodeProgram program)
    : extra_(std::move(extra)), program_(std::move(program)), pids_(nodes) {
  std::string pattern = (std::filesystem::temp_directory_path() / "sunder-kv-XXXXXX").string();
  SUNDER_ASSERT(::mkdtemp(pattern.data()) != nullptr);
  directory_ = pattern;
}

KvProcesses::~KvProcesses() {
  kill_all();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::string KvProcesses::address(std::size_t node) const {
  const auto pid = static_cast<unsigned>(::getpid());
  return fmt::format("127.{}.{}.{}", 1 + (pid >> 8) % 250, pid & 0xffU, node);
}

void KvProcesses::start(std::size_t node) {
  SUNDER_ASSERT(pids_.at(node - 1) == 0);
  const std::string name = fmt::format("n{}", node);
  std::string peers;
  for (std::size_t peer = 1; peer <= size(); ++peer) {
    peers += fmt::format("{}n{}={}:{}", peer > 1 ? "," : "", peer, address(peer), kPeerPort);
  }
  Arguments command = {std::string(SUNDER_BINARY_DIR) + "/" + program_.name,
                       "--id",
                       name,
                       "--listen",
                       fmt::format("{}:{}", address(node), kClientPort),
                       "--peers",
                       peers,
                       "--data-dir",
                       (directory_ / name).string(),
                       "--mode",
                       program_.mode,
                       "--seed",
                       "7"};
  command.insert(command.end(), extra_.begin(), extra_.end());
  if (!program_.own.empty()) {
    const Arguments& own = program_.own.at(node - 1);
    command.insert(command.end(), own.begin(), own.end());
  }
  const pid_t pid = ::fork();
  SUNDER_ASSERT(pid >= 0);
  if (pid == 0) {
    redirect_to_file(directory_ / (name + ".log"), 2);
    redirect_to_file(directory_ / (name + ".events"), 3);
    execute(command);
  }
  pids_[node - 1] = pid;
}

void KvProcesses::start_all() {
  for (std::size_t node = 1; node <= size(); ++node) start(node);
}

void KvProcesses::signal(std::size_t node, int number) {
  SUNDER_ASSERT(pids_.at(node - 1) > 0);
  ::kill(pids_[node - 1], number);
}

void KvProcesses::kill(std::size_t node) {
  signal(node, SIGKILL);
  reap(std::exchange(pids_[node - 1], 0));
}

void KvProcesses::kill_all() {
  for (const pid_t pid : pids_) {
    if (pid > 0) ::kill(pid, SIGKILL);
  }
  for (pid_t& pid : pids_) {
    if (pid > 0) reap(std::exchange(pid, 0));
  }
}

int KvProcesses::wait(std::size_t node) {
  return reap(std::exchange(pids_.at(node - 1), 0));
}

RespValue KvProcesses::call(std::size_t node, const Arguments& command) const {
  return BlockingClient(address(node)).call(command);
}

RespValue KvProcesses::call_until_ok(std::size_t node, const Arguments& command) const {
  RespValue reply;
  const bool answered = wait_until([&] {
    reply = call(node, command);
    return reply.kind != wire::RespKind::error;
  });
  return answered ? reply : RespValue::error("IO gave up: " + reply.text);
}

std::size_t KvProcesses::wait_for_leader() const {
  std::size_t leader = 0;
  const bool found = wait_until([&] {
    for (std::size_t node = 1; node <= size(); ++node) {
      if (pids_[node - 1] > 0 && info_field(call(node, {"INFO"}), "role") == "leader" &&
          call(node, program_.read).kind != wire::RespKind::error) {
        leader = node;
      }
    }
    return leader != 0;
  });
  return found ? leader : 0;
}

std::string KvProcesses::events(std::size_t node) const {
  return base::read_file(directory_ / fmt::format("n{}.events", node)).value();
}

std::string info_field(const RespValue& info, const std::string& name) {
  const std::string key = "\r\n" + name + ":";
  const std::size_t at = info.text.find(key);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + key.size();
  return info.text.substr(begin, info.text.find("\r\n", begin) - begin);
}

}  // namespace sunder::tests
