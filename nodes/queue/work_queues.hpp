// WorkQueues: queues of work, each message handed to one consumer at a time until it is
// acknowledged.
//
//   QSEND queue body                        the message's number; -BUSY when the queue is full
//   QRECV queue visibility-ms wait-ms       [number, receipt, body], or nil after the wait
//   QACK queue number receipt               the work is done: the message is gone
//   QNACK queue number receipt              given back at once
//   QEXTEND queue number receipt ms         the consumer keeps it for ms from now on
//   QLEN queue · QSTAT queue                ready; [ready, in flight, dead]
// A delivery's receipt is its number: 1 for the first. Its owner loses the message when the
// visibility time is over, and every receipt but the owner's is refused with -STALERECEIPT. A
// message that was delivered `deliveries_max` times in vain goes to the queue "<name>.dead", from
// where it is received like any other, but never goes further. A queue's limit counts its dead
// letters too, so that everything is bounded. Messages that are ready are handed out oldest first.
//
// Time is the shell's: a delivery sets an alarm, whose command is QEXPIRE queue number lease. Each
// delivery and each extension is a lease of its own, so that an expiry which comes late does
// nothing.
//
// Threading and errors: as replica::Machine says.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nodes/replica/machine.hpp"

namespace sunder::nodes::queue {

using replica::Alarm;
using replica::Arguments;
using replica::CommandInfo;
using replica::Wait;

enum class WorkSabotage : std::uint8_t {
  none,
  accept_then_drop,        // a full queue says yes and forgets the message
  dead_letter_drops_body,  // a dead letter is empty
  double_delivery,         // some messages stay ready while somebody owns them
  early_dead_letter,       // a message is given up one delivery too early
};

struct WorkOptions {
  std::size_t deliveries_max = 5;
  std::size_t length_max = 10'000;  // messages of one queue, its dead letters included
  WorkSabotage sabotage = WorkSabotage::none;
};

class WorkQueues final : public replica::Machine {
 public:
  static constexpr std::size_t kQueuesMax = 1000;
  // A wait ends before a follower that forwarded the command gives it up.
  static constexpr std::chrono::milliseconds kWaitMax{400};
  static constexpr std::string_view kDeadSuffix = ".dead";

  explicit WorkQueues(WorkOptions options) : options_(options) {}

  [[nodiscard]] std::span<const CommandInfo> commands() const override;
  [[nodiscard]] wire::RespValue execute(const Arguments& command) override;
  [[nodiscard]] wire::RespValue read(const Arguments& command) const override;
  [[nodiscard]] std::string save() const override;
  [[nodiscard]] Result<void> load(std::string_view bytes) override;
  [[nodiscard]] std::vector<Alarm> take_alarms() override;
  [[nodiscard]] std::vector<Alarm> standing_alarms() const override;
  [[nodiscard]] std::optional<Wait> wait_of(const Arguments& command) const override;
  [[nodiscard]] std::vector<std::pair<std::string_view, std::size_t>> counts() const override;

 private:
  struct Message {
    std::string body;
    std::uint64_t deliveries = 0;
    std::uint64_t lease = 0;
    std::chrono::milliseconds visibility{0};  // of the last lease
    bool in_flight = false;
  };

  struct Queue {
    std::map<std::uint64_t, Message> messages;
    std::set<std::uint64_t> ready;
  };

  using Queues = std::map<std::string, Queue, std::less<>>;

  // A message that its caller may own.
  struct Held {
    Queues::iterator queue;
    std::map<std::uint64_t, Message>::iterator message;
  };

  wire::RespValue send(const Arguments& command);
  wire::RespValue receive(const Arguments& command);
  wire::RespValue acknowledge(const Arguments& command);
  wire::RespValue give_back(const Arguments& command);
  wire::RespValue extend(const Arguments& command);
  wire::RespValue expire(const Arguments& command);

  [[nodiscard]] std::optional<Held> find(const Arguments& command);
  [[nodiscard]] std::optional<Held> find_owned(const Arguments& command);
  // Of the queue and its dead letters.
  [[nodiscard]] std::size_t length_of(std::string_view name) const;
  void set_lease(std::string_view queue, std::uint64_t id, Message& message);
  void cancel_alarm(std::uint64_t id);
  // Its owner has it no more: it is ready again, or dead.
  void release(const Held& held);
  void remove(const Held& held);
  [[nodiscard]] static Alarm alarm_of(std::string_view queue,
                                      std::uint64_t id,
                                      const Message& message);

  WorkOptions options_;
  std::uint64_t last_id_ = 0;
  Queues queues_;              // none is empty
  std::vector<Alarm> alarms_;  // changed since the last take_alarms()
};

// None: not one of them.
[[nodiscard]] std::optional<WorkSabotage> work_sabotage_named(std::string_view name);
[[nodiscard]] std::span<const std::string_view> work_sabotage_names();

}  // namespace sunder::nodes::queue
