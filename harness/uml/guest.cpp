#include "harness/uml/guest.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "harness/base/file.hpp"
#include "harness/netlink/link.hpp"
#include "harness/netlink/socket.hpp"
#include "harness/uml/modules.hpp"
#include "harness/uml/order.hpp"

namespace sunder::uml {
namespace {

namespace fs = std::filesystem;

constexpr int kLoopbackIndex = 1;
constexpr int kCannotStart = 127;  // what a shell says of a command that cannot be started

void complain(std::string_view what) {
  std::fprintf(stderr, "sunder: %.*s\n", static_cast<int>(what.size()), what.data());
}

void complain(const Error& error) {
  complain(error.message());
}

// ---- the kernel's furniture ----

struct Mount {
  const char* type;
  const char* place;
  unsigned long flags;
  const char* options;
};

// A mount that fails costs only what needs it, and is said.
void mount_all(const GuestOrder& order) {
  constexpr unsigned long kQuiet = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  constexpr std::array kMounts{Mount{"proc", "/proc", kQuiet, ""},
                               Mount{"sysfs", "/sys", kQuiet, ""},
                               Mount{"cgroup2", "/sys/fs/cgroup", kQuiet, ""},
                               Mount{"devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "ptmxmode=0666"},
                               Mount{"tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777"},
                               Mount{"tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=0755"}};
  for (const char* folder : {"/dev/pts", "/dev/shm"}) ::mkdir(folder, 0755);
  for (const Mount& mount : kMounts) {
    // What the caller works with stays visible.
    if (order.directory.starts_with(std::string(mount.place) + "/")) continue;
    if (::mount(mount.type, mount.place, mount.type, mount.flags, mount.options) != 0) {
      complain(base::system_error(fmt::format("mount {}", mount.place)));
    }
  }
}

// Groups below the root's may limit: nobody else manages them here.
void pass_controllers_on() {
  const auto set =
      base::write_special_file("/sys/fs/cgroup/cgroup.subtree_control", "+cpu +memory");
  if (set.has_error()) complain(set.error());
}

// The host sees a file of ours when it is written back: soon, so that a guest that is killed leaves
// all but its last instants.
void write_back_soon() {
  for (const char* name : {"dirty_writeback_centisecs", "dirty_expire_centisecs"}) {
    const auto set = base::write_special_file(fmt::format("/proc/sys/vm/{}", name), "10");
    if (set.has_error()) complain(set.error());
  }
}

Result<void> bring_loopback_up() {
  auto socket = netlink::Socket::open();
  SUNDER_TRY(socket);
  netlink::Batch batch;
  batch.add(netlink::set_up(kLoopbackIndex), "bring lo up");
  return socket->send_all(batch);
}

void furnish(const GuestOrder& order) {
  mount_all(order);
  pass_controllers_on();
  write_back_soon();
  utsname names{};
  ::uname(&names);
  const auto failures = load_modules(fs::path("/usr/lib/uml/modules") / names.release);
  if (failures.has_error()) complain(failures.error());
  if (failures.has_value()) {
    for (const std::string& failure : *failures) complain(failure);
  }
  if (const auto up = bring_loopback_up(); up.has_error()) complain(up.error());
  constexpr std::string_view kName = "sunder-uml";
  ::sethostname(kName.data(), kName.size());
}

// ---- lines ----

base::FileDescriptor open_line(Line line, const TerminalSize& size, bool cooked) {
  const std::string path = fmt::format("/dev/ttyS{}", static_cast<int>(line));
  base::FileDescriptor file(::open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!file.valid()) {
    complain(base::system_error(path));
    return file;
  }
  termios settings{};
  ::tcgetattr(file.get(), &settings);
  if (!cooked) ::cfmakeraw(&settings);
  ::tcsetattr(file.get(), TCSANOW, &settings);
  const winsize window{size.rows, size.columns, 0, 0};
  if (size.rows > 0) ::ioctl(file.get(), TIOCSWINSZ, &window);
  return file;
}

// One of the command's output streams. A terminal outside is a terminal here: the line itself.
// Anything else is a pipe, which we carry to the line.
struct Stream {
  base::FileDescriptor line;
  base::FileDescriptor pipe_read;
  base::FileDescriptor pipe_write;  // the command's; the line when not valid

  [[nodiscard]] int commands_end() const noexcept {
    return pipe_write.valid() ? pipe_write.get() : line.get();
  }
};

Stream open_stream(Line line, const TerminalSize& size) {
  Stream stream;
  stream.line = open_line(line, size, false);
  int ends[2];
  if (size.rows == 0 && ::pipe2(ends, O_CLOEXEC) == 0) {
    stream.pipe_read.reset(ends[0]);
    stream.pipe_write.reset(ends[1]);
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  }
  return stream;
}

// Carries what is there; closes the pipe at its end.
void carry(Stream& stream) {
  std::array<char, 4096> bytes;
  while (stream.pipe_read.valid()) {
    const ssize_t count = ::read(stream.pipe_read.get(), bytes.data(), bytes.size());
    if (count < 0) return;
    if (count == 0) return stream.pipe_read.reset();
    (void)base::write_all(stream.line.get(), {bytes.data(), static_cast<std::size_t>(count)});
  }
}

// ---- the command ----

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

struct Console {
  base::FileDescriptor control;
  Stream output;
  Stream error;
  base::FileDescriptor terminal;  // the command's input; not valid: it has none
};

[[noreturn]] void be_command(GuestOrder order, const Console& console) {
  ::setsid();
  int input = ::open("/dev/null", O_RDONLY);
  if (console.terminal.valid()) {
    input = console.terminal.get();
    ::ioctl(input, TIOCSCTTY, 0);
  }
  // With a terminal as input, output to that terminal goes the same way.
  const auto end_of = [&](const Stream& stream) {
    return console.terminal.valid() && !stream.pipe_write.valid() ? input : stream.commands_end();
  };
  ::dup2(input, STDIN_FILENO);
  ::dup2(end_of(console.output), STDOUT_FILENO);
  ::dup2(end_of(console.error), STDERR_FILENO);
  const rlimit files{order.files_max, order.files_max};
  ::setrlimit(RLIMIT_NOFILE, &files);
  ::umask(order.mask);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::chdir(order.directory.c_str()) == 0) {
    const std::vector<char*> arguments = pointers_to(order.command);
    const std::vector<char*> environment = pointers_to(order.environment);
    ::execve(arguments.front(), arguments.data(), environment.data());
    complain(base::system_error(fmt::format("start {} under User-Mode Linux", order.command[0])));
  } else {
    complain(base::system_error(
        fmt::format("{} as working directory under User-Mode Linux", order.directory)));
  }
  ::_exit(kCannotStart);
}

void pass_signals(const base::FileDescriptor& control, pid_t command) {
  char byte = 0;
  if (::read(control.get(), &byte, 1) != 1) return;
  if (byte == kInterrupt) ::kill(command, SIGINT);
  if (byte == kTerminate) ::kill(command, SIGTERM);
}

// Reaps whatever has ended; the status of the command when it was among them.
std::optional<int> reap(pid_t command) {
  for (;;) {
    int status = 0;
    // tidy-allow: waitpid(-1) because this is PID 1, which must reap every orphan.
    const pid_t ended = ::waitpid(-1, &status, WNOHANG);
    if (ended <= 0) return std::nullopt;
    if (ended == command) {
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
  }
}

base::FileDescriptor block_child_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  return base::FileDescriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int run_command(const GuestOrder& order, Console& console) {
  const base::FileDescriptor signals = block_child_signals();
  const pid_t command = ::fork();
  if (command == 0) be_command(order, console);
  if (command < 0) {
    complain(base::system_error("fork"));
    return kCannotStart;
  }
  console.output.pipe_write.reset();
  console.error.pipe_write.reset();
  for (;;) {
    // A closed descriptor is -1, which poll leaves out.
    std::array<pollfd, 4> items{pollfd{signals.get(), POLLIN, 0},
                                pollfd{console.control.get(), POLLIN, 0},
                                pollfd{console.output.pipe_read.get(), POLLIN, 0},
                                pollfd{console.error.pipe_read.get(), POLLIN, 0}};
    ::poll(items.data(), items.size(), -1);
    signalfd_siginfo info;
    while (::read(signals.get(), &info, sizeof info) > 0) {
    }
    if (items[1].revents != 0) pass_signals(console.control, command);
    const std::optional<int> status = reap(command);
    carry(console.output);
    carry(console.error);
    if (status.has_value()) return *status;
  }
}

// ---- the whole ----

Result<GuestOrder> fetch_order(const base::FileDescriptor& place) {
  const auto text = base::read_file(fs::path(kMeetingPlace) / kOrderFile);
  SUNDER_TRY(text);
  if (!place.valid()) return base::system_error("open the meeting place");
  return read_order(*text);
}

// Everything the command wrote reaches the host before the status says that it is there.
void leave_status(const base::FileDescriptor& place, int status) {
  ::sync();
  const base::FileDescriptor file(
      ::openat(place.get(), kExitFile, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  const auto written = base::write_all(file.get(), fmt::format("{}\n", status));
  if (written.has_error() || ::fsync(file.get()) != 0) complain("cannot leave the exit status");
}

void follow_order() {
  const base::FileDescriptor place(::open(kMeetingPlace, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto order = fetch_order(place);
  if (order.has_error()) return complain(order.error());
  furnish(*order);
  Console console;
  console.control = open_line(Line::control, {}, false);
  console.output = open_stream(Line::output, order->output);
  console.error = open_stream(Line::error, order->error);
  if (order->input.rows > 0) console.terminal = open_line(Line::terminal, order->input, true);
  (void)base::write_all(console.control.get(), std::string_view(&kUp, 1));
  const int status = run_command(*order, console);
  for (const Stream* stream : {&console.output, &console.error}) ::tcdrain(stream->line.get());
  if (console.terminal.valid()) ::tcdrain(console.terminal.get());
  leave_status(place, status);
}

}  // namespace

void be_guest() {
  ::signal(SIGPIPE, SIG_IGN);
  follow_order();
  ::reboot(RB_POWER_OFF);
  std::abort();  // no kernel is left to come here
}

}  // namespace sunder::uml
