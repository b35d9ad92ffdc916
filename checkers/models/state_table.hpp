// StateTable: numbers the different contents of a model's object 0, 1, 2, … in the order in which
// they are first met, for models whose states are more than a number.
//
// Content is ordered (operator<). References to contents stay valid.

#pragma once

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "checkers/models/model.hpp"

namespace sunder::checkers {

template <typename Content>
class StateTable {
 public:
  // The content's number; a new one, which holds so many bytes elsewhere, when it has none.
  State number(Content content, std::size_t bytes) {
    const auto [found, added] =
        numbers_.try_emplace(std::move(content), static_cast<State>(contents_.size()));
    if (added) {
      contents_.push_back(&found->first);
      held_ += bytes;
    }
    return found->second;
  }

  [[nodiscard]] const Content& operator[](State state) const { return *contents_[state]; }

  // Bytes held, about.
  [[nodiscard]] std::size_t memory() const noexcept {
    constexpr std::size_t kNode = 40 + sizeof(Content) + sizeof(State) + sizeof(const Content*);
    return held_ + contents_.size() * kNode;
  }

 private:
  std::map<Content, State> numbers_;
  std::vector<const Content*> contents_;  // keys of numbers_
  std::size_t held_ = 0;
};

}  // namespace sunder::checkers
