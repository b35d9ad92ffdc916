#include "tests/tidy/source.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <utility>

namespace sunder::tidy {

namespace {

// Splits C++ text into its code and its comments, one character at a time.
class Splitter {
 public:
  explicit Splitter(const std::string& text)
      : text_(text), code_(text.size(), ' '), comments_(text.size(), ' ') {}

  void run() {
    while (at_ < text_.size()) step();
  }

  [[nodiscard]] std::string take_code() { return std::move(code_); }

  [[nodiscard]] std::string take_comments() { return std::move(comments_); }

 private:
  void step() {
    const std::string_view rest = std::string_view(text_).substr(at_);
    if (rest.starts_with("//")) {
      comment_until("\n");
    } else if (rest.starts_with("/*")) {
      comment_until("*/");
    } else if (rest.starts_with("R\"") && !after_word()) {
      raw_string();
    } else if (rest.front() == '"') {
      literal('"');
    } else if (rest.front() == '\'' && !after_word()) {
      literal('\'');
    } else if (rest.front() == '#' && first_on_line()) {
      directive();
    } else {
      code_[at_] = text_[at_];
      keep_line_breaks(at_ + 1);
    }
  }

  // True after a letter or digit: the quote is a digit separator, the R the end of a name.
  [[nodiscard]] bool after_word() const {
    if (at_ == 0) return false;
    const char before = text_[at_ - 1];
    return std::isalnum(static_cast<unsigned char>(before)) != 0 || before == '_';
  }

  [[nodiscard]] bool first_on_line() const {
    const std::size_t line = text_.rfind('\n', at_);
    const std::size_t start = line == std::string::npos ? 0 : line + 1;
    return text_.find_first_not_of(" \t", start) == at_;
  }

  void keep_line_breaks(std::size_t end) {
    for (std::size_t i = at_; i < end; ++i) {
      if (text_[i] == '\n') code_[i] = comments_[i] = '\n';
    }
    at_ = end;
  }

  void comment_until(std::string_view end) {
    std::size_t stop = text_.find(end, at_ + 2);
    if (stop == std::string::npos) {
      stop = text_.size();
    } else if (end != "\n") {
      stop += end.size();
    }
    std::copy(text_.begin() + static_cast<std::ptrdiff_t>(at_),
              text_.begin() + static_cast<std::ptrdiff_t>(stop),
              comments_.begin() + static_cast<std::ptrdiff_t>(at_));
    keep_line_breaks(stop);
  }

  void raw_string() {
    const std::size_t open = text_.find('(', at_);
    if (open == std::string::npos) return keep_line_breaks(text_.size());
    const std::string end = ")" + text_.substr(at_ + 2, open - at_ - 2) + "\"";
    const std::size_t stop = text_.find(end, open);
    code_[at_ + 1] = '"';
    const std::size_t after = stop == std::string::npos ? text_.size() : stop + end.size();
    code_[after - 1] = '"';
    keep_line_breaks(after);
  }

  void literal(char quote) {
    std::size_t i = at_ + 1;
    while (i < text_.size() && text_[i] != quote && text_[i] != '\n') {
      i += text_[i] == '\\' ? 2U : 1U;
    }
    const std::size_t after = std::min(i + 1, text_.size());
    code_[at_] = quote;
    code_[after - 1] = quote;
    keep_line_breaks(after);
  }

  // A preprocessor line with its continuations; comments in it stay comments.
  void directive() {
    while (at_ < text_.size() && text_[at_] != '\n') {
      const std::string_view rest = std::string_view(text_).substr(at_);
      if (rest.starts_with("//")) return comment_until("\n");
      if (rest.starts_with("/*")) {
        comment_until("*/");
        continue;
      }
      if (rest.starts_with("\\\n")) {
        keep_line_breaks(at_ + 2);
        continue;
      }
      ++at_;
    }
  }

  const std::string& text_;
  std::string code_;
  std::string comments_;
  std::size_t at_ = 0;
};

std::vector<std::string> tracked_paths(const std::filesystem::path& root) {
  const std::string command =
      "git -C '" + root.string() + "' ls-files --cached --others --exclude-standard 2>/dev/null";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string output;
  std::array<char, 4096> buffer{};
  while (pipe != nullptr) {
    const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe.get());
    if (count == 0) break;
    output.append(buffer.data(), count);
  }
  std::vector<std::string> paths;
  for (const std::string_view line : lines_of(output)) paths.emplace_back(line);
  return paths;
}

std::vector<std::string> walked_paths(const std::filesystem::path& root) {
  std::vector<std::string> paths;
  auto entry = std::filesystem::recursive_directory_iterator(root);
  for (; entry != std::filesystem::recursive_directory_iterator(); ++entry) {
    const std::string name = entry->path().filename().string();
    const bool top = entry.depth() == 0;
    const bool ignored = name == ".git" || name == ".cache" || name == "build" || name == "runs";
    if (entry->is_directory() && top && ignored) {
      entry.disable_recursion_pending();
    } else if (entry->is_regular_file()) {
      paths.push_back(std::filesystem::relative(entry->path(), root).generic_string());
    }
  }
  return paths;
}

}  // namespace

Source make_source(std::string path, std::string text) {
  Source source;
  source.path = std::move(path);
  source.text = std::move(text);
  if (source.is_cpp()) {
    Splitter splitter(source.text);
    splitter.run();
    source.code = splitter.take_code();
    source.comments = splitter.take_comments();
  }
  return source;
}

std::vector<Source> load_tree(const std::filesystem::path& root) {
  std::vector<std::string> paths = tracked_paths(root);
  if (paths.empty()) paths = walked_paths(root);
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());

  std::vector<Source> sources;
  for (std::string& path : paths) {
    std::ifstream file(root / path, std::ios::binary);
    if (!file) continue;  // tracked, deleted, not yet committed
    std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    sources.push_back(make_source(std::move(path), std::move(text)));
  }
  return sources;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return lines;
}

std::size_t line_at(std::string_view text, std::size_t position) {
  const std::string_view before = text.substr(0, position);
  return 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
}

std::string directory_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string() : std::string(path.substr(0, slash));
}

}  // namespace sunder::tidy
