// Problems: what contradicts the promises of a work queue, found message by message.
//
// Each function looks for problems of a few kinds; the promises say which kinds break them. Nothing
// is held against the queue that an operation of unknown outcome explains.
//
// `find_ownership_problems` goes through a message's deliveries in the order of their receipts and
// lets everything happen as early as it may have: a delivery at the earliest when the one before
// was over, its end at the earliest when its visibility time was over since then. What then comes
// too late for its own operation is a contradiction, and nothing else is: the constraints are all
// of the form "not before". A receipt that was skipped went to a receive of unknown outcome.
//
// Threading: pure functions.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checkers/delivery/lives.hpp"
#include "checkers/verdict.hpp"

namespace sunder::checkers::delivery {

enum class ProblemKind : std::uint8_t {
  unsent,            // received, never sent
  changed_body,      // received with another body
  changed_letter,    // a dead letter with another body
  sent_twice,        // sent once, there under two numbers
  returned,          // received after it was acknowledged
  too_many,          // a stat counts more than can be there
  overlap,           // received while somebody else owned it
  shared_receipt,    // two receives got the same receipt
  accepted_receipt,  // a receipt was accepted that was not the owner's
  refused_owner,     // the owner's receipt was refused
  lost,              // a stat counts less than must be there
  skipped,           // a receipt that nobody can have got
  early_letter,      // a dead letter after too few deliveries
  late_letter,       // delivered more often than allowed
  over_limit,        // accepted although the queue was full
  under_limit,       // refused although it was not
  overdue,           // a receive found nothing although a message was due
};

// "received twice at once", as a title.
[[nodiscard]] std::string_view name_of(ProblemKind kind) noexcept;

struct Problem {
  ProblemKind kind = ProblemKind::unsent;
  history::Symbol queue = 0;
  std::int64_t number = -1;  // of the message; -1: none in particular
  std::string why;
  std::vector<Counterexample::Item> items;
};

// unsent, changed_body, changed_letter, sent_twice.
[[nodiscard]] std::vector<Problem> find_identity_problems(const Lives& lives);
// returned, overlap, shared_receipt, accepted_receipt, refused_owner.
[[nodiscard]] std::vector<Problem> find_ownership_problems(const Lives& lives);
// skipped; unless `deliveries_max` is 0, early_letter and late_letter.
[[nodiscard]] std::vector<Problem> find_letter_problems(const Lives& lives,
                                                        std::int64_t deliveries_max);
// lost, too_many.
[[nodiscard]] std::vector<Problem> find_count_problems(const Lives& lives);
// over_limit, under_limit.
[[nodiscard]] std::vector<Problem> find_limit_problems(const Lives& lives, std::int64_t length_max);

}  // namespace sunder::checkers::delivery
