#include "checkers/search_window.hpp"

#include <algorithm>
#include <tuple>

#include "harness/base/assert.hpp"

namespace sunder::checkers {
namespace {

constexpr std::size_t kBits = 64;

// Hands out small numbers and takes them back, the last one returned first.
class Numbers {
 public:
  std::uint32_t take() {
    if (free_.empty()) return count_++;
    const std::uint32_t number = free_.back();
    free_.pop_back();
    return number;
  }

  void give_back(std::uint32_t number) { free_.push_back(number); }

  [[nodiscard]] std::size_t words() const noexcept { return (count_ + kBits - 1) / kBits; }

 private:
  std::vector<std::uint32_t> free_;
  std::uint32_t count_ = 0;
};

}  // namespace

Timeline::Timeline(Model& model, const SearchProblem& problem) {
  entries_.reserve(problem.operations.size());
  for (const SearchOperation& operation : problem.operations) {
    const bool observes = model.observes(operation.call);
    entries_.push_back({0, 0, operation.complete, operation.optional, observes});
  }
  number_calls(problem);
  sort_events(problem);
  give_bits();
  look_ahead(model, problem);
}

void Timeline::number_calls(const SearchProblem& problem) {
  calls_.reserve(problem.operations.size());
  for (const SearchOperation& operation : problem.operations) calls_.push_back(operation.call);
  std::ranges::sort(calls_);
  const auto same = std::ranges::unique(calls_);
  calls_.erase(same.begin(), same.end());
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const auto found = std::ranges::lower_bound(calls_, problem.operations[i].call);
    entries_[i].call = static_cast<std::uint32_t>(found - calls_.begin());
  }
}

void Timeline::sort_events(const SearchProblem& problem) {
  events_.reserve(problem.operations.size() * 2);
  for (std::uint32_t i = 0; i < problem.operations.size(); ++i) {
    const SearchOperation& operation = problem.operations[i];
    events_.push_back({operation.invoke, false, i});
    if (!operation.optional) events_.push_back({operation.complete, true, i});
  }
  std::ranges::sort(events_, {}, [](const Event& event) {
    return std::tuple(event.stamp, event.completion, event.operation);
  });
}

void Timeline::give_bits() {
  Numbers mutators;
  Numbers observers;
  for (const Event& event : events_) {
    Entry& entry = entries_[event.operation];
    if (entry.optional) continue;
    Numbers& numbers = entry.observes ? observers : mutators;
    if (event.completion) {
      numbers.give_back(entry.bit);
    } else {
      entry.bit = numbers.take();
    }
  }
  mutator_words_ = mutators.words();
  observer_words_ = observers.words();
  for (Entry& entry : entries_) {
    if (entry.observes) entry.bit += static_cast<std::uint32_t>(mutator_words_ * kBits);
  }
}

void Timeline::look_ahead(Model& model, const SearchProblem& problem) {
  const Conditions conditions = model.conditions(calls_);
  // Free calls bring about whatever they like at any time.
  if (conditions.needed.empty() || !problem.free_calls.empty()) return;
  std::vector<Outlook::Stay> stays(entries_.size());
  std::vector<std::uint32_t> calls(entries_.size());
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    stays[i].operation = i;
    calls[i] = entries_[i].call;
  }
  for (std::uint32_t place = 0; place < events_.size(); ++place) {
    const Event& event = events_[place];
    (event.completion ? stays[event.operation].end : stays[event.operation].begin) = place;
  }
  outlook_ = Outlook(conditions, calls, stays, calls_.size());
}

std::size_t Timeline::memory() const noexcept {
  return events_.capacity() * sizeof(Event) + entries_.capacity() * sizeof(Entry) +
         calls_.capacity() * sizeof(Call) + outlook_.memory();
}

Window::Window(const Timeline& timeline)
    : timeline_(&timeline),
      links_(timeline.entries().size()),
      available_(timeline.calls().size(), 0) {}

void Window::forward() {
  const Timeline::Event& event = timeline_->events()[position_++];
  const Timeline::Entry& entry = timeline_->entry(event.operation);
  if (entry.optional) {
    if (available_[entry.call]++ == 0) unknown_.push_back(entry.call);
  } else if (event.completion) {
    remove(event.operation);
  } else {
    insert(event.operation);
  }
}

void Window::back() {
  SUNDER_ASSERT(position_ > 0);
  const Timeline::Event& event = timeline_->events()[--position_];
  const Timeline::Entry& entry = timeline_->entry(event.operation);
  if (entry.optional) {
    if (--available_[entry.call] == 0) unknown_.pop_back();
  } else if (event.completion) {
    put_back(event.operation);
  } else {
    remove(event.operation);
  }
}

void Window::move_to(std::size_t position) {
  while (position_ > position) back();
  while (position_ < position) forward();
}

void Window::insert(std::uint32_t operation) {
  List& list = list_of(operation);
  const Timeline::Entry& entry = timeline_->entry(operation);
  std::uint32_t before = list.last;
  while (!entry.observes && before != kEnd && timeline_->entry(before).complete > entry.complete) {
    before = links_[before].previous;
  }
  links_[operation] = {before, before == kEnd ? list.first : links_[before].next};
  put_back(operation);
}

void Window::remove(std::uint32_t operation) {
  List& list = list_of(operation);
  const auto [previous, next] = links_[operation];
  (previous == kEnd ? list.first : links_[previous].next) = next;
  (next == kEnd ? list.last : links_[next].previous) = previous;
}

void Window::put_back(std::uint32_t operation) {
  List& list = list_of(operation);
  const auto [previous, next] = links_[operation];
  (previous == kEnd ? list.first : links_[previous].next) = operation;
  (next == kEnd ? list.last : links_[next].previous) = operation;
}

}  // namespace sunder::checkers
