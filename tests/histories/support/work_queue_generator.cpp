// Small executions of a work queue, in which something may be changed afterwards.
// tests/histories/support/work_queue_oracle.hpp says what they hold.

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "tests/histories/support/draws.hpp"
#include "tests/histories/support/work_queue_oracle.hpp"

namespace sunder::test {

using history::Outcome;
using history::Value;

namespace {

constexpr std::int64_t kUnit = 1'000'000;
constexpr std::size_t kOperationsMax = 8;

// An operation before it has values of a pool; times in units.
struct Draft {
  std::string function;
  bool dead = false;
  Outcome outcome = Outcome::ok;
  bool refused = false;
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::string body;
  std::int64_t number = 0;
  std::int64_t receipt = 0;
  std::int64_t lease = 0;
  std::array<std::int64_t, 3> counts{};
};

struct Job {
  std::string body;
  bool dead = false;
  bool held = false;
  std::int64_t deliveries = 0;
  std::int64_t over = 0;
};

class SmallQueue {
 public:
  explicit SmallQueue(const SmallWorkQueueOptions& options)
      : options_(options), draws_(options.seed) {}

  history::History run() {
    const std::size_t operations = 3 + draws_.below(kOperationsMax - 3);
    while (drafts_.size() < operations) step();
    if (draws_.percent(65)) change(drafts_[draws_.below(drafts_.size())]);
    history::HistoryBuilder builder;
    for (std::size_t i = 0; i < drafts_.size(); ++i) add(builder, drafts_[i], i);
    return builder.finish();
  }

 private:
  void step() {
    now_ += static_cast<std::int64_t>(draws_.below(4));
    for (auto& [number, job] : jobs_) {
      if (job.held && job.over <= now_ && draws_.percent(60)) release(job);
    }
    const std::uint64_t choice = draws_.below(options_.counts ? 11 : 9);
    if (jobs_.size() < 2 && (jobs_.empty() || choice == 0)) return send();
    if (choice < 5) return receive();
    if (choice < 9) return use();
    if (choice == 9) return count();
    send();
  }

  Draft& draft(std::string function) {
    Draft& made = drafts_.emplace_back();
    made.function = std::move(function);
    made.begin = std::max<std::int64_t>(0, now_ - static_cast<std::int64_t>(draws_.below(3)));
    made.end = now_ + static_cast<std::int64_t>(draws_.below(3));
    return made;
  }

  void send() {
    Draft& made = draft("send");
    made.body = fmt::format("b{}", drafts_.size());
    if (static_cast<std::int64_t>(jobs_.size()) >= options_.limits.length_max) {
      made.outcome = Outcome::fail;
      made.refused = true;
      return;
    }
    made.number = ++last_number_;
    Job job;
    job.body = made.body;
    jobs_.emplace(made.number, job);
    if (draws_.percent(15)) made.outcome = Outcome::info;
  }

  void receive() {
    Draft& made = draft("receive");
    made.lease = 1 + static_cast<std::int64_t>(draws_.below(6));
    for (auto& [number, job] : jobs_) {
      if (job.held) continue;
      made.dead = job.dead;
      made.number = number;
      made.receipt = ++job.deliveries;
      made.body = job.body;
      job.held = true;
      job.over = now_ + made.lease;
      if (options_.unknown_receives && draws_.percent(25)) made.outcome = Outcome::info;
      return;
    }
  }

  void use() {
    auto& [number, job] =
        *std::next(jobs_.begin(), static_cast<std::ptrdiff_t>(draws_.below(jobs_.size())));
    static constexpr std::array<const char*, 3> kFunctions{"ack", "nack", "extend"};
    Draft& made = draft(kFunctions[draws_.below(3)]);
    made.dead = job.dead;
    made.number = number;
    made.receipt = std::max<std::int64_t>(1, job.deliveries - (draws_.percent(15) ? 1 : 0));
    made.lease = 1 + static_cast<std::int64_t>(draws_.below(6));
    const bool owned = job.held && made.receipt == job.deliveries;
    const bool unknown = draws_.percent(20);
    if (unknown) made.outcome = Outcome::info;
    if (!unknown && !owned) {
      made.outcome = Outcome::fail;
      made.refused = true;
    }
    if (!owned || (unknown && draws_.percent(50))) return;
    if (made.function == "nack") release(job);
    if (made.function == "extend") job.over = now_ + made.lease;
    if (made.function == "ack") jobs_.erase(number);
  }

  void count() {
    Draft& made = draft("stat");
    for (const auto& [number, job] : jobs_) ++made.counts[job.dead ? 2 : job.held ? 1 : 0];
  }

  void release(Job& job) const {
    job.held = false;
    if (job.dead || job.deliveries < options_.limits.deliveries_max) return;
    job.dead = true;
    job.deliveries = 0;
  }

  void change(Draft& made) {
    const auto by = static_cast<std::int64_t>(1 + draws_.below(5));
    switch (draws_.below(6)) {
      case 0:
        made.begin += by;
        made.end += by;
        break;
      case 1:
        made.end = made.begin = std::max<std::int64_t>(0, made.begin - by);
        break;
      case 2:
        if (made.receipt > 0) made.receipt += draws_.percent(50) ? 1 : -1;
        made.receipt = std::max<std::int64_t>(made.receipt, 1);
        break;
      case 3:
        if (made.function == "receive" || made.function == "stat") {
          ++made.counts[0];
        } else if (made.outcome == Outcome::ok) {
          made.outcome = Outcome::fail;
          made.refused = true;
        } else if (made.refused && made.function != "send") {
          made.outcome = Outcome::ok;
          made.refused = false;
        }
        break;
      case 4:
        made.lease += by;
        break;
      default:
        if (made.function == "receive") made.body += "x";
    }
  }

  static Value output_of(history::ValuePool& pool, const Draft& draft) {
    if (draft.function == "send") return Value::integer(draft.number);
    if (draft.function == "stat") {
      return pool.list({Value::integer(draft.counts[0]),
                        Value::integer(draft.counts[1]),
                        Value::integer(draft.counts[2])});
    }
    if (draft.function != "receive") return {};
    if (draft.number == 0) return Value::nil();
    return pool.list(
        {Value::integer(draft.number), Value::integer(draft.receipt), pool.text(draft.body)});
  }

  static Value input_of(history::ValuePool& pool, const Draft& draft) {
    if (draft.function == "send") return pool.text(draft.body);
    if (draft.function == "receive") return Value::integer(draft.lease);
    if (draft.function == "stat") return {};
    std::vector<Value> items{Value::integer(draft.number), Value::integer(draft.receipt)};
    if (draft.function == "extend") items.push_back(Value::integer(draft.lease));
    return pool.list(items);
  }

  static void add(history::HistoryBuilder& builder, const Draft& draft, std::size_t index) {
    history::ValuePool& pool = builder.pool();
    history::Operation operation;
    operation.process = static_cast<std::int64_t>(index);
    operation.function_name = pool.symbol(draft.function);
    operation.key = pool.symbol(draft.dead ? "q.dead" : "q");
    operation.outcome = draft.outcome;
    operation.input = input_of(pool, draft);
    if (draft.outcome == Outcome::ok) operation.output = output_of(pool, draft);
    if (draft.refused) operation.error = pool.symbol("refused: no");
    operation.invoke = operation.invoke_time = draft.begin * kUnit;
    operation.complete_time = draft.end * kUnit;
    operation.complete = draft.outcome == Outcome::info ? history::kNever : draft.end * kUnit;
    builder.add(operation);
  }

  SmallWorkQueueOptions options_;
  Draws draws_;
  std::int64_t now_ = 0;
  std::int64_t last_number_ = 0;
  std::map<std::int64_t, Job> jobs_;
  std::vector<Draft> drafts_;
};

}  // namespace

history::History small_work_queue_history(const SmallWorkQueueOptions& options) {
  return SmallQueue(options).run();
}

}  // namespace sunder::test
