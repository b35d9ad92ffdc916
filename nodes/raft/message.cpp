// Chain hashes of entries, and messages as one line each.

#include "nodes/raft/message.hpp"

#include <string>
#include <string_view>
#include <variant>

#include <fmt/format.h>

#include "harness/base/random.hpp"

namespace sunder::nodes::raft {
namespace {

struct Describer {
  std::string operator()(const VoteRequest& request) const {
    return fmt::format("{} last={}/{}{}",
                       request.pre ? "pre-vote" : "vote",
                       request.last_index,
                       request.last_term,
                       request.transfer ? " transfer" : "");
  }

  std::string operator()(const VoteReply& reply) const {
    return fmt::format(
        "{}-reply {}", reply.pre ? "pre-vote" : "vote", reply.granted ? "granted" : "refused");
  }

  std::string operator()(const AppendRequest& request) const {
    std::string entries;
    if (!request.entries.empty()) {
      entries = fmt::format(
          " entries={}..{}", request.entries.front().index, request.entries.back().index);
    }
    return fmt::format("append previous={}/{}{} commit={} round={}",
                       request.previous_index,
                       request.previous_term,
                       entries,
                       request.commit,
                       request.round);
  }

  std::string operator()(const AppendReply& reply) const {
    if (reply.success)
      return fmt::format("append-reply match={} round={}", reply.match, reply.round);
    return fmt::format("append-reply rejected={} conflict={}/{} round={}",
                       reply.rejected,
                       reply.conflict_index,
                       reply.conflict_term,
                       reply.round);
  }

  std::string operator()(const SnapshotRequest& request) const {
    return fmt::format("snapshot {}/{}", request.snapshot.index, request.snapshot.term);
  }

  std::string operator()(const TimeoutNow& /*request*/) const { return "timeout-now"; }
};

}  // namespace

std::uint64_t chain_hash(std::uint64_t previous, const Entry& entry) noexcept {
  std::uint64_t state = previous ^ (entry.term * 0x9e3779b97f4a7c15ULL);
  state = base::splitmix64(state) + static_cast<std::uint64_t>(entry.kind);
  state = base::splitmix64(state) ^ base::stable_hash(entry.data);
  return base::splitmix64(state);
}

std::string describe(const Message& message) {
  return fmt::format("{}->{} t{} {}",
                     message.from,
                     message.to,
                     message.term,
                     std::visit(Describer{}, message.body));
}

std::string_view name_of(EntryKind kind) noexcept {
  switch (kind) {
    case EntryKind::noop:
      return "noop";
    case EntryKind::command:
      return "command";
    case EntryKind::configuration:
      return "configuration";
  }
  return "?";
}

}  // namespace sunder::nodes::raft
