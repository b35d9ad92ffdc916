// A read–write lock: acquire "read" or "write" (which is meant when nothing is said), release.

#include <memory>

#include "checkers/holds.hpp"
#include "checkers/models/lock.hpp"
#include "checkers/objects.hpp"

namespace sunder::checkers {
namespace {

using history::Function;
using history::Operation;

class ReadWriteLock final : public LockModel {
 public:
  explicit ReadWriteLock(const history::ValuePool& pool) : LockModel({}), pool_(&pool) {}

 protected:
  std::int64_t argument_of(const Operation& operation) const override {
    return is_shared(*pool_, operation) ? kShared : kAlone;
  }

  bool acquire(Holders& holders, std::int64_t process, std::int64_t mode) const override {
    for (const auto& [holder, held] : holders.holds) {
      if (holder == process || held == kAlone || mode == kAlone) return false;
    }
    holders.holds[process] = mode;
    return true;
  }

 private:
  static constexpr std::int64_t kShared = 1;
  static constexpr std::int64_t kAlone = 2;

  const history::ValuePool* pool_;
};

bool knows(Function function) {
  return function == Function::acquire || function == Function::release;
}

// A mode, or none.
bool suits(const Operation& operation) {
  return operation.input.is_none() || operation.input.is_nil() || operation.input.is_text();
}

std::unique_ptr<Model> make(const history::ValuePool& pool, const Parameters& /*none*/) {
  return std::make_unique<ReadWriteLock>(pool);
}

}  // namespace

ModelRow rw_lock_row() {
  return {.name = "rw-lock",
          .summary = "A lock held by one writer or by many readers: acquire, release.",
          .knows = knows,
          .make = make,
          .closed_form = check_rw_lock,
          .strength = 0,
          .suits = suits};
}

}  // namespace sunder::checkers
