// Core: a Dynamo-style replicated store as a pure function of its inputs: `Effects step(Input)`.
//
// After DeCandia et al., Dynamo: Amazon's Highly Available Key-value Store (SOSP 2007), and
// Petersen et al., Bayou (SOSP 1997). Any node coordinates any request: a write goes to the N
// keepers of its key and is acknowledged once W have it on disk, a read is answered once R have
// told what they have, and the newest version wins (versions.hpp). Strict quorums count keepers
// only; sloppy ones count the next nodes of the key's walk for keepers that are silent (§4.6),
// which hold the version as a hint and hand it off when the keeper is back. A read that found
// keepers behind repairs them (§5). In the background every node compares digests with one other at
// a time and exchanges what differs, a bounded part a round (§4.7, with rows of buckets in place of
// trees).
//
// What is not promised: R + W > N does not make it linearizable, because a write that failed half
// way, or is under way, is seen by some quorums and not by others.
//
// How a shell runs it: for every Effects, write `writes` as one batch and, once it is synced, give
// Written{sequence}; send `messages`, answer `answers`, tell `events` at once: the core itself
// holds back what must wait for the disk.
//
// Threading: one owner. Errors: none; nothing a peer sends is believed beyond its form.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "nodes/quorum/message.hpp"
#include "nodes/quorum/ring.hpp"
#include "nodes/quorum/stamp.hpp"
#include "nodes/quorum/versions.hpp"

namespace sunder::nodes::quorum {

// Deliberate bugs, one at a time, off by default. What each breaks is said where it is: grep for
// its name.
enum class Sabotage : std::uint8_t {
  none,
  ack_below_w,            // one acknowledgement less than W is enough
  drop_hints_on_restart,  // hints are taken for a cache
  leak_on_timeout,        // a request that timed out is never forgotten, and there is room for few
  need_majority,          // refuses whatever it cannot do with a majority of all nodes
  no_exchange,            // replicas never compare what they have
  repair_with_older,      // a read spreads the oldest version that it found
  reuse_request_numbers,  // the lowest free number: a late answer is taken for another request's
  tie_without_order,      // coarse clocks without counter or node; of a tie the later to come wins
};

[[nodiscard]] std::optional<Sabotage> sabotage_named(std::string_view name) noexcept;

struct Options {
  NodeId id = kNobody;
  std::vector<NodeId> nodes;  // all, this one included; the same on all nodes
  std::size_t replicas = 3;   // N
  std::size_t reads = 1;      // R
  std::size_t writes = 1;     // W
  bool sloppy = false;
  Sabotage sabotage = Sabotage::none;
};

struct Hint {
  NodeId owner = kNobody;
  Item item;
};

// What was on disk. A new node has nothing.
struct Recovered {
  std::vector<Item> items;
  std::vector<Hint> hints;
};

struct Tick {};

struct Receive {
  Message message;
};

// The caller's ids are its own; the core only returns them.
struct Get {
  std::uint64_t id = 0;
  std::string key;
};

// `wall` is what the node's realtime clock shows, in nanoseconds.
struct Set {
  std::uint64_t id = 0;
  std::string key;
  std::string value;
  std::int64_t wall = 0;
};

// Everything up to this Effects::sequence is on disk.
struct Written {
  std::uint64_t sequence = 0;
};

using Input = std::variant<Tick, Receive, Get, Set, Written>;

enum class Ending : std::uint8_t {
  ok,
  no_quorum,   // fewer than R or W nodes are within reach; nothing was done
  timed_out,   // they did not answer; a write may have taken effect
  overloaded,  // too many requests in flight; nothing was done
};

struct Answer {
  std::uint64_t id = 0;
  Ending ending = Ending::ok;
  bool read = false;
  std::optional<std::string> value;  // of a read that is ok; none: there is nothing
};

// The last of a name counts.
struct Change {
  NodeId owner = kNobody;  // kNobody: the node's own version of the key; else a hint for that node
  std::string key;
  std::optional<Version> version;  // none: the hint is gone
};

// What a node tells on file descriptor 3, in bounded number: counts since it was told last.
struct Event {
  std::string_view name;
  std::vector<std::pair<std::string_view, std::uint64_t>> numbers;
  std::vector<std::pair<std::string, std::string>> texts = {};
};

struct Effects {
  std::uint64_t sequence = 0;  // of `writes`; 0: there are none
  std::vector<Change> writes;
  std::vector<Message> messages;
  std::vector<Answer> answers;
  std::vector<Event> events;
};

class Core {
 public:
  Core(Options options, const Recovered& recovered);

  [[nodiscard]] Effects step(Input input);

  // Whether the node was heard lately; itself always.
  [[nodiscard]] bool is_near(NodeId node) const;

  [[nodiscard]] const Versions& versions() const noexcept { return versions_; }

  [[nodiscard]] std::size_t hints() const noexcept;

  [[nodiscard]] std::size_t requests() const noexcept { return requests_.size(); }

 private:
  // One client's command on its way.
  struct Request {
    std::uint64_t client = 0;
    bool write = false;
    std::string key;
    Version version;                 // of a write
    std::vector<NodeId> keepers;     // N of them
    std::deque<NodeId> stand_ins;    // of the walk, not asked yet
    std::map<NodeId, NodeId> asked;  // that have not answered → for whom (kNobody: themselves)
    std::set<NodeId> acknowledged;   // of a write
    std::map<NodeId, std::optional<Version>> found;  // of a read: who has what
    std::uint64_t begun = 0;                         // tick
    bool replaced = false;                           // whoever was silent has been replaced
    bool answered = false;
    bool asking = true;  // not everybody has been asked yet: it cannot be over
  };

  struct KeptHint {
    Version version;
    std::uint64_t sent = 0;  // tick; 0: not yet
  };

  struct Held {
    std::uint64_t sequence = 0;
    std::variant<Message, std::uint64_t> what;  // a message, or the request that this node kept
  };

  // Counts since they were told last.
  struct Tally {
    std::uint64_t hinted = 0;
    std::uint64_t handed_off = 0;
    std::uint64_t repaired = 0;
    std::uint64_t exchanged = 0;
  };

  void take(const Tick& tick);
  void take(Receive& receive);
  void take(Get& get);
  void take(Set& set);
  void take(const Written& written);

  // coordinate.cpp: requests of clients.
  [[nodiscard]] std::optional<Ending> refusal(const std::vector<NodeId>& keepers,
                                              std::size_t needed) const;
  [[nodiscard]] std::uint64_t begin(Request request);
  void ask_keepers(std::uint64_t number);
  void ask(std::uint64_t number, NodeId node, NodeId owner);
  void ask_stand_in(std::uint64_t number, NodeId owner);
  void acknowledge(std::uint64_t number, NodeId node);
  void find(std::uint64_t number, NodeId node, std::optional<Version> version);
  void answer_when_enough(Request& request);
  void replace_silent(std::uint64_t number);
  void finish_when_done(std::uint64_t number);
  void repair(const Request& request);
  void look_after_requests();
  [[nodiscard]] std::size_t writes_needed() const noexcept;

  // replicate.cpp: what a node keeps for itself and for others.
  bool keep(const std::string& key, const Version& version, bool force = false);
  void keep_hint(NodeId owner, const std::string& key, const Version& version);
  void forget_hint(NodeId owner, const std::string& key, const Stamp& stamp);
  [[nodiscard]] std::optional<Version> newest(const std::string& key) const;
  void receive_store(Message& message);
  void hand_off();

  // exchange.cpp: digests.
  void begin_exchange();
  void receive_summary(const Message& message);
  void receive_listing(const Message& message);
  void receive_transfer(const Message& message);
  void tell();

  void send(Message message);
  // Once what was written until now is on disk.
  void hold(std::variant<Message, std::uint64_t> what);
  void release(std::variant<Message, std::uint64_t>& what);
  [[nodiscard]] Message reply_to(const Message& message, MessageKind kind) const;

  Options options_;
  Ring ring_;
  Versions versions_;
  HybridClock clock_;
  std::map<NodeId, std::map<std::string, KeptHint>> hints_;  // by owner, then key
  std::map<NodeId, std::string> handing_;  // the key after which the next hand-off goes on
  std::map<NodeId, std::uint64_t> heard_;  // tick
  std::map<std::uint64_t, Request> requests_;
  std::map<std::pair<NodeId, Bucket>, std::string> listing_;  // where the next listing goes on
  std::map<NodeId, std::uint64_t> told_;                      // digests
  std::deque<Held> held_;
  std::uint64_t ticks_ = 0;
  std::uint64_t numbers_ = 0;  // of requests
  std::uint64_t sequence_ = 0;
  std::uint64_t durable_ = 0;
  std::size_t partner_ = 0;  // index of the node to compare with next
  Tally tally_;
  Effects out_;
};

}  // namespace sunder::nodes::quorum
