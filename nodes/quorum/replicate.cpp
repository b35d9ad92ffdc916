// What a node keeps for itself, and as hints for others until they are back.

#include <algorithm>
#include <utility>

#include "nodes/quorum/core.hpp"
#include "nodes/quorum/limits.hpp"

namespace sunder::nodes::quorum {

bool Core::keep(const std::string& key, const Version& version, bool force) {
  if (!versions_.put(key, version, force)) return false;
  out_.writes.push_back({.owner = kNobody, .key = key, .version = version});
  return true;
}

// One hint a key and owner: what it replaces would lose there as well.
void Core::keep_hint(NodeId owner, const std::string& key, const Version& version) {
  auto& hints = hints_[owner];
  const auto [found, added] = hints.try_emplace(key, KeptHint{.version = version});
  if (!added) {
    if (!wins(version, found->second.version)) return;
    found->second = {.version = version};
  }
  ++tally_.hinted;
  out_.writes.push_back({.owner = owner, .key = key, .version = version});
}

void Core::forget_hint(NodeId owner, const std::string& key, const Stamp& stamp) {
  const auto hints = hints_.find(owner);
  if (hints == hints_.end()) return;
  const auto found = hints->second.find(key);
  if (found == hints->second.end() || found->second.version.stamp != stamp) return;
  hints->second.erase(found);
  if (hints->second.empty()) hints_.erase(hints);
  ++tally_.handed_off;
  out_.writes.push_back({.owner = owner, .key = key, .version = {}});
}

std::size_t Core::hints() const noexcept {
  std::size_t count = 0;
  for (const auto& [owner, hints] : hints_) count += hints.size();
  return count;
}

// Hints count: whoever stands in for a keeper answers as the keeper would.
std::optional<Version> Core::newest(const std::string& key) const {
  const Version* best = versions_.find(key);
  for (const auto& [owner, hints] : hints_) {
    const auto found = hints.find(key);
    if (found == hints.end()) continue;
    if (best == nullptr || wins(found->second.version, *best)) best = &found->second.version;
  }
  if (best == nullptr) return std::nullopt;
  return *best;
}

void Core::receive_store(Message& message) {
  if (!message.version) return;
  clock_.see(message.version->stamp);
  const bool hint = message.owner != kNobody && message.owner != options_.id;
  if (hint) {
    if (heard_.contains(message.owner)) keep_hint(message.owner, message.key, *message.version);
  } else {
    keep(message.key, *message.version, message.force);
  }
  if (message.kind == MessageKind::handoff) {
    Message answer = reply_to(message, MessageKind::handed);
    answer.stamp = message.version->stamp;
    hold(std::move(answer));
  } else if (message.request != 0) {
    hold(reply_to(message, MessageKind::stored));
  }
}

// To every owner that is near again, some of what is kept for it.
void Core::hand_off() {
  for (auto& [owner, hints] : hints_) {
    if (!is_near(owner)) continue;
    std::string& after = handing_[owner];
    auto at = hints.upper_bound(after);
    for (std::size_t i = 0; i < std::min(kHandoffsPerTick, hints.size()); ++i) {
      if (at == hints.end()) at = hints.begin();
      KeptHint& hint = at->second;
      if (hint.sent == 0 || ticks_ - hint.sent >= kHandoffTicks) {
        hint.sent = ticks_;
        Message message;
        message.kind = MessageKind::handoff;
        message.to = owner;
        message.key = at->first;
        message.version = hint.version;
        send(std::move(message));
      }
      after = at->first;
      ++at;
    }
  }
}

}  // namespace sunder::nodes::quorum
