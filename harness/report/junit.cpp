// JUnit: one test case a promise, so that a CI shows which one broke.
//
// broken is a failure; undetermined and not exercised are errors with their name as type, because
// they end with exit 2 and must not pass; what does not apply, or what this machine cannot do, is
// skipped; harness trouble is an error.

#include <algorithm>

#include <fmt/format.h>

#include "harness/report/escape.hpp"
#include "harness/report/report.hpp"

namespace sunder::report {
namespace {

using checkers::VerdictKind;

struct Suite {
  std::string cases;
  int tests = 0;
  int failures = 0;
  int errors = 0;
  int skipped = 0;

  // `outcome` is "" (passed), "failure", "error" or "skipped".
  void add(const std::string& class_name,
           const std::string& name,
           std::string_view outcome,
           std::string_view type,
           const std::string& message,
           const std::string& body) {
    ++tests;
    cases += fmt::format("    <testcase classname=\"{}\" name=\"{}\"",
                         escape_markup(class_name),
                         escape_markup(name));
    if (outcome.empty()) {
      cases += fmt::format(">\n      <system-out>{}</system-out>\n    </testcase>\n",
                           escape_markup(body));
      return;
    }
    if (outcome == "failure") ++failures;
    if (outcome == "error") ++errors;
    if (outcome == "skipped") ++skipped;
    const std::string typed = type.empty() ? "" : fmt::format(" type=\"{}\"", type);
    cases += fmt::format(">\n      <{0}{1} message=\"{2}\">{3}</{0}>\n    </testcase>\n",
                         outcome,
                         typed,
                         escape_markup(message),
                         escape_markup(body));
  }
};

std::string document(const Suite& suite,
                     const std::string& name,
                     const std::string& properties,
                     double seconds) {
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites tests=\"{0}\" failures=\"{1}\" errors=\"{2}\" skipped=\"{3}\" "
      "time=\"{4:.3f}\">\n"
      "  <testsuite name=\"{5}\" tests=\"{0}\" failures=\"{1}\" errors=\"{2}\" skipped=\"{3}\" "
      "time=\"{4:.3f}\">\n"
      "{6}{7}  </testsuite>\n</testsuites>\n",
      suite.tests,
      suite.failures,
      suite.errors,
      suite.skipped,
      seconds,
      escape_markup(name),
      properties,
      suite.cases);
}

std::string property(std::string_view name, std::string_view value) {
  return fmt::format(
      "      <property name=\"{}\" value=\"{}\"/>\n", escape_markup(name), escape_markup(value));
}

struct Outcome {
  std::string_view element;
  std::string_view type;
};

Outcome outcome_of(VerdictKind kind) noexcept {
  switch (kind) {
    case VerdictKind::kept:
      return {"", ""};
    case VerdictKind::broken:
      return {"failure", "broken"};
    case VerdictKind::undetermined:
      return {"error", "undetermined"};
    case VerdictKind::not_exercised:
      return {"error", "not-exercised"};
    case VerdictKind::not_applicable:
      return {"skipped", ""};
  }
  return {"error", "undetermined"};
}

std::string body_of(const RunReport& report, const PromiseResult& promise) {
  std::string body = fmt::format("{}\n{}\n", promise.sentence, promise.verdict.summary);
  for (const auto& counterexample : promise.verdict.counterexamples) {
    body += fmt::format("{}: {}\n", counterexample.title, counterexample.why);
    if (body.size() > 20'000) break;
  }
  return std::string(prefix_of(body, 20'000)) + fmt::format("replay: {}\n", report.replay);
}

}  // namespace

std::string render_junit(const RunReport& report, const history::History&) {
  Suite suite;
  const std::string class_name = "sunder." + report.scenario;
  for (const PromiseResult& promise : report.promises) {
    const Outcome outcome = promise.price ? Outcome() : outcome_of(promise.verdict.kind);
    suite.add(class_name,
              promise.name,
              outcome.element,
              outcome.type,
              promise.verdict.summary,
              body_of(report, promise));
  }
  for (const auto& [fault, reason] : report.skipped) {
    suite.add(class_name, "fault " + fault, "skipped", "", reason, "");
  }
  const bool failed = !report.harness_error.empty() || report.exit_code >= 3;
  if (failed) {
    suite.add(class_name,
              "harness",
              "error",
              "harness-failed",
              report.harness_error,
              "replay: " + report.replay);
  }
  std::int64_t end = 0;
  for (const auto& phase : report.context.phases) {
    if (phase.window.end != history::kNever) end = std::max(end, phase.window.end);
  }
  std::string properties = "    <properties>\n";
  properties += property("seed", std::to_string(report.seed));
  properties += property("version", report.version);
  properties += property("replay", report.replay);
  if (!report.sabotage.empty()) properties += property("sabotage", report.sabotage);
  for (const auto& [name, value] : report.inputs) properties += property("input." + name, value);
  properties += "    </properties>\n";
  return document(suite, report.scenario, properties, static_cast<double>(end) / 1e9);
}

std::string render_campaign_junit(const CampaignReport& campaign) {
  Suite suite;
  std::int64_t total = 0;
  for (const CampaignRow& row : campaign.rows) {
    total += row.duration_ns;
    const std::string body =
        fmt::format("expected: {}\nactual: {}\nrun: {}\n", row.expected, row.actual, row.directory);
    suite.add("sunder." + row.scenario,
              fmt::format("{} seed {}", row.title, row.seed),
              row.as_expected ? "" : "failure",
              "unexpected",
              fmt::format("expected {}, was {}", row.expected, row.actual),
              body);
  }
  return document(suite, campaign.name, "", static_cast<double>(total) / 1e9);
}

}  // namespace sunder::report
