// How operations are named in sentences: "p6's read of 1", "write of 2 by p3 …, 1.3 s before".

#pragma once

#include <string>

#include "harness/history/history.hpp"

namespace sunder::checkers {

// "p3's write of 2", "p4's cas from 1 to 2", "p6's failed cas, which found 5".
[[nodiscard]] std::string phrase(const history::History& history,
                                 const history::Operation& operation);

// "p6 read 1", "p4 changed 1 to 2", as the beginning of a sentence.
[[nodiscard]] std::string statement(const history::History& history,
                                    const history::Operation& operation);

// How long `earlier` had been over when `later` began: "1.3s before", or "before" without times.
[[nodiscard]] std::string lead(const history::Operation& earlier, const history::Operation& later);

}  // namespace sunder::checkers
