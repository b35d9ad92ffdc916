#include "nodes/replica/plain_log.hpp"

#include <array>
#include <charconv>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "harness/base/file.hpp"
#include "nodes/replica/codec.hpp"
#include "nodes/storage/database.hpp"

namespace sunder::nodes::replica {
namespace {

// A record: what it is, the length of its value (4 bytes, little endian), the value.
constexpr char kHardState = 'h';
constexpr char kSnapshot = 's';  // and 'S': it replaces the whole log
constexpr char kSnapshotAlone = 'S';
constexpr char kTruncate = 't';
constexpr char kEntry = 'e';
constexpr std::size_t kHeader = 5;

void add(std::string& bytes, char kind, std::string_view value) {
  bytes.push_back(kind);
  for (unsigned shift = 0; shift < 32; shift += 8)
    bytes.push_back(static_cast<char>(value.size() >> shift));
  bytes += value;
}

std::string encode(const WriteRequest& request) {
  std::string bytes;
  if (request.hard_state) add(bytes, kHardState, encode_hard_state(*request.hard_state));
  if (request.snapshot) {
    add(bytes, request.drop_log ? kSnapshotAlone : kSnapshot, encode_snapshot(*request.snapshot));
  }
  if (request.truncate_from) add(bytes, kTruncate, std::to_string(*request.truncate_from));
  for (const raft::Entry& entry : request.entries) add(bytes, kEntry, encode_entry(entry));
  return bytes;
}

class PlainLog final : public Storage {
 public:
  PlainLog(base::FileDescriptor file, OnWritten on_written)
      : file_(std::move(file)),
        writer_([this](const std::vector<WriteRequest>& requests) { return write(requests); },
                std::move(on_written)) {}

  Result<raft::Recovered> recover() override;

  void submit(WriteRequest request) override { writer_.submit(std::move(request)); }

 private:
  void take(char kind, std::string_view value);
  [[nodiscard]] Result<void> write(const std::vector<WriteRequest>& requests) const;

  base::FileDescriptor file_;
  raft::Recovered recovered_;
  std::map<raft::Index, raft::Entry> entries_;
  storage::BatchWriter<WriteRequest> writer_;  // last: its thread uses the file
};

Result<void> PlainLog::write(const std::vector<WriteRequest>& requests) const {
  std::string bytes;
  for (const WriteRequest& request : requests) bytes += encode(request);
  SUNDER_TRY(base::write_all(file_.get(), bytes));
  if (::fdatasync(file_.get()) != 0) return base::system_error("sync the log");
  return {};
}

// Whatever can be decoded is believed.
void PlainLog::take(char kind, std::string_view value) {
  if (kind == kHardState) {
    if (auto state = decode_hard_state(value); state.has_value()) recovered_.hard_state = *state;
  } else if (kind == kSnapshot || kind == kSnapshotAlone) {
    auto snapshot = decode_snapshot(value);
    if (snapshot.has_error() || snapshot->data == nullptr) return;
    if (kind == kSnapshotAlone) entries_.clear();
    std::erase_if(entries_, [&](const auto& item) { return item.first <= snapshot->index; });
    recovered_.snapshot = std::move(*snapshot);
  } else if (kind == kTruncate) {
    raft::Index from = 0;
    const auto end = std::from_chars(value.data(), value.data() + value.size(), from);
    if (end.ec == std::errc()) entries_.erase(entries_.lower_bound(from), entries_.end());
  } else if (kind == kEntry) {
    auto entry = decode_entry(value);
    if (entry.has_value()) entries_.insert_or_assign(entry->index, std::move(*entry));
  }
}

Result<raft::Recovered> PlainLog::recover() {
  std::string bytes;
  std::array<char, 1 << 16> piece;
  for (ssize_t count = 0; (count = ::read(file_.get(), piece.data(), piece.size())) != 0;) {
    if (count < 0) return base::system_error("read the log");
    bytes.append(piece.data(), static_cast<std::size_t>(count));
  }
  for (std::size_t at = 0; at + kHeader <= bytes.size();) {
    std::size_t length = 0;
    for (std::size_t i = 4; i >= 1; --i)
      length = length << 8U | static_cast<std::uint8_t>(bytes[at + i]);
    if (at + kHeader + length > bytes.size()) break;
    take(bytes[at], std::string_view(bytes).substr(at + kHeader, length));
    at += kHeader + length;
  }
  recovered_.applied = recovered_.snapshot.index;
  raft::Index expected = recovered_.snapshot.index + 1;
  for (auto& [index, entry] : entries_) {
    if (index < expected) continue;
    if (index != expected) break;  // an entry without those before it is of no use
    recovered_.entries.push_back(std::move(entry));
    ++expected;
  }
  entries_.clear();
  return std::move(recovered_);
}

}  // namespace

Result<std::unique_ptr<Storage>> open_plain_log(const std::filesystem::path& directory,
                                                Storage::OnWritten on_written) {
  const std::filesystem::path path = directory / "plain.log";
  base::FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!file.valid()) return base::system_error("open " + path.string());
  SUNDER_TRY(storage::sync_directory(directory));
  return std::unique_ptr<Storage>(
      std::make_unique<PlainLog>(std::move(file), std::move(on_written)));
}

}  // namespace sunder::nodes::replica
