// Codec: what the services of a saga send and store, as bytes and back.
//
// Frames between nodes are one protobuf message each. On disk every fact is a record of its own;
// names begin with a letter for the kind, numbers in them are eight bytes, big endian, so that
// their order is the numbers' order:
//   order service   c  the next saga's number        o<number>  a saga that has not ended
//                   d<number>  one that has          i<order>   its number, by order
//   participants    c  size of the ledger and which sagas are settled   k<number>  a mark
//                   l<object>  what is left of it    e<position>  an entry of the ledger
//
// Threading: pure functions. Errors: Errc::unreadable_input names what could not be read.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "harness/base/error.hpp"
#include "nodes/saga/orchestrator.hpp"
#include "nodes/saga/participant.hpp"
#include "nodes/saga/step.hpp"
#include "nodes/storage/record_store.hpp"

namespace sunder::nodes::saga {

// What of a participant's disk is told in pages.
enum class PageKind : std::uint8_t { ledger, levels };

struct Query {
  std::uint64_t id = 0;
  PageKind kind = PageKind::ledger;
  std::uint64_t page = 0;
};

struct Page {
  std::uint64_t id = 0;
  std::uint64_t total = 0;  // rows of all pages
  std::vector<std::string> rows;
};

using Frame = std::variant<Request, Reply, Query, Page>;

[[nodiscard]] std::string encode(const Frame& frame);
[[nodiscard]] Result<Frame> decode_frame(std::string_view bytes);

constexpr std::string_view kCounterName = "c";
constexpr char kOpenPrefix = 'o';
constexpr char kEndedPrefix = 'd';
constexpr char kOrderPrefix = 'i';
constexpr char kMarkPrefix = 'k';
constexpr char kLevelPrefix = 'l';
constexpr char kLedgerPrefix = 'e';

[[nodiscard]] std::string numbered_name(char prefix, std::uint64_t number);
[[nodiscard]] std::uint64_t number_in(std::string_view name);
// Eight bytes each.
[[nodiscard]] std::string encode_numbers(std::initializer_list<std::uint64_t> numbers);
[[nodiscard]] Result<std::vector<std::uint64_t>> decode_numbers(std::string_view bytes,
                                                                std::size_t count);

// The records that one save of a saga changes, but for the counter.
void add_records(const Saga& saga, std::vector<storage::Record>& records);
[[nodiscard]] Result<Saga> decode_saga(std::string_view bytes);

[[nodiscard]] std::vector<storage::Record> records_of(const Participant::Effects& effects,
                                                      std::uint64_t ledger_size,
                                                      SagaNumber settled_below);
[[nodiscard]] Result<Mark> decode_mark(std::string_view name, std::string_view bytes);
[[nodiscard]] Result<LedgerEntry> decode_ledger_entry(std::string_view name,
                                                      std::string_view bytes);

// One row of a page each.
// "17 o17 done i5 2 a3 40 home4 -", the reason last: "17 o17 undone … inventory: sold out".
[[nodiscard]] std::string row_of(const Saga& saga);
// "17 reserve o17 i5 2"
[[nodiscard]] std::string row_of(const LedgerEntry& entry, Step step);

[[nodiscard]] std::string_view name_of(Phase phase) noexcept;

}  // namespace sunder::nodes::saga
