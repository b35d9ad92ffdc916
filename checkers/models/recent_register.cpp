// A register whose reads may be stale: they find any of the last k values. For k-atomicity where no
// closed form decides it.

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "checkers/models/register.hpp"
#include "checkers/models/state_table.hpp"

namespace sunder::checkers {
namespace {

// A state is the last k values, the newest first; fewer while there were no more.
class RecentRegister final : public RegisterModel {
 public:
  RecentRegister(const history::ValuePool& pool, std::size_t last)
      : RegisterModel(pool), last_(last) {
    (void)intern({kAbsent});
  }

  State step(State state, Call call) override {
    const Recent& now = states_[state];
    switch (call.kind) {
      case kRead:
        return holds(now, call.first) ? state : kNoState;
      case kFound:
        return now.front() == call.first ? state : kNoState;
      case kNotEqual:
        return now.front() != call.first ? state : kNoState;
      case kCas:
        if (now.front() != call.first) return kNoState;
        [[fallthrough]];
      default:
        return intern(after(now, produced(call)));
    }
  }

  bool is_idempotent(Call call) const noexcept override { return observes(call); }

  // A condition is that a value is among the last, or that it is the last one.
  Conditions conditions(std::span<const Call> calls) override {
    newest_ = value_count();
    Conditions all;
    all.count = 2 * newest_;
    for (std::uint32_t i = 0; i < calls.size(); ++i) {
      const Call call = calls[i];
      if (call.kind == kRead) all.needed.push_back({i, call.first});
      if (call.kind == kFound || call.kind == kCas) all.needed.push_back({i, newest_ + call.first});
      if (observes(call)) continue;
      all.brought.push_back({i, produced(call)});
      all.brought.push_back({i, newest_ + produced(call)});
    }
    return all;
  }

  void end_conditions(State before,
                      Call /*any*/,
                      State after,
                      std::vector<Condition>& ended) override {
    const Recent& old = states_[before];
    const Recent& now = states_[after];
    if (old.front() != now.front()) ended.push_back(newest_ + old.front());
    if (!holds(now, old.back())) ended.push_back(old.back());
  }

  std::string describe(State state) const override {
    constexpr std::size_t kShown = 8;
    const Recent& recent = states_[state];
    std::string older;
    for (std::size_t i = 1; i < std::min(kShown, recent.size()); ++i) {
      older += fmt::format("{}{}", i == 1 ? "" : ", ", describe_value(recent[i]));
    }
    if (recent.size() > kShown) older += ", …";
    const std::string newest = describe_value(recent.front());
    return older.empty() ? newest : fmt::format("{} (after {})", newest, older);
  }

  std::size_t memory() const noexcept override { return value_memory() + states_.memory(); }

 private:
  using Recent = std::vector<std::uint32_t>;

  static bool holds(const Recent& recent, std::uint32_t value) {
    return std::ranges::find(recent, value) != recent.end();
  }

  [[nodiscard]] Recent after(const Recent& now, std::uint32_t value) const {
    Recent next{value};
    next.insert(next.end(), now.begin(), now.end());
    if (next.size() > last_) next.pop_back();
    return next;
  }

  State intern(Recent recent) {
    const std::size_t bytes = recent.size() * sizeof(std::uint32_t);
    return states_.number(std::move(recent), bytes);
  }

  std::size_t last_;
  std::uint32_t newest_ = 0;  // how many conditions come before those of the last value
  StateTable<Recent> states_;
};

std::unique_ptr<Model> make(const history::ValuePool& pool, const Parameters& parameters) {
  return std::make_unique<RecentRegister>(pool, static_cast<std::size_t>(parameters.at("k")));
}

}  // namespace

ModelRow recent_register_row() {
  static constexpr std::array kParameters{
      ParameterInfo{"k", "how many of the last values a read may find", true}};
  ModelRow row = register_row();
  row.name = "recent-register";
  row.summary = "A register whose reads find any of the last values.";
  row.make = make;
  row.closed_form = nullptr;
  row.parameters = kParameters;
  return row;
}

}  // namespace sunder::checkers
