// The table of fault families, sorted by name; one row each.

#include <algorithm>
#include <array>

#include "nemesis/families.hpp"
#include "nemesis/nemesis.hpp"

namespace sunder::nemesis {

std::span<const FaultInfo> all_faults() {
  static const std::array faults{
      bit_flip_fault(),
      clock_drift_fault(),
      clock_jump_fault(),
      clock_skew_fault(),
      clock_strobe_fault(),
      corrupt_fault(),
      cpu_fault(),
      crash_loop_fault(),
      degrade_fault(),
      delay_fault(),
      disconnect_fault(),
      disk_error_fault(),
      disk_full_fault(),
      duplicate_fault(),
      fd_limit_fault(),
      fsync_fail_fault(),
      fsync_slow_fault(),
      half_open_fault(),
      kill_fault(),
      kill_recovery_fault(),
      link_down_fault(),
      loss_fault(),
      lost_write_fault(),
      membership_fault(),
      memory_fault(),
      misdirected_write_fault(),
      no_new_connections_fault(),
      partition_fault(),
      pause_fault(),
      power_loss_fault(),
      rate_fault(),
      refuse_fault(),
      reorder_fault(),
      restart_fault(),
      rolling_restart_fault(),
      short_io_fault(),
      torn_write_fault(),
  };
  return faults;
}

const FaultInfo* find_fault(std::string_view family) {
  const auto faults = all_faults();
  const auto found = std::ranges::lower_bound(faults, family, {}, &FaultInfo::name);
  return found != faults.end() && found->name == family ? &*found : nullptr;
}

bool needs(const Schedule& schedule, std::string_view capability) {
  return std::ranges::any_of(schedule, [&](const PlannedFault& fault) {
    const FaultInfo* const family = find_fault(fault.family);
    return family != nullptr && std::ranges::find(family->needs, capability) != family->needs.end();
  });
}

}  // namespace sunder::nemesis
