#include "nodes/quorum/message.hpp"

#include <array>

#include <fmt/format.h>

#include "nodes/quorum/quorum.pb.h"

namespace sunder::nodes::quorum {
namespace {

using base::make_error;

constexpr std::array<std::string_view, 10> kNames{"heartbeat",
                                                  "store",
                                                  "stored",
                                                  "fetch",
                                                  "fetched",
                                                  "handoff",
                                                  "handed",
                                                  "summary",
                                                  "listing",
                                                  "transfer"};

void put(const Stamp& stamp, proto::Stamp& out) {
  out.set_time(stamp.time);
  out.set_counter(stamp.counter);
  out.set_node(stamp.node);
}

void put(const Version& version, proto::Version& out) {
  put(version.stamp, *out.mutable_stamp());
  out.set_value(version.value);
}

Stamp taken(const proto::Stamp& in) {
  return {.time = in.time(), .counter = in.counter(), .node = in.node()};
}

Version taken(const proto::Version& in) {
  return {.stamp = taken(in.stamp()), .value = in.value()};
}

}  // namespace

std::string encode(const Version& version) {
  proto::Version out;
  put(version, out);
  return out.SerializeAsString();
}

Result<Version> decode_version(std::string_view bytes) {
  proto::Version in;
  if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return make_error(Errc::failed, "a version on disk cannot be read");
  }
  return taken(in);
}

std::string encode(const Message& message) {
  proto::Message out;
  out.set_kind(static_cast<std::uint32_t>(message.kind));
  put(message.clock, *out.mutable_clock());
  out.set_request(message.request);
  out.set_key(message.key);
  if (message.version) put(*message.version, *out.mutable_version());
  if (message.stamp != Stamp()) put(message.stamp, *out.mutable_stamp());
  out.set_owner(message.owner);
  out.set_force(message.force);
  for (const std::uint64_t row : message.rows) out.add_rows(row);
  out.set_bucket(message.bucket);
  out.set_after(message.after);
  out.set_to_the_end(message.to_the_end);
  for (const auto& [key, stamp] : message.listed) {
    proto::Listed& listed = *out.add_listed();
    listed.set_key(key);
    put(stamp, *listed.mutable_stamp());
  }
  for (const Item& item : message.items) {
    proto::Item& added = *out.add_items();
    added.set_key(item.key);
    put(item.version, *added.mutable_version());
  }
  for (const std::string& key : message.wanted) out.add_wanted(key);
  return out.SerializeAsString();
}

Result<Message> decode_message(std::string_view bytes) {
  proto::Message in;
  const bool parsed = in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  const bool known = parsed && in.kind() < kNames.size() && in.bucket() < kBuckets;
  const bool whole = known && (in.rows_size() == 0 || in.rows_size() == kBuckets);
  if (!whole) return make_error(Errc::protocol, "a peer sent what is no message");
  Message message;
  message.kind = static_cast<MessageKind>(in.kind());
  message.clock = taken(in.clock());
  message.request = in.request();
  message.key = in.key();
  if (in.has_version()) message.version = taken(in.version());
  message.stamp = taken(in.stamp());
  message.owner = in.owner();
  message.force = in.force();
  message.rows.assign(in.rows().begin(), in.rows().end());
  message.bucket = static_cast<Bucket>(in.bucket());
  message.after = in.after();
  message.to_the_end = in.to_the_end();
  for (const proto::Listed& listed : in.listed()) {
    message.listed.emplace_back(listed.key(), taken(listed.stamp()));
  }
  for (const proto::Item& item : in.items()) {
    message.items.push_back({.key = item.key(), .version = taken(item.version())});
  }
  message.wanted.assign(in.wanted().begin(), in.wanted().end());
  return message;
}

std::string describe(const Message& message) {
  std::string text = fmt::format(
      "n{}->n{} {}", message.from, message.to, kNames[static_cast<std::size_t>(message.kind)]);
  if (!message.key.empty()) text += " " + message.key;
  if (message.version) {
    text += fmt::format(" {} {}", message.version->value, to_text(message.version->stamp));
  }
  if (message.owner != kNobody) text += fmt::format(" for n{}", message.owner);
  if (!message.listed.empty()) text += fmt::format(" {} keys", message.listed.size());
  if (!message.items.empty()) text += fmt::format(" {} versions", message.items.size());
  if (!message.wanted.empty()) text += fmt::format(" {} wanted", message.wanted.size());
  return text;
}

}  // namespace sunder::nodes::quorum
