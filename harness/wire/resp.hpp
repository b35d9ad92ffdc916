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
  std::size_t arguments = 1024 * 64;  // items of one value, all its arrays together
  std::size_t depth = 8;
  std::size_t bulk_bytes = std::size_t{64} << 20;
  std::size_t inline_bytes = 64 * 1024;  // one line: an inline command, a simple string, an error
  std::size_t total_bytes = std::size_t{128} << 20;  // all texts of one value together
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
  // An array of which `remaining` items are still to come.
  struct Open {
    RespValue array;
    std::size_t remaining = 0;
  };

  // One element at the position: a scalar, or an array's header. False: more bytes are needed,
  // nothing was taken.
  [[nodiscard]] Result<bool> take_element(RespValue& element, std::size_t& items_to_come);
  [[nodiscard]] Result<bool> take_line(std::string_view& line);
  [[nodiscard]] Result<bool> take_bulk(std::size_t header_size,
                                       std::int64_t length,
                                       RespValue& element);
  [[nodiscard]] Result<bool> take_inline(std::vector<std::string>& arguments);
  void begin_value() noexcept;

  RespLimits limits_;
  std::string buffer_;
  std::size_t position_ = 0;
  std::size_t scanned_ = 0;  // no line end before this offset from position_: not looked at twice
  std::vector<Open> open_;   // the arrays that the value in progress is inside of, outermost first
  std::size_t items_seen_ = 0;  // of the value in progress
  std::size_t bytes_seen_ = 0;
};

// Line breaks in simple strings and errors, which the format cannot carry, become spaces.
void encode(const RespValue& value, std::string& out);
[[nodiscard]] std::string encode_request(const std::vector<std::string>& arguments);

}  // namespace sunder::wire
