// Sessions: applies log entries to a machine so that a retry of a client is answered and not
// applied again (Ongaro 2014, §6.3).
//
// A session remembers the reply to its latest sequence number. Sessions are bounded: opening one
// more than kSessionsMax ends the one whose latest use lies furthest back in the log. They are part
// of the replicated state.
//
// Threading: one owner. Errors: replies. An entry that does not parse is a programmer's error.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "harness/base/error.hpp"
#include "harness/wire/resp.hpp"
#include "nodes/replica/machine.hpp"
#include "nodes/replica/messages.pb.h"

namespace sunder::nodes::replica {

class Sessions {
 public:
  static constexpr std::size_t kSessionsMax = 10'000;

  struct Options {
    bool ignore = false;  // sabotage apply-twice: a retry is applied again
  };

  Sessions(std::unique_ptr<Machine> machine, Options options);

  // Applies one log entry's proposal and returns the reply to it.
  [[nodiscard]] wire::RespValue apply(std::uint64_t index, std::string_view proposal);

  // Of machine and sessions, the same bytes for equal states.
  [[nodiscard]] std::string snapshot() const;
  // Replaces the state. Errc::failed: the bytes are not a state.
  [[nodiscard]] Result<void> load(std::string_view snapshot);

  [[nodiscard]] const Machine& machine() const noexcept { return *machine_; }

  [[nodiscard]] Machine& machine() noexcept { return *machine_; }

  [[nodiscard]] std::size_t count() const noexcept { return sessions_.size(); }

 private:
  struct Session {
    std::uint64_t sequence = 0;
    std::uint64_t used = 0;
    wire::RespValue reply;
  };

  wire::RespValue open_session(std::uint64_t index);
  void touch(std::uint64_t id, Session& session, std::uint64_t index);
  wire::RespValue apply_commands(const proto::Proposal& proposal);

  std::unique_ptr<Machine> machine_;
  Options options_;
  std::map<std::uint64_t, Session> sessions_;
  std::map<std::uint64_t, std::uint64_t>
      by_use_;  // Session::used → id; the first is the next to end
};

}  // namespace sunder::nodes::replica
