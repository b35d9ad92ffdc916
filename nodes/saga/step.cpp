#include "nodes/saga/step.hpp"

#include <algorithm>
#include <utility>

namespace sunder::nodes::saga {
namespace {

constexpr std::array<std::pair<std::string_view, Sabotage>, 9> kSabotages{{
    {"ack-before-save", Sabotage::ack_before_save},
    {"ack-before-sync", Sabotage::ack_before_sync},
    {"dedup-lost-at-restart", Sabotage::dedup_lost_at_restart},
    {"forget-late-step", Sabotage::forget_late_step},
    {"log-after-send", Sabotage::log_after_send},
    {"no-reconnect", Sabotage::no_reconnect},
    {"none", Sabotage::none},
    {"skip-undo-on-timeout", Sabotage::skip_undo_on_timeout},
    {"undo-twice", Sabotage::undo_twice},
}};

}  // namespace

std::string_view name_of(Step step) noexcept {
  constexpr std::array<std::string_view, kSteps.size()> names{"reserve", "charge", "ship"};
  return names[static_cast<std::size_t>(step)];
}

std::string_view undo_name_of(Step step) noexcept {
  constexpr std::array<std::string_view, kSteps.size()> names{"release", "refund", "cancel"};
  return names[static_cast<std::size_t>(step)];
}

std::string_view name_of(Role role) noexcept {
  constexpr std::array<std::string_view, kRoles.size()> names{
      "order", "inventory", "payment", "shipment"};
  return names[static_cast<std::size_t>(role)];
}

Role role_of(Step step) noexcept {
  return static_cast<Role>(static_cast<std::uint8_t>(step) + 1);
}

std::optional<Sabotage> sabotage_named(std::string_view name) noexcept {
  const auto* const found =
      std::ranges::find(kSabotages, name, &std::pair<std::string_view, Sabotage>::first);
  if (found == kSabotages.end()) return std::nullopt;
  return found->second;
}

}  // namespace sunder::nodes::saga
