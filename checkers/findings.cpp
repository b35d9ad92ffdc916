#include "checkers/findings.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace sunder::checkers {
namespace {

constexpr std::size_t kSubjectsShown = 10;
constexpr std::size_t kExamplesOfAKind = 2;

}  // namespace

Findings::Tally& Findings::tally_of(std::string_view kind) {
  const auto found = std::ranges::find(tallies_, kind, &Tally::kind);
  if (found != tallies_.end()) return *found;
  tallies_.push_back({std::string(kind), 0, false, {}});
  return tallies_.back();
}

bool Findings::wants_subject(std::string_view kind) {
  return tally_of(kind).subjects.size() < kSubjectsShown;
}

bool Findings::count(std::string_view kind, std::string_view subject) {
  Tally& tally = tally_of(kind);
  ++tally.count;
  if (tally.subjects.size() < kSubjectsShown && !subject.empty()) {
    tally.subjects.emplace_back(subject);
  }
  return !tally.tolerated && tally.count <= kExamplesOfAKind;
}

void Findings::keep(Counterexample example, const KeyOperations& key) {
  add_context(example, *history_, key);
  examples_.push_back(std::move(example));
}

void Findings::measure(std::string_view name, double value, std::string_view unit) {
  measurements_.push_back({std::string(name), value, std::string(unit)});
}

bool Findings::any_broken() const noexcept {
  return std::ranges::any_of(
      tallies_, [](const Tally& tally) { return tally.count > 0 && !tally.tolerated; });
}

std::size_t Findings::count_of(std::string_view kind) const noexcept {
  const auto found = std::ranges::find(tallies_, kind, &Tally::kind);
  return found == tallies_.end() ? 0 : found->count;
}

Verdict Findings::finish(std::string_view kept, std::string_view unseen) {
  Verdict verdict;
  for (const Tally& tally : tallies_) {
    if (tally.count == 0) continue;
    const bool all = tally.subjects.size() == tally.count;
    verdict.details.push_back(fmt::format("{}{}: {} ({}{})",
                                          tally.kind,
                                          tally.tolerated ? ", which the level allows" : "",
                                          tally.count,
                                          fmt::join(tally.subjects, ", "),
                                          all ? "" : ", …"));
    measure(tally.kind, static_cast<double>(tally.count));
  }
  std::ranges::move(sentences_, std::back_inserter(verdict.details));
  verdict.measurements = std::move(measurements_);
  verdict.counterexamples = std::move(examples_);
  if (any_broken()) {
    verdict.kind = VerdictKind::broken;
    verdict.summary = verdict.counterexamples.front().why;
  } else if (observed_) {
    verdict.kind = VerdictKind::kept;
    verdict.summary = kept;
  } else {
    verdict.summary = fmt::format("nothing observed: {}", unseen);
  }
  return verdict;
}

Counterexample example_of(std::string_view title,
                          std::string why,
                          std::vector<Counterexample::Item> core) {
  Counterexample example;
  example.title = title;
  example.why = std::move(why);
  std::ranges::stable_sort(core, {}, &Counterexample::Item::operation);
  for (Counterexample::Item& item : core) {
    const bool again = !example.items.empty() && example.items.back().operation == item.operation;
    if (again) continue;
    item.core = true;
    example.first_error = item.operation;
    example.items.push_back(std::move(item));
  }
  return example;
}

std::optional<Verdict> unsuitable(const history::History& history,
                                  std::string_view model,
                                  bool (*knows)(const history::History& history,
                                                const history::Operation& operation)) {
  Verdict verdict;
  if (history.empty()) {
    verdict.summary = "nothing observed: the history is empty";
    return verdict;
  }
  for (const history::Operation& operation : history.operations()) {
    if (knows(history, operation)) continue;
    verdict.summary = fmt::format(
        "the model {} does not know the operation {}", model, history.describe(operation));
    return verdict;
  }
  return std::nullopt;
}

std::string counted(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::int64_t quantile_of(const std::vector<std::int64_t>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto index = static_cast<std::size_t>(share * static_cast<double>(sorted.size()));
  return sorted[std::min(index, sorted.size() - 1)];
}

}  // namespace sunder::checkers
