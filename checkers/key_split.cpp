#include "checkers/key_split.hpp"

#include <algorithm>
#include <set>
#include <span>
#include <unordered_map>

#include <fmt/format.h>

#include "checkers/value_index.hpp"
#include "harness/base/large_pages.hpp"

namespace sunder::checkers {
namespace {

// The operations invoked just before and just after one, on the same key.
std::span<const std::uint32_t> neighbours(std::uint32_t operation, const KeyOperations& key) {
  constexpr std::size_t kEachSide = 2;
  const auto found = std::ranges::lower_bound(key.operations, operation);
  const auto position = static_cast<std::size_t>(found - key.operations.begin());
  const std::size_t begin = position > kEachSide ? position - kEachSide : 0;
  const std::size_t end = std::min(position + kEachSide + 1, key.operations.size());
  return std::span(key.operations).subspan(begin, end - begin);
}

}  // namespace

std::vector<KeyOperations> split_by_key(
    const history::History& history, history::Value (*part)(const history::Operation& operation)) {
  std::vector<KeyOperations> keys;
  std::unordered_map<std::uint64_t, std::size_t> index;
  ValueIndex parts(part == nullptr ? 0 : history.operations().size());
  const std::vector<history::Operation>& operations = history.operations();
  std::vector<std::uint32_t> sizes;
  std::vector<std::uint32_t> key_of(operations.size());
  std::uint64_t last = 0;  // the name before
  for (std::uint32_t i = 0; i < operations.size(); ++i) {
    std::uint64_t name = operations[i].key;
    if (part != nullptr) name |= std::uint64_t{parts.number(part(operations[i]))} << 32U;
    // The same as the last one's, mostly, when there are few.
    const std::size_t id =
        i > 0 && name == last ? key_of[i - 1] : index.try_emplace(name, keys.size()).first->second;
    last = name;
    if (id == keys.size()) {
      keys.push_back({operations[i].key, {}});
      sizes.push_back(0);
    }
    key_of[i] = static_cast<std::uint32_t>(id);
    ++sizes[id];
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    keys[i].operations.reserve(sizes[i]);
    base::use_large_pages(keys[i].operations);
  }
  for (std::uint32_t i = 0; i < operations.size(); ++i) keys[key_of[i]].operations.push_back(i);
  return keys;
}

void add_context(Counterexample& example,
                 const history::History& history,
                 const KeyOperations& operations) {
  example.key = history.pool().name(operations.key);
  if (!example.key.empty()) example.why += fmt::format(" (key {})", example.key);
  std::set<std::uint32_t> shown;
  for (const Counterexample::Item& item : example.items) {
    shown.insert(static_cast<std::uint32_t>(item.operation));
  }
  for (const std::uint32_t core : std::vector<std::uint32_t>(shown.begin(), shown.end())) {
    for (const std::uint32_t index : neighbours(core, operations)) {
      if (shown.insert(index).second) example.items.push_back({index, false, {}});
    }
  }
  std::ranges::sort(example.items, {}, &Counterexample::Item::operation);
}

}  // namespace sunder::checkers
