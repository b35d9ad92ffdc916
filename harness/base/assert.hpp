// SUNDER_ASSERT: a condition that only a programmer's error can make false; on in every build.
//
// One condition each. It prints the expression, the place and a message, then aborts: a broken
// invariant must not go on to judge anybody. Operating errors are Result<T> (error.hpp), never
// assertions.

#pragma once

#include <string_view>

namespace sunder::base {

// Prints to stderr and aborts. Safe to call from any thread.
[[noreturn]] void assertion_failed(std::string_view expression,
                                   std::string_view file,
                                   int line,
                                   std::string_view message) noexcept;

}  // namespace sunder::base

#define SUNDER_ASSERT(condition) \
  (static_cast<bool>(condition)  \
       ? static_cast<void>(0)    \
       : ::sunder::base::assertion_failed(#condition, __FILE__, __LINE__, ""))

#define SUNDER_ASSERT_MESSAGE(condition, message) \
  (static_cast<bool>(condition)                   \
       ? static_cast<void>(0)                     \
       : ::sunder::base::assertion_failed(#condition, __FILE__, __LINE__, (message)))
