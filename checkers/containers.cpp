#include "checkers/containers.hpp"

#include <algorithm>
#include <limits>

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
      : history_(&history), operations_(operations), words_(words) {}

  [[nodiscard]] std::optional<Gathered> run() {
    if (!number_values() || !sort_by_value()) return std::nullopt;
    group_looks();
    for (std::uint32_t id = 0; id < lives().size() && !gathered_.problem; ++id) tune(lives()[id]);
    if (gathered_.problem) return std::move(gathered_);
    // Never seen, and nobody knows whether it was put in: it need not have been.
    std::erase_if(lives(), [&](const Life& life) {
      return life.first_seen == kNo_operation && at(life.insertion).outcome == Outcome::info;
    });
    Container& container = gathered_.container;
    container.by_end.reserve(lives().size());
    for (std::uint32_t id = 0; id < lives().size(); ++id) {
      container.by_end.push_back({lives()[id].inserted_end, id});
    }
    sort_by_stamp(container.by_end);
    if (!operations_.empty()) {
      container.first_invoke = at(operations_.front()).invoke;
      container.last_invoke = at(operations_.back()).invoke;
    }
    return std::move(gathered_);
  }

 private:
  [[nodiscard]] const Operation& at(std::uint32_t index) const {
    return history_->operations()[index];
  }

  std::vector<Life>& lives() { return gathered_.container.lives; }

  [[nodiscard]] bool inserts(const Operation& operation) const noexcept {
    return operation.function == words_.insert && operation.outcome != Outcome::fail;
  }

  // False: a value was put in twice, and the tests do not apply.
  bool number_values() {
    const auto count = static_cast<std::size_t>(std::ranges::count_if(
        operations_, [&](std::uint32_t index) { return inserts(at(index)); }));
    lives().reserve(count);
    index_.emplace(count);
    for (const std::uint32_t index : operations_) {
      if (!inserts(at(index))) continue;
      if (index_->number(at(index).input) != lives().size()) return false;
      Life& life = lives().emplace_back();
      life.value = at(index).input;
      life.insertion = index;
    }
    return true;
  }

  // False: the tests do not apply.
  bool sort_by_value() {
    for (const std::uint32_t index : operations_) {
      const Operation& operation = at(index);
      if (operation.outcome == Outcome::fail || operation.function == words_.insert) continue;
      const bool removes = operation.function == words_.remove;
      if (operation.outcome == Outcome::info) {
        if (removes) gathered_.container.unknown_removals.push_back(index);
      } else if (operation.output.is_nil()) {
        gathered_.container.empties.push_back(index);
      } else if (operation.output.is_none()) {
        if (removes) return false;
      } else if (const std::uint32_t id = index_->find(operation.output);
                 id == ValueIndex::kMissing) {
        if (!gathered_.problem) from_nowhere(index);
      } else if (removes) {
        note_removal(lives()[id], index);
      } else {
        ++lives()[id].looks_end;  // counted first
        looks_.emplace_back(id, index);
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
    for (const auto& [id, index] : looks_) {
      gathered_.container.looks[lives()[id].looks_end++] = index;
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

  void from_nowhere(std::uint32_t index) {
    Counterexample example = story("value from nowhere", {index});
    example.why = fmt::format("{}, a value that nobody put in", statement(*history_, at(index)));
    example.first_error = index;
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
  std::optional<ValueIndex> index_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> looks_;  // life, operation
  Gathered gathered_;
};

}  // namespace

std::optional<Gathered> gather(const history::History& history,
                               std::span<const std::uint32_t> operations,
                               ContainerWords words) {
  return Gathering(history, operations, words).run();
}

Counterexample false_empty(const history::History& history,
                           std::uint32_t empty,
                           const std::vector<const Life*>& chain) {
  const Operation& operation = history.operations()[empty];
  std::vector<std::uint32_t> members{empty};
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

std::optional<std::uint32_t> find_empty_outside(const history::History& history,
                                                const Container& container,
                                                std::span<const Gap> gaps) {
  std::size_t next = 0;
  for (const std::uint32_t empty : container.empties) {
    const Operation& operation = history.operations()[empty];
    while (next < gaps.size() && gaps[next].to < operation.invoke) ++next;
    if (next == gaps.size() || gaps[next].from > operation.complete) return empty;
  }
  return std::nullopt;
}

std::optional<Counterexample> find_false_empty(const history::History& history,
                                               const Container& container) {
  if (container.empties.empty()) return std::nullopt;
  std::vector<Gap> gaps;
  std::int64_t reach = kBefore_all;
  for (const End& end : container.by_end) {
    const Life& life = container.lives[end.position];
    if (life.inserted_end >= life.removed_start) continue;
    if (reach <= life.inserted_end) gaps.push_back({reach, life.inserted_end});
    reach = std::max(reach, life.removed_start);
  }
  if (reach != kNever) gaps.push_back({reach, kNever});
  const auto empty = find_empty_outside(history, container, gaps);
  if (!empty) return std::nullopt;
  const Operation& operation = history.operations()[*empty];
  const auto chain =
      cover(container, operation.invoke, operation.complete, [](const Life&) { return true; });
  return false_empty(history, *empty, chain);
}

}  // namespace sunder::checkers
