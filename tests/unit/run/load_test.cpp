// Load: the end of its final reads.

#include "harness/run/load.hpp"

#include <filesystem>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "harness/base/deadline.hpp"

namespace sunder::run {
namespace {

using namespace std::chrono_literals;

class NoClient final : public workloads::Client {
 public:
  boost::asio::awaitable<workloads::Reply> call(std::vector<std::string> /*command*/) override {
    co_return workloads::Reply();
  }

  void close() override {}
};

// Nobody answers, so there is always more to read; given up in the end, lest a test never ends.
class NeverRead final : public workloads::Workload {
 public:
  static constexpr std::size_t kReadsMax = 1000;

  std::optional<workloads::Invocation> next(std::int64_t /*process*/,
                                            history::ValuePool& /*pool*/) override {
    return std::nullopt;
  }

  boost::asio::awaitable<workloads::Completion> invoke(workloads::Client& /*client*/,
                                                       workloads::Invocation /*invocation*/,
                                                       history::ValuePool& /*pool*/) override {
    (void)co_await base::pause_for(5ms);
    co_return workloads::Completion();
  }

  std::optional<workloads::Invocation> final_read(std::int64_t /*process*/,
                                                  history::ValuePool& /*pool*/) override {
    if (reads >= kReadsMax) return std::nullopt;
    ++reads;
    workloads::Invocation invocation;
    invocation.function = "read";
    return invocation;
  }

  std::size_t reads = 0;
};

TEST(Load, FinalReadsEndAtTheirLimitWhenNobodyAnswers) {
  const std::filesystem::path path =
      std::filesystem::path(testing::TempDir()) / "load_test_history.jsonl";
  auto file = LineFile::create(path);
  ASSERT_TRUE(file.has_value()) << file.error().message();
  Recorder recorder(base::RunClock(), std::move(*file));
  NeverRead workload;
  LoadOptions options;
  options.clients = 2;
  options.make_client = [](std::size_t /*endpoint*/) { return std::make_unique<NoClient>(); };
  Load load(std::move(options), workload, recorder);
  boost::asio::io_context loop;
  bool ended = false;
  auto on_end = [&ended](const std::exception_ptr& error) { ended = error == nullptr; };
  boost::asio::co_spawn(loop, load.final_reads(100ms), on_end);
  loop.run();
  EXPECT_TRUE(ended);
  EXPECT_GE(workload.reads, 2U);
  EXPECT_LT(workload.reads, NeverRead::kReadsMax);
  load.close();
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace sunder::run
