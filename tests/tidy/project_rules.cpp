#include "tests/tidy/project_rules.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <string>

namespace sunder::tidy {

namespace {

const Source* find_source(const std::vector<Source>& tree, const std::string& path) {
  const auto found = std::find_if(
      tree.begin(), tree.end(), [&](const Source& source) { return source.path == path; });
  return found == tree.end() ? nullptr : &*found;
}

// A name as a word of its own: not part of a longer file name.
bool names(const std::string& text, const std::string& name) {
  const auto part_of_name = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
  };
  for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
    const bool before = at > 0 && part_of_name(text[at - 1]);
    const std::size_t after = at + name.size();
    if (!before && (after >= text.size() || !part_of_name(text[after]))) return true;
  }
  return false;
}

// A CMakeLists.txt above a path names it, relative to itself.
bool is_listed(const std::vector<Source>& tree, const std::string& path) {
  std::string folder = path;
  while (!folder.empty()) {
    folder = directory_of(folder);
    const std::string prefix = folder.empty() ? "" : folder + "/";
    const Source* list = find_source(tree, prefix + "CMakeLists.txt");
    if (list != nullptr && names(list->text, path.substr(prefix.size()))) return true;
  }
  return false;
}

bool exists_in(const std::vector<Source>& tree, const std::string& path) {
  return std::any_of(tree.begin(), tree.end(), [&](const Source& source) {
    return source.path == path || path.empty() || source.path.starts_with(path + "/");
  });
}

bool is_fixture(const Source& source) {
  const bool code = source.is_cpp() || source.is_cmake() || source.is_markdown();
  return source.path.starts_with("tests/") && !code && !source.path.ends_with(".cmake");
}

// Something in the tests mentions the file's name, or a folder above it.
bool is_mentioned(const std::string& all_tests, const std::string& path) {
  if (names(all_tests, path.substr(path.rfind('/') + 1))) return true;
  for (std::string folder = directory_of(path); folder != "tests" && !folder.empty();
       folder = directory_of(folder)) {
    if (names(all_tests, folder)) return true;
  }
  return false;
}

// The text without its layout: no white space, no comment signs (a comment may be wrapped
// differently).
std::string squeezed(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (std::isspace(static_cast<unsigned char>(c)) == 0 && c != '/') result += c;
  }
  return result;
}

// The code blocks of a Markdown file: the line each begins on, and its lines.
struct CodeBlock {
  std::size_t line = 0;
  std::vector<std::string_view> lines;
};

std::vector<CodeBlock> code_blocks(const Source& source) {
  std::vector<CodeBlock> blocks;
  bool inside = false;
  std::size_t number = 0;
  for (const std::string_view line : lines_of(source.text)) {
    ++number;
    if (line.starts_with("```")) {
      inside = !inside;
      if (inside) blocks.push_back({number, {}});
    } else if (inside) {
      blocks.back().lines.push_back(line);
    }
  }
  return blocks;
}

std::string link_target(const Source& source, std::string link) {
  link = link.substr(0, link.find('#'));
  const std::filesystem::path base = directory_of(source.path);
  std::string path = (base / link).lexically_normal().generic_string();
  if (path.ends_with("/")) path.pop_back();
  return path == "." ? std::string() : path;
}

}  // namespace

bool is_introduced_elsewhere(const std::vector<Source>& tree, const Source& source) {
  if (source.is_header()) return false;
  const std::string stem = source.path.substr(0, source.path.rfind('.'));
  if (find_source(tree, stem + ".hpp") != nullptr) return true;
  const std::string_view suffix = "_test";
  const std::string name = stem.substr(stem.rfind('/') + 1);
  if (!name.ends_with(suffix)) return false;
  const std::string subject = "/" + name.substr(0, name.size() - suffix.size());
  return std::any_of(tree.begin(), tree.end(), [&](const Source& other) {
    return other.path.ends_with(subject + ".hpp") || other.path.ends_with(subject + ".cpp");
  });
}

Violations check_listed_in_cmake(const std::vector<Source>& tree) {
  Violations found;
  for (const Source& source : tree) {
    const bool built = source.path.ends_with(".cpp") || source.path.ends_with(".proto");
    if (built && !is_listed(tree, source.path)) {
      found.push_back({source.path, 0, "nobody builds it: list it in the folder's CMakeLists.txt"});
    }
  }
  return found;
}

Violations check_fixtures_read(const std::vector<Source>& tree) {
  std::string all_tests;
  for (const Source& source : tree) {
    if (source.path.starts_with("tests/") && !is_fixture(source)) all_tests += source.text + "\n";
  }
  Violations found;
  for (const Source& source : tree) {
    if (is_fixture(source) && !is_mentioned(all_tests, source.path)) {
      found.push_back({source.path, 0, "no test mentions this file or its folder"});
    }
  }
  return found;
}

Violations check_markdown(const std::vector<Source>& tree, const Source& source) {
  Violations found;
  std::size_t titles = 0;
  std::size_t number = 0;
  bool fenced = false;
  static const std::regex link(R"(\]\(([^)\s]+)\))");
  static const std::regex absolute(R"(^([a-z]+:|#))");
  for (const std::string_view view : lines_of(source.text)) {
    ++number;
    if (view.starts_with("```")) fenced = !fenced;
    if (fenced) continue;
    if (view.starts_with("# ")) ++titles;
    const std::string line(view);
    for (std::sregex_iterator match(line.begin(), line.end(), link), end; match != end; ++match) {
      const std::string to = (*match)[1];
      if (std::regex_search(to, absolute) || exists_in(tree, link_target(source, to))) continue;
      found.push_back({source.path, number, "the link leads nowhere: " + to});
    }
  }
  if (titles != 1) {
    found.push_back({source.path, 0, std::to_string(titles) + " titles (# …); exactly one"});
  }
  return found;
}

Violations check_quotations(const std::vector<Source>& tree, const Source& source) {
  Violations found;
  for (const CodeBlock& block : code_blocks(source)) {
    if (block.lines.empty() || !block.lines.front().starts_with("// ")) continue;
    const std::string path(block.lines.front().substr(3));
    const Source* quoted = find_source(tree, path);
    if (quoted == nullptr) continue;  // a comment, not a path
    const std::string original = squeezed(quoted->text);
    std::string part;
    for (std::size_t i = 1; i <= block.lines.size(); ++i) {
      const bool end = i == block.lines.size() || block.lines[i] == "// …";
      if (!end) {
        part += squeezed(block.lines[i]);
      } else if (original.find(part) == std::string::npos) {
        found.push_back({source.path, block.line, "this is not what " + path + " says"});
        break;
      } else {
        part.clear();
      }
    }
  }
  return found;
}

Violations check_test_names(const std::vector<Source>& tree) {
  static const std::regex space(R"(^namespace ([\w:]+) \{)");
  static const std::regex function(
      R"(^(?!using |typedef |return |template)[^\s()=][^()=]*?(\w+)\()");
  static const std::regex type(R"(^(?:struct|class|enum class) (\w+)[^;]*$)");
  std::map<std::string, std::string> owners;  // by qualified name
  Violations violations;
  for (const Source& source : tree) {
    if (!source.is_header() || !source.path.starts_with("tests/")) continue;
    std::string inside;
    std::size_t number = 0;
    for (const std::string_view line : lines_of(source.code)) {
      ++number;
      const std::string text(line);
      std::smatch match;
      if (std::regex_search(text, match, space)) {
        inside = match[1];
        continue;
      }
      if (!std::regex_search(text, match, type) && !std::regex_search(text, match, function)) {
        continue;
      }
      const std::string name = inside + "::" + match[1].str();
      const auto [owner, added] = owners.try_emplace(name, source.path);
      if (added || owner->second == source.path) continue;
      violations.push_back(
          {source.path,
           number,
           "another " + name + " is in " + owner->second + "; give it a name of its own"});
    }
  }
  return violations;
}

}  // namespace sunder::tidy
