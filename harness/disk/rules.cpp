#include "harness/disk/rules.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fmt/format.h>
#include <fnmatch.h>

namespace sunder::disk {
namespace {

constexpr std::uint64_t kSector = 512;

struct KindName {
  RuleKind kind;
  std::string_view name;
};

constexpr std::array kKindNames{
    KindName{RuleKind::disk_error, "disk-error"},
    KindName{RuleKind::disk_full, "disk-full"},
    KindName{RuleKind::short_io, "short-io"},
    KindName{RuleKind::bit_flip, "bit-flip"},
    KindName{RuleKind::lost_write, "lost-write"},
    KindName{RuleKind::misdirected_write, "misdirected-write"},
    KindName{RuleKind::fsync_fail, "fsync-fail"},
    KindName{RuleKind::fsync_slow, "fsync-slow"},
};

std::string_view name_of(Operation operation) {
  switch (operation) {
    case Operation::read:
      return "read";
    case Operation::write:
      return "write";
    case Operation::sync:
      return "sync";
  }
  return "";
}

bool concerns(const Rule& rule, const Attempt& attempt) {
  const Operation operation = attempt.operation;
  const bool asked = rule.operation.empty() || rule.operation == name_of(operation);
  switch (rule.kind) {
    case RuleKind::disk_error:
      return asked || rule.operation == "any";
    case RuleKind::disk_full:
      return operation == Operation::write && attempt.growth > 0;
    case RuleKind::short_io:
      return operation != Operation::sync && attempt.length > 1 &&
             (asked || rule.operation == "any");
    case RuleKind::bit_flip:
      return operation != Operation::sync && attempt.length > 0 && asked;
    case RuleKind::lost_write:
    case RuleKind::misdirected_write:
      return operation == Operation::write;
    case RuleKind::fsync_fail:
    case RuleKind::fsync_slow:
      return operation == Operation::sync;
  }
  return false;
}

// A sector-aligned shift to another place in the file, or behind its end when it is too small.
std::uint64_t another_place(const Attempt& attempt, base::Random& random) {
  const std::uint64_t sectors = attempt.file_size / kSector + 1;
  const std::uint64_t own = attempt.offset / kSector;
  const std::uint64_t drawn = random.below(sectors);
  const std::uint64_t other = drawn == own ? own + 1 : drawn;
  return other * kSector + attempt.offset % kSector;
}

}  // namespace

std::string_view name_of(RuleKind kind) noexcept {
  const auto found = std::ranges::find(kKindNames, kind, &KindName::kind);
  return found == kKindNames.end() ? "" : found->name;
}

std::optional<RuleKind> rule_kind_named(std::string_view name) noexcept {
  const auto found = std::ranges::find(kKindNames, name, &KindName::name);
  return found == kKindNames.end() ? std::nullopt : std::optional(found->kind);
}

bool matches(const std::string& glob, std::string_view path) {
  const std::string whole(path);
  const bool whole_path = glob.find('/') != std::string::npos;
  const std::string name = whole_path ? whole : whole.substr(whole.rfind('/') + 1);
  return ::fnmatch(glob.c_str(), name.c_str(), whole_path ? FNM_PATHNAME : 0) == 0;
}

Result<void> Rules::arm(std::uint32_t id, const Rule& rule) {
  constexpr std::array<std::string_view, 5> kOperations{"", "any", "read", "sync", "write"};
  if (std::ranges::find(kOperations, rule.operation) == kOperations.end()) {
    return base::make_error(Errc::usage,
                            fmt::format("'{}' is not any, read, write or sync", rule.operation));
  }
  if (!(rule.rate > 0 && rule.rate <= 1)) {
    return base::make_error(Errc::usage, fmt::format("rate {} is not in (0, 1]", rule.rate));
  }
  if (armed_.contains(id)) {
    return base::make_error(Errc::usage, fmt::format("rule {} is armed already", id));
  }
  armed_.emplace(id, Armed{rule, base::Random(rule.seed), {}, 0});
  return {};
}

std::optional<RuleCounters> Rules::disarm(std::uint32_t id) {
  const auto counted = counters(id);
  armed_.erase(id);
  return counted;
}

std::optional<RuleCounters> Rules::counters(std::uint32_t id) const {
  const auto found = armed_.find(id);
  return found == armed_.end() ? std::nullopt : std::optional(found->second.counters);
}

void Rules::strike(Armed& armed, const Attempt& attempt, Ruling& ruling) {
  switch (armed.rule.kind) {
    case RuleKind::disk_error:
      ruling.error = EIO;
      break;
    case RuleKind::disk_full:
      ruling.error = ENOSPC;
      break;
    case RuleKind::short_io:
      ruling.length = 1 + armed.random.below(attempt.length - 1);
      break;
    case RuleKind::bit_flip:
      ruling.flip = armed.random.below(attempt.length * 8);
      break;
    case RuleKind::lost_write:
      ruling.lost = true;
      break;
    case RuleKind::misdirected_write:
      ruling.misdirect = another_place(attempt, armed.random);
      break;
    case RuleKind::fsync_fail:
      ruling.error = EIO;
      ruling.fail_sync = true;
      break;
    case RuleKind::fsync_slow:
      ruling.delay += armed.rule.delay;
      break;
  }
}

Ruling Rules::judge(const Attempt& attempt) {
  Ruling ruling;
  for (auto& [id, armed] : armed_) {
    const Rule& rule = armed.rule;
    if (!concerns(rule, attempt) || !matches(rule.files, attempt.path)) continue;
    ++armed.counters.seen;
    bool struck = rule.nth == 0 || armed.counters.seen == rule.nth;
    if (rule.kind == RuleKind::disk_full) {
      struck = armed.used + attempt.growth > rule.quota;
      if (!struck) armed.used += attempt.growth;
    } else if (struck && rule.nth == 0 && rule.rate < 1) {
      struck = armed.random.chance(rule.rate);
    }
    if (!struck) continue;
    ++armed.counters.struck;
    armed.counters.bytes += attempt.length;
    strike(armed, attempt, ruling);
  }
  return ruling;
}

}  // namespace sunder::disk
