// ListGraph: which transactions of a list-append history depend on each other, and why.
//
// ww between the writers of consecutive versions and from the last to every append that nobody
// read; wr from the writer of a version to its readers; rw from the readers of a version to the
// writer of the next, and from the readers of the last one to every append that nobody read.
// Observed and missed arcs, for causality, lead through the versions of a key: a list shows all
// its elements. O(size of all transactions).
//
// Threading: immutable once built.

#pragma once

#include "checkers/elle/dependencies.hpp"
#include "checkers/elle/list_order.hpp"

namespace sunder::checkers::elle {

class ListGraph final : public Dependencies {
 public:
  // `kinds`: the arcs that are wanted.
  ListGraph(const history::History& history,
            const Transactions& transactions,
            const ListOrder& order,
            ArcKinds kinds);

  // Where no update may be lost: whoever read the last version and appended to it without being
  // read comes before all others that were not read. Adds those ww arcs; finish() has to follow.
  void add_claims();

  // Adds observed and missed arcs; finish() has to follow.
  void add_observations();

  // The writers of the appends that nobody read, of each key with several, in the order of
  // `places`.
  [[nodiscard]] std::vector<std::vector<std::uint32_t>> tails(
      const std::vector<std::uint32_t>& places) const;

 private:
  [[nodiscard]] Reason data_reason(const Step& step) const override;

  void add_versions(ArcKinds kinds);
  void add_reads(ArcKinds kinds);
  void observe_key(std::uint32_t number,
                   std::vector<std::uint32_t>& observed,
                   std::vector<std::uint32_t>& missed);
  [[nodiscard]] Reason written_after(const Step& step) const;
  [[nodiscard]] Reason read_of(const Step& step) const;
  [[nodiscard]] Reason read_without(const Step& step) const;
  [[nodiscard]] Reason saw(const Step& step) const;
  [[nodiscard]] std::uint32_t next_writer(const ListKey& key, std::uint32_t position) const;
  [[nodiscard]] bool claims(std::uint32_t transaction, std::uint32_t key) const;
  [[nodiscard]] bool in_tail(const ListKey& key, std::uint32_t transaction) const;
  [[nodiscard]] std::uint32_t last_writer(const ListKey& key, std::uint32_t length) const;

  const ListOrder* order_;
  std::vector<std::uint32_t> next_;  // of each version, the first committed writer from there on
};

}  // namespace sunder::checkers::elle
