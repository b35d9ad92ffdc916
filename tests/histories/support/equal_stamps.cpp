#include "tests/histories/support/equal_stamps.hpp"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "harness/base/random.hpp"
#include "tests/histories/support/random_histories.hpp"

namespace sunder::test {
namespace {

using history::History;
using history::kNever;
using history::Operation;

constexpr double kEqual = 0.25;

// Where stamps are, in order, and which becomes which.
class Stamps {
 public:
  Stamps(const History& history, std::uint64_t seed) : random_(seed) {
    for (const Operation& operation : history.operations()) {
      all_.emplace_back(operation.invoke, operation.process);
      if (operation.complete != kNever) all_.emplace_back(operation.complete, operation.process);
    }
    std::ranges::sort(all_);
    draw();
  }

  [[nodiscard]] std::int64_t number(std::int64_t stamp) const {
    if (stamp == kNever) return kNever;
    const auto found = std::ranges::lower_bound(
        numbers_, stamp, {}, [](const auto& entry) { return entry.first; });
    return found->second;
  }

 private:
  // Those that are equal already are one.
  void draw() {
    std::set<std::int64_t> together;  // processes at the last number
    for (auto begin = all_.begin(); begin != all_.end();) {
      const auto end = std::find_if(
          begin, all_.end(), [&](const auto& stamp) { return stamp.first != begin->first; });
      std::set<std::int64_t> here;
      for (auto stamp = begin; stamp != end; ++stamp) here.insert(stamp->second);
      const bool apart = std::ranges::none_of(
          here, [&](std::int64_t process) { return together.contains(process); });
      const bool joins = !numbers_.empty() && apart && random_.chance(kEqual);
      if (!joins) together.clear();
      together.merge(here);
      const std::int64_t last = numbers_.empty() ? -1 : numbers_.back().second;
      numbers_.emplace_back(begin->first, joins ? last : last + 1);
      begin = end;
    }
  }

  base::Random random_;
  std::vector<std::pair<std::int64_t, std::int64_t>> all_;      // stamp, process
  std::vector<std::pair<std::int64_t, std::int64_t>> numbers_;  // by stamp
};

}  // namespace

History with_equal_stamps(const History& history, std::uint64_t seed) {
  const Stamps stamps(history, seed);
  history::HistoryBuilder builder;
  for (const Operation& operation : history.operations()) {
    Operation copy = copy_of(history, operation, builder);
    copy.invoke = stamps.number(operation.invoke);
    copy.complete = stamps.number(operation.complete);
    builder.add(copy);
  }
  return builder.finish();
}

std::string describe_with_stamps(const History& history) {
  std::string text;
  for (const Operation& operation : history.operations()) {
    const std::string end =
        operation.complete == kNever ? "never" : fmt::format("{}", operation.complete);
    text += fmt::format("p{} {} ({}) from {} to {}\n",
                        operation.process,
                        history.describe(operation),
                        history::name_of(operation.outcome),
                        operation.invoke,
                        end);
  }
  return text;
}

}  // namespace sunder::test
