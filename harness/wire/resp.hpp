// RESP2, the wire protocol of Redis: values, an incremental parser with limits, encoders.
//
// Spoken by nodes and clients. Both directions use one parser; requests may also come as inline
// commands ("PING\r\n"). Limits bound what a peer can make us hold: arguments, depth and bytes.
// Format: https://redis.io/docs/reference/protocol-spec/ (RESP2).
//
// Threading: values; one parser per connection.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.hpp"

namespace sunder::wire {

enum class RespKind : std::uint8_t { simple, error, integer, bulk, null, array };

struct RespValue {
  RespKind kind = RespKind::null;
  std::string text;              // simple, error, bulk
  std::int64_t integer = 0;      // integer
  std::vector<RespValue> items;  // array

  static RespValue simple(std::string text);
  static RespValue error(std::string text);
  static RespValue number(std::int64_t value);
  static RespValue bulk(std::string text);
  static RespValue null();
  static RespValue array(std::vector<RespValue> items);

  friend bool operator==(const RespValue&, const RespValue&) = default;
};

struct RespLimits {
  std::size_t arguments = 1024 * 64;
  std::size_t depth = 8;
  std::size_t bulk_bytes = std::size_t{64} << 20;
  std::size_t inline_bytes = 64 * 1024;
};

// Feed bytes, take whole values. After an error the connection is beyond repair.
class RespParser {
 public:
  explicit RespParser(RespLimits limits = {}) : limits_(limits) {}

  void feed(std::string_view bytes);
  // The next whole reply: true and `value` filled, or false when more bytes are needed.
  [[nodiscard]] Result<bool> next_value(RespValue& value);
  // The next whole request (array of bulk strings, or an inline command). Empty lines are skipped.
  [[nodiscard]] Result<bool> next_request(std::vector<std::string>& arguments);

  // Bytes held but not yet taken.
  [[nodiscard]] std::size_t pending() const noexcept { return buffer_.size() - position_; }

 private:
  RespLimits limits_;
  std::string buffer_;
  std::size_t position_ = 0;
};

void encode(const RespValue& value, std::string& out);
[[nodiscard]] std::string encode_request(const std::vector<std::string>& arguments);

}  // namespace sunder::wire
