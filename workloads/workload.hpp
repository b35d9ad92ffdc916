// A workload: what clients do, and how their replies are classified.
//
// One file per workload; the pure part (which operation next) is seeded and knows no sockets, the
// awaiting part runs one operation through a client connection. History functions and values are
// the model's own words, so that the checker understands them without a translation table.
//
// Threading: the run's single thread; next() is called once per operation in the order of
// invocation.

#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "harness/base/error.hpp"
#include "harness/base/random.hpp"
#include "harness/history/history.hpp"
#include "workloads/client.hpp"

namespace sunder::workloads {

struct Invocation {
  std::string function;  // "write"
  std::string key;
  history::Value input;
  // How long the process thinks or works before it invokes this.
  std::chrono::nanoseconds think{0};
  // Who invokes it, where the workload needs to know in invoke() what it told next().
  std::int64_t process = -1;
};

struct Completion {
  history::Outcome outcome = history::Outcome::info;
  history::Value output;
  std::string error;
  std::string node;
};

struct WorkloadOptions {
  std::size_t clients = 10;
  std::size_t keys = 64;
  std::map<std::string, double> mix;  // {"read", 0.5}, …; empty: the workload's default
  base::Random random{0};
};

class Workload {
 public:
  virtual ~Workload() = default;
  // The next operation of a process; none: it has nothing (more) to do. Values come from `pool`.
  [[nodiscard]] virtual std::optional<Invocation> next(std::int64_t process,
                                                       history::ValuePool& pool) = 0;
  // Runs it. Never throws for what a node or the network does: that is info or fail.
  [[nodiscard]] virtual boost::asio::awaitable<Completion> invoke(Client& client,
                                                                  Invocation invocation,
                                                                  history::ValuePool& pool) = 0;
  // After heal and settle: the reads that make lost writes visible, and whatever brings the system
  // to rest; called by every process until it answers none.
  [[nodiscard]] virtual std::optional<Invocation> final_read(std::int64_t process,
                                                             history::ValuePool& pool) = 0;
};

struct WorkloadInfo {
  std::string_view name;
  std::string_view summary;
  std::string_view model;  // of a bare history; empty: only its run can be judged
  std::map<std::string_view, double> default_mix;  // function → weight
  std::unique_ptr<Workload> (*make)(const WorkloadOptions&) = nullptr;
};

// Sorted by name.
[[nodiscard]] std::span<const WorkloadInfo> all_workloads();
[[nodiscard]] const WorkloadInfo* find_workload(std::string_view name);

// Reads --mix: "read=50,write=50" as weights of the workload's functions; functions not named get
// none. Errc::usage lists what exists.
[[nodiscard]] Result<std::map<std::string, double>> parse_mix(std::string_view text,
                                                              const WorkloadInfo& workload);

}  // namespace sunder::workloads
