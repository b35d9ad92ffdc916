#include "harness/disk/durable_file.hpp"

#include <algorithm>
#include <ranges>

namespace sunder::disk {
namespace {

// Beyond this the oldest changes count as written back, as a kernel does when it runs out of clean
// pages.
constexpr std::uint64_t kRememberedMax = std::uint64_t{64} << 20;

}  // namespace

Result<void> DurableFile::write(Medium& medium, std::uint64_t offset, std::string_view bytes) {
  if (bytes.empty()) return {};
  Change change;
  change.offset = offset;
  const auto size = medium.size();
  SUNDER_TRY(size);
  change.size_before = *size;
  change.size_after = std::max<std::uint64_t>(*size, offset + bytes.size());
  if (offset < *size) {
    auto before = medium.read(offset, std::min<std::uint64_t>(bytes.size(), *size - offset));
    SUNDER_TRY(before);
    change.before = std::move(*before);
  }
  change.after = bytes;
  SUNDER_TRY(medium.write(offset, bytes));
  remember(std::move(change));
  return {};
}

Result<void> DurableFile::resize(Medium& medium, std::uint64_t size) {
  Change change;
  const auto size_before = medium.size();
  SUNDER_TRY(size_before);
  if (*size_before == size) return {};
  change.size_before = *size_before;
  change.size_after = size;
  change.offset = std::min(size, *size_before);
  if (size < *size_before) {
    auto before = medium.read(size, *size_before - size);
    SUNDER_TRY(before);
    change.before = std::move(*before);
  }
  SUNDER_TRY(medium.resize(size));
  remember(std::move(change));
  return {};
}

void DurableFile::remember(Change change) {
  remembered_ += change.before.size() + change.after.size();
  changes_.push_back(std::move(change));
  if (remembered_ <= kRememberedMax) return;
  std::uint64_t excess = remembered_ - kRememberedMax / 2;
  for (Change& old : changes_) {
    if (excess == 0) break;
    if (old.fate == Fate::unsynced) old.fate = Fate::durable;
    excess -= std::min<std::uint64_t>(excess, old.before.size() + old.after.size());
  }
  drop_durable_front();
}

// A durable change before all others can never be taken back.
void DurableFile::drop_durable_front() {
  const auto kept = std::ranges::find_if(
      changes_, [](const Change& change) { return change.fate != Fate::durable; });
  for (auto change = changes_.begin(); change != kept; ++change) {
    remembered_ -= change->before.size() + change->after.size();
  }
  changes_.erase(changes_.begin(), kept);
}

void DurableFile::sync() {
  for (Change& change : changes_) {
    if (change.fate == Fate::unsynced) change.fate = Fate::durable;
  }
  drop_durable_front();
}

void DurableFile::fail_sync() {
  for (Change& change : changes_) {
    if (change.fate != Fate::unsynced) continue;
    change.fate = Fate::doomed;
    ++doomed_;
  }
}

Result<void> DurableFile::take_back(Medium& medium, const Change& change) {
  if (!change.before.empty()) SUNDER_TRY(medium.write(change.offset, change.before));
  if (change.size_before != change.size_after) SUNDER_TRY(medium.resize(change.size_before));
  return {};
}

Result<void> DurableFile::redo(Medium& medium, const Change& change) {
  if (change.after.empty()) return medium.resize(change.size_after);
  return medium.write(change.offset, change.after);
}

Result<void> DurableFile::forget_doomed(Medium& medium) {
  if (doomed_ == 0) return {};
  std::vector<Change> changes = std::move(changes_);
  changes_.clear();
  remembered_ = 0;
  doomed_ = 0;
  for (const Change& change : std::views::reverse(changes)) SUNDER_TRY(take_back(medium, change));
  for (const Change& change : changes) {
    if (change.fate == Fate::doomed) continue;
    // Done anew: it replaces other bytes than it did then.
    if (change.after.empty()) {
      SUNDER_TRY(resize(medium, change.size_after));
    } else {
      SUNDER_TRY(write(medium, change.offset, change.after));
    }
    if (!changes_.empty()) changes_.back().fate = change.fate;
  }
  drop_durable_front();
  return {};
}

Result<void> DurableFile::redo_survivors(Medium& medium,
                                         const Survival& survival,
                                         base::Random& random,
                                         FileLoss& loss) const {
  const auto sectors_of = [&](const Change& change) {
    const std::uint64_t first = change.offset / survival.sector;
    return (change.offset + change.after.size() - 1) / survival.sector - first + 1;
  };
  std::uint64_t sectors = 0;
  for (const Change& change : changes_) {
    if (change.fate == Fate::unsynced) sectors += change.after.empty() ? 1 : sectors_of(change);
  }
  std::uint64_t torn = sectors;  // how many come before the one that is forgotten in any case
  if (survival.tears && sectors > 0) torn = random.below(sectors);
  std::uint64_t left = 0;  // sectors that survive when the first ones do
  if (survival.in_order && survival.keep > 0) {
    left =
        random.below(static_cast<std::uint64_t>(static_cast<double>(sectors) * survival.keep) + 1);
  }
  const auto survives = [&] {
    if (!survival.in_order) {
      const bool chosen = survival.keep > 0 && random.chance(survival.keep);
      return torn-- != 0 && chosen;
    }
    return left > 0 && left-- > 0;
  };
  for (const Change& change : changes_) {
    if (change.fate == Fate::durable) {
      SUNDER_TRY(redo(medium, change));
    } else if (change.fate == Fate::doomed) {
      change.after.empty() ? ++loss.truncations : loss.bytes += change.after.size();
    } else if (change.after.empty()) {
      if (survives()) {
        SUNDER_TRY(redo(medium, change));
      } else {
        ++loss.truncations;
      }
    } else {
      const std::string_view bytes = change.after;
      for (std::uint64_t at = change.offset; at < change.offset + bytes.size();) {
        const std::uint64_t end = std::min<std::uint64_t>(
            (at / survival.sector + 1) * survival.sector, change.offset + bytes.size());
        if (survives()) {
          SUNDER_TRY(medium.write(at, bytes.substr(at - change.offset, end - at)));
          loss.kept += end - at;
        } else {
          loss.bytes += end - at;
        }
        at = end;
      }
    }
  }
  return {};
}

Result<FileLoss> DurableFile::lose_power(Medium& medium,
                                         const Survival& survival,
                                         base::Random& random) {
  FileLoss loss;
  for (const Change& change : std::views::reverse(changes_)) SUNDER_TRY(take_back(medium, change));
  SUNDER_TRY(redo_survivors(medium, survival, random, loss));
  changes_.clear();
  remembered_ = 0;
  doomed_ = 0;
  return loss;
}

}  // namespace sunder::disk
