#include "harness/disk/control.hpp"

#include <array>
#include <cerrno>
#include <chrono>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "harness/base/clock.hpp"

namespace sunder::disk {
namespace {

namespace json = boost::json;

// A mount, or a power loss of a large directory, on a busy machine.
constexpr std::chrono::seconds kAnswerLimit{20};
constexpr std::size_t kLineMax = std::size_t{4} << 20;

std::uint64_t number(const json::object& object, const char* name, std::uint64_t otherwise = 0) {
  const json::value* const value = object.if_contains(name);
  if (value == nullptr) return otherwise;
  boost::system::error_code error;
  const auto result = value->to_number<std::uint64_t>(error);
  return error ? otherwise : result;
}

double real(const json::object& object, const char* name, double otherwise) {
  const json::value* const value = object.if_contains(name);
  if (value == nullptr) return otherwise;
  boost::system::error_code error;
  const auto result = value->to_number<double>(error);
  return error ? otherwise : result;
}

bool truth(const json::object& object, const char* name) {
  const json::value* const value = object.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::string text(const json::object& object, const char* name, std::string_view otherwise = "") {
  const json::value* const value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return std::string(otherwise);
  return std::string(value->get_string());
}

json::object to_json(const Rule& rule) {
  return {{"kind", name_of(rule.kind)},
          {"files", rule.files},
          {"operation", rule.operation},
          {"nth", rule.nth},
          {"rate", rule.rate},
          {"seed", rule.seed},
          {"delay_ns", rule.delay.count()},
          {"quota", rule.quota}};
}

Result<Rule> rule_from(const json::object& object) {
  Rule rule;
  const auto kind = rule_kind_named(text(object, "kind"));
  if (!kind) return base::make_error(Errc::usage, "a rule without a known kind");
  rule.kind = *kind;
  rule.files = text(object, "files", "*");
  rule.operation = text(object, "operation");
  rule.nth = number(object, "nth");
  rule.rate = real(object, "rate", 1);
  rule.seed = number(object, "seed");
  rule.delay = std::chrono::nanoseconds(number(object, "delay_ns"));
  rule.quota = number(object, "quota");
  return rule;
}

json::object counted(const RuleCounters& counters) {
  return {{"ok", true},
          {"seen", counters.seen},
          {"struck", counters.struck},
          {"bytes", counters.bytes}};
}

json::object failure(std::string_view why) {
  return {{"ok", false}, {"error", why}};
}

json::object to_json(const PowerLoss& loss) {
  json::array files;
  for (const LostFile& file : loss.files) {
    files.push_back(json::object{{"path", file.path},
                                 {"bytes", file.loss.bytes},
                                 {"truncations", file.loss.truncations},
                                 {"kept", file.loss.kept},
                                 {"forgotten", file.forgotten}});
  }
  json::array entries(loss.tree.entries.begin(), loss.tree.entries.end());
  json::array returned(loss.tree.returned.begin(), loss.tree.returned.end());
  return {{"ok", true},
          {"files", std::move(files)},
          {"entries", std::move(entries)},
          {"returned", std::move(returned)},
          {"renames", loss.tree.renames}};
}

std::vector<std::string> texts(const json::object& object, const char* name) {
  std::vector<std::string> found;
  const json::value* const value = object.if_contains(name);
  if (value == nullptr || !value->is_array()) return found;
  for (const json::value& item : value->get_array()) {
    if (item.is_string()) found.emplace_back(item.get_string());
  }
  return found;
}

PowerLoss loss_from(const json::object& object) {
  PowerLoss loss;
  loss.tree.entries = texts(object, "entries");
  loss.tree.returned = texts(object, "returned");
  loss.tree.renames = number(object, "renames");
  const json::value* const files = object.if_contains("files");
  if (files == nullptr || !files->is_array()) return loss;
  for (const json::value& item : files->get_array()) {
    if (!item.is_object()) continue;
    const json::object& file = item.get_object();
    LostFile lost;
    lost.path = text(file, "path");
    lost.loss.bytes = number(file, "bytes");
    lost.loss.truncations = number(file, "truncations");
    lost.loss.kept = number(file, "kept");
    lost.forgotten = truth(file, "forgotten");
    loss.files.push_back(std::move(lost));
  }
  return loss;
}

json::object arm(Volume& volume, const json::object& request) {
  const json::value* const wanted = request.if_contains("rule");
  if (wanted == nullptr || !wanted->is_object()) return failure("arm without a rule");
  const auto rule = rule_from(wanted->get_object());
  if (rule.has_error()) return failure(rule.error().message());
  const auto id = static_cast<std::uint32_t>(number(request, "id"));
  const auto armed = volume.rules().arm(id, *rule);
  return armed.has_value() ? json::object{{"ok", true}} : failure(armed.error().message());
}

json::object lose_power(Volume& volume, const json::object& request) {
  Survival survival;
  survival.keep = real(request, "keep", 0);
  survival.in_order = truth(request, "in_order");
  survival.tears = truth(request, "tears");
  survival.sector = static_cast<std::uint32_t>(number(request, "sector", survival.sector));
  if (survival.sector == 0) return failure("a sector of no bytes");
  const auto loss = volume.lose_power(survival, number(request, "seed"));
  return loss.has_value() ? to_json(*loss) : failure(loss.error().message());
}

json::object perform(Volume& volume, const json::object& request) {
  const std::string what = text(request, "do");
  const auto id = static_cast<std::uint32_t>(number(request, "id"));
  if (what == "arm") return arm(volume, request);
  if (what == "lose power") return lose_power(volume, request);
  if (what == "status") return {{"ok", true}, {"armed", volume.rules().armed()}};
  if (what == "disarm" || what == "counters") {
    const auto counters =
        what == "disarm" ? volume.rules().disarm(id) : volume.rules().counters(id);
    return counters ? counted(*counters) : failure(fmt::format("no rule {} is armed", id));
  }
  return failure(fmt::format("'{}' is no request", what));
}

RuleCounters counters_from(const json::object& answer) {
  return {number(answer, "seen"), number(answer, "struck"), number(answer, "bytes")};
}

// The answer when it says ok, what it says otherwise.
Result<json::object> parse_answer(const std::string& line, Errc otherwise) {
  boost::system::error_code error;
  json::value value = json::parse(line, error);
  if (error || !value.is_object())
    return base::make_error(Errc::protocol, "a disk's answer is no JSON: " + line);
  if (!truth(value.get_object(), "ok"))
    return base::make_error(otherwise, "disk: " + text(value.get_object(), "error"));
  return std::move(value.get_object());
}

}  // namespace

std::string answer(Volume& volume, std::string_view line) {
  boost::system::error_code error;
  const json::value request = json::parse(line, error);
  if (error || !request.is_object()) return json::serialize(failure("this is no JSON object"));
  return json::serialize(perform(volume, request.get_object()));
}

std::string failure_line(std::string_view why) {
  return json::serialize(failure(why));
}

Result<std::string> Client::receive_line() {
  const std::int64_t deadline =
      base::monotonic_ns() + std::chrono::nanoseconds(kAnswerLimit).count();
  std::array<char, 4096> bytes;
  for (;;) {
    const std::size_t end = received_.find('\n');
    if (end != std::string::npos) {
      std::string line = received_.substr(0, end);
      received_.erase(0, end + 1);
      return line;
    }
    const std::int64_t left = (deadline - base::monotonic_ns()) / 1'000'000;
    if (left <= 0) return base::make_error(Errc::timed_out, "a disk does not answer");
    pollfd readable{socket_.get(), POLLIN, 0};
    if (::poll(&readable, 1, static_cast<int>(left)) <= 0) continue;
    const ssize_t count = ::read(socket_.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return base::make_error(Errc::failed, "a disk's process has ended");
    received_.append(bytes.data(), static_cast<std::size_t>(count));
    if (received_.size() > kLineMax) return base::make_error(Errc::protocol, "an endless answer");
  }
}

Result<std::string> Client::ask(const std::string& request) {
  SUNDER_TRY(base::write_all(socket_.get(), request + "\n"));
  return receive_line();
}

Result<void> Client::await_ready() {
  const auto line = receive_line();
  SUNDER_TRY(line);
  SUNDER_TRY(parse_answer(*line, Errc::unsupported));
  return {};
}

Result<void> Client::arm(std::uint32_t id, const Rule& rule) {
  const auto line =
      ask(json::serialize(json::object{{"do", "arm"}, {"id", id}, {"rule", to_json(rule)}}));
  SUNDER_TRY(line);
  SUNDER_TRY(parse_answer(*line, Errc::failed));
  return {};
}

Result<RuleCounters> Client::disarm(std::uint32_t id) {
  const auto line = ask(json::serialize(json::object{{"do", "disarm"}, {"id", id}}));
  SUNDER_TRY(line);
  const auto parsed = parse_answer(*line, Errc::failed);
  SUNDER_TRY(parsed);
  return counters_from(*parsed);
}

Result<RuleCounters> Client::counters(std::uint32_t id) {
  const auto line = ask(json::serialize(json::object{{"do", "counters"}, {"id", id}}));
  SUNDER_TRY(line);
  const auto parsed = parse_answer(*line, Errc::failed);
  SUNDER_TRY(parsed);
  return counters_from(*parsed);
}

Result<PowerLoss> Client::lose_power(const Survival& survival, std::uint64_t seed) {
  const auto line = ask(json::serialize(json::object{{"do", "lose power"},
                                                     {"seed", seed},
                                                     {"keep", survival.keep},
                                                     {"in_order", survival.in_order},
                                                     {"tears", survival.tears},
                                                     {"sector", survival.sector}}));
  SUNDER_TRY(line);
  const auto parsed = parse_answer(*line, Errc::failed);
  SUNDER_TRY(parsed);
  return loss_from(*parsed);
}

Result<std::uint64_t> Client::armed() {
  const auto line = ask(R"({"do":"status"})");
  SUNDER_TRY(line);
  const auto parsed = parse_answer(*line, Errc::failed);
  SUNDER_TRY(parsed);
  return number(*parsed, "armed");
}

}  // namespace sunder::disk
