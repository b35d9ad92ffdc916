#include "harness/uml/order.hpp"

#include <charconv>
#include <tuple>

#include <fmt/format.h>

namespace sunder::uml {
namespace {

bool same(const TerminalSize& left, const TerminalSize& right) noexcept {
  return left.rows == right.rows && left.columns == right.columns;
}

std::string to_text(const TerminalSize& size) {
  return fmt::format("{} {}", size.rows, size.columns);
}

template <typename Number>
bool read_number(std::string_view text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  return parsed.ec == std::errc{} && parsed.ptr == end;
}

bool read_size(std::string_view text, TerminalSize& size) {
  const std::size_t space = text.find(' ');
  return space != std::string_view::npos && read_number(text.substr(0, space), size.rows) &&
         read_number(text.substr(space + 1), size.columns);
}

// Takes one field; false when it is not one of ours.
bool take(std::string_view name, std::string_view value, GuestOrder& order) {
  if (name == "argument") return order.command.emplace_back(value), true;
  if (name == "variable") return order.environment.emplace_back(value), true;
  if (name == "directory") return order.directory = value, true;
  if (name == "output") return read_size(value, order.output);
  if (name == "error") return read_size(value, order.error);
  if (name == "input") return read_size(value, order.input);
  if (name == "files") return read_number(value, order.files_max);
  if (name == "mask") return read_number(value, order.mask);
  return false;
}

}  // namespace

bool operator==(const GuestOrder& left, const GuestOrder& right) noexcept {
  return std::tie(left.command, left.environment, left.directory, left.files_max, left.mask) ==
             std::tie(
                 right.command, right.environment, right.directory, right.files_max, right.mask) &&
         same(left.output, right.output) && same(left.error, right.error) &&
         same(left.input, right.input);
}

std::string to_text(const GuestOrder& order) {
  std::string text;
  const auto add = [&text](std::string_view name, std::string_view value) {
    text += fmt::format("{}={}", name, value);
    text += '\0';
  };
  for (const std::string& argument : order.command) add("argument", argument);
  for (const std::string& variable : order.environment) add("variable", variable);
  add("directory", order.directory);
  add("output", to_text(order.output));
  add("error", to_text(order.error));
  add("input", to_text(order.input));
  add("files", fmt::format("{}", order.files_max));
  add("mask", fmt::format("{}", order.mask));
  return text;
}

Result<GuestOrder> read_order(std::string_view text) {
  GuestOrder order;
  while (!text.empty()) {
    const std::size_t end = text.find('\0');
    const std::string_view field = text.substr(0, end);
    const std::size_t equals = field.find('=');
    const bool whole = end != std::string_view::npos && equals != std::string_view::npos;
    if (!whole || !take(field.substr(0, equals), field.substr(equals + 1), order)) {
      return base::make_error(Errc::failed,
                              fmt::format("the order for the guest is damaged at '{}'", field));
    }
    text.remove_prefix(end + 1);
  }
  if (order.command.empty() || order.directory.empty()) {
    return base::make_error(Errc::failed, "the order for the guest names no command or directory");
  }
  return order;
}

}  // namespace sunder::uml
