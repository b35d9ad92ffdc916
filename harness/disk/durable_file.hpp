// DurableFile: what of one file's bytes would survive a loss of power, and what would be forgotten.
//
// The medium always holds the file as its readers see it. Beside it, every change since the last
// sync is remembered with the bytes it replaced, so that a loss of power takes the changes back:
// all of them, or all but a seeded choice of sectors, as real disks write back what they like. A
// sync that fails dooms the changes it should have made durable: they stay visible until the last
// descriptor is closed, no later sync saves them (Linux; Rebello et al., ATC'20), and a loss of
// power takes them back.
//
// Threading: one owner. Errors: the medium's own.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/random.hpp"

namespace sunder::disk {

// Where a file's bytes are: a descriptor, or a string in tests.
class Medium {
 public:
  virtual ~Medium() = default;
  [[nodiscard]] virtual Result<std::uint64_t> size() const = 0;
  // Fewer bytes at the end of the file.
  [[nodiscard]] virtual Result<std::string> read(std::uint64_t offset,
                                                 std::uint64_t length) const = 0;
  [[nodiscard]] virtual Result<void> write(std::uint64_t offset, std::string_view bytes) = 0;
  [[nodiscard]] virtual Result<void> resize(std::uint64_t size) = 0;
};

// Which unsynced changes outlive a loss of power.
struct Survival {
  double keep = 0;             // probability of each sector; in order: how much of them, at most
  bool in_order = false;       // the first ones survive, instead of any
  bool tears = false;          // of any: one sector of each file is forgotten whatever the chances
  std::uint32_t sector = 512;  // bytes that a disk writes whole

  friend bool operator==(const Survival&, const Survival&) = default;
};

struct FileLoss {
  std::uint64_t bytes = 0;        // written, not synced, forgotten
  std::uint64_t truncations = 0;  // changes of size, forgotten
  std::uint64_t kept = 0;         // bytes written, not synced, yet there

  [[nodiscard]] bool anything() const noexcept { return bytes > 0 || truncations > 0 || kept > 0; }
};

class DurableFile {
 public:
  // Remembers what the bytes replace, then writes them.
  [[nodiscard]] Result<void> write(Medium& medium, std::uint64_t offset, std::string_view bytes);
  [[nodiscard]] Result<void> resize(Medium& medium, std::uint64_t size);
  // What was changed since the last sync is durable from now on, doomed changes excepted.
  void sync();
  // The sync failed: what it should have made durable is doomed.
  void fail_sync();
  // Takes doomed changes back, as the page cache does when nobody has the file open.
  [[nodiscard]] Result<void> forget_doomed(Medium& medium);
  // Brings the medium to what survives; everything left is durable.
  [[nodiscard]] Result<FileLoss> lose_power(Medium& medium,
                                            const Survival& survival,
                                            base::Random& random);

  [[nodiscard]] bool has_doomed() const noexcept { return doomed_ > 0; }

  [[nodiscard]] bool all_durable() const noexcept { return changes_.empty(); }

 private:
  enum class Fate : std::uint8_t { unsynced, durable, doomed };

  struct Change {
    std::uint64_t offset = 0;
    std::string before;  // the bytes replaced, or cut off
    std::uint64_t size_before = 0;
    std::string after;  // the bytes written; empty: a change of size
    std::uint64_t size_after = 0;
    Fate fate = Fate::unsynced;
  };

  void remember(Change change);
  void drop_durable_front();
  [[nodiscard]] static Result<void> take_back(Medium& medium, const Change& change);
  [[nodiscard]] static Result<void> redo(Medium& medium, const Change& change);
  [[nodiscard]] Result<void> redo_survivors(Medium& medium,
                                            const Survival& survival,
                                            base::Random& random,
                                            FileLoss& loss) const;

  std::vector<Change> changes_;   // in order; begins with one that is not durable
  std::uint64_t remembered_ = 0;  // bytes in changes_
  std::size_t doomed_ = 0;
};

}  // namespace sunder::disk
