// Control: how the harness tells a mounted disk what to do, and what the disk answers: one JSON
// line each way over a socket that both inherit.
//
//   {"do":"arm","id":3,"rule":{"kind":"disk-error","files":"*.log","nth":3}}  → {"ok":true}
//   {"do":"disarm","id":3}   → {"ok":true,"seen":12,"struck":1,"bytes":4096}
//   {"do":"counters","id":3} → the same, still armed
//   {"do":"lose power","seed":7,"keep":0.5,…} → {"ok":true,"files":[…],"entries":[…],…}
//   {"do":"status"}          → {"ok":true,"armed":1}
//
// Threading: the client belongs to the run's single thread and waits for each answer, so that
// healing can use it from destructors. Errors: what the disk says, or that it does not answer.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "harness/base/error.hpp"
#include "harness/base/file.hpp"
#include "harness/disk/durable_file.hpp"
#include "harness/disk/rules.hpp"
#include "harness/disk/volume.hpp"

namespace sunder::disk {

// The disk's end: carries out one request line and gives the answer, without a newline. A line that
// is no request is answered with an error.
[[nodiscard]] std::string answer(Volume& volume, std::string_view line);

// The line that the disk says once it is mounted.
constexpr std::string_view kReady = "{\"ok\":true,\"ready\":true}\n";
// What it says when it cannot.
[[nodiscard]] std::string failure_line(std::string_view why);

// The harness' end.
class Client {
 public:
  explicit Client(base::FileDescriptor socket) : socket_(std::move(socket)) {}

  // Waits until the disk is mounted. Errc::unsupported with its words when it cannot be.
  [[nodiscard]] Result<void> await_ready();
  [[nodiscard]] Result<void> arm(std::uint32_t id, const Rule& rule);
  [[nodiscard]] Result<RuleCounters> disarm(std::uint32_t id);
  [[nodiscard]] Result<RuleCounters> counters(std::uint32_t id);
  // Precondition: no process uses the disk any more.
  [[nodiscard]] Result<PowerLoss> lose_power(const Survival& survival, std::uint64_t seed);
  // How many rules are armed.
  [[nodiscard]] Result<std::uint64_t> armed();

 private:
  [[nodiscard]] Result<std::string> receive_line();
  [[nodiscard]] Result<std::string> ask(const std::string& request);

  base::FileDescriptor socket_;
  std::string received_;  // beyond the last line
};

}  // namespace sunder::disk
