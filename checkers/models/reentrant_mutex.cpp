// A mutex that its holder may acquire again, and must release as often: acquire, release; free at
// first (Hazelcast's FencedLock, as Jepsen tests it).

#include <array>
#include <memory>

#include "checkers/holds.hpp"
#include "checkers/models/lock.hpp"
#include "checkers/objects.hpp"

namespace sunder::checkers {
namespace {

using history::Function;
using history::Operation;

class ReentrantMutex final : public LockModel {
 public:
  explicit ReentrantMutex(std::int64_t acquires_max) : LockModel({}), acquires_max_(acquires_max) {}

  bool is_idempotent(Call call) const noexcept override { return observes(call); }

 protected:
  std::int64_t argument_of(const Operation&) const override { return 0; }

  bool acquire(Holders& holders, std::int64_t process, std::int64_t) const override {
    const bool mine = holders.holds.contains(process);
    if (!holders.holds.empty() && !mine) return false;
    return ++holders.holds[process] <= acquires_max_;
  }

  bool release(Holders& holders, std::int64_t process, std::int64_t) const override {
    const auto found = holders.holds.find(process);
    if (found == holders.holds.end()) return false;
    if (--found->second == 0) holders.holds.erase(found);
    return true;
  }

 private:
  std::int64_t acquires_max_;
};

bool knows(Function function) {
  return function == Function::acquire || function == Function::release;
}

// No mode and no number of permits.
bool suits(const Operation& operation) {
  return operation.input.is_none() || operation.input.is_nil();
}

std::unique_ptr<Model> make(const history::ValuePool& /*pool*/, const Parameters& parameters) {
  return std::make_unique<ReentrantMutex>(acquires_max_of(parameters));
}

}  // namespace

ModelRow reentrant_mutex_row() {
  static constexpr std::array kParameters{
      ParameterInfo{"acquires", "how often its holder may take it; without it: any number"}};
  return {.name = "reentrant-mutex",
          .summary = "A lock that its holder may take again.",
          .knows = knows,
          .make = make,
          .closed_form = check_reentrant_mutex,
          .parameters = kParameters,
          .strength = 0,
          .suits = suits};
}

}  // namespace sunder::checkers
