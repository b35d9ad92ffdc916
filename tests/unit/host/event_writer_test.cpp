#include "nodes/host/event_writer.hpp"

#include <array>
#include <string>

#include <boost/json/parse.hpp>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "harness/base/file.hpp"

namespace sunder::nodes::host {
namespace {

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
    read_end.reset(ends[0]);
    write_end.reset(ends[1]);
  }

  // What is in the pipe now.
  std::string drain() {
    std::string all;
    std::array<char, 65536> space{};
    for (ssize_t size = 0; (size = ::read(read_end.get(), space.data(), space.size())) > 0;) {
      all.append(space.data(), static_cast<std::size_t>(size));
    }
    return all;
  }

  base::FileDescriptor read_end;
  base::FileDescriptor write_end;
};

void write_term(EventWriter& writer, std::uint64_t term) {
  const std::array numbers{EventWriter::Number("term", term)};
  writer.write("became-leader", numbers);
}

TEST(EventWriter, WritesOneJsonLineAnEvent) {
  Pipe pipe;
  EventWriter writer("n3", pipe.write_end.get());
  ASSERT_TRUE(writer.enabled());
  write_term(writer, 4);
  const std::array texts{EventWriter::Text("hash", "00ff")};
  writer.write("applied", {}, texts);
  const std::string lines = pipe.drain();
  const std::size_t end = lines.find('\n');
  const auto first = boost::json::parse(lines.substr(0, end)).as_object();
  EXPECT_EQ(first.at("node").as_string(), "n3");
  EXPECT_EQ(first.at("seq").as_int64(), 0);
  EXPECT_EQ(first.at("event").as_string(), "became-leader");
  EXPECT_EQ(first.at("term").as_int64(), 4);
  EXPECT_FALSE(first.contains("dropped"));
  const auto second = boost::json::parse(lines.substr(end + 1)).as_object();
  EXPECT_EQ(second.at("seq").as_int64(), 1);
  EXPECT_EQ(second.at("hash").as_string(), "00ff");
}

TEST(EventWriter, CountsWhatDoesNotFitAndTellsItNext) {
  Pipe pipe;
  EventWriter writer("n1", pipe.write_end.get());
  std::uint64_t written = 0;
  while (writer.dropped() == 0) write_term(writer, written++);
  write_term(writer, written++);
  EXPECT_EQ(writer.dropped(), 2U);
  const std::string before = pipe.drain();
  EXPECT_EQ(before.find("dropped"), std::string::npos);
  write_term(writer, written);
  const auto after = boost::json::parse(pipe.drain()).as_object();
  EXPECT_EQ(after.at("dropped").as_int64(), 2);
  EXPECT_EQ(after.at("seq").as_int64(), static_cast<std::int64_t>(written));
  EXPECT_EQ(writer.dropped(), 0U);
}

TEST(EventWriter, IsOffWhenTheDescriptorIsNotOpenForWriting) {
  Pipe pipe;
  EXPECT_FALSE(EventWriter("n1", pipe.read_end.get()).enabled());
  const int closed = pipe.write_end.release();
  ::close(closed);
  EventWriter writer("n1", closed);
  EXPECT_FALSE(writer.enabled());
  write_term(writer, 1);
  EXPECT_EQ(writer.dropped(), 0U);
}

}  // namespace
}  // namespace sunder::nodes::host
