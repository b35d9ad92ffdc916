// RegisterGraph: what Elle knows of transactions over registers whose values are written once, by
// default.
//
// A version is a value. Without further assumptions only the first is ordered: the absent value
// comes before all others (Kingsbury & Alvaro, VLDB 2020, section 5). So there are wr arcs from
// writers to readers, and rw arcs from the readers of the absent value to all writers of the key.
// Sound, and far from complete: what it finds is wrong, what it does not find may be. A transaction
// of unknown outcome counts as committed when something of it was read.
//
// Threading: immutable once built.

#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "checkers/elle/dependencies.hpp"
#include "checkers/elle/sightings.hpp"
#include "checkers/elle/writes.hpp"

namespace sunder::checkers::elle {

class RegisterGraph final : public Dependencies {
 public:
  // Adds garbage-read, G1a, G1b, internal, future-read and lost-update to `sightings`.
  RegisterGraph(const history::History& history,
                const Transactions& transactions,
                ArcKinds kinds,
                Sightings& sightings);

 private:
  [[nodiscard]] Reason data_reason(const Step& step) const override;

  [[nodiscard]] const MicroOperation& micro(std::uint32_t index) const {
    return transactions_->micro[index];
  }

  [[nodiscard]] std::string name(std::uint32_t transaction) const {
    return name_transaction(*history_, *transactions_, transaction);
  }

  void note_writes();
  void read_all(Sightings& sightings);
  void inspect(std::uint32_t transaction, Sightings& sightings);
  void inspect_read(std::uint32_t read, std::uint32_t earlier, Sightings& sightings);
  void find_lost_update(std::uint32_t read, std::uint32_t write, Sightings& sightings);
  void add_register_arcs(ArcKinds kinds);
  [[nodiscard]] std::uint32_t later_write(std::uint32_t write) const;

  Writes writes_;
  std::vector<std::uint32_t> owner_;     // of each micro-operation, its transaction
  std::vector<std::uint8_t> ambiguous_;  // of each write: another wrote the same, or it wrote nil
  std::vector<std::uint8_t> cleared_;    // of each key: somebody wrote nil to it
  std::vector<std::uint8_t> committed_;  // of each transaction
  // External reads of known values, and for each its write; kNone: of the absent value.
  std::vector<std::uint32_t> reads_;
  std::vector<std::uint32_t> sources_;
  // Of each write the first update of a reader of it; of the absent value by key, after all writes.
  std::vector<std::uint32_t> updates_;
  // The same of values that nobody wrote, by key and value.
  std::map<std::pair<std::uint32_t, history::Value>, std::uint32_t> unwritten_updates_;
};

}  // namespace sunder::checkers::elle
