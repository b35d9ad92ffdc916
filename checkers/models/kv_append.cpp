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

// Stands for every text that cannot grow into one that was read: which one it is cannot matter.
constexpr State kUnread = 1;

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
  explicit KvAppend(const history::ValuePool& pool) : pool_(&pool) {
    (void)text_state("");
    texts_.emplace_back();  // kUnread
  }

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
    if (state == kUnread && call.kind == kAppend) return state;
    const State next = call.kind == kPut ? call.first : appended(state, call);
    if (!merge_ || readings_.empty()) return next;
    const Span left =
        call.kind == kPut ? span_of(next) : narrowed(span_of(state), state, call, next);
    return left.begin == left.end ? kUnread : next;
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

  // A condition is that the text can still grow into one that was read: the state is a prefix of
  // it. Where it is not, only a put of a prefix helps.
  Conditions conditions(std::span<const Call> calls) override {
    readings_.clear();
    for (const Call call : calls) {
      if (call.kind == kGet) readings_.push_back(call.first);
    }
    std::ranges::sort(readings_, {}, [&](State state) { return content_view(state); });
    spans_.clear();
    Conditions all;
    all.count = static_cast<std::uint32_t>(readings_.size());
    const std::size_t affordable = 32 * (calls.size() + 1);
    for (std::uint32_t i = 0; i < calls.size(); ++i) {
      if (calls[i].kind == kAppend) continue;
      const Span span = span_of(calls[i].first);
      if (calls[i].kind == kGet) {
        all.needed.push_back({i, span.begin});  // itself comes before what it is a prefix of
        continue;
      }
      for (std::uint32_t at = span.begin; at < span.end; ++at) all.brought.push_back({i, at});
      if (all.brought.size() > affordable) return {};
    }
    return all;
  }

  void end_conditions(State before,
                      Call call,
                      State after,
                      std::vector<Condition>& ended) override {
    constexpr std::uint32_t kNamed = 32;
    if (before == after) return;
    const Span old = span_of(before);
    if (old.begin == old.end) return;
    const Span now = call.kind == kAppend ? narrowed(old, before, call, after) : span_of(after);
    for (std::uint32_t at = old.begin; at < old.end && at < old.begin + kNamed; ++at) {
      if (at < now.begin || at >= now.end) ended.push_back(at);
    }
    const std::uint32_t tail = old.end - std::min(kNamed, old.end - old.begin);
    for (std::uint32_t at = std::max({tail, now.end, old.begin + kNamed}); at < old.end; ++at) {
      ended.push_back(at);
    }
  }

  void merge_states(bool merge) override { merge_ = merge; }

  std::string describe(State state) const override {
    if (state == kUnread) return "a text that nobody read";
    constexpr std::size_t kShown = 60;
    std::string text = content_of(state);
    if (text.size() > kShown) text = "…" + text.substr(text.size() - kShown);
    return '"' + text + '"';
  }

  std::size_t memory() const noexcept override {
    return texts_.capacity() * sizeof(Text) + (digests_.size() + appended_.size()) * 96 +
           spans_.capacity() * sizeof(spans_[0]);
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

  State appended(State state, Call call) {
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

  [[nodiscard]] std::string_view content_view(State state) const { return texts_[state].content; }

  // Readings that a state is a prefix of: they stand together where they are sorted.
  struct Span {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };

  Span span_of(State state) {
    if (state == kUnread) return {};
    if (state >= spans_.size()) spans_.resize(texts_.size());
    if (!spans_[state]) {
      const auto size = static_cast<std::uint32_t>(readings_.size());
      spans_[state] = part_of({0, size}, 0, content_of(state));
    }
    return *spans_[state];
  }

  // What an append leaves of them.
  Span narrowed(Span old, State before, Call call, State after) {
    if (after >= spans_.size()) spans_.resize(texts_.size());
    if (!spans_[after]) {
      spans_[after] = part_of(old, texts_[before].digest.length, content_view(call.first));
    }
    return *spans_[after];
  }

  // Those of the span that have the piece there.
  [[nodiscard]] Span part_of(Span span, std::size_t offset, std::string_view piece) const {
    const auto at = [&](State state) {
      const std::string_view text = content_view(state);
      return text.substr(std::min(offset, text.size()), piece.size());
    };
    const auto all = std::span(readings_).subspan(span.begin, span.end - span.begin);
    const auto found = std::ranges::equal_range(all, piece, {}, at);
    const auto begin = span.begin + static_cast<std::uint32_t>(found.begin() - all.begin());
    return {begin, begin + static_cast<std::uint32_t>(found.size())};
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
  std::vector<State> readings_;             // what was read, in order of the texts
  std::vector<std::optional<Span>> spans_;  // by state
  bool merge_ = true;
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
