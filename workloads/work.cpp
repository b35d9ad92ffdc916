// Work: clients of a work queue. They send jobs, and receive, do and acknowledge them; not all do
// it well.
//
// Bodies are unique. Who receives a job works on it for a moment and acknowledges it. Some die
// after working and before acknowledging (they forget the job), some are too slow for its
// visibility time, some give it back, some ask for more time. A poisoned job is given back by
// everybody, until it is a dead letter; dead letters are received and acknowledged like any others.
// Now and then all send at once, so that the queue is full.
//
// In the history: send's input is the body and its output the message's number; receive's input is
// the visibility time in ms and its output nil or [number receipt body]; ack and nack have
// [number receipt], extend [number receipt ms]; stat's output is [ready in-flight dead]. The key is
// the queue, "jobs" or its dead letters, "jobs.dead".
//
// At the end clients drain both queues until a stat finds nothing, or receives have come back empty
// for longer than any visibility time and election together.

#include <algorithm>
#include <array>
#include <deque>
#include <unordered_map>

#include <fmt/format.h>

#include "harness/base/assert.hpp"
#include "workloads/mix.hpp"
#include "workloads/workload.hpp"

namespace sunder::workloads {
namespace {

using history::Outcome;
using history::Value;
using history::ValuePool;
using std::chrono::milliseconds;

constexpr std::string_view kJobs = "jobs";
constexpr std::string_view kDead = "jobs.dead";
constexpr std::string_view kPoison = "poison-";
constexpr milliseconds kVisibility{500};
constexpr milliseconds kWait{200};
// One draw in so many begins a burst of so many sends.
constexpr std::uint64_t kBurstEvery = 300;
constexpr std::size_t kBurst = 60;
constexpr std::size_t kBacklogBesideClients = 8;
constexpr std::uint64_t kPoisonEvery = 25;
constexpr std::uint64_t kDeadReceiveEvery = 8;
// At the end: one operation in so many asks how much is left, and after so many receives in a row
// that found nothing, or so many operations, for each client, there is no more to come.
constexpr std::size_t kStatEvery = 4;
constexpr std::size_t kEmptyReceivesMax = 24;
constexpr std::size_t kDrainsMax = 2000;

// What a consumer does with a job; the weights are of kFates.
enum class Fate : std::uint8_t { done, die, slow, give_back, extend };
constexpr std::array kFates{Fate::done, Fate::die, Fate::slow, Fate::give_back, Fate::extend};
const std::vector<double> kFateWeights{0.72, 0.08, 0.05, 0.07, 0.08};

struct Job {
  std::string queue;
  std::int64_t number = 0;
  std::int64_t receipt = 0;
  bool poisoned = false;
};

// What a consumer will do with a job that it holds.
struct Step {
  std::string_view function;
  Job job;
  std::chrono::nanoseconds think{0};
};

class Work final : public Workload {
 public:
  Work(const WorkloadOptions& options, const std::map<std::string_view, double>& default_mix)
      : clients_(options.clients),
        random_(options.random),
        mix_(default_mix, options.mix),
        sends_(mix_.has("send")) {}

  std::optional<Invocation> next(std::int64_t process, ValuePool& pool) override {
    Invocation invocation = choose(process, pool);
    invocation.process = process;
    return invocation;
  }

  boost::asio::awaitable<Completion> invoke(Client& client,
                                            Invocation invocation,
                                            ValuePool& pool) override {
    std::vector<std::string> command = command_of(invocation, pool);
    const Reply reply = co_await client.call(std::move(command));
    Completion completion = completion_of(invocation, reply, pool);
    learn(invocation, completion, pool);
    co_return completion;
  }

  std::optional<Invocation> final_read(std::int64_t process, ValuePool& pool) override {
    draining_ = true;
    auto invocation = take_planned(process, pool);
    if (!invocation) invocation = drain();
    if (invocation) invocation->process = process;
    return invocation;
  }

 private:
  Invocation choose(std::int64_t process, ValuePool& pool);
  std::optional<Invocation> take_planned(std::int64_t process, ValuePool& pool);
  std::optional<Invocation> drain();
  Invocation send(ValuePool& pool);
  static Invocation receive(std::string_view queue);
  static Invocation stat();
  static std::vector<std::string> command_of(const Invocation& invocation, const ValuePool& pool);
  static Completion completion_of(const Invocation& invocation,
                                  const Reply& reply,
                                  ValuePool& pool);
  void learn(const Invocation& invocation, const Completion& completion, const ValuePool& pool);
  void plan(std::int64_t process, const Job& job);
  void add_step(std::int64_t process,
                std::string_view function,
                const Job& job,
                std::chrono::nanoseconds think);

  std::size_t clients_;
  base::Random random_;
  Mix mix_;
  bool sends_;                                                // they ask for sends
  std::unordered_map<std::int64_t, std::deque<Step>> plans_;  // what a process will do next
  std::int64_t last_body_ = 0;
  std::size_t burst_left_ = 0;
  std::int64_t backlog_ = 0;  // accepted and not acknowledged, as far as clients were told
  bool draining_ = false;
  bool drained_ = false;
  std::size_t drains_ = 0;
  std::size_t empty_receives_ = 0;  // in a row
};

Invocation Work::choose(std::int64_t process, ValuePool& pool) {
  if (auto planned = take_planned(process, pool)) return std::move(*planned);
  if (sends_ && burst_left_ == 0 && random_.below(kBurstEvery) == 0) burst_left_ = kBurst;
  if (burst_left_ > 0) {
    --burst_left_;
    return send(pool);
  }
  const std::string& function = mix_.draw(random_);
  // So that some wait whatever happens, beside those that clients have in their hands.
  const bool few = sends_ && backlog_ < static_cast<std::int64_t>(clients_ + kBacklogBesideClients);
  if (function == "send" || (function == "receive" && few && random_.below(2) == 0)) {
    return send(pool);
  }
  if (function == "stat") return stat();
  return receive(random_.below(kDeadReceiveEvery) == 0 ? kDead : kJobs);
}

std::optional<Invocation> Work::drain() {
  if (drained_) return std::nullopt;
  const bool over =
      empty_receives_ >= kEmptyReceivesMax * clients_ || drains_ >= kDrainsMax * clients_;
  const std::size_t turn = ++drains_ % kStatEvery;
  if (over) drained_ = true;
  if (over || turn == 0) return stat();
  return receive(turn == 1 ? kDead : kJobs);
}

std::optional<Invocation> Work::take_planned(std::int64_t process, ValuePool& pool) {
  const auto plan = plans_.find(process);
  if (plan == plans_.end()) return std::nullopt;
  const Step step = std::move(plan->second.front());
  plan->second.pop_front();
  if (plan->second.empty()) plans_.erase(plan);
  Invocation invocation;
  invocation.function = step.function;
  invocation.key = step.job.queue;
  std::vector<Value> input{Value::integer(step.job.number), Value::integer(step.job.receipt)};
  if (step.function == "extend") input.push_back(Value::integer(kVisibility.count()));
  invocation.input = pool.list(input);
  invocation.think = step.think;
  return invocation;
}

Invocation Work::send(ValuePool& pool) {
  const bool poisoned = random_.below(kPoisonEvery) == 0;
  const std::string body = fmt::format("{}{}", poisoned ? kPoison : "job-", ++last_body_);
  return Invocation{.function = "send", .key = std::string(kJobs), .input = pool.text(body)};
}

Invocation Work::receive(std::string_view queue) {
  return Invocation{.function = "receive",
                    .key = std::string(queue),
                    .input = Value::integer(kVisibility.count())};
}

Invocation Work::stat() {
  return Invocation{.function = "stat", .key = std::string(kJobs), .input = Value()};
}

std::vector<std::string> Work::command_of(const Invocation& invocation, const ValuePool& pool) {
  const std::string& function = invocation.function;
  const std::string& queue = invocation.key;
  if (function == "send") return {"QSEND", queue, std::string(pool.text_of(invocation.input))};
  if (function == "stat") return {"QSTAT", queue};
  if (function == "receive") {
    const milliseconds wait = queue == kDead ? milliseconds(0) : kWait;
    return {"QRECV", queue, std::to_string(invocation.input.raw()), std::to_string(wait.count())};
  }
  const auto items = pool.items_of(invocation.input);
  std::vector<std::string> command = {function == "ack"    ? "QACK"
                                      : function == "nack" ? "QNACK"
                                                           : "QEXTEND",
                                      queue};
  for (const Value item : items) command.push_back(std::to_string(item.raw()));
  return command;
}

// A reply of the wrong kind tells nothing about what happened.
Completion nonsense(Completion completion) {
  completion.outcome = Outcome::info;
  completion.output = Value();
  completion.error = "unexpected reply";
  return completion;
}

Completion received(const Reply& reply, Completion completion, ValuePool& pool) {
  const auto& items = reply.value.items;
  if (reply.value.kind == wire::RespKind::null) {
    completion.output = Value::nil();
    return completion;
  }
  const bool whole = items.size() == 3 && items[0].kind == wire::RespKind::integer &&
                     items[1].kind == wire::RespKind::integer &&
                     items[2].kind == wire::RespKind::bulk;
  if (!whole) return nonsense(std::move(completion));
  const Value body = pool.text(items[2].text);
  const std::array message{
      Value::integer(items[0].integer), Value::integer(items[1].integer), body};
  completion.output = pool.list(message);
  return completion;
}

Completion counted(const Reply& reply, Completion completion, ValuePool& pool) {
  std::vector<Value> counts;
  for (const wire::RespValue& item : reply.value.items)
    counts.push_back(Value::integer(item.integer));
  if (counts.size() != 3) return nonsense(std::move(completion));
  completion.output = pool.list(counts);
  return completion;
}

Completion Work::completion_of(const Invocation& invocation, const Reply& reply, ValuePool& pool) {
  Completion completion;
  completion.outcome = reply.outcome;
  completion.error = reply.error;
  completion.node = reply.node;
  if (reply.outcome == Outcome::fail) {
    const bool refused = reply.error.starts_with("BUSY") || reply.error.starts_with("STALERECEIPT");
    if (refused) completion.error = "refused: " + reply.error;
    return completion;
  }
  if (reply.outcome != Outcome::ok) return completion;
  if (invocation.function == "receive") return received(reply, std::move(completion), pool);
  if (invocation.function == "stat") return counted(reply, std::move(completion), pool);
  if (invocation.function != "send") {
    const bool confirmed = reply.value.kind == wire::RespKind::simple;
    return confirmed ? completion : nonsense(std::move(completion));
  }
  if (reply.value.kind != wire::RespKind::integer) return nonsense(std::move(completion));
  completion.output = Value::integer(reply.value.integer);
  return completion;
}

void Work::learn(const Invocation& invocation,
                 const Completion& completion,
                 const ValuePool& pool) {
  const bool receives = invocation.function == "receive";
  if (completion.outcome != Outcome::ok) {
    plans_.erase(invocation.process);
    return;
  }
  if (invocation.function == "send") ++backlog_;
  if (invocation.function == "ack") --backlog_;
  if (invocation.function == "stat" && draining_) {
    const auto counts = pool.items_of(completion.output);
    const bool empty = std::ranges::all_of(counts, [](Value count) { return count.raw() == 0; });
    drained_ = drained_ || empty;
  }
  if (!receives) return;
  if (completion.output.is_nil()) {
    if (draining_ && invocation.key == kJobs) ++empty_receives_;
    return;
  }
  empty_receives_ = 0;
  const auto items = pool.items_of(completion.output);
  Job job;
  job.queue = invocation.key;
  job.number = items[0].raw();
  job.receipt = items[1].raw();
  job.poisoned = pool.text_of(items[2]).starts_with(kPoison);
  plan(invocation.process, job);
}

void Work::plan(std::int64_t process, const Job& job) {
  const auto some_work = milliseconds(2 + random_.below(20));
  if (job.queue == kDead || (draining_ && !job.poisoned)) {
    return add_step(process, "ack", job, std::chrono::nanoseconds(0));
  }
  if (job.poisoned) return add_step(process, "nack", job, some_work);
  switch (kFates[random_.weighted(kFateWeights)]) {
    case Fate::done:
      return add_step(process, "ack", job, some_work);
    case Fate::die:
      return;
    case Fate::slow:
      return add_step(process, "ack", job, kVisibility + milliseconds(random_.below(300)));
    case Fate::give_back:
      return add_step(process, "nack", job, some_work);
    case Fate::extend:
      add_step(process, "extend", job, some_work);
      return add_step(process, "ack", job, kVisibility * 6 / 10);
  }
}

void Work::add_step(std::int64_t process,
                    std::string_view function,
                    const Job& job,
                    std::chrono::nanoseconds think) {
  plans_[process].push_back(Step{.function = function, .job = job, .think = think});
}

const std::map<std::string_view, double>& default_mix() {
  static const std::map<std::string_view, double> mix{
      {"receive", 0.6}, {"send", 0.37}, {"stat", 0.03}};
  return mix;
}

std::unique_ptr<Workload> make_work(const WorkloadOptions& options) {
  return std::make_unique<Work>(options, default_mix());
}

}  // namespace

WorkloadInfo work_info();

WorkloadInfo work_info() {
  return {.name = "work",
          .summary = "Producers and consumers of jobs; some die, are slow, refuse or ask for time.",
          .model = "work-queue",
          .default_mix = default_mix(),
          .make = make_work};
}

}  // namespace sunder::workloads
