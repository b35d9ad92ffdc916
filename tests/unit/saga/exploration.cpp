#include "tests/unit/saga/exploration.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "harness/base/assert.hpp"
#include "nodes/saga/orchestrator.hpp"
#include "nodes/saga/participant.hpp"

namespace sunder::nodes::saga {
namespace {

using namespace std::chrono_literals;
using Message = std::variant<Request, Reply>;

constexpr std::size_t kDepthMax = 60;
constexpr std::size_t kCalmRounds = 200;

// What one participant did for the order.
struct Tally {
  int standing = 0;
  int most = 0;
  int least = 0;
};

// When a service dies around a save.
enum class Death : std::uint8_t { none, before_save, after_save };

class World {
 public:
  World(Sabotage sabotage, const Budget& budget, std::int64_t stock)
      : sabotage_(sabotage), budget_(budget), stock_(stock), order_(options(), {}) {
    for (const Step step : kSteps)
      participants_.emplace_back(options_of(step), disks_[index(step)]);
  }

  // Every world that may follow from this one, with the word for it.
  [[nodiscard]] std::vector<std::pair<std::string, World>> successors() const;
  // Left in peace, the newest message first or last; what is wrong then.
  [[nodiscard]] std::string settle(bool newest_first) const;
  // Worlds with the same key go on alike.
  [[nodiscard]] std::string key() const;

  void place(Death death) {
    Terms terms{
        .id = "o1", .item = "i1", .quantity = 1, .account = "a1", .price = 1, .address = "h1"};
    carry_out(order_.place(now_, std::move(terms)), death);
  }

 private:
  static std::size_t index(Step step) { return static_cast<std::size_t>(step); }

  [[nodiscard]] OrchestratorOptions options() const {
    OrchestratorOptions made;
    made.sabotage = sabotage_;
    return made;
  }

  [[nodiscard]] ParticipantOptions options_of(Step step) const {
    ParticipantOptions made;
    made.step = step;
    // The shipment's credit is what makes the last step fail.
    made.initial = step == Step::ship ? stock_ : 5;
    made.refusal = "sold out";
    made.sabotage = sabotage_;
    return made;
  }

  void carry_out(const Orchestrator::Effects& effects, Death death) {
    for (const Request& request : effects.at_once) network_.emplace_back(request);
    if (death == Death::before_save) return restart_order();
    for (const Saga& saga : effects.saves) {
      log_next_ = std::max(log_next_, saga.number + 1);
      std::erase_if(log_, [&](const Saga& other) { return other.number == saga.number; });
      log_.push_back(saga);
    }
    if (death == Death::after_save) return restart_order();
    for (const Request& request : effects.requests) network_.emplace_back(request);
    for (const Saga& saga : effects.saves) order_.saved(saga);
  }

  void carry_out(Step step, const Participant::Effects& effects, Death death) {
    const std::size_t at = index(step);
    if (death == Death::before_save) return restart(step);
    RecoveredParticipant& disk = disks_[at];
    for (const SagaNumber dropped : effects.dropped) disk.marks.erase(dropped);
    for (const Mark& mark : effects.marks) disk.marks.insert_or_assign(mark.saga, mark);
    for (const auto& [object, level] : effects.levels) disk.levels.insert_or_assign(object, level);
    disk.ledger_size += effects.ledger.size();
    disk.settled_below = effects.settled_below.value_or(disk.settled_below);
    for (const LedgerEntry& entry : effects.ledger) {
      Tally& tally = tallies_[at];
      tally.standing += entry.undo ? -1 : 1;
      tally.most = std::max(tally.most, tally.standing);
      tally.least = std::min(tally.least, tally.standing);
    }
    if (death == Death::after_save) return restart(step);
    for (const Reply& reply : effects.replies) network_.emplace_back(reply);
  }

  void restart_order() {
    RecoveredSagas recovered;
    recovered.next = log_next_;
    for (const Saga& saga : log_) {
      if (!saga.has_ended()) recovered.open.push_back(saga);
    }
    order_ = Orchestrator(options(), std::move(recovered));
    carry_out(order_.start(now_), Death::none);
  }

  void restart(Step step) {
    participants_[index(step)] = Participant(options_of(step), disks_[index(step)]);
  }

  void deliver(const Message& message, Death death) {
    if (const auto* const request = std::get_if<Request>(&message)) {
      carry_out(request->step, participants_[index(request->step)].receive(now_, *request), death);
    } else {
      carry_out(order_.receive(now_, std::get<Reply>(message)), death);
    }
  }

  void finish_work(Step step, Death death) {
    carry_out(step, participants_[index(step)].tick(now_ + 1s), death);
  }

  [[nodiscard]] std::string wrong() const;

  Sabotage sabotage_;
  Budget budget_;
  std::int64_t stock_;
  Time now_ = 1s;
  Orchestrator order_;
  std::vector<Saga> log_;  // on disk
  SagaNumber log_next_ = 1;
  std::vector<Participant> participants_;
  std::array<RecoveredParticipant, kSteps.size()> disks_;
  std::array<Tally, kSteps.size()> tallies_;
  std::vector<Message> network_;
};

std::string text_of(const Message& message) {
  if (const auto* const request = std::get_if<Request>(&message)) {
    return fmt::format("{}{}>",
                       request->undo ? undo_name_of(request->step) : name_of(request->step),
                       request->saga);
  }
  const Reply& reply = std::get<Reply>(message);
  return fmt::format("<{}{}{}",
                     reply.undo ? undo_name_of(reply.step) : name_of(reply.step),
                     reply.saga,
                     reply.done ? "" : "!");
}

std::vector<std::pair<std::string, World>> World::successors() const {
  std::vector<std::pair<std::string, World>> worlds;
  const auto each_death = [&](const std::string& word, const auto& act) {
    for (const Death death : {Death::none, Death::before_save, Death::after_save}) {
      if (death != Death::none && budget_.crashes == 0) break;
      World next = *this;
      if (death != Death::none) --next.budget_.crashes;
      act(next, death);
      constexpr std::array<std::string_view, 3> how{
          "", " dies before its save", " dies after its save"};
      worlds.emplace_back(word + std::string(how[static_cast<std::size_t>(death)]),
                          std::move(next));
    }
  };
  for (std::size_t i = 0; i < network_.size(); ++i) {
    const Message message = network_[i];
    const auto taken = [i](World& world) {
      world.network_.erase(world.network_.begin() + static_cast<std::ptrdiff_t>(i));
    };
    each_death(text_of(message), [&](World& world, Death death) {
      taken(world);
      world.deliver(message, death);
    });
    if (budget_.duplicates > 0) {
      World next = *this;
      --next.budget_.duplicates;
      next.deliver(message, Death::none);
      worlds.emplace_back("again " + text_of(message), std::move(next));
    }
    if (budget_.losses > 0) {
      World next = *this;
      --next.budget_.losses;
      taken(next);
      worlds.emplace_back("lost " + text_of(message), std::move(next));
    }
  }
  for (const Step step : kSteps) {
    if (!participants_[index(step)].next_due()) continue;
    each_death(fmt::format("{} worked", name_of(step)),
               [&](World& world, Death death) { world.finish_work(step, death); });
  }
  if (budget_.timeouts > 0 && order_.next_due()) {
    each_death("time-out", [&](World& world, Death death) {
      --world.budget_.timeouts;
      world.now_ += 600ms;
      world.carry_out(world.order_.tick(world.now_), death);
    });
  }
  return worlds;
}

std::string World::settle(bool newest_first) const {
  World world = *this;
  for (std::size_t round = 0; round < kCalmRounds; ++round) {
    const bool known = world.order_.open() > 0 || !world.log_.empty();
    if (!world.network_.empty()) {
      const auto at = newest_first ? world.network_.end() - 1 : world.network_.begin();
      const Message message = *at;
      world.network_.erase(at);
      world.deliver(message, Death::none);
      continue;
    }
    const auto busy = std::ranges::find_if(
        world.participants_, [](const Participant& one) { return one.next_due().has_value(); });
    if (busy != world.participants_.end()) {
      world.finish_work(kSteps[static_cast<std::size_t>(busy - world.participants_.begin())],
                        Death::none);
    } else if (!known) {
      world.place(Death::none);  // its client asks again
    } else if (world.order_.next_due()) {
      world.now_ += 200ms;
      world.carry_out(world.order_.tick(world.now_), Death::none);
    } else {
      return world.wrong();
    }
  }
  return "it never comes to rest";
}

std::string World::wrong() const {
  bool done = false;
  for (const Saga& saga : log_) {
    if (!saga.has_ended()) return "a saga is open and nobody goes on with it";
    done = done || saga.phase == Phase::done;
  }
  for (const Step step : kSteps) {
    const Tally& tally = tallies_[index(step)];
    if (tally.most > 1) return fmt::format("{} took effect twice", name_of(step));
    if (tally.least < 0) return fmt::format("{} gave back too much", undo_name_of(step));
    if (tally.standing != (done ? 1 : 0)) {
      return fmt::format("the saga is {} and {} {}",
                         done ? "done" : "undone",
                         name_of(step),
                         tally.standing > 0 ? "stands" : "does not stand");
    }
  }
  return {};
}

std::string World::key() const {
  std::vector<std::string> messages;
  for (const Message& message : network_) messages.push_back(text_of(message));
  std::ranges::sort(messages);
  std::string key = fmt::format(
      "{}{}{}{}|", budget_.crashes, budget_.timeouts, budget_.duplicates, budget_.losses);
  for (const std::string& message : messages) key += message;
  for (const Saga& saga : order_.open_sagas()) {
    key += fmt::format(
        "|{} {} {}", saga.number, static_cast<int>(saga.phase), static_cast<int>(saga.step));
  }
  for (const Saga& saga : log_) {
    key += fmt::format(
        "|L{} {} {}", saga.number, static_cast<int>(saga.phase), static_cast<int>(saga.step));
  }
  for (const Step step : kSteps) {
    const std::size_t at = index(step);
    key += fmt::format("|{} {} {} {} {} {}",
                       tallies_[at].standing,
                       tallies_[at].most,
                       tallies_[at].least,
                       participants_[at].next_due().has_value(),
                       participants_[at].marks(),
                       disks_[at].settled_below);
    for (const auto& [number, mark] : disks_[at].marks) {
      key += fmt::format(" {}:{}", number, static_cast<int>(mark.state));
    }
  }
  return key;
}

class Explorer {
 public:
  Explored run(World first) {
    path_.emplace_back("placed");
    visit(first);
    return std::move(explored_);
  }

 private:
  void visit(const World& world) {
    if (!explored_.violation.empty() || path_.size() > kDepthMax) return;
    if (!seen_.insert(world.key()).second) return;
    ++explored_.states;
    for (const bool newest_first : {false, true}) {
      const std::string wrong = world.settle(newest_first);
      if (wrong.empty()) continue;
      explored_.violation = wrong + " after";
      for (const std::string& step : path_) explored_.violation += " · " + step;
      return;
    }
    for (const auto& [word, next] : world.successors()) {
      path_.push_back(word);
      visit(next);
      path_.pop_back();
    }
  }

  std::set<std::string> seen_;
  std::vector<std::string> path_;
  Explored explored_;
};

}  // namespace

Explored explore(Sabotage sabotage, const Budget& budget, std::int64_t stock) {
  World first(sabotage, budget, stock);
  first.place(Death::none);
  return Explorer().run(std::move(first));
}

}  // namespace sunder::nodes::saga
