// The harness and a disk understand each other; what is no request is answered, not obeyed.

#include "harness/disk/control.hpp"

#include <filesystem>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sunder::disk {
namespace {

namespace fs = std::filesystem;

class ControlTest : public ::testing::Test {
 protected:
  ControlTest() {
    std::string pattern = (fs::temp_directory_path() / "sunder-control-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    volume_ =
        Volume::open(base::FileDescriptor(::open(root_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)),
                     root_ / "attic")
            .value();
  }

  ~ControlTest() override {
    volume_.reset();
    fs::remove_all(root_);
  }

  // A client whose requests this test's disk answers on a thread until the client is gone.
  template <typename Body>
  void with_client(const Body& body) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    std::thread disk([this, descriptor = ends[1]] { serve(descriptor); });
    {
      Client client{base::FileDescriptor(ends[0])};
      body(client);
    }
    disk.join();
  }

  void serve(int descriptor) {
    const base::FileDescriptor socket(descriptor);
    std::string heard;
    char bytes[256];
    for (ssize_t count = 0; (count = ::read(socket.get(), bytes, sizeof bytes)) > 0;) {
      heard.append(bytes, static_cast<std::size_t>(count));
      const std::size_t end = heard.find('\n');
      if (end == std::string::npos) continue;
      const std::string line = heard.substr(0, end);
      heard.erase(0, end + 1);
      (void)base::write_all(socket.get(), answer(*volume_, line) + "\n");
    }
  }

  fs::path root_;
  std::unique_ptr<Volume> volume_;
};

TEST_F(ControlTest, ARuleArrivesWhole) {
  with_client([&](Client& client) {
    const Rule rule{.kind = RuleKind::fsync_slow,
                    .files = "*.log",
                    .nth = 2,
                    .rate = 0.5,
                    .seed = 0xFFFF'FFFF'FFFF'FFFF,
                    .delay = std::chrono::milliseconds(1500),
                    .quota = 7};
    ASSERT_TRUE(client.arm(3, rule).has_value());
    EXPECT_EQ(client.armed().value(), 1U);
    EXPECT_TRUE(client.arm(3, rule).has_error());  // there is one already
    const Ruling first = volume_->rules().judge({Operation::sync, "1.log", 0, 0, 0, 0});
    const Ruling second = volume_->rules().judge({Operation::sync, "2.log", 0, 0, 0, 0});
    EXPECT_EQ(first.delay.count(), 0);
    EXPECT_EQ(second.delay, rule.delay);
    EXPECT_EQ(client.counters(3)->seen, 2U);
    EXPECT_EQ(client.disarm(3)->struck, 1U);
    EXPECT_TRUE(client.disarm(3).has_error());
    EXPECT_EQ(client.armed().value(), 0U);
  });
}

TEST_F(ControlTest, ALossIsReportedByFile) {
  const InodeId inode = volume_->create_file(kRootInode, "a \"quoted\" name", 0644).value();
  EXPECT_TRUE(volume_->write(inode, 0, "unsynced").has_value());
  EXPECT_TRUE(volume_->sync_directory(kRootInode).has_value());
  with_client([&](Client& client) {
    const auto loss = client.lose_power({}, 1);
    ASSERT_TRUE(loss.has_value()) << loss.error().message();
    ASSERT_EQ(loss->files.size(), 1U);
    EXPECT_EQ(loss->files[0].path, "a \"quoted\" name");
    EXPECT_EQ(loss->files[0].loss.bytes, 8U);
    EXPECT_FALSE(loss->files[0].forgotten);
  });
}

TEST_F(ControlTest, NonsenseIsAnsweredWithAnError) {
  for (const char* const line : {"",
                                 "meteor",
                                 "[]",
                                 R"({"do":"chew"})",
                                 R"({"do":"arm","id":1})",
                                 R"({"do":"arm","id":1,"rule":{"kind":"meteor"}})",
                                 R"({"do":"disarm","id":"x"})",
                                 R"({"do":"lose power","sector":0})"}) {
    SCOPED_TRACE(line);
    EXPECT_NE(answer(*volume_, line).find(R"("ok":false)"), std::string::npos);
  }
  EXPECT_TRUE(volume_->rules().empty());
}

TEST(DiskClient, SaysThatTheDiskIsGone) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  ::close(ends[1]);
  Client client{base::FileDescriptor(ends[0])};
  EXPECT_TRUE(client.await_ready().has_error());
}

}  // namespace
}  // namespace sunder::disk
