// Order: customers order goods from a shop whose orders are sagas.
//
// Items are few units, accounts have little credit and some addresses refuse every parcel, so that
// business itself makes orders fail at each step. Both run out, and new ones come into the shop: a
// run may last as long as it likes. Ids are unique, and an order is placed once: a retry under the
// same id is the same order. At the end everybody waits until nothing is under way, then reads what
// all services hold, page by page; what the orders' service says is read before what the others
// say, for an effect must not be looked for before it was told.
//
// In the history: order, key: its id, input [item quantity account price address], output
// "confirmed" or "refused: …"; status, key: an id, output the same, "open", or nil; open, output
// how many sagas are under way; sagas, ledger and levels, key: the service, input: the page, output
// [number of all rows, rows …].

#include <algorithm>
#include <array>
#include <deque>

#include <fmt/format.h>

#include "harness/base/assert.hpp"
#include "workloads/mix.hpp"
#include "workloads/workload.hpp"

namespace sunder::workloads {
namespace {

using history::Outcome;
using history::Value;
using history::ValuePool;

// Of the `keys`, so many are items on sale at the same time, and accounts that buy.
constexpr std::size_t kKeysPerItem = 8;
constexpr std::size_t kItemsMin = 2;
// An item is on sale for so many orders of it: more than there are goods for.
constexpr std::size_t kOrdersPerItem = 40;
constexpr std::size_t kOrdersPerAccount = 20;
constexpr std::int64_t kQuantityMax = 3;
constexpr std::int64_t kPriceMin = 10;
constexpr std::int64_t kPriceMax = 80;
constexpr std::size_t kAddresses = 40;
constexpr double kClosedShare = 0.1;
// Of recent orders the status is asked.
constexpr std::size_t kRecentMax = 200;
// An order takes some time to be thought of; without it a shop's day would be over in a second.
constexpr double kThinkMeanS = 0.01;

// At the end: how often it is asked whether anything is under way, and how often for a page.
constexpr std::size_t kOpenAsksMax = 17;  // of each client
constexpr std::size_t kPageAsksMax = 3;
constexpr std::int64_t kPageRows = 500;

// The pages of one thing that is read at the end.
struct Book {
  std::string_view function;
  std::string_view service;
  std::int64_t next = 0;    // page
  std::int64_t total = -1;  // rows; not known yet
  std::size_t in_flight = 0;
  std::deque<std::int64_t> again{};  // pages that were not answered
  std::size_t failures = 0;

  [[nodiscard]] bool has_more() const noexcept {
    return !again.empty() || (total < 0 ? next == 0 : next * kPageRows < total);
  }

  [[nodiscard]] bool is_read() const noexcept { return !has_more() && in_flight == 0; }
};

class Order final : public Workload {
 public:
  explicit Order(const WorkloadOptions& options,
                 const std::map<std::string_view, double>& default_mix)
      : items_(std::max(kItemsMin, options.keys / kKeysPerItem)),
        random_(options.random),
        mix_(default_mix, options.mix),
        open_asks_max_(kOpenAsksMax * options.clients) {}

  std::optional<Invocation> next(std::int64_t /*process*/, ValuePool& pool) override {
    const std::string function = mix_.draw(random_);
    Invocation invocation;
    invocation.think =
        std::chrono::nanoseconds(static_cast<std::int64_t>(random_.exponential(kThinkMeanS) * 1e9));
    if (function == "status" && !recent_.empty()) {
      invocation.function = "status";
      invocation.key = recent_[random_.below(recent_.size())];
      return invocation;
    }
    invocation.function = "order";
    invocation.key = fmt::format("o{}", ++orders_);
    invocation.input = terms(pool);
    recent_.push_back(invocation.key);
    if (recent_.size() > kRecentMax) recent_.pop_front();
    return invocation;
  }

  boost::asio::awaitable<Completion> invoke(Client& client,
                                            Invocation invocation,
                                            ValuePool& pool) override {
    std::vector<std::string> command = command_of(invocation, pool);
    const Reply reply = co_await client.call(std::move(command));
    Completion completion = completion_of(invocation, reply, pool);
    note(invocation, completion, pool);
    co_return completion;
  }

  std::optional<Invocation> final_read(std::int64_t /*process*/, ValuePool& /*pool*/) override {
    if (open_asks_ < open_asks_max_ && !is_idle_) {
      ++open_asks_;
      Invocation invocation;
      invocation.function = "open";
      return invocation;
    }
    // The first book is the sagas'.
    for (Book& book : books_) {
      if (auto page = next_page(book)) return page;
      if (&book == &books_.front() && !book.is_read()) return std::nullopt;
    }
    return std::nullopt;
  }

 private:
  static std::optional<Invocation> next_page(Book& book) {
    if (!book.has_more() || book.failures >= kPageAsksMax) return std::nullopt;
    Invocation invocation;
    invocation.function = book.function;
    invocation.key = book.service;
    if (book.again.empty()) {
      invocation.input = Value::integer(book.next++);
    } else {
      invocation.input = Value::integer(book.again.front());
      book.again.pop_front();
    }
    ++book.in_flight;
    return invocation;
  }

  Value terms(ValuePool& pool) {
    const std::size_t season = orders_ / (kOrdersPerItem * items_);
    const std::size_t year = orders_ / (kOrdersPerAccount * items_);
    const std::size_t item = season * items_ + random_.below(items_);
    const std::size_t account = year * items_ + random_.below(items_);
    const std::size_t address = random_.below(kAddresses);
    const bool closed = random_.chance(kClosedShare);
    const std::array parts{pool.text(fmt::format("i{}", item)),
                           Value::integer(random_.between(1, kQuantityMax)),
                           pool.text(fmt::format("a{}", account)),
                           Value::integer(random_.between(kPriceMin, kPriceMax)),
                           pool.text(fmt::format("{}{}", closed ? "closed" : "home", address))};
    return pool.list(parts);
  }

  static std::vector<std::string> command_of(const Invocation& invocation, const ValuePool& pool) {
    const std::string& function = invocation.function;
    if (function == "order") {
      std::vector<std::string> command = {"ORDER", invocation.key};
      for (const Value part : pool.items_of(invocation.input)) {
        command.push_back(part.is_text() ? std::string(pool.text_of(part))
                                         : fmt::format("{}", part.raw()));
      }
      return command;
    }
    if (function == "status") return {"STATUS", invocation.key};
    if (function == "open") return {"OPEN"};
    const std::string page = fmt::format("{}", invocation.input.raw());
    if (function == "sagas") return {"SAGAS", page};
    return {function == "ledger" ? "LEDGER" : "LEVELS", invocation.key, page};
  }

  static Completion completion_of(const Invocation& invocation,
                                  const Reply& reply,
                                  ValuePool& pool) {
    Completion completion;
    completion.outcome = reply.outcome;
    completion.error = reply.error;
    completion.node = reply.node;
    if (reply.outcome != Outcome::ok) return completion;
    const std::string& function = invocation.function;
    const bool asked_of_order = function == "order" || function == "status";
    std::optional<Value> output;
    if (asked_of_order) {
      output = answer_of(reply.value, function, pool);
    } else if (function == "open") {
      if (reply.value.kind == wire::RespKind::integer) output = Value::integer(reply.value.integer);
    } else {
      output = page_of(reply.value, pool);
    }
    if (!output) {
      // A reply of the wrong kind tells nothing about what happened.
      completion.outcome = Outcome::info;
      completion.error =
          fmt::format("unexpected reply of kind {}", static_cast<int>(reply.value.kind));
      return completion;
    }
    completion.output = *output;
    return completion;
  }

  static std::optional<Value> answer_of(const wire::RespValue& reply,
                                        std::string_view function,
                                        ValuePool& pool) {
    constexpr std::string_view kRefused = "REFUSED ";
    if (reply.kind == wire::RespKind::null && function == "status") return Value::nil();
    if (reply.kind != wire::RespKind::simple) return std::nullopt;
    if (reply.text == "CONFIRMED") return pool.text("confirmed");
    if (reply.text == "OPEN" && function == "status") return pool.text("open");
    if (!reply.text.starts_with(kRefused)) return std::nullopt;
    return pool.text("refused: " + reply.text.substr(kRefused.size()));
  }

  static std::optional<Value> page_of(const wire::RespValue& reply, ValuePool& pool) {
    const bool whole = reply.kind == wire::RespKind::array && !reply.items.empty() &&
                       reply.items.front().kind == wire::RespKind::integer;
    if (!whole) return std::nullopt;
    std::vector<Value> page{Value::integer(reply.items.front().integer)};
    for (std::size_t i = 1; i < reply.items.size(); ++i) {
      if (reply.items[i].kind != wire::RespKind::bulk) return std::nullopt;
      page.push_back(pool.text(reply.items[i].text));
    }
    return pool.list(page);
  }

  // What an answer means for what is still to be read.
  void note(const Invocation& invocation, const Completion& completion, const ValuePool& pool) {
    const bool ok = completion.outcome == Outcome::ok;
    if (invocation.function == "open") {
      is_idle_ = is_idle_ || (ok && completion.output == Value::integer(0));
      return;
    }
    const auto of = std::ranges::find_if(books_, [&](const Book& book) {
      return book.function == invocation.function && book.service == invocation.key;
    });
    if (of == books_.end()) return;
    --of->in_flight;
    if (ok) {
      of->total = std::max(of->total, pool.items_of(completion.output).front().raw());
    } else {
      ++of->failures;
      of->again.push_back(invocation.input.raw());
    }
  }

  std::size_t items_;
  base::Random random_;
  Mix mix_;
  std::uint64_t orders_ = 0;
  std::deque<std::string> recent_;
  std::size_t open_asks_max_;
  std::size_t open_asks_ = 0;
  bool is_idle_ = false;
  std::array<Book, 6> books_{{{.function = "sagas", .service = ""},
                              {.function = "ledger", .service = "inventory"},
                              {.function = "ledger", .service = "payment"},
                              {.function = "ledger", .service = "shipment"},
                              {.function = "levels", .service = "inventory"},
                              {.function = "levels", .service = "payment"}}};
};

const std::map<std::string_view, double>& default_mix() {
  static const std::map<std::string_view, double> mix{{"order", 0.8}, {"status", 0.2}};
  return mix;
}

std::unique_ptr<Workload> make_order(const WorkloadOptions& options) {
  return std::make_unique<Order>(options, default_mix());
}

}  // namespace

WorkloadInfo order_info();

WorkloadInfo order_info() {
  return {.name = "order",
          .summary = "Orders of few goods, on little credit, to addresses that may refuse.",
          .model = "",
          .default_mix = default_mix(),
          .make = make_order};
}

}  // namespace sunder::workloads
