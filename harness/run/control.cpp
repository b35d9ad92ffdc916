#include "harness/run/control.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/json.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "harness/base/file.hpp"
#include "harness/base/task_group.hpp"

namespace sunder::run {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace json = boost::json;
using asio::local::stream_protocol;

constexpr std::size_t kLineBytesMax = 64 * 1024;
constexpr std::size_t kConnectionsMax = 32;
constexpr int kBacklog = 16;

// The address of a socket's path, short whatever the path's length. Valid while it lives.
struct ShortAddress {
  base::FileDescriptor folder;
  sockaddr_un address{};
};

Result<ShortAddress> short_address(const fs::path& path) {
  ShortAddress result;
  const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
  result.folder.reset(::open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!result.folder.valid()) return base::system_error(fmt::format("open {}", parent.string()));
  const std::string name =
      fmt::format("/proc/self/fd/{}/{}", result.folder.get(), path.filename().string());
  if (name.size() >= sizeof result.address.sun_path) {
    return base::make_error(Errc::failed, fmt::format("{}: its name is too long", path.string()));
  }
  result.address.sun_family = AF_UNIX;
  std::memcpy(result.address.sun_path, name.c_str(), name.size() + 1);
  return result;
}

json::object refusal(const Error& error) {
  return json::object{{"v", kControlVersion},
                      {"ok", false},
                      {"code", static_cast<int>(base::exit_code_of(error))},
                      {"error", error.message()}};
}

Result<json::object> parse_line(std::string_view line) {
  const auto wrong = [](std::string_view what) {
    return base::make_error(Errc::usage, fmt::format("not a request of version 1: {}", what));
  };
  boost::system::error_code error;
  const json::value document = json::parse(line, error);
  if (error) return wrong(error.message());
  if (!document.is_object()) return wrong("expected an object");
  const json::value* const version = document.as_object().if_contains("v");
  if (version == nullptr || *version != kControlVersion) return wrong("expected \"v\":1");
  return document.as_object();
}

class Server final : public ControlServer {
 public:
  Server(asio::any_io_executor executor,
         base::FileDescriptor descriptor,
         fs::path path,
         ControlHandler handler)
      : path_(std::move(path)),
        handler_(std::move(handler)),
        acceptor_(executor, stream_protocol(), descriptor.release()),
        tasks_(executor) {
    tasks_.spawn("control", serve());
  }

  ~Server() override {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }

  [[nodiscard]] asio::awaitable<void> close() override { co_await tasks_.close(); }

 private:
  asio::awaitable<void> serve() {
    for (;;) {
      auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
      if (error) co_return;
      // Whoever comes too many finds the connection closed.
      if (tasks_.size() > kConnectionsMax) continue;
      tasks_.spawn("control connection", talk(std::move(socket)));
    }
  }

  asio::awaitable<void> talk(stream_protocol::socket socket) {
    std::string input;
    for (;;) {
      auto buffer = asio::dynamic_buffer(input, kLineBytesMax);
      const auto [error, length] = co_await asio::async_read_until(
          socket, buffer, '\n', asio::as_tuple(asio::use_awaitable));
      if (error) co_return;
      const auto request = parse_line(std::string_view(input).substr(0, length - 1));
      input.erase(0, length);
      json::object reply;
      if (request.has_error()) {
        reply = refusal(request.error());
      } else {
        auto answering = handler_(*request);
        auto answer = co_await std::move(answering);
        reply = answer.has_value() ? std::move(*answer) : refusal(answer.error());
      }
      reply["v"] = kControlVersion;
      if (!reply.contains("ok")) reply["ok"] = true;
      const std::string line = json::serialize(reply) + "\n";
      const auto output = asio::buffer(line);
      const auto [failed, written] =
          co_await asio::async_write(socket, output, asio::as_tuple(asio::use_awaitable));
      if (failed || request.has_error()) co_return;
    }
  }

  fs::path path_;
  ControlHandler handler_;
  stream_protocol::acceptor acceptor_;
  base::TaskGroup tasks_;
};

Result<std::string> read_line(int socket) {
  std::string line;
  std::vector<char> bytes(64 * 1024);
  while (line.find('\n') == std::string::npos) {
    const ssize_t count = ::read(socket, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return base::system_error("wait for the cluster's answer");
    if (count == 0) return base::make_error(Errc::failed, "the cluster ended before it answered");
    line.append(bytes.data(), static_cast<std::size_t>(count));
  }
  return line;
}

}  // namespace

Result<std::unique_ptr<ControlServer>> ControlServer::listen(asio::any_io_executor executor,
                                                             const fs::path& path,
                                                             ControlHandler handler) {
  auto address = short_address(path);
  SUNDER_TRY(address);
  base::FileDescriptor descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!descriptor.valid()) return base::system_error("make the control socket");
  const mode_t before = ::umask(0177);  // ours alone from its first moment on
  const int bound = ::bind(descriptor.get(),
                           reinterpret_cast<const sockaddr*>(&address->address),
                           sizeof address->address);
  ::umask(before);
  if (bound != 0 || ::listen(descriptor.get(), kBacklog) != 0) {
    return base::system_error(fmt::format("listen on {}", path.string()));
  }
  return std::unique_ptr<ControlServer>(
      std::make_unique<Server>(executor, std::move(descriptor), path, std::move(handler)));
}

Result<json::object> ask(const fs::path& path, json::object request, std::chrono::seconds limit) {
  auto address = short_address(path);
  SUNDER_TRY(address);
  const base::FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return base::system_error("make a socket");
  const timeval wait{.tv_sec = limit.count(), .tv_usec = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
  if (::connect(socket.get(),
                reinterpret_cast<const sockaddr*>(&address->address),
                sizeof address->address) != 0) {
    return base::system_error(fmt::format("no cluster of sunder up answers at {}", path.string()));
  }
  request["v"] = kControlVersion;
  SUNDER_TRY(base::write_all(socket.get(), json::serialize(request) + "\n"));
  const auto line = read_line(socket.get());
  SUNDER_TRY(line);
  auto reply = parse_line(*line);
  SUNDER_TRY(reply);
  const json::value* const ok = reply->if_contains("ok");
  if (ok != nullptr && ok->is_bool() && ok->as_bool()) return std::move(*reply);
  const json::value* const error = reply->if_contains("error");
  const json::value* const code = reply->if_contains("code");
  const bool usage = code != nullptr && *code == static_cast<int>(ExitCode::usage);
  return base::make_error(usage ? Errc::usage : Errc::failed,
                          error != nullptr && error->is_string() ? std::string(error->as_string())
                                                                 : "an answer without a reason");
}

Result<fs::path> find_control(const fs::path& directory) {
  std::error_code ignored;
  const char* const told = std::getenv(kControlVariable);
  const bool inside = directory.empty() && told != nullptr && *told != '\0';
  const fs::path folder = directory.empty() ? fs::path("runs/latest") : directory;
  fs::path path = inside ? fs::path(told) : folder / kControlName;
  if (fs::is_socket(path, ignored)) return path;
  return base::make_error(
      Errc::usage,
      fmt::format("no cluster of sunder up at {}: call this from its shell, or name its run's "
                  "directory with --dir",
                  path.string()));
}

}  // namespace sunder::run
