// Volume: a directory seen as a disk that can lose power, fail and lie.
//
// Every operation is carried out at once on the real directory, so what readers see is always
// there, also after the death of everybody; what a loss of power would take back is remembered
// beside it (durable_file.hpp, tree_journal.hpp). Files without a name that may be needed again
// (open, or removed but not durably so) wait in a second directory, the attic.
//
// Threading: one owner. Errors carry the errno for the caller of the system call.

#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>

#include "harness/base/error.hpp"
#include "harness/base/file.hpp"
#include "harness/disk/durable_file.hpp"
#include "harness/disk/rules.hpp"
#include "harness/disk/tree_journal.hpp"

namespace sunder::disk {

// What a loss of power took from one file.
struct LostFile {
  std::string path;  // as it was called before
  FileLoss loss;
  bool forgotten = false;  // its name was never synced: the whole file is gone
};

struct PowerLoss {
  std::vector<LostFile> files;  // those that lost, or kept, something unsynced; sorted by path
  TreeLoss tree;
};

class Volume {
 public:
  // Everything found there is durable. The attic is made when it is needed, on the same file
  // system.
  [[nodiscard]] static Result<std::unique_ptr<Volume>> open(base::FileDescriptor directory,
                                                            std::filesystem::path attic);
  ~Volume();
  Volume(const Volume&) = delete;
  Volume& operator=(const Volume&) = delete;

  // Names.
  [[nodiscard]] Result<InodeId> find(InodeId directory, const std::string& name) const;
  [[nodiscard]] Result<InodeId> create_file(InodeId directory,
                                            const std::string& name,
                                            mode_t mode);
  [[nodiscard]] Result<InodeId> make_directory(InodeId directory,
                                               const std::string& name,
                                               mode_t mode);
  [[nodiscard]] Result<void> remove_file(InodeId directory, const std::string& name);
  [[nodiscard]] Result<void> remove_directory(InodeId directory, const std::string& name);

  struct RenameTo {
    InodeId directory = kNoInode;
    std::string name;
    bool replace = true;
  };

  [[nodiscard]] Result<void> rename(InodeId directory, const std::string& name, const RenameTo& to);
  // Errc of ENOTDIR when it is none.
  [[nodiscard]] Result<std::map<std::string, InodeId>> list(InodeId directory) const;

  [[nodiscard]] bool is_directory(InodeId inode) const { return tree_.is_directory(inode); }

  [[nodiscard]] InodeId parent(InodeId inode) const;

  // Attributes.
  [[nodiscard]] Result<struct stat> status(InodeId inode);
  [[nodiscard]] Result<void> set_mode(InodeId inode, mode_t mode);
  [[nodiscard]] Result<void> set_owner(InodeId inode, uid_t user, gid_t group);
  [[nodiscard]] Result<void> set_times(InodeId inode, const struct timespec (&times)[2]);
  [[nodiscard]] Result<void> resize(InodeId inode, std::uint64_t size);

  // Bytes. A file stays readable while it is open, whatever happens to its name.
  [[nodiscard]] Result<void> open_file(InodeId inode);
  void close_file(InodeId inode);
  [[nodiscard]] Result<std::string> read(InodeId inode, std::uint64_t offset, std::uint64_t length);
  [[nodiscard]] Result<std::size_t> write(InodeId inode,
                                          std::uint64_t offset,
                                          std::string_view bytes);
  // What the rules want of a sync of this file; its delay is for the caller to keep.
  [[nodiscard]] Ruling judge_sync(InodeId inode);
  [[nodiscard]] Result<void> sync_file(InodeId inode, const Ruling& ruling);
  [[nodiscard]] Result<void> sync_directory(InodeId directory);

  // Brings the directory to what survives. Precondition: nobody uses it.
  [[nodiscard]] Result<PowerLoss> lose_power(const Survival& survival, std::uint64_t seed);

  [[nodiscard]] Rules& rules() noexcept { return rules_; }

  [[nodiscard]] int directory() const noexcept { return directory_.get(); }

 private:
  struct File {
    base::FileDescriptor descriptor;
    DurableFile changes;
    unsigned open = 0;
    bool in_attic = false;
  };

  Volume(base::FileDescriptor directory, std::filesystem::path attic)
      : directory_(std::move(directory)), attic_(std::move(attic)) {}

  [[nodiscard]] Result<void> scan(InodeId directory);
  [[nodiscard]] Result<File*> file(InodeId inode);
  // For system calls: "." for the root.
  [[nodiscard]] Result<std::string> location(InodeId inode) const;
  [[nodiscard]] Result<std::string> location(InodeId directory, const std::string& name) const;
  [[nodiscard]] std::string path_for_rules(InodeId inode) const;
  [[nodiscard]] std::filesystem::path attic_path(InodeId inode) const;
  [[nodiscard]] Result<void> move_to_attic(InodeId inode);
  // Removes what waits in the attic for nothing any more.
  void clear_attic();
  [[nodiscard]] Result<PowerLoss> lose_bytes(const Survival& survival, base::Random& random);
  [[nodiscard]] Result<void> rebuild(const TreeJournal& before);

  base::FileDescriptor directory_;
  std::filesystem::path attic_;
  bool attic_made_ = false;
  TreeJournal tree_;
  std::map<InodeId, File> files_;
  Rules rules_;
};

}  // namespace sunder::disk
