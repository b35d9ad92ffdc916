#include "harness/report/document.hpp"

#include <algorithm>
#include <cmath>

#include <boost/json/serialize.hpp>

#include "harness/report/coverage.hpp"
#include "harness/report/escape.hpp"
#include "harness/report/figures.hpp"

namespace sunder::report {
namespace {

namespace json = boost::json;
using history::History;
using history::kNever;
using history::Operation;
using history::Value;
using history::ValueKind;

json::value value_json(const history::ValuePool& pool, Value value) {
  switch (value.kind()) {
    case ValueKind::none:
    case ValueKind::nil:
      return nullptr;
    case ValueKind::boolean:
      return value.raw() != 0;
    case ValueKind::integer:
      return value.raw();
    case ValueKind::text:
      return json_text(pool.text_of(value));
    case ValueKind::list:
      break;
  }
  json::array items;
  for (const Value item : pool.items_of(value)) items.push_back(value_json(pool, item));
  return items;
}

json::value milliseconds(std::int64_t nanoseconds) {
  if (nanoseconds < 0) return nullptr;
  return static_cast<double>(nanoseconds) / 1e6;
}

// Nanoseconds since the start; null for never and unknown.
json::value stamp(std::int64_t time) {
  if (time < 0 || time == kNever) return nullptr;
  return time;
}

// JSON has no infinities.
json::value finite(double value) {
  if (!std::isfinite(value)) return nullptr;
  return value;
}

json::object window_json(const history::Window& window) {
  return {{"begin_ns", stamp(window.begin)}, {"end_ns", stamp(window.end)}};
}

json::array texts_json(const std::vector<std::string>& texts) {
  json::array array;
  for (const std::string& text : texts) array.push_back(json_text(text));
  return array;
}

json::object pairs_json(const std::vector<std::pair<std::string, std::string>>& pairs) {
  json::object object;
  for (const auto& [name, value] : pairs) object[valid_utf8(name)] = json_text(value);
  return object;
}

json::object row_json(const OperationRow& row) {
  return {{"name", json_text(row.name)},
          {"ok", row.ok},
          {"fail", row.fail},
          {"info", row.info},
          {"latency_ms_p50", milliseconds(row.p50)},
          {"latency_ms_p95", milliseconds(row.p95)},
          {"latency_ms_p99", milliseconds(row.p99)},
          {"latency_ms_max", milliseconds(row.maximum)}};
}

json::array rows_json(const std::vector<OperationRow>& rows) {
  json::array array;
  for (const OperationRow& row : rows) array.push_back(row_json(row));
  return array;
}

json::object item_json(const History& history, const PictureItem& item) {
  const Operation& operation = history.operations()[item.operation];
  const auto& pool = history.pool();
  json::object object{{"index", item.operation},
                      {"core", item.core},
                      {"note", json_text(item.note)},
                      {"process", operation.process},
                      {"function", json_text(pool.name(operation.function_name))},
                      {"outcome", name_of(operation.outcome)},
                      {"invoke_ns", stamp(operation.invoke_time)},
                      {"complete_ns", stamp(operation.complete_time)}};
  if (operation.function_name == 0) object["function"] = name_of(operation.function);
  if (operation.key != 0) object["key"] = json_text(pool.name(operation.key));
  if (!operation.input.is_none()) object["input"] = value_json(pool, operation.input);
  if (!operation.output.is_none()) object["output"] = value_json(pool, operation.output);
  if (operation.error != 0) object["error"] = json_text(pool.name(operation.error));
  if (operation.node != 0) object["node"] = json_text(pool.name(operation.node));
  return object;
}

json::array skipped_json(const RunReport& report) {
  json::array array;
  for (const auto& [fault, reason] : report.skipped) {
    array.push_back(json::object{{"fault", json_text(fault)}, {"reason", json_text(reason)}});
  }
  return array;
}

json::array coverage_json(const RunReport& report) {
  json::array array;
  for (const FamilyCoverage& family : coverage_of(report)) {
    array.push_back(json::object{{"family", json_text(family.family)},
                                 {"planned", family.planned},
                                 {"applied", family.applied},
                                 {"exercised", family.exercised},
                                 {"evidence", json_text(family.evidence)},
                                 {"skipped", json_text(family.skipped)}});
  }
  return array;
}

json::array event_coverage_json(const RunReport& report) {
  json::array array;
  for (const EventCoverage& cell : event_coverage_of(report)) {
    array.push_back(json::object{{"event", json_text(cell.event)},
                                 {"family", json_text(cell.family)},
                                 {"planned", cell.planned},
                                 {"exercised", cell.exercised},
                                 {"reason", json_text(cell.reason)}});
  }
  return array;
}

}  // namespace

json::string json_text(std::string_view text) {
  const std::string valid = valid_utf8(text);
  return json::string(valid.data(), valid.size());
}

json::array json_of(const std::vector<history::Evidence>& evidence) {
  json::array array;
  for (const auto& item : evidence) {
    array.push_back(json::object{{"name", json_text(item.name)},
                                 {"value", finite(item.value)},
                                 {"unit", json_text(item.unit)}});
  }
  return array;
}

json::object json_of(const OperationTable& table) {
  json::object object = row_json(table.all);
  object.erase("name");
  object["phases"] = rows_json(table.phases);
  object["functions"] = rows_json(table.functions);
  return object;
}

json::object json_of(const Timeline& timeline) {
  json::array ok, fail, info, p50, p95, p99;
  for (const Bucket& bucket : timeline.buckets) {
    ok.push_back(bucket.ok);
    fail.push_back(bucket.fail);
    info.push_back(bucket.info);
    p50.push_back(milliseconds(bucket.p50));
    p95.push_back(milliseconds(bucket.p95));
    p99.push_back(milliseconds(bucket.p99));
  }
  json::array leaders;
  for (const LeaderSpan& span : timeline.leaders) {
    json::object object = window_json(span.window);
    object["node"] = json_text(span.node);
    object["term"] = span.term;
    leaders.push_back(std::move(object));
  }
  json::array disabled;
  for (const DisabledSpan& span : timeline.disabled) {
    json::object object = window_json(span.window);
    object["node"] = json_text(span.node);
    object["family"] = json_text(span.family);
    object["fault"] = span.fault;
    disabled.push_back(std::move(object));
  }
  return {{"end_ns", timeline.end},
          {"bucket_ns", timeline.bucket_width},
          {"ok", std::move(ok)},
          {"fail", std::move(fail)},
          {"info", std::move(info)},
          {"latency_ms_p50", std::move(p50)},
          {"latency_ms_p95", std::move(p95)},
          {"latency_ms_p99", std::move(p99)},
          {"leaders", std::move(leaders)},
          {"disabled", std::move(disabled)}};
}

json::array json_of(const std::vector<history::Phase>& phases) {
  json::array array;
  for (const auto& phase : phases) {
    json::object object = window_json(phase.window);
    object["name"] = json_text(phase.name);
    array.push_back(std::move(object));
  }
  return array;
}

json::array json_of(const std::vector<history::FaultRecord>& faults) {
  json::array array;
  for (const auto& fault : faults) {
    json::array standing;
    for (const auto& window : fault.standing) standing.push_back(window_json(window));
    array.push_back(json::object{{"id", fault.id},
                                 {"family", json_text(fault.family)},
                                 {"shape", json_text(fault.shape)},
                                 {"description", json_text(fault.description)},
                                 {"targets", texts_json(fault.targets)},
                                 {"event", json_text(fault.event)},
                                 {"applying", window_json(fault.applying)},
                                 {"active", window_json(fault.active)},
                                 {"standing", std::move(standing)},
                                 {"healed_ns", stamp(fault.healed)},
                                 {"exercised", fault.exercised},
                                 {"reason", json_text(fault.reason)},
                                 {"evidence", json_of(fault.evidence)}});
  }
  return array;
}

json::object json_of(const History& history, const checkers::Counterexample& counterexample) {
  const Picture picture = draw(history, counterexample);
  json::array operations;
  for (const PictureItem& item : picture.items) operations.push_back(item_json(history, item));
  return {{"title", json_text(counterexample.title)},
          {"why", json_text(counterexample.why)},
          {"key", json_text(counterexample.key)},
          {"first_error", counterexample.first_error},
          {"left_out", picture.left_out},
          {"operations", std::move(operations)}};
}

json::object json_of(const History& history, const PromiseResult& promise) {
  json::array counterexamples;
  const auto& all = promise.verdict.counterexamples;
  for (std::size_t i = 0; i < std::min(all.size(), kPicturesPerPromiseMax); ++i) {
    counterexamples.push_back(json_of(history, all[i]));
  }
  return {{"name", json_text(promise.name)},
          {"sentence", json_text(promise.sentence)},
          {"condition", json_text(promise.condition)},
          {"checker", json_text(promise.checker)},
          {"source", json_text(promise.source)},
          {"verdict", verdict_name(promise)},
          {"summary", json_text(promise.verdict.summary)},
          {"details", texts_json(promise.verdict.details)},
          {"measurements", json_of(promise.verdict.measurements)},
          {"figures", json_of(promise.verdict.figures)},
          {"counterexample_count", all.size()},
          {"counterexamples", std::move(counterexamples)}};
}

std::string render_json(const RunReport& report, const History& history) {
  json::array promises;
  for (const PromiseResult& promise : report.promises)
    promises.push_back(json_of(history, promise));
  const json::object document{{"schema", kSchema},
                              {"scenario", json_text(report.scenario)},
                              {"seed", report.seed},
                              {"started", json_text(report.started)},
                              {"version", json_text(report.version)},
                              {"directory", json_text(report.directory)},
                              {"replay", json_text(report.replay)},
                              {"sabotage", json_text(report.sabotage)},
                              {"result", result_of(report)},
                              {"exit_code", report.exit_code},
                              {"partial", report.partial},
                              {"harness_error", json_text(report.harness_error)},
                              {"inputs", pairs_json(report.inputs)},
                              {"host", pairs_json(report.host)},
                              {"host_overload", json_text(report.context.host_overload)},
                              {"dropped_events", report.context.dropped_events},
                              {"skipped", skipped_json(report)},
                              {"promises", std::move(promises)},
                              {"operations", json_of(count_operations(history, report.context))},
                              {"coverage", coverage_json(report)},
                              {"event_coverage", event_coverage_json(report)},
                              {"nodes", texts_json(report.context.nodes)},
                              {"phases", json_of(report.context.phases)},
                              {"faults", json_of(report.context.faults)},
                              {"timeline", json_of(make_timeline(history, report.context))}};
  return json::serialize(document) + "\n";
}

}  // namespace sunder::report
