// Feeds the corpus to every reader, as it is and damaged: what the fuzzers do, where there is no
// libFuzzer.
//
// tests/fuzz/corpus/<form>/<case> is a text of that form; every reader gets every text. More of it:
// SUNDER_CASES=1000000 damaged texts.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/base/file.hpp"
#include "harness/base/random.hpp"
#include "harness/history/text.hpp"
#include "tests/fuzz/history_target.hpp"

namespace sunder::fuzz {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder = fs::path(SUNDER_SOURCE_DIR) / "tests/fuzz/corpus";

std::vector<fs::path> corpus_files() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(kFolder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

// dbcop's bytes are no text: "07 00*7" in the corpus is hexadecimal, with repetitions.
std::string from_hexadecimal(const std::string& text) {
  std::string bytes;
  for (std::size_t at = 0; at + 1 < text.size();) {
    if (std::isxdigit(static_cast<unsigned char>(text[at])) == 0) {
      ++at;
      continue;
    }
    const auto byte = static_cast<char>(std::stoi(text.substr(at, 2), nullptr, 16));
    at += 2;
    std::size_t times = 1;
    if (at < text.size() && text[at] == '*') {
      std::size_t length = 0;
      times = std::stoul(text.substr(at + 1), &length);
      at += 1 + length;
    }
    bytes.append(times, byte);
  }
  return bytes;
}

std::string content_of(const fs::path& file) {
  std::string text = base::read_file(file).value();
  return file.extension() == ".hex" ? from_hexadecimal(text) : text;
}

std::size_t cases() {
  const char* given = std::getenv("SUNDER_CASES");
  return given == nullptr ? 10'000 : std::stoul(given);
}

std::string damaged(std::string text, base::Random& random) {
  constexpr std::string_view kBytes = "{}[]()\":;,#\\=-\t\n 019xrw\xff";
  const std::uint64_t edits = 1 + random.below(6);
  for (std::uint64_t edit = 0; edit < edits && !text.empty(); ++edit) {
    const auto at = static_cast<std::size_t>(random.below(text.size()));
    const double kind = random.unit();
    if (kind < 0.25) {
      text.erase(at, static_cast<std::size_t>(1 + random.below(8)));
    } else if (kind < 0.4) {
      const std::string piece = text.substr(at, static_cast<std::size_t>(random.below(40)));
      text.insert(static_cast<std::size_t>(random.below(text.size())), piece);
    } else if (kind < 0.5) {
      text.resize(at);
    } else {
      text[at] = kBytes[static_cast<std::size_t>(random.below(kBytes.size()))];
    }
  }
  return text;
}

TEST(FuzzCorpus, HasTextsForEveryReaderAndTheyAreRead) {
  std::set<std::string_view> missing;
  for (std::size_t target = 1; target < target_count(); ++target) {
    missing.insert(target_name(target));
  }
  for (const fs::path& file : corpus_files()) {
    SCOPED_TRACE(file.string());
    const std::string form = file.parent_path().filename().string();
    missing.erase(form);
    const std::string text = content_of(file);
    for (std::size_t target = 0; target < target_count(); ++target) feed(target, text);
    if (!history::find_format(form)) continue;
    const auto read = history::read_history(text, "h");
    ASSERT_TRUE(read.has_value()) << read.error().message();
    EXPECT_EQ(name_of(read->format), form);
    EXPECT_FALSE(read->history.empty());
  }
  EXPECT_TRUE(missing.empty()) << fmt::format("no texts for {}", fmt::join(missing, ", "));
}

TEST(FuzzCorpus, SurvivesDamage) {
  std::vector<std::string> texts;
  std::vector<std::size_t> targets;
  for (const fs::path& file : corpus_files()) {
    texts.push_back(content_of(file));
    const std::string form = file.parent_path().filename().string();
    std::size_t target = 0;
    while (target < target_count() && target_name(target) != form) ++target;
    targets.push_back(target % target_count());
  }
  base::Random random(4);
  for (std::size_t i = 0; i < cases(); ++i) {
    const auto chosen = static_cast<std::size_t>(random.below(texts.size()));
    const std::string text = damaged(texts[chosen], random);
    feed(targets[chosen], text);
    feed(0, text);
  }
}

}  // namespace
}  // namespace sunder::fuzz
