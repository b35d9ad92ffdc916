// Descriptor limit: lowers the soft limit of open files of live processes to what they have open,
// so that accepting a connection and opening a file fail with EMFILE.
//
// prlimit() on the process; only the soft limit, so that no privilege is needed to give it back.
// The proof is a connection of our own, again and again: the node's kernel takes it, the node
// cannot.

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <sys/resource.h>

#include "nemesis/families.hpp"
#include "nemesis/node_probe.hpp"
#include "nemesis/resource_fault.hpp"

namespace sunder::nemesis {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kProbe_period = std::chrono::milliseconds(100);
constexpr std::size_t kDescriptors_max = 65'536;

// The smallest number that the process' next descriptor may get: the kernel's limit is one of
// numbers, not of how many there are.
Result<std::size_t> first_free_descriptor(int pid) {
  std::set<std::size_t> open;
  std::error_code error;
  std::filesystem::directory_iterator entries(fmt::format("/proc/{}/fd", pid), error);
  if (error) return Error{error, fmt::format("list the descriptors of process {}", pid)};
  for (const auto& entry : entries) {
    open.insert(std::strtoul(entry.path().filename().c_str(), nullptr, 10));
  }
  std::size_t free = 0;
  while (open.contains(free) && free < kDescriptors_max) ++free;
  return free;
}

class ActiveFdLimit final : public ResourceFault {
 public:
  using ResourceFault::ResourceFault;

  ~ActiveFdLimit() override { heal_at_last(); }

  [[nodiscard]] std::optional<nanoseconds> period() const override { return kProbe_period; }

  [[nodiscard]] Result<void> toggle() override {
    for (std::size_t i = 0; i < victims_.size(); ++i) probe(i);
    return {};
  }

 private:
  struct Limited {
    rlimit before{};
    std::optional<NodeProbe> probe;
  };

  void probe(std::size_t index) {
    Limited& limited = limited_.at(index);
    if (limited.probe) {
      const bool accepted = limited.probe->look() == NodeProbe::Answer::answered;
      ++(accepted ? accepted_ : refused_);
    }
    limited.probe.emplace(context_.cluster, victims_[index].node);
  }

  [[nodiscard]] Result<void> restrict(std::size_t index) override {
    limited_.resize(victims_.size());
    const int pid = victims_[index].pid;
    rlimit limit{};
    if (::prlimit(pid, RLIMIT_NOFILE, nullptr, &limit) != 0) {
      return base::system_error(fmt::format("read the limit of process {}", pid));
    }
    limited_[index].before = limit;
    const auto free = first_free_descriptor(pid);
    if (free.has_error()) return free.error();
    const double spare = number_of(planned_, "spare").value_or(0);
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_cur, *free + static_cast<rlim_t>(spare));
    if (::prlimit(pid, RLIMIT_NOFILE, &limit, nullptr) != 0) {
      return base::system_error(fmt::format("lower the limit of process {}", pid));
    }
    add_evidence(victims_[index], "limit", static_cast<double>(limit.rlim_cur), "descriptors");
    probe(index);
    return {};
  }

  [[nodiscard]] Result<void> restore(std::size_t index) override {
    Limited& limited = limited_.at(index);
    limited.probe.reset();
    const int pid = victims_[index].pid;
    rlimit now{};
    if (::prlimit(pid, RLIMIT_NOFILE, &limited.before, nullptr) != 0 ||
        ::prlimit(pid, RLIMIT_NOFILE, nullptr, &now) != 0) {
      if (errno == ESRCH) return {};
      return base::system_error(fmt::format("restore the limit of process {}", pid));
    }
    if (now.rlim_cur == limited.before.rlim_cur) return {};
    return base::make_error(Errc::failed, fmt::format("the limit of process {} stays low", pid));
  }

  [[nodiscard]] std::string prove(std::size_t ended) override {
    const auto count = [this](std::string name, int value) {
      record_.evidence.push_back({std::move(name), static_cast<double>(value), "connections"});
    };
    count("not accepted", refused_);
    count("accepted", accepted_);
    if (victims_.empty() || ended > 0 || refused_ > 0) return {};
    return "every connection was accepted: descriptors were left, or were given back";
  }

  std::vector<Limited> limited_;
  int refused_ = 0;
  int accepted_ = 0;
};

constexpr std::array kParameters{
    FaultParameter{.name = "spare",
                   .summary = "so many more descriptors than are open may still be opened",
                   .kind = ParameterKind::number,
                   .low = 0,
                   .high = 10'000,
                   .otherwise = "0"},
};

}  // namespace

FaultInfo fd_limit_fault() {
  return {.name = "fd-limit",
          .summary = "Leaves processes without free descriptors: accept and open fail (EMFILE).",
          .shapes = kResource_shapes,
          .parameters = kParameters,
          .evidence =
              "The limit that was set, and connections of our own from within the node's namespace "
              "that it did not, or did, accept while it stood.",
          .limits =
              "Only the soft limit is lowered: a program that raises it itself undoes the fault, "
              "which then is not exercised. A node that ends of it is started again.",
          .example = "fd-limit:leader@2s+2s;spare=1",
          .burden = {.stops = true},
          .usual = std::chrono::seconds(2),
          .apply = apply_process_fault<ActiveFdLimit>};
}

}  // namespace sunder::nemesis
