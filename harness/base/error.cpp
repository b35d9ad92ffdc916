#include "harness/base/error.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "harness/base/assert.hpp"

namespace sunder::base {
namespace {

class Category final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "sunder"; }

  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::usage:
        return "usage error";
      case Errc::unreadable_input:
        return "unreadable input";
      case Errc::unsupported:
        return "not supported here";
      case Errc::timed_out:
        return "timed out";
      case Errc::cancelled:
        return "cancelled";
      case Errc::protocol:
        return "protocol error";
      case Errc::failed:
        return "failed";
    }
    return "unknown error";
  }
};

}  // namespace

void assertion_failed(std::string_view expression,
                      std::string_view file,
                      int line,
                      std::string_view message) noexcept {
  std::fprintf(stderr,
               "sunder: internal error: assertion failed: %.*s at %.*s:%d %.*s\n",
               static_cast<int>(expression.size()),
               expression.data(),
               static_cast<int>(file.size()),
               file.data(),
               line,
               static_cast<int>(message.size()),
               message.data());
  std::abort();
}

const std::error_category& error_category() noexcept {
  static const Category category;
  return category;
}

std::error_code make_error_code(Errc code) noexcept {
  return {static_cast<int>(code), error_category()};
}

std::string Error::message() const {
  const bool ours = code.category() == error_category();
  const bool context_says_all =
      ours && code != make_error_code(Errc::timed_out) && code != make_error_code(Errc::cancelled);
  if (context_says_all && !context.empty()) return context;
  if (context.empty()) return code.message();
  return fmt::format("{}: {}", context, code.message());
}

Error make_error(Errc code, std::string context) {
  return Error{make_error_code(code), std::move(context)};
}

Error system_error(std::string context) {
  return system_error(errno, std::move(context));
}

Error system_error(int number, std::string context) {
  return Error{std::error_code(number, std::generic_category()), std::move(context)};
}

Error with_context(Error error, std::string_view context) {
  error.context =
      error.context.empty() ? std::string(context) : fmt::format("{}: {}", context, error.context);
  return error;
}

bool is(const Error& error, Errc code) noexcept {
  return error.code == make_error_code(code);
}

ExitCode exit_code_of(const Error& error) noexcept {
  if (is(error, Errc::usage)) return ExitCode::usage;
  if (is(error, Errc::unreadable_input)) return ExitCode::unreadable_input;
  return ExitCode::harness_failed;
}

void throw_exception_from_error(const Error& error, const boost::source_location&) {
  throw std::runtime_error(error.message());
}

}  // namespace sunder::base
