#include "harness/report/escape.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace sunder::report {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t length = 0;
};

// The character at the front, or nothing when the bytes are not UTF-8 (overlong, surrogate, cut,
// non-character).
std::optional<CodePoint> decode(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return CodePoint{lead, 1};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return std::nullopt;
  std::uint32_t value = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return std::nullopt;
    value = (value << 6U) | (byte(i) & 0x3FU);
  }
  const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (overlong || surrogate || value > 0x10FFFF || (value & 0xFFFEU) == 0xFFFEU)
    return std::nullopt;
  return CodePoint{value, length};
}

// U+2400 … U+2421, the pictures of control characters.
void append_picture(std::string& out, std::uint32_t control) {
  const std::uint32_t picture = control == 0x7F ? 0x2421 : 0x2400 + control;
  out += static_cast<char>(0xE2);
  out += static_cast<char>(0x80U | ((picture >> 6U) & 0x3FU));
  out += static_cast<char>(0x80U | (picture & 0x3FU));
}

bool is_control(std::uint32_t value) noexcept {
  return (value < 0x20 && value != '\n' && value != '\t') || value == 0x7F;
}

template <typename Append>
void for_each_character(std::string_view text, Append append) {
  while (!text.empty()) {
    const std::optional<CodePoint> point = decode(text);
    const std::size_t length = point ? point->length : 1;
    append(point, text.substr(0, length));
    text.remove_prefix(length);
  }
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for_each_character(text, [&](const std::optional<CodePoint>& point, std::string_view bytes) {
    out += point ? bytes : kReplacement;
  });
  return out;
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for_each_character(text, [&](const std::optional<CodePoint>& point, std::string_view bytes) {
    if (!point) {
      out += kReplacement;
    } else if (is_control(point->value)) {
      append_picture(out, point->value);
    } else if (point->value >= 0x80 && point->value < 0xA0) {
      out += kReplacement;  // C1 controls: terminals act on them
    } else {
      out += bytes;
    }
  });
  return out;
}

std::string escape_markup(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string escape_script(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    const std::string_view separator = json.substr(i, 3);
    if (separator == "\xE2\x80\xA8" || separator == "\xE2\x80\xA9") {
      out += separator == "\xE2\x80\xA8" ? "\\u2028" : "\\u2029";
      i += 2;
      continue;
    }
    switch (json[i]) {
      case '<':
        out += "\\u003c";
        break;
      case '>':
        out += "\\u003e";
        break;
      case '&':
        out += "\\u0026";
        break;
      default:
        out += json[i];
    }
  }
  return out;
}

std::string escape_markdown(std::string_view text) {
  constexpr std::string_view kSpecial = "\\`*_[]|~#!";
  std::string out;
  for (const char c : printable(text)) {
    if (c == '\n' || c == '\t') {
      out += ' ';
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else {
      if (kSpecial.find(c) != std::string_view::npos) out += '\\';
      out += c;
    }
  }
  return out;
}

std::size_t column_count(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string_view prefix_of(std::string_view text, std::size_t bytes_max) noexcept {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

}  // namespace sunder::report
