#include "harness/report/page.hpp"

#include <algorithm>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "harness/base/assert.hpp"
#include "harness/report/document.hpp"
#include "harness/report/escape.hpp"
#include "harness/report/graph.hpp"

namespace sunder::report {
namespace {

namespace json = boost::json;
using history::History;
using history::Operation;
using history::Outcome;

constexpr std::size_t kTipBytesMax = 400;

double seconds(std::int64_t nanoseconds) noexcept {
  return static_cast<double>(nanoseconds) / 1e9;
}

json::array faults_data(const RunReport& report, const Timeline& timeline) {
  json::array array;
  for (const auto& fault : report.context.faults) {
    if (!took_place(fault)) continue;
    if (array.size() >= kSpanCountMax) break;
    json::array evidence;
    for (const auto& item : fault.evidence) evidence.push_back(json_text(evidence_text(item)));
    json::array standing;
    for (const auto& window : standing_of(fault, timeline.end)) {
      standing.push_back(json::array{seconds(window.begin), seconds(window.end)});
    }
    const std::int64_t begin = fault.applying.end > 0 ? fault.applying.begin : fault.active.begin;
    array.push_back(json::object{{"id", fault.id},
                                 {"family", json_text(fault.family)},
                                 {"shape", json_text(fault.shape)},
                                 {"text", json_text(fault.description)},
                                 {"evidence", std::move(evidence)},
                                 {"exercised", fault.exercised},
                                 {"reason", json_text(fault.reason)},
                                 {"standing", std::move(standing)},
                                 {"begin", seconds(begin)},
                                 {"active", seconds(std::min(fault.active.begin, timeline.end))},
                                 {"until", seconds(std::min(fault.active.end, timeline.end))},
                                 {"end", seconds(over_at(fault, timeline.end))}});
  }
  return array;
}

json::array spans_data(const RunReport& report, const Timeline& timeline) {
  json::array array;
  for (const auto& phase : report.context.phases) {
    if (array.size() >= kSpanCountMax) break;
    array.push_back(json::object{{"name", json_text(phase.name)},
                                 {"begin", seconds(phase.window.begin)},
                                 {"end", seconds(std::min(phase.window.end, timeline.end))}});
  }
  return array;
}

json::array leaders_data(const Timeline& timeline) {
  json::array array;
  for (const LeaderSpan& span : timeline.leaders) {
    array.push_back(json::object{{"node", json_text(span.node)},
                                 {"term", span.term},
                                 {"begin", seconds(span.window.begin)},
                                 {"end", seconds(span.window.end)}});
  }
  return array;
}

json::array disabled_data(const Timeline& timeline) {
  json::array array;
  for (const DisabledSpan& span : timeline.disabled) {
    array.push_back(json::object{{"node", json_text(span.node)},
                                 {"family", json_text(span.family)},
                                 {"fault", span.fault},
                                 {"begin", seconds(span.window.begin)},
                                 {"end", seconds(span.window.end)}});
  }
  return array;
}

std::string bounded(std::string text) {
  if (text.size() <= kTipBytesMax) return text;
  return std::string(prefix_of(text, kTipBytesMax)) + "…";
}

json::object picture_data(const History& history, const checkers::Counterexample& counterexample) {
  const Picture picture = draw(history, counterexample);
  json::array items;
  std::uint64_t number = 0;
  for (const PictureItem& item : picture.items) {
    const Operation& operation = history.operations()[item.operation];
    const auto place = [&](std::int64_t value) -> json::value {
      if (picture.timed) return seconds(value);
      return value;
    };
    items.push_back(
        json::object{{"process", operation.process},
                     {"outcome", name_of(operation.outcome)},
                     {"begin", place(item.begin)},
                     {"end", item.end ? place(*item.end) : json::value(nullptr)},
                     {"seen", item.seen ? place(*item.seen) : json::value(nullptr)},
                     {"core", item.core},
                     {"number", item.core ? ++number : 0},
                     {"first", item.first_error},
                     {"label", json_text(item.label)},
                     {"text", json_text(bounded(printable(history.describe(operation))))},
                     {"node", json_text(history.pool().name(operation.node))},
                     {"note", json_text(bounded(printable(item.note)))}});
  }
  return {{"timed", picture.timed}, {"leftOut", picture.left_out}, {"items", std::move(items)}};
}

std::string core_line(const History& history, const PictureItem& item) {
  const Operation& operation = history.operations()[item.operation];
  std::string when = "";
  if (operation.invoke_time >= 0) {
    const bool closed = operation.outcome != Outcome::info && operation.complete_time >= 0;
    when = fmt::format(
        "{:.6f} – {}",
        seconds(operation.invoke_time),
        closed ? fmt::format("{:.6f} s", seconds(operation.complete_time)) : "? (never known)");
  }
  const std::string_view node = history.pool().name(operation.node);
  return fmt::format(
      "<li{}><span class=\"process\">p{}</span> <code>{}</code>{}<span "
      "class=\"when\">{}</span>{}</li>\n",
      item.first_error ? " class=\"first-error\"" : "",
      operation.process,
      escape_markup(bounded(history.describe(operation))),
      node.empty() ? "" : fmt::format(" <span class=\"node\">on {}</span>", escape_markup(node)),
      when,
      item.note.empty()
          ? ""
          : fmt::format("<span class=\"note\">{}</span>", escape_markup(bounded(item.note))));
}

}  // namespace

std::string fill(std::string_view frame, const std::vector<Place>& places) {
  std::string out;
  while (true) {
    const std::size_t open = frame.find("{{");
    out += frame.substr(0, open);
    if (open == std::string_view::npos) return out;
    const std::size_t close = frame.find("}}", open);
    SUNDER_ASSERT(close != std::string_view::npos);
    const std::string_view name = frame.substr(open + 2, close - open - 2);
    const auto place = std::ranges::find(places, name, &Place::name);
    SUNDER_ASSERT_MESSAGE(place != places.end(), name);
    out += place->content;
    frame.remove_prefix(close + 2);
  }
}

std::string page_data(const RunReport& report, const History& history) {
  const Timeline timeline = make_timeline(history, report.context);
  json::array ok, fail, info, p50, p95, p99;
  const auto latency = [](std::int64_t value) -> json::value {
    if (value < 0) return nullptr;
    return static_cast<double>(value / 1000) / 1e3;
  };
  for (const Bucket& bucket : timeline.buckets) {
    ok.push_back(bucket.ok);
    fail.push_back(bucket.fail);
    info.push_back(bucket.info);
    p50.push_back(latency(bucket.p50));
    p95.push_back(latency(bucket.p95));
    p99.push_back(latency(bucket.p99));
  }
  json::array pictures;
  for (const PromiseResult& promise : report.promises) {
    const auto& all = promise.verdict.counterexamples;
    for (std::size_t i = 0; i < std::min(all.size(), kPicturesPerPromiseMax); ++i) {
      pictures.push_back(picture_data(history, all[i]));
    }
  }
  json::array nodes;
  for (const std::string& node : report.context.nodes) nodes.push_back(json_text(node));
  const json::object data{{"end", seconds(timeline.end)},
                          {"bucket", seconds(timeline.bucket_width)},
                          {"ok", std::move(ok)},
                          {"fail", std::move(fail)},
                          {"info", std::move(info)},
                          {"p50", std::move(p50)},
                          {"p95", std::move(p95)},
                          {"p99", std::move(p99)},
                          {"nodes", std::move(nodes)},
                          {"phases", spans_data(report, timeline)},
                          {"faults", faults_data(report, timeline)},
                          {"leaders", leaders_data(timeline)},
                          {"disabled", disabled_data(timeline)},
                          {"pictures", std::move(pictures)}};
  return escape_script(json::serialize(data));
}

std::string verdict_badge(std::string_view verdict) {
  std::string id(verdict);
  std::ranges::replace(id, ' ', '-');
  return fmt::format(
      "<span class=\"badge {0}\"><svg aria-hidden=\"true\"><use "
      "href=\"#mark-{0}\"/></svg>{1}</span>",
      id,
      verdict);
}

std::string evidence_chips(const std::vector<history::Evidence>& evidence) {
  std::string out;
  for (const auto& item : evidence) {
    const EvidenceText text = text_of(item);
    out += fmt::format("<span class=\"chip\">{} <b>{}</b>{}</span> ",
                       escape_markup(item.name),
                       text.number,
                       text.unit.empty() ? "" : " " + escape_markup(text.unit));
  }
  return out;
}

std::string counterexample_html(const History& history,
                                const checkers::Counterexample& counterexample,
                                std::size_t picture) {
  const Picture drawn = draw(history, counterexample);
  std::string core;
  for (const PictureItem& item : drawn.items) {
    if (item.core) core += core_line(history, item);
  }
  std::string cut;
  if (drawn.left_out > 0) {
    cut = fmt::format(
        "<p class=\"cut\">{} further operations of this counter-example are not drawn.</p>",
        drawn.left_out);
  }
  const std::string key =
      counterexample.key.empty()
          ? ""
          : fmt::format(" <span class=\"key\">key {}</span>", escape_markup(counterexample.key));
  return fmt::format(
      "<article class=\"counterexample\" id=\"picture-{0}\">\n"
      "<h3>{1}{2}</h3>\n<p class=\"why\">{3}</p>\n"
      "<div class=\"picture\" data-picture=\"{0}\"></div>\n"
      "{6}<ol class=\"core\">\n{4}</ol>\n{5}</article>\n",
      picture,
      escape_markup(counterexample.title),
      key,
      escape_markup(counterexample.why),
      core,
      cut,
      counterexample.graph.empty() ? "" : graph_svg(history, counterexample.graph));
}

}  // namespace sunder::report
