// Availability: while one majority of nodes is up, fully connected and undisturbed, clients that
// reach it are answered.
//
// A window lasts while no fault changes anything and exactly one maximal set of mutually connected,
// running nodes is a majority. Its judged part begins ten election time-outs
// (`election_timeout_ms`, 300) after the window: until then an election may be going on. Judged are
// operations of clients that reach every node of that majority in both directions, invoked in the
// judged part and at least `answer_within_ms` (1000) before its end.
//
// Broken: in some window more than 1 % of the judged operations (and more than one) were not
// answered, or none was, or for ten election time-outs nothing was answered while an unanswered
// operation waited. Answered: ok, or refused by the model (cas-mismatch). Exercised:
// `operations_min` (100) judged operations and, when faults were requested, some of them while an
// exercised fault stood. Other shapes of the network are reported in `details`, not judged.

#include "checkers/availability.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "checkers/checker.hpp"
#include "checkers/connectivity.hpp"
#include "checkers/outcomes.hpp"
#include "checkers/phases.hpp"

namespace sunder::checkers {

CheckerInfo availability_info();

namespace {

using history::FaultRecord;
using history::History;
using history::kNever;
using history::Operation;
using history::Window;

constexpr double kElection_timeout_ms = 300;
constexpr double kElection_timeouts = 10;
constexpr double kAnswer_within_ms = 1000;
constexpr double kOperations_min = 100;
constexpr double kUnanswered_share_max = 0.01;
constexpr std::size_t kCounterexamples_max = 5;

// A time in which one majority must answer.
struct JudgedWindow {
  std::size_t segment = 0;
  EndpointSet majority;
  Window window;  // the judged part, already shortened by answer_within
  std::vector<std::size_t> operations;
  std::vector<std::size_t> unanswered;
};

// The load begins when the system has answered once; what comes before and after is not the
// clients' time.
Window judged_time(const History& history, const history::RunContext& context) {
  Window time{0, 0};
  for (const Operation& operation : history.operations()) {
    if (is_timed(operation)) time.end = std::max(time.end, operation.invoke_time + 1);
  }
  const history::Phase* const load = find_phase(context, "load");
  const history::Phase* const end = find_phase(context, "tear down");
  if (load != nullptr) time.begin = load->window.begin;
  if (end != nullptr) time.end = std::min(time.end, end->window.begin);
  return time;
}

class AvailabilityCheck {
 public:
  AvailabilityCheck(const History& history, const CheckOptions& options)
      : history_(history),
        context_(*options.context),
        options_(options),
        connectivity_(context_, Stance::possible),
        settle_(static_cast<std::int64_t>(
            kElection_timeouts * static_cast<double>(parameter_ns(
                                     options, "election_timeout_ms", kElection_timeout_ms)))) {}

  Verdict run() {
    find_windows();
    assign();
    for (const JudgedWindow& window : windows_) judge(window);
    decide();
    verdict_.details = availability_sentences(history_, context_);
    verdict_.figures = availability_figures(history_, context_);
    return std::move(verdict_);
  }

 private:
  void find_windows() {
    const Window time = judged_time(history_, context_);
    const std::int64_t due = parameter_ns(options_, "answer_within_ms", kAnswer_within_ms);
    for (std::size_t i = 0; i < connectivity_.segments().size(); ++i) {
      const Connectivity::Segment& segment = connectivity_.segments()[i];
      const Window judged{std::max(segment.window.begin, time.begin) + settle_,
                          std::min(segment.window.end, time.end) - due};
      if (judged.begin >= judged.end) continue;
      if (auto majority = connectivity_.connected_majority(segment)) {
        windows_.push_back({i, std::move(*majority), judged, {}, {}});
      }
    }
  }

  void assign() {
    for (std::size_t i = 0; i < history_.operations().size(); ++i) {
      const Operation& operation = history_.operations()[i];
      const auto client = connectivity_.endpoint_of(operation.process);
      if (!client || !is_timed(operation)) continue;
      const auto found = std::ranges::find_if(windows_, [&](const JudgedWindow& window) {
        return window.window.contains(operation.invoke_time);
      });
      if (found == windows_.end()) continue;
      const Connectivity::Segment& segment = connectivity_.segments()[found->segment];
      if (!connectivity_.reaches_all(segment, *client, found->majority)) continue;
      found->operations.push_back(i);
      if (!is_answered(history_, operation)) found->unanswered.push_back(i);
    }
  }

  // The longest time without an answer in which an operation waited in vain.
  [[nodiscard]] std::int64_t longest_outage(const JudgedWindow& window) const {
    std::vector<std::int64_t> ends{window.window.begin, window.window.end};
    for (const std::size_t index : window.operations) {
      const Operation& operation = history_.operations()[index];
      if (is_answered(history_, operation)) ends.push_back(end_time(operation));
    }
    std::ranges::sort(ends);
    std::int64_t longest = 0;
    for (const std::size_t index : window.unanswered) {
      const std::int64_t invoked = history_.operations()[index].invoke_time;
      const auto after = std::ranges::upper_bound(ends, invoked);
      if (after == ends.begin() || after == ends.end()) continue;
      longest = std::max(longest, *after - *std::prev(after));
    }
    return longest;
  }

  void judge(const JudgedWindow& window) {
    const std::size_t operations = window.operations.size();
    if (operations == 0) return;
    operations_ += operations;
    unanswered_ += window.unanswered.size();
    judged_ns_ += window.window.end - window.window.begin;
    ++windows_judged_;
    under_fault_ =
        under_fault_ || std::ranges::any_of(context_.faults, [&](const FaultRecord& fault) {
          return fault.exercised && fault.active.overlaps(window.window);
        });
    const std::int64_t outage = longest_outage(window);
    longest_outage_ = std::max(longest_outage_, outage);
    const double allowed = std::max(1.0, kUnanswered_share_max * static_cast<double>(operations));
    const bool too_many = static_cast<double>(window.unanswered.size()) > allowed;
    if (!too_many && outage <= settle_ && window.unanswered.size() < operations) return;
    ++windows_broken_;
    if (verdict_.counterexamples.size() < kCounterexamples_max) explain(window, outage);
  }

  void explain(const JudgedWindow& window, std::int64_t outage) {
    const std::size_t first = window.unanswered.front();
    const Operation& operation = history_.operations()[first];
    const auto client = connectivity_.endpoint_of(operation.process);
    Counterexample example;
    example.title = "unavailable";
    example.key = history_.pool().name(operation.key);
    example.why = fmt::format(
        "{} from {} was not answered, nor were {} of {} operations invoked from {} to {} (longest "
        "outage {}), although "
        "{} had been up and fully connected since {}",
        call_text(history_, operation),
        connectivity_.client_name(*client),
        window.unanswered.size(),
        window.operations.size(),
        seconds_text(window.window.begin),
        seconds_text(window.window.end),
        milliseconds_text(outage),
        connectivity_.names_of(window.majority),
        seconds_text(connectivity_.segments()[window.segment].window.begin));
    constexpr std::size_t kItems_max = 10;
    for (std::size_t i = 0; i < std::min(kItems_max, window.unanswered.size()); ++i) {
      example.items.push_back({window.unanswered[i], true, "not answered"});
    }
    example.first_error = first;
    verdict_.counterexamples.push_back(std::move(example));
  }

  void decide() {
    const auto wanted =
        static_cast<std::size_t>(parameter(options_, "operations_min", kOperations_min));
    const std::string judged = fmt::format(
        "{} of {} operations were answered in {} windows ({} in all) in which one majority was up "
        "and fully connected",
        operations_ - unanswered_,
        operations_,
        windows_judged_,
        seconds_text(judged_ns_));
    if (windows_broken_ > 0) {
      verdict_.kind = VerdictKind::broken;
      verdict_.summary = fmt::format("unavailable in {} windows: {}", windows_broken_, judged);
    } else if (operations_ < wanted) {
      verdict_.kind = VerdictKind::not_exercised;
      verdict_.summary = fmt::format("{}; {} operations are needed", judged, wanted);
    } else if (!context_.faults.empty() && !under_fault_) {
      verdict_.kind = VerdictKind::not_exercised;
      verdict_.summary = judged + ", but never while a fault stood";
    } else {
      verdict_.kind = VerdictKind::kept;
      verdict_.summary = judged;
    }
    verdict_.measurements = {
        {"operations judged", static_cast<double>(operations_), "operations"},
        {"operations not answered", static_cast<double>(unanswered_), "operations"},
        {"windows judged", static_cast<double>(windows_judged_), ""},
        {"time judged", static_cast<double>(judged_ns_) / 1e6, "ms"},
        {"longest outage", static_cast<double>(longest_outage_) / 1e6, "ms"}};
  }

  const History& history_;
  const history::RunContext& context_;
  const CheckOptions& options_;
  Connectivity connectivity_;
  std::int64_t settle_;  // ten election time-outs
  std::vector<JudgedWindow> windows_;
  Verdict verdict_;
  std::size_t operations_ = 0;
  std::size_t unanswered_ = 0;
  std::size_t windows_judged_ = 0;
  std::size_t windows_broken_ = 0;
  std::int64_t judged_ns_ = 0;
  std::int64_t longest_outage_ = 0;
  bool under_fault_ = false;  // a window overlapped an exercised fault
};

Verdict check_availability(const History& history,
                           const CheckOptions& options,
                           std::stop_token /*stop*/) {
  if (options.context == nullptr) return needs_a_run();
  return AvailabilityCheck(history, options).run();
}

}  // namespace

CheckerInfo availability_info() {
  return {.name = "availability",
          .summary = "Clients that reach a connected, stable majority are answered.",
          .check = check_availability};
}

}  // namespace sunder::checkers
