#include "nemesis/cut_fault.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "harness/base/assert.hpp"
#include "harness/history/operation.hpp"

namespace sunder::nemesis {
namespace {

using cluster::Endpoint;
using std::chrono::nanoseconds;

constexpr int kTries_max = 32;  // for a place that a moving cut has not just been

}  // namespace

CutFault::CutFault(NemesisContext& context, PlannedFault planned, Cut cut, CutPlanner planner)
    : context_(context),
      planned_(std::move(planned)),
      cut_(std::move(cut)),
      planner_(planner),
      random_(base::Random(planned_.seed).fork("moves")) {
  record_.id = planned_.id;
  record_.family = planned_.family;
  record_.shape = planned_.shape;
  describe();
  note_links();
}

void CutFault::describe() {
  const std::string text = cut_.sides.empty() ? std::string("nothing") : cut_.sides;
  record_.description = fmt::format("{} {}: {}", planned_.family, planned_.shape, text);
  if (!cut_.remark.empty()) record_.description += fmt::format(" ({})", cut_.remark);
}

// A moving cut's record names all the links that it ever cut.
void CutFault::note_links() {
  std::set<std::pair<std::string, std::string>> links(record_.cut_links.begin(),
                                                      record_.cut_links.end());
  std::set<std::string> targets(record_.targets.begin(), record_.targets.end());
  for (const auto& [from, to] : cut_.links) {
    const std::string a = context_.cluster.name(from);
    const std::string b = context_.cluster.name(to);
    if (from < context_.cluster.nodes()) targets.insert(a);
    if (to < context_.cluster.nodes()) targets.insert(b);
    if (links.emplace(a, b).second) record_.cut_links.emplace_back(a, b);
  }
  record_.targets.assign(targets.begin(), targets.end());
}

CutFault::Motion CutFault::motion() const {
  if (planned_.shape == "moving") return Motion::moves;
  if (planned_.parameters.contains("flap")) return Motion::flaps;
  return repeats_after() ? Motion::repeats : Motion::none;
}

std::optional<nanoseconds> CutFault::period() const {
  switch (motion()) {
    case Motion::moves:
      return duration_of(planned_, "every");
    case Motion::flaps:
      return duration_of(planned_, "flap");
    case Motion::repeats:
      return repeats_after();
    case Motion::none:
      break;
  }
  return std::nullopt;
}

Result<void> CutFault::begin() {
  SUNDER_ASSERT(!stands_);
  record_.applying.begin = context_.clock.now();
  record_.porous = porous_ || motion() == Motion::moves;
  auto imposed = impose();
  if (imposed.has_error()) {
    healed_ = true;  // it undid what was half done
    return with_context(imposed.error(), record_.description);
  }
  stands_ = true;
  record_.applying.end = context_.clock.now();
  record_.active = {record_.applying.end, history::kNever};
  if (motion() == Motion::flaps || motion() == Motion::moves) {
    record_.standing.push_back(record_.active);
  }
  return {};
}

void CutFault::open_window() {
  record_.standing.push_back({context_.clock.now(), history::kNever});
}

void CutFault::close_window() {
  if (record_.standing.empty() || record_.standing.back().end != history::kNever) return;
  const bool ended = record_.active.end != history::kNever;
  record_.standing.back().end = ended ? record_.active.end : context_.clock.now();
}

// The record must not claim a cut before it is imposed, nor after its lifting began.
Result<void> CutFault::lift_and_note() {
  close_window();
  stands_ = false;
  return lift();
}

Result<void> CutFault::impose_and_note() {
  SUNDER_TRY(impose());
  stands_ = true;
  open_window();
  return {};
}

Result<void> CutFault::move_on() {
  const std::vector<cluster::DirectedLink> before = cut_.links;
  for (int i = 0; i < kTries_max && cut_.links == before; ++i) {
    auto next = planner_(context_, planned_, random_);
    if (next.has_error()) return next.error();
    cut_ = std::move(*next);
  }
  record_.description += ", then " + cut_.sides;
  note_links();
  return {};
}

Result<void> CutFault::toggle() {
  SUNDER_ASSERT(!healed_);
  ++changes_;
  Result<void> outcome;
  switch (motion()) {
    case Motion::moves:
      outcome = lift_and_note();
      if (outcome.has_value()) outcome = move_on();
      if (outcome.has_value()) outcome = impose_and_note();
      break;
    case Motion::flaps:
      outcome = stands_ ? lift_and_note() : impose_and_note();
      break;
    case Motion::repeats:
      outcome = repeat();
      break;
    case Motion::none:
      break;
  }
  if (outcome.has_error()) return with_context(outcome.error(), record_.description);
  return outcome;
}

Result<void> CutFault::heal() {
  SUNDER_ASSERT(!healed_);
  healed_ = true;
  record_.active.end = context_.clock.now();
  const auto lifted = stands_ ? lift_and_note() : Result<void>();
  record_.healed = context_.clock.now();
  if (lifted.has_error()) return with_context(lifted.error(), "heal " + record_.description);
  record_.reason = prove();
  record_.exercised = record_.reason.empty();
  add_evidence(links_word(), static_cast<double>(record_.cut_links.size()), "links");
  add_evidence("stood", static_cast<double>(record_.active.end - record_.active.begin) / 1e6, "ms");
  const double changes = static_cast<double>(changes_);
  if (motion() == Motion::flaps) add_evidence("flaps", changes, "");
  if (motion() == Motion::moves) add_evidence("moves", changes, "");
  if (motion() == Motion::repeats) add_evidence("repetitions", changes, "");
  return {};
}

void CutFault::heal_at_last() noexcept {
  if (!healed_) (void)heal();
}

void CutFault::add_evidence(std::string name, double value, std::string unit) {
  record_.evidence.push_back({std::move(name), value, std::move(unit)});
}

}  // namespace sunder::nemesis
