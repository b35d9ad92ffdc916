// The shell of a service that does one of the steps.
//
// LEDGER page and LEVELS page tell clients what it holds: an array of the number of all rows and at
// most 500 of them.

#include <algorithm>
#include <functional>
#include <iterator>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "harness/base/assert.hpp"
#include "nodes/saga/node.hpp"
#include "nodes/saga/participant.hpp"

namespace sunder::nodes::saga {
namespace {

constexpr std::chrono::milliseconds kSaveEvery(500);  // ack-before-save

std::string_view refusal_of(Role role) {
  switch (role) {
    case Role::inventory:
      return "sold out";
    case Role::payment:
      return "no credit";
    case Role::shipment:
      return "address refused";
    case Role::order:
      break;
  }
  return "refused";
}

Step step_of(Role role) {
  SUNDER_ASSERT(role != Role::order);
  return static_cast<Step>(static_cast<std::uint8_t>(role) - 1);
}

class ParticipantNode final : public Node {
 public:
  using Node::Node;

 private:
  Result<void> recover() override {
    RecoveredParticipant recovered;
    SUNDER_TRY(read_counters(recovered));
    const auto everything = std::numeric_limits<std::size_t>::max();
    const auto keep_mark = [&](auto name, auto value) -> Result<void> {
      auto mark = decode_mark(name, value);
      SUNDER_TRY(mark);
      recovered.marks.emplace(mark->saga, std::move(*mark));
      return {};
    };
    SUNDER_TRY(store().read("k", "l", everything, keep_mark));
    const auto keep_level = [&](auto name, auto value) -> Result<void> {
      const auto level = decode_numbers(value, 1);
      SUNDER_TRY(level);
      recovered.levels.emplace(name.substr(1), static_cast<std::int64_t>(level->front()));
      return {};
    };
    SUNDER_TRY(store().read("l", "m", everything, keep_level));
    settled_below_ = recovered.settled_below;
    spdlog::info("recovered: {} effects, {} objects, {} keys",
                 recovered.ledger_size,
                 recovered.levels.size(),
                 recovered.marks.size());
    ParticipantOptions participant;
    participant.step = step_of(options().role);
    participant.initial = options().initial;
    participant.refuse_prefix = options().refuse_prefix;
    participant.refusal = refusal_of(options().role);
    participant.sabotage = options().sabotage;
    core_.emplace(std::move(participant), std::move(recovered));
    return {};
  }

  Result<void> read_counters(RecoveredParticipant& recovered) {
    const auto take_counters = [&](auto /*name*/, auto value) -> Result<void> {
      const auto counters = decode_numbers(value, 2);
      SUNDER_TRY(counters);
      recovered.ledger_size = (*counters)[0];
      recovered.settled_below = (*counters)[1];
      return {};
    };
    return store().read(kCounterName, "d", 1, take_counters);
  }

  bool command(const Arguments& arguments, const host::ReplySlot& slot) override {
    const std::string& name = arguments.front();
    if ((name != "LEDGER" && name != "LEVELS") || arguments.size() != 2) return false;
    const auto page = parse_number(arguments[1]);
    if (!page) return false;
    const PageKind kind = name == "LEDGER" ? PageKind::ledger : PageKind::levels;
    tell_page(kind, *page, [slot](const Result<Page>& told) { slot.answer(resp_of(told)); });
    return true;
  }

  void receive(std::uint32_t from, Frame frame) override {
    if (const auto* const query = std::get_if<Query>(&frame)) {
      tell_page(query->kind, query->page, [this, from, id = query->id](Result<Page> told) {
        if (told.has_error()) return;
        told->id = id;
        send(from, std::move(*told));
      });
      return;
    }
    const auto* const request = std::get_if<Request>(&frame);
    if (request == nullptr || request->step != step_of(options().role)) return;
    perform(core_->receive(now(), *request));
  }

  void tick(Time now) override {
    save_unsaved(now);
    perform(core_->tick(now));
  }

  std::optional<Time> next_tick() const override {
    if (!core_) return std::nullopt;
    std::optional<Time> next = core_->next_due();
    if (!unsaved_.empty()) next = std::min(next.value_or(Time::max()), save_at_);
    return next;
  }

  std::string info() const override {
    return fmt::format("effects:{}\r\nkeys:{}\r\n", core_->ledger_size(), core_->marks());
  }

  void perform(Participant::Effects effects) {
    settled_below_ = effects.settled_below.value_or(settled_below_);
    auto records = records_of(effects, core_->ledger_size(), settled_below_);
    if (options().sabotage == Sabotage::ack_before_save) {
      answer(effects.replies);
      effects.replies.clear();
      if (unsaved_.empty()) save_at_ = now() + kSaveEvery;
      std::ranges::move(records, std::back_inserter(unsaved_));
      records.clear();
    }
    commit(std::move(records), [this, replies = std::move(effects.replies)] { answer(replies); });
    rearm();
  }

  void answer(const std::vector<Reply>& replies) {
    for (const Reply& reply : replies) send(node_of(Role::order), reply);
  }

  // Only of the sabotage is anything unsaved.
  void save_unsaved(Time now) {
    if (unsaved_.empty() || now < save_at_) return;
    commit(std::exchange(unsaved_, {}), [] {});
  }

  // Once all that was done so far is on disk.
  void tell_page(PageKind kind, std::uint64_t page, std::function<void(Result<Page>)> tell) {
    save_unsaved(Time::max());
    const std::uint64_t total = kind == PageKind::ledger ? core_->ledger_size() : core_->objects();
    commit({},
           [this, kind, page, total, tell = std::move(tell)] { tell(page_of(kind, page, total)); });
  }

  Result<Page> page_of(PageKind kind, std::uint64_t page, std::uint64_t total) {
    PageSource source;
    if (kind == PageKind::levels) {
      source = {.first = std::string(1, kLevelPrefix),
                .end = std::string(1, kLevelPrefix + 1),
                .skip = page * kPageRows,
                .total = total};
      return read_page(source, [](auto name, auto value) -> Result<std::string> {
        const auto level = decode_numbers(value, 1);
        SUNDER_TRY(level);
        return fmt::format("{} {}", name.substr(1), static_cast<std::int64_t>(level->front()));
      });
    }
    source = {.first = numbered_name(kLedgerPrefix, page * kPageRows),
              .end = std::string(1, kLedgerPrefix + 1),
              .total = total};
    const Step step = step_of(options().role);
    return read_page(source, [step](auto name, auto value) -> Result<std::string> {
      const auto entry = decode_ledger_entry(name, value);
      SUNDER_TRY(entry);
      return row_of(*entry, step);
    });
  }

  std::optional<Participant> core_;
  SagaNumber settled_below_ = 0;
  std::vector<storage::Record> unsaved_;  // ack-before-save
  Time save_at_{0};
};

}  // namespace

std::unique_ptr<Node> make_participant_node(boost::asio::any_io_executor executor,
                                            NodeOptions options,
                                            host::EventWriter& events) {
  return std::make_unique<ParticipantNode>(std::move(executor), std::move(options), events);
}

}  // namespace sunder::nodes::saga
