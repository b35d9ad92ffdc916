// The general search: each of its strategies against brute force and against the closed forms, any
// overlap, budgets, and models that only a user of the library has.
//
// Every case is a function of its seed; a failure prints it with the smallest part of its history
// that fails, too. SUNDER_CASES sets the number of cases per test (10,000 by default).

#include "checkers/search.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "checkers/linearizability.hpp"
#include "tests/histories/support/brute_force.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/random_histories.hpp"
#include "tests/histories/support/searched_generator.hpp"

namespace sunder::checkers {
namespace {

using history::Function;
using history::Operation;
using history::Outcome;
using history::Value;
using test::SearchedKind;
using test::SearchedOptions;

// All-unknown histories have nothing to contradict: brute force calls them linearizable.
Verdict settled(Verdict verdict) {
  const bool nothing = verdict.summary.starts_with("nothing observed");
  if (verdict.kind == VerdictKind::undetermined && nothing) verdict.kind = VerdictKind::kept;
  return verdict;
}

Verdict searched(const history::History& history,
                 std::string_view model,
                 SearchStrategy strategy = SearchStrategy::automatic) {
  CheckOptions options;
  options.threads = 1;
  const Routes routes{.closed_form = false, .strategy = strategy};
  return settled(check_linearizability(history, *find_search_model(model), options, {}, routes));
}

struct Row {
  std::string_view name;
  std::string_view model;
  SearchedOptions store;
};

constexpr Row kRows[] = {
    {.name = "Texts",
     .model = "kv-append",
     .store = {.kind = SearchedKind::texts, .clients = 3, .unknown_per_mille = 100, .wrong = 1}},
    {.name = "Compares",
     .model = "cas-register",
     .store = {.kind = SearchedKind::compares,
               .clients = 4,
               .values = 2,
               .unknown_per_mille = 150,
               .wrong = 2}},
    {.name = "ComparesOfUniqueValues",
     .model = "cas-register",
     .store = {.kind = SearchedKind::compares,
               .clients = 3,
               .values = 0,
               .unknown_per_mille = 100,
               .wrong = 1}},
    {.name = "Transactions",
     .model = "multi-register",
     .store = {.kind = SearchedKind::transactions,
               .clients = 4,
               .keys = 2,
               .values = 2,
               .unknown_per_mille = 150,
               .wrong = 2}},
    {.name = "TransactionsFromZero",
     .model = "multi-register",
     .store = {.kind = SearchedKind::transactions,
               .clients = 4,
               .keys = 2,
               .values = 3,
               .least = 0,
               .unknown_per_mille = 150,
               .wrong = 2}},
    {.name = "TransactionsOfUniqueValues",
     .model = "multi-register",
     .store = {.kind = SearchedKind::transactions,
               .clients = 3,
               .keys = 3,
               .values = 0,
               .unknown_per_mille = 100,
               .wrong = 1}},
};

class Search : public testing::TestWithParam<Row> {};

// Every strategy must say the same, which is what is expected if that is known. Nothing: it does.
std::string disagreement(const history::History& history,
                         std::string_view model,
                         std::optional<VerdictKind> expected) {
  for (const auto& [strategy, name] : {std::pair(SearchStrategy::depth_first, "depth first: "),
                                       std::pair(SearchStrategy::frontier, "frontier: "),
                                       std::pair(SearchStrategy::automatic, "automatic: ")}) {
    const VerdictKind got = searched(history, model, strategy).kind;
    if (!expected) expected = got;
    if (got != *expected) return test::disagreement(name_of(*expected), name_of(got), name);
  }
  return {};
}

// Both strategies must say what brute force says; both answers must occur often. The mutations
// (SearchedOptions::wrong) are results that were flipped in a valid history.
TEST_P(Search, AgreesWithBruteForce) {
  const std::uint64_t cases = test::case_count();
  std::uint64_t kept = 0;
  const auto make = [](std::uint64_t seed) {
    SearchedOptions small = GetParam().store;
    small.seed = seed;
    small.operations = 3 + seed % 6;
    small.half_service_mean = 1 + seed % 4;
    if (seed % 4 == 0) small.wrong = 0;
    return test::searched_history(small);
  };
  const auto judge = [&](const test::RandomHistory& random) -> std::string {
    const bool holds = test::brute_force_linearizable(random.history, GetParam().model);
    kept += holds ? 1U : 0U;
    if (random.whole && random.seed % 4 == 0 && !holds) return "a store without bug is broken";
    const VerdictKind expected = holds ? VerdictKind::kept : VerdictKind::broken;
    return disagreement(random.history, GetParam().model, expected);
  };
  if (!test::check_histories(cases, make, judge)) return;
  EXPECT_GT(kept, cases / 10);
  EXPECT_LT(kept, cases - cases / 10);
}

// Longer histories than brute force can judge: the strategies must agree, and call the unchanged
// ones valid.
TEST_P(Search, AgreesWithItselfOnLongHistories) {
  const auto make = [](std::uint64_t seed) {
    SearchedOptions large = GetParam().store;
    large.seed = seed;
    large.operations = 80;
    large.unknown_per_mille /= 4;
    if (seed % 2 == 0) large.wrong = 0;
    return test::searched_history(large);
  };
  const auto judge = [](const test::RandomHistory& random) {
    const bool valid = random.whole && random.seed % 2 == 0;
    const auto expected = valid ? std::optional(VerdictKind::kept) : std::nullopt;
    return disagreement(random.history, GetParam().model, expected);
  };
  (void)test::check_histories(test::case_count() / 100, make, judge);
}

std::string row_name(const testing::TestParamInfo<Row>& info) {
  return std::string(info.param.name);
}

INSTANTIATE_TEST_SUITE_P(Each, Search, testing::ValuesIn(kRows), row_name);

// Transactions of one step each are reads and writes of registers that know nothing of each other.
history::History as_registers(const history::History& transactions) {
  history::HistoryBuilder builder;
  const auto copy = [&](Value value) {
    return value.is_text() ? builder.pool().text(transactions.pool().text_of(value)) : value;
  };
  for (Operation operation : transactions.operations()) {
    const bool told = operation.output.is_list();
    const auto steps = transactions.pool().items_of(told ? operation.output : operation.input);
    const auto items = transactions.pool().items_of(steps[0]);
    const bool reads = transactions.pool().text_of(items[0]) == "r";
    operation.function = reads ? Function::read : Function::write;
    operation.key = builder.pool().symbol(std::to_string(items[1].raw()));
    operation.input = reads ? Value() : copy(items[2]);
    operation.output = reads && told ? copy(items[2]) : Value();
    builder.add(operation);
  }
  return builder.finish();
}

TEST(SearchRoutes, MultiRegisterOfSingleStepsIsAsManyRegisters) {
  const std::uint64_t cases = test::case_count() / 50;
  std::uint64_t kept = 0;
  const auto make = [](std::uint64_t seed) {
    return test::searched_history({.kind = SearchedKind::transactions,
                                   .seed = seed,
                                   .operations = 60,
                                   .clients = 4,
                                   .keys = 3,
                                   .values = 0,
                                   .unknown_per_mille = 20,
                                   .steps_max = 1,
                                   .wrong = seed % 3});
  };
  const auto judge = [&](const test::RandomHistory& random) {
    const VerdictKind together = searched(random.history, "multi-register").kind;
    const ModelRow& model = *find_search_model("register");
    const Verdict apart =
        settled(check_linearizability(as_registers(random.history), model, {}, {}));
    kept += together == VerdictKind::kept ? 1U : 0U;
    return test::disagreement(name_of(apart.kind), name_of(together));
  };
  if (!test::check_histories(cases, make, judge)) return;
  EXPECT_GT(kept, cases / 10);
  EXPECT_LT(kept, cases - cases / 10);
}

TEST(SearchRoutes, TakesAnyNumberOfOverlappingOperations) {
  constexpr std::int64_t kReaders = 700;
  for (const bool valid : {true, false}) {
    history::HistoryBuilder builder;
    const auto add = [&](std::int64_t process, Function function, std::int64_t value) {
      Operation operation;
      operation.process = process;
      operation.function = function;
      const Value number = value == 0 ? Value::nil() : Value::integer(value);
      (function == Function::read ? operation.output : operation.input) = number;
      operation.outcome = Outcome::ok;
      operation.invoke = process;
      operation.complete = 10'000 + process;
      builder.add(operation);
    };
    add(0, Function::write, 1);
    add(1, Function::write, 2);
    for (std::int64_t i = 2; i < kReaders; ++i) add(i, Function::read, i % 3);
    if (!valid) add(kReaders, Function::read, 3);
    const history::History history = builder.finish();
    EXPECT_EQ(name_of(searched(history, "register").kind),
              name_of(valid ? VerdictKind::kept : VerdictKind::broken));
  }
}

// Additions of 1 that nobody tells apart: without their order by ends, 2^300 orders.
TEST(SearchRoutes, TakesEqualOperationsInTheOrderOfTheirEnds) {
  constexpr std::int64_t kAdders = 300;
  for (const std::int64_t seen : {kAdders, kAdders + 1}) {
    history::HistoryBuilder builder;
    Operation operation;
    operation.outcome = Outcome::ok;
    operation.function = Function::add;
    operation.input = Value::integer(1);
    for (std::int64_t i = 0; i < kAdders; ++i) {
      operation.process = i;
      operation.invoke = i;
      operation.complete = 2 * kAdders + (i * 7) % kAdders;
      builder.add(operation);
    }
    operation.function = Function::read;
    operation.input = Value();
    operation.output = Value::integer(seen);
    operation.process = kAdders;
    operation.invoke = kAdders + 1;
    operation.complete = 2 * kAdders - 1;
    builder.add(operation);
    EXPECT_EQ(name_of(searched(builder.finish(), "counter").kind),
              name_of(seen == kAdders ? VerdictKind::kept : VerdictKind::broken));
  }
}

TEST(SearchBudgets, AreSpentHonestly) {
  // Unique writes of 32 clients on one key, without the closed form: far beyond any search.
  test::RegisterOptions hard;
  hard.operations = 2000;
  hard.violation = true;
  const history::History history = test::register_history(hard);
  CheckOptions options;
  options.memory_budget = std::size_t{2} << 20U;
  options.time_budget = std::chrono::minutes(10);  // never the first to be used up
  const Verdict verdict = check_linearizability(
      history, *find_search_model("register"), options, {}, {.closed_form = false});
  EXPECT_EQ(verdict.kind, VerdictKind::undetermined);
  EXPECT_NE(verdict.summary.find("memory budget was used up after"), std::string::npos)
      << verdict.summary;
  EXPECT_NE(verdict.summary.find("returns explained"), std::string::npos) << verdict.summary;
}

// A hard key must not keep an easy violation on another from being found.
TEST(SearchBudgets, AreNotSpentOnOneKeyAlone) {
  test::RegisterOptions hard;
  hard.operations = 1000;
  hard.violation = true;
  const history::History source = test::register_history(hard);
  history::HistoryBuilder builder;
  for (Operation operation : source.operations()) {
    operation.key = builder.pool().symbol("hard");
    builder.add(operation);
  }
  Operation read;
  read.process = 1'000'000;
  read.key = builder.pool().symbol("easy");
  read.function = Function::read;
  read.output = Value::integer(7);
  read.outcome = Outcome::ok;
  read.invoke = 1;
  read.complete = 2;
  builder.add(read);
  CheckOptions options;
  options.threads = 1;
  const Verdict verdict = check_linearizability(
      builder.finish(), *find_search_model("register"), options, {}, {.closed_form = false});
  EXPECT_EQ(verdict.kind, VerdictKind::broken) << verdict.summary;
  ASSERT_FALSE(verdict.counterexamples.empty());
  EXPECT_EQ(verdict.counterexamples.front().key, "easy");
}

// A model as a user of the library writes it: a register that only grows. `write` offers a value,
// `read` gives the greatest one offered.
class Maximum final : public Model {
 public:
  State initial() override { return 0; }

  std::optional<Call> encode(const Operation& operation) override {
    const bool reads = operation.function == Function::read;
    if (operation.outcome == Outcome::fail) return std::nullopt;
    if (reads && operation.outcome != Outcome::ok) return std::nullopt;
    const Value value = reads ? operation.output : operation.input;
    return Call{reads ? 0U : 1U, static_cast<std::uint32_t>(value.raw()), 0};
  }

  State step(State state, Call call) override {
    if (call.kind == 1) return std::max(state, State{call.first});
    return state == call.first ? state : kNoState;
  }

  bool observes(Call call) const noexcept override { return call.kind == 0; }

  bool is_idempotent(Call) const noexcept override { return true; }

  std::string describe(State state) const override { return std::to_string(state); }

  std::size_t memory() const noexcept override { return 0; }
};

const ModelRow kMaximum{
    .name = "maximum",
    .summary = "The greatest value offered.",
    .knows =
        [](Function function) { return function == Function::read || function == Function::write; },
    .make = [](const history::ValuePool&, const Parameters&) -> std::unique_ptr<Model> {
      return std::make_unique<Maximum>();
    }};

TEST(SearchModels, MayBeAUsersOwn) {
  for (const std::int64_t seen : {5, 3}) {
    history::HistoryBuilder builder;
    const auto add = [&](Function function, std::int64_t value, std::int64_t begin) {
      Operation operation;
      operation.process = begin;
      operation.function = function;
      (function == Function::read ? operation.output : operation.input) = Value::integer(value);
      operation.outcome = Outcome::ok;
      operation.invoke = begin;
      operation.complete = begin + 1;
      builder.add(operation);
    };
    add(Function::write, 5, 0);
    add(Function::write, 3, 2);
    add(Function::read, seen, 4);
    const Verdict verdict = check_linearizability(builder.finish(), kMaximum, {}, {});
    EXPECT_EQ(name_of(verdict.kind), name_of(seen == 5 ? VerdictKind::kept : VerdictKind::broken));
  }
}

// A model that looks ahead, with its eyes shut.
class Blind final : public Model {
 public:
  explicit Blind(std::unique_ptr<Model> model) : model_(std::move(model)) {}

  State initial() override { return model_->initial(); }

  std::optional<Call> encode(const Operation& operation) override {
    return model_->encode(operation);
  }

  State step(State state, Call call) override { return model_->step(state, call); }

  bool observes(Call call) const noexcept override { return model_->observes(call); }

  bool is_idempotent(Call call) const noexcept override { return model_->is_idempotent(call); }

  void simplify(std::vector<SearchOperation>& operations) override { model_->simplify(operations); }

  std::string describe(State state) const override { return model_->describe(state); }

  std::size_t memory() const noexcept override { return model_->memory(); }

 private:
  std::unique_ptr<Model> model_;
};

// Looking ahead finds out earlier that all is lost, yet it must name the same return, and the same
// states before it, as a search that walks up to it.
TEST_P(Search, NamesTheSameReturnWithAndWithoutLookingAhead) {
  const ModelRow* seeing = find_search_model(GetParam().model);
  static const ModelRow* shut = nullptr;
  shut = seeing;
  ModelRow blind = *seeing;
  blind.make = [](const history::ValuePool& pool, const Parameters& parameters) {
    return std::unique_ptr<Model>(std::make_unique<Blind>(shut->make(pool, parameters)));
  };
  const std::uint64_t cases = test::case_count() / 10;
  std::uint64_t broken = 0;
  CheckOptions options;
  options.threads = 1;
  const Routes routes{.closed_form = false};
  const auto make = [](std::uint64_t seed) {
    SearchedOptions store = GetParam().store;
    store.seed = seed;
    store.operations = 6 + seed % 10;
    store.half_service_mean = 20;
    store.unknown_per_mille /= 4;
    return test::searched_history(store);
  };
  const auto judge = [&](const test::RandomHistory& random) -> std::string {
    const Verdict one = check_linearizability(random.history, *seeing, options, {}, routes);
    const Verdict other = check_linearizability(random.history, blind, options, {}, routes);
    if (one.kind != other.kind) return test::disagreement(name_of(other.kind), name_of(one.kind));
    if (one.kind != VerdictKind::broken) return {};
    ++broken;
    const auto return_of = [](const Verdict& verdict) {
      return fmt::format("{} ({})", verdict.summary, verdict.counterexamples.front().first_error);
    };
    return test::disagreement(return_of(other), return_of(one));
  };
  if (!test::check_histories(cases, make, judge)) return;
  EXPECT_GT(broken, cases / 10);
}

TEST(SearchModels, DoNotJudgeTransactionsThatTheyDoNotKnow) {
  history::HistoryBuilder builder;
  Operation operation;
  operation.function = Function::txn;
  operation.outcome = Outcome::ok;
  operation.complete = 1;
  const Value step = builder.pool().list(
      {builder.pool().text("append"), builder.pool().text("x"), Value::integer(1)});
  operation.input = operation.output = builder.pool().list({step});
  builder.add(operation);
  const Verdict verdict = searched(builder.finish(), "multi-register");
  EXPECT_EQ(verdict.kind, VerdictKind::undetermined);
  EXPECT_NE(verdict.summary.find("does not know"), std::string::npos) << verdict.summary;
}

}  // namespace
}  // namespace sunder::checkers
