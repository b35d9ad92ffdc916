// Histories as files have them, for measuring readers: how fast, and how much memory afterwards.
//
// Functions of their arguments alone.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "harness/history/history.hpp"

namespace sunder::test {

// Jepsen's maps of the events of a history.jsonl, one a line:
// {:process 3, :type :ok, :f :txn, :value [[:r 7 1]]}.
[[nodiscard]] std::string to_edn(std::string_view jsonl);

// Plume's text of transactions of eight events, by 50 sessions in turn.
[[nodiscard]] std::string plume_text(std::int64_t transactions);

// Reads and writes as fptlin has them, whatever their keys: "3 17 20 write 7".
[[nodiscard]] std::string intervals_text(const history::History& history);

// What a history's operations take by themselves, in bytes: each its structure, and eight for every
// number, text or nil in its lists. A transaction's list counts once, as it was when it ended,
// though both its events give it.
[[nodiscard]] std::size_t own_size(const history::History& history);

}  // namespace sunder::test
