#include "checkers/checker.hpp"

namespace sunder::checkers {
namespace {

Verdict check_linearizable(const history::History&, const CheckOptions&, std::stop_token) {
  Verdict verdict;
  verdict.summary = "not built yet";
  return verdict;
}

}  // namespace

CheckerInfo linearizable_info() {
  return {.name = "linearizable",
          .summary = "Every operation took effect at one instant between its start and its end.",
          .check = check_linearizable};
}

}  // namespace sunder::checkers
