#include "tests/histories/support/random_histories.hpp"

#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "harness/base/assert.hpp"
#include "harness/history/text.hpp"
#include "harness/history/value_copy.hpp"
#include "tests/histories/support/equal_stamps.hpp"
#include "tests/histories/support/flipped_result.hpp"

namespace sunder::test {
namespace {

using history::History;
using history::HistoryBuilder;
using history::Operation;
using history::Value;
using history::ValuePool;
using rc::detail::CaseDescription;
using rc::detail::CaseResult;

// A history as made, and the part of it that is judged.
struct Drawn {
  std::uint64_t seed = 0;
  std::shared_ptr<const History> whole;
  std::vector<std::uint32_t> operations;
};

rc::Seq<Drawn> with_less(const Drawn& drawn) {
  return rc::seq::map(rc::shrink::removeChunks(drawn.operations),
                      [drawn](std::vector<std::uint32_t>&& operations) {
                        return Drawn{drawn.seed, drawn.whole, std::move(operations)};
                      });
}

Drawn draw(std::uint64_t seed, const MakeHistory& make) {
  Drawn drawn{seed, std::make_shared<const History>(make(seed)), {}};
  drawn.operations.resize(drawn.whole->operations().size());
  std::iota(drawn.operations.begin(), drawn.operations.end(), 0U);
  return drawn;
}

std::string judge_drawn(const Drawn& drawn, const JudgeHistory& judge) {
  const bool whole = drawn.operations.size() == drawn.whole->operations().size();
  if (whole) return judge({.seed = drawn.seed, .history = *drawn.whole, .whole = true});
  const History part = part_of(*drawn.whole, drawn.operations);
  return judge({.seed = drawn.seed, .history = part, .whole = false});
}

std::string show(const Drawn& drawn) {
  return fmt::format("{} of the {} operations of seed {}:\n{}",
                     drawn.operations.size(),
                     drawn.whole->operations().size(),
                     drawn.seed,
                     history::to_jsonl(part_of(*drawn.whole, drawn.operations)));
}

// A case that was judged; `text` says which it is.
CaseDescription describe(const std::function<std::string()>& judge,
                         std::function<std::string()> text) {
  std::string wrong;
  try {
    wrong = judge();
  } catch (const std::exception& error) {
    wrong = fmt::format("throws {}", error.what());
  }
  const auto type = wrong.empty() ? CaseResult::Type::Success : CaseResult::Type::Failure;
  return {.result = CaseResult(type, wrong), .tags = {}, .example = [text = std::move(text)] {
            return rc::detail::Example{{"Case", text()}};
          }};
}

// RapidCheck's properties of plain functions look for what they draw, and print it: that takes as
// long as judging a small history. This is told its cases, one for each seed.
bool check(std::uint64_t cases,
           const std::function<rc::Shrinkable<CaseDescription>(std::uint64_t seed)>& judged) {
  SUNDER_ASSERT(cases <= std::numeric_limits<int>::max());
  std::uint64_t seed = 0;
  const rc::detail::Property property(
      [&](const rc::Random& /*random*/, int /*size*/) { return judged(++seed); });
  rc::detail::TestParams params;
  params.maxSuccess = static_cast<int>(cases);
  const auto result = rc::detail::checkProperty(property, rc::detail::TestMetadata(), params);
  if (result.is<rc::detail::SuccessResult>()) return true;
  std::ostringstream text;
  rc::detail::printResultMessage(result, text);
  ADD_FAILURE() << text.str();
  return false;
}

// Judges a changed copy of a case, of which nothing is known that only its maker can promise.
std::string judge_changed(const RandomHistory& changed,
                          const Oracle& oracle,
                          const JudgeByOracle& judge,
                          std::string_view how) {
  const std::string wrong = judge(changed, oracle(changed) ? "kept" : "broken");
  if (wrong.empty()) return {};
  return fmt::format("{}, with {}:\n{}{}",
                     wrong,
                     how,
                     history::to_jsonl(changed.history),
                     describe_with_stamps(changed.history));
}

std::string judge_flipped(const RandomHistory& random,
                          const Oracle& oracle,
                          const JudgeByOracle& judge) {
  const std::optional<History> flipped = flip_one_result(random.history, random.seed);
  if (!flipped) return {};
  const RandomHistory changed{.seed = random.seed, .history = *flipped, .whole = false};
  return judge_changed(changed, oracle, judge, "one result flipped");
}

std::string judge_with_equal_stamps(const RandomHistory& random,
                                    const Oracle& oracle,
                                    const JudgeByOracle& judge) {
  const History equal = with_equal_stamps(random.history, random.seed);
  const RandomHistory changed{.seed = random.seed, .history = equal, .whole = false};
  return judge_changed(changed, oracle, judge, "equal stamps");
}

std::string judge_untold(const RandomHistory& random,
                         const Oracle& oracle,
                         const JudgeByOracle& judge) {
  const std::optional<History> untold = untell_some_results(random.history, random.seed);
  if (!untold) return {};
  const RandomHistory changed{.seed = random.seed, .history = *untold, .whole = false};
  return judge_changed(changed, oracle, judge, "results that are not told");
}

}  // namespace

bool check_histories(std::uint64_t cases, const MakeHistory& make, const JudgeHistory& judge) {
  return check(cases, [&](std::uint64_t seed) {
    return rc::shrinkable::map(rc::shrinkable::shrinkRecur(draw(seed, make), with_less),
                               [&](const Drawn& drawn) {
                                 return describe([&] { return judge_drawn(drawn, judge); },
                                                 [drawn] { return show(drawn); });
                               });
  });
}

void check_by_oracle(std::uint64_t cases,
                     const MakeHistory& make,
                     const Oracle& oracle,
                     const JudgeByOracle& judge,
                     const Share& share) {
  constexpr std::uint64_t kFlipped = 4;
  constexpr std::uint64_t kEqual = 4;
  constexpr std::uint64_t kUntold = 4;
  std::uint64_t kept = 0;
  const auto judge_one = [&](const RandomHistory& random) {
    const bool right = oracle(random);
    kept += right ? 1U : 0U;
    std::string wrong = judge(random, right ? "kept" : "broken");
    const bool flips = wrong.empty() && right && random.seed % kFlipped == 0;
    if (flips) wrong = judge_flipped(random, oracle, judge);
    const bool equals = wrong.empty() && random.seed % kEqual == 1;
    if (equals) wrong = judge_with_equal_stamps(random, oracle, judge);
    const bool untells = wrong.empty() && random.seed % kUntold == 2;
    if (untells) wrong = judge_untold(random, oracle, judge);
    return wrong;
  };
  if (!check_histories(cases, make, judge_one)) return;
  EXPECT_GT(kept, cases * share.kept / 100);
  EXPECT_LT(kept, cases - cases * share.broken / 100);
}

bool check_seeds(std::uint64_t cases, const JudgeSeed& judge) {
  return check(cases, [&](std::uint64_t seed) {
    return rc::shrinkable::just(
        describe([&] { return judge(seed); }, [seed] { return fmt::format("seed {}", seed); }));
  });
}

std::string disagreement(std::string_view expected, std::string_view got, std::string_view where) {
  if (expected == got) return {};
  return fmt::format("{}expected {}, got {}", where, expected, got);
}

Operation copy_of(const History& history, const Operation& operation, HistoryBuilder& builder) {
  ValuePool& pool = builder.pool();
  const ValuePool& from = history.pool();
  Operation copy = operation;
  copy.key = pool.symbol(from.name(operation.key));
  copy.function_name = pool.symbol(from.name(operation.function_name));
  copy.node = pool.symbol(from.name(operation.node));
  copy.error = pool.symbol(from.name(operation.error));
  copy.input = history::copy_value(pool, from, operation.input);
  copy.output = history::copy_value(pool, from, operation.output);
  return copy;
}

History part_of(const History& history, const std::vector<std::uint32_t>& operations) {
  HistoryBuilder builder;
  for (const std::uint32_t index : operations) {
    builder.add(copy_of(history, history.operations()[index], builder));
  }
  return builder.finish();
}

}  // namespace sunder::test
