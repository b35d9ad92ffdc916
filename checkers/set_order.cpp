#include "checkers/set_order.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "checkers/phrase.hpp"
#include "harness/base/assert.hpp"

namespace sunder::checkers {
namespace {

using history::Operation;

// One operation in the order that the reads give: an element's addition or a read.
struct Step {
  std::int64_t start = 0;
  std::int64_t end = 0;
  std::uint32_t element = kNothing;  // kNothing: a read
  std::uint32_t read = kNothing;     // index into Elements::reads
};

class SetOrder {
 public:
  SetOrder(const history::History& history, const Elements& elements)
      : history_(&history), elements_(&elements), phase_of_(elements.elements.size(), kNothing) {}

  [[nodiscard]] std::optional<Counterexample> run() {
    std::vector<std::uint32_t> order(elements_->reads.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
    const auto size = [&](std::uint32_t read) { return members(read).size(); };
    std::ranges::stable_sort(order, {}, size);
    std::size_t next = 0;
    while (next < order.size()) {
      std::size_t last = next;
      while (last < order.size() && size(order[last]) == size(order[next])) ++last;
      if (auto problem = take_equal_reads(std::span(order).subspan(next, last - next))) {
        return problem;
      }
      next = last;
    }
    return take_unseen();
  }

 private:
  [[nodiscard]] const Operation& at(std::uint32_t index) const {
    return history_->operations()[index];
  }

  [[nodiscard]] std::span<const std::uint32_t> members(std::uint32_t read) const {
    return elements_->members_of(elements_->reads[read]);
  }

  [[nodiscard]] bool shows(std::uint32_t read, std::uint32_t element) const {
    return std::ranges::find(members(read), element) != members(read).end();
  }

  // Reads of one size: all must show the same, and everything that the reads before them show.
  [[nodiscard]] std::optional<Counterexample> take_equal_reads(
      std::span<const std::uint32_t> reads) {
    const std::uint32_t phase = phases_++;
    std::size_t older = 0;
    for (const std::uint32_t element : members(reads.front())) {
      older += phase_of_[element] != kNothing ? 1U : 0U;
    }
    if (older != seen_) return fork(latest_read_, reads.front());
    std::vector<Step> steps;
    for (const std::uint32_t element : members(reads.front())) {
      if (phase_of_[element] != kNothing) continue;
      phase_of_[element] = phase;
      steps.push_back(step_of_element(element));
    }
    seen_ += steps.size();
    for (const std::uint32_t read : reads.subspan(1)) {
      for (const std::uint32_t element : members(read)) {
        if (phase_of_[element] == kNothing) return fork(reads.front(), read);
      }
    }
    if (auto problem = take_steps(steps)) return problem;
    steps.clear();
    for (const std::uint32_t read : reads) {
      const Operation& operation = at(elements_->reads[read].operation);
      steps.push_back({operation.invoke, operation.complete, kNothing, read});
    }
    latest_read_ = reads.front();
    return take_steps(steps);
  }

  // Acknowledged elements that no read shows come after all reads.
  [[nodiscard]] std::optional<Counterexample> take_unseen() {
    std::vector<Step> steps;
    for (std::uint32_t i = 0; i < elements_->elements.size(); ++i) {
      const bool added = elements_->elements[i].acknowledged != kNothing;
      if (phase_of_[i] == kNothing && added) steps.push_back(step_of_element(i));
    }
    return take_steps(steps);
  }

  [[nodiscard]] Step step_of_element(std::uint32_t element) const {
    const Element& of = elements_->elements[element];
    return {of.start, of.end, element, kNothing};
  }

  // Steps that come after all the steps taken before, in any order among themselves.
  [[nodiscard]] std::optional<Counterexample> take_steps(const std::vector<Step>& steps) {
    for (const Step& step : steps) {
      if (latest_ && step.end < latest_->start) return contradiction(*latest_, step);
    }
    for (const Step& step : steps) {
      if (!latest_ || step.start > latest_->start) latest_ = step;
    }
    return std::nullopt;
  }

  // `first` comes first by what was read, yet `second` was over before it began.
  [[nodiscard]] Counterexample contradiction(const Step& first, const Step& second) const {
    if (first.read != kNothing && second.read != kNothing) return went_back(first, second);
    if (first.read != kNothing) {
      const Element& element = elements_->elements[second.element];
      return missing_element(
          *history_, element, elements_->reads[first.read].operation, "stale read");
    }
    // A read that shows it and was over before it began is excluded by the precondition.
    SUNDER_ASSERT(second.read == kNothing);
    return overtaken(first, second);
  }

  // A read misses an element that a read before it shows.
  [[nodiscard]] Counterexample went_back(const Step& first, const Step& second) const {
    const std::uint32_t less = elements_->reads[first.read].operation;
    const std::uint32_t more = elements_->reads[second.read].operation;
    const std::uint32_t element = only_in(second.read, first.read);
    return example_of("stale read",
                      fmt::format("p{}'s read misses {}, which p{}'s read had shown {}",
                                  at(less).process,
                                  name(element),
                                  at(more).process,
                                  lead(at(more), at(less))),
                      {{more, true, "shows it"}, {less, true, "does not any more"}});
  }

  // An element is shown without one whose addition was over before its own began.
  [[nodiscard]] Counterexample overtaken(const Step& first, const Step& second) const {
    std::uint32_t witness = 0;
    while (!shows(witness, first.element) || shows(witness, second.element)) ++witness;
    const std::uint32_t read = elements_->reads[witness].operation;
    const Element& late = elements_->elements[first.element];
    const Element& early = elements_->elements[second.element];
    return example_of("seen out of order",
                      fmt::format("p{}'s read shows {} without {}, although {} had ended {} {}",
                                  at(read).process,
                                  name(first.element),
                                  name(second.element),
                                  phrase(*history_, at(early.acknowledged)),
                                  lead(at(early.acknowledged), at(late.first)),
                                  phrase(*history_, at(late.first))),
                      {{early.acknowledged, true, "over"},
                       {late.first, true, "begun later"},
                       {read, true, "shows only the later one"}});
  }

  // Two reads of which neither holds all that the other holds.
  [[nodiscard]] Counterexample fork(std::uint32_t one, std::uint32_t other) const {
    const std::uint32_t first = elements_->reads[one].operation;
    const std::uint32_t second = elements_->reads[other].operation;
    return example_of("reads disagree",
                      fmt::format("p{}'s read shows {} without {}, p{}'s read {} without {}",
                                  at(first).process,
                                  name(only_in(one, other)),
                                  name(only_in(other, one)),
                                  at(second).process,
                                  name(only_in(other, one)),
                                  name(only_in(one, other))),
                      {{first, true, ""}, {second, true, ""}});
  }

  [[nodiscard]] std::uint32_t only_in(std::uint32_t read, std::uint32_t other) const {
    std::vector<std::uint32_t> others(members(other).begin(), members(other).end());
    std::ranges::sort(others);
    for (const std::uint32_t element : members(read)) {
      if (!std::ranges::binary_search(others, element)) return element;
    }
    return kNothing;
  }

  [[nodiscard]] std::string name(std::uint32_t element) const {
    return history_->pool().describe(elements_->elements[element].value);
  }

  const history::History* history_;
  const Elements* elements_;
  std::vector<std::uint32_t> phase_of_;  // of each element; kNothing: not seen yet
  std::uint32_t phases_ = 0;
  std::size_t seen_ = 0;           // elements with a phase
  std::uint32_t latest_read_ = 0;  // one of the reads taken last
  std::optional<Step> latest_;     // of all taken, the one that began last
};

}  // namespace

std::optional<Counterexample> find_set_contradiction(const history::History& history,
                                                     const Elements& elements) {
  return SetOrder(history, elements).run();
}

}  // namespace sunder::checkers
