// A history takes at most three times what its operations take by themselves, whatever form it was
// read from: own_size() of history_texts.hpp says how that is counted.

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/history/text.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/history_texts.hpp"
#include "tests/histories/support/list_generator.hpp"
#include "tests/histories/support/transaction_generator.hpp"

namespace sunder::history {
namespace {

constexpr std::int64_t kOperations = 20'000;

void expect_small(const std::string& text, std::string_view name) {
  const auto read = read_history(text, name);
  ASSERT_TRUE(read.has_value()) << read.error().message();
  const auto own = static_cast<double>(test::own_size(read->history));
  const double times = static_cast<double>(read->history.memory()) / own;
  EXPECT_LE(times, 3.0) << name;
  EXPECT_GE(times, 0.5) << name << ": what is held is not counted";
}

void expect_both_small(const std::string& jsonl, const std::string& name) {
  expect_small(jsonl, name + " jsonl");
  expect_small(test::to_edn(jsonl), name + " edn");
}

TEST(Memory, OfRegisters) {
  test::RegisterOptions options;
  options.operations = static_cast<std::uint64_t>(kOperations);
  options.keys = 64;
  expect_both_small(to_jsonl(test::register_history(options)), "registers");
}

TEST(Memory, OfReadWriteTransactions) {
  test::TransactionOptions options;
  options.transactions = static_cast<std::uint64_t>(kOperations);
  options.keys = 1000;
  options.timed = true;
  options.asks = true;
  expect_both_small(to_jsonl(test::transaction_history(options)), "transactions");
  expect_small(test::plume_text(kOperations), "plume");
}

// Nothing of an answer is what was asked, and no key comes again.
TEST(Memory, OfTransactionsThatOnlyRead) {
  for (const std::int64_t reads : {1, 8, 200}) {
    std::string text;
    std::int64_t key = 0;
    for (std::int64_t i = 0; i < kOperations / reads; ++i) {
      std::string asked;
      std::string found;
      for (std::int64_t k = 0; k < reads; ++k, ++key) {
        asked += fmt::format(R"({}["r",{},null])", k == 0 ? "" : ",", key);
        found += fmt::format(R"({}["r",{},{}])", k == 0 ? "" : ",", key, 7 * key);
      }
      const auto event = [&](std::string_view type, std::string_view value) {
        text += fmt::format(R"({{"process":0,"type":"{}","f":"txn","value":[{}]}})", type, value);
        text += '\n';
      };
      event("invoke", asked);
      event("ok", found);
    }
    expect_both_small(text, fmt::format("transactions of {} reads", reads));
  }
}

TEST(Memory, OfListAppend) {
  test::ListOptions options;
  options.attempts = static_cast<std::uint64_t>(kOperations);
  expect_both_small(to_jsonl(test::list_history(options)), "list-append");
}

// A set that grows, read as a whole now and then.
TEST(Memory, OfReadsOfASet) {
  std::string text;
  std::string all;
  for (std::int64_t i = 0; i < kOperations; ++i) {
    const bool reads = i % 50 == 49;
    const std::string_view function = reads ? "read" : "add";
    if (!reads) all += fmt::format("{}{}", all.empty() ? "" : ",", i);
    const std::string value = reads ? fmt::format("[{}]", all) : fmt::format("{}", i);
    text += fmt::format(R"({{"process":0,"type":"invoke","f":"{}","value":{}}})"
                        "\n",
                        function,
                        reads ? "null" : value);
    text += fmt::format(R"({{"process":0,"type":"ok","f":"{}","value":{}}})"
                        "\n",
                        function,
                        value);
    if (i % 2000 == 0) all.clear();
  }
  expect_both_small(text, "sets");
}

}  // namespace
}  // namespace sunder::history
