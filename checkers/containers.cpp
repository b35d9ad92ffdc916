#include "checkers/containers.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

#include <fmt/format.h>

#include "checkers/phrase.hpp"
#include "checkers/value_index.hpp"

namespace sunder::checkers {
namespace {

using history::Function;
using history::kNever;
using history::Operation;
using history::Outcome;

constexpr std::int64_t kBefore_all = std::numeric_limits<std::int64_t>::min();

class Gathering {
 public:
  Gathering(const history::History& history,
            std::span<const std::uint32_t> operations,
            ContainerWords words)
      : history_(&history), operations_(operations), words_(words), index_(operations.size()) {}

  [[nodiscard]] std::optional<Gathered> run() {
    if (!sort_by_value()) return std::nullopt;
    group_looks();
    for (std::uint32_t id = 0; id < lives().size() && !gathered_.problem; ++id) tune(lives()[id]);
    if (gathered_.problem) return std::move(gathered_);
    // Never seen, and nobody knows whether it was put in: it need not have been.
    std::erase_if(lives(), [&](const Life& life) {
      return life.first_seen == kNo_operation && at(life.insertion).outcome == Outcome::info;
    });
    return std::move(gathered_);
  }

 private:
  [[nodiscard]] const Operation& at(std::uint32_t index) const {
    return history_->operations()[index];
  }

  std::vector<Life>& lives() { return gathered_.container.lives; }

  Life& life_of(history::Value value) {
    const std::uint32_t id = index_.number(value);
    if (id == lives().size()) lives().emplace_back().value = value;
    return lives()[id];
  }

  // False: the tests do not apply.
  bool sort_by_value() {
    for (const std::uint32_t index : operations_) {
      const Operation& operation = at(index);
      if (operation.outcome == Outcome::fail) continue;
      if (operation.function == words_.insert) {
        Life& life = life_of(operation.input);
        if (life.insertion != kNo_operation) return false;
        life.insertion = index;
      } else if (operation.outcome == Outcome::info) {
        if (operation.function == words_.remove) {
          gathered_.container.unknown_removals.push_back(index);
        }
      } else if (operation.output.is_nil()) {
        gathered_.container.empties.push_back(index);
      } else if (operation.function == words_.remove) {
        if (operation.output.is_none()) return false;
        note_removal(life_of(operation.output), index);
      } else if (!operation.output.is_none()) {
        ++life_of(operation.output).looks_end;  // counted first
      }
    }
    return true;
  }

  void note_removal(Life& life, std::uint32_t index) {
    if (life.removal == kNo_operation) {
      life.removal = index;
      return;
    }
    if (gathered_.problem) return;
    Counterexample example = story("taken twice", {life.insertion, life.removal, index});
    example.why = fmt::format("{} although {} had taken it and it was put in once",
                              statement(*history_, at(index)),
                              phrase(*history_, at(life.removal)));
    example.first_error = index;
    gathered_.problem = std::move(example);
  }

  void group_looks() {
    std::uint32_t begin = 0;
    for (Life& life : lives()) {
      life.looks_begin = begin;
      begin += life.looks_end;
      life.looks_end = life.looks_begin;
    }
    gathered_.container.looks.resize(begin);
    if (begin == 0) return;
    for (const std::uint32_t index : operations_) {
      const Operation& operation = at(index);
      const bool is_look = operation.outcome == Outcome::ok &&
                           operation.function == Function::peek && !operation.output.is_nil() &&
                           !operation.output.is_none();
      if (!is_look) continue;
      gathered_.container.looks[life_of(operation.output).looks_end++] = index;
    }
  }

  // Fills in the stamps and checks what concerns the value alone.
  void tune(Life& life) {
    const std::span<const std::uint32_t> looks =
        std::span(gathered_.container.looks)
            .subspan(life.looks_begin, life.looks_end - life.looks_begin);
    life.seen_end = kNever;
    life.seen_start = kBefore_all;
    for (const std::uint32_t look : looks) see(life, look);
    life.removed_end = kNever;
    life.removed_start = kNever;
    if (life.removal != kNo_operation) {
      const std::int64_t last_look = life.seen_start;
      const std::uint32_t last = life.last_seen;
      see(life, life.removal);
      life.removed_start = at(life.removal).invoke;
      life.removed_end = at(life.removal).complete;
      if (last_look > life.removed_end) {
        outside(life, last, life.removal);
        return;
      }
      life.removed_start = std::max(life.removed_start, last_look);
    } else {
      life.seen_start = kNever;
    }
    if (life.insertion == kNo_operation) {
      from_nowhere(life);
      return;
    }
    life.inserted_start = at(life.insertion).invoke;
    life.inserted_end = std::min(at(life.insertion).complete, life.seen_end);
    if (life.seen_end < life.inserted_start) {
      outside(life, life.first_seen, life.insertion);
      return;
    }
    life.removed_start = std::max(life.removed_start, life.inserted_start);
    life.seen_start = std::max(life.seen_start, life.inserted_start);
  }

  void see(Life& life, std::uint32_t index) {
    if (at(index).complete < life.seen_end) {
      life.seen_end = at(index).complete;
      life.first_seen = index;
    }
    if (at(index).invoke > life.seen_start) {
      life.seen_start = at(index).invoke;
      life.last_seen = index;
    }
  }

  void from_nowhere(const Life& life) {
    Counterexample example = story("value from nowhere", {life.first_seen});
    example.why =
        fmt::format("{}, a value that nobody put in", statement(*history_, at(life.first_seen)));
    example.first_error = life.first_seen;
    gathered_.problem = std::move(example);
  }

  // `seen` lies before the insertion or after the removal.
  void outside(const Life& life, std::uint32_t seen, std::uint32_t limit) {
    const bool early = limit == life.insertion;
    Counterexample example = story(early ? "seen before it was put in" : "seen after it was taken",
                                   {life.insertion, seen, limit});
    const Operation& first = at(early ? seen : limit);
    const Operation& second = at(early ? limit : seen);
    example.why = early ? fmt::format("{}, but that ended {} {} began",
                                      statement(*history_, first),
                                      lead(first, second),
                                      phrase(*history_, second))
                        : fmt::format("{} although {} had ended {}",
                                      statement(*history_, second),
                                      phrase(*history_, first),
                                      lead(first, second));
    example.first_error = seen;
    gathered_.problem = std::move(example);
  }

  const history::History* history_;
  std::span<const std::uint32_t> operations_;
  ContainerWords words_;
  ValueIndex index_;
  Gathered gathered_;
};

// A moment at which the number of values surely inside changes, or an operation that found none
// begins or ends. At one stamp: values leave, then such operations begin and end, then values come.
enum class Step : std::uint8_t { leave, begin, end, come };

struct Moment {
  std::int64_t stamp = 0;
  Step step = Step::leave;
  std::uint32_t index = 0;  // of the operation
};

Counterexample false_empty(const history::History& history,
                           const Container& container,
                           std::uint32_t empty) {
  const Operation& operation = history.operations()[empty];
  std::vector<std::uint32_t> members{empty};
  const std::vector<const Life*> chain =
      cover(container, operation.invoke, operation.complete, [](const Life&) { return true; });
  for (const Life* life : chain) {
    members.insert(members.end(), {life->insertion, life->first_seen, life->last_seen});
  }
  Counterexample example = story("empty although it was not", std::move(members));
  example.why = fmt::format("{} found nothing", statement(history, operation));
  if (!chain.empty()) {
    const std::string value = history.pool().describe(chain.back()->value);
    example.why +=
        chain.size() == 1
            ? fmt::format(" although {} was inside all the time", value)
            : fmt::format(" although something was inside all the time, at last {}", value);
  }
  example.first_error = empty;
  return example;
}

}  // namespace

std::optional<Gathered> gather(const history::History& history,
                               std::span<const std::uint32_t> operations,
                               ContainerWords words) {
  return Gathering(history, operations, words).run();
}

std::optional<Counterexample> find_false_empty(const history::History& history,
                                               const Container& container) {
  if (container.empties.empty()) return std::nullopt;
  std::vector<Moment> moments;
  moments.reserve(2 * (container.lives.size() + container.empties.size()));
  for (const Life& life : container.lives) {
    if (life.inserted_end >= life.removed_start) continue;
    moments.push_back({life.inserted_end, Step::come, 0});
    moments.push_back({life.removed_start, Step::leave, 0});
  }
  for (const std::uint32_t empty : container.empties) {
    moments.push_back({history.operations()[empty].invoke, Step::begin, empty});
    moments.push_back({history.operations()[empty].complete, Step::end, empty});
  }
  std::ranges::sort(moments, {}, [](const Moment& moment) {
    return std::tuple(moment.stamp, moment.step, moment.index);
  });
  std::size_t inside = 0;
  std::int64_t last_empty = kBefore_all;
  for (const Moment& moment : moments) {
    if (moment.step == Step::leave) --inside;
    if (inside == 0) last_empty = moment.stamp;
    if (moment.step == Step::come) ++inside;
    if (moment.step == Step::end && last_empty < history.operations()[moment.index].invoke) {
      return false_empty(history, container, moment.index);
    }
  }
  return std::nullopt;
}

}  // namespace sunder::checkers
