// Figures of a work queue: what became of its messages, how often they were delivered, how many
// waited when, and which fared worst. Section "Delivery".
//
// Threading: pure functions.

#pragma once

#include "checkers/delivery/lives.hpp"
#include "checkers/figure.hpp"

namespace sunder::checkers::delivery {

[[nodiscard]] Figure fates_figure(const Lives& lives);
[[nodiscard]] Figure waiting_figure(const Lives& lives);
[[nodiscard]] Figure redelivery_figure(const Lives& lives);
[[nodiscard]] Figure worst_figure(const Lives& lives);

}  // namespace sunder::checkers::delivery
