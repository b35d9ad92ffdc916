#include "harness/run/directory.hpp"

#include <algorithm>
#include <cstdlib>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "harness/base/clock.hpp"

namespace sunder::run {
namespace {

namespace fs = std::filesystem;

// The link is replaced by renaming, so that it never points nowhere, also when two runs start at
// once.
void point_latest_at(const fs::path& directory) {
  const fs::path link = directory.parent_path() / "latest";
  const fs::path temporary = directory.parent_path() / fmt::format(".latest-{}", ::getpid());
  std::error_code ignored;  // a convenience: a run goes on without it
  fs::remove(temporary, ignored);
  fs::create_directory_symlink(directory.filename(), temporary, ignored);
  if (!ignored) fs::rename(temporary, link, ignored);
}

Result<fs::path> make_named(std::string name) {
  std::ranges::replace(name, '/', '-');
  const fs::path runs = fs::current_path() / "runs";
  std::error_code error;
  fs::create_directories(runs, error);
  if (error) return Error{error, fmt::format("create {}", runs.string())};
  constexpr int kSameSecondMax = 100;
  for (int attempt = 0; attempt < kSameSecondMax; ++attempt) {
    const std::string suffix = attempt == 0 ? "" : fmt::format("-{}", attempt + 1);
    const fs::path path = runs / fmt::format("{}-{}{}", base::utc_compact(), name, suffix);
    if (fs::create_directory(path, error)) {
      point_latest_at(path);
      return path;
    }
    if (error) return Error{error, fmt::format("create {}", path.string())};
  }
  return base::make_error(Errc::failed,
                          fmt::format("too many runs of one second in {}", runs.string()));
}

}  // namespace

Result<fs::path> make_run_directory(const fs::path& wanted, std::string_view name) {
  if (wanted.empty()) return make_named(std::string(name));
  std::error_code error;
  const fs::path path = fs::absolute(wanted).lexically_normal();
  if (fs::exists(path, error)) {
    const bool usable = fs::is_directory(path, error) && fs::is_empty(path, error);
    if (!usable) {
      return base::make_error(
          Errc::usage,
          fmt::format("--out {}: exists and is not an empty directory", wanted.string()));
    }
    return path;
  }
  fs::create_directories(path, error);
  if (error) return Error{error, fmt::format("--out {}: create", wanted.string())};
  return path;
}

std::string as_typed(const fs::path& directory) {
  const fs::path relative = directory.lexically_relative(fs::current_path());
  const bool below = !relative.empty() && *relative.begin() != "..";
  return (below ? relative : directory).string();
}

Result<void> return_to_sudo_user(const fs::path& directory) {
  const char* const user = std::getenv("SUDO_UID");
  const char* const group = std::getenv("SUDO_GID");
  if (user == nullptr || group == nullptr || ::geteuid() != 0) return {};
  const auto uid = static_cast<uid_t>(std::strtoul(user, nullptr, 10));
  const auto gid = static_cast<gid_t>(std::strtoul(group, nullptr, 10));
  const auto give = [&](const fs::path& path) { return ::lchown(path.c_str(), uid, gid) == 0; };
  bool all_given = give(directory);
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(directory, error)) {
    all_given = give(entry.path()) && all_given;
  }
  if (error || !all_given) {
    return base::make_error(Errc::failed,
                            fmt::format("give {} back to uid {}", directory.string(), uid));
  }
  return {};
}

Result<LineFile> LineFile::create(const fs::path& path) {
  LineFile file;
  file.path_ = path;
  file.file_.reset(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!file.file_.valid()) return base::system_error(fmt::format("create {}", path.string()));
  return file;
}

void LineFile::append(std::string_view line) {
  if (!failure_.empty()) return;
  if (const auto written = base::write_all(file_.get(), line); written.has_error()) {
    failure_ = base::with_context(written.error(), path_.string()).message();
  }
}

}  // namespace sunder::run
