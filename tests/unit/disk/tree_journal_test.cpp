// Which names survive a loss of power, against an oracle that keeps the whole tree before every
// change.

#include "harness/disk/tree_journal.hpp"

#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace sunder::disk {
namespace {

TEST(TreeJournal, ANameIsDurableOnceItsDirectoryWasSynced) {
  TreeJournal tree;
  tree.create(kRootInode, "kept", false);
  tree.sync(kRootInode);
  tree.create(kRootInode, "gone", false);
  const TreeLoss loss = tree.lose_power(0);
  EXPECT_TRUE(tree.find(kRootInode, "kept").has_value());
  EXPECT_FALSE(tree.find(kRootInode, "gone").has_value());
  EXPECT_EQ(loss.entries, std::vector<std::string>{"gone"});
}

TEST(TreeJournal, ASyncedDirectoryIsGoneWhenItsOwnNameWasNotSynced) {
  TreeJournal tree;
  const InodeId directory = tree.create(kRootInode, "database", true);
  tree.create(directory, "file", false);
  tree.sync(directory);
  EXPECT_FALSE(tree.durable_path(directory).has_value());
  const TreeLoss loss = tree.lose_power(0);
  EXPECT_EQ(loss.entries, (std::vector<std::string>{"database", "database/file"}));
  EXPECT_TRUE(tree.entries(kRootInode).empty());
}

TEST(TreeJournal, ARemovedFileReturnsUntilItsDirectoryIsSynced) {
  TreeJournal tree;
  const InodeId file = tree.create(kRootInode, "file", false);
  tree.sync(kRootInode);
  tree.remove(kRootInode, "file");
  EXPECT_TRUE(tree.exists(file));
  const TreeLoss loss = tree.lose_power(0);
  EXPECT_EQ(loss.returned, std::vector<std::string>{"file"});
  EXPECT_EQ(tree.find(kRootInode, "file"), file);
  tree.remove(kRootInode, "file");
  tree.sync(kRootInode);
  EXPECT_FALSE(tree.exists(file));
}

TEST(TreeJournal, ARenameThatReplacesIsUndoneWhole) {
  TreeJournal tree;
  const InodeId old_one = tree.create(kRootInode, "CURRENT", false);
  tree.sync(kRootInode);
  const InodeId new_one = tree.create(kRootInode, "CURRENT.tmp", false);
  tree.rename(kRootInode, "CURRENT.tmp", kRootInode, "CURRENT");
  EXPECT_EQ(tree.find(kRootInode, "CURRENT"), new_one);
  const TreeLoss loss = tree.lose_power(0);
  EXPECT_EQ(loss.renames, 1U);
  EXPECT_EQ(tree.find(kRootInode, "CURRENT"), old_one);
  EXPECT_FALSE(tree.exists(new_one));
}

TEST(TreeJournal, SyncingEitherDirectoryMakesARenameDurable) {
  for (const bool sync_target : {false, true}) {
    SCOPED_TRACE(sync_target);
    TreeJournal tree;
    const InodeId a = tree.create(kRootInode, "a", true);
    const InodeId b = tree.create(kRootInode, "b", true);
    tree.create(a, "file", false);
    tree.sync(kRootInode);
    tree.sync(a);
    tree.rename(a, "file", b, "file");
    tree.sync(sync_target ? b : a);
    (void)tree.lose_power(0);
    EXPECT_TRUE(tree.find(b, "file").has_value());
    EXPECT_FALSE(tree.find(a, "file").has_value());
  }
}

TEST(TreeJournal, TheFirstChangesMaySurviveUnsynced) {
  TreeJournal tree;
  for (const char* const name : {"1", "2", "3"}) tree.create(kRootInode, name, false);
  (void)tree.lose_power(2);
  EXPECT_TRUE(tree.find(kRootInode, "2").has_value());
  EXPECT_FALSE(tree.find(kRootInode, "3").has_value());
}

// One flat directory: the oracle is a copy of its names at the last sync.
struct Step {
  int kind = 0;  // 0, 1: create, 2: remove, 3: rename, 4: sync
  int name = 0;
  int other = 0;
};

RC_GTEST_PROP(TreeJournal, OneDirectoryReturnsToItsLastSync, ()) {
  const auto steps = *rc::gen::container<std::vector<Step>>(
      rc::gen::build<Step>(rc::gen::set(&Step::kind, rc::gen::inRange(0, 5)),
                           rc::gen::set(&Step::name, rc::gen::inRange(0, 4)),
                           rc::gen::set(&Step::other, rc::gen::inRange(0, 4))));
  TreeJournal tree;
  std::map<std::string, InodeId> now;
  std::map<std::string, InodeId> synced;
  for (const Step& step : steps) {
    const std::string name = std::to_string(step.name);
    const std::string other = std::to_string(step.other);
    if (step.kind <= 1 && !now.contains(name)) {
      now[name] = tree.create(kRootInode, name, false);
    } else if (step.kind == 2 && now.contains(name)) {
      tree.remove(kRootInode, name);
      now.erase(name);
    } else if (step.kind == 3 && now.contains(name)) {
      tree.rename(kRootInode, name, kRootInode, other);
      const InodeId moved = now[name];
      now.erase(name);
      now[other] = moved;
    } else if (step.kind == 4) {
      tree.sync(kRootInode);
      synced = now;
    }
    RC_ASSERT(tree.entries(kRootInode) == now);
  }
  (void)tree.lose_power(0);
  RC_ASSERT(tree.entries(kRootInode) == synced);
  RC_ASSERT(tree.pending() == 0U);
}

// Three directories: whatever was synced, nothing has two names or a name twice, and the synced
// directory itself is as it was.
RC_GTEST_PROP(TreeJournal, ManyDirectoriesStayATree, ()) {
  const auto steps = *rc::gen::container<std::vector<Step>>(
      rc::gen::build<Step>(rc::gen::set(&Step::kind, rc::gen::inRange(0, 5)),
                           rc::gen::set(&Step::name, rc::gen::inRange(0, 12)),
                           rc::gen::set(&Step::other, rc::gen::inRange(0, 12))));
  TreeJournal tree;
  std::vector<InodeId> directories{kRootInode};
  directories.push_back(tree.create(kRootInode, "a", true));
  directories.push_back(tree.create(directories[1], "b", true));
  tree.sync_all();
  InodeId last_synced = kNoInode;
  std::map<std::string, InodeId> as_synced;
  for (const Step& step : steps) {
    const InodeId from = directories[static_cast<std::size_t>(step.name) % 3];
    const InodeId to = directories[static_cast<std::size_t>(step.other) % 3];
    const std::string name = "f" + std::to_string(step.name / 3);
    const std::string other = "f" + std::to_string(step.other / 3);
    const bool there = tree.find(from, name).has_value();
    if (step.kind == 4) {
      tree.sync(from);
      last_synced = from;
      as_synced = tree.entries(from);
      continue;
    }
    if (step.kind <= 1 && !there) tree.create(from, name, false);
    if (step.kind == 2 && there) tree.remove(from, name);
    if (step.kind == 3 && there) tree.rename(from, name, to, other);
  }
  (void)tree.lose_power(0);
  std::set<InodeId> seen;
  for (const InodeId directory : directories) {
    for (const auto& [name, inode] : tree.entries(directory)) {
      RC_ASSERT(tree.exists(inode));
      RC_ASSERT(seen.insert(inode).second);
    }
  }
  // A file that had moved on before a later sync of its new directory is the one difference there
  // can be; none is possible when that directory was the last one synced.
  if (last_synced != kNoInode) RC_ASSERT(tree.entries(last_synced) == as_synced);
}

}  // namespace
}  // namespace sunder::disk
