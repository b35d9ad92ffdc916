// A text per key, empty at first: get, put, append (porcupine's key-value store).

#include <algorithm>
#include <array>
#include <map>

#include "checkers/models/model.hpp"

namespace sunder::checkers {
namespace {

using history::Function;
using history::Operation;
using history::Outcome;

enum Kind : std::uint32_t { kGet, kPut, kAppend };

__extension__ using Wide = unsigned __int128;

constexpr std::uint64_t kPrime = (std::uint64_t{1} << 61U) - 1;
constexpr std::array<std::uint64_t, 2> kBases{0x0d4c57a2b8f1e6c3ULL, 0x1a7f3e5d9b2c8461ULL};

constexpr std::uint64_t multiply(std::uint64_t a, std::uint64_t b) noexcept {
  return static_cast<std::uint64_t>(static_cast<Wide>(a) * b % kPrime);
}

// A text known by its length and two polynomial hashes modulo 2^61 − 1, which concatenate in
// constant time: histories of appends would otherwise hold every prefix. Two texts of a history
// meet by chance with probability about 2^-100.
struct Digest {
  std::uint64_t length = 0;
  std::array<std::uint64_t, 2> hash{};
  std::array<std::uint64_t, 2> power{1, 1};  // base^length
  friend constexpr auto operator<=>(const Digest&, const Digest&) noexcept = default;
};

Digest digest_of(std::string_view text) noexcept {
  Digest digest;
  digest.length = text.size();
  for (std::size_t i = 0; i < kBases.size(); ++i) {
    for (const char character : text) {
      const std::uint64_t next = static_cast<unsigned char>(character) + std::uint64_t{1};
      digest.hash.at(i) = (multiply(digest.hash.at(i), kBases.at(i)) + next) % kPrime;
      digest.power.at(i) = multiply(digest.power.at(i), kBases.at(i));
    }
  }
  return digest;
}

Digest concatenation(const Digest& front, const Digest& back) noexcept {
  Digest digest;
  digest.length = front.length + back.length;
  for (std::size_t i = 0; i < kBases.size(); ++i) {
    digest.hash.at(i) = (multiply(front.hash.at(i), back.power.at(i)) + back.hash.at(i)) % kPrime;
    digest.power.at(i) = multiply(front.power.at(i), back.power.at(i));
  }
  return digest;
}

class KvAppend final : public Model {
 public:
  explicit KvAppend(const history::ValuePool& pool) : pool_(&pool) { (void)text_state(""); }

  State initial() override { return 0; }

  std::optional<Call> encode(const Operation& operation) override {
    const bool failed = operation.outcome == Outcome::fail;
    switch (operation.function) {
      case Function::read:
        if (operation.outcome != Outcome::ok || operation.output.is_none()) return std::nullopt;
        return Call{kGet, text_state(text_of(operation.output)), 0};
      case Function::write:
        if (failed) return std::nullopt;
        return Call{kPut, text_state(text_of(operation.input)), 0};
      case Function::append:
        if (failed) return std::nullopt;
        return Call{kAppend, text_state(text_of(operation.input)), 0};
      default:
        return std::nullopt;
    }
  }

  State step(State state, Call call) override {
    if (call.kind == kGet) return state == call.first ? state : kNoState;
    if (call.kind == kPut) return call.first;
    const auto key = std::pair(state, call.first);
    if (const auto found = appended_.find(key); found != appended_.end()) return found->second;
    const State next = intern(concatenation(texts_[state].digest, texts_[call.first].digest));
    if (next + 1 == texts_.size() && texts_[next].content.empty()) {
      texts_[next].front = state;
      texts_[next].back = call.first;
    }
    appended_.emplace(key, next);
    return next;
  }

  bool observes(Call call) const noexcept override { return call.kind == kGet; }

  bool is_idempotent(Call call) const noexcept override { return call.kind != kAppend; }

  // An optional put or append whose text is in nothing that was read was never seen, and need not
  // have happened.
  void simplify(std::vector<SearchOperation>& operations) override {
    std::erase_if(operations, [&](const SearchOperation& candidate) {
      if (!candidate.optional) return false;
      const std::string& text = texts_[candidate.call.first].content;
      return !text.empty() &&
             std::ranges::none_of(operations, [&](const SearchOperation& operation) {
               return operation.call.kind == kGet &&
                      texts_[operation.call.first].content.find(text) != std::string::npos;
             });
    });
  }

  std::string describe(State state) const override {
    constexpr std::size_t kShown = 60;
    std::string text = content_of(state);
    if (text.size() > kShown) text = "…" + text.substr(text.size() - kShown);
    return '"' + text + '"';
  }

  std::size_t memory() const noexcept override {
    return texts_.capacity() * sizeof(Text) + (digests_.size() + appended_.size()) * 96;
  }

 private:
  struct Text {
    Digest digest;
    std::string content;  // only of texts that an operation names
    State front = 0;      // otherwise it is front + back
    State back = 0;
  };

  std::string text_of(history::Value value) const {
    if (value.is_text()) return std::string(pool_->text_of(value));
    if (value.is_nil() || value.is_none()) return {};
    return pool_->describe(value);
  }

  State intern(const Digest& digest) {
    const auto [found, added] = digests_.try_emplace(digest, static_cast<State>(texts_.size()));
    if (added) texts_.push_back({digest, {}, 0, 0});
    return found->second;
  }

  State text_state(const std::string& text) {
    const State state = intern(digest_of(text));
    texts_[state].content = text;
    return state;
  }

  std::string content_of(State state) const {
    std::string text;
    while (texts_[state].content.empty() && texts_[state].digest.length > 0) {
      text.insert(0, texts_[texts_[state].back].content);
      state = texts_[state].front;
    }
    return texts_[state].content + text;
  }

  const history::ValuePool* pool_;
  std::vector<Text> texts_;  // by state
  std::map<Digest, State> digests_;
  std::map<std::pair<State, State>, State> appended_;
};

bool knows(Function function) {
  return function == Function::read || function == Function::write || function == Function::append;
}

std::unique_ptr<Model> make_kv_append(const history::ValuePool& pool, const Parameters& /*none*/) {
  return std::make_unique<KvAppend>(pool);
}

}  // namespace

ModelRow kv_append_row() {
  return {.name = "kv-append",
          .summary = "A text per key, empty at first: get, put, append.",
          .knows = knows,
          .make = make_kv_append,
          .strength = 0};
}

}  // namespace sunder::checkers
