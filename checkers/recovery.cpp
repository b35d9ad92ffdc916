// Recovery: within a stated time after the last fault is healed, every client is answered again,
// and stays answered.
//
// A heal is judged when no other fault stands, and either every client was answered again in time,
// however soon the next fault came, or `recover_within_ms` (5000) pass before it does (or the run
// ends). Every client endpoint that invoked anything since the heal must have had an ok operation
// by that time, and every operation invoked later, up to `answer_within_ms` (1000) before the next
// fault, must be answered. The time to recover is the slowest client's first ok after the heal.
//
// Exercised: at least one heal of an exercised fault was judged.

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "checkers/connectivity.hpp"
#include "checkers/outcomes.hpp"

namespace sunder::checkers {

CheckerInfo recovery_info();

namespace {

using history::FaultRecord;
using history::History;
using history::kNever;
using history::Operation;
using history::Outcome;
using history::RunContext;
using history::Window;

constexpr double kRecover_within_ms = 5000;
constexpr double kAnswer_within_ms = 1000;
constexpr std::size_t kCounterexamples_max = 5;

struct Heal {
  std::string fault;  // description of the fault healed last
  Window calm;        // until the next fault, or the end of the operations
};

// What one client saw of a heal.
struct Client {
  std::size_t first_invoked = 0;       // index of its first operation after the heal
  std::int64_t recovered_at = kNever;  // end of its first ok
};

std::vector<Heal> heals_of(const History& history, const RunContext& context) {
  std::int64_t run_end = 0;
  for (const Operation& operation : history.operations()) {
    if (is_timed(operation)) run_end = std::max(run_end, operation.invoke_time + 1);
  }
  std::vector<Heal> heals;
  for (const FaultRecord& fault : context.faults) {
    if (!fault.exercised || fault.active.end == kNever || fault.healed < fault.active.end) continue;
    Heal heal{fault.description, {fault.healed, run_end}};
    bool alone = true;
    for (const FaultRecord& other : context.faults) {
      if (&other == &fault) continue;
      if (possible_window(other).contains(fault.healed)) alone = false;
      if (other.applying.begin >= fault.healed)
        heal.calm.end = std::min(heal.calm.end, other.applying.begin);
    }
    if (alone && heal.calm.begin < heal.calm.end) heals.push_back(std::move(heal));
  }
  return heals;
}

class RecoveryCheck {
 public:
  RecoveryCheck(const History& history, const CheckOptions& options)
      : history_(history),
        connectivity_(*options.context, Stance::possible),
        within_(parameter_ns(options, "recover_within_ms", kRecover_within_ms)),
        due_(parameter_ns(options, "answer_within_ms", kAnswer_within_ms)) {}

  Verdict run(const RunContext& context, const std::stop_token& stop) {
    for (const Heal& heal : heals_of(history_, context)) {
      if (!stop.stop_requested()) judge(heal);
    }
    if (stop.stop_requested()) {
      verdict_.summary = "stopped before every heal was looked at";
    } else if (broken_ > 0) {
      verdict_.kind = VerdictKind::broken;
      verdict_.summary = fmt::format("{} of {} heals were not followed by recovery within {}",
                                     broken_,
                                     judged_,
                                     seconds_text(within_));
    } else if (judged_ == 0) {
      verdict_.kind = VerdictKind::not_exercised;
      verdict_.summary = fmt::format("no fault that bit was healed with {} of calm after it",
                                     seconds_text(within_));
    } else {
      verdict_.kind = VerdictKind::kept;
      verdict_.summary =
          fmt::format("{} heals were followed by recovery within {}; the slowest took {}",
                      judged_,
                      seconds_text(within_),
                      seconds_text(slowest_));
    }
    verdict_.measurements.push_back({"heals judged", static_cast<double>(judged_), ""});
    verdict_.measurements.push_back(
        {"slowest recovery", static_cast<double>(slowest_) / 1e6, "ms"});
    return std::move(verdict_);
  }

 private:
  [[nodiscard]] std::map<std::size_t, Client> clients_after(const Heal& heal) const {
    std::map<std::size_t, Client> clients;
    for (std::size_t i = 0; i < history_.operations().size(); ++i) {
      const Operation& operation = history_.operations()[i];
      const auto endpoint = connectivity_.endpoint_of(operation.process);
      if (!endpoint || !is_timed(operation)) continue;
      if (operation.invoke_time >= heal.calm.end || end_time(operation) < heal.calm.begin) continue;
      // What was in flight at the heal shows recovery too, but asks for none.
      const bool ok = operation.outcome == Outcome::ok;
      if (operation.invoke_time < heal.calm.begin && !ok) continue;
      Client& client = clients.try_emplace(*endpoint, Client{i, kNever}).first->second;
      if (ok) client.recovered_at = std::min(client.recovered_at, end_time(operation));
    }
    return clients;
  }

  void judge(const Heal& heal) {
    const std::map<std::size_t, Client> clients = clients_after(heal);
    const std::int64_t deadline = heal.calm.begin + within_;
    std::int64_t slowest = 0;
    std::size_t silent = 0;
    for (const auto& [endpoint, client] : clients) {
      if (client.recovered_at != kNever)
        slowest = std::max(slowest, client.recovered_at - heal.calm.begin);
      if (is_late(client, deadline)) ++silent;
    }
    // What has happened in time is judged, however soon the next fault came.
    const bool served = unrecovered(clients) == 0 && heal.calm.begin + slowest <= deadline;
    const bool judged = !clients.empty() && (served || deadline <= heal.calm.end);
    verdict_.details.push_back(
        fmt::format("after {}: {} of {} clients answered again, the last after {}{}",
                    heal.fault,
                    clients.size() - unrecovered(clients),
                    clients.size(),
                    seconds_text(slowest),
                    judged ? "" : "; not judged, too little calm"));
    if (!judged) return;
    ++judged_;
    slowest_ = std::max(slowest_, slowest);
    const std::vector<std::size_t> failures = failures_after(deadline, heal.calm.end);
    if (silent == 0 && failures.empty()) return;
    ++broken_;
    if (verdict_.counterexamples.size() >= kCounterexamples_max) return;
    if (silent > 0) {
      explain_silence(heal, clients, deadline);
    } else {
      explain_failures(heal, failures);
    }
  }

  // Had its chance before the deadline and no ok by then.
  [[nodiscard]] bool is_late(const Client& client, std::int64_t deadline) const {
    const Operation& first = history_.operations()[client.first_invoked];
    return client.recovered_at > deadline && first.invoke_time + due_ <= deadline;
  }

  static std::size_t unrecovered(const std::map<std::size_t, Client>& clients) {
    return static_cast<std::size_t>(std::ranges::count_if(
        clients, [](const auto& entry) { return entry.second.recovered_at == kNever; }));
  }

  [[nodiscard]] std::vector<std::size_t> failures_after(std::int64_t begin,
                                                        std::int64_t end) const {
    std::vector<std::size_t> failures;
    const Window judged{begin, end - due_};
    for (std::size_t i = 0; i < history_.operations().size(); ++i) {
      const Operation& operation = history_.operations()[i];
      if (!is_timed(operation) || !judged.contains(operation.invoke_time)) continue;
      if (!is_answered(history_, operation)) failures.push_back(i);
    }
    return failures;
  }

  void explain_silence(const Heal& heal,
                       const std::map<std::size_t, Client>& clients,
                       std::int64_t deadline) {
    Counterexample example;
    example.title = "not recovered";
    for (const auto& [endpoint, client] : clients) {
      if (!is_late(client, deadline)) continue;
      const Operation& operation = history_.operations()[client.first_invoked];
      if (example.why.empty()) {
        example.why = fmt::format(
            "{} had no ok operation within {} of the heal of {} at {}; its first was {}",
            connectivity_.client_name(endpoint),
            seconds_text(within_),
            heal.fault,
            seconds_text(heal.calm.begin),
            call_text(history_, operation));
        example.first_error = client.first_invoked;
        example.key = history_.pool().name(operation.key);
      }
      example.items.push_back(
          {client.first_invoked, true, "this client's first try after the heal"});
    }
    std::ranges::sort(example.items, {}, &Counterexample::Item::operation);
    verdict_.counterexamples.push_back(std::move(example));
  }

  void explain_failures(const Heal& heal, const std::vector<std::size_t>& failures) {
    const Operation& operation = history_.operations()[failures.front()];
    Counterexample example;
    example.title = "fails after recovery";
    example.key = history_.pool().name(operation.key);
    example.why = fmt::format(
        "{} and {} more were not answered although {} had been healed at {}, more than {} before",
        call_text(history_, operation),
        failures.size() - 1,
        heal.fault,
        seconds_text(heal.calm.begin),
        seconds_text(within_));
    constexpr std::size_t kItems_max = 10;
    for (std::size_t i = 0; i < std::min(kItems_max, failures.size()); ++i) {
      example.items.push_back({failures[i], true, "not answered"});
    }
    example.first_error = failures.front();
    verdict_.counterexamples.push_back(std::move(example));
  }

  const History& history_;
  Connectivity connectivity_;
  std::int64_t within_;
  std::int64_t due_;
  Verdict verdict_;
  std::size_t judged_ = 0;
  std::size_t broken_ = 0;
  std::int64_t slowest_ = 0;
};

Verdict check_recovery(const History& history, const CheckOptions& options, std::stop_token stop) {
  if (options.context == nullptr) return needs_a_run();
  return RecoveryCheck(history, options).run(*options.context, stop);
}

}  // namespace

CheckerInfo recovery_info() {
  return {.name = "recovery",
          .summary = "Within a stated time after a heal every client is answered again.",
          .check = check_recovery};
}

}  // namespace sunder::checkers
