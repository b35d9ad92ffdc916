// The control socket: requests, refusals, several clients, long paths, who may use it.

#include "harness/run/control.hpp"

#include <filesystem>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sunder::run {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::chrono::seconds kLimit(30);

asio::awaitable<Result<json::object>> echo(json::object request) {
  if (request.contains("refuse")) co_return base::make_error(Errc::usage, "not that");
  json::object reply;
  reply["echo"] = request.at("say");
  co_return reply;
}

asio::awaitable<void> close(ControlServer& server) {
  co_await server.close();
}

class Control : public ::testing::Test {
 protected:
  // A folder whose name alone is longer than a socket's address may be.
  Control()
      : folder_(fs::temp_directory_path() / (std::string(120, 'x') + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
  }

  ~Control() override { fs::remove_all(folder_); }

  // Runs `client` in a thread of its own beside the server.
  void serve(const std::function<void()>& client) {
    asio::io_context loop(1);
    auto server = ControlServer::listen(loop.get_executor(), path(), echo);
    ASSERT_TRUE(server.has_value()) << server.error().message();
    std::thread thread([&] {
      client();
      auto closing = close(**server);
      auto on_end = [](const std::exception_ptr& error) { EXPECT_FALSE(error); };
      asio::co_spawn(loop, std::move(closing), std::move(on_end));
    });
    loop.run();
    thread.join();
  }

  [[nodiscard]] fs::path path() const { return folder_ / kControlName; }

  fs::path folder_;
};

TEST_F(Control, AnswersRequestsOfSeveralClients) {
  serve([this] {
    struct stat facts {};
    ASSERT_EQ(::stat(path().c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777U, 0600U);
    for (int i = 0; i < 3; ++i) {
      const auto reply = ask(path(), json::object{{"say", i}}, kLimit);
      ASSERT_TRUE(reply.has_value()) << reply.error().message();
      EXPECT_EQ(reply->at("echo").as_int64(), i);
      EXPECT_EQ(reply->at("v").as_int64(), kControlVersion);
    }
  });
  EXPECT_FALSE(fs::exists(path())) << "the socket goes with its server";
}

TEST_F(Control, ARefusalKeepsItsSentenceAndItsExitCode) {
  serve([this] {
    const auto reply = ask(path(), json::object{{"refuse", true}}, kLimit);
    ASSERT_TRUE(reply.has_error());
    EXPECT_TRUE(is(reply.error(), Errc::usage));
    EXPECT_EQ(reply.error().message(), "not that");
  });
}

TEST_F(Control, NobodyThereIsAnErrorOfOneLine) {
  const auto missing = ask(path(), json::object(), kLimit);
  ASSERT_TRUE(missing.has_error());
  EXPECT_EQ(base::exit_code_of(missing.error()), ExitCode::harness_failed);
  const auto none = find_control(folder_);
  ASSERT_TRUE(none.has_error());
  EXPECT_TRUE(is(none.error(), Errc::usage));
}

}  // namespace
}  // namespace sunder::run
