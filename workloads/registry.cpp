// The table of workloads, sorted by name; one row each. Reads --mix.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "workloads/workload.hpp"

namespace sunder::workloads {

WorkloadInfo order_info();
WorkloadInfo register_info();
WorkloadInfo work_info();

namespace {

std::string functions_of(const WorkloadInfo& workload) {
  std::string names;
  for (const auto& [name, weight] : workload.default_mix) {
    if (!names.empty()) names += ", ";
    names += name;
  }
  return names;
}

Error mix_error(std::string_view part, const WorkloadInfo& workload) {
  return base::make_error(Errc::usage,
                          fmt::format("--mix '{}': write FUNCTION=WEIGHT with functions of {}: {}",
                                      part,
                                      workload.name,
                                      functions_of(workload)));
}

}  // namespace

std::span<const WorkloadInfo> all_workloads() {
  static const std::array workloads{
      order_info(),
      register_info(),
      work_info(),
  };
  return workloads;
}

const WorkloadInfo* find_workload(std::string_view name) {
  const auto workloads = all_workloads();
  const auto found = std::ranges::lower_bound(workloads, name, {}, &WorkloadInfo::name);
  return found != workloads.end() && found->name == name ? &*found : nullptr;
}

Result<std::map<std::string, double>> parse_mix(std::string_view text,
                                                const WorkloadInfo& workload) {
  std::map<std::string, double> mix;
  double sum = 0;
  while (true) {
    const std::size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) return mix_error(part, workload);
    const std::string_view name = part.substr(0, equals);
    const std::string_view number = part.substr(equals + 1);
    double weight = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), weight);
    const bool whole = error == std::errc{} && end == number.data() + number.size();
    const bool valid = whole && std::isfinite(weight) && weight >= 0;
    if (!valid || !workload.default_mix.contains(name)) return mix_error(part, workload);
    mix[std::string(name)] = weight;
    sum += weight;
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  if (sum <= 0) return base::make_error(Errc::usage, "--mix: the weights add up to nothing");
  return mix;
}

}  // namespace sunder::workloads
