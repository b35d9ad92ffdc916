// Orchestrator: the pure core of the order service. It takes every order through its steps, or back
// to nothing.
//
// A saga goes forward step by step. Each step is logged before its request is sent, and the reply
// is logged together with what follows from it: the next step, the end, or the way back. A refusal
// undoes the steps before it; a step that is not answered in time may have happened, so it is
// undone too. An undo is asked again until it is answered, for ever. After a restart every saga
// that had not ended goes on with the step it was at: requests are idempotent, so asking again is
// harmless.
//
// The shell carries Effects out in this order: `at_once`; then `saves` on disk, synced; then
// `requests` and `answers`; then `saved()` for what it saved; then `events`. Effects of later calls
// come after those of earlier ones.
//
// Threading: none; synchronous. Time comes in: monotonic, of any origin. Errors: none; what makes
// no sense any more is ignored.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "nodes/saga/step.hpp"

namespace sunder::nodes::saga {

using Time = std::chrono::nanoseconds;

// What a client ordered.
struct Terms {
  std::string id;  // unique: the same id is the same order
  std::string item;
  std::int64_t quantity = 0;
  std::string account;
  std::int64_t price = 0;
  std::string address;

  friend bool operator==(const Terms&, const Terms&) = default;
};

enum class Phase : std::uint8_t { forward, undoing, done, undone };

// What the log holds of a saga: where it is.
struct Saga {
  SagaNumber number = 0;
  Terms terms;
  Phase phase = Phase::forward;
  // forward: asked for, not known to be done; undoing: its undo is asked for; ended: the last one.
  Step step = Step::reserve;
  std::string reason;  // why it goes back: "inventory: sold out"

  [[nodiscard]] bool has_ended() const noexcept {
    return phase == Phase::done || phase == Phase::undone;
  }

  friend bool operator==(const Saga&, const Saga&) = default;
};

struct RecoveredSagas {
  std::vector<Saga> open;
  SagaNumber next = 1;  // greater than that of every saga in the log
};

struct OrchestratorOptions {
  std::chrono::milliseconds step_timeout{500};  // then it is undone
  std::chrono::milliseconds resend_after{150};  // without a reply
  std::size_t open_max = 1000;                  // more orders are refused
  Sabotage sabotage = Sabotage::none;
};

// What was asked of a participant, and when it was answered; `end` is zero until then.
struct Span {
  Step step = Step::reserve;
  bool undo = false;
  Time begin{0};
  Time end{0};
  std::uint32_t sends = 0;
};

struct SagaEvent {
  std::string_view name;  // "step-sent"
  SagaNumber saga = 0;
  Step step = Step::reserve;
  // Of "saga-ended": the whole of it.
  std::vector<Span> spans = {};
  std::string order = {};
  std::string reason = {};
  Phase phase = Phase::forward;
};

class Orchestrator {
 public:
  struct Effects {
    std::vector<Request> at_once;
    std::vector<Saga> saves;
    std::vector<Request> requests;
    std::vector<Saga> answers;  // sagas that ended
    std::vector<SagaEvent> events;
  };

  Orchestrator(OrchestratorOptions options, RecoveredSagas recovered);

  // Resumes what was recovered.
  [[nodiscard]] Effects start(Time now);
  // Begins a saga. Preconditions: no saga of that id was ever begun; has_room().
  [[nodiscard]] Effects place(Time now, Terms terms);
  [[nodiscard]] Effects receive(Time now, const Reply& reply);
  // Asks again, and gives up steps that took too long.
  [[nodiscard]] Effects tick(Time now);
  // A save is on disk: what has ended is forgotten.
  void saved(const Saga& saga);

  [[nodiscard]] bool has_room() const noexcept { return sagas_.size() < options_.open_max; }

  // Not forgotten yet; null otherwise.
  [[nodiscard]] const Saga* find(const std::string& order) const;

  // Sagas that have not ended, or whose end is not on disk yet.
  [[nodiscard]] std::size_t open() const noexcept { return sagas_.size(); }

  // In the order of numbers.
  [[nodiscard]] std::vector<Saga> open_sagas() const;
  // When tick() is wanted; none: nothing is asked of anybody.
  [[nodiscard]] std::optional<Time> next_due() const;
  // Every saga below has ended, on disk.
  [[nodiscard]] SagaNumber settled_below() const noexcept;

 private:
  struct Entry {
    Saga saga;
    Time begun{0};
    Time give_up_at{0};  // forward only
    Time resend_at{0};   // the key in due_, while it is there
    std::vector<Span> spans;
  };

  // Logs where the saga is now, then asks for what it is at.
  void enter(Time now, Entry& entry, Effects& effects);
  void ask(Time now, Entry& entry, Effects& effects);
  void go_back(Time now, Entry& entry, bool this_step, std::string reason, Effects& effects);
  void end(Time now, Entry& entry, Phase phase, Effects& effects);
  void log(const Entry& entry, Effects& effects);
  [[nodiscard]] Request request_of(const Entry& entry) const;
  void set_due(Entry& entry, Time at);

  OrchestratorOptions options_;
  std::map<SagaNumber, Entry> sagas_;
  std::unordered_map<std::string, SagaNumber> by_order_;
  std::set<std::pair<Time, SagaNumber>> due_;  // what is to be asked again, and when
  SagaNumber next_;
};

}  // namespace sunder::nodes::saga
