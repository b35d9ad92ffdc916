#include "nodes/quorum/records.hpp"

#include <utility>

namespace sunder::nodes::quorum {
namespace {

constexpr char kVersion = 'v';
constexpr char kHint = 'h';
constexpr std::size_t kOwnerBytes = 4;

}  // namespace

storage::Record record_of(const Change& change) {
  storage::Record record;
  if (change.owner == kNobody) {
    record.name = kVersion + change.key;
  } else {
    record.name.push_back(kHint);
    for (const int shift : {24, 16, 8, 0}) {
      record.name.push_back(static_cast<char>(change.owner >> shift));
    }
    record.name += change.key;
  }
  if (change.version) record.value = encode(*change.version);
  return record;
}

Result<void> take_record(std::string_view name, std::string_view value, Recovered& recovered) {
  auto version = decode_version(value);
  if (version.has_error()) return version.error();
  const char kind = name.empty() ? '\0' : name.front();
  name.remove_prefix(name.empty() ? 0 : 1);
  if (kind == kVersion) {
    recovered.items.push_back({.key = std::string(name), .version = std::move(*version)});
    return {};
  }
  if (kind != kHint || name.size() < kOwnerBytes) {
    return base::make_error(Errc::failed, "the disk holds a record that is not of a quorum node");
  }
  NodeId owner = 0;
  for (const char byte : name.substr(0, kOwnerBytes)) {
    owner = owner << 8U | static_cast<unsigned char>(byte);
  }
  name.remove_prefix(kOwnerBytes);
  recovered.hints.push_back(
      {.owner = owner, .item = {.key = std::string(name), .version = std::move(*version)}});
  return {};
}

}  // namespace sunder::nodes::quorum
