// A semaphore whose permits have owners: acquire and release, of one permit or of as many as their
// input says.

#include <array>
#include <memory>

#include "checkers/holds.hpp"
#include "checkers/models/lock.hpp"
#include "checkers/objects.hpp"

namespace sunder::checkers {
namespace {

using history::Function;
using history::Operation;

class Semaphore final : public LockModel {
 public:
  explicit Semaphore(std::int64_t permits) : LockModel({}), permits_(permits) {}

 protected:
  std::int64_t argument_of(const Operation& operation) const override {
    return permits_of(operation).value_or(1);
  }

  bool acquire(Holders& holders, std::int64_t process, std::int64_t permits) const override {
    std::int64_t taken = permits;
    for (const auto& [holder, held] : holders.holds) taken += held;
    if (taken > permits_) return false;
    if (permits > 0) holders.holds[process] += permits;
    return true;
  }

  bool release(Holders& holders, std::int64_t process, std::int64_t permits) const override {
    if (permits == 0) return true;
    const auto found = holders.holds.find(process);
    if (found == holders.holds.end() || found->second < permits) return false;
    found->second -= permits;
    if (found->second == 0) holders.holds.erase(found);
    return true;
  }

 private:
  std::int64_t permits_;
};

bool knows(Function function) {
  return function == Function::acquire || function == Function::release;
}

std::unique_ptr<Model> make(const history::ValuePool& /*pool*/, const Parameters& parameters) {
  return std::make_unique<Semaphore>(static_cast<std::int64_t>(parameters.at("permits")));
}

}  // namespace

ModelRow semaphore_row() {
  static constexpr std::array kParameters{
      ParameterInfo{"permits", "how many permits there are", true}};
  return {.name = "semaphore",
          .summary = "Permits that processes acquire and release.",
          .knows = knows,
          .make = make,
          .closed_form = check_semaphore,
          .parameters = kParameters};
}

}  // namespace sunder::checkers
