// Error and Result<T>: how operating errors (no such device, connection refused, a bad flag)
// travel.
//
// An Error is a code plus a sentence of context that each layer extends in front, so that the user
// reads what was being done, to what, and what the system said. Exit codes (DESIGN.md §2) follow
// from the code's category: usage errors end with 64, unreadable input with 65, everything else
// with 3.
//
// Threading: values, no shared state. Verdicts and operation outcomes are not errors and never
// travel this way.

#pragma once

#include <source_location>
#include <string>
#include <string_view>
#include <system_error>

#include <boost/system/result.hpp>

namespace sunder::base {

// Error conditions of our own, beside those of the system (std::generic_category).
enum class Errc {
  usage = 1,         // a flag, name or value that the user gave is wrong: exit 64
  unreadable_input,  // a file the user gave cannot be read or parsed: exit 65
  unsupported,  // this machine cannot do it (missing kernel feature, permission): said, never faked
  timed_out,    // a wait reached its limit
  cancelled,    // the run is being stopped
  protocol,     // the other end said something that the protocol does not allow
  failed,       // anything else; the context says what
};

[[nodiscard]] const std::error_category& error_category() noexcept;
[[nodiscard]] std::error_code make_error_code(Errc code) noexcept;

struct [[nodiscard]] Error {
  std::error_code code;
  std::string context;  // "open runs/x/history.jsonl"; grows in front as the error travels up

  // "context: message of the code", or only the context for Errc::failed and Errc::usage.
  [[nodiscard]] std::string message() const;
};

template <typename T>
using Result = boost::system::result<T, Error>;

// An error of our own with its sentence.
[[nodiscard]] Error make_error(Errc code, std::string context);
// An error of the system: errno at the time of the call (or `number`) and what was being done.
[[nodiscard]] Error system_error(std::string context);
[[nodiscard]] Error system_error(int number, std::string context);
// The same error with `context: ` put in front.
[[nodiscard]] Error with_context(Error error, std::string_view context);

[[nodiscard]] bool is(const Error& error, Errc code) noexcept;

// Process exit codes, everywhere (DESIGN.md §2).
enum class ExitCode : int {
  kept = 0,
  broken = 1,
  undetermined = 2,
  harness_failed = 3,
  usage = 64,
  unreadable_input = 65,
};

[[nodiscard]] ExitCode exit_code_of(const Error& error) noexcept;

// Called by boost::system::result::value() on an error: throws std::runtime_error with the message.
[[noreturn]] void throw_exception_from_error(const Error& error,
                                             const boost::source_location& where);

}  // namespace sunder::base

template <>
struct std::is_error_code_enum<sunder::base::Errc> : std::true_type {};

namespace sunder {
using base::Errc;
using base::Error;
using base::ExitCode;
using base::Result;
}  // namespace sunder

// Returns the error of a Result expression from the enclosing function.
#define SUNDER_TRY(expression)                                            \
  do {                                                                    \
    if (auto&& sunder_result = (expression); sunder_result.has_error()) { \
      return std::move(sunder_result).error();                            \
    }                                                                     \
  } while (false)

// The same inside a coroutine. The expression is a value already awaited, never a co_await (FACTS:
// the g++ 12 rule).
#define SUNDER_CO_TRY(expression)                                         \
  do {                                                                    \
    if (auto&& sunder_result = (expression); sunder_result.has_error()) { \
      co_return std::move(sunder_result).error();                         \
    }                                                                     \
  } while (false)
