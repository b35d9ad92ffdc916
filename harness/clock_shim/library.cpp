#include "harness/clock_shim/library.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/file.hpp"
#include "harness/clock_shim/process_clock.hpp"

namespace sunder::clock_shim {
namespace {

constexpr auto kName = "libsunder_clock.so";
constexpr std::chrono::hours kShift(1000);
constexpr std::int64_t kTolerance_s = 60;

// What `date +%s` prints with this environment; nothing when it cannot run.
std::optional<std::int64_t> date_in(const std::map<std::string, std::string>& environment) {
  std::vector<std::string> texts;
  for (const auto& [name, value] : environment) texts.push_back(fmt::format("{}={}", name, value));
  const char* const path = std::getenv("PATH");
  texts.push_back(fmt::format("PATH={}", path != nullptr ? path : "/usr/bin:/bin"));
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  const base::FileDescriptor read_end(ends[0]);
  base::FileDescriptor write_end(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(write_end.get(), STDOUT_FILENO);
    ::dup2(::open("/dev/null", O_WRONLY), STDERR_FILENO);  // the dynamic linker's complaints
    ::execle("/bin/date", "date", "+%s", static_cast<char*>(nullptr), pointers.data());
    ::_exit(127);
  }
  write_end.reset();
  if (child < 0) return std::nullopt;
  std::array<char, 64> text{};
  const ssize_t count = ::read(read_end.get(), text.data(), text.size() - 1);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (count <= 0) return std::nullopt;
  return std::atoll(text.data());
}

}  // namespace

Result<std::filesystem::path> find_library() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  for (auto folder = program.parent_path(); folder.has_relative_path();
       folder = folder.parent_path()) {
    if (std::filesystem::exists(folder / kName, error)) return folder / kName;
  }
  return base::make_error(
      Errc::unsupported,
      fmt::format("{} is not beside {}", kName, error ? "the program" : program.string()));
}

std::string probe_library(const std::filesystem::path& library) {
  std::error_code error;
  const auto folder = std::filesystem::temp_directory_path(error);
  if (error) return fmt::format("no temporary folder: {}", error.message());
  auto clock = ProcessClock::create(folder / fmt::format("sunder-clock-probe-{}", ::getpid()));
  if (clock.has_error()) return clock.error().message();
  ClockError shift;
  shift.offset = kShift;
  if (const auto set = clock->set(0, shift); set.has_error()) return set.error().message();
  const auto shown = date_in(clock->environment(library));
  if (!shown) return "/bin/date does not run";
  if (clock->readings().processes == 0) {
    return fmt::format("{} was not loaded into /bin/date", library.string());
  }
  const std::int64_t wrong = *shown - std::time(nullptr) - std::chrono::seconds(kShift).count();
  if (wrong >= -kTolerance_s && wrong <= kTolerance_s) return {};
  return fmt::format("date shows {} s beside the shifted time", wrong);
}

}  // namespace sunder::clock_shim
