// Finds out which form a history has, by its first lines alone.

#include <algorithm>
#include <optional>
#include <vector>

#include "harness/history/lines.hpp"
#include "harness/history/readers.hpp"

namespace sunder::history {
namespace {

// "[12] call …" or "[12] return …".
bool is_object_event(std::string_view line) {
  const std::size_t close = line.find(']');
  if (!line.starts_with('[') || close == std::string_view::npos) return false;
  if (!integer_of(line.substr(1, close - 1))) return false;
  std::string_view rest = line.substr(close + 1);
  const std::string_view word = take_word(rest);
  return word == "call" || word == "return";
}

// "0 1 5 PUSH 1", "0 PUSH 1 1 5" or "push 1 1 5".
bool is_interval(std::string_view line) {
  std::vector<bool> numbers;
  while (true) {
    const std::string_view word = take_word(line);
    if (word.empty()) break;
    numbers.push_back(integer_of(word).has_value());
  }
  const std::size_t count = numbers.size();
  if (count < 4) return false;
  const bool times_first = numbers[0] && numbers[1] && numbers[2] && !numbers[3];
  const bool times_last = numbers[count - 2] && numbers[count - 1] && (numbers[0] != numbers[1]);
  return times_first || times_last;
}

// Comments with '#' come before histories of objects and before lists of intervals; a tagged map of
// EDN begins with one too.
Format detect_behind_hash(std::string_view text) {
  Lines lines(text);
  while (const std::optional<Line> line = lines.next()) {
    if (line->text.find("@object") != std::string_view::npos) return Format::object;
    if (!line->text.starts_with('#')) {
      return is_object_event(line->text) ? Format::object : Format::intervals;
    }
    if (line->text.find('{') != std::string_view::npos) return Format::edn;
  }
  return Format::intervals;
}

Format detect_lines(std::string_view line) {
  const char first = line.front();
  const char second = line.size() > 1 ? line[1] : '\0';
  if (line.find("\t:") != std::string_view::npos) return Format::porcupine_log;
  if ((first == 'r' || first == 'w') && second == '(') return Format::plume;
  const bool event = (first == 'r' || first == 'w') && (second == ' ' || second == '\t');
  if (event) return Format::awdit;
  const bool ruler = line.find_first_not_of(first) == std::string_view::npos;
  if (ruler && (first == '-' || first == '=')) return Format::awdit;
  return is_interval(line) ? Format::intervals : Format::porcupine_log;
}

}  // namespace

Format detect_format(std::string_view text) {
  if (looks_like_dbcop(text)) return Format::dbcop;
  constexpr std::string_view kBlank = " \t\r\n,";
  std::size_t at = text.find_first_not_of(kBlank);
  while (at != std::string_view::npos && text[at] == ';') {
    at = text.find('\n', at);
    if (at != std::string_view::npos) at = text.find_first_not_of(kBlank, at);
  }
  if (at == std::string_view::npos) return Format::jsonl;  // empty: any form would do
  if (text[at] == '(') return Format::edn;
  if (text[at] == '#') return detect_behind_hash(text.substr(at));
  const std::string_view line = text.substr(at, text.find('\n', at) - at);
  if (is_object_event(line)) return Format::object;
  const bool wrapped = text[at] == '[';
  if (wrapped) at = text.find_first_not_of(kBlank, at + 1);
  if (at == std::string_view::npos) return Format::edn;
  if (text[at] != '{') return wrapped ? Format::edn : detect_lines(line);
  at = text.find_first_not_of(kBlank, at + 1);
  const bool json = at != std::string_view::npos && (text[at] == '"' || text[at] == '}');
  if (!json) return Format::edn;
  return wrapped ? Format::json : Format::jsonl;
}

}  // namespace sunder::history
