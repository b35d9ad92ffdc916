#define FUSE_USE_VERSION 314

#include "harness/disk/mount.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <list>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <fuse3/fuse_lowlevel.h>
#include <poll.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "harness/base/clock.hpp"
#include "harness/base/file.hpp"
#include "harness/disk/control.hpp"

namespace sunder::disk {
namespace {

constexpr unsigned kWriteMax = 1U << 20;

int errno_of(const Error& error) {
  const bool system = error.code.category() == std::system_category() ||
                      error.code.category() == std::generic_category();
  return system && error.code.value() != 0 ? error.code.value() : EIO;
}

// How often a process that was sent a signal is looked at.
constexpr int kLook_ms = 5;

// A sync that is answered later.
struct LateSync {
  fuse_req_t request = nullptr;
  fuse_ino_t inode = 0;
  Ruling ruling;
  std::int64_t due = 0;
  bool interrupted = false;  // its process was sent a signal while it waits
};

// A file as one open() got it, kept in fuse_file_info::fh.
struct Handle {
  bool synced = false;      // O_SYNC or O_DSYNC
  std::uint32_t epoch = 0;  // of the power: a handle from before a loss of power means nothing

  [[nodiscard]] std::uint64_t packed() const {
    return std::uint64_t{epoch} << 1U | (synced ? 1U : 0U);
  }

  static Handle of(const fuse_file_info* info) {
    return {(info->fh & 1U) != 0, static_cast<std::uint32_t>(info->fh >> 1U)};
  }
};

struct Server {
  Volume& volume;
  std::uint32_t epoch = 1;
  std::list<LateSync> late{};
};

struct Listing {
  struct Entry {
    std::string name;
    fuse_ino_t inode;
    mode_t kind;
  };

  std::vector<Entry> entries;
};

Server& server_of(fuse_req_t request) {
  return *static_cast<Server*>(fuse_req_userdata(request));
}

template <typename T>
bool refused(fuse_req_t request, const Result<T>& result) {
  if (result.has_value()) return false;
  fuse_reply_err(request, errno_of(result.error()));
  return true;
}

void reply_result(fuse_req_t request, const Result<void>& result) {
  fuse_reply_err(request, result.has_value() ? 0 : errno_of(result.error()));
}

// Nothing is cached: every time-out is zero.
Result<fuse_entry_param> entry_of(Server& server, InodeId inode) {
  const auto status = server.volume.status(inode);
  SUNDER_TRY(status);
  fuse_entry_param entry{};
  entry.ino = inode;
  entry.attr = *status;
  return entry;
}

void reply_entry(fuse_req_t request, const Result<InodeId>& inode) {
  if (refused(request, inode)) return;
  const auto entry = entry_of(server_of(request), *inode);
  if (!refused(request, entry)) fuse_reply_entry(request, &*entry);
}

// ---- names ----

void on_lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  reply_entry(request, server_of(request).volume.find(parent, name));
}

void on_mkdir(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode) {
  reply_entry(request, server_of(request).volume.make_directory(parent, name, mode));
}

void on_unlink(fuse_req_t request, fuse_ino_t parent, const char* name) {
  reply_result(request, server_of(request).volume.remove_file(parent, name));
}

void on_rmdir(fuse_req_t request, fuse_ino_t parent, const char* name) {
  reply_result(request, server_of(request).volume.remove_directory(parent, name));
}

void on_rename(fuse_req_t request,
               fuse_ino_t parent,
               const char* name,
               fuse_ino_t new_parent,
               const char* new_name,
               unsigned flags) {
  if ((flags & ~unsigned{RENAME_NOREPLACE}) != 0) {
    fuse_reply_err(request, EINVAL);
    return;
  }
  const Volume::RenameTo to{new_parent, new_name, flags == 0};
  reply_result(request, server_of(request).volume.rename(parent, name, to));
}

void on_mknod(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, dev_t) {
  if (!S_ISREG(mode)) {
    fuse_reply_err(request, ENOTSUP);
    return;
  }
  reply_entry(request, server_of(request).volume.create_file(parent, name, mode));
}

void on_symlink(fuse_req_t request, const char*, fuse_ino_t, const char*) {
  fuse_reply_err(request, ENOTSUP);
}

void on_link(fuse_req_t request, fuse_ino_t, fuse_ino_t, const char*) {
  fuse_reply_err(request, ENOTSUP);
}

void on_opendir(fuse_req_t request, fuse_ino_t inode, fuse_file_info* info) {
  Volume& volume = server_of(request).volume;
  const auto listed = volume.list(inode);
  if (refused(request, listed)) return;
  auto listing = std::make_unique<Listing>();
  listing->entries.push_back({".", inode, S_IFDIR});
  listing->entries.push_back({"..", volume.parent(inode), S_IFDIR});
  for (const auto& [name, child] : *listed) {
    const mode_t kind = volume.is_directory(child) ? S_IFDIR : S_IFREG;
    listing->entries.push_back({name, child, kind});
  }
  info->fh = reinterpret_cast<std::uint64_t>(listing.release());
  fuse_reply_open(request, info);
}

void on_readdir(fuse_req_t request, fuse_ino_t, size_t size, off_t offset, fuse_file_info* info) {
  const auto& entries = reinterpret_cast<const Listing*>(info->fh)->entries;
  std::vector<char> buffer(size);
  std::size_t used = 0;
  for (auto i = static_cast<std::size_t>(offset); i < entries.size(); ++i) {
    struct stat status {};

    status.st_ino = entries[i].inode;
    status.st_mode = entries[i].kind;
    const std::size_t length = fuse_add_direntry(request,
                                                 buffer.data() + used,
                                                 size - used,
                                                 entries[i].name.c_str(),
                                                 &status,
                                                 static_cast<off_t>(i + 1));
    if (length > size - used) break;
    used += length;
  }
  fuse_reply_buf(request, buffer.data(), used);
}

void on_releasedir(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
  delete reinterpret_cast<Listing*>(info->fh);
  fuse_reply_err(request, 0);
}

void on_fsyncdir(fuse_req_t request, fuse_ino_t inode, int, fuse_file_info*) {
  reply_result(request, server_of(request).volume.sync_directory(inode));
}

// ---- attributes ----

void on_getattr(fuse_req_t request, fuse_ino_t inode, fuse_file_info*) {
  const auto status = server_of(request).volume.status(inode);
  if (!refused(request, status)) fuse_reply_attr(request, &*status, 0);
}

Result<void> set_attributes(Volume& volume,
                            fuse_ino_t inode,
                            const struct stat& wanted,
                            int which) {
  if ((which & FUSE_SET_ATTR_SIZE) != 0)
    SUNDER_TRY(volume.resize(inode, static_cast<std::uint64_t>(wanted.st_size)));
  if ((which & FUSE_SET_ATTR_MODE) != 0) SUNDER_TRY(volume.set_mode(inode, wanted.st_mode));
  if ((which & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID)) != 0) {
    const uid_t user = (which & FUSE_SET_ATTR_UID) != 0 ? wanted.st_uid : static_cast<uid_t>(-1);
    const gid_t group = (which & FUSE_SET_ATTR_GID) != 0 ? wanted.st_gid : static_cast<gid_t>(-1);
    SUNDER_TRY(volume.set_owner(inode, user, group));
  }
  if ((which & (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME)) != 0) {
    struct timespec times[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
    if ((which & FUSE_SET_ATTR_ATIME) != 0) times[0] = wanted.st_atim;
    if ((which & FUSE_SET_ATTR_MTIME) != 0) times[1] = wanted.st_mtim;
    if ((which & FUSE_SET_ATTR_ATIME_NOW) != 0) times[0].tv_nsec = UTIME_NOW;
    if ((which & FUSE_SET_ATTR_MTIME_NOW) != 0) times[1].tv_nsec = UTIME_NOW;
    SUNDER_TRY(volume.set_times(inode, times));
  }
  return {};
}

void on_setattr(
    fuse_req_t request, fuse_ino_t inode, struct stat* wanted, int which, fuse_file_info* info) {
  const auto set = set_attributes(server_of(request).volume, inode, *wanted, which);
  if (!refused(request, set)) on_getattr(request, inode, info);
}

void on_statfs(fuse_req_t request, fuse_ino_t) {
  struct statvfs status {};

  if (::fstatvfs(server_of(request).volume.directory(), &status) != 0) {
    fuse_reply_err(request, errno);
    return;
  }
  fuse_reply_statfs(request, &status);
}

// ---- bytes ----

void fill_handle(const Server& server, fuse_file_info& info) {
  info.fh = Handle{(info.flags & O_DSYNC) != 0, server.epoch}.packed();
  info.direct_io = 1;
}

void on_create(
    fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, fuse_file_info* info) {
  Server& server = server_of(request);
  const auto inode = server.volume.create_file(parent, name, mode);
  if (refused(request, inode)) return;
  const auto opened = server.volume.open_file(*inode);
  if (refused(request, opened)) return;
  const auto entry = entry_of(server, *inode);
  if (refused(request, entry)) return;
  fill_handle(server, *info);
  fuse_reply_create(request, &*entry, info);
}

void on_open(fuse_req_t request, fuse_ino_t inode, fuse_file_info* info) {
  Server& server = server_of(request);
  const auto opened = server.volume.open_file(inode);
  if (refused(request, opened)) return;
  fill_handle(server, *info);
  fuse_reply_open(request, info);
}

void on_release(fuse_req_t request, fuse_ino_t inode, fuse_file_info* info) {
  Server& server = server_of(request);
  if (Handle::of(info).epoch == server.epoch) server.volume.close_file(inode);
  fuse_reply_err(request, 0);
}

void on_read(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset, fuse_file_info*) {
  const auto bytes =
      server_of(request).volume.read(inode, static_cast<std::uint64_t>(offset), size);
  if (!refused(request, bytes)) fuse_reply_buf(request, bytes->data(), bytes->size());
}

void on_write(fuse_req_t request,
              fuse_ino_t inode,
              const char* bytes,
              size_t size,
              off_t offset,
              fuse_file_info* info) {
  Volume& volume = server_of(request).volume;
  const auto written =
      volume.write(inode, static_cast<std::uint64_t>(offset), std::string_view(bytes, size));
  if (refused(request, written)) return;
  if (Handle::of(info).synced) {
    const auto synced = volume.sync_file(inode, volume.judge_sync(inode));
    if (refused(request, synced)) return;
  }
  fuse_reply_write(request, *written);
}

void on_fallocate(
    fuse_req_t request, fuse_ino_t inode, int mode, off_t offset, off_t length, fuse_file_info*) {
  Volume& volume = server_of(request).volume;
  // Reserved space beyond the end is a promise that needs no keeping here.
  if (mode == FALLOC_FL_KEEP_SIZE) {
    fuse_reply_err(request, 0);
    return;
  }
  const auto status = volume.status(inode);
  if (mode != 0 || status.has_error()) {
    fuse_reply_err(request, EOPNOTSUPP);
    return;
  }
  const off_t end = std::max(status->st_size, offset + length);
  reply_result(request, volume.resize(inode, static_cast<std::uint64_t>(end)));
}

// Whether the process (or thread) is gone, or on its way out.
bool is_dying(pid_t process) {
  const auto status = base::read_file(fmt::format("/proc/{}/status", process));
  if (status.has_error()) return true;
  constexpr std::uint64_t kKilled = std::uint64_t{1} << (SIGKILL - 1);
  std::istringstream lines(*status);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("State:\tZ") || line.starts_with("State:\tX")) return true;
    const bool pending = line.starts_with("SigPnd:") || line.starts_with("ShdPnd:");
    if (pending && (std::stoull(line.substr(7), nullptr, 16) & kKilled) != 0) return true;
  }
  return false;
}

// Real disks know no signals: a process that is stopped for a while still gets its sync. One that
// is killed does not wait for it.
void note_interrupt(fuse_req_t request, void* data) {
  Server& server = *static_cast<Server*>(data);
  const auto found = std::ranges::find(server.late, request, &LateSync::request);
  if (found != server.late.end()) found->interrupted = true;
}

void on_fsync(fuse_req_t request, fuse_ino_t inode, int, fuse_file_info*) {
  Server& server = server_of(request);
  const Ruling ruling = server.volume.judge_sync(inode);
  if (ruling.delay.count() == 0) {
    reply_result(request, server.volume.sync_file(inode, ruling));
    return;
  }
  server.late.push_back({request, inode, ruling, base::monotonic_ns() + ruling.delay.count()});
  fuse_req_interrupt_func(request, &note_interrupt, &server);
}

void on_init(void*, fuse_conn_info* connection) {
  connection->max_write = kWriteMax;
  connection->want &= ~static_cast<unsigned>(FUSE_CAP_ATOMIC_O_TRUNC);
}

fuse_lowlevel_ops operations() {
  fuse_lowlevel_ops table{};
  table.init = &on_init;
  table.lookup = &on_lookup;
  table.getattr = &on_getattr;
  table.setattr = &on_setattr;
  table.mknod = &on_mknod;
  table.mkdir = &on_mkdir;
  table.unlink = &on_unlink;
  table.rmdir = &on_rmdir;
  table.symlink = &on_symlink;
  table.link = &on_link;
  table.rename = &on_rename;
  table.create = &on_create;
  table.open = &on_open;
  table.read = &on_read;
  table.write = &on_write;
  table.release = &on_release;
  table.fsync = &on_fsync;
  table.fallocate = &on_fallocate;
  table.opendir = &on_opendir;
  table.readdir = &on_readdir;
  table.releasedir = &on_releasedir;
  table.fsyncdir = &on_fsyncdir;
  table.statfs = &on_statfs;
  return table;
}

// ---- the loop ----

struct SessionCloser {
  void operator()(fuse_session* session) const noexcept { fuse_session_destroy(session); }
};

class Loop {
 public:
  Loop(Server& server, fuse_session& session, int control)
      : server_(server), session_(session), control_(control) {}

  ~Loop() { std::free(buffer_.mem); }

  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Result<void> run() {
    while (fuse_session_exited(&session_) == 0) {
      std::array<pollfd, 2> wanted{pollfd{fuse_session_fd(&session_), POLLIN, 0},
                                   pollfd{control_, POLLIN, 0}};
      if (::poll(wanted.data(), wanted.size(), wait_limit()) < 0 && errno != EINTR)
        return base::system_error("wait for requests");
      finish_late();
      if (wanted[0].revents != 0 && !serve_one()) return {};
      if (wanted[1].revents != 0 && !hear_harness()) return {};
    }
    return {};
  }

 private:
  // Milliseconds until the next late answer is due; -1: none is.
  [[nodiscard]] int wait_limit() const {
    if (server_.late.empty()) return -1;
    if (std::ranges::any_of(server_.late, &LateSync::interrupted)) return kLook_ms;
    const auto next = std::ranges::min_element(server_.late, {}, &LateSync::due);
    const std::int64_t left = next->due - base::monotonic_ns();
    return static_cast<int>(std::clamp<std::int64_t>(left / 1'000'000 + 1, 0, INT_MAX));
  }

  void finish_late() {
    const std::int64_t now = base::monotonic_ns();
    for (auto at = server_.late.begin(); at != server_.late.end();) {
      const bool forgotten = at->interrupted && is_dying(fuse_req_ctx(at->request)->pid);
      if (at->due > now && !forgotten) {
        ++at;
        continue;
      }
      const LateSync due = *at;
      at = server_.late.erase(at);
      fuse_req_interrupt_func(due.request, nullptr, nullptr);
      if (forgotten) {
        fuse_reply_err(due.request, EINTR);
      } else {
        reply_result(due.request, server_.volume.sync_file(due.inode, due.ruling));
      }
    }
  }

  // One request of the kernel; false: unmounted.
  bool serve_one() {
    const int count = fuse_session_receive_buf(&session_, &buffer_);
    if (count == -EINTR || count == -EAGAIN) return true;
    if (count <= 0) return false;
    fuse_session_process_buf(&session_, &buffer_);
    return true;
  }

  // What dead processes had sent before: releases, writes.
  void serve_waiting() {
    for (;;) {
      pollfd waiting{fuse_session_fd(&session_), POLLIN, 0};
      if (::poll(&waiting, 1, 0) <= 0 || waiting.revents != POLLIN || !serve_one()) return;
    }
  }

  // Requests of the harness; false: it has hung up.
  bool hear_harness() {
    std::array<char, 4096> bytes;
    const ssize_t count = ::read(control_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) return true;
    if (count <= 0) return false;
    heard_.append(bytes.data(), static_cast<std::size_t>(count));
    for (std::size_t end = 0; (end = heard_.find('\n')) != std::string::npos;) {
      const std::string line = heard_.substr(0, end);
      heard_.erase(0, end + 1);
      const bool power = line.find("lose power") != std::string::npos;
      if (power) {
        serve_waiting();
        ++server_.epoch;
      }
      if (base::write_all(control_, answer(server_.volume, line) + "\n").has_error()) return false;
    }
    return true;
  }

  Server& server_;
  fuse_session& session_;
  int control_;
  fuse_buf buffer_{};
  std::string heard_;  // beyond the last line
};

}  // namespace

Result<void> serve(const MountOptions& options) {
  {
    const base::FileDescriptor device(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
    if (!device.valid()) return base::system_error("open /dev/fuse");
  }
  base::FileDescriptor directory(
      ::open(options.directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return base::system_error("open " + options.directory.string());
  auto volume = Volume::open(std::move(directory), options.attic);
  SUNDER_TRY(volume);
  Server server{**volume};

  char name[] = "sunder-disk";
  char flag[] = "-o";
  char mount_options[] = "allow_other,default_permissions,fsname=sunder-disk";
  std::array<char*, 3> arguments{name, flag, mount_options};
  fuse_args args = FUSE_ARGS_INIT(static_cast<int>(arguments.size()), arguments.data());
  const fuse_lowlevel_ops table = operations();
  const std::unique_ptr<fuse_session, SessionCloser> session(
      fuse_session_new(&args, &table, sizeof table, &server));
  fuse_opt_free_args(&args);
  if (!session) return base::make_error(Errc::failed, "libfuse takes no session");
  if (fuse_session_mount(session.get(), options.directory.c_str()) != 0)
    return base::make_error(Errc::unsupported, "cannot mount over " + options.directory.string());
  auto ready = base::write_all(options.control, kReady);
  if (ready.has_value()) ready = Loop(server, *session, options.control).run();
  fuse_session_unmount(session.get());
  return ready;
}

}  // namespace sunder::disk
