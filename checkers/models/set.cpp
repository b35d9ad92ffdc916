// A set, element by element: add, remove, contains. An element is in or out, out at first.
//
// An add tells true when the element was out and false when it was in already; one that tells
// nothing may have found either. A remove is its mirror image. 1 and 0 stand for true and false.

#include <memory>

#include "checkers/models/model.hpp"
#include "checkers/objects.hpp"

namespace sunder::checkers {
namespace {

using history::Function;
using history::Operation;
using history::Outcome;

// kPut, kDrop: whatever was; kPut_in, kTake_out: changed it; kSee_in, kSee_out: found it so.
enum Kind : std::uint32_t { kPut, kDrop, kPut_in, kTake_out, kSee_in, kSee_out };

constexpr State kOut = 0;
constexpr State kIn = 1;

class Element final : public Model {
 public:
  State initial() override { return kOut; }

  std::optional<Call> encode(const Operation& operation) override {
    if (operation.outcome == Outcome::fail) return std::nullopt;
    const std::optional<bool> told = truth_of(operation);
    if (operation.function == Function::contains) {
      if (!told) return std::nullopt;
      return Call{*told ? kSee_in : kSee_out, 0, 0};
    }
    const bool adds = operation.function == Function::add;
    if (!told) return Call{adds ? kPut : kDrop, 0, 0};
    if (adds) return Call{*told ? kPut_in : kSee_in, 0, 0};
    return Call{*told ? kTake_out : kSee_out, 0, 0};
  }

  State step(State state, Call call) override {
    switch (call.kind) {
      case kPut:
        return kIn;
      case kDrop:
        return kOut;
      case kPut_in:
        return state == kOut ? kIn : kNoState;
      case kTake_out:
        return state == kIn ? kOut : kNoState;
      default:
        return state == (call.kind == kSee_in ? kIn : kOut) ? state : kNoState;
    }
  }

  bool observes(Call call) const noexcept override {
    return call.kind == kSee_in || call.kind == kSee_out;
  }

  bool is_idempotent(Call) const noexcept override { return true; }

  std::string describe(State state) const override {
    return state == kIn ? "its being in" : "its being out";
  }

  std::size_t memory() const noexcept override { return 0; }
};

bool knows(Function function) {
  return function == Function::add || function == Function::remove ||
         function == Function::contains;
}

std::unique_ptr<Model> make(const history::ValuePool& /*pool*/, const Parameters& /*none*/) {
  return std::make_unique<Element>();
}

history::Value element_of(const Operation& operation) {
  return operation.input;
}

}  // namespace

ModelRow set_row() {
  return {.name = "set",
          .summary = "Elements that are in or out: add, remove, contains; all out at first.",
          .knows = knows,
          .make = make,
          .closed_form = check_element,
          .part = element_of};
}

}  // namespace sunder::checkers
