// Participant: the pure core of the services that do the steps: inventory, payment, shipment.
//
// Each keeps how much is left of its objects (goods of an item, credit of an account; addresses
// have no limit, but some refuse every parcel) and a ledger of every effect. A step takes some time
// to work on and then takes effect, or is refused; its undo gives back what was taken. Saga and
// step are the idempotency key, recorded with the effect: asked again, the answer is the same and
// nothing happens. The undo of a step that never came leaves a tombstone, so that the step has no
// effect when it comes late. Keys of sagas that have ended are dropped, for the orchestrator never
// asks for them again.
//
// The shell saves `Effects` in one synced write and only then sends the replies; those of calls
// that save nothing wait for what was saved before.
//
// Threading: none; synchronous. Time comes in: monotonic, of any origin.

#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nodes/saga/step.hpp"

namespace sunder::nodes::saga {

using Time = std::chrono::nanoseconds;

enum class MarkState : std::uint8_t { done, refused, undone, blocked };

// What is known of a saga's step here.
struct Mark {
  SagaNumber saga = 0;
  MarkState state = MarkState::done;
  std::string object;
  std::int64_t amount = 0;
  std::string reason;  // of a refusal

  friend bool operator==(const Mark&, const Mark&) = default;
};

// One effect, in the order in which they happened.
struct LedgerEntry {
  std::uint64_t position = 0;  // from 0, without gaps
  SagaNumber saga = 0;
  bool undo = false;
  std::string order;
  std::string object;
  std::int64_t amount = 0;

  friend bool operator==(const LedgerEntry&, const LedgerEntry&) = default;
};

struct RecoveredParticipant {
  std::map<SagaNumber, Mark> marks;
  std::map<std::string, std::int64_t> levels;  // what is left of the objects ever asked for
  std::uint64_t ledger_size = 0;
  SagaNumber settled_below = 0;
};

struct ParticipantOptions {
  Step step = Step::reserve;
  std::optional<std::int64_t> initial;  // what there is of each object at first; none: no limit
  std::string refuse_prefix;            // objects that are always refused; empty: none
  std::string refusal;                  // what a refusal says: "sold out"
  std::chrono::milliseconds work{3};    // a step takes this long
  Sabotage sabotage = Sabotage::none;
};

class Participant {
 public:
  struct Effects {
    std::vector<Mark> marks;
    std::vector<SagaNumber> dropped;  // marks
    std::vector<LedgerEntry> ledger;
    std::vector<std::pair<std::string, std::int64_t>> levels;
    std::optional<SagaNumber> settled_below;
    std::vector<Reply> replies;

    [[nodiscard]] bool saves() const noexcept {
      return !marks.empty() || !dropped.empty() || !ledger.empty() || !levels.empty() ||
             settled_below.has_value();
    }
  };

  Participant(ParticipantOptions options, RecoveredParticipant recovered);

  // Precondition: the request is for this participant's step.
  [[nodiscard]] Effects receive(Time now, const Request& request);
  // Finishes the work that is due.
  [[nodiscard]] Effects tick(Time now);
  // When tick() is wanted next; none: nothing is being worked on.
  [[nodiscard]] std::optional<Time> next_due() const;

  [[nodiscard]] std::size_t marks() const noexcept { return marks_.size(); }

  // With a level, ever asked for.
  [[nodiscard]] std::size_t objects() const noexcept { return levels_.size(); }

  [[nodiscard]] std::uint64_t ledger_size() const noexcept { return ledger_size_; }

  // What is left; none: it has no limit.
  [[nodiscard]] std::optional<std::int64_t> level_of(const std::string& object) const;

 private:
  void settle(SagaNumber below, Effects& effects);
  void undo(const Request& request, Effects& effects);
  void finish(const Request& request, Effects& effects);
  void take_effect(const Request& request, std::int64_t amount, Effects& effects);
  void mark(Mark mark, Effects& effects);
  void answer(const Request& request, const Mark& mark, Effects& effects) const;

  ParticipantOptions options_;
  std::map<SagaNumber, Mark> marks_;
  std::map<std::string, std::int64_t> levels_;
  std::uint64_t ledger_size_;
  SagaNumber settled_below_;
  std::multimap<Time, Request> working_;
};

}  // namespace sunder::nodes::saga
