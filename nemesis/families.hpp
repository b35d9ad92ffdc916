// The rows of the fault table: one function per family, each defined in the family's own file.

#pragma once

#include "nemesis/nemesis.hpp"

namespace sunder::nemesis {

[[nodiscard]] FaultInfo bit_flip_fault();
[[nodiscard]] FaultInfo clock_drift_fault();
[[nodiscard]] FaultInfo clock_jump_fault();
[[nodiscard]] FaultInfo clock_skew_fault();
[[nodiscard]] FaultInfo clock_strobe_fault();
[[nodiscard]] FaultInfo corrupt_fault();
[[nodiscard]] FaultInfo cpu_fault();
[[nodiscard]] FaultInfo crash_loop_fault();
[[nodiscard]] FaultInfo degrade_fault();
[[nodiscard]] FaultInfo delay_fault();
[[nodiscard]] FaultInfo disconnect_fault();
[[nodiscard]] FaultInfo disk_error_fault();
[[nodiscard]] FaultInfo disk_full_fault();
[[nodiscard]] FaultInfo duplicate_fault();
[[nodiscard]] FaultInfo fd_limit_fault();
[[nodiscard]] FaultInfo fsync_fail_fault();
[[nodiscard]] FaultInfo fsync_slow_fault();
[[nodiscard]] FaultInfo half_open_fault();
[[nodiscard]] FaultInfo kill_fault();
[[nodiscard]] FaultInfo kill_recovery_fault();
[[nodiscard]] FaultInfo link_down_fault();
[[nodiscard]] FaultInfo loss_fault();
[[nodiscard]] FaultInfo lost_write_fault();
[[nodiscard]] FaultInfo membership_fault();
[[nodiscard]] FaultInfo memory_fault();
[[nodiscard]] FaultInfo misdirected_write_fault();
[[nodiscard]] FaultInfo no_new_connections_fault();
[[nodiscard]] FaultInfo partition_fault();
[[nodiscard]] FaultInfo pause_fault();
[[nodiscard]] FaultInfo power_loss_fault();
[[nodiscard]] FaultInfo rate_fault();
[[nodiscard]] FaultInfo refuse_fault();
[[nodiscard]] FaultInfo reorder_fault();
[[nodiscard]] FaultInfo restart_fault();
[[nodiscard]] FaultInfo rolling_restart_fault();
[[nodiscard]] FaultInfo short_io_fault();
[[nodiscard]] FaultInfo torn_write_fault();

}  // namespace sunder::nemesis
