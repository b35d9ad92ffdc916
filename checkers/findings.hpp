// Findings: what a checker of collections found, kind by kind ("lost", "stale"), made into one
// verdict.
//
// Every finding is counted; the first few of a kind become counter-examples. Kinds that the level
// allows are counted and told all the same, and break nothing.
//
// Threading: one owner.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "checkers/key_split.hpp"
#include "checkers/verdict.hpp"
#include "harness/history/history.hpp"

namespace sunder::checkers {

class Findings {
 public:
  explicit Findings(const history::History& history) : history_(&history) {}

  // The level allows it.
  void tolerate(std::string_view kind) { tally_of(kind).tolerated = true; }

  // One finding; `make()` gives its Counterexample and is called for the first of a kind only.
  template <typename Make>
  void add(std::string_view kind,
           const KeyOperations& key,
           std::string_view subject,
           const Make& make) {
    if (count(kind, subject)) keep(make(), key);
  }

  template <typename Make>
  void add(std::string_view kind,
           const KeyOperations& key,
           history::Value subject,
           const Make& make) {
    if (wants_subject(kind)) {
      add(kind, key, history_->pool().describe(subject), make);
    } else {
      (void)count(kind, {});
    }
  }

  void measure(std::string_view name, double value, std::string_view unit = "");

  // A sentence for the details.
  void tell(std::string sentence) { sentences_.push_back(std::move(sentence)); }

  // Something was seen that could have been wrong.
  void observed() noexcept { observed_ = true; }

  [[nodiscard]] bool any_broken() const noexcept;
  [[nodiscard]] std::size_t count_of(std::string_view kind) const noexcept;

  // The verdict: broken with the first example's sentence, kept with `kept`, or undetermined,
  // "nothing observed: `unseen`".
  [[nodiscard]] Verdict finish(std::string_view kept, std::string_view unseen);

 private:
  struct Tally {
    std::string kind;
    std::size_t count = 0;
    bool tolerated = false;
    std::vector<std::string> subjects;  // the first few
  };

  [[nodiscard]] Tally& tally_of(std::string_view kind);
  [[nodiscard]] bool wants_subject(std::string_view kind);
  // Whether a counter-example of it is wanted.
  [[nodiscard]] bool count(std::string_view kind, std::string_view subject);
  void keep(Counterexample example, const KeyOperations& key);

  const history::History* history_;
  std::vector<Tally> tallies_;
  std::vector<Counterexample> examples_;
  std::vector<std::string> sentences_;
  std::vector<history::Evidence> measurements_;
  bool observed_ = false;
};

// A counter-example made of a few core operations, in order of invocation.
[[nodiscard]] Counterexample example_of(std::string_view title,
                                        std::string why,
                                        std::vector<Counterexample::Item> core);

// "undetermined": the history is empty, or it holds an operation that the model does not know.
// Nothing: the model can judge it.
[[nodiscard]] std::optional<Verdict> unsuitable(const history::History& history,
                                                std::string_view model,
                                                bool (*knows)(const history::History& history,
                                                              const history::Operation& operation));

// "5 elements", "1 element".
[[nodiscard]] std::string counted(std::size_t count, std::string_view noun);

// The value below which `share` of the sorted values lie; 0 of none. 0 ≤ share ≤ 1.
[[nodiscard]] std::int64_t quantile_of(const std::vector<std::int64_t>& sorted, double share);

}  // namespace sunder::checkers
