// The words of a saga: its steps, who does them, and what orchestrator and participants say to each
// other.
//
// An order takes three steps, each done by one service and each undone by it: goods are reserved,
// the account is charged, the parcel is shipped. The model is Garcia-Molina & Salem, "Sagas"
// (SIGMOD 1987): transactions T1 … Tn with compensations C1 … Cn, of which either all T take
// effect, or T1 … Tj and then Cj … C1.
//
// Threading: values.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sunder::nodes::saga {

// Grows from saga to saga, never used twice; 0 is none.
using SagaNumber = std::uint64_t;

enum class Step : std::uint8_t { reserve, charge, ship };

inline constexpr std::array kSteps{Step::reserve, Step::charge, Step::ship};

// "reserve", and what takes it back: "release".
[[nodiscard]] std::string_view name_of(Step step) noexcept;
[[nodiscard]] std::string_view undo_name_of(Step step) noexcept;

// Who a node is. The node n1 is the orchestrator, n2 … n4 do the steps in their order.
enum class Role : std::uint8_t { order, inventory, payment, shipment };

inline constexpr std::array kRoles{Role::order, Role::inventory, Role::payment, Role::shipment};

[[nodiscard]] std::string_view name_of(Role role) noexcept;
[[nodiscard]] Role role_of(Step step) noexcept;

// The number of the node with this role.
[[nodiscard]] constexpr std::uint32_t node_of(Role role) noexcept {
  return static_cast<std::uint32_t>(role) + 1;
}

// To a participant: do the step, or see to it that it has no effect, now or later. Saga and step
// are the idempotency key.
struct Request {
  SagaNumber saga = 0;
  Step step = Step::reserve;
  bool undo = false;
  std::string order;   // the client's name of it, for the ledger
  std::string object;  // item, account or address
  std::int64_t amount = 0;
  // Every saga with a smaller number has ended: nothing of it will be asked again.
  SagaNumber settled_below = 0;

  friend bool operator==(const Request&, const Request&) = default;
};

struct Reply {
  SagaNumber saga = 0;
  Step step = Step::reserve;
  bool undo = false;
  bool done = false;   // false: refused, without effect
  std::string reason;  // of a refusal: "sold out"

  friend bool operator==(const Reply&, const Reply&) = default;
};

// The deliberate bugs.
enum class Sabotage : std::uint8_t {
  none,
  ack_before_save,        // a participant's effects are saved a while after they are answered
  ack_before_sync,        // what is saved is not synced
  dedup_lost_at_restart,  // idempotency keys are kept in memory only
  forget_late_step,       // the undo of a step never seen leaves no trace
  log_after_send,         // a step is logged when its reply comes, not before it is sent
  no_reconnect,           // a lost connection to a peer is never made again
  skip_undo_on_timeout,   // a step that was not answered in time counts as not done
  undo_twice,             // an undo that is asked again is done again
};

[[nodiscard]] std::optional<Sabotage> sabotage_named(std::string_view name) noexcept;

}  // namespace sunder::nodes::saga
