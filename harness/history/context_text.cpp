// The text forms of what happened around the operations: faults.jsonl, events.jsonl, context.json.

#include <functional>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "harness/history/text.hpp"

namespace sunder::history {
namespace {

namespace json = boost::json;

json::value window_json(const Window& window) {
  json::array pair{window.begin};
  // An open end is null: kNever is our own number, not the reader's.
  pair.push_back(window.end == kNever ? json::value(nullptr) : json::value(window.end));
  return pair;
}

template <typename T>
json::array array_json(const std::vector<T>& items) {
  json::array array;
  for (const T& item : items) array.emplace_back(item);
  return array;
}

json::object evidence_json(const Evidence& evidence) {
  json::object object{{"name", evidence.name}, {"value", evidence.value}};
  if (!evidence.unit.empty()) object["unit"] = evidence.unit;
  return object;
}

// ---- reading; every accessor throws std::exception, caught per document by parse_document()

std::string text_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value == nullptr || value->is_null() ? std::string() : std::string(value->as_string());
}

template <typename T>
T number_of(const json::value& value) {
  return value.to_number<T>();
}

template <typename T>
T number_at(const json::object& object, std::string_view name, T otherwise = T{}) {
  const json::value* value = object.if_contains(name);
  return value == nullptr || value->is_null() ? otherwise : number_of<T>(*value);
}

bool flag_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->as_bool();
}

const json::array& array_at(const json::object& object, std::string_view name) {
  static const json::array empty;
  const json::value* value = object.if_contains(name);
  return value == nullptr || value->is_null() ? empty : value->as_array();
}

std::vector<std::string> texts_at(const json::object& object, std::string_view name) {
  std::vector<std::string> texts;
  for (const json::value& item : array_at(object, name)) texts.emplace_back(item.as_string());
  return texts;
}

Window window_of(const json::array& pair) {
  if (pair.empty()) return {};
  return {number_of<std::int64_t>(pair.at(0)),
          pair.at(1).is_null() ? kNever : number_of<std::int64_t>(pair.at(1))};
}

Window window_at(const json::object& object, std::string_view name) {
  return window_of(array_at(object, name));
}

FaultRecord fault_of(const json::object& object) {
  FaultRecord fault;
  fault.id = number_at<std::uint32_t>(object, "id");
  fault.family = text_at(object, "family");
  fault.shape = text_at(object, "shape");
  fault.description = text_at(object, "description");
  fault.targets = texts_at(object, "targets");
  fault.event = text_at(object, "event");
  fault.requested = number_at<std::int64_t>(object, "requested");
  fault.applying = window_at(object, "applying");
  fault.active = window_at(object, "active");
  for (const json::value& item : array_at(object, "standing")) {
    fault.standing.push_back(window_of(item.as_array()));
  }
  fault.healed = number_at<std::int64_t>(object, "healed");
  fault.exercised = flag_at(object, "exercised");
  fault.reason = text_at(object, "reason");
  for (const json::value& item : array_at(object, "evidence")) {
    const json::object& entry = item.as_object();
    fault.evidence.push_back(
        {text_at(entry, "name"), number_at<double>(entry, "value"), text_at(entry, "unit")});
  }
  for (const json::value& item : array_at(object, "cut_links")) {
    const json::array& pair = item.as_array();
    fault.cut_links.emplace_back(pair.at(0).as_string(), pair.at(1).as_string());
  }
  fault.disabled_nodes = texts_at(object, "disabled_nodes");
  fault.changes_members = flag_at(object, "changes_members");
  fault.porous = flag_at(object, "porous");
  if (object.contains("ended_nodes")) fault.ended_nodes = texts_at(object, "ended_nodes");
  return fault;
}

NodeEvent event_of(const json::object& object) {
  NodeEvent event;
  for (const auto& [name, value] : object) {
    if (name == "node") {
      event.node = value.as_string();
    } else if (name == "seq") {
      event.sequence = number_of<std::uint64_t>(value);
    } else if (name == "time") {
      event.time = number_of<std::int64_t>(value);
    } else if (name == "event") {
      event.event = value.as_string();
    } else if (name == "v") {
      continue;
    } else if (value.is_string()) {
      event.texts.emplace_back(name, value.as_string());
    } else if (value.is_int64() || value.is_uint64()) {
      event.numbers.emplace_back(name, number_of<std::int64_t>(value));
    }  // other kinds: a newer node's fields, ignored
  }
  return event;
}

RunContext context_of(const json::object& object) {
  RunContext context;
  context.nodes = texts_at(object, "nodes");
  context.clients = texts_at(object, "clients");
  for (const json::value& item : array_at(object, "process_endpoints")) {
    const json::array& pair = item.as_array();
    context.process_endpoints.emplace_back(number_of<std::int64_t>(pair.at(0)),
                                           number_of<std::uint32_t>(pair.at(1)));
  }
  for (const json::value& item : array_at(object, "client_nodes")) {
    context.client_nodes.push_back(number_of<std::uint32_t>(item));
  }
  context.clients_see_all = flag_at(object, "clients_see_all");
  for (const json::value& item : array_at(object, "phases")) {
    const json::object& phase = item.as_object();
    context.phases.push_back({text_at(phase, "name"), window_at(phase, "window")});
  }
  for (const json::value& item : array_at(object, "host")) {
    const json::object& sample = item.as_object();
    context.host.push_back({number_at<std::int64_t>(sample, "time"),
                            number_at<double>(sample, "loop_delay_ms"),
                            number_at<double>(sample, "cpu_pressure")});
  }
  context.dropped_events = number_at<std::uint64_t>(object, "dropped_events");
  context.host_overload = text_at(object, "host_overload");
  return context;
}

Error unreadable(std::string_view source,
                 std::size_t line,
                 std::size_t column,
                 std::string_view what) {
  return base::make_error(Errc::unreadable_input,
                          fmt::format("{}:{}:{}: {}", source, line, column, what));
}

// Parses one JSON object and gives it to `take`; what `take` throws names a field of the wrong
// kind.
Result<void> parse_document(std::string_view text,
                            std::string_view source,
                            std::size_t line,
                            const std::function<void(const json::object&)>& take) {
  json::error_code error;
  json::stream_parser parser;
  const std::size_t consumed = parser.write_some(text.data(), text.size(), error);
  if (!error) parser.finish(error);
  if (error) {
    return unreadable(
        source, line, consumed + 1, fmt::format("expected JSON: {}", error.message()));
  }
  const json::value value = parser.release();
  if (!value.is_object()) return unreadable(source, line, 1, "expected an object");
  try {
    take(value.as_object());
  } catch (const std::exception& exception) {
    return unreadable(source, line, 1, fmt::format("expected another kind: {}", exception.what()));
  }
  return {};
}

Result<void> each_line(std::string_view text,
                       std::string_view source,
                       const std::function<void(const json::object&)>& take) {
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t newline = text.find('\n');
    // A last line without a newline belongs to a run that died while writing it.
    if (newline == std::string_view::npos) break;
    const std::string_view content = text.substr(0, newline);
    text.remove_prefix(newline + 1);
    if (content.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    SUNDER_TRY(parse_document(content, source, line, take));
  }
  return {};
}

}  // namespace

std::string fault_line(const FaultRecord& fault) {
  json::object object{{"id", fault.id},
                      {"family", fault.family},
                      {"shape", fault.shape},
                      {"description", fault.description},
                      {"targets", array_json(fault.targets)},
                      {"requested", fault.requested},
                      {"applying", window_json(fault.applying)},
                      {"active", window_json(fault.active)},
                      {"healed", fault.healed},
                      {"exercised", fault.exercised}};
  if (!fault.event.empty()) object["event"] = fault.event;
  if (!fault.reason.empty()) object["reason"] = fault.reason;
  if (!fault.standing.empty()) {
    json::array standing;
    for (const Window& window : fault.standing) standing.push_back(window_json(window));
    object["standing"] = std::move(standing);
  }
  json::array evidence;
  for (const Evidence& item : fault.evidence) evidence.push_back(evidence_json(item));
  object["evidence"] = std::move(evidence);
  json::array links;
  for (const auto& [from, to] : fault.cut_links) links.push_back(json::array{from, to});
  object["cut_links"] = std::move(links);
  object["disabled_nodes"] = array_json(fault.disabled_nodes);
  if (fault.changes_members) object["changes_members"] = true;
  if (fault.porous) object["porous"] = true;
  if (!fault.ended_nodes.empty()) object["ended_nodes"] = array_json(fault.ended_nodes);
  return json::serialize(object) + "\n";
}

std::string event_line(const NodeEvent& event) {
  json::object object{{"v", 1},
                      {"node", event.node},
                      {"seq", event.sequence},
                      {"time", event.time},
                      {"event", event.event}};
  for (const auto& [name, value] : event.numbers) object[name] = value;
  for (const auto& [name, value] : event.texts) object[name] = value;
  return json::serialize(object) + "\n";
}

std::string context_to_json(const RunContext& context) {
  json::array endpoints;
  for (const auto& [process, endpoint] : context.process_endpoints) {
    endpoints.push_back(json::array{process, endpoint});
  }
  json::array phases;
  for (const Phase& phase : context.phases) {
    phases.push_back(json::object{{"name", phase.name}, {"window", window_json(phase.window)}});
  }
  json::array host;
  for (const HostSample& sample : context.host) {
    host.push_back(json::object{{"time", sample.time},
                                {"loop_delay_ms", sample.loop_delay_ms},
                                {"cpu_pressure", sample.cpu_pressure}});
  }
  const json::object object{{"v", 1},
                            {"nodes", array_json(context.nodes)},
                            {"clients", array_json(context.clients)},
                            {"process_endpoints", std::move(endpoints)},
                            {"client_nodes", array_json(context.client_nodes)},
                            {"clients_see_all", context.clients_see_all},
                            {"phases", std::move(phases)},
                            {"host", std::move(host)},
                            {"dropped_events", context.dropped_events},
                            {"host_overload", context.host_overload}};
  return json::serialize(object) + "\n";
}

Result<std::vector<FaultRecord>> read_faults(std::string_view text, std::string_view source) {
  std::vector<FaultRecord> faults;
  SUNDER_TRY(each_line(
      text, source, [&](const json::object& object) { faults.push_back(fault_of(object)); }));
  return faults;
}

Result<EventLog> read_events(std::string_view text, std::string_view source) {
  EventLog events;
  SUNDER_TRY(each_line(
      text, source, [&](const json::object& object) { events.push_back(event_of(object)); }));
  return events;
}

Result<RunContext> read_context(std::string_view text, std::string_view source) {
  RunContext context;
  SUNDER_TRY(parse_document(
      text, source, 1, [&](const json::object& object) { context = context_of(object); }));
  return context;
}

}  // namespace sunder::history
