// What the search's strategies share: the events of a problem in order of time, and the operations
// that are pending at one place among them.
//
// A Timeline is made once for a problem: it numbers equal calls alike and gives every operation a
// bit that is its own while it is pending. A Window stands between two events and moves forward and
// back; moving back undoes (Knuth's dancing links).
//
// Threading: a Timeline does not change; a Window is one thread's.

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "checkers/models/model.hpp"
#include "checkers/outlook.hpp"
#include "checkers/search.hpp"

namespace sunder::checkers {

class Timeline {
 public:
  struct Event {
    std::int64_t stamp = 0;
    bool completion = false;  // equal stamps are concurrent: invocations come first
    std::uint32_t operation = 0;
  };

  struct Entry {
    std::uint32_t call = 0;  // index into calls()
    std::uint32_t bit = 0;   // of those that must return; observers' follow the mutators'
    std::int64_t complete = 0;
    bool optional = false;
    bool observes = false;
  };

  Timeline(Model& model, const SearchProblem& problem);

  [[nodiscard]] std::span<const Event> events() const noexcept { return events_; }

  [[nodiscard]] const Entry& entry(std::uint32_t operation) const { return entries_[operation]; }

  [[nodiscard]] std::span<const Entry> entries() const noexcept { return entries_; }

  // Different calls, by number.
  [[nodiscard]] std::span<const Call> calls() const noexcept { return calls_; }

  // Operations that must return.
  [[nodiscard]] std::size_t returns() const noexcept { return events_.size() - entries_.size(); }

  // Words that hold the bits of the mutators, and of the observers behind them.
  [[nodiscard]] std::size_t mutator_words() const noexcept { return mutator_words_; }

  [[nodiscard]] std::size_t observer_words() const noexcept { return observer_words_; }

  [[nodiscard]] const Outlook& outlook() const noexcept { return outlook_; }

  [[nodiscard]] std::size_t memory() const noexcept;

 private:
  void number_calls(const SearchProblem& problem);
  void sort_events(const SearchProblem& problem);
  void give_bits();
  void look_ahead(Model& model, const SearchProblem& problem);

  std::vector<Event> events_;
  std::vector<Entry> entries_;  // by operation
  std::vector<Call> calls_;
  std::size_t mutator_words_ = 0;
  std::size_t observer_words_ = 0;
  Outlook outlook_;
};

class Window {
 public:
  static constexpr std::uint32_t kEnd = std::numeric_limits<std::uint32_t>::max();

  explicit Window(const Timeline& timeline);

  // The event that comes next.
  [[nodiscard]] std::size_t position() const noexcept { return position_; }

  [[nodiscard]] bool is_quiescent() const noexcept {
    return mutators_.first == kEnd && observers_.first == kEnd;
  }

  void forward();
  void back();
  void move_to(std::size_t position);

  // Pending operations, kEnd behind the last: mutators in order of their ends, observers in order
  // of their beginnings.
  [[nodiscard]] std::uint32_t first_mutator() const noexcept { return mutators_.first; }

  [[nodiscard]] std::uint32_t first_observer() const noexcept { return observers_.first; }

  [[nodiscard]] std::uint32_t after(std::uint32_t operation) const {
    return links_[operation].next;
  }

  // Calls of the unknown operations that have begun, in order of their first beginnings, and how
  // many of each.
  [[nodiscard]] std::span<const std::uint32_t> unknown() const noexcept { return unknown_; }

  [[nodiscard]] std::uint32_t available(std::uint32_t call) const { return available_[call]; }

 private:
  struct Links {
    std::uint32_t previous = kEnd;
    std::uint32_t next = kEnd;
  };

  struct List {
    std::uint32_t first = kEnd;
    std::uint32_t last = kEnd;
  };

  [[nodiscard]] List& list_of(std::uint32_t operation) {
    return timeline_->entry(operation).observes ? observers_ : mutators_;
  }

  void insert(std::uint32_t operation);
  void remove(std::uint32_t operation);
  void put_back(std::uint32_t operation);

  const Timeline* timeline_;
  std::size_t position_ = 0;
  std::vector<Links> links_;  // by operation; a removed one keeps its place until it is put back
  List mutators_;
  List observers_;
  std::vector<std::uint32_t> unknown_;
  std::vector<std::uint32_t> available_;  // by call
};

}  // namespace sunder::checkers
