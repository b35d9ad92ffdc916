// Random histories for comparing a checker with its oracle, drawn and made small by RapidCheck.
//
// Case n of a test is made from seed n, so that a failure names what brings it back. RapidCheck
// then leaves out operations of the failing history, as many as it can while the two still
// disagree, and the smallest is printed: a history without some of its operations is a history.
//
// Threading: one thread.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "harness/history/history.hpp"

namespace sunder::test {

struct RandomHistory {
  std::uint64_t seed = 0;
  const history::History& history;
  bool whole = true;  // as it was made: what only the maker can promise holds of no other
};

// A function of its seed.
using MakeHistory = std::function<history::History(std::uint64_t seed)>;
// What is wrong; empty: nothing.
using JudgeHistory = std::function<std::string(const RandomHistory& random)>;
using JudgeSeed = std::function<std::string(std::uint64_t seed)>;

// Fails the test at the first history of seeds 1, 2, …, `cases` that the judge finds wrong, with
// the smallest part of it that is wrong, too. Whether all were right.
bool check_histories(std::uint64_t cases, const MakeHistory& make, const JudgeHistory& judge);

// What is right by an oracle, and what is wrong with a checker that should say "kept" or "broken".
using Oracle = std::function<bool(const RandomHistory& random)>;
using JudgeByOracle =
    std::function<std::string(const RandomHistory& random, std::string_view expected)>;

// Of every hundred histories, more than so many.
struct Share {
  std::uint64_t kept = 10;
  std::uint64_t broken = 10;
};

// The same with what an oracle expects; a comparison in which either answer is rare says little, so
// that fails, too. Of the right histories every fourth is judged once more, by both, with one
// result flipped, and of all every fourth with stamps that are equal here and there, and every
// fourth with results that are not told.
void check_by_oracle(std::uint64_t cases,
                     const MakeHistory& make,
                     const Oracle& oracle,
                     const JudgeByOracle& judge,
                     const Share& share = {});

// The same as check_histories for what is more than a history, or none: nothing is left out.
bool check_seeds(std::uint64_t cases, const JudgeSeed& judge);

// "expected broken, got kept: " and so on; empty when they are the same.
[[nodiscard]] std::string disagreement(std::string_view expected,
                                       std::string_view got,
                                       std::string_view where = {});

// A history's operation, with names and values of the builder's pool: to be changed and added.
[[nodiscard]] history::Operation copy_of(const history::History& history,
                                         const history::Operation& operation,
                                         history::HistoryBuilder& builder);

// Some of a history's operations, by their indices, ascending.
[[nodiscard]] history::History part_of(const history::History& history,
                                       const std::vector<std::uint32_t>& operations);

}  // namespace sunder::test
