#include "checkers/closed_form.hpp"

#include <algorithm>
#include <utility>

namespace sunder::checkers {

ClosedForm violation(Counterexample counterexample) {
  ClosedForm answer;
  answer.linearizable = false;
  answer.counterexample = std::move(counterexample);
  return answer;
}

Counterexample story(std::string title, std::vector<std::uint32_t> members) {
  std::erase(members, kNo_operation);
  std::ranges::sort(members);
  const auto same = std::ranges::unique(members);
  members.erase(same.begin(), same.end());
  Counterexample example;
  example.title = std::move(title);
  for (const std::uint32_t member : members) example.items.push_back({member, true, {}});
  return example;
}

}  // namespace sunder::checkers
