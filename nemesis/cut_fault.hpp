// CutFault: what all cuts share: links chosen by a shape, a record, flapping, moving on, healing at
// most once.
//
// A family says how it imposes its cut, lifts it, and what proves that it bit.
//
// Threading: the run's single thread; destruction heals synchronously.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>

#include "harness/base/random.hpp"
#include "nemesis/cut.hpp"
#include "nemesis/nemesis.hpp"

namespace sunder::nemesis {

using CutPlanner = Result<Cut> (*)(const NemesisContext&, const PlannedFault&, base::Random&);

class CutFault : public ActiveFault {
 public:
  // `planner` is asked again each time a moving cut moves on.
  CutFault(NemesisContext& context, PlannedFault planned, Cut cut, CutPlanner planner);
  CutFault(const CutFault&) = delete;
  CutFault& operator=(const CutFault&) = delete;

  // Imposes it; to be called once, before anything else. After an error nothing stands.
  [[nodiscard]] Result<void> begin();
  [[nodiscard]] Result<void> heal() final;
  [[nodiscard]] std::optional<std::chrono::nanoseconds> period() const final;
  [[nodiscard]] Result<void> toggle() final;

  [[nodiscard]] const history::FaultRecord& record() const noexcept final { return record_; }

 protected:
  // Makes cut() stand. What failed half-way is undone.
  [[nodiscard]] virtual Result<void> impose() = 0;
  // Ends what impose() began, and adds what it did to what the family counts.
  [[nodiscard]] virtual Result<void> lift() = 0;

  // Does it once more while it stands, each time this much has passed.
  [[nodiscard]] virtual std::optional<std::chrono::nanoseconds> repeats_after() const {
    return std::nullopt;
  }

  [[nodiscard]] virtual Result<void> repeat() { return {}; }

  // Adds the family's evidence; returns why it was not exercised, empty when it was.
  [[nodiscard]] virtual std::string prove() = 0;

  // What its evidence calls the links.
  [[nodiscard]] virtual std::string links_word() const { return "links cut"; }

  // For derived destructors: heals when nobody did.
  void heal_at_last() noexcept;

  [[nodiscard]] const Cut& cut() const noexcept { return cut_; }

  void add_evidence(std::string name, double value, std::string unit);

  NemesisContext& context_;
  PlannedFault planned_;
  // Set in a constructor: something may get through while it stands.
  bool porous_ = false;

 private:
  enum class Motion : std::uint8_t { none, flaps, moves, repeats };

  void describe();
  void note_links();
  [[nodiscard]] Motion motion() const;
  void open_window();
  void close_window();
  [[nodiscard]] Result<void> impose_and_note();
  [[nodiscard]] Result<void> lift_and_note();
  [[nodiscard]] Result<void> move_on();

  Cut cut_;
  CutPlanner planner_;
  base::Random random_;
  history::FaultRecord record_;
  std::uint64_t changes_ = 0;  // flaps, moves or repetitions
  bool stands_ = false;        // imposed; a flapping cut is lifted for a while
  bool healed_ = false;
};

// Begins a planned cut.
template <typename Fault, CutPlanner planner = plan_cut>
boost::asio::awaitable<Result<std::unique_ptr<ActiveFault>>> apply_cut(NemesisContext& context,
                                                                       PlannedFault fault) {
  base::Random random(fault.seed);
  auto cut = planner(context, fault, random);
  if (cut.has_error()) co_return cut.error();
  auto active = std::make_unique<Fault>(context, std::move(fault), std::move(*cut), planner);
  if (auto begun = active->begin(); begun.has_error()) co_return begun.error();
  co_return std::unique_ptr<ActiveFault>(std::move(active));
}

}  // namespace sunder::nemesis
