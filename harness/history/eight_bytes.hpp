// Looks at eight bytes of a text at once: where a run of digits or a plain text ends, and what it
// says, without a branch for each character.
//
// Whatever is looked at must be followed by eight readable bytes. After Lamport, "Multiple byte
// processing with full-word instructions", CACM 18 (1975).
//
// Threading: pure functions.

#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sunder::history {

namespace eight {

constexpr std::uint64_t kOnes = 0x0101'0101'0101'0101ULL;
constexpr std::uint64_t kHighs = 0x80 * kOnes;

// The first byte is the lowest.
[[nodiscard]] inline std::uint64_t load(const char* at) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

// The following return marks, bytes of 0x80. Up to the first mark they are exact; a later byte may
// be marked wrongly, by a carry of the first.
[[nodiscard]] constexpr std::uint64_t equal(std::uint64_t word, char character) noexcept {
  const std::uint64_t zero = word ^ (static_cast<unsigned char>(character) * kOnes);
  return (zero - kOnes) & ~zero & kHighs;
}

[[nodiscard]] constexpr std::uint64_t controls(std::uint64_t word) noexcept {
  return (word - 0x20 * kOnes) & ~word & kHighs;
}

// `values`: bytes from which '0' was taken by exclusive or.
[[nodiscard]] constexpr std::uint64_t no_digits(std::uint64_t values) noexcept {
  return ((values + 0x76 * kOnes) | values) & kHighs;
}

// How many bytes come before the first mark; eight when there is none.
[[nodiscard]] constexpr unsigned bytes_before(std::uint64_t marks) noexcept {
  return static_cast<unsigned>(std::countr_zero(marks)) / 8;
}

// Eight digits, each a byte of 0 to 9, the first the most significant one.
[[nodiscard]] constexpr std::uint64_t number_of(std::uint64_t digits) noexcept {
  digits = (digits * 10 + (digits >> 8)) & 0x00ff'00ff'00ff'00ffULL;
  digits = (digits * 100 + (digits >> 16)) & 0x0000'ffff'0000'ffffULL;
  return (digits * 10'000 + (digits >> 32)) & 0xffff'ffffULL;
}

}  // namespace eight

// A text of up to seven bytes as a number: its bytes, the first the lowest, and its length in the
// highest byte. The length keeps "a" and "a\0" apart.
using PackedText = std::uint64_t;

// What no text is packed as: for those too long.
constexpr PackedText kNotPacked = ~PackedText{0};

constexpr std::size_t kPackedMax = 7;

// Precondition: at most kPackedMax bytes.
[[nodiscard]] constexpr PackedText packed(std::string_view text) noexcept {
  PackedText word = static_cast<PackedText>(text.size()) << 56;
  for (std::size_t i = 0; i < text.size(); ++i) {
    word |= static_cast<PackedText>(static_cast<unsigned char>(text[i])) << (8 * i);
  }
  return word;
}

// The first `size` bytes of a word, packed. Precondition: size <= kPackedMax.
[[nodiscard]] constexpr PackedText packed(std::uint64_t word, unsigned size) noexcept {
  const std::uint64_t bytes = word & ((std::uint64_t{1} << (8 * size)) - 1);
  return bytes | static_cast<PackedText>(size) << 56;
}

// What up to eight digits are worth before others, by how many these are.
inline constexpr std::array<std::uint64_t, 9> kPowersOfTen{
    1, 10, 100, 1000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000};

// Reads digits from `at` on; returns the place behind them, or null when there is none or more than
// 18 of them, which always fit.
[[nodiscard]] inline const char* read_digits(const char* at, std::int64_t& number) noexcept {
  constexpr std::uint64_t kZeros = '0' * eight::kOnes;
  constexpr unsigned kDigitsMax = 18;
  std::uint64_t word = eight::load(at) ^ kZeros;
  unsigned count = eight::bytes_before(eight::no_digits(word));
  if (count == 0) return nullptr;
  std::uint64_t sum = eight::number_of(word << (64 - 8 * count));
  unsigned digits = count;
  while (count == 8) {
    word = eight::load(at + digits) ^ kZeros;
    count = eight::bytes_before(eight::no_digits(word));
    if (count == 0) break;
    sum = sum * kPowersOfTen[count] + eight::number_of(word << (64 - 8 * count));
    digits += count;
    if (digits > kDigitsMax) return nullptr;
  }
  number = static_cast<std::int64_t>(sum);
  return at + digits;
}

// A number of one or two digits, as most elements of lists are, and what follows it: nothing that
// could be a part of it. Null: it is none; it may still be a number.
[[nodiscard]] inline const char* read_small_number(const char* at, std::int64_t& number) noexcept {
  const auto digit = [at](int place) { return static_cast<unsigned>(at[place]) - '0'; };
  const auto ends = [at](int place) {
    return at[place] == ',' || at[place] == ' ' || at[place] == ']';
  };
  if (digit(0) > 9) return nullptr;
  number = digit(0);
  if (ends(1)) return at + 1;
  if (number == 0 || digit(1) > 9 || !ends(2)) return nullptr;
  number = 10 * number + digit(1);
  return at + 2;
}

}  // namespace sunder::history
