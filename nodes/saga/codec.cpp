#include "nodes/saga/codec.hpp"

#include <array>

#include <fmt/format.h>

#include "harness/base/assert.hpp"
#include "nodes/saga/messages.pb.h"

namespace sunder::nodes::saga {
namespace {

Error unreadable(std::string_view what) {
  return base::make_error(Errc::unreadable_input, fmt::format("{} cannot be read", what));
}

bool is_step(std::uint32_t number) {
  return number < kSteps.size();
}

template <typename Message>
bool parse(std::string_view bytes, Message& message) {
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

void fill(proto::Frame& frame, const Request& request) {
  proto::Request& out = *frame.mutable_request();
  out.set_saga(request.saga);
  out.set_step(static_cast<std::uint32_t>(request.step));
  out.set_undo(request.undo);
  out.set_order(request.order);
  out.set_object(request.object);
  out.set_amount(request.amount);
  out.set_settled_below(request.settled_below);
}

void fill(proto::Frame& frame, const Reply& reply) {
  proto::Reply& out = *frame.mutable_reply();
  out.set_saga(reply.saga);
  out.set_step(static_cast<std::uint32_t>(reply.step));
  out.set_undo(reply.undo);
  out.set_done(reply.done);
  out.set_reason(reply.reason);
}

void fill(proto::Frame& frame, const Query& query) {
  proto::Query& out = *frame.mutable_query();
  out.set_id(query.id);
  out.set_kind(static_cast<std::uint32_t>(query.kind));
  out.set_page(query.page);
}

void fill(proto::Frame& frame, const Page& page) {
  proto::Page& out = *frame.mutable_page();
  out.set_id(page.id);
  out.set_total(page.total);
  for (const std::string& row : page.rows) out.add_rows(row);
}

Result<Frame> request_of(const proto::Request& in) {
  if (!is_step(in.step())) return unreadable("a request");
  return Frame(Request{.saga = in.saga(),
                       .step = static_cast<Step>(in.step()),
                       .undo = in.undo(),
                       .order = in.order(),
                       .object = in.object(),
                       .amount = in.amount(),
                       .settled_below = in.settled_below()});
}

Result<Frame> reply_of(const proto::Reply& in) {
  if (!is_step(in.step())) return unreadable("a reply");
  return Frame(Reply{.saga = in.saga(),
                     .step = static_cast<Step>(in.step()),
                     .undo = in.undo(),
                     .done = in.done(),
                     .reason = in.reason()});
}

}  // namespace

std::string encode(const Frame& frame) {
  proto::Frame message;
  std::visit([&message](const auto& content) { fill(message, content); }, frame);
  return message.SerializeAsString();
}

Result<Frame> decode_frame(std::string_view bytes) {
  proto::Frame message;
  if (!parse(bytes, message)) return unreadable("a frame");
  switch (message.kind_case()) {
    case proto::Frame::kRequest:
      return request_of(message.request());
    case proto::Frame::kReply:
      return reply_of(message.reply());
    case proto::Frame::kQuery: {
      const proto::Query& in = message.query();
      if (in.kind() > static_cast<std::uint32_t>(PageKind::levels)) return unreadable("a query");
      return Frame(
          Query{.id = in.id(), .kind = static_cast<PageKind>(in.kind()), .page = in.page()});
    }
    case proto::Frame::kPage: {
      Page page{.id = message.page().id(), .total = message.page().total(), .rows = {}};
      for (const std::string& row : message.page().rows()) page.rows.push_back(row);
      return Frame(std::move(page));
    }
    case proto::Frame::KIND_NOT_SET:
      break;
  }
  return unreadable("a frame");
}

std::string encode_numbers(std::initializer_list<std::uint64_t> numbers) {
  std::string bytes;
  for (const std::uint64_t number : numbers) {
    for (int shift = 56; shift >= 0; shift -= 8) {
      bytes.push_back(static_cast<char>(number >> shift));
    }
  }
  return bytes;
}

Result<std::vector<std::uint64_t>> decode_numbers(std::string_view bytes, std::size_t count) {
  if (bytes.size() != count * 8) return unreadable("a counter");
  std::vector<std::uint64_t> numbers(count);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    numbers[i / 8] = numbers[i / 8] << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return numbers;
}

std::string numbered_name(char prefix, std::uint64_t number) {
  return std::string(1, prefix) + encode_numbers({number});
}

std::uint64_t number_in(std::string_view name) {
  SUNDER_ASSERT(!name.empty());
  const auto numbers = decode_numbers(name.substr(1), 1);
  SUNDER_ASSERT(numbers.has_value());
  return numbers->front();
}

void add_records(const Saga& saga, std::vector<storage::Record>& records) {
  proto::Saga out;
  out.set_number(saga.number);
  out.set_order(saga.terms.id);
  out.set_item(saga.terms.item);
  out.set_quantity(saga.terms.quantity);
  out.set_account(saga.terms.account);
  out.set_price(saga.terms.price);
  out.set_address(saga.terms.address);
  out.set_phase(static_cast<std::uint32_t>(saga.phase));
  out.set_step(static_cast<std::uint32_t>(saga.step));
  out.set_reason(saga.reason);
  const std::string open = numbered_name(kOpenPrefix, saga.number);
  if (saga.has_ended()) {
    records.push_back({.name = open, .value = std::nullopt});
    records.push_back(
        {.name = numbered_name(kEndedPrefix, saga.number), .value = out.SerializeAsString()});
    records.push_back(
        {.name = kOrderPrefix + saga.terms.id, .value = encode_numbers({saga.number})});
  } else {
    records.push_back({.name = open, .value = out.SerializeAsString()});
  }
}

Result<Saga> decode_saga(std::string_view bytes) {
  proto::Saga in;
  const bool read = parse(bytes, in);
  if (!read || !is_step(in.step()) || in.phase() > static_cast<std::uint32_t>(Phase::undone)) {
    return unreadable("a saga in the log");
  }
  Saga saga;
  saga.number = in.number();
  saga.terms = {.id = in.order(),
                .item = in.item(),
                .quantity = in.quantity(),
                .account = in.account(),
                .price = in.price(),
                .address = in.address()};
  saga.phase = static_cast<Phase>(in.phase());
  saga.step = static_cast<Step>(in.step());
  saga.reason = in.reason();
  return saga;
}

std::vector<storage::Record> records_of(const Participant::Effects& effects,
                                        std::uint64_t ledger_size,
                                        SagaNumber settled_below) {
  std::vector<storage::Record> records;
  for (const SagaNumber dropped : effects.dropped) {
    records.push_back({.name = numbered_name(kMarkPrefix, dropped), .value = std::nullopt});
  }
  for (const Mark& mark : effects.marks) {
    proto::Mark out;
    out.set_state(static_cast<std::uint32_t>(mark.state));
    out.set_object(mark.object);
    out.set_amount(mark.amount);
    out.set_reason(mark.reason);
    records.push_back(
        {.name = numbered_name(kMarkPrefix, mark.saga), .value = out.SerializeAsString()});
  }
  for (const LedgerEntry& entry : effects.ledger) {
    proto::LedgerEntry out;
    out.set_saga(entry.saga);
    out.set_undo(entry.undo);
    out.set_order(entry.order);
    out.set_object(entry.object);
    out.set_amount(entry.amount);
    records.push_back(
        {.name = numbered_name(kLedgerPrefix, entry.position), .value = out.SerializeAsString()});
  }
  for (const auto& [object, level] : effects.levels) {
    records.push_back({.name = kLevelPrefix + object,
                       .value = encode_numbers({static_cast<std::uint64_t>(level)})});
  }
  if (!effects.saves()) return records;
  records.push_back(
      {.name = std::string(kCounterName), .value = encode_numbers({ledger_size, settled_below})});
  return records;
}

Result<Mark> decode_mark(std::string_view name, std::string_view bytes) {
  proto::Mark in;
  const bool read = parse(bytes, in);
  if (!read || in.state() > static_cast<std::uint32_t>(MarkState::blocked)) {
    return unreadable("an idempotency key");
  }
  return Mark{.saga = number_in(name),
              .state = static_cast<MarkState>(in.state()),
              .object = in.object(),
              .amount = in.amount(),
              .reason = in.reason()};
}

Result<LedgerEntry> decode_ledger_entry(std::string_view name, std::string_view bytes) {
  proto::LedgerEntry in;
  if (!parse(bytes, in)) return unreadable("an entry of the ledger");
  return LedgerEntry{.position = number_in(name),
                     .saga = in.saga(),
                     .undo = in.undo(),
                     .order = in.order(),
                     .object = in.object(),
                     .amount = in.amount()};
}

std::string_view name_of(Phase phase) noexcept {
  constexpr std::array<std::string_view, 4> names{"forward", "undoing", "done", "undone"};
  return names[static_cast<std::size_t>(phase)];
}

std::string row_of(const Saga& saga) {
  const Terms& terms = saga.terms;
  return fmt::format("{} {} {} {} {} {} {} {} {}",
                     saga.number,
                     terms.id,
                     name_of(saga.phase),
                     terms.item,
                     terms.quantity,
                     terms.account,
                     terms.price,
                     terms.address,
                     saga.reason.empty() ? "-" : saga.reason);
}

std::string row_of(const LedgerEntry& entry, Step step) {
  return fmt::format("{} {} {} {} {}",
                     entry.saga,
                     entry.undo ? undo_name_of(step) : name_of(step),
                     entry.order,
                     entry.object,
                     entry.amount);
}

}  // namespace sunder::nodes::saga
