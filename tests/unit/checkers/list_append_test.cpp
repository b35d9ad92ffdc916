// List-append against brute force and against its own levels, on random histories.
//
// Every case is a function of its seed, which a failure prints with the history. SUNDER_CASES sets
// the number of cases per test (10,000 by default).

#include <array>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "checkers/checker.hpp"
#include "checkers/elle/levels.hpp"
#include "harness/history/text.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/list_generator.hpp"
#include "tests/histories/support/list_oracle.hpp"

namespace sunder::checkers {
namespace {

Verdict judge(const history::History& history, std::string_view level) {
  CheckOptions options;
  options.threads = 1;
  return check_model(history, "list-append/" + std::string(level), options, {}).value();
}

bool nothing_observed(const Verdict& verdict) {
  return verdict.kind == VerdictKind::undetermined &&
         verdict.summary.starts_with("nothing observed");
}

// The names by which brute force calls a level.
std::string plain_name(std::string_view level) {
  return level == "strict-serializable" ? "strong-serializable" : std::string(level);
}

TEST(ListAppend, AgreesWithBruteForceAtEveryLevel) {
  const auto levels = elle::isolation_levels();
  std::map<std::string_view, std::array<std::uint64_t, 2>> counts;
  const std::uint64_t cases = test::case_count();
  for (std::uint64_t seed = 1; seed <= cases; ++seed) {
    const history::History history = test::small_list_history(seed);
    const std::set<std::string> explained = test::levels_explained(history);
    // A few levels of each history, all in turn.
    for (std::size_t i = 0; i < 3; ++i) {
      const std::string_view level = levels[(3 * seed + i) % levels.size()].name;
      const bool holds = explained.contains(plain_name(level));
      const Verdict verdict = judge(history, level);
      ++counts[level][holds ? 1 : 0];
      if (nothing_observed(verdict)) continue;
      ASSERT_EQ(name_of(verdict.kind), holds ? "kept" : "broken")
          << level << ", seed " << seed << ": " << verdict.summary << "\n"
          << history::to_jsonl(history);
    }
  }
  for (const auto& [level, both] : counts) {
    EXPECT_GT(both[0], cases / 250) << level;
    EXPECT_GT(both[1], cases / 250) << level;
  }
}

}  // namespace
}  // namespace sunder::checkers
