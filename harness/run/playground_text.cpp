#include "harness/run/playground_text.hpp"

#include <algorithm>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "harness/base/duration.hpp"
#include "nemesis/parameters.hpp"

namespace sunder::run {
namespace {

namespace json = boost::json;

constexpr std::size_t kWordsMax = 100;

std::string without_spaces(std::string_view text) {
  std::string result;
  for (const char letter : text) {
    if (letter != ' ' && letter != '\t') result += letter;
  }
  return result;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

// "n1,n2 | n3 flap=500ms" as "n1+n2/n3;flap=500ms": the part behind the family, with spaces.
std::string spoken_target(std::string_view text) {
  std::string target;
  std::string parameters;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string_view word = text.substr(at, end - at);
    at = end + 1;
    if (word.find('=') != std::string_view::npos && word.find('@') == std::string_view::npos) {
      parameters += fmt::format(";{}", word);
    } else {
      target += word;
    }
  }
  std::ranges::replace(target, ',', '+');
  std::ranges::replace(target, '|', '/');
  return target + parameters;
}

// Gives an item that begins now its placement.
std::string placed(const std::string& item, std::chrono::nanoseconds duration) {
  const std::size_t end = std::min(item.find(';'), item.size());
  if (item.substr(0, end).find('@') != std::string::npos) return item;
  return fmt::format(
      "{}@0s+{}{}", item.substr(0, end), nemesis::exact_duration(duration), item.substr(end));
}

std::string text_of(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::int64_t number_of(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains(key);
  return value != nullptr && value->is_int64() ? value->as_int64() : 0;
}

const json::array& list_of(const json::object& object, std::string_view key) {
  static const json::array nothing;
  const json::value* const value = object.if_contains(key);
  return value != nullptr && value->is_array() ? value->as_array() : nothing;
}

std::string seconds_of(const json::object& object, std::string_view key) {
  return fmt::format("{:.1f} s", static_cast<double>(number_of(object, key)) / 1e3);
}

std::string matrix_text(const json::object& status) {
  std::vector<std::string> names;
  for (const json::value& node : list_of(status, "nodes")) {
    names.push_back(text_of(node.as_object(), "name"));
  }
  const json::array& clients = list_of(status, "clients");
  for (const json::value& client : clients) names.emplace_back(client.as_string());
  constexpr int kWidth = 12;
  std::string text = fmt::format("{:8}", "from\\to");
  for (const std::string& name : names) text += fmt::format("{:>{}}", name, kWidth);
  text += '\n';
  for (const std::string& from : names) {
    text += fmt::format("{:8}", from);
    for (const std::string& to : names) {
      std::string cell = from == to ? "" : "–";
      for (const json::value& value : list_of(status, "links")) {
        const json::object& link = value.as_object();
        if (text_of(link, "from") != from || text_of(link, "to") != to) continue;
        cell = text_of(link, "state");
        const std::int64_t dropped = number_of(link, "dropped");
        cell = dropped > 0    ? fmt::format("{} -{}", cell, dropped)
               : cell == "ok" ? fmt::format("{}", number_of(link, "sent"))
                              : cell;
      }
      text += fmt::format("{:>{}}", cell, kWidth);
    }
    text += '\n';
  }
  for (const json::value& value : list_of(status, "links")) {
    const json::object& link = value.as_object();
    const std::string detail = text_of(link, "detail");
    if (detail.empty()) continue;
    text += fmt::format("{} to {}: {}\n", text_of(link, "from"), text_of(link, "to"), detail);
  }
  return text + "frames sent; -N: dropped so far; the state where it is not healthy\n";
}

}  // namespace

Result<FaultOrder> read_fault_order(const std::vector<std::string>& words,
                                    std::optional<std::chrono::nanoseconds> duration) {
  const std::string text = joined(words);
  if (text.empty() || words.size() > kWordsMax) {
    return base::make_error(Errc::usage,
                            "give a fault, such as kill:leader or 'partition n1,n2 | n3'");
  }
  // A space before the first colon: the spoken form, one item.
  const std::size_t space = text.find(' ');
  const bool spoken = space != std::string::npos && space < text.find(':');
  std::vector<std::string> items;
  if (spoken) {
    items.push_back(
        fmt::format("{}:{}", text.substr(0, space), spoken_target(text.substr(space + 1))));
  } else {
    std::string rest = without_spaces(text);
    for (std::size_t at = 0; at <= rest.size();) {
      const std::size_t end = std::min(rest.find(',', at), rest.size());
      items.push_back(rest.substr(at, end - at));
      at = end + 1;
    }
  }
  FaultOrder order;
  order.open = !duration;
  for (const std::string& item : items) {
    const std::size_t parameters = std::min(item.find(';'), item.size());
    const bool placed_itself = item.substr(0, parameters).find('@') != std::string::npos;
    if (duration && placed_itself) {
      return base::make_error(
          Errc::usage, fmt::format("fault '{}' has a duration of its own: leave out --for", item));
    }
    order.items += (order.items.empty() ? "" : ",") + placed(item, duration.value_or(kUntilHealed));
  }
  return order;
}

std::string status_text(const json::object& status) {
  std::string text =
      fmt::format("{} up for {}", text_of(status, "mode"), seconds_of(status, "up_ms"));
  if (const std::string leader = text_of(status, "leader"); !leader.empty()) {
    text += fmt::format(", {} leads", leader);
  }
  text += fmt::format("\n\n{:6}{:>8}  {:9}{:11}{:>6}\n", "node", "pid", "state", "role", "term");
  for (const json::value& value : list_of(status, "nodes")) {
    const json::object& node = value.as_object();
    text += fmt::format("{:6}{:>8}  {:9}{:11}{:>6}  {}",
                        text_of(node, "name"),
                        number_of(node, "pid"),
                        text_of(node, "state"),
                        text_of(node, "role"),
                        number_of(node, "term"),
                        text_of(node, "ended"));
    while (text.ends_with(' ')) text.pop_back();
    text += '\n';
  }
  const json::array& faults = list_of(status, "faults");
  text += faults.empty() ? "\nno fault stands\n" : "\nfaults\n";
  for (const json::value& value : faults) {
    const json::object& fault = value.as_object();
    text += fmt::format("  {:>3}  {}, {}\n",
                        number_of(fault, "id"),
                        text_of(fault, "description"),
                        text_of(fault, "state") == "waits"
                            ? "waits for its moment"
                            : fmt::format("for {}", seconds_of(fault, "since_ms")));
  }
  return text + "\n" + matrix_text(status);
}

std::string faults_text(const json::object& reply) {
  std::string text;
  for (const json::value& value : list_of(reply, "faults")) {
    const json::object& fault = value.as_object();
    text += fmt::format("fault {}: {}: {}",
                        number_of(fault, "id"),
                        text_of(fault, "description"),
                        text_of(fault, "state"));
    if (const std::string reason = text_of(fault, "reason"); !reason.empty()) {
      text += fmt::format(" ({})", reason);
    }
    for (const json::value& item : list_of(fault, "evidence")) {
      text += fmt::format("\n  {}", std::string_view(item.as_string()));
    }
    text += '\n';
  }
  return text.empty() ? "no fault stood\n" : text;
}

}  // namespace sunder::run
