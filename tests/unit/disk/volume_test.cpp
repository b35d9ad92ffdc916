// A volume on a real directory, without a mount: what a process would see, and what the directory
// holds after a loss of power.

#include "harness/disk/volume.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <gtest/gtest.h>

#include "harness/base/file.hpp"

namespace sunder::disk {
namespace {

namespace fs = std::filesystem;

class VolumeTest : public ::testing::Test {
 protected:
  VolumeTest() {
    std::string pattern = (fs::temp_directory_path() / "sunder-volume-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    fs::create_directory(root_ / "data");
  }

  ~VolumeTest() override {
    volume_.reset();
    // The attic goes with the volume.
    EXPECT_FALSE(fs::exists(root_ / "attic"));
    fs::remove_all(root_);
  }

  void open() {
    auto volume = Volume::open(
        base::FileDescriptor(::open((root_ / "data").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)),
        root_ / "attic");
    ASSERT_TRUE(volume.has_value()) << volume.error().message();
    volume_ = std::move(*volume);
  }

  InodeId make(const std::string& name, std::string_view content) {
    const InodeId inode = volume_->create_file(kRootInode, name, 0644).value();
    EXPECT_TRUE(volume_->open_file(inode).has_value());
    EXPECT_EQ(volume_->write(inode, 0, content).value(), content.size());
    return inode;
  }

  void sync(InodeId inode) {
    EXPECT_TRUE(volume_->sync_file(inode, volume_->judge_sync(inode)).has_value());
  }

  [[nodiscard]] std::string content(const std::string& name) const {
    const auto bytes = base::read_file(root_ / "data" / name);
    return bytes.has_value() ? *bytes : "(none)";
  }

  PowerLoss lose_power(const Survival& survival = {}) {
    auto loss = volume_->lose_power(survival, 1);
    EXPECT_TRUE(loss.has_value()) << loss.error().message();
    return std::move(*loss);
  }

  fs::path root_;
  std::unique_ptr<Volume> volume_;
};

TEST_F(VolumeTest, ShowsInTheDirectoryWhatWasWritten) {
  open();
  make("file", "hello");
  EXPECT_EQ(content("file"), "hello");
}

TEST_F(VolumeTest, OnlySyncedBytesUnderSyncedNamesSurvive) {
  open();
  const InodeId log = make("log", "synced");
  sync(log);
  EXPECT_TRUE(volume_->sync_directory(kRootInode).has_value());
  EXPECT_TRUE(volume_->write(log, 6, " unsynced").has_value());
  const InodeId nameless = make("nameless", "bytes are synced, the name is not");
  sync(nameless);
  const PowerLoss loss = lose_power();
  EXPECT_EQ(content("log"), "synced");
  EXPECT_EQ(content("nameless"), "(none)");
  ASSERT_EQ(loss.files.size(), 2U);
  EXPECT_EQ(loss.files[0].path, "log");
  EXPECT_EQ(loss.files[0].loss.bytes, 9U);
  EXPECT_FALSE(loss.files[0].forgotten);
  EXPECT_EQ(loss.files[1].path, "nameless");
  EXPECT_TRUE(loss.files[1].forgotten);
  EXPECT_EQ(loss.tree.entries, std::vector<std::string>{"nameless"});
}

TEST_F(VolumeTest, ReplacedAndRemovedFilesReturn) {
  open();
  sync(make("CURRENT", "old"));
  sync(make("table", "rows"));
  EXPECT_TRUE(volume_->sync_directory(kRootInode).has_value());
  sync(make("CURRENT.tmp", "new"));
  EXPECT_TRUE(
      volume_->rename(kRootInode, "CURRENT.tmp", {kRootInode, "CURRENT", true}).has_value());
  EXPECT_TRUE(volume_->remove_file(kRootInode, "table").has_value());
  EXPECT_EQ(content("CURRENT"), "new");
  EXPECT_EQ(content("table"), "(none)");
  const PowerLoss loss = lose_power();
  EXPECT_EQ(content("CURRENT"), "old");
  EXPECT_EQ(content("table"), "rows");
  EXPECT_EQ(content("CURRENT.tmp"), "(none)");
  EXPECT_EQ(loss.tree.renames, 1U);
}

TEST_F(VolumeTest, DirectoriesComeAndGoWithTheirContents) {
  open();
  const InodeId kept = volume_->make_directory(kRootInode, "kept", 0755).value();
  EXPECT_TRUE(volume_->sync_directory(kRootInode).has_value());
  const InodeId lost = volume_->make_directory(kRootInode, "lost", 0755).value();
  for (const InodeId directory : {kept, lost}) {
    const InodeId inode = volume_->create_file(directory, "file", 0644).value();
    EXPECT_TRUE(volume_->write(inode, 0, "x").has_value());
    sync(inode);
    EXPECT_TRUE(volume_->sync_directory(directory).has_value());
  }
  (void)lose_power();
  EXPECT_EQ(content("kept/file"), "x");
  EXPECT_FALSE(fs::exists(root_ / "data" / "lost"));
  // And once more, on what was left.
  EXPECT_TRUE(volume_->remove_file(kept, "file").has_value());
  EXPECT_TRUE(volume_->remove_directory(kRootInode, "kept").has_value());
  (void)lose_power();
  EXPECT_EQ(content("kept/file"), "x");
}

TEST_F(VolumeTest, WhatWasThereBeforeIsDurable) {
  std::ofstream(root_ / "data" / "old") << "from an earlier run";
  open();
  const InodeId inode = volume_->find(kRootInode, "old").value();
  EXPECT_TRUE(volume_->resize(inode, 4).has_value());
  EXPECT_EQ(content("old"), "from");
  (void)lose_power();
  EXPECT_EQ(content("old"), "from an earlier run");
}

TEST_F(VolumeTest, AnOpenFileOutlivesItsName) {
  open();
  const InodeId inode = make("file", "still here");
  EXPECT_TRUE(volume_->remove_file(kRootInode, "file").has_value());
  EXPECT_TRUE(volume_->sync_directory(kRootInode).has_value());
  EXPECT_EQ(volume_->read(inode, 0, 100).value(), "still here");
  volume_->close_file(inode);
  EXPECT_TRUE(volume_->read(inode, 0, 100).has_error());
}

TEST_F(VolumeTest, AFailedSyncForgetsOnceNobodyHasTheFileOpen) {
  open();
  const InodeId inode = make("log", "one");
  sync(inode);
  EXPECT_TRUE(volume_->sync_directory(kRootInode).has_value());
  ASSERT_TRUE(volume_->rules()
                  .arm(1, {.kind = RuleKind::fsync_fail, .files = "log", .nth = 1})
                  .has_value());
  EXPECT_TRUE(volume_->write(inode, 3, "two").has_value());
  const auto failed = volume_->sync_file(inode, volume_->judge_sync(inode));
  ASSERT_TRUE(failed.has_error());
  EXPECT_EQ(failed.error().code.value(), EIO);
  sync(inode);  // "succeeds"
  EXPECT_EQ(content("log"), "onetwo");
  volume_->close_file(inode);
  EXPECT_EQ(content("log"), "one");
}

TEST_F(VolumeTest, ALostWriteIsAcknowledgedAndGone) {
  open();
  const InodeId inode = make("log", "one");
  ASSERT_TRUE(volume_->rules().arm(1, {.kind = RuleKind::lost_write}).has_value());
  EXPECT_EQ(volume_->write(inode, 3, "two").value(), 3U);
  EXPECT_EQ(content("log"), std::string("one\0\0\0", 6));
  EXPECT_TRUE(volume_->rules().disarm(1).has_value());
  EXPECT_EQ(volume_->write(inode, 3, "two").value(), 3U);
  EXPECT_EQ(content("log"), "onetwo");
}

TEST_F(VolumeTest, ABitFlipsInWhatIsReadOrInWhatIsStored) {
  open();
  const InodeId inode = make("log", "content");
  ASSERT_TRUE(
      volume_->rules().arm(1, {.kind = RuleKind::bit_flip, .operation = "read"}).has_value());
  EXPECT_NE(volume_->read(inode, 0, 7).value(), "content");
  EXPECT_EQ(content("log"), "content");
  EXPECT_TRUE(volume_->rules().disarm(1).has_value());
  ASSERT_TRUE(
      volume_->rules().arm(2, {.kind = RuleKind::bit_flip, .operation = "write"}).has_value());
  EXPECT_TRUE(volume_->write(inode, 0, "content").has_value());
  EXPECT_NE(content("log"), "content");
  EXPECT_TRUE(volume_->rules().disarm(2).has_value());
  EXPECT_EQ(volume_->read(inode, 0, 7).value(), content("log"));
}

TEST_F(VolumeTest, WrongNamesAreRefusedAsAFileSystemDoes) {
  open();
  make("file", "x");
  const InodeId directory = volume_->make_directory(kRootInode, "directory", 0755).value();
  (void)volume_->create_file(directory, "inside", 0644);
  const auto code = [](const auto& result) { return result.error().code.value(); };
  EXPECT_EQ(code(volume_->find(kRootInode, "nothing")), ENOENT);
  EXPECT_EQ(code(volume_->create_file(kRootInode, "file", 0644)), EEXIST);
  EXPECT_EQ(code(volume_->remove_directory(kRootInode, "file")), ENOTDIR);
  EXPECT_EQ(code(volume_->remove_file(kRootInode, "directory")), EISDIR);
  EXPECT_EQ(code(volume_->remove_directory(kRootInode, "directory")), ENOTEMPTY);
  EXPECT_EQ(code(volume_->rename(kRootInode, "file", {kRootInode, "directory", true})), EISDIR);
  EXPECT_EQ(code(volume_->rename(kRootInode, "file", {directory, "inside", false})), EEXIST);
  EXPECT_EQ(code(volume_->read(9999, 0, 1)), ESTALE);
}

}  // namespace
}  // namespace sunder::disk
