// Register: reads, writes and compare-and-set over many keys, every written value unique in the
// run.
//
// `create` (not in the default mix) writes a key of its own, once: what is never written again
// shows at the end whether it is still there. The final reads take a sample of those.
//
// Unique values let checkers say which write a read saw. A cas expects the value that this workload
// saw last at its key, so that many succeed and the others tell the actual value. Values are
// integers in the history and decimal text on the wire; an absent key is nil.

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "harness/base/assert.hpp"
#include "harness/wire/errors.hpp"
#include "workloads/mix.hpp"
#include "workloads/workload.hpp"

namespace sunder::workloads {
namespace {

using history::Outcome;
using history::Value;
using history::ValuePool;

// Each key is read at the end by this many clients, one after the other.
constexpr std::size_t kFinal_rounds = 3;
// More than clients can make in the seconds of a sabotaged run: keys must still be made at the last
// crash. It bounds what a long run keeps.
constexpr std::uint64_t kCreated_max = 262'144;
constexpr std::uint64_t kCreated_read_max = 1024;

std::string wire_text(Value value, const ValuePool& pool) {
  if (value.is_nil()) return std::string(wire::kNilMarker);
  if (value.is_text()) return std::string(pool.text_of(value));
  SUNDER_ASSERT(value.is_integer());
  return fmt::format("{}", value.raw());
}

// What a node stored for us is an integer; anything else is kept as it came, for the checker to
// judge.
Value value_of(std::string_view text, ValuePool& pool) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole ? Value::integer(number) : pool.text(text);
}

class Register final : public Workload {
 public:
  explicit Register(const WorkloadOptions& options,
                    const std::map<std::string_view, double>& default_mix)
      : keys_(options.keys),
        random_(options.random),
        mix_(default_mix, options.mix),
        last_seen_(options.keys) {
    SUNDER_ASSERT(keys_ > 0);
  }

  std::optional<Invocation> next(std::int64_t /*process*/, ValuePool& pool) override {
    const auto key = static_cast<std::size_t>(random_.below(keys_));
    std::string function = mix_.draw(random_);
    if (function == "create" && created_ < kCreated_max) {
      return Invocation{"write", name_of_created(created_++), Value::integer(++last_value_)};
    }
    if (function == "create") function = "write";
    // Nothing was seen here yet: a cas would have nothing to expect.
    if (function == "cas" && last_seen_[key].is_none()) function = "write";
    if (function == "read") return Invocation{function, name_of_key(key), Value()};
    const Value fresh = Value::integer(++last_value_);
    if (function == "write") return Invocation{function, name_of_key(key), fresh};
    const std::array change{last_seen_[key], fresh};
    return Invocation{function, name_of_key(key), pool.list(change)};
  }

  boost::asio::awaitable<Completion> invoke(Client& client,
                                            Invocation invocation,
                                            ValuePool& pool) override {
    std::vector<std::string> command = command_of(invocation, pool);
    const Reply reply = co_await client.call(std::move(command));
    Completion completion = completion_of(invocation, reply, pool);
    learn(invocation, completion, pool);
    co_return completion;
  }

  std::optional<Invocation> final_read(std::int64_t /*process*/, ValuePool& /*pool*/) override {
    // A sample, spread over the run, with the last one in it.
    const std::uint64_t created = std::min(created_, kCreated_read_max);
    const std::uint64_t all = keys_ + created;
    if (final_reads_ >= all * kFinal_rounds) return std::nullopt;
    const std::uint64_t place = final_reads_++ % all;
    if (place < keys_) return Invocation{"read", name_of_key(place), Value()};
    const std::uint64_t number = (place - keys_ + 1) * created_ / created - 1;
    return Invocation{"read", name_of_created(number), Value()};
  }

 private:
  static std::string name_of_key(std::size_t key) { return fmt::format("k{}", key); }

  static std::string name_of_created(std::uint64_t number) { return fmt::format("once{}", number); }

  static std::vector<std::string> command_of(const Invocation& invocation, const ValuePool& pool) {
    if (invocation.function == "read") return {"GET", invocation.key};
    if (invocation.function == "write")
      return {"SET", invocation.key, wire_text(invocation.input, pool)};
    const auto change = pool.items_of(invocation.input);
    return {"CAS", invocation.key, wire_text(change[0], pool), wire_text(change[1], pool)};
  }

  static Completion completion_of(const Invocation& invocation,
                                  const Reply& reply,
                                  ValuePool& pool) {
    Completion completion;
    completion.outcome = reply.outcome;
    completion.error = reply.error;
    completion.node = reply.node;
    if (reply.outcome == Outcome::fail) {
      const auto mismatch = wire::parse_cas_mismatch(reply.error);
      if (!mismatch || invocation.function != "cas") return completion;
      completion.error = "cas-mismatch";
      if (mismatch->told) {
        completion.output = mismatch->actual ? value_of(*mismatch->actual, pool) : Value::nil();
      }
      return completion;
    }
    if (reply.outcome != Outcome::ok) return completion;
    if (invocation.function == "read") return read_completion(reply, std::move(completion), pool);
    const bool confirmed = reply.value.kind == wire::RespKind::simple;
    return confirmed ? completion : nonsense(reply, std::move(completion));
  }

  static Completion read_completion(const Reply& reply, Completion completion, ValuePool& pool) {
    if (reply.value.kind == wire::RespKind::null) {
      completion.output = Value::nil();
    } else if (reply.value.kind == wire::RespKind::bulk) {
      completion.output = value_of(reply.value.text, pool);
    } else {
      return nonsense(reply, std::move(completion));
    }
    return completion;
  }

  // A reply of the wrong kind tells nothing about what happened.
  static Completion nonsense(const Reply& reply, Completion completion) {
    completion.outcome = Outcome::info;
    completion.error =
        fmt::format("unexpected reply of kind {}", static_cast<int>(reply.value.kind));
    return completion;
  }

  // Remembers the newest value seen at the key, for the next cas.
  void learn(const Invocation& invocation, const Completion& completion, const ValuePool& pool) {
    if (invocation.key.front() != 'k') return;
    Value seen = completion.output;
    if (completion.outcome == Outcome::ok && invocation.function == "write")
      seen = invocation.input;
    if (completion.outcome == Outcome::ok && invocation.function == "cas") {
      seen = pool.items_of(invocation.input)[1];
    }
    if (completion.outcome == Outcome::info || seen.is_none()) return;
    std::size_t key = 0;
    const char* const first = invocation.key.data() + 1;
    const auto [end, error] =
        std::from_chars(first, invocation.key.data() + invocation.key.size(), key);
    SUNDER_ASSERT(error == std::errc{} && key < keys_);
    last_seen_[key] = seen;
  }

  std::size_t keys_;
  base::Random random_;
  Mix mix_;
  std::vector<Value> last_seen_;  // by key; none: nothing yet
  std::int64_t last_value_ = 0;
  std::uint64_t created_ = 0;
  std::uint64_t final_reads_ = 0;
};

const std::map<std::string_view, double>& default_mix() {
  static const std::map<std::string_view, double> mix{
      {"cas", 0.2}, {"create", 0}, {"read", 0.4}, {"write", 0.4}};
  return mix;
}

std::unique_ptr<Workload> make_register(const WorkloadOptions& options) {
  return std::make_unique<Register>(options, default_mix());
}

}  // namespace

WorkloadInfo register_info();

WorkloadInfo register_info() {
  return {.name = "register",
          .summary = "Reads, writes and compare-and-set of unique values over many keys.",
          .model = "cas-register",
          .default_mix = default_mix(),
          .make = make_register};
}

}  // namespace sunder::workloads
