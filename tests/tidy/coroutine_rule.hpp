// The g++ 12 rule: no braces and no captures in an expression with co_await or co_spawn.
//
// g++ 12.2 destroys braced temporaries of such expressions twice and capturing lambdas too early
// (docs/decisions.md). Name the value, then std::move it.

#pragma once

#include "tests/tidy/source.hpp"

namespace sunder::tidy {

// Splits the code view into statements, each with its nested braces folded, and looks at those that
// await or spawn. A brace is folded into its statement when it stands in an expression (an
// initialiser, a lambda within an argument list) and starts a block otherwise.
[[nodiscard]] Violations check_coroutine_expressions(const Source& source);

}  // namespace sunder::tidy
