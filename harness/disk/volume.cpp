#include "harness/disk/volume.hpp"

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "harness/base/assert.hpp"

namespace sunder::disk {
namespace {

using base::system_error;

constexpr mode_t kDirectoryMode = 0755;
constexpr std::uint64_t kReadMax = std::uint64_t{64} << 20;

class DescriptorMedium final : public Medium {
 public:
  explicit DescriptorMedium(int descriptor) : descriptor_(descriptor) {}

  Result<std::uint64_t> size() const override {
    struct stat status {};

    if (::fstat(descriptor_, &status) != 0) return system_error("size of a file");
    return static_cast<std::uint64_t>(status.st_size);
  }

  Result<std::string> read(std::uint64_t offset, std::uint64_t length) const override {
    std::string bytes(std::min(length, kReadMax), '\0');
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t count = ::pread(
          descriptor_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
      if (count < 0) return system_error("read");
      if (count == 0) break;
      done += static_cast<std::size_t>(count);
    }
    bytes.resize(done);
    return bytes;
  }

  Result<void> write(std::uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t count =
          ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (count < 0) return system_error("write");
      bytes.remove_prefix(static_cast<std::size_t>(count));
      offset += static_cast<std::uint64_t>(count);
    }
    return {};
  }

  Result<void> resize(std::uint64_t size) override {
    if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) return system_error("truncate");
    return {};
  }

 private:
  int descriptor_;
};

struct DirectoryCloser {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

}  // namespace

Result<std::unique_ptr<Volume>> Volume::open(base::FileDescriptor directory,
                                             std::filesystem::path attic) {
  std::unique_ptr<Volume> volume(new Volume(std::move(directory), std::move(attic)));
  SUNDER_TRY(volume->scan(kRootInode));
  volume->tree_.sync_all();
  return volume;
}

Volume::~Volume() {
  for (const auto& [inode, file] : files_) {
    if (file.in_attic) ::unlink(attic_path(inode).c_str());
  }
  if (attic_made_) ::rmdir(attic_.c_str());
}

Result<void> Volume::scan(InodeId directory) {
  const auto path = location(directory);
  SUNDER_TRY(path);
  const int descriptor =
      ::openat(directory_.get(), path->c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return system_error("open " + *path);
  const std::unique_ptr<DIR, DirectoryCloser> stream(::fdopendir(descriptor));
  if (!stream) return system_error("list " + *path);
  std::vector<InodeId> directories;
  while (const dirent* const entry = ::readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;

    struct stat status {};

    if (::fstatat(descriptor, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) continue;
    const InodeId inode = tree_.create(directory, name, S_ISDIR(status.st_mode));
    if (S_ISDIR(status.st_mode)) directories.push_back(inode);
  }
  for (const InodeId inode : directories) SUNDER_TRY(scan(inode));
  return {};
}

// ---- where things are ----

Result<std::string> Volume::location(InodeId inode) const {
  auto path = tree_.path(inode);
  if (!path) return system_error(ENOENT, "a file that has no name");
  return path->empty() ? std::string(".") : std::move(*path);
}

Result<std::string> Volume::location(InodeId directory, const std::string& name) const {
  if (!tree_.is_directory(directory)) return system_error(ENOTDIR, name);
  auto path = tree_.path(directory);
  if (!path) return system_error(ENOENT, name);
  return path->empty() ? name : *path + "/" + name;
}

std::string Volume::path_for_rules(InodeId inode) const {
  if (auto path = tree_.path(inode)) return std::move(*path);
  return tree_.durable_path(inode).value_or(fmt::format("removed/{}", inode));
}

std::filesystem::path Volume::attic_path(InodeId inode) const {
  return attic_ / fmt::format("{}", inode);
}

InodeId Volume::parent(InodeId inode) const {
  return tree_.exists(inode) ? tree_.parent(inode) : kRootInode;
}

Result<Volume::File*> Volume::file(InodeId inode) {
  const auto known = files_.find(inode);
  if (known != files_.end()) return &known->second;
  if (!tree_.exists(inode)) return system_error(ESTALE, "a file that is gone");
  if (tree_.is_directory(inode)) return system_error(EISDIR, path_for_rules(inode));
  const auto path = location(inode);
  SUNDER_TRY(path);
  base::FileDescriptor descriptor(
      ::openat(directory_.get(), path->c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  if (!descriptor.valid()) return system_error("open " + *path);
  File fresh;
  fresh.descriptor = std::move(descriptor);
  return &files_.emplace(inode, std::move(fresh)).first->second;
}

// ---- names ----

Result<InodeId> Volume::find(InodeId directory, const std::string& name) const {
  const auto found = tree_.find(directory, name);
  if (!found) return system_error(ENOENT, name);
  return *found;
}

Result<InodeId> Volume::create_file(InodeId directory, const std::string& name, mode_t mode) {
  const auto path = location(directory, name);
  SUNDER_TRY(path);
  base::FileDescriptor descriptor(
      ::openat(directory_.get(), path->c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!descriptor.valid()) return system_error("create " + *path);
  const InodeId inode = tree_.create(directory, name, false);
  files_[inode].descriptor = std::move(descriptor);
  return inode;
}

Result<InodeId> Volume::make_directory(InodeId directory, const std::string& name, mode_t mode) {
  const auto path = location(directory, name);
  SUNDER_TRY(path);
  if (::mkdirat(directory_.get(), path->c_str(), mode) != 0) return system_error("make " + *path);
  return tree_.create(directory, name, true);
}

Result<void> Volume::move_to_attic(InodeId inode) {
  const auto opened = file(inode);
  SUNDER_TRY(opened);
  const auto path = location(inode);
  SUNDER_TRY(path);
  if (!attic_made_) {
    if (::mkdir(attic_.c_str(), kDirectoryMode) != 0 && errno != EEXIST)
      return system_error("make " + attic_.string());
    attic_made_ = true;
  }
  if (::renameat(directory_.get(), path->c_str(), AT_FDCWD, attic_path(inode).c_str()) != 0) {
    return system_error("put away " + *path);
  }
  (*opened)->in_attic = true;
  return {};
}

void Volume::clear_attic() {
  for (auto at = files_.begin(); at != files_.end();) {
    if (!at->second.in_attic || at->second.open > 0 || tree_.exists(at->first)) {
      ++at;
      continue;
    }
    ::unlink(attic_path(at->first).c_str());
    at = files_.erase(at);
  }
}

Result<void> Volume::remove_file(InodeId directory, const std::string& name) {
  const auto inode = find(directory, name);
  SUNDER_TRY(inode);
  if (tree_.is_directory(*inode)) return system_error(EISDIR, name);
  SUNDER_TRY(move_to_attic(*inode));
  tree_.remove(directory, name);
  return {};
}

Result<void> Volume::remove_directory(InodeId directory, const std::string& name) {
  const auto inode = find(directory, name);
  SUNDER_TRY(inode);
  if (!tree_.is_directory(*inode)) return system_error(ENOTDIR, name);
  const auto path = location(*inode);
  SUNDER_TRY(path);
  if (::unlinkat(directory_.get(), path->c_str(), AT_REMOVEDIR) != 0)
    return system_error("remove " + *path);
  tree_.remove(directory, name);
  return {};
}

Result<void> Volume::rename(InodeId directory, const std::string& name, const RenameTo& to) {
  const auto moved = find(directory, name);
  SUNDER_TRY(moved);
  const auto from_path = location(directory, name);
  SUNDER_TRY(from_path);
  const auto to_path = location(to.directory, to.name);
  SUNDER_TRY(to_path);
  const auto replaced = tree_.find(to.directory, to.name);
  if (replaced == *moved) return {};
  if (replaced && !to.replace) return system_error(EEXIST, *to_path);
  if (replaced && tree_.is_directory(*replaced) != tree_.is_directory(*moved)) {
    return system_error(tree_.is_directory(*replaced) ? EISDIR : ENOTDIR, *to_path);
  }
  if (replaced && !tree_.is_directory(*replaced)) SUNDER_TRY(move_to_attic(*replaced));
  if (::renameat(directory_.get(), from_path->c_str(), directory_.get(), to_path->c_str()) != 0) {
    return system_error(fmt::format("rename {} to {}", *from_path, *to_path));
  }
  tree_.rename(directory, name, to.directory, to.name);
  return {};
}

Result<std::map<std::string, InodeId>> Volume::list(InodeId directory) const {
  if (!tree_.is_directory(directory)) return system_error(ENOTDIR, "list a directory");
  return tree_.entries(directory);
}

// ---- attributes ----

Result<struct stat> Volume::status(InodeId inode) {
  struct stat status {};

  const auto known = files_.find(inode);
  if (known != files_.end()) {
    if (::fstat(known->second.descriptor.get(), &status) != 0) return system_error("status");
  } else {
    const auto path = location(inode);
    SUNDER_TRY(path);
    if (::fstatat(directory_.get(), path->c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
      return system_error("status of " + *path);
  }
  status.st_ino = inode;
  return status;
}

Result<void> Volume::set_mode(InodeId inode, mode_t mode) {
  const auto path = location(inode);
  SUNDER_TRY(path);
  if (::fchmodat(directory_.get(), path->c_str(), mode, 0) != 0) return system_error("chmod");
  return {};
}

Result<void> Volume::set_owner(InodeId inode, uid_t user, gid_t group) {
  const auto path = location(inode);
  SUNDER_TRY(path);
  if (::fchownat(directory_.get(), path->c_str(), user, group, AT_SYMLINK_NOFOLLOW) != 0)
    return system_error("chown");
  return {};
}

Result<void> Volume::set_times(InodeId inode, const struct timespec (&times)[2]) {
  const auto path = location(inode);
  SUNDER_TRY(path);
  if (::utimensat(directory_.get(), path->c_str(), times, AT_SYMLINK_NOFOLLOW) != 0)
    return system_error("set times");
  return {};
}

Result<void> Volume::resize(InodeId inode, std::uint64_t size) {
  const auto opened = file(inode);
  SUNDER_TRY(opened);
  DescriptorMedium medium((*opened)->descriptor.get());
  return (*opened)->changes.resize(medium, size);
}

// ---- bytes ----

Result<void> Volume::open_file(InodeId inode) {
  const auto opened = file(inode);
  SUNDER_TRY(opened);
  ++(*opened)->open;
  return {};
}

void Volume::close_file(InodeId inode) {
  const auto known = files_.find(inode);
  if (known == files_.end() || known->second.open == 0) return;
  File& file = known->second;
  if (--file.open > 0) return;
  if (file.changes.has_doomed()) {
    DescriptorMedium medium(file.descriptor.get());
    (void)file.changes.forget_doomed(medium);
  }
  if (file.in_attic) {
    clear_attic();
  } else if (file.changes.all_durable()) {
    files_.erase(known);
  }
}

Result<std::string> Volume::read(InodeId inode, std::uint64_t offset, std::uint64_t length) {
  const auto opened = file(inode);
  SUNDER_TRY(opened);
  Ruling ruling;
  if (!rules_.empty()) {
    const std::string path = path_for_rules(inode);
    ruling = rules_.judge({Operation::read, path, offset, length, 0, 0});
  }
  if (ruling.error != 0) return system_error(ruling.error, "read");
  const DescriptorMedium medium((*opened)->descriptor.get());
  auto bytes = medium.read(offset, std::min(length, ruling.length.value_or(length)));
  if (bytes.has_error() || bytes->empty() || !ruling.flip) return bytes;
  const std::uint64_t bit = *ruling.flip % (bytes->size() * 8);
  (*bytes)[bit / 8] = static_cast<char>((*bytes)[bit / 8] ^ (1 << (bit % 8)));
  return bytes;
}

Result<std::size_t> Volume::write(InodeId inode, std::uint64_t offset, std::string_view bytes) {
  const auto opened = file(inode);
  SUNDER_TRY(opened);
  DescriptorMedium medium((*opened)->descriptor.get());
  DurableFile& changes = (*opened)->changes;
  if (rules_.empty()) {
    SUNDER_TRY(changes.write(medium, offset, bytes));
    return bytes.size();
  }
  const auto size = medium.size();
  SUNDER_TRY(size);
  const std::uint64_t end = offset + bytes.size();
  const std::string path = path_for_rules(inode);
  const Ruling ruling = rules_.judge(
      {Operation::write, path, offset, bytes.size(), end > *size ? end - *size : 0, *size});
  if (ruling.error != 0) return system_error(ruling.error, "write");
  std::string content(bytes.substr(0, ruling.length.value_or(bytes.size())));
  if (ruling.flip) {
    const std::uint64_t bit = *ruling.flip % (content.size() * 8);
    content[bit / 8] = static_cast<char>(content[bit / 8] ^ (1 << (bit % 8)));
  }
  // A disk that loses bytes does not lose the file's size: that is the file system's business.
  const std::uint64_t written_end = offset + content.size();
  if ((ruling.lost || ruling.misdirect) && written_end > *size)
    SUNDER_TRY(changes.resize(medium, written_end));
  if (!ruling.lost) {
    SUNDER_TRY(changes.write(medium, ruling.misdirect.value_or(offset), content));
  }
  return content.size();
}

Ruling Volume::judge_sync(InodeId inode) {
  if (rules_.empty()) return {};
  const std::string path = path_for_rules(inode);
  return rules_.judge({Operation::sync, path, 0, 0, 0, 0});
}

Result<void> Volume::sync_file(InodeId inode, const Ruling& ruling) {
  const auto opened = file(inode);
  SUNDER_TRY(opened);
  if (ruling.fail_sync) (*opened)->changes.fail_sync();
  if (ruling.error != 0) return system_error(ruling.error, "sync");
  if (::fdatasync((*opened)->descriptor.get()) != 0) return system_error("sync");
  (*opened)->changes.sync();
  return {};
}

Result<void> Volume::sync_directory(InodeId directory) {
  const auto path = location(directory);
  SUNDER_TRY(path);
  const base::FileDescriptor descriptor(
      ::openat(directory_.get(), path->c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor.valid()) return system_error("open " + *path);
  if (::fsync(descriptor.get()) != 0) return system_error("sync " + *path);
  tree_.sync(directory);
  clear_attic();
  return {};
}

// ---- loss of power ----

namespace {

void collect(const TreeJournal& tree, InodeId directory, std::vector<InodeId>& found) {
  for (const auto& [name, inode] : tree.entries(directory)) {
    found.push_back(inode);
    if (tree.is_directory(inode)) collect(tree, inode, found);
  }
}

}  // namespace

Result<PowerLoss> Volume::lose_bytes(const Survival& survival, base::Random& random) {
  PowerLoss loss;
  for (auto& [inode, file] : files_) {
    DescriptorMedium medium(file.descriptor.get());
    LostFile lost;
    lost.path = path_for_rules(inode);
    const auto size = medium.size();
    SUNDER_TRY(size);
    base::Random own = random.fork(lost.path);
    auto taken = file.changes.lose_power(medium, survival, own);
    SUNDER_TRY(taken);
    lost.loss = *taken;
    lost.forgotten = !tree_.durable_path(inode) && tree_.path(inode);
    if (lost.forgotten) lost.loss.bytes = std::max(lost.loss.bytes, *size);
    if (lost.forgotten || lost.loss.anything()) loss.files.push_back(std::move(lost));
  }
  std::vector<InodeId> named;
  collect(tree_, kRootInode, named);
  for (const InodeId inode : named) {
    if (tree_.is_directory(inode) || files_.contains(inode) || tree_.durable_path(inode)) continue;
    const auto known = status(inode);
    SUNDER_TRY(known);
    LostFile lost;
    lost.path = path_for_rules(inode);
    lost.loss.bytes = static_cast<std::uint64_t>(known->st_size);
    lost.forgotten = true;
    loss.files.push_back(std::move(lost));
  }
  std::ranges::sort(loss.files, {}, &LostFile::path);
  return loss;
}

Result<PowerLoss> Volume::lose_power(const Survival& survival, std::uint64_t seed) {
  base::Random random(seed);
  for (auto& [inode, file] : files_) file.open = 0;
  base::Random steps = random.fork("directories");
  const std::size_t kept = survival.keep > 0 ? steps.below(tree_.pending() + 1) : 0;
  auto loss = lose_bytes(survival, random);
  SUNDER_TRY(loss);
  const TreeJournal before = tree_;
  loss->tree = tree_.lose_power(kept);
  SUNDER_TRY(rebuild(before));
  files_.clear();
  return loss;
}

// Files whose place changes go to the attic first, so that no order of moves can overwrite one.
Result<void> Volume::rebuild(const TreeJournal& before) {
  std::vector<InodeId> old_nodes;
  collect(before, kRootInode, old_nodes);
  std::vector<InodeId> new_nodes;
  collect(tree_, kRootInode, new_nodes);
  const TreeJournal after = std::exchange(tree_, before);
  for (const InodeId inode : old_nodes) {
    if (before.is_directory(inode) || before.path(inode) == after.path(inode)) continue;
    SUNDER_TRY(move_to_attic(inode));
  }
  tree_ = after;
  // Children before parents.
  for (auto inode = old_nodes.rbegin(); inode != old_nodes.rend(); ++inode) {
    if (!before.is_directory(*inode) || before.path(*inode) == after.path(*inode)) continue;
    const std::string path = before.path(*inode).value();
    if (::unlinkat(directory_.get(), path.c_str(), AT_REMOVEDIR) != 0)
      return system_error("remove " + path);
  }
  for (const InodeId inode : new_nodes) {
    const std::string path = after.path(inode).value();
    if (after.is_directory(inode)) {
      if (::mkdirat(directory_.get(), path.c_str(), kDirectoryMode) != 0 && errno != EEXIST)
        return system_error("make " + path);
      continue;
    }
    const auto known = files_.find(inode);
    if (known == files_.end() || !known->second.in_attic) continue;
    if (::renameat(AT_FDCWD, attic_path(inode).c_str(), directory_.get(), path.c_str()) != 0)
      return system_error("bring back " + path);
    known->second.in_attic = false;
  }
  clear_attic();
  return {};
}

}  // namespace sunder::disk
