// A lease with fencing tokens: acquire gives a token greater than all before it; release.
//
// An acquire whose token nobody knows may have got any.

#include <limits>
#include <memory>

#include "checkers/holds.hpp"
#include "checkers/models/lock.hpp"
#include "checkers/objects.hpp"

namespace sunder::checkers {
namespace {

using history::Function;
using history::Operation;

class FencedLease final : public LockModel {
 public:
  FencedLease() : LockModel({.holds = {}, .token = kNo_token}) {}

 protected:
  std::int64_t argument_of(const Operation& operation) const override {
    return operation.output.is_integer() ? operation.output.raw() : kNo_token;
  }

  bool acquire(Holders& holders, std::int64_t process, std::int64_t token) const override {
    if (!holders.holds.empty()) return false;
    if (token != kNo_token && token <= holders.token) return false;
    if (token != kNo_token) holders.token = token;
    holders.holds[process] = 1;
    return true;
  }

 private:
  static constexpr std::int64_t kNo_token = std::numeric_limits<std::int64_t>::min();
};

bool knows(Function function) {
  return function == Function::acquire || function == Function::release;
}

// No mode and no number of permits.
bool suits(const Operation& operation) {
  return operation.input.is_none() || operation.input.is_nil();
}

std::unique_ptr<Model> make(const history::ValuePool& /*pool*/, const Parameters& /*none*/) {
  return std::make_unique<FencedLease>();
}

}  // namespace

ModelRow fenced_lease_row() {
  return {.name = "fenced-lease",
          .summary = "A lease that one process holds at a time, each with a greater token.",
          .knows = knows,
          .make = make,
          .closed_form = check_fenced_lease,
          .strength = 0,
          .suits = suits};
}

}  // namespace sunder::checkers
