// RegisterModel: what the registers of the search share, one that answers with its value and one
// that may answer with an older one: which calls there are, and which unknown ones can matter.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "checkers/models/model.hpp"

namespace sunder::checkers {

class RegisterModel : public Model {
 public:
  explicit RegisterModel(const history::ValuePool& pool);

  [[nodiscard]] State initial() final { return 0; }

  [[nodiscard]] std::optional<Call> encode(const history::Operation& operation) final;

  [[nodiscard]] bool observes(Call call) const noexcept final {
    return call.kind != kWrite && call.kind != kCas;
  }

  // Drops unknown writes of values that nobody observed, and ends the others when the first read of
  // them ends.
  void simplify(std::vector<SearchOperation>& operations) final;

 protected:
  // kRead: a read. kFound and kNotEqual: a failed cas, which tells the value or only that it is
  // another one.
  enum Kind : std::uint32_t { kRead, kFound, kWrite, kCas, kNotEqual };

  // Values by their numbers. The register is absent at first: nil is 0.
  static constexpr std::uint32_t kAbsent = 0;
  // Stands for every value that nobody observed: which one it is cannot matter.
  static constexpr std::uint32_t kUnobserved = 1;

  // What a write or a cas leaves behind.
  static std::uint32_t produced(Call call) noexcept {
    return call.kind == kWrite ? call.first : call.second;
  }

  [[nodiscard]] std::uint32_t value_count() const noexcept {
    return static_cast<std::uint32_t>(values_.size());
  }

  [[nodiscard]] std::string describe_value(std::uint32_t value) const;

  [[nodiscard]] std::size_t value_memory() const noexcept { return values_.capacity() * 64; }

 private:
  std::uint32_t number_of(history::Value value);
  std::optional<Call> encode_cas(const history::Operation& operation);
  static void forget_unobserved(std::vector<SearchOperation>& operations);
  void bound_observed(std::vector<SearchOperation>& operations) const;

  const history::ValuePool* pool_;
  std::vector<history::Value> values_;
  std::unordered_map<history::Value, std::uint32_t, history::ValueHash> numbers_;
};

[[nodiscard]] ModelRow register_row();
// A register whose reads may find any of the last values (parameter "k"). What a compare-and-set
// compares with is the last one.
[[nodiscard]] ModelRow recent_register_row();

}  // namespace sunder::checkers
