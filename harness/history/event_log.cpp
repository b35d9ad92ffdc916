// Packs events: numbers in base 128, the least significant seven bits first, signed ones folded so
// that small negative numbers stay short (as in Protocol Buffers' encoding).

#include "harness/history/event_log.hpp"

#include "harness/base/assert.hpp"

namespace sunder::history {
namespace {

constexpr std::size_t kChunk_bytes = std::size_t{1} << 20;

void put(std::string& bytes, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7U) {
    bytes.push_back(static_cast<char>((number & 0x7FU) | 0x80U));
  }
  bytes.push_back(static_cast<char>(number));
}

std::uint64_t folded(std::int64_t number) noexcept {
  return (static_cast<std::uint64_t>(number) << 1U) ^ static_cast<std::uint64_t>(number >> 63);
}

std::int64_t unfolded(std::uint64_t number) noexcept {
  return static_cast<std::int64_t>((number >> 1U) ^ (~(number & 1U) + 1U));
}

std::uint64_t take(const std::string& bytes, std::size_t& offset) {
  std::uint64_t number = 0;
  for (unsigned shift = 0;; shift += 7) {
    SUNDER_ASSERT(offset < bytes.size() && shift < 64);
    const auto byte = static_cast<unsigned char>(bytes[offset++]);
    number |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if (byte < 0x80U) return number;
  }
}

}  // namespace

EventLog::EventLog(std::initializer_list<NodeEvent> events) {
  for (const NodeEvent& event : events) push_back(event);
}

std::uint64_t EventLog::number_of(const std::string& name) {
  const auto [found, added] = numbers_.try_emplace(name, names_.size());
  if (added) names_.push_back(name);
  return found->second;
}

void EventLog::push_back(const NodeEvent& event) {
  if (chunks_.empty() || chunks_.back().size() >= kChunk_bytes) {
    chunks_.emplace_back().reserve(kChunk_bytes + kChunk_bytes / 8);
  }
  std::string& bytes = chunks_.back();
  const std::size_t before = bytes.size();
  put(bytes, number_of(event.node));
  put(bytes, number_of(event.event));
  put(bytes, event.sequence);
  put(bytes, folded(event.time));
  put(bytes, event.numbers.size());
  for (const auto& [name, value] : event.numbers) {
    put(bytes, number_of(name));
    put(bytes, folded(value));
  }
  put(bytes, event.texts.size());
  for (const auto& [name, value] : event.texts) {
    put(bytes, number_of(name));
    put(bytes, value.size());
    bytes += value;
  }
  bytes_ += bytes.size() - before;
  ++size_;
}

EventLog::Iterator::Iterator(const EventLog& log) : log_(&log), left_(log.size_) {
  if (left_ > 0) unpack();
}

EventLog::Iterator& EventLog::Iterator::operator++() {
  SUNDER_ASSERT(left_ > 0);
  if (--left_ > 0) unpack();
  return *this;
}

void EventLog::Iterator::unpack() {
  if (offset_ == log_->chunks_[chunk_].size()) {
    ++chunk_;
    offset_ = 0;
  }
  const std::string& bytes = log_->chunks_[chunk_];
  const std::vector<std::string>& names = log_->names_;
  event_.node = names[take(bytes, offset_)];
  event_.event = names[take(bytes, offset_)];
  event_.sequence = take(bytes, offset_);
  event_.time = unfolded(take(bytes, offset_));
  event_.numbers.resize(take(bytes, offset_));
  for (auto& [name, value] : event_.numbers) {
    name = names[take(bytes, offset_)];
    value = unfolded(take(bytes, offset_));
  }
  event_.texts.resize(take(bytes, offset_));
  for (auto& [name, value] : event_.texts) {
    name = names[take(bytes, offset_)];
    const std::size_t length = take(bytes, offset_);
    value.assign(bytes, offset_, length);
    offset_ += length;
  }
}

}  // namespace sunder::history
