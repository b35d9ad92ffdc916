#include "harness/cluster/universe.hpp"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/assert.hpp"
#include "harness/base/file.hpp"
#include "harness/netlink/link.hpp"
#include "harness/netlink/socket.hpp"

namespace sunder::cluster {
namespace {

constexpr int kLoopbackIndex = 1;  // in every new network namespace

struct Pipe {
  base::FileDescriptor read;
  base::FileDescriptor write;
};

// A pair of sockets, whose writer is not killed by SIGPIPE when the reader has died.
Result<Pipe> make_socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return base::system_error("make a pair of sockets");
  }
  return Pipe{base::FileDescriptor(ends[0]), base::FileDescriptor(ends[1])};
}

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return base::system_error("make a pipe");
  return Pipe{base::FileDescriptor(ends[0]), base::FileDescriptor(ends[1])};
}

// What the outer process and init share: made before the clone, each closes the ends that are not
// its own.
struct Ties {
  Pipe life;    // outer holds the write end and never writes: end of file means that outer is dead
  Pipe ready;   // one byte when the uid map is written
  Pipe report;  // from init: why the inside could not be made; nothing when it was
};

// Signals that are forwarded, blocked and read from a descriptor; restores the mask on destruction.
class SignalReader {
 public:
  SignalReader() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGINT, SIGTERM, SIGCHLD}) sigaddset(&set, number);
    SUNDER_ASSERT(::sigprocmask(SIG_BLOCK, &set, &previous_) == 0);
    descriptor_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    SUNDER_ASSERT(descriptor_.valid());
  }

  ~SignalReader() { ::sigprocmask(SIG_SETMASK, &previous_, nullptr); }

  SignalReader(const SignalReader&) = delete;
  SignalReader& operator=(const SignalReader&) = delete;

  [[nodiscard]] int descriptor() const noexcept { return descriptor_.get(); }

  [[nodiscard]] const sigset_t& previous() const noexcept { return previous_; }

  // Passes pending signals on to `child`. One typed at the terminal goes to the whole foreground
  // group by itself, and must not arrive twice: the second means "now".
  void forward_to(pid_t child) const {
    signalfd_siginfo info;
    while (::read(descriptor_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      const bool typed = info.ssi_code == SI_KERNEL;
      const int number = static_cast<int>(info.ssi_signo);
      if (number != SIGCHLD && !typed) ::kill(child, number);
    }
  }

 private:
  sigset_t previous_{};
  base::FileDescriptor descriptor_;
};

int exit_status_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool reads(const char* path, char value) {
  const auto content = base::read_file(path);
  return content.has_value() && !content->empty() && content->front() == value;
}

// The setting that keeps an ordinary user from making namespaces, with the command that changes it;
// empty: none known.
std::string forbidding_setting() {
  if (reads("/proc/sys/kernel/unprivileged_userns_clone", '0')) {
    return "user namespaces are off: sudo sysctl kernel.unprivileged_userns_clone=1";
  }
  if (reads("/proc/sys/user/max_user_namespaces", '0')) {
    return "user namespaces are off: sudo sysctl user.max_user_namespaces=10000";
  }
  if (reads("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", '1')) {
    return "AppArmor restricts user namespaces: sudo sysctl "
           "kernel.apparmor_restrict_unprivileged_userns=0";
  }
  return {};
}

Error cannot_enter(std::string_view what, int number) {
  std::string advice = forbidding_setting();
  if (advice.empty() && number == EPERM) {
    advice = "a container or chroot may forbid it; run as root (sudo), or see `sunder doctor`";
  }
  if (advice.empty() && number == ENOSPC) {
    advice = "too many namespaces: raise user.max_user_namespaces and its neighbours by sysctl";
  }
  const std::string reason = std::generic_category().message(number);
  std::string text = fmt::format("{}: {}", what, reason);
  if (!advice.empty()) text += fmt::format(" ({})", advice);
  return make_error(Errc::unsupported, std::move(text));
}

// ---- inside, PID 1 ----

// Binds the names over /etc/hosts. The file lives in a tmpfs that only this bind still reaches.
Result<void> install_hosts(const std::string& hosts) {
  if (hosts.empty() || ::access("/etc/hosts", F_OK) != 0) return {};
  // /proc is about to be mounted fresh: until then it is a mount point that surely exists.
  if (::mount("hosts", "/proc", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m") != 0) {
    return base::system_error("mount a tmpfs for /etc/hosts");
  }
  auto written = base::write_file("/proc/hosts", hosts);
  if (written.has_value() && ::mount("/proc/hosts", "/etc/hosts", nullptr, MS_BIND, nullptr) != 0) {
    written = base::system_error("bind /etc/hosts");
  }
  if (::umount2("/proc", MNT_DETACH) != 0) return base::system_error("unmount the tmpfs");
  return written;
}

Result<void> furnish(const UniverseOptions& options) {
  if (::sethostname(options.host_name.data(), options.host_name.size()) != 0) {
    return base::system_error("set the host name");
  }
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return base::system_error("make mounts private");
  }
  SUNDER_TRY(install_hosts(options.hosts));
  if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) {
    return base::system_error("mount /proc");
  }
  auto socket = netlink::Socket::open();
  if (socket.has_error()) return socket.error();
  netlink::Batch batch;
  batch.add(netlink::set_up(kLoopbackIndex), "bring lo up");
  return socket->send_all(batch);
}

// True once the outer process is dead.
bool outer_is_dead(const Ties& ties) {
  pollfd item{ties.life.read.get(), POLLIN, 0};
  return ::poll(&item, 1, 0) > 0;
}

// Ends the runner's process with what `inside` returns.
[[noreturn]] void be_runner(const std::function<int()>& inside) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != 1) ::_exit(static_cast<int>(ExitCode::harness_failed));
  int status = static_cast<int>(ExitCode::harness_failed);
  try {
    status = inside();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sunder: internal error: %s\n", error.what());
  }
  std::fflush(nullptr);
  ::_exit(status);
}

// Reaps whatever has ended; the status of the runner when it was among them.
std::optional<int> reap(pid_t runner) {
  for (;;) {
    int status = 0;
    // tidy-allow: waitpid(-1) because this is PID 1, which must reap every orphan.
    const pid_t ended = ::waitpid(-1, &status, WNOHANG);
    if (ended <= 0) return std::nullopt;
    if (ended == runner) return exit_status_of(status);
  }
}

// PID 1: forwards signals, reaps, watches the outer process; ends with the runner's status and
// everything with it.
[[noreturn]] void watch_over(pid_t runner, const SignalReader& signals, const Ties& ties) {
  for (;;) {
    pollfd items[2] = {{signals.descriptor(), POLLIN, 0}, {ties.life.read.get(), POLLIN, 0}};
    if (::poll(items, 2, -1) < 0 && errno != EINTR)
      ::_exit(static_cast<int>(ExitCode::harness_failed));
    if (items[1].revents != 0) ::_exit(128 + SIGKILL);
    signals.forward_to(runner);
    if (const auto status = reap(runner)) ::_exit(*status);
  }
}

[[noreturn]] void be_init(const UniverseOptions& options,
                          const std::function<int()>& inside,
                          const SignalReader& signals,
                          Ties& ties) {
  ties.life.write.reset();
  ties.ready.write.reset();
  ties.report.read.reset();
  char byte = 0;
  while (::read(ties.ready.read.get(), &byte, 1) < 0 && errno == EINTR) {
  }
  // From here on the kernel kills us when outer dies; had it died before, the pipe says so. The
  // order matters.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (outer_is_dead(ties)) ::_exit(128 + SIGKILL);
  if (byte != 'r') ::_exit(static_cast<int>(ExitCode::harness_failed));
  if (const auto furnished = furnish(options); furnished.has_error()) {
    const Error& error = furnished.error();
    const std::string text = fmt::format("{}\n{}", error.code.value(), error.context);
    (void)base::write_all(ties.report.write.get(), text);
    ::_exit(static_cast<int>(ExitCode::harness_failed));
  }
  ties.report.write.reset();
  const pid_t runner = ::fork();
  if (runner == 0) {
    ties.life.read.reset();
    ties.ready.read.reset();
    ::sigprocmask(SIG_SETMASK, &signals.previous(), nullptr);
    be_runner(inside);
  }
  if (runner < 0) ::_exit(static_cast<int>(ExitCode::harness_failed));
  watch_over(runner, signals, ties);
}

// ---- outside ----

Result<void> map_ids(pid_t init, uid_t uid, gid_t gid) {
  const std::string folder = fmt::format("/proc/{}", init);
  SUNDER_TRY(base::write_special_file(folder + "/setgroups", "deny"));
  SUNDER_TRY(base::write_special_file(folder + "/uid_map", fmt::format("0 {} 1\n", uid)));
  return base::write_special_file(folder + "/gid_map", fmt::format("0 {} 1\n", gid));
}

// A fork into new namespaces. Raw, because glibc's fork cannot take flags; the runner is forked by
// glibc again.
pid_t clone_into(std::uint64_t flags) {
  return static_cast<pid_t>(
      ::syscall(SYS_clone, flags | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
}

int wait_for_init(pid_t init, const SignalReader& signals) {
  for (;;) {
    int status = 0;
    if (::waitpid(init, &status, WNOHANG) == init) return exit_status_of(status);
    pollfd item{signals.descriptor(), POLLIN, 0};
    ::poll(&item, 1, -1);
    signals.forward_to(init);
  }
}

// Gives the terminal back to our own group: an interactive shell inside leaves it with a group that
// has ended, and cannot name ours, which has no number in its PID namespace.
void take_terminal_back() {
  sigset_t set;
  sigset_t previous;
  sigemptyset(&set);
  sigaddset(&set, SIGTTOU);
  ::sigprocmask(SIG_BLOCK, &set, &previous);
  ::tcsetpgrp(STDIN_FILENO, ::getpgrp());
  ::sigprocmask(SIG_SETMASK, &previous, nullptr);
}

Result<void> report_of(const Pipe& report) {
  std::string text;
  char buffer[4096];
  ssize_t count = 0;
  while ((count = ::read(report.read.get(), buffer, sizeof buffer)) > 0) {
    text.append(buffer, static_cast<std::size_t>(count));
  }
  const std::size_t end_of_number = text.find('\n');
  if (end_of_number == std::string::npos) return {};
  return cannot_enter("enter the universe: " + text.substr(end_of_number + 1),
                      std::atoi(text.c_str()));
}

}  // namespace

Result<int> enter_universe(const UniverseOptions& options, const std::function<int()>& inside) {
  auto life = make_pipe();
  auto ready = make_socket_pair();
  auto report = make_pipe();
  if (life.has_error()) return life.error();
  if (ready.has_error()) return ready.error();
  if (report.has_error()) return report.error();
  Ties ties{std::move(*life), std::move(*ready), std::move(*report)};
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  const bool foreground = ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
  const SignalReader signals;
  std::fflush(nullptr);  // or what is buffered would be written twice

  constexpr std::uint64_t kNamespaces =
      CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC;
  // Root needs no user namespace, unless it is the root of a container that may not do without.
  bool user_namespace = uid != 0;
  pid_t init = clone_into(kNamespaces | (user_namespace ? std::uint64_t{CLONE_NEWUSER} : 0));
  if (init < 0 && errno == EPERM && !user_namespace) {
    user_namespace = true;
    init = clone_into(kNamespaces | CLONE_NEWUSER);
  }
  if (init == 0) be_init(options, inside, signals, ties);
  if (init < 0) return cannot_enter("create namespaces", errno);

  ties.life.read.reset();
  ties.ready.read.reset();
  ties.report.write.reset();
  Result<void> mapped = user_namespace ? map_ids(init, uid, gid) : Result<void>();
  if (mapped.has_value()) ::send(ties.ready.write.get(), "r", 1, MSG_NOSIGNAL);
  ties.ready.write.reset();  // without the byte, init ends
  const int status = wait_for_init(init, signals);
  if (foreground) take_terminal_back();
  const bool killed = status == 128 + SIGKILL;  // then not being able to map its ids is no news
  if (mapped.has_error() && !killed)
    return cannot_enter(mapped.error().context, mapped.error().code.value());
  SUNDER_TRY(report_of(ties.report));
  return status;
}

std::string hosts_of(std::size_t nodes, std::size_t clients) {
  std::string text = "127.0.0.1 localhost\n";
  for (std::size_t i = 1; i <= nodes; ++i) text += fmt::format("10.0.0.{} n{}\n", i, i);
  for (std::size_t i = 1; i <= clients; ++i) text += fmt::format("10.0.1.{} c{}\n", i, i);
  return text;
}

}  // namespace sunder::cluster
