// TreeJournal: which names a directory tree has, and which of them would survive a loss of power.
//
// Creating, removing and renaming change the tree at once and are remembered in order until the
// directory they happened in is synced. Syncing a file makes its bytes durable and never its name
// (POSIX; ext4 happens to do more). A rename between two directories is one transaction: syncing
// either makes it durable, with what it depends on. A loss of power leaves the durable tree.
//
// Threading: one owner. Pure: no file is touched here.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sunder::disk {

using InodeId = std::uint64_t;  // never used twice

constexpr InodeId kNoInode = 0;
constexpr InodeId kRootInode = 1;

struct TreeLoss {
  std::vector<std::string> entries;   // paths that were there and are not any more
  std::vector<std::string> returned;  // paths that had been removed and are back
  std::uint64_t renames = 0;          // undone
};

class TreeJournal {
 public:
  TreeJournal();

  // A new file or directory. Precondition: the directory exists and has no such name.
  InodeId create(InodeId directory, const std::string& name, bool is_directory);
  // Removes a name. Precondition: it exists, and is empty when a directory.
  void remove(InodeId directory, const std::string& name);
  // Replaces the new name if it exists.
  void rename(InodeId from, const std::string& name, InodeId to, const std::string& new_name);
  // The directory's changes so far are durable, and those they depend on.
  void sync(InodeId directory);
  // All changes so far are durable.
  void sync_all();
  // Only what is durable is left; of the rest, the first `kept` changes.
  [[nodiscard]] TreeLoss lose_power(std::size_t kept);

  [[nodiscard]] std::optional<InodeId> find(InodeId directory, const std::string& name) const;

  [[nodiscard]] bool exists(InodeId inode) const { return nodes_.contains(inode); }

  [[nodiscard]] bool is_directory(InodeId inode) const;
  [[nodiscard]] const std::map<std::string, InodeId>& entries(InodeId directory) const;
  [[nodiscard]] InodeId parent(InodeId inode) const;
  // Whether a durable name refers to the inode, or did before changes that are not durable yet.
  [[nodiscard]] bool has_durable_name(InodeId inode) const;
  // From the root, without a leading slash; "" is the root. None: it has no name.
  [[nodiscard]] std::optional<std::string> path(InodeId inode) const;
  [[nodiscard]] std::optional<std::string> durable_path(InodeId inode) const;

  [[nodiscard]] std::size_t pending() const noexcept { return journal_.size(); }

 private:
  struct Place {
    InodeId directory = kNoInode;  // none: no name
    std::string name;
  };

  struct Node {
    bool is_directory = false;
    Place place;    // as everybody sees it
    Place durable;  // as a loss of power would leave it
  };

  enum class Kind : std::uint8_t { create, remove, rename };

  struct Step {
    Kind kind = Kind::create;
    InodeId inode = kNoInode;
    InodeId replaced = kNoInode;  // by a rename
    Place from;
    Place to;
  };

  using Entries = std::map<InodeId, std::map<std::string, InodeId>>;

  void make_durable(const Step& step);
  [[nodiscard]] static bool touches(const Step& step, InodeId directory);
  [[nodiscard]] std::optional<std::string> path_of(InodeId inode, Place Node::*place) const;
  // Forgets inodes without any name left.
  void drop(InodeId inode);

  std::map<InodeId, Node> nodes_;
  Entries entries_;
  std::vector<Step> journal_;
  InodeId next_ = kRootInode + 1;
};

}  // namespace sunder::disk
