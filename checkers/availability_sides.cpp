// Sums up phases and sides of partitions for the availability checker's details.

#include <algorithm>

#include <fmt/format.h>

#include "checkers/availability.hpp"
#include "checkers/connectivity.hpp"
#include "checkers/outcomes.hpp"
#include "checkers/sides.hpp"

namespace sunder::checkers {
namespace {

using history::FaultRecord;
using history::History;
using history::kNever;
using history::Operation;
using history::RunContext;
using history::Window;

// Time from the heal to the first answer of these operations' clients; kNever without one.
std::int64_t first_answer_after(const History& history,
                                const Connectivity& connectivity,
                                const EndpointSet& clients,
                                std::int64_t healed) {
  std::int64_t first = kNever;
  for (const Operation& operation : history.operations()) {
    const auto endpoint = connectivity.endpoint_of(operation.process);
    if (!endpoint || !clients[*endpoint] || !is_timed(operation)) continue;
    if (end_time(operation) >= healed && is_answered(history, operation)) {
      first = std::min(first, end_time(operation) - healed);
    }
  }
  return first;
}

std::string side_sentence(const History& history,
                          const RunContext& context,
                          const Connectivity& connectivity,
                          const FaultRecord& fault,
                          const EndpointSet& side) {
  const EndpointSet clients = clients_of(context, connectivity, side);
  std::vector<std::size_t> chosen;
  for (const std::size_t index : invoked_in(history, fault.active)) {
    const auto endpoint = connectivity.endpoint_of(history.operations()[index].process);
    if (endpoint && clients[*endpoint]) chosen.push_back(index);
  }
  std::string text = fmt::format("{}, side {} with {} clients: {}",
                                 fault.description,
                                 connectivity.names_of(side),
                                 count_of(clients),
                                 sum_up(history, chosen, fault.active).text());
  const std::int64_t first = first_answer_after(history, connectivity, clients, fault.healed);
  if (first != kNever)
    text += fmt::format("; first answer {} after the heal", milliseconds_text(first));
  return text;
}

}  // namespace

std::vector<std::string> availability_sentences(const History& history, const RunContext& context) {
  std::vector<std::string> sentences;
  for (const history::Phase& phase : context.phases) {
    const std::vector<std::size_t> chosen = invoked_in(history, phase.window);
    if (chosen.empty()) continue;
    sentences.push_back(
        fmt::format("phase {}: {}", phase.name, sum_up(history, chosen, phase.window).text()));
  }
  const Connectivity connectivity(context, Stance::possible);
  for (const FaultRecord& fault : context.faults) {
    if (fault.cut_links.empty() || fault.active.end == kNever || context.clients_see_all) continue;
    for (const EndpointSet& side : sides_of(context, fault)) {
      sentences.push_back(side_sentence(history, context, connectivity, fault, side));
    }
  }
  return sentences;
}

}  // namespace sunder::checkers
