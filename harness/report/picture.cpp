#include "harness/report/picture.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "harness/report/escape.hpp"

namespace sunder::report {
namespace {

using checkers::Counterexample;
using history::Function;
using history::History;
using history::kNever;
using history::Operation;
using history::Outcome;

constexpr std::size_t kLabelBytesMax = 60;

// The indices into counterexample.items that are drawn, ascending: the core, then the context by
// its distance from it.
std::vector<std::size_t> choose(const Counterexample& counterexample, std::size_t operation_count) {
  std::vector<std::size_t> core;
  std::vector<std::size_t> context;
  for (std::size_t i = 0; i < counterexample.items.size(); ++i) {
    const auto& item = counterexample.items[i];
    if (item.operation >= operation_count) continue;
    (item.core ? core : context).push_back(i);
  }
  const auto distance = [&](std::size_t i) {
    const auto next = std::ranges::lower_bound(core, i);
    std::size_t nearest = core.empty() ? i : std::size_t{0} - 1;
    if (next != core.end()) nearest = std::min(nearest, *next - i);
    if (next != core.begin()) nearest = std::min(nearest, i - *std::prev(next));
    return nearest;
  };
  std::ranges::stable_sort(context, {}, distance);
  std::vector<std::size_t> chosen = core;
  chosen.insert(chosen.end(), context.begin(), context.end());
  chosen.resize(std::min(chosen.size(), kPictureItemsMax));
  std::ranges::sort(chosen);
  return chosen;
}

// Stamps of order become ranks, so that gaps left by operations not drawn do not matter.
void place_by_order(const History& history, std::vector<PictureItem>& items) {
  std::vector<std::int64_t> stamps;
  for (const PictureItem& item : items) {
    const Operation& operation = history.operations()[item.operation];
    stamps.push_back(operation.invoke);
    if (operation.complete != kNever) stamps.push_back(operation.complete);
  }
  std::ranges::sort(stamps);
  const auto repeated = std::ranges::unique(stamps);
  stamps.erase(repeated.begin(), repeated.end());
  const auto rank = [&](std::int64_t stamp) {
    return std::ranges::lower_bound(stamps, stamp) - stamps.begin();
  };
  for (PictureItem& item : items) {
    const Operation& operation = history.operations()[item.operation];
    item.begin = rank(operation.invoke);
    if (operation.complete != kNever) item.end = rank(operation.complete);
  }
}

void place_by_time(const History& history, std::vector<PictureItem>& items) {
  for (PictureItem& item : items) {
    const Operation& operation = history.operations()[item.operation];
    item.begin = operation.invoke_time;
    if (operation.outcome != Outcome::info) {
      item.end = operation.complete_time;
    } else if (operation.complete_time >= operation.invoke_time) {
      item.seen = operation.complete_time;
    }
  }
}

bool has_times(const Operation& operation) noexcept {
  const bool ended =
      operation.outcome == Outcome::info || operation.complete_time >= operation.invoke_time;
  return operation.invoke_time >= 0 && ended;
}

}  // namespace

std::string label_of(const History& history, const Operation& operation) {
  const auto& pool = history.pool();
  const std::string_view recorded = pool.name(operation.function_name);
  std::string label(recorded.empty() ? name_of(operation.function) : recorded);
  const auto parts = operation.input.is_list() ? pool.items_of(operation.input)
                                               : std::span<const history::Value>();
  if (operation.function == Function::cas && parts.size() == 2) {
    label += fmt::format(" {}⇒{}", pool.describe(parts[0]), pool.describe(parts[1]));
  } else if (!operation.input.is_none() && operation.function != Function::read &&
             !operation.tells_input_as_output()) {
    label += " " + pool.describe(operation.input);
  }
  if (!operation.output.is_none()) label += " → " + pool.describe(operation.output);
  if (operation.outcome == Outcome::fail) label += " ✗";
  if (operation.outcome == Outcome::info) label += " ?";
  label = printable(label);
  if (label.size() <= kLabelBytesMax) return label;
  return std::string(prefix_of(label, kLabelBytesMax)) + "…";
}

Picture draw(const History& history, const Counterexample& counterexample) {
  Picture picture;
  picture.timed = true;
  for (const std::size_t index : choose(counterexample, history.operations().size())) {
    const auto& item = counterexample.items[index];
    const Operation& operation = history.operations()[item.operation];
    PictureItem drawn;
    drawn.operation = item.operation;
    drawn.core = item.core;
    drawn.first_error = item.operation == counterexample.first_error;
    drawn.note = item.note;
    drawn.label = label_of(history, operation);
    picture.items.push_back(std::move(drawn));
    picture.timed = picture.timed && has_times(operation);
  }
  picture.left_out = counterexample.items.size() - picture.items.size();
  if (picture.timed) {
    place_by_time(history, picture.items);
  } else {
    place_by_order(history, picture.items);
  }
  return picture;
}

}  // namespace sunder::report
