#include "checkers/elle/register_graph.hpp"

#include <fmt/format.h>

namespace sunder::checkers::elle {

using history::Outcome;
using history::Value;

RegisterGraph::RegisterGraph(const history::History& history,
                             const Transactions& transactions,
                             ArcKinds kinds,
                             Sightings& sightings)
    : Dependencies(history, transactions), writes_(transactions, MicroKind::write) {
  owner_.resize(transactions.micro.size());
  ambiguous_.assign(transactions.micro.size(), 0);
  cleared_.assign(transactions.keys.size(), 0);
  committed_.assign(transactions.all.size(), 0);
  note_writes();
  read_all(sightings);
  add_register_arcs(kinds);
  if ((kinds & arc::kProcess) != 0) add_process_arcs(committed_);
  if ((kinds & arc::kRealtime) != 0) add_realtime_arcs(committed_);
}

void RegisterGraph::note_writes() {
  for (std::uint32_t t = 0; t < transactions_->all.size(); ++t) {
    const Transaction& one = transactions_->all[t];
    if (one.outcome == Outcome::ok) committed_[t] = 1;
    for (std::uint32_t i = one.begin; i < one.end; ++i) {
      owner_[i] = t;
      if (micro(i).kind != MicroKind::write) continue;
      if (micro(i).value.is_nil()) cleared_[micro(i).key] = 1;
      std::uint32_t& first = writes_.at(micro(i).key, micro(i).value);
      if (first == kNone) {
        first = i;
      } else {
        ambiguous_[first] = 1;
      }
    }
  }
}

// The next write of the same transaction to the same key.
std::uint32_t RegisterGraph::later_write(std::uint32_t write) const {
  const std::uint32_t end = transactions_->all[owner_[write]].end;
  for (std::uint32_t i = write + 1; i < end; ++i) {
    if (micro(i).kind == MicroKind::write && micro(i).key == micro(write).key) return i;
  }
  return kNone;
}

void RegisterGraph::read_all(Sightings& sightings) {
  updates_.assign(transactions_->micro.size() + transactions_->keys.size(), kNone);
  for (std::uint32_t t = 0; t < transactions_->all.size(); ++t) {
    if (transactions_->all[t].outcome == Outcome::ok) inspect(t, sightings);
  }
  updates_ = {};
  unwritten_updates_ = {};
}

void RegisterGraph::inspect(std::uint32_t transaction, Sightings& sightings) {
  const Transaction& one = transactions_->all[transaction];
  for (std::uint32_t i = one.begin; i < one.end; ++i) {
    // What it did to the key before: transactions are short.
    std::uint32_t earlier = kNone;
    for (std::uint32_t j = i; j-- > one.begin && earlier == kNone;) {
      if (micro(j).key == micro(i).key) earlier = j;
    }
    if (micro(i).kind == MicroKind::read) {
      if (!micro(i).value.is_none()) inspect_read(i, earlier, sightings);
    } else if (earlier != kNone && micro(earlier).kind == MicroKind::read) {
      find_lost_update(earlier, i, sightings);
    }
  }
}

void RegisterGraph::inspect_read(std::uint32_t read, std::uint32_t earlier, Sightings& sightings) {
  const std::uint32_t key = micro(read).key;
  const std::uint32_t reader = owner_[read];
  const Value value = micro(read).value;
  const auto told = [&] {
    return fmt::format("{} read {} as {}", name(reader), key_text(key), text(value));
  };
  // To Elle nil says nothing: after a read of nil, or a write of it, any value will do.
  const bool expected =
      earlier != kNone && !micro(earlier).value.is_none() && !micro(earlier).value.is_nil();
  if (expected && micro(earlier).value != value) {
    sightings.add(Anomaly::internal, key, {reader}, [&] {
      return fmt::format("{} after it had {} {}",
                         told(),
                         micro(earlier).kind == MicroKind::read ? "read" : "written",
                         text(micro(earlier).value));
    });
  }
  if (value.is_nil()) {
    if (cleared_[key] != 0 || earlier != kNone) return;
    reads_.push_back(read);
    sources_.push_back(kNone);
    return;
  }
  const std::uint32_t write = writes_.at(key, value);
  if (write == kNone) {
    sightings.add(Anomaly::garbage_read, key, {reader}, [&] {
      return fmt::format("{}, but nobody ever wrote that", told());
    });
    return;
  }
  if (ambiguous_[write] != 0) return;
  const std::uint32_t writer = owner_[write];
  if (writer == reader) {
    if (write > read) {
      sightings.add(Anomaly::future_read, key, {reader}, [&] {
        return fmt::format("{} before it wrote that", told());
      });
    }
    return;
  }
  if (transactions_->all[writer].outcome == Outcome::fail) {
    sightings.add(Anomaly::g1a, key, {writer, reader}, [&] {
      return fmt::format("{}, but {}, which wrote it, was aborted", told(), name(writer));
    });
    return;
  }
  committed_[writer] = 1;
  if (const std::uint32_t later = later_write(write); later != kNone) {
    sightings.add(Anomaly::g1b, key, {writer, reader}, [&] {
      return fmt::format(
          "{}, which {} overwrote with {}", told(), name(writer), text(micro(later).value));
    });
  }
  if (earlier != kNone) return;
  reads_.push_back(read);
  sources_.push_back(write);
}

// Two transactions that read the same version of a key and both wrote the key.
void RegisterGraph::find_lost_update(std::uint32_t read,
                                     std::uint32_t write,
                                     Sightings& sightings) {
  const std::uint32_t key = micro(read).key;
  const Value value = micro(read).value;
  const auto first_update = [&]() -> std::uint32_t* {
    if (value.is_none() || (value.is_nil() && cleared_[key] != 0)) return nullptr;
    if (value.is_nil()) return &updates_[transactions_->micro.size() + key];
    const std::uint32_t source = writes_.at(key, value);
    // Nobody wrote it: an initial value, as far as one can tell, and one version like any other.
    if (source == kNone) return &unwritten_updates_.try_emplace({key, value}, kNone).first->second;
    return ambiguous_[source] != 0 ? nullptr : &updates_[source];
  };
  std::uint32_t* const update = first_update();
  if (update == nullptr) return;
  if (*update == kNone) {
    *update = write;
    return;
  }
  const std::uint32_t other = *update;
  if (owner_[other] == owner_[write]) return;
  sightings.add(Anomaly::lost_update, key, {owner_[other], owner_[write]}, [&] {
    return fmt::format("{} and {} both read {} as {} and wrote {} and {}",
                       name(owner_[other]),
                       name(owner_[write]),
                       key_text(key),
                       text(value),
                       text(micro(other).value),
                       text(micro(write).value));
  });
}

void RegisterGraph::add_register_arcs(ArcKinds kinds) {
  std::vector<std::uint32_t> absent(transactions_->keys.size(), kNone);  // helpers
  for (std::size_t i = 0; i < reads_.size(); ++i) {
    const std::uint32_t reader = owner_[reads_[i]];
    if (sources_[i] != kNone) {
      if ((kinds & arc::kWr) != 0) graph_.add(owner_[sources_[i]], reader, arc::kWr);
      continue;
    }
    if ((kinds & arc::kRw) == 0) continue;
    std::uint32_t& helper = absent[micro(reads_[i]).key];
    if (helper == kNone) helper = graph_.add_helper();
    graph_.add(reader, helper, arc::kRw);
  }
  for (std::uint32_t i = 0; i < transactions_->micro.size(); ++i) {
    const std::uint32_t helper = absent[micro(i).key];
    if (helper == kNone || micro(i).kind != MicroKind::write) continue;
    if (committed_[owner_[i]] != 0) graph_.add(helper, owner_[i], kPass | arc::kRw);
  }
}

Reason RegisterGraph::data_reason(const Step& step) const {
  const bool missed = step.kinds == arc::kRw;
  const Transaction& reader = transactions_->all[missed ? step.from : step.to];
  const Transaction& writer = transactions_->all[missed ? step.to : step.from];
  for (std::uint32_t i = reader.begin; i < reader.end; ++i) {
    if (micro(i).kind != MicroKind::read || micro(i).value.is_nil() != missed) continue;
    for (std::uint32_t j = writer.begin; j < writer.end; ++j) {
      if (micro(j).kind != MicroKind::write || micro(j).key != micro(i).key) continue;
      const std::string on = key_text(micro(i).key);
      const std::string from = name_of_transaction(step.from);
      const std::string to = name_of_transaction(step.to);
      if (missed) {
        return {"rw " + on,
                fmt::format("{} read {} as absent, without {}'s write of {}",
                            from,
                            on,
                            to,
                            text(micro(j).value))};
      }
      if (micro(j).value != micro(i).value) continue;
      return {"wr " + on,
              fmt::format("{} read {}'s write of {} to {}", to, from, text(micro(j).value), on)};
    }
  }
  return {missed ? "rw" : "wr", "of what was read"};
}

}  // namespace sunder::checkers::elle
