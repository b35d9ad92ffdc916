// A mutex with an owner: acquire, release; free at first.

#include <memory>

#include "checkers/holds.hpp"
#include "checkers/models/lock.hpp"
#include "checkers/objects.hpp"

namespace sunder::checkers {
namespace {

using history::Function;
using history::Operation;

class Mutex final : public LockModel {
 public:
  Mutex() : LockModel({}) {}

 protected:
  std::int64_t argument_of(const Operation&) const override { return 0; }

  bool acquire(Holders& holders, std::int64_t process, std::int64_t) const override {
    if (!holders.holds.empty()) return false;
    holders.holds[process] = 1;
    return true;
  }
};

bool knows(Function function) {
  return function == Function::acquire || function == Function::release;
}

// No mode and no number of permits.
bool suits(const Operation& operation) {
  return operation.input.is_none() || operation.input.is_nil();
}

std::unique_ptr<Model> make(const history::ValuePool& /*pool*/, const Parameters& /*none*/) {
  return std::make_unique<Mutex>();
}

}  // namespace

ModelRow mutex_row() {
  return {.name = "mutex",
          .summary = "A lock that one process holds at a time: acquire, release.",
          .knows = knows,
          .make = make,
          .closed_form = check_mutex,
          .suits = suits};
}

}  // namespace sunder::checkers
