// ReadSources: what the reads of one register found, and which writes each can have found it from.
//
// Only reads with a known result count. A write that definitely failed wrote nothing; one of
// unknown outcome may have written. A read finds nothing from a write that began after it had
// ended.
//
// Threading: immutable after construction; the history must outlive it.

#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "checkers/key_split.hpp"
#include "harness/history/history.hpp"

namespace sunder::checkers {

class ReadSources {
 public:
  ReadSources(const history::History& history, const KeyOperations& key);

  // Reads whose result is known, nil included; in order of invocation.
  [[nodiscard]] const std::vector<std::uint32_t>& reads() const noexcept { return reads_; }

  // Writes that may have happened; in order of invocation.
  [[nodiscard]] const std::vector<std::uint32_t>& writes() const noexcept { return writes_; }

  // Of those the writes of the value that the read found, in order of invocation; `begun` ones
  // began before it ended. For a read of nil that nobody wrote: none. They live as long as this
  // object.
  struct Sources {
    std::span<const std::uint32_t> begun;
    std::span<const std::uint32_t> later;
  };

  [[nodiscard]] Sources of(const history::Operation& read) const;

 private:
  const history::History* history_;
  std::vector<std::uint32_t> reads_;
  std::vector<std::uint32_t> writes_;
  std::unordered_map<history::Value, std::vector<std::uint32_t>, history::ValueHash> by_value_;
};

}  // namespace sunder::checkers
