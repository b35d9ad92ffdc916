// Memory: lowers the soft limit of the address space of live processes to what they use and a
// little more, so that allocations fail.
//
// prlimit(RLIMIT_AS): rootless, exact, and given back without privilege. A node has to live with a
// failed allocation or to stop at once and say so; it is started again when the fault ends.

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include "harness/base/file.hpp"
#include "nemesis/families.hpp"
#include "nemesis/resource_fault.hpp"

namespace sunder::nemesis {
namespace {

using std::chrono::nanoseconds;

constexpr double kMebibyte = 1024.0 * 1024.0;
constexpr nanoseconds kLook = std::chrono::milliseconds(20);
// So near to the limit the next piece of an arena does not fit any more.
constexpr double kNear_bytes = 136.0 * 1024.0;

// The process' address space in bytes; 0 when it has ended.
double address_space(int pid) {
  const auto text = base::read_file(fmt::format("/proc/{}/statm", pid));
  if (text.has_error()) return 0;
  const double pages = std::strtod(text->c_str(), nullptr);
  return pages * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

class ActiveMemory final : public ResourceFault {
 public:
  using ResourceFault::ResourceFault;

  ~ActiveMemory() override { heal_at_last(); }

  [[nodiscard]] std::optional<nanoseconds> period() const override { return kLook; }

  // Follows how near the process comes to its limit.
  [[nodiscard]] Result<void> toggle() override {
    for (std::size_t i = 0; i < victims_.size(); ++i) {
      const double used = address_space(victims_[i].pid);
      if (used > 0 && used + kNear_bytes >= limited_[i].limit) limited_[i].reached = true;
    }
    return {};
  }

 private:
  struct Limited {
    rlimit before{};
    double limit = 0;
    bool reached = false;
  };

  [[nodiscard]] Result<void> restrict(std::size_t index) override {
    limited_.resize(victims_.size());
    const int pid = victims_[index].pid;
    Limited& limited = limited_[index];
    rlimit limit{};
    if (::prlimit(pid, RLIMIT_AS, nullptr, &limit) != 0) {
      return base::system_error(fmt::format("read the limit of process {}", pid));
    }
    limited.before = limit;
    limited.limit = address_space(pid) + number_of(planned_, "headroom").value_or(0) * kMebibyte;
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, static_cast<rlim_t>(limited.limit));
    if (::prlimit(pid, RLIMIT_AS, &limit, nullptr) != 0) {
      return base::system_error(fmt::format("lower the limit of process {}", pid));
    }
    add_evidence(victims_[index], "limit", limited.limit / kMebibyte, "MiB");
    return {};
  }

  [[nodiscard]] Result<void> restore(std::size_t index) override {
    const Limited& limited = limited_.at(index);
    const int pid = victims_[index].pid;
    rlimit now{};
    if (::prlimit(pid, RLIMIT_AS, &limited.before, nullptr) != 0 ||
        ::prlimit(pid, RLIMIT_AS, nullptr, &now) != 0) {
      if (errno == ESRCH) return {};
      return base::system_error(fmt::format("restore the limit of process {}", pid));
    }
    if (now.rlim_cur == limited.before.rlim_cur) return {};
    return base::make_error(Errc::failed, fmt::format("the limit of process {} stays low", pid));
  }

  [[nodiscard]] std::string prove(std::size_t ended) override {
    const auto reached =
        std::ranges::count_if(limited_, [](const Limited& limited) { return limited.reached; });
    record_.evidence.push_back({"at their limit", static_cast<double>(reached), "nodes"});
    if (victims_.empty() || ended > 0 || reached > 0) return {};
    return "no process came near its limit";
  }

  std::vector<Limited> limited_;
};

constexpr std::array kParameters{
    FaultParameter{.name = "headroom",
                   .summary = "MiB of address space above what is used when it begins",
                   .kind = ParameterKind::number,
                   .low = 0,
                   .high = 1'048'576,
                   .otherwise = "0"},
};

}  // namespace

FaultInfo memory_fault() {
  return {.name = "memory",
          .summary = "Leaves processes without memory: allocations fail.",
          .shapes = kResource_shapes,
          .parameters = kParameters,
          .evidence =
              "The limit of address space that was set (RLIMIT_AS), processes that were so near it "
              "that no arena could grow, processes that ended of it.",
          .limits =
              "An allocation that the program's allocator serves from what it has does not fail. "
              "There is no reclaim and no swapping, as a limit of a control group would bring.",
          .example = "memory:leader@2s+3s;headroom=4",
          .burden = {.stops = true},
          .usual = std::chrono::seconds(2),
          .apply = apply_process_fault<ActiveMemory>};
}

}  // namespace sunder::nemesis
