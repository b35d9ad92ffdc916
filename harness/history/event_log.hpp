// EventLog: the events that the nodes of a run told, in the order in which they came, packed.
//
// Nodes behind Raft tell several events an entry, so a long run has millions: they are kept
// as bytes, and the names that recur as numbers of a table, which takes a tenth of the memory that
// the events themselves would. Ownership: owns its bytes; an iterator borrows them and holds the
// one event it stands at. Threading: reading from many threads; appending alone.

#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sunder::history {

// What a node told on file descriptor 3.
struct NodeEvent {
  std::string node;
  std::uint64_t sequence = 0;  // from 0 on in each life of the node
  std::int64_t time = 0;       // nanoseconds since the run's start
  std::string event;           // "became-leader", "appended", "committed", "applied", …
  std::vector<std::pair<std::string, std::int64_t>> numbers;  // {"term", 4}, {"index", 17}
  std::vector<std::pair<std::string, std::string>> texts;     // {"hash", "9f…"}

  [[nodiscard]] std::int64_t number(const std::string& name, std::int64_t otherwise = -1) const {
    for (const auto& [key, value] : numbers) {
      if (key == name) return value;
    }
    return otherwise;
  }

  [[nodiscard]] std::string text(const std::string& name) const {
    for (const auto& [key, value] : texts) {
      if (key == name) return value;
    }
    return {};
  }
};

class EventLog {
 public:
  EventLog() = default;
  EventLog(std::initializer_list<NodeEvent> events);

  void push_back(const NodeEvent& event);

  void clear() { *this = EventLog(); }

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  // Of the packed events.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  // Goes over the events once; what it gives is overwritten by the next step.
  class Iterator {
   public:
    using value_type = NodeEvent;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    explicit Iterator(const EventLog& log);

    [[nodiscard]] const NodeEvent& operator*() const noexcept { return event_; }

    [[nodiscard]] const NodeEvent* operator->() const noexcept { return &event_; }

    Iterator& operator++();

    void operator++(int) { ++*this; }

    [[nodiscard]] bool operator==(std::default_sentinel_t) const noexcept { return left_ == 0; }

   private:
    void unpack();

    const EventLog* log_ = nullptr;
    std::size_t left_ = 0;  // with the one it stands at
    std::size_t chunk_ = 0;
    std::size_t offset_ = 0;  // in the chunk, behind the event it stands at
    NodeEvent event_;
  };

  [[nodiscard]] Iterator begin() const { return Iterator(*this); }

  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

 private:
  [[nodiscard]] std::uint64_t number_of(const std::string& name);

  std::vector<std::string> chunks_;  // an event lies in one of them as a whole
  std::vector<std::string> names_;   // of nodes, events and fields, by number
  std::unordered_map<std::string, std::uint64_t> numbers_;  // of names_
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace sunder::history
