#include "tests/tidy/text_rules.hpp"

#include <algorithm>
#include <regex>
#include <string>

namespace sunder::tidy {

namespace {

enum class Where { code, headers, comments };

struct BannedWord {
  const char* name;
  const char* pattern;
  Where where;
  const char* replacement;
  const char* allowed_in;  // path prefix; empty: nowhere
};

constexpr BannedWord kBannedWords[] = {
    {"detached", R"(\bdetached\b)", Where::code, "TaskGroup::spawn owns every task", ""},
    {"sleep",
     R"(\b(sleep_for|sleep_until|usleep|nanosleep)\b)",
     Where::code,
     "wait on a condition with a deadline; base::pause_for in coroutines",
     ""},
    {"rand",
     R"(\bstd::rand\b|\bsrand\b|\brandom_device\b|\bmt19937)",
     Where::code,
     "base::Random, seeded by the run",
     ""},
    {"system_clock",
     R"(\bsystem_clock\b)",
     Where::code,
     "base::MonotonicClock for durations, base::utc_compact for names",
     "harness/base/"},
    {"using namespace",
     R"(\busing\s+namespace\b)",
     Where::headers,
     "whole names, or a using declaration",
     ""},
    {"catch (...)",
     R"(\bcatch\s*\(\s*\.\.\.\s*\))",
     Where::code,
     "catch what you can answer for; the three boundaries are in the house style",
     ""},
    {"waitpid(-1)",
     R"(\bwaitpid\s*\(\s*-1\b)",
     Where::code,
     "wait for your own pids: any other waiter loses its statuses",
     ""},
    {"open end", R"(\b(FIXME|TODO|XXX)\b)", Where::comments, "an issue, or the work itself", ""},
};

const std::string& view_of(const Source& source, Where where) {
  return where == Where::comments ? source.comments : source.code;
}

// The comment on this line or the one above accepts the word.
bool accepted(const std::vector<std::string_view>& comments,
              std::size_t line,
              std::string_view name) {
  const std::string marker = "tidy-allow: " + std::string(name) + " because ";
  const bool here = line <= comments.size() && comments[line - 1].find(marker) != std::string::npos;
  return here || (line >= 2 && comments[line - 2].find(marker) != std::string::npos);
}

std::size_t characters_in(std::string_view line) {
  return static_cast<std::size_t>(
      std::count_if(line.begin(), line.end(), [](char byte) { return (byte & 0xC0) != 0x80; }));
}

// Braces of the code view, with the text that stands before each opening one.
class FunctionFinder {
 public:
  explicit FunctionFinder(const Source& source) : source_(source) {}

  [[nodiscard]] Violations run() {
    for (std::size_t i = 0; i < source_.code.size(); ++i) {
      const char c = source_.code[i];
      if (c == '{') {
        open(i);
      } else if (c == '}') {
        close(i);
      }
      if (c == '{' || c == '}' || c == ';') head_start_ = i + 1;
    }
    return std::move(found_);
  }

 private:
  void open(std::size_t at) {
    ++depth_;
    if (function_depth_ != 0) return;
    const std::string_view head =
        std::string_view(source_.code).substr(head_start_, at - head_start_);
    if (head.find('(') == std::string_view::npos) return;
    function_depth_ = depth_;
    function_start_ = line_at(source_.code, at);
  }

  void close(std::size_t at) {
    if (depth_ == function_depth_) {
      const std::size_t lines = line_at(source_.code, at) - function_start_ + 1;
      if (lines > kFunctionLinesMax) {
        found_.push_back({source_.path,
                          function_start_,
                          "function of " + std::to_string(lines) + " lines; at most " +
                              std::to_string(kFunctionLinesMax)});
      }
      function_depth_ = 0;
    }
    if (depth_ > 0) --depth_;
  }

  const Source& source_;
  Violations found_;
  std::size_t head_start_ = 0;
  std::size_t depth_ = 0;
  std::size_t function_depth_ = 0;  // 0: outside of functions
  std::size_t function_start_ = 0;
};

}  // namespace

Violations check_opening(const Source& source) {
  Violations found;
  const auto lines = lines_of(source.text);
  bool sentence = false;
  for (const std::string_view line : lines) {
    if (!line.starts_with("// ")) break;
    if (line.find('.') != std::string_view::npos) sentence = true;
  }
  if (!sentence) {
    found.push_back({source.path, 1, "open with a comment: one sentence says what this file does"});
  }
  if (source.is_header() && source.text.find("\n#pragma once\n") == std::string::npos) {
    found.push_back({source.path, 1, "a header needs #pragma once"});
  }
  return found;
}

Violations check_columns(const Source& source) {
  Violations found;
  const auto code = lines_of(source.code);
  const auto comments = lines_of(source.comments);
  const auto blank = [](std::string_view line) {
    return line.find_first_not_of(' ') == std::string_view::npos;
  };
  std::size_t number = 0;
  for (const std::string_view line : lines_of(source.text)) {
    ++number;
    // Neither code nor comment: another language inside a raw string.
    const bool literal = blank(code[number - 1]) && blank(comments[number - 1]);
    const bool excepted = literal || line.find("://") != std::string_view::npos ||
                          line.find("R\"") != std::string_view::npos ||
                          line.starts_with("#include ");
    const std::size_t columns = characters_in(line);
    if (columns <= kColumnsMax || excepted) continue;
    found.push_back({source.path,
                     number,
                     std::to_string(columns) + " columns; at most " + std::to_string(kColumnsMax)});
  }
  return found;
}

Violations check_file_length(const Source& source) {
  const std::size_t lines = lines_of(source.text).size();
  if (lines <= kFileLinesMax) return {};
  return {{source.path,
           0,
           std::to_string(lines) + " lines; split it: at most " + std::to_string(kFileLinesMax)}};
}

Violations check_function_length(const Source& source) {
  return FunctionFinder(source).run();
}

Violations check_words(const Source& source) {
  Violations found;
  const auto comments = lines_of(source.comments);
  for (const BannedWord& word : kBannedWords) {
    if (word.where == Where::headers && !source.is_header()) continue;
    const std::string_view allowed = word.allowed_in;
    if (!allowed.empty() && source.path.starts_with(allowed)) continue;
    const std::string& view = view_of(source, word.where);
    const std::regex pattern(word.pattern);
    for (std::sregex_iterator match(view.begin(), view.end(), pattern), end; match != end;
         ++match) {
      const std::size_t line = line_at(view, static_cast<std::size_t>(match->position()));
      if (accepted(comments, line, word.name)) continue;
      found.push_back(
          {source.path, line, std::string(word.name) + ": instead, " + word.replacement});
    }
  }
  return found;
}

}  // namespace sunder::tidy
