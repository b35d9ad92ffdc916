#include "harness/history/eight_bytes.hpp"

#include <cstdint>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/base/random.hpp"
#include "harness/history/short_texts.hpp"

namespace sunder::history {
namespace {

TEST(EightBytes, FindTheFirstOfWhatTheyLookFor) {
  base::Random random(3);
  constexpr std::string_view kBytes = "\"\\09/:az \x01\x1f\x20\x7f\x80\xff\"";
  for (int i = 0; i < 100'000; ++i) {
    std::string text;
    while (text.size() < 8) text += kBytes[static_cast<std::size_t>(random.below(kBytes.size()))];
    const auto first = [&](const auto& matches) {
      unsigned at = 0;
      while (at < 8 && !matches(text[at])) ++at;
      return at;
    };
    const std::uint64_t word = eight::load(text.data());
    ASSERT_EQ(eight::bytes_before(eight::equal(word, '"')),
              first([](char character) { return character == '"'; }));
    ASSERT_EQ(eight::bytes_before(eight::controls(word)),
              first([](char character) { return static_cast<unsigned char>(character) < 0x20; }));
    ASSERT_EQ(eight::bytes_before(eight::no_digits(word ^ ('0' * eight::kOnes))),
              first([](char character) { return character < '0' || character > '9'; }));
  }
}

TEST(ReadDigits, ReadsUpToEighteen) {
  base::Random random(5);
  for (int i = 0; i < 100'000; ++i) {
    std::string digits;
    const std::uint64_t count = 1 + random.below(18);
    while (digits.size() < count) digits += static_cast<char>('0' + random.below(10));
    const std::string text = digits + "/:,]e\n"[random.below(6)] + "123456789";
    std::int64_t number = -1;
    const char* const behind = read_digits(text.data(), number);
    ASSERT_EQ(behind, text.data() + count) << text;
    ASSERT_EQ(number, std::stoll(digits)) << text;
  }
}

TEST(ReadDigits, RefusesNoneAndTooMany) {
  for (const std::string_view text : {"", "x1", "-1", "/", ":", "1234567890123456789"}) {
    const std::string padded = std::string(text) + std::string(8, '\0');
    std::int64_t number = 0;
    EXPECT_EQ(read_digits(padded.data(), number), nullptr) << text;
  }
}

TEST(Packed, KeepsTextsApart) {
  EXPECT_NE(packed("a"), packed(std::string_view("a\0", 2)));
  EXPECT_NE(packed(""), packed(std::string_view("\0", 1)));
  EXPECT_EQ(packed(eight::load("process:"), 7), packed("process"));
  EXPECT_EQ(packed(eight::load("process:"), 0), packed(""));
}

// More texts than there are places, long and short: each is the pool's.
TEST(ShortTexts, AreThoseOfThePool) {
  ValuePool pool;
  ShortTexts texts(pool);
  base::Random random(9);
  for (int i = 0; i < 200'000; ++i) {
    const std::string text = fmt::format("{}", random.below(i % 2 == 0 ? 50 : 50'000'000));
    const PackedText word = text.size() <= kPackedMax ? packed(text) : kNotPacked;
    ASSERT_EQ(texts.text(word, text), pool.text(text)) << text;
  }
}

}  // namespace
}  // namespace sunder::history
