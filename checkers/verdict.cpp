#include "checkers/verdict.hpp"

#include <array>

namespace sunder::checkers {
namespace {

int rank(VerdictKind kind) noexcept {
  switch (kind) {
    case VerdictKind::not_applicable:
      return 0;
    case VerdictKind::kept:
      return 1;
    case VerdictKind::not_exercised:
      return 2;
    case VerdictKind::undetermined:
      return 3;
    case VerdictKind::broken:
      return 4;
  }
  return 4;
}

}  // namespace

std::string_view name_of(VerdictKind kind) noexcept {
  constexpr std::array<std::string_view, 5> names{
      "kept", "broken", "undetermined", "not exercised", "not applicable"};
  return names.at(static_cast<std::size_t>(kind));
}

std::string_view name_of(Mark mark) noexcept {
  constexpr std::array<std::string_view, 4> names{"neutral", "good", "bad", "doubtful"};
  return names.at(static_cast<std::size_t>(mark));
}

VerdictKind worse(VerdictKind a, VerdictKind b) noexcept {
  return rank(a) >= rank(b) ? a : b;
}

}  // namespace sunder::checkers
