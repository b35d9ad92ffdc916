#include "harness/wire/errors.hpp"

#include <algorithm>
#include <array>

namespace sunder::wire {
namespace {

constexpr std::string_view kCasMismatch = "CASMISMATCH";
constexpr std::size_t kTellableBytes = 256;

constexpr std::array kErrorWords{
    ErrorWord{.word = "BUSY",
              .definite = true,
              .meaning = "a limit is reached, such as the length of a queue; nothing was accepted"},
    ErrorWord{
        .word = kCasMismatch,
        .definite = true,
        .meaning = "CAS found another value than `from`; the value follows when it fits a line"},
    ErrorWord{.word = "ERR",
              .definite = true,
              .meaning = "unknown command, wrong arguments, or a value of the wrong form"},
    ErrorWord{.word = "EXECABORT",
              .definite = true,
              .meaning = "EXEC of a transaction in which a command was refused when queued"},
    ErrorWord{
        .word = "LEADERLOST",
        .retry_elsewhere = true,
        .meaning = "the leader stepped down with the command in its log: it may still commit"},
    ErrorWord{.word = "MEMBERBUSY",
              .definite = true,
              .meaning = "the last change of members is not committed yet; this one was not begun"},
    ErrorWord{.word = "MEMBERSLOW",
              .definite = true,
              .meaning = "the node to be added could not be brought up to date; it was not added"},
    ErrorWord{.word = "NOLEADER",
              .definite = true,
              .retry_elsewhere = true,
              .meaning = "this node knows no leader; nothing was proposed"},
    ErrorWord{.word = "NOQUORUM",
              .definite = true,
              .retry_elsewhere = true,
              .meaning = "too few replicas of the key are within reach; nothing was done"},
    ErrorWord{.word = "NOSESSION",
              .definite = true,
              .meaning = "the session is unknown or expired; this attempt had no effect"},
    ErrorWord{.word = "NOTLEADER",
              .definite = true,
              .retry_elsewhere = true,
              .meaning = "another node leads; its name follows when known"},
    ErrorWord{.word = "OVERLOADED",
              .definite = true,
              .retry_elsewhere = true,
              .meaning = "too many commands in flight; nothing was proposed"},
    ErrorWord{.word = "STALERECEIPT",
              .definite = true,
              .meaning = "the message is not this receipt's any more: nothing was done"},
    ErrorWord{.word = "STALESEQ",
              .meaning = "the session has moved past this sequence number; its reply is forgotten"},
    ErrorWord{.word = "TIMEOUT",
              .retry_elsewhere = true,
              .meaning = "the node gave up waiting for the command to commit; it may still do so"},
    ErrorWord{
        .word = "WRONGTYPE", .definite = true, .meaning = "the key holds another type of value"},
};

std::string_view first_word(std::string_view text) noexcept {
  return text.substr(0, text.find(' '));
}

bool is_tellable(std::string_view value) noexcept {
  return value.size() <= kTellableBytes && value != kNilMarker &&
         std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

std::span<const ErrorWord> error_words() {
  return kErrorWords;
}

const ErrorWord* find_error(std::string_view text) {
  const std::string_view word = first_word(text);
  const auto found = std::lower_bound(
      kErrorWords.begin(),
      kErrorWords.end(),
      word,
      [](const ErrorWord& row, std::string_view sought) { return row.word < sought; });
  return found != kErrorWords.end() && found->word == word ? &*found : nullptr;
}

bool is_definite(std::string_view text) {
  const ErrorWord* const row = find_error(text);
  return row != nullptr && row->definite;
}

std::string cas_mismatch_text(const std::optional<std::string>& actual) {
  std::string text(kCasMismatch);
  if (!actual) return text.append(" ").append(kNilMarker);
  if (is_tellable(*actual)) text.append(" ").append(*actual);
  return text;
}

std::optional<CasMismatch> parse_cas_mismatch(std::string_view text) {
  if (first_word(text) != kCasMismatch) return std::nullopt;
  CasMismatch mismatch;
  if (text.size() == kCasMismatch.size()) return mismatch;
  const std::string_view actual = text.substr(kCasMismatch.size() + 1);
  mismatch.told = true;
  if (actual != kNilMarker) mismatch.actual = std::string(actual);
  return mismatch;
}

}  // namespace sunder::wire
