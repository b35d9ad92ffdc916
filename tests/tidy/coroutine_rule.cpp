#include "tests/tidy/coroutine_rule.hpp"

#include <array>
#include <regex>
#include <string>

namespace sunder::tidy {

namespace {

// One statement while it is read.
struct Statement {
  std::string text;  // without the contents of nested braces
  std::size_t start = 0;
  std::size_t parentheses = 0;
  bool braces = false;            // an expression of it has braces
  bool awaits_in_braces = false;  // … and awaits inside them
};

class Reader {
 public:
  explicit Reader(const Source& source) : source_(source), code_(source.code) {}

  [[nodiscard]] Violations run() {
    while (at_ < code_.size()) {
      read_block();
      ++at_;  // an unmatched closing brace
    }
    return std::move(found_);
  }

 private:
  struct Contents {
    bool statements = false;  // it had a statement: a body, not an initialiser
    bool awaits = false;      // its last, unfinished statement awaits: an initialiser's element
  };

  // Reads up to the closing brace of the block (left at at_) or the end.
  Contents read_block() {
    Contents contents;
    Statement statement;
    for (; at_ < code_.size() && code_[at_] != '}'; ++at_) {
      const char c = code_[at_];
      if (c == '{') {
        const bool block = starts_block(statement);
        if (block) finish(statement, contents);
        ++at_;
        const Contents inner = read_block();
        if (!block) {
          statement.braces = true;
          statement.text += " {} ";
          statement.awaits_in_braces |= inner.awaits && !inner.statements;
        }
      } else if (c == ';' && statement.parentheses == 0) {
        finish(statement, contents);
      } else {
        append(statement, c);
        if (c == ')' && statement.parentheses == 0 && is_control_head(statement.text)) {
          finish(statement, contents);
        }
      }
    }
    contents.awaits = awaits(statement);
    judge(statement);
    return contents;
  }

  void append(Statement& statement, char c) {
    if (statement.text.empty() && (c == ' ' || c == '\n')) return;
    if (statement.text.empty()) statement.start = at_;
    if (c == '(') ++statement.parentheses;
    if (c == ')' && statement.parentheses > 0) --statement.parentheses;
    statement.text += c == '\n' ? ' ' : c;
  }

  void finish(Statement& statement, Contents& contents) {
    judge(statement);
    contents.statements = true;
    statement = Statement();
  }

  // An opening brace after this text begins a block and not an expression.
  static bool starts_block(const Statement& statement) {
    if (statement.parentheses > 0) return false;
    const std::size_t last = statement.text.find_last_not_of(' ');
    if (last == std::string::npos) return true;
    const char before = statement.text[last];
    if (before == ')' || before == ':') return true;
    static const std::regex keyword(R"(\b(try|else|do|noexcept|const|override|final|mutable)\s*$)"
                                    R"(|\b(class|struct|enum|namespace)\b[^=(]*$)");
    return std::regex_search(statement.text, keyword);
  }

  static bool is_control_head(const std::string& text) {
    static const std::regex head(R"(^(else\s+)?(if|for|while|switch)\b)");
    return std::regex_search(text, head);
  }

  static bool awaits(const Statement& statement) {
    static const std::regex word(R"(\bco_(await|spawn)\b)");
    return statement.awaits_in_braces || std::regex_search(statement.text, word);
  }

  void judge(const Statement& statement) {
    if (!awaits(statement)) return;
    // A lambda introducer with captures; not a subscript (it follows a name) nor a structured
    // binding (after auto).
    static const std::regex capture(
        R"((^|[(,={;?:&|]|\breturn|\bco_return|\bco_await)\s*\[[^\[\]]+\]\s*(\(|\{|<|mutable|->))");
    if (statement.braces) {
      report(statement, "braces in an expression with co_await or co_spawn");
    } else if (std::regex_search(statement.text, capture)) {
      report(statement, "a capturing lambda in an expression with co_await or co_spawn");
    }
  }

  void report(const Statement& statement, const std::string& what) {
    found_.push_back({source_.path,
                      line_at(code_, statement.start),
                      what + ": name the value first, then std::move it (g++ 12 miscompiles it)"});
  }

  const Source& source_;
  const std::string& code_;
  Violations found_;
  std::size_t at_ = 0;
};

}  // namespace

Violations check_coroutine_expressions(const Source& source) {
  return Reader(source).run();
}

}  // namespace sunder::tidy
