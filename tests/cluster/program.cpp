#include "tests/cluster/program.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <csignal>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include "harness/base/file.hpp"

namespace sunder::tests {
namespace {

namespace fs = std::filesystem;

void redirect(int descriptor, const fs::path& path, int flags) {
  const int file = ::open(path.c_str(), flags, 0644);
  if (file < 0 || ::dup2(file, descriptor) < 0) ::_exit(126);
}

int execute(const fs::path& folder,
            const fs::path& out,
            const fs::path& err,
            std::vector<std::string>& arguments) {
  if (::chdir(folder.c_str()) != 0) return 126;
  redirect(STDIN_FILENO, "/dev/null", O_RDONLY);
  redirect(STDOUT_FILENO, out, O_WRONLY | O_CREAT | O_TRUNC);
  redirect(STDERR_FILENO, err, O_WRONLY | O_CREAT | O_TRUNC);
  std::vector<char*> pointers;
  std::string name = SUNDER_PROGRAM;
  pointers.push_back(name.data());
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  ::execv(name.c_str(), pointers.data());
  return 127;
}

}  // namespace

Program::Program(User user,
                 const fs::path& folder,
                 std::vector<std::string> arguments,
                 const std::function<bool()>& prepare) {
  static std::atomic<int> counter{0};
  const int number = counter++;
  out_ = folder / fmt::format("out-{}", number);
  err_ = folder / fmt::format("err-{}", number);
  pid_ = fork_as(user, [&] {
    if (prepare && !prepare()) return 126;
    return execute(folder, out_, err_, arguments);
  });
}

Program::~Program() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  (void)wait_for(pid_);
}

void Program::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

Ended Program::wait() {
  Ended ended;
  ended.status = wait_for(pid_);
  pid_ = -1;
  ended.out = base::read_file(out_).value();
  ended.err = base::read_file(err_).value();
  return ended;
}

Ended run_sunder(User user, const fs::path& folder, std::vector<std::string> arguments) {
  Program program(user, folder, std::move(arguments));
  return program.wait();
}

std::string line_of(const std::string& out, const std::string& promise) {
  std::istringstream lines(out);
  for (std::string line; std::getline(lines, line);) {
    if (line.find(" " + promise + " ") != std::string::npos) return line;
  }
  return "no line of " + promise;
}

bool tells_of_overload(const std::string& text) {
  return text.find("the host was overloaded (") != std::string::npos;
}

bool any_tells_of_overload(const fs::path& folder) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().filename() != "report.json") continue;
    const auto report = base::read_file(entry.path());
    if (report.has_value() && tells_of_overload(*report)) return true;
  }
  return false;
}

void expect_kept(const Ended& run, const std::vector<std::string>& promises) {
  bool excused = false;
  std::istringstream lines(run.out);
  for (std::string line; std::getline(lines, line);) {
    const bool undetermined = line.find(" undetermined ") != std::string::npos;
    excused = excused || (undetermined && tells_of_overload(line));
  }
  EXPECT_EQ(run.status, excused ? 2 : 0) << run.out << run.err;
  for (const std::string& promise : promises) {
    const std::string line = line_of(run.out, promise);
    const bool kept = line.find(" kept ") != std::string::npos;
    EXPECT_TRUE(kept || tells_of_overload(line)) << promise << "\n" << run.out;
  }
}

bool eventually(const std::function<bool()>& condition, std::chrono::seconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    ::poll(nullptr, 0, 10);
  }
  return true;
}

std::vector<pid_t> processes_mentioning(const std::string& text) {
  std::vector<pid_t> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename().string();
    pid_t pid = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (parsed.ec != std::errc{} || pid == ::getpid()) continue;
    // It may end between the listing and the reading.
    const auto command = base::read_file(entry.path() / "cmdline");
    if (command.has_value() && command->find(text) != std::string::npos) found.push_back(pid);
  }
  return found;
}

}  // namespace sunder::tests
