#include "tests/fuzz/history_target.hpp"

#include <array>
#include <string>

#include "harness/base/assert.hpp"
#include "harness/history/text.hpp"

namespace sunder::fuzz {
namespace {

constexpr std::array<std::string_view, 3> kBeside{"faults", "events", "context"};

constexpr std::size_t kFormatCount = static_cast<std::size_t>(history::Format::intervals) + 1;

void expect_place(const Error& error) {
  SUNDER_ASSERT_MESSAGE(error.context.starts_with("h:"), error.context);
}

void feed_history(history::Format format, std::string_view text) {
  const auto read = history::read_history(text, "h", format);
  if (read.has_error()) {
    expect_place(read.error());
    return;
  }
  SUNDER_ASSERT(read->format != history::Format::automatic);
  for (const history::Operation& operation : read->history.operations()) {
    SUNDER_ASSERT(!read->history.describe(operation).empty());
  }
  const std::string written = history::to_jsonl(read->history);
  if (read->format != history::Format::jsonl) return;
  const auto again = history::read_history(written, "h", history::Format::jsonl);
  SUNDER_ASSERT_MESSAGE(again.has_value(), written);
  SUNDER_ASSERT_MESSAGE(history::to_jsonl(again->history) == written, written);
}

}  // namespace

std::size_t target_count() noexcept {
  return kFormatCount + kBeside.size();
}

std::string_view target_name(std::size_t target) noexcept {
  if (target < kFormatCount) return history::name_of(static_cast<history::Format>(target));
  return kBeside.at(target - kFormatCount);
}

void feed(std::size_t target, std::string_view text) {
  if (target < kFormatCount) {
    feed_history(static_cast<history::Format>(target), text);
  } else if (target_name(target) == "faults") {
    const auto read = history::read_faults(text, "h");
    if (read.has_error()) expect_place(read.error());
  } else if (target_name(target) == "events") {
    const auto read = history::read_events(text, "h");
    if (read.has_error()) expect_place(read.error());
  } else {
    const auto read = history::read_context(text, "h");
    if (read.has_error()) expect_place(read.error());
  }
}

}  // namespace sunder::fuzz
