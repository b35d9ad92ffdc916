#include "tests/histories/support/object_generator.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "harness/base/assert.hpp"
#include "tests/histories/support/draws.hpp"

namespace sunder::test {
namespace {

using history::Function;
using history::History;
using history::HistoryBuilder;
using history::kNever;
using history::Operation;
using history::Outcome;
using history::Value;

enum class Answer : std::uint8_t { done, blocked, refused };

// Who holds a lock, and how much of it.
struct Hold {
  std::int64_t permits = 0;
  bool exclusive = false;
};

// The simulated object.
class Store {
 public:
  Store(const ObjectOptions& options, Draws& draws, HistoryBuilder& builder)
      : options_(&options),
        draws_(&draws),
        builder_(&builder),
        is_lock_(options.model == "mutex" || options.model == "semaphore" ||
                 options.model == "rw-lock" || options.model == "fenced-lease" ||
                 options.model == "reentrant-mutex") {}

  void draw(Operation& operation) {
    if (is_lock_) {
      draw_lock(operation);
    } else if (options_->model == "set") {
      const std::uint64_t roll = draws_->below(3);
      operation.function = roll == 0   ? Function::add
                           : roll == 1 ? Function::remove
                                       : Function::contains;
      operation.input = number(static_cast<std::int64_t>(draws_->below(options_->elements)));
    } else if (draws_->percent(40)) {
      operation.function = Function::read;
    } else {
      operation.function = options_->model == "counter" ? Function::add : Function::fetch_add;
      std::int64_t delta = 1;
      if (options_->mixed) delta = 1 + static_cast<std::int64_t>(draws_->below(3));
      if (options_->negative && (!options_->mixed || draws_->percent(50))) delta = -delta;
      operation.input = number(delta);
    }
  }

  // Takes effect and answers.
  Answer apply(Operation& operation) {
    if (is_lock_) return apply_lock(operation);
    if (options_->model == "set") {
      const bool in = elements_.contains(operation.input.raw());
      if (operation.function == Function::add) elements_.insert(operation.input.raw());
      if (operation.function == Function::remove) elements_.erase(operation.input.raw());
      const bool adds = operation.function == Function::add;
      operation.output = Value::boolean(adds ? !in : in);
    } else if (operation.function == Function::read) {
      operation.output = number(sum_);
    } else {
      if (operation.function == Function::fetch_add) operation.output = number(sum_);
      sum_ += operation.input.raw();
      if (options_->tells) operation.output = number(sum_);
    }
    return Answer::done;
  }

 private:
  static Value number(std::int64_t value) { return Value::integer(value); }

  void draw_lock(Operation& operation) {
    const bool holds = holds_.contains(operation.process);
    const std::uint64_t often = options_->model == "reentrant-mutex" ? 60 : 85;
    const bool releases = draws_->percent(holds ? often : 8);
    operation.function = releases ? Function::release : Function::acquire;
    if (options_->model == "semaphore" && draws_->percent(50)) {
      operation.input = number(1 + static_cast<std::int64_t>(draws_->below(2)));
    }
    if (options_->model == "rw-lock" && !releases) {
      operation.input = builder_->pool().text(draws_->percent(60) ? "read" : "write");
    }
  }

  Answer apply_lock(Operation& operation) {
    const std::int64_t permits = operation.input.is_integer() ? operation.input.raw() : 1;
    const bool errs = options_->wrong > 0 && draws_->percent(10);
    const auto held = holds_.find(operation.process);
    if (operation.function == Function::release) {
      if (held == holds_.end() || held->second.permits < permits) return Answer::refused;
      held->second.permits -= permits;
      if (held->second.permits == 0) holds_.erase(held);
      return Answer::done;
    }
    const bool exclusive =
        options_->model == "mutex" || options_->model == "fenced-lease" ||
        (operation.input.is_text() && builder_->pool().text_of(operation.input) == "write");
    if (!errs && !is_free(operation.process, permits, exclusive)) {
      // Who waits gives up in the end, so that nobody waits for ever for one that crashed.
      if (draws_->percent(5)) return Answer::refused;
      if (!options_->refuses || draws_->percent(50)) return Answer::blocked;
      operation.output = Value::boolean(false);
      return Answer::done;
    }
    Hold& hold = holds_[operation.process];
    hold.permits += permits;
    hold.exclusive = exclusive;
    if (options_->model == "fenced-lease") {
      token_ += errs && draws_->percent(50) ? -1 : 1;
      operation.output = number(token_);
    }
    return Answer::done;
  }

  [[nodiscard]] bool is_free(std::int64_t process, std::int64_t permits, bool exclusive) const {
    if (options_->model == "semaphore") {
      std::int64_t taken = permits;
      for (const auto& [holder, hold] : holds_) taken += hold.permits;
      return taken <= static_cast<std::int64_t>(options_->permits);
    }
    if (options_->model == "reentrant-mutex") {
      const auto mine = holds_.find(process);
      if (mine == holds_.end()) return holds_.empty();
      return mine->second.permits < static_cast<std::int64_t>(options_->permits);
    }
    if (holds_.contains(process)) return false;
    return std::ranges::all_of(holds_, [&](const auto& entry) {
      return options_->model == "rw-lock" && !exclusive && !entry.second.exclusive;
    });
  }

  const ObjectOptions* options_;
  Draws* draws_;
  HistoryBuilder* builder_;
  bool is_lock_;
  std::set<std::int64_t> elements_;
  std::int64_t sum_ = 0;
  std::map<std::int64_t, Hold> holds_;
  std::int64_t token_ = 0;
};

class Run {
 public:
  explicit Run(const ObjectOptions& options)
      : options_(options), draws_(options.seed), store_(options_, draws_, builder_) {
    for (std::uint64_t i = 0; i < options.clients; ++i) {
      clients_.push_back({static_cast<std::int64_t>(i), kIdle, false});
    }
    next_process_ = static_cast<std::int64_t>(options.clients);
  }

  History make() {
    const std::uint64_t steps_max = 12 * options_.operations + 40;
    for (std::uint64_t step = 0; step < steps_max; ++step) {
      advance(clients_[draws_.below(clients_.size())]);
      if (!lingering_.empty() && draws_.percent(10)) apply_late();
    }
    for (Operation& operation : operations_) {
      if (operation.complete == kNever) leave_open(operation);
    }
    for (std::uint64_t left = draws_.below(options_.wrong + 1); left > 0; --left) spoil();
    if (options_.silent) {
      for (Operation& operation : operations_) {
        if (draws_.percent(15)) operation.output = Value();
      }
    }
    for (const Operation& operation : operations_) builder_.add(operation);
    return builder_.finish();
  }

 private:
  static constexpr std::size_t kIdle = static_cast<std::size_t>(-1);

  struct Client {
    std::int64_t process;
    std::size_t running;  // index of its operation
    bool effective;
  };

  void advance(Client& client) {
    if (client.running == kIdle) {
      if (operations_.size() < options_.operations) begin(client);
      return;
    }
    Operation& operation = operations_[client.running];
    if (!client.effective) {
      if (draws_.percent(options_.unknown_percent)) {
        lingering_.push_back(client.running);
        give_up(client);
        return;
      }
      const Answer answer = store_.apply(operation);
      client.effective = answer == Answer::done;
      if (answer == Answer::refused) end(client, Outcome::fail);
      return;
    }
    if (draws_.percent(options_.unknown_percent / 2)) {
      give_up(client);
    } else {
      end(client, Outcome::ok);
    }
  }

  void begin(Client& client) {
    Operation operation;
    operation.process = client.process;
    operation.invoke = position_++;
    store_.draw(operation);
    client.running = operations_.size();
    client.effective = false;
    operations_.push_back(operation);
  }

  void end(Client& client, Outcome outcome) {
    Operation& operation = operations_[client.running];
    operation.complete = position_++;
    operation.outcome = outcome;
    client.running = kIdle;
  }

  // A client that does not know what happened: mostly a new one takes its place.
  void give_up(Client& client) {
    leave_open(operations_[client.running]);
    client.running = kIdle;
    if (draws_.percent(75)) client.process = next_process_++;
  }

  static void leave_open(Operation& operation) {
    operation.outcome = Outcome::info;
    operation.output = Value();
    operation.complete = kNever;
  }

  void apply_late() {
    const std::size_t which = draws_.below(lingering_.size());
    Operation scratch = operations_[lingering_[which]];
    if (store_.apply(scratch) != Answer::blocked) {
      lingering_.erase(lingering_.begin() + static_cast<std::ptrdiff_t>(which));
    }
  }

  // Changes one result a little.
  void spoil() {
    Operation& operation = operations_[draws_.below(operations_.size())];
    if (operation.outcome != Outcome::ok) return;
    if (operation.output.is_integer()) {
      const std::int64_t by = draws_.percent(50) ? 1 : -1;
      operation.output = Value::integer(operation.output.raw() + by);
    } else if (operation.output.kind() == history::ValueKind::boolean) {
      operation.output = Value::boolean(operation.output.raw() == 0);
    }
  }

  ObjectOptions options_;
  Draws draws_;
  HistoryBuilder builder_;
  Store store_;
  std::vector<Client> clients_;
  std::vector<Operation> operations_;
  std::vector<std::size_t> lingering_;  // given up, may take effect yet
  std::int64_t position_ = 0;
  std::int64_t next_process_ = 0;
};

}  // namespace

History object_history(const ObjectOptions& options) {
  return Run(options).make();
}

}  // namespace sunder::test
