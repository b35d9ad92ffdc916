// Reads dbcop's histories: bincode, little endian, no tags, so that every length is checked against
// the bytes that are left.

#include <cstdint>
#include <cstring>
#include <limits>

#include <fmt/format.h>

#include "harness/history/readers.hpp"
#include "harness/history/transaction_recorder.hpp"

namespace sunder::history {
namespace {

class DbcopReader {
 public:
  DbcopReader(std::string_view bytes, std::string_view source) : bytes_(bytes), source_(source) {}

  // The parameters, three strings and the number of sessions; false: these bytes are none.
  [[nodiscard]] bool read_head() noexcept {
    constexpr int kParameters = 5;  // id, sessions, keys, transactions, events
    for (int i = 0; i < kParameters; ++i) {
      std::int64_t parameter = 0;
      if (!take(parameter) || parameter < 0) return false;
    }
    constexpr int kTexts = 3;  // a remark, the start, the end
    for (int i = 0; i < kTexts; ++i) {
      std::int64_t length = 0;
      if (!take(length) || length < 0 || !skip(length)) return false;
    }
    return take(sessions_) && fits(sessions_);
  }

  [[nodiscard]] Result<History> read() {
    if (!read_head()) return refuse("expected the head of a dbcop history");
    for (std::int64_t session = 0; session < sessions_; ++session) {
      std::int64_t transactions = 0;
      if (!take(transactions) || !fits(transactions)) {
        return refuse("expected the number of a session's transactions");
      }
      for (std::int64_t i = 0; i < transactions; ++i) SUNDER_TRY(read_transaction(session));
    }
    if (offset_ != bytes_.size()) return refuse("expected the end after the last session");
    return recorder_.finish();
  }

 private:
  // What did not happen is left out; an uncommitted transaction stays, as one that failed.
  [[nodiscard]] Result<void> read_transaction(std::int64_t session) {
    std::int64_t events = 0;
    if (!take(events) || !fits(events)) {
      return refuse("expected the number of a transaction's events");
    }
    constexpr std::size_t kEventBytes = 1 + 8 + 8 + 1;
    const std::size_t left = bytes_.size() - offset_;
    const auto count = static_cast<std::size_t>(events);
    if (left == 0 || (left - 1) / kEventBytes < count) {
      offset_ = bytes_.size();
      return refuse(fmt::format("expected {} events and whether they were committed", events));
    }
    const bool committed = bytes_[offset_ + count * kEventBytes] != 0;
    const std::size_t transaction = recorder_.begin(session, committed);
    for (std::size_t i = 0; i < count; ++i) {
      const bool is_write = take_byte() != 0;
      std::int64_t key = 0;
      std::int64_t value = 0;
      (void)take(key);
      (void)take(value);
      const bool happened = take_byte() != 0;
      if (!happened) continue;
      if (is_write) {
        recorder_.write(transaction, Value::integer(key), Value::integer(value));
      } else {
        recorder_.read(transaction, Value::integer(key), Value::integer(value));
      }
    }
    (void)take_byte();
    return {};
  }

  [[nodiscard]] bool take(std::int64_t& number) noexcept {
    if (bytes_.size() - offset_ < sizeof number) return false;
    std::memcpy(&number, bytes_.data() + offset_, sizeof number);
    offset_ += sizeof number;
    return true;
  }

  [[nodiscard]] unsigned char take_byte() noexcept {
    return static_cast<unsigned char>(bytes_[offset_++]);
  }

  [[nodiscard]] bool skip(std::int64_t length) noexcept {
    if (static_cast<std::uint64_t>(length) > bytes_.size() - offset_) return false;
    offset_ += static_cast<std::size_t>(length);
    return true;
  }

  // Every element takes a byte at least.
  [[nodiscard]] bool fits(std::int64_t count) const noexcept {
    return count >= 0 && static_cast<std::uint64_t>(count) <= bytes_.size() - offset_;
  }

  // Bytes have no lines.
  [[nodiscard]] Error refuse(std::string_view what) const {
    return base::make_error(Errc::unreadable_input,
                            fmt::format("{}:byte {}: {}", source_, offset_, what));
  }

  std::string_view bytes_;
  std::string_view source_;
  TransactionRecorder recorder_;
  std::size_t offset_ = 0;
  std::int64_t sessions_ = 0;
};

}  // namespace

bool looks_like_dbcop(std::string_view bytes) {
  constexpr std::size_t kParameterBytes = 5 * 8;
  if (bytes.size() < kParameterBytes) return false;
  // A small number's upper bytes: no text has them.
  if (bytes[7] != '\0' || bytes[15] != '\0') return false;
  return DbcopReader(bytes, {}).read_head();
}

Result<History> read_dbcop(std::string_view bytes, std::string_view source) {
  return DbcopReader(bytes, source).read();
}

}  // namespace sunder::history
