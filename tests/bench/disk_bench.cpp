// What the disk under a node costs while no fault is armed: the same operations on a folder and on
// the same folder with sunder-disk mounted over it, and their ratio.
//
// Runs inside a universe, as fabric_bench. `ratio` is what to look at: layer over bare.

#include <array>
#include <csignal>
#include <filesystem>
#include <vector>

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/assert.hpp"
#include "harness/base/clock.hpp"
#include "harness/base/file.hpp"
#include "harness/disk/control.hpp"

namespace sunder::disk {
namespace {

namespace fs = std::filesystem;

constexpr int kOperations = 200;

// A folder with the disk over it, for as long as the object lives.
class Layer {
 public:
  Layer(const fs::path& directory, const fs::path& attic) {
    int ends[2];
    SUNDER_ASSERT(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    const base::FileDescriptor theirs(ends[1]);
    client_.emplace(base::FileDescriptor(ends[0]));
    const std::string program = SUNDER_DISK_PROGRAM;
    std::vector<std::string> words{
        program, "--directory", directory.string(), "--attic", attic.string()};
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, theirs.get(), 3);
    const int failed =
        ::posix_spawn(&pid_, program.c_str(), &actions, nullptr, pointers.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    SUNDER_ASSERT(failed == 0);
  }

  [[nodiscard]] Result<void> await_ready() { return client_->await_ready(); }

  ~Layer() {
    client_.reset();
    ::waitpid(pid_, nullptr, 0);
  }

  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

 private:
  std::optional<Client> client_;
  pid_t pid_ = -1;
};

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "sunder-bench-XXXXXX").string();
    SUNDER_ASSERT(::mkdtemp(name.data()) != nullptr);
    path_ = name;
    fs::create_directory(path_ / "data");
  }

  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] fs::path data() const { return path_ / "data"; }

  [[nodiscard]] fs::path attic() const { return path_ / "attic"; }

 private:
  fs::path path_;
};

// Nanoseconds for kOperations of the kind.
using Operations = std::int64_t (*)(const fs::path& directory, std::size_t bytes);

base::FileDescriptor open_log(const fs::path& directory) {
  base::FileDescriptor file(
      ::open((directory / "log").c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  SUNDER_ASSERT(file.valid());
  return file;
}

std::int64_t append(const fs::path& directory, std::size_t bytes, bool sync) {
  const base::FileDescriptor file = open_log(directory);
  const std::vector<char> data(bytes, 'x');
  const std::int64_t begun = base::monotonic_ns();
  for (int i = 0; i < kOperations; ++i) {
    SUNDER_ASSERT(::write(file.get(), data.data(), bytes) == static_cast<ssize_t>(bytes));
    if (sync) SUNDER_ASSERT(::fdatasync(file.get()) == 0);
  }
  return base::monotonic_ns() - begun;
}

std::int64_t append_only(const fs::path& directory, std::size_t bytes) {
  return append(directory, bytes, false);
}

std::int64_t append_and_sync(const fs::path& directory, std::size_t bytes) {
  return append(directory, bytes, true);
}

std::int64_t read_again(const fs::path& directory, std::size_t bytes) {
  const base::FileDescriptor file = open_log(directory);
  std::vector<char> data(bytes * kOperations, 'x');
  const auto all = static_cast<ssize_t>(data.size());
  SUNDER_ASSERT(::pwrite(file.get(), data.data(), data.size(), 0) == all);
  const std::int64_t begun = base::monotonic_ns();
  for (int i = 0; i < kOperations; ++i) {
    const auto offset = static_cast<off_t>(bytes) * i;
    SUNDER_ASSERT(::pread(file.get(), data.data(), bytes, offset) == static_cast<ssize_t>(bytes));
  }
  return base::monotonic_ns() - begun;
}

void BM_Disk_IdleLayer(benchmark::State& state, Operations operations) {
  const auto bytes = static_cast<std::size_t>(state.range(0));
  const Folder bare;
  const Folder covered;
  Layer layer(covered.data(), covered.attic());
  const auto ready = layer.await_ready();
  if (ready.has_error()) {
    state.SkipWithError(ready.error().message().c_str());
    return;
  }
  std::int64_t without = 0;
  std::int64_t with = 0;
  std::int64_t rounds = 0;
  for (auto iteration : state) {
    without += operations(bare.data(), bytes);
    with += operations(covered.data(), bytes);
    ++rounds;
  }
  const double total = static_cast<double>(rounds) * kOperations * 1e3;
  state.counters["bare_us"] = static_cast<double>(without) / total;
  state.counters["layer_us"] = static_cast<double>(with) / total;
  state.counters["ratio"] = static_cast<double>(with) / static_cast<double>(without);
}

BENCHMARK_CAPTURE(BM_Disk_IdleLayer, Append, append_only)
    ->ArgName("bytes")
    ->Arg(512)
    ->Arg(65'536)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Disk_IdleLayer, AppendAndSync, append_and_sync)
    ->ArgName("bytes")
    ->Arg(512)
    ->Arg(65'536)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Disk_IdleLayer, Read, read_again)
    ->ArgName("bytes")
    ->Arg(512)
    ->Arg(65'536)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sunder::disk
