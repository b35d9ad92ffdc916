#include "harness/disk/tree_journal.hpp"

#include <algorithm>
#include <set>

#include "harness/base/assert.hpp"

namespace sunder::disk {

TreeJournal::TreeJournal() {
  nodes_[kRootInode].is_directory = true;
  entries_[kRootInode];
}

InodeId TreeJournal::create(InodeId directory, const std::string& name, bool is_directory) {
  SUNDER_ASSERT(entries_.contains(directory));
  const InodeId inode = next_++;
  const bool fresh = entries_[directory].emplace(name, inode).second;
  SUNDER_ASSERT(fresh);
  Node& node = nodes_[inode];
  node.is_directory = is_directory;
  node.place = {directory, name};
  if (is_directory) entries_[inode];
  journal_.push_back({Kind::create, inode, kNoInode, {}, node.place});
  return inode;
}

void TreeJournal::remove(InodeId directory, const std::string& name) {
  const auto found = find(directory, name);
  SUNDER_ASSERT(found.has_value());
  Node& node = nodes_.at(*found);
  SUNDER_ASSERT(!node.is_directory || entries_.at(*found).empty());
  journal_.push_back({Kind::remove, *found, kNoInode, node.place, {}});
  node.place = {};
  entries_[directory].erase(name);
}

void TreeJournal::rename(InodeId from,
                         const std::string& name,
                         InodeId to,
                         const std::string& new_name) {
  const auto moved = find(from, name);
  SUNDER_ASSERT(moved.has_value());
  const auto replaced = find(to, new_name);
  if (replaced == moved) return;
  Node& node = nodes_.at(*moved);
  if (replaced) nodes_.at(*replaced).place = {};
  entries_[from].erase(name);
  entries_[to].insert_or_assign(new_name, *moved);
  journal_.push_back(
      {Kind::rename, *moved, replaced.value_or(kNoInode), node.place, {to, new_name}});
  node.place = {to, new_name};
}

bool TreeJournal::touches(const Step& step, InodeId directory) {
  return step.from.directory == directory || step.to.directory == directory ||
         (step.kind == Kind::remove && step.inode == directory) || step.replaced == directory;
}

void TreeJournal::make_durable(const Step& step) {
  if (step.replaced != kNoInode) nodes_.at(step.replaced).durable = {};
  nodes_.at(step.inode).durable = step.to;
}

void TreeJournal::sync(InodeId directory) {
  // Backwards: a step that becomes durable takes along earlier ones in each of its directories.
  std::set<InodeId> reached{directory};
  std::vector<bool> chosen(journal_.size(), false);
  for (std::size_t i = journal_.size(); i-- > 0;) {
    const Step& step = journal_[i];
    const bool taken = std::ranges::any_of(
        reached, [&](InodeId reached_directory) { return touches(step, reached_directory); });
    if (!taken) continue;
    chosen[i] = true;
    if (step.from.directory != kNoInode) reached.insert(step.from.directory);
    if (step.to.directory != kNoInode) reached.insert(step.to.directory);
    if (step.kind == Kind::remove) reached.insert(step.inode);
    if (step.replaced != kNoInode) reached.insert(step.replaced);
  }
  std::vector<Step> steps = std::move(journal_);
  journal_.clear();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (chosen[i]) {
      make_durable(steps[i]);
    } else {
      journal_.push_back(std::move(steps[i]));
    }
  }
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (!chosen[i]) continue;
    drop(steps[i].inode);
    if (steps[i].replaced != kNoInode) drop(steps[i].replaced);
  }
}

void TreeJournal::sync_all() {
  const std::vector<Step> steps = std::move(journal_);
  journal_.clear();
  for (const Step& step : steps) make_durable(step);
  for (const Step& step : steps) {
    drop(step.inode);
    if (step.replaced != kNoInode) drop(step.replaced);
  }
}

void TreeJournal::drop(InodeId inode) {
  const auto node = nodes_.find(inode);
  if (node == nodes_.end() || inode == kRootInode) return;
  const bool named = node->second.place.directory != kNoInode;
  if (named || has_durable_name(inode)) return;
  // A step that is not durable yet may still give it a name.
  const bool pending = std::ranges::any_of(
      journal_, [&](const Step& step) { return step.inode == inode || step.replaced == inode; });
  if (pending) return;
  nodes_.erase(node);
  entries_.erase(inode);
}

TreeLoss TreeJournal::lose_power(std::size_t kept) {
  TreeLoss loss;
  const std::size_t first = std::min(kept, journal_.size());
  for (std::size_t i = 0; i < first; ++i) make_durable(journal_[i]);
  for (std::size_t i = first; i < journal_.size(); ++i) {
    if (journal_[i].kind == Kind::rename) ++loss.renames;
  }
  std::set<std::string> before;
  std::set<std::string> after;
  for (const auto& [inode, node] : nodes_) {
    if (inode == kRootInode) continue;
    if (const auto name = path(inode)) before.insert(*name);
    if (const auto name = durable_path(inode)) after.insert(*name);
  }
  std::ranges::set_difference(before, after, std::back_inserter(loss.entries));
  std::ranges::set_difference(after, before, std::back_inserter(loss.returned));

  std::map<InodeId, Node> nodes;
  Entries entries;
  entries[kRootInode];
  for (auto& [inode, node] : nodes_) {
    const bool reachable = inode == kRootInode || durable_path(inode).has_value();
    if (!reachable) continue;
    nodes[inode] = {node.is_directory, node.durable, node.durable};
    if (node.is_directory) entries[inode];
  }
  for (const auto& [inode, node] : nodes) {
    if (inode != kRootInode) entries[node.place.directory].emplace(node.place.name, inode);
  }
  nodes_ = std::move(nodes);
  entries_ = std::move(entries);
  journal_.clear();
  return loss;
}

std::optional<InodeId> TreeJournal::find(InodeId directory, const std::string& name) const {
  const auto entries = entries_.find(directory);
  if (entries == entries_.end()) return std::nullopt;
  const auto found = entries->second.find(name);
  return found == entries->second.end() ? std::nullopt : std::optional(found->second);
}

bool TreeJournal::is_directory(InodeId inode) const {
  const auto found = nodes_.find(inode);
  return found != nodes_.end() && found->second.is_directory;
}

const std::map<std::string, InodeId>& TreeJournal::entries(InodeId directory) const {
  return entries_.at(directory);
}

InodeId TreeJournal::parent(InodeId inode) const {
  return inode == kRootInode ? kRootInode : nodes_.at(inode).place.directory;
}

bool TreeJournal::has_durable_name(InodeId inode) const {
  const auto found = nodes_.find(inode);
  return found != nodes_.end() && found->second.durable.directory != kNoInode;
}

std::optional<std::string> TreeJournal::path_of(InodeId inode, Place Node::*place) const {
  std::string path;
  while (inode != kRootInode) {
    const auto node = nodes_.find(inode);
    if (node == nodes_.end()) return std::nullopt;
    const Place& at = node->second.*place;
    if (at.directory == kNoInode) return std::nullopt;
    path = path.empty() ? at.name : at.name + "/" + path;
    inode = at.directory;
  }
  return path;
}

std::optional<std::string> TreeJournal::path(InodeId inode) const {
  return path_of(inode, &Node::place);
}

std::optional<std::string> TreeJournal::durable_path(InodeId inode) const {
  return path_of(inode, &Node::durable);
}

}  // namespace sunder::disk
