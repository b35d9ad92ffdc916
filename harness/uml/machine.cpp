#include "harness/uml/machine.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "harness/base/clock.hpp"
#include "harness/base/file.hpp"
#include "harness/cluster/universe.hpp"
#include "harness/uml/order.hpp"

extern "C" char** environ;

namespace sunder::uml {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProgram = "/usr/bin/linux.uml";
constexpr const char* kModules = "/usr/lib/uml/modules";
constexpr const char* kRegisters = "sunder-uml-registers.so";
constexpr const char* kInitLink = "sunder";  // in the meeting place: a path without blanks
// Booting takes 1–2 s on an idle machine.
constexpr std::chrono::seconds kBootLimit{120};
// What the kernel said last is kept for an error.
constexpr std::size_t kConsoleMax = 16 * 1024;

// ---- the caller's terminal and limits ----

TerminalSize terminal_of(int descriptor) {
  if (::isatty(descriptor) != 1) return {};
  winsize window{};
  ::ioctl(descriptor, TIOCGWINSZ, &window);
  // A terminal without a size is one all the same.
  if (window.ws_row == 0 || window.ws_col == 0) return {24, 80};
  return {window.ws_row, window.ws_col};
}

GuestOrder order_of(const MachineOptions& options) {
  GuestOrder order;
  order.command = options.command;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    order.environment.emplace_back(*variable);
  }
  std::error_code ignored;  // an empty directory is refused by the guest
  order.directory = fs::current_path(ignored).string();
  order.output = terminal_of(STDOUT_FILENO);
  order.error = terminal_of(STDERR_FILENO);
  if (options.interactive) order.input = terminal_of(STDIN_FILENO);
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) order.files_max = files.rlim_max;
  const mode_t mask = ::umask(022);
  ::umask(mask);
  order.mask = mask;
  return order;
}

// Our terminal, typed through to the guest's while this lives: the guest interprets what is typed.
class RawTerminal {
 public:
  explicit RawTerminal(bool wanted) : active_(wanted) {
    if (!active_) return;
    ::tcgetattr(STDIN_FILENO, &previous_);
    termios raw = previous_;
    ::cfmakeraw(&raw);
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
  }

  ~RawTerminal() {
    if (active_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &previous_);
  }

  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

 private:
  bool active_;
  termios previous_{};
};

// ---- the kernel's process ----

// A pipe between a serial line of the guest and us.
struct Wire {
  base::FileDescriptor read;
  base::FileDescriptor write;
};

Result<Wire> make_wire() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return base::system_error("make a pipe");
  return Wire{base::FileDescriptor(ends[0]), base::FileDescriptor(ends[1])};
}

struct Wires {
  Wire console;       // what the kernel says
  Wire to_control;    // to the guest's init
  Wire from_control;  // from it
  Wire output;
  Wire error;
  Wire input;     // to the guest's terminal
  Wire terminal;  // from it: linux.uml cannot serve two lines with one descriptor
};

Result<Wires> make_wires() {
  Wires wires;
  for (Wire* wire : {&wires.console,
                     &wires.to_control,
                     &wires.from_control,
                     &wires.output,
                     &wires.error,
                     &wires.input,
                     &wires.terminal}) {
    auto made = make_wire();
    SUNDER_TRY(made);
    *wire = std::move(*made);
  }
  // Ours to read: without waiting, beside one another.
  for (const Wire* wire :
       {&wires.console, &wires.from_control, &wires.output, &wires.error, &wires.terminal}) {
    ::fcntl(wire->read.get(), F_SETFL, O_NONBLOCK);
  }
  return wires;
}

std::vector<std::string> kernel_arguments(const MachineOptions& options,
                                          const Kernel& kernel,
                                          const Wires& wires) {
  const auto line = [](Line number, int in, int out) {
    const std::string from = in < 0 ? "null" : fmt::format("fd:{}", in);
    return fmt::format("ssl{}={},fd:{}", static_cast<int>(number), from, out);
  };
  const std::string place = kMeetingPlace;
  return {kernel.program.string(),
          "root=/dev/root",
          "rootfstype=hostfs",
          "rootflags=/",
          "rw",
          fmt::format("mem={}M", options.memory),
          fmt::format("uml_dir={}", place),
          "quiet",
          "selinux=0",
          "panic=-1",
          "con=null",
          "con0=null,fd:1",
          "ssl=null",
          line(Line::control, wires.to_control.read.get(), wires.from_control.write.get()),
          line(Line::output, -1, wires.output.write.get()),
          line(Line::error, -1, wires.error.write.get()),
          line(Line::terminal, wires.input.read.get(), wires.terminal.write.get()),
          fmt::format("init={}/{}", place, kInitLink),
          "--",
          "uml-init"};
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

[[noreturn]] void be_kernel(const MachineOptions& options,
                            const Kernel& kernel,
                            const Wires& wires,
                            const sigset_t& mask) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::setsid();  // Ctrl-C at the terminal is the command's business, not the kernel's
  ::dup2(::open("/dev/null", O_RDWR), STDIN_FILENO);
  ::dup2(wires.console.write.get(), STDOUT_FILENO);
  ::dup2(wires.console.write.get(), STDERR_FILENO);
  for (const int end : {wires.to_control.read.get(),
                        wires.from_control.write.get(),
                        wires.output.write.get(),
                        wires.error.write.get(),
                        wires.input.read.get(),
                        wires.terminal.write.get()}) {
    ::fcntl(end, F_SETFD, 0);
  }
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  std::vector<std::string> arguments = kernel_arguments(options, kernel, wires);
  std::vector<std::string> environment{
      "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
      fmt::format("HOME={}", kMeetingPlace),
      fmt::format("TMPDIR={}", kMeetingPlace),
  };
  const fs::path registers = options.program.parent_path() / kRegisters;
  if (fs::exists(registers)) environment.push_back("LD_PRELOAD=" + registers.string());
  ::execve(
      arguments.front().c_str(), pointers_to(arguments).data(), pointers_to(environment).data());
  std::perror("start linux.uml");
  ::_exit(127);
}

// ---- watching it ----

// Signals for the command, and the end of the kernel, as a descriptor.
class Signals {
 public:
  Signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGINT, SIGTERM, SIGCHLD}) sigaddset(&set, number);
    ::sigprocmask(SIG_BLOCK, &set, &previous_);
    descriptor_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  }

  [[nodiscard]] int descriptor() const noexcept { return descriptor_.get(); }

  [[nodiscard]] const sigset_t& previous() const noexcept { return previous_; }

  void forward(int control) const {
    signalfd_siginfo info;
    while (::read(descriptor_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      const auto number = static_cast<int>(info.ssi_signo);
      if (number == SIGCHLD) continue;
      const char byte = number == SIGINT ? kInterrupt : kTerminate;
      (void)base::write_all(control, std::string_view(&byte, 1));
    }
  }

 private:
  sigset_t previous_{};
  base::FileDescriptor descriptor_;
};

// Reads what is there without waiting; nothing at the end.
std::optional<std::string> read_some(base::FileDescriptor& file) {
  std::array<char, 16 * 1024> bytes;
  if (!file.valid()) return std::nullopt;
  const ssize_t count = ::read(file.get(), bytes.data(), bytes.size());
  if (count == 0) file.reset();
  if (count <= 0) return std::nullopt;
  return std::string(bytes.data(), static_cast<std::size_t>(count));
}

void carry(base::FileDescriptor& from, int to) {
  while (const auto text = read_some(from)) (void)base::write_all(to, *text);
}

class Watch {
 public:
  Watch(pid_t kernel, Wires& wires, const Signals& signals, bool interactive)
      : kernel_(kernel), wires_(wires), signals_(signals), interactive_(interactive) {}

  // Until the kernel has ended. An error when it never came up.
  Result<void> until_end() {
    const auto begun = base::MonotonicClock::now();
    for (;;) {
      wait();
      signals_.forward(wires_.to_control.write.get());
      carry_all();
      int status = 0;
      if (::waitpid(kernel_, &status, WNOHANG) == kernel_) break;
      if (!up_ && base::MonotonicClock::now() - begun > kBootLimit) {
        ::kill(kernel_, SIGKILL);
        return base::make_error(
            Errc::timed_out,
            fmt::format(
                "User-Mode Linux did not boot within {} s{}", kBootLimit.count(), last_words()));
      }
    }
    carry_all();
    return {};
  }

  // " (it said: …)", or nothing. A panic says more than what follows it.
  [[nodiscard]] std::string last_words() const {
    std::string chosen;
    for (std::size_t at = 0; at < console_.size();) {
      const std::size_t end = std::min(console_.find('\n', at), console_.size());
      std::string line = console_.substr(at, end - at);
      while (!line.empty() && line.back() == '\r') line.pop_back();
      if (line.find("anic") != std::string::npos) return fmt::format(" (it said: {})", line);
      if (!line.empty()) chosen = std::move(line);
      at = end + 1;
    }
    return chosen.empty() ? "" : fmt::format(" (it said: {})", chosen);
  }

 private:
  void wait() {
    // A closed descriptor is -1, which poll leaves out.
    std::array<pollfd, 7> items{
        pollfd{signals_.descriptor(), POLLIN, 0},
        pollfd{wires_.console.read.get(), POLLIN, 0},
        pollfd{wires_.from_control.read.get(), POLLIN, 0},
        pollfd{wires_.output.read.get(), POLLIN, 0},
        pollfd{wires_.error.read.get(), POLLIN, 0},
        pollfd{wires_.terminal.read.get(), POLLIN, 0},
        pollfd{interactive_ ? STDIN_FILENO : -1, POLLIN, 0},
    };
    ::poll(items.data(), items.size(), up_ ? -1 : 1000);
    if (items.back().revents != 0) type();
  }

  // Passes on what was typed.
  void type() {
    std::array<char, 1024> bytes;
    const ssize_t count = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (count <= 0) {
      interactive_ = false;
      return;
    }
    (void)base::write_all(wires_.input.write.get(),
                          {bytes.data(), static_cast<std::size_t>(count)});
  }

  void carry_all() {
    carry(wires_.output.read, STDOUT_FILENO);
    carry(wires_.terminal.read, STDOUT_FILENO);
    carry(wires_.error.read, STDERR_FILENO);
    while (const auto text = read_some(wires_.console.read)) {
      console_ += *text;
      if (console_.size() > kConsoleMax) console_.erase(0, console_.size() - kConsoleMax);
    }
    while (const auto text = read_some(wires_.from_control.read)) {
      up_ = up_ || text->find(kUp) != std::string::npos;
    }
  }

  pid_t kernel_;
  Wires& wires_;
  const Signals& signals_;
  bool interactive_;
  bool up_ = false;
  std::string console_;
};

// ---- inside the universe ----

Result<void> prepare_place(const MachineOptions& options) {
  // Room for the guest's memory, and executable, since the guest's programs run in it.
  const std::string settings = fmt::format("mode=0700,size={}m", options.memory + 64);
  if (::mount("sunder", kMeetingPlace, "tmpfs", MS_NOSUID | MS_NODEV, settings.c_str()) != 0) {
    return base::system_error(fmt::format("mount a tmpfs over {}", kMeetingPlace));
  }
  const fs::path place = kMeetingPlace;
  SUNDER_TRY(base::write_file(place / kOrderFile, to_text(order_of(options))));
  if (::symlink(options.program.c_str(), (place / kInitLink).c_str()) != 0) {
    return base::system_error("link the guest's init");
  }
  return {};
}

Result<int> status_left(const Watch& watch) {
  const auto text = base::read_file(fs::path(kMeetingPlace) / kExitFile);
  int status = 0;
  if (text.has_value()) {
    const auto parsed = std::from_chars(text->data(), text->data() + text->size(), status);
    if (parsed.ec == std::errc{}) return status;
  }
  return base::make_error(
      Errc::failed, "User-Mode Linux ended without leaving an exit status" + watch.last_words());
}

Result<int> boot(const MachineOptions& options, const Kernel& kernel) {
  SUNDER_TRY(prepare_place(options));
  auto wires = make_wires();
  SUNDER_TRY(wires);
  const Signals signals;
  const bool interactive = options.interactive && ::isatty(STDIN_FILENO) == 1;
  const pid_t child = ::fork();
  if (child == 0) be_kernel(options, kernel, *wires, signals.previous());
  if (child < 0) return base::system_error("fork");
  for (base::FileDescriptor* end : {&wires->console.write,
                                    &wires->to_control.read,
                                    &wires->from_control.write,
                                    &wires->output.write,
                                    &wires->error.write,
                                    &wires->input.read,
                                    &wires->terminal.write}) {
    end->reset();
  }
  const RawTerminal raw(interactive);
  Watch watch(child, *wires, signals, interactive);
  SUNDER_TRY(watch.until_end());
  return status_left(watch);
}

// What the guest's init cannot reach, it cannot run: said before anything starts.
Result<void> check_reach(const MachineOptions& options) {
  std::error_code error;
  const fs::path directory = fs::current_path(error);
  if (error || ::access(directory.c_str(), R_OK | X_OK) != 0) {
    return base::make_error(
        Errc::unsupported,
        fmt::format("--kernel uml: the working directory {} cannot be read by this user",
                    directory.string()));
  }
  if (::access(options.command.front().c_str(), X_OK) != 0) {
    return base::system_error(fmt::format("--kernel uml: {}", options.command.front()));
  }
  return {};
}

}  // namespace

Result<Kernel> find_kernel() {
  constexpr const char* kAdvice = "apt install user-mode-linux";
  if (::access(kProgram, X_OK) != 0) {
    return base::make_error(
        Errc::unsupported,
        fmt::format("no User-Mode Linux: {} is missing ({})", kProgram, kAdvice));
  }
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(kModules, error)) {
    if (fs::exists(entry.path() / "modules.dep")) {
      return Kernel{kProgram, entry.path().filename().string(), entry.path()};
    }
  }
  return base::make_error(
      Errc::unsupported,
      fmt::format("no modules of User-Mode Linux below {} ({})", kModules, kAdvice));
}

Result<int> run_under_uml(const MachineOptions& options) {
  const auto kernel = find_kernel();
  SUNDER_TRY(kernel);
  SUNDER_TRY(check_reach(options));
  return cluster::enter_universe({}, [&] {
    const auto status = boot(options, *kernel);
    if (status.has_value()) return *status;
    std::fprintf(stderr, "sunder: %s\n", status.error().message().c_str());
    return static_cast<int>(ExitCode::harness_failed);
  });
}

}  // namespace sunder::uml
