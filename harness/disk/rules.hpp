// Rules: which operations of a disk go wrong, and how. A rule matches operations by kind and file
// name and strikes at the n-th of them, at random with a rate, or each time.
//
// Every rule counts what it saw and what it struck: the evidence of its fault. Several rules may
// match one operation; an error wins over everything else, delays add.
//
// Threading: one owner. Pure: chance comes from each rule's own seed.

#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "harness/base/error.hpp"
#include "harness/base/random.hpp"

namespace sunder::disk {

enum class RuleKind : std::uint8_t {
  disk_error,         // EIO
  disk_full,          // ENOSPC for bytes beyond a quota
  short_io,           // fewer bytes than asked for
  bit_flip,           // one bit of what is read, or of what is stored
  lost_write,         // acknowledged, never written
  misdirected_write,  // acknowledged, written somewhere else in the file
  fsync_fail,         // EIO, and what should have been synced is forgotten
  fsync_slow,         // answered late
};

[[nodiscard]] std::string_view name_of(RuleKind kind) noexcept;
[[nodiscard]] std::optional<RuleKind> rule_kind_named(std::string_view name) noexcept;

enum class Operation : std::uint8_t { read, write, sync };

struct Rule {
  RuleKind kind = RuleKind::disk_error;
  std::string files = "*";     // a glob over the file's name, or over its path if it has a slash
  std::string operation = {};  // disk-error: "read", "write", "sync" or "any"; bit-flip: "read" or
                               // "write"; empty: what suits the kind
  std::uint64_t nth = 0;       // strikes only the n-th matching operation
  double rate = 1;             // probability of striking; nth goes first
  std::uint64_t seed = 0;      // of chance
  std::chrono::nanoseconds delay{0};  // fsync-slow
  std::uint64_t quota = 0;            // disk-full: bytes that may still be added

  friend bool operator==(const Rule&, const Rule&) = default;
};

struct RuleCounters {
  std::uint64_t seen = 0;    // matching operations
  std::uint64_t struck = 0;  // of them
  std::uint64_t bytes = 0;   // touched by what was struck
};

// What is to become of one operation.
struct Ruling {
  int error = 0;                           // an errno; 0: none
  std::optional<std::uint64_t> length;     // carry out only so much
  std::chrono::nanoseconds delay{0};       // before the answer
  std::optional<std::uint64_t> flip;       // the bit to flip in the bytes read or written
  bool lost = false;                       // do not write
  std::optional<std::uint64_t> misdirect;  // write at this offset instead
  bool fail_sync = false;                  // forget what the sync should have made durable
};

// An operation as rules see it.
struct Attempt {
  Operation operation = Operation::read;
  std::string_view path;  // from the root of the disk
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::uint64_t growth = 0;     // bytes that a write adds to the file
  std::uint64_t file_size = 0;  // before it
};

class Rules {
 public:
  // Errc::usage: a rule that means nothing.
  [[nodiscard]] Result<void> arm(std::uint32_t id, const Rule& rule);
  // None: no such rule was armed. What it counted.
  std::optional<RuleCounters> disarm(std::uint32_t id);
  [[nodiscard]] std::optional<RuleCounters> counters(std::uint32_t id) const;

  [[nodiscard]] bool empty() const noexcept { return armed_.empty(); }

  [[nodiscard]] std::size_t armed() const noexcept { return armed_.size(); }

  // Judges an operation and counts it.
  [[nodiscard]] Ruling judge(const Attempt& attempt);

 private:
  struct Armed {
    Rule rule;
    base::Random random{0};
    RuleCounters counters;
    std::uint64_t used = 0;  // disk-full: bytes added since
  };

  static void strike(Armed& armed, const Attempt& attempt, Ruling& ruling);

  std::map<std::uint32_t, Armed> armed_;
};

// Whether a glob means this path: over its last part unless the glob has a slash.
[[nodiscard]] bool matches(const std::string& glob, std::string_view path);

}  // namespace sunder::disk
