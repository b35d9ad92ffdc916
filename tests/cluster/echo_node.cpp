// The smallest node there is: answers lines on port 6379 and tells events, for tests of the
// universe.
//
//   echo TEXT          TEXT
//   clock              the seconds of its realtime clock
//   ask ADDRESS TEXT   asks the node at ADDRESS to echo TEXT and passes on the answer, "silence",
//                      or why it could not connect
//   flood N            tells N events, then says "flooded"
//   exit N             ends with that status
//   grow N             allocates N MiB and keeps them
//   spin N             is busy for N ms, then says "spun"
//   PING               PONG, as a server that speaks RESP says it

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

constexpr std::uint16_t kPort = 6379;
constexpr int kSilenceMs = 700;
constexpr int kEvents = 3;

unsigned long long sequence = 0;

void tell(const char* event) {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  std::array<char, 200> line{};
  const int length = std::snprintf(line.data(),
                                   line.size(),
                                   "{\"v\":1,\"node\":\"?\",\"seq\":%llu,\"time\":%lld,\"event\":"
                                   "\"%s\",\"pid\":%d}\n",
                                   ++sequence,
                                   static_cast<long long>(now.tv_sec) * 1'000'000'000 + now.tv_nsec,
                                   event,
                                   ::getpid());
  // A full pipe drops the event: its number stays used.
  if (::write(kEvents, line.data(), static_cast<std::size_t>(length)) < 0 && errno != EAGAIN) {
    std::perror("event");
  }
}

void say(int socket, std::string text) {
  text += '\n';
  if (::send(socket, text.data(), text.size(), MSG_NOSIGNAL) < 0) std::perror("send");
}

// Waits for one answer; empty when there is none in time.
std::string hear(int socket) {
  pollfd item{socket, POLLIN, 0};
  if (::poll(&item, 1, kSilenceMs) != 1) return {};
  std::array<char, 4096> bytes{};
  const ssize_t count = ::recv(socket, bytes.data(), bytes.size(), 0);
  if (count <= 1) return {};
  return std::string(bytes.data(), static_cast<std::size_t>(count) - 1);
}

std::string ask(const std::string& address, const std::string& text) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in target{};
  target.sin_family = AF_INET;
  target.sin_port = htons(kPort);
  ::inet_pton(AF_INET, address.c_str(), &target.sin_addr);
  std::string answer;
  int error = 0;
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&target), sizeof target) != 0 &&
      errno != EINPROGRESS) {
    error = errno;
  }
  pollfd item{socket, POLLOUT, 0};
  const bool decided = error == 0 && ::poll(&item, 1, kSilenceMs) == 1;
  socklen_t size = sizeof error;
  if (decided) ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) answer = std::strerror(error);
  if (decided && error == 0) {
    say(socket, "echo " + text);
    answer = hear(socket);
  }
  ::close(socket);
  return answer.empty() ? "silence" : answer;
}

void obey(int socket, const std::string& line) {
  const std::size_t space = line.find(' ');
  const std::string verb = line.substr(0, space);
  const std::string rest = space == std::string::npos ? "" : line.substr(space + 1);
  if (verb == "echo") {
    say(socket, rest);
  } else if (verb == "ask") {
    const std::size_t end = rest.find(' ');
    say(socket, ask(rest.substr(0, end), rest.substr(end + 1)));
  } else if (verb == "clock") {
    say(socket, std::to_string(std::time(nullptr)));
  } else if (verb == "flood") {
    for (int i = std::atoi(rest.c_str()); i > 0; --i) tell("flood");
    say(socket, "flooded");
  } else if (verb == "exit") {
    std::exit(std::atoi(rest.c_str()));
  } else if (verb == "grow") {
    static std::vector<char> kept;
    kept.resize(static_cast<std::size_t>(std::atoi(rest.c_str())) << 20);
    say(socket, "grown");
  } else if (verb == "spin") {
    const std::clock_t end = std::clock() + std::atoi(rest.c_str()) * (CLOCKS_PER_SEC / 1000);
    while (std::clock() < end) {
    }
    say(socket, "spun");
  } else if (verb.starts_with("PING")) {
    say(socket, "+PONG\r");
  }
}

// Answers one connection's lines; false when it has ended. Lines of the tests fit one read.
bool serve(int socket) {
  std::array<char, 4096> bytes{};
  const ssize_t count = ::recv(socket, bytes.data(), bytes.size(), 0);
  if (count <= 0) return false;
  std::string_view rest(bytes.data(), static_cast<std::size_t>(count));
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size() - 1);
    obey(socket, std::string(rest.substr(0, end)));
    rest.remove_prefix(end + 1);
  }
  return true;
}

}  // namespace

int main() {
  std::signal(SIGTERM, [](int) { ::_exit(0); });
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in own{};
  own.sin_family = AF_INET;
  own.sin_port = htons(kPort);
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0) return 1;
  if (::listen(listener, 16) != 0) return 1;
  tell("started");
  std::fprintf(stderr, "listening\n");
  std::vector<pollfd> items{{listener, POLLIN, 0}};
  for (;;) {
    ::poll(items.data(), items.size(), -1);
    for (std::size_t i = items.size(); i > 1; --i) {
      pollfd& item = items[i - 1];
      if (item.revents == 0 || serve(item.fd)) continue;
      ::close(item.fd);
      items.erase(items.begin() + static_cast<std::ptrdiff_t>(i - 1));
    }
    if (items[0].revents == 0) continue;
    const int connection = ::accept(listener, nullptr, nullptr);
    if (connection >= 0) items.push_back({connection, POLLIN, 0});
    if (connection < 0) ::poll(nullptr, 0, 10);  // no descriptor: not in a hurry
  }
}
