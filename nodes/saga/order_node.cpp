// The shell of the order service: clients order here, and ask here for what all services hold.
//
//   ORDER id item quantity account price address   +CONFIRMED, or +REFUSED and why; the same id is
//                                                  the same order, however often it comes
//   STATUS id              the same, +OPEN while it is under way, nil when it was never placed
//   OPEN                   how many sagas are open: at once when none is, else a little later
//   SAGAS page             all sagas, 500 numbers a page
//   LEDGER service page, LEVELS service page       what that service answers (participant_node.cpp)
// Who waits longer than a client should is answered -TIMEOUT: the order goes on.

#include <algorithm>
#include <limits>
#include <map>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "harness/base/assert.hpp"
#include "nodes/saga/node.hpp"
#include "nodes/saga/told_events.hpp"

namespace sunder::nodes::saga {
namespace {

using wire::RespValue;

// Shorter than a client's attempt.
constexpr std::chrono::milliseconds kAnswerLimit(550);
constexpr std::size_t kWaitersMax = 10'000;
constexpr std::int64_t kAmountMax = 1'000'000'000;
constexpr std::size_t kWordBytesMax = 200;

RespValue timed_out() {
  return RespValue::error("TIMEOUT it is still under way; ask again");
}

RespValue answer_of(const Saga& saga) {
  if (saga.phase == Phase::done) return RespValue::simple("CONFIRMED");
  if (saga.phase == Phase::undone) return RespValue::simple("REFUSED " + saga.reason);
  return RespValue::simple("OPEN");
}

// A word can stand in a row of words.
bool is_word(const std::string& text) {
  return !text.empty() && text.size() <= kWordBytesMax && std::ranges::all_of(text, [](char c) {
    return c > ' ' && c <= '~' && c != '"' && c != '\\';
  });
}

std::optional<std::int64_t> parse_amount(std::string_view text) {
  const auto number = parse_number(text);
  if (!number || *number == 0 || *number > static_cast<std::uint64_t>(kAmountMax)) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(*number);
}

std::optional<Terms> parse_terms(const std::vector<std::string>& arguments) {
  const auto quantity = parse_amount(arguments[3]);
  const auto price = parse_amount(arguments[5]);
  const bool words = is_word(arguments[1]) && is_word(arguments[2]) && is_word(arguments[4]) &&
                     is_word(arguments[6]);
  if (!quantity || !price || !words) return std::nullopt;
  return Terms{.id = arguments[1],
               .item = arguments[2],
               .quantity = *quantity,
               .account = arguments[4],
               .price = *price,
               .address = arguments[6]};
}

std::optional<Role> participant_named(std::string_view name) {
  for (const Role role : kRoles) {
    if (role != Role::order && name == name_of(role)) return role;
  }
  return std::nullopt;
}

class OrderNode final : public Node {
 public:
  OrderNode(boost::asio::any_io_executor executor,
            NodeOptions node_options,
            host::EventWriter& event_writer)
      : Node(std::move(executor), std::move(node_options), event_writer), told_(event_writer) {}

 private:
  // A client that waits, for an order, for the end of all, or for a page.
  struct Waiter {
    host::ReplySlot slot;
    std::string order;        // empty: not for one
    std::uint64_t query = 0;  // 0: not for a page
    bool idle = false;        // for the end of all
  };

  Result<void> recover() override;
  bool command(const Arguments& arguments, const host::ReplySlot& slot) override;
  void receive(std::uint32_t from, Frame frame) override;
  void tick(Time now) override;
  std::optional<Time> next_tick() const override;
  std::string info() const override;

  void order(const Arguments& arguments, const host::ReplySlot& slot);
  void status(const std::string& id, const host::ReplySlot& slot);
  bool ask_for_page(const Arguments& arguments, const host::ReplySlot& slot);
  Result<Page> page_of_sagas(std::uint64_t page);
  Result<std::optional<Saga>> find_ended(const std::string& id);
  void perform(Orchestrator::Effects effects);
  void follow(const Orchestrator::Effects& effects);
  void wait(Waiter waiter);
  void give_up(Waiter& waiter);
  template <typename Wanted>
  void answer_waiters(const Wanted& wanted, const RespValue& reply);

  ToldEvents told_;
  std::optional<Orchestrator> core_;
  SagaNumber logged_next_ = 1;  // as the counter on disk says
  std::uint64_t last_query_ = 0;
  std::multimap<Time, Waiter> waiters_;  // by the time at which they are given up
};

Result<void> OrderNode::recover() {
  RecoveredSagas recovered;
  const auto read_next = [&](auto /*name*/, auto value) -> Result<void> {
    const auto next = decode_numbers(value, 1);
    SUNDER_TRY(next);
    recovered.next = next->front();
    return {};
  };
  SUNDER_TRY(store().read(kCounterName, "d", 1, read_next));
  const auto everything = std::numeric_limits<std::size_t>::max();
  const auto keep_open = [&](auto /*name*/, auto value) -> Result<void> {
    auto saga = decode_saga(value);
    SUNDER_TRY(saga);
    recovered.open.push_back(std::move(*saga));
    return {};
  };
  SUNDER_TRY(store().read("o", "p", everything, keep_open));
  spdlog::info("recovered: {} open sagas, the next is {}", recovered.open.size(), recovered.next);
  logged_next_ = recovered.next;
  OrchestratorOptions orchestrator;
  orchestrator.sabotage = options().sabotage;
  core_.emplace(orchestrator, std::move(recovered));
  perform(core_->start(now()));
  return {};
}

bool OrderNode::command(const Arguments& arguments, const host::ReplySlot& slot) {
  const std::string& name = arguments.front();
  if (name == "ORDER" && arguments.size() == 7) {
    order(arguments, slot);
  } else if (name == "STATUS" && arguments.size() == 2) {
    status(arguments[1], slot);
  } else if (name == "OPEN" && arguments.size() == 1) {
    if (core_->open() == 0) {
      slot.answer(RespValue::number(0));
    } else {
      wait({.slot = slot, .order = {}, .idle = true});
    }
  } else if (name == "SAGAS" && arguments.size() == 2) {
    const auto page = parse_number(arguments[1]);
    if (!page) return false;
    slot.answer(resp_of(page_of_sagas(*page)));
  } else if (name == "LEDGER" || name == "LEVELS") {
    return ask_for_page(arguments, slot);
  } else {
    return false;
  }
  return true;
}

void OrderNode::order(const Arguments& arguments, const host::ReplySlot& slot) {
  auto terms = parse_terms(arguments);
  if (!terms) {
    slot.answer(RespValue::error(
        "ERR ORDER id item quantity account price address: words, and amounts of 1 to 1000000000"));
    return;
  }
  const Saga* const under_way = core_->find(terms->id);
  const auto ended = under_way == nullptr ? find_ended(terms->id) : std::optional<Saga>();
  if (ended.has_error()) {
    slot.answer(RespValue::error("IO " + ended.error().message()));
    return;
  }
  const Saga* const known = under_way != nullptr ? under_way : *ended ? &**ended : nullptr;
  if (known != nullptr && known->terms != *terms) {
    slot.answer(RespValue::error("ERR that id is another order's"));
  } else if (known != nullptr && known != under_way) {
    slot.answer(answer_of(*known));
  } else if (known == nullptr && !core_->has_room()) {
    slot.answer(RespValue::error("OVERLOADED too many orders under way; nothing was begun"));
  } else {
    wait({.slot = slot, .order = terms->id});
    if (known == nullptr) perform(core_->place(now(), std::move(*terms)));
  }
}

void OrderNode::status(const std::string& id, const host::ReplySlot& slot) {
  // Its end is told once it is on disk.
  if (core_->find(id) != nullptr) {
    slot.answer(RespValue::simple("OPEN"));
    return;
  }
  const auto ended = find_ended(id);
  if (ended.has_error()) {
    slot.answer(RespValue::error("IO " + ended.error().message()));
  } else {
    slot.answer(*ended ? answer_of(**ended) : RespValue::null());
  }
}

bool OrderNode::ask_for_page(const Arguments& arguments, const host::ReplySlot& slot) {
  if (arguments.size() != 3) return false;
  const auto role = participant_named(arguments[1]);
  const auto page = parse_number(arguments[2]);
  if (!role || !page) return false;
  Query query;
  query.id = ++last_query_;
  query.kind = arguments.front() == "LEDGER" ? PageKind::ledger : PageKind::levels;
  query.page = *page;
  wait({.slot = slot, .order = {}, .query = query.id});
  send(node_of(*role), query);
  return true;
}

// Numbers are given without gaps, so a page is a range of them.
Result<Page> OrderNode::page_of_sagas(std::uint64_t page) {
  const SagaNumber first = page * kPageRows + 1;
  PageSource source;
  source.first = numbered_name(kEndedPrefix, first);
  source.end = numbered_name(kEndedPrefix, first + kPageRows);
  source.total = logged_next_ - 1;
  auto made = read_page(source, [](auto /*name*/, auto value) -> Result<std::string> {
    const auto saga = decode_saga(value);
    SUNDER_TRY(saga);
    return row_of(*saga);
  });
  SUNDER_TRY(made);
  for (const Saga& saga : core_->open_sagas()) {
    if (saga.number >= first && saga.number < first + kPageRows && !saga.has_ended()) {
      made->rows.push_back(row_of(saga));
    }
  }
  return made;
}

Result<std::optional<Saga>> OrderNode::find_ended(const std::string& id) {
  std::optional<Saga> found;
  std::string name = kOrderPrefix + id;
  std::optional<SagaNumber> number;
  const auto take_number = [&](auto /*name*/, auto value) -> Result<void> {
    const auto numbers = decode_numbers(value, 1);
    SUNDER_TRY(numbers);
    number = numbers->front();
    return {};
  };
  SUNDER_TRY(store().read(name, name + '\0', 1, take_number));
  if (!number) return found;
  name = numbered_name(kEndedPrefix, *number);
  const auto take_saga = [&](auto /*name*/, auto value) -> Result<void> {
    auto saga = decode_saga(value);
    SUNDER_TRY(saga);
    found = std::move(*saga);
    return {};
  };
  SUNDER_TRY(store().read(name, name + '\0', 1, take_saga));
  return found;
}

void OrderNode::receive(std::uint32_t /*from*/, Frame frame) {
  if (const auto* const reply = std::get_if<Reply>(&frame)) {
    perform(core_->receive(now(), *reply));
  } else if (const auto* const page = std::get_if<Page>(&frame)) {
    answer_waiters([&](const Waiter& waiter) { return waiter.query == page->id; }, resp_of(*page));
  }
}

void OrderNode::tick(Time now) {
  while (!waiters_.empty() && waiters_.begin()->first <= now) {
    auto waiter = waiters_.extract(waiters_.begin());
    give_up(waiter.mapped());
  }
  perform(core_->tick(now));
}

void OrderNode::give_up(Waiter& waiter) {
  waiter.slot.answer(waiter.idle ? RespValue::number(static_cast<std::int64_t>(core_->open()))
                                 : timed_out());
}

std::optional<Time> OrderNode::next_tick() const {
  if (!core_) return std::nullopt;
  std::optional<Time> next = core_->next_due();
  if (!waiters_.empty()) next = std::min(next.value_or(Time::max()), waiters_.begin()->first);
  return next;
}

std::string OrderNode::info() const {
  return fmt::format(
      "open:{}\r\nnext:{}\r\nwaiting:{}\r\n", core_->open(), logged_next_, waiters_.size());
}

void OrderNode::perform(Orchestrator::Effects effects) {
  for (const Request& request : effects.at_once) send(node_of(role_of(request.step)), request);
  std::vector<storage::Record> records;
  for (const Saga& saga : effects.saves) {
    add_records(saga, records);
    logged_next_ = std::max(logged_next_, saga.number + 1);
  }
  if (!records.empty()) {
    records.push_back({.name = std::string(kCounterName), .value = encode_numbers({logged_next_})});
  }
  commit(std::move(records), [this, effects = std::move(effects)] { follow(effects); });
  rearm();
}

// What was saved is on disk.
void OrderNode::follow(const Orchestrator::Effects& effects) {
  for (const Request& request : effects.requests) send(node_of(role_of(request.step)), request);
  for (const Saga& saga : effects.answers) {
    answer_waiters([&](const Waiter& waiter) { return waiter.order == saga.terms.id; },
                   answer_of(saga));
  }
  for (const Saga& saga : effects.saves) core_->saved(saga);
  for (const SagaEvent& event : effects.events) told_.tell(now(), event, core_->settled_below());
  if (!effects.answers.empty() && core_->open() == 0) {
    answer_waiters([](const Waiter& waiter) { return waiter.idle; }, RespValue::number(0));
  }
}

void OrderNode::wait(Waiter waiter) {
  if (waiters_.size() >= kWaitersMax) {
    waiter.slot.answer(RespValue::error("TIMEOUT too many clients wait"));
    return;
  }
  waiters_.emplace(now() + kAnswerLimit, std::move(waiter));
  rearm();
}

template <typename Wanted>
void OrderNode::answer_waiters(const Wanted& wanted, const RespValue& reply) {
  for (auto at = waiters_.begin(); at != waiters_.end();) {
    if (!wanted(at->second)) {
      ++at;
      continue;
    }
    at->second.slot.answer(reply);
    at = waiters_.erase(at);
  }
}

}  // namespace

std::unique_ptr<Node> make_order_node(boost::asio::any_io_executor executor,
                                      NodeOptions options,
                                      host::EventWriter& events) {
  return std::make_unique<OrderNode>(std::move(executor), std::move(options), events);
}

}  // namespace sunder::nodes::saga
