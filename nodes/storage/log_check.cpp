#include "nodes/storage/log_check.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/format.h>

#include "harness/base/file.hpp"

namespace sunder::nodes::storage {
namespace {

constexpr std::size_t kBlock = 32 * 1024;
constexpr std::size_t kHeader = 7;  // masked CRC-32C (4), length (2), type (1)
constexpr std::uint8_t kWhole = 1;  // a record in one piece
constexpr std::uint8_t kFirst = 2;  // the first of several pieces
constexpr std::uint8_t kTypeMax = 4;
constexpr std::uint32_t kMaskDelta = 0xA282EAD8U;

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1U) ^ ((value & 1U) != 0 ? 0x82F63B78U : 0);
    table[i] = value;
  }
  return table;
}

std::uint32_t masked_crc(std::string_view bytes) {
  static constexpr auto kTable = make_table();
  std::uint32_t crc = ~0U;
  for (const char byte : bytes) {
    crc = kTable[(crc ^ static_cast<std::uint8_t>(byte)) & 0xFFU] ^ (crc >> 8U);
  }
  crc = ~crc;
  return ((crc >> 15U) | (crc << 17U)) + kMaskDelta;
}

struct Piece {
  std::uint8_t type = 0;
  std::size_t length = 0;  // header included
};

// The sound piece of a record at this offset.
std::optional<Piece> piece_at(std::string_view log, std::size_t at) {
  const std::size_t room = std::min(log.size() - at, kBlock - at % kBlock);
  if (room < kHeader) return std::nullopt;
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(log[at + i]); };
  const std::uint8_t type = byte(6);
  const std::size_t length = byte(4) | std::size_t{byte(5)} << 8U;
  // A first piece may be empty: seven bytes were left in its block.
  if (type < kWhole || type > kTypeMax || kHeader + length > room) return std::nullopt;
  const std::uint32_t stored = std::uint32_t{byte(0)} | std::uint32_t{byte(1)} << 8U |
                               std::uint32_t{byte(2)} << 16U | std::uint32_t{byte(3)} << 24U;
  // The checksum is over the type and what follows it.
  if (masked_crc(log.substr(at + 6, 1 + length)) != stored) return std::nullopt;
  return Piece{type, kHeader + length};
}

}  // namespace

std::optional<std::size_t> damaged_record(std::string_view log) {
  std::size_t at = 0;
  while (at < log.size()) {
    if (kBlock - at % kBlock < kHeader) {
      at += kBlock - at % kBlock;
      continue;
    }
    const auto piece = piece_at(log, at);
    if (!piece) break;
    at += piece->length;
  }
  for (std::size_t later = at + 1; later < log.size(); ++later) {
    const auto piece = piece_at(log, later);
    if (piece && (piece->type == kWhole || piece->type == kFirst)) return at;
  }
  return std::nullopt;
}

Result<void> check_logs(const std::filesystem::path& database) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(database, error)) {
    if (entry.path().extension() != ".log") continue;
    const auto log = base::read_file(entry.path());
    if (log.has_error()) return log.error();
    const auto damaged = damaged_record(*log);
    if (!damaged) continue;
    return base::make_error(
        Errc::failed,
        fmt::format("{} is damaged at byte {}, before records that were written later: a synced "
                    "record is lost, so this node must not vote",
                    entry.path().string(),
                    *damaged));
  }
  return {};
}

}  // namespace sunder::nodes::storage
