#include "harness/wire/errors.hpp"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace sunder::wire {
namespace {

TEST(ErrorTable, IsSortedAndEveryRowIsFoundByItsText) {
  const auto rows = error_words();
  EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end(), [](const ErrorWord& a, const ErrorWord& b) {
    return a.word < b.word;
  }));
  for (const ErrorWord& row : rows) {
    SCOPED_TRACE(row.word);
    EXPECT_EQ(find_error(std::string(row.word) + " and more"), &row);
    EXPECT_EQ(find_error(row.word), &row);
    EXPECT_FALSE(row.meaning.empty());
  }
}

TEST(ErrorTable, TakesAnUnknownWordForNotDefinite) {
  EXPECT_EQ(find_error("NOTLEADERS n2"), nullptr);
  EXPECT_EQ(find_error(""), nullptr);
  EXPECT_FALSE(is_definite("SURPRISE"));
}

TEST(ErrorTable, SaysWhichErrorsLeaveTheOutcomeOpen) {
  EXPECT_FALSE(is_definite("LEADERLOST term 4"));
  EXPECT_FALSE(is_definite("TIMEOUT"));
  EXPECT_FALSE(is_definite("STALESEQ"));
  EXPECT_TRUE(is_definite("NOTLEADER n2"));
  EXPECT_TRUE(is_definite("OVERLOADED"));
}

TEST(CasMismatch, CarriesTheActualValueThroughItsText) {
  for (const char* const value : {"5", "", "two words", "nil"}) {
    SCOPED_TRACE(value);
    const auto parsed = parse_cas_mismatch(cas_mismatch_text(std::string(value)));
    ASSERT_TRUE(parsed.has_value());
    EXPECT_TRUE(parsed->told);
    EXPECT_EQ(parsed->actual, value);
  }
  const auto absent = parse_cas_mismatch(cas_mismatch_text(std::nullopt));
  ASSERT_TRUE(absent.has_value());
  EXPECT_TRUE(absent->told);
  EXPECT_FALSE(absent->actual.has_value());
}

TEST(CasMismatch, LeavesOutAValueThatALineCannotCarry) {
  for (const std::string& value :
       {std::string(1000, 'x'), std::string("a\r\nb"), std::string(kNilMarker)}) {
    const auto parsed = parse_cas_mismatch(cas_mismatch_text(value));
    ASSERT_TRUE(parsed.has_value());
    EXPECT_FALSE(parsed->told);
  }
  EXPECT_FALSE(parse_cas_mismatch("ERR nothing").has_value());
  EXPECT_FALSE(parse_cas_mismatch("CASMISMATCHED 5").has_value());
}

}  // namespace
}  // namespace sunder::wire
