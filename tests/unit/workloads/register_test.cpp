// The register workload: what it asks for, how replies become outcomes, what it remembers for its
// cas.

#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/workloads/workload_fixture.hpp"
#include "workloads/workload.hpp"

namespace sunder::workloads {
namespace {

using history::Outcome;
using history::Value;
using history::ValuePool;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RegisterWorkload : public WorkloadFixture {
 protected:
  std::unique_ptr<Workload> make(std::size_t keys,
                                 std::map<std::string, double> mix,
                                 std::uint64_t seed = 1) {
    WorkloadOptions options;
    options.keys = keys;
    options.mix = std::move(mix);
    options.random = base::Random(seed);
    const WorkloadInfo* const info = find_workload("register");
    return info->make(options);
  }
};

TEST_F(RegisterWorkload, WritesUniqueValuesAndReachesEveryKey) {
  const auto workload = make(8, {{"write", 1}});
  std::set<std::int64_t> values;
  std::set<std::string> keys;
  for (int i = 0; i < 500; ++i) {
    const auto invocation = workload->next(i % 4, pool);
    ASSERT_TRUE(invocation.has_value());
    EXPECT_EQ(invocation->function, "write");
    EXPECT_TRUE(values.insert(invocation->input.raw()).second);
    keys.insert(invocation->key);
  }
  EXPECT_EQ(keys.size(), 8U);
  EXPECT_TRUE(keys.contains("k0") && keys.contains("k7"));
}

TEST_F(RegisterWorkload, SameSeedSameOperations) {
  const auto first = make(8, {}, 5);
  const auto second = make(8, {}, 5);
  for (int i = 0; i < 100; ++i) {
    const auto a = first->next(0, pool);
    const auto b = second->next(0, pool);
    EXPECT_EQ(a->function, b->function);
    EXPECT_EQ(a->key, b->key);
    EXPECT_EQ(a->input, b->input);
  }
}

TEST_F(RegisterWorkload, MixIsKept) {
  const auto workload = make(4, {{"read", 3}, {"write", 1}});
  std::map<std::string, int> counts;
  for (int i = 0; i < 4000; ++i) ++counts[workload->next(0, pool)->function];
  EXPECT_NEAR(counts["read"], 3000, 150);
  EXPECT_EQ(counts["cas"], 0);
}

TEST_F(RegisterWorkload, SpeaksTheCommandsOfTheNode) {
  const auto workload = make(1, {});
  (void)run(*workload, {"read", "k0", Value()}, ok(wire::RespValue::null()));
  EXPECT_THAT(client.last_command, ElementsAre("GET", "k0"));
  (void)run(*workload, {"write", "k0", Value::integer(7)}, ok(wire::RespValue::simple("OK")));
  EXPECT_THAT(client.last_command, ElementsAre("SET", "k0", "7"));
  const Value change = pool.list({Value::integer(7), Value::integer(8)});
  (void)run(*workload, {"cas", "k0", change}, ok(wire::RespValue::simple("OK")));
  EXPECT_THAT(client.last_command, ElementsAre("CAS", "k0", "7", "8"));
  const Value first = pool.list({Value::nil(), Value::integer(9)});
  (void)run(*workload, {"cas", "k0", first}, ok(wire::RespValue::simple("OK")));
  EXPECT_THAT(client.last_command, ElementsAre("CAS", "k0", "(nil)", "9"));
}

TEST_F(RegisterWorkload, ReadsBecomeValues) {
  const auto workload = make(1, {});
  const Completion absent = run(*workload, {"read", "k0", Value()}, ok(wire::RespValue::null()));
  EXPECT_EQ(absent.outcome, Outcome::ok);
  EXPECT_TRUE(absent.output.is_nil());
  const Completion present =
      run(*workload, {"read", "k0", Value()}, ok(wire::RespValue::bulk("42")));
  EXPECT_EQ(present.output, Value::integer(42));
  EXPECT_EQ(present.node, "n2");
  const Completion text = run(*workload, {"read", "k0", Value()}, ok(wire::RespValue::bulk("4x")));
  EXPECT_TRUE(text.output.is_text());
}

TEST_F(RegisterWorkload, ARefusedCasTellsTheActualValue) {
  const auto workload = make(1, {});
  const Value change = pool.list({Value::integer(1), Value::integer(2)});
  const Completion told = run(*workload, {"cas", "k0", change}, failed("CASMISMATCH 5"));
  EXPECT_EQ(told.outcome, Outcome::fail);
  EXPECT_EQ(told.error, "cas-mismatch");
  EXPECT_EQ(told.output, Value::integer(5));
  const Completion absent = run(*workload, {"cas", "k0", change}, failed("CASMISMATCH (nil)"));
  EXPECT_TRUE(absent.output.is_nil());
  const Completion silent = run(*workload, {"cas", "k0", change}, failed("CASMISMATCH"));
  EXPECT_EQ(silent.error, "cas-mismatch");
  EXPECT_TRUE(silent.output.is_none());
}

TEST_F(RegisterWorkload, OtherErrorsKeepTheirOutcomeAndText) {
  const auto workload = make(1, {});
  const Completion refused = run(*workload, {"write", "k0", Value::integer(1)}, failed("NOLEADER"));
  EXPECT_EQ(refused.outcome, Outcome::fail);
  EXPECT_EQ(refused.error, "NOLEADER");
  Reply unknown;
  unknown.error = "timeout";
  const Completion info = run(*workload, {"write", "k0", Value::integer(1)}, unknown);
  EXPECT_EQ(info.outcome, Outcome::info);
  EXPECT_EQ(info.error, "timeout");
}

TEST_F(RegisterWorkload, AReplyOfTheWrongKindIsUnknownNotOk) {
  const auto workload = make(1, {});
  EXPECT_EQ(
      run(*workload, {"write", "k0", Value::integer(1)}, ok(wire::RespValue::number(1))).outcome,
      Outcome::info);
  EXPECT_EQ(run(*workload, {"read", "k0", Value()}, ok(wire::RespValue::simple("OK"))).outcome,
            Outcome::info);
}

TEST_F(RegisterWorkload, CasExpectsWhatWasSeenLast) {
  const auto workload = make(1, {{"cas", 1}});
  EXPECT_EQ(workload->next(0, pool)->function, "write");  // nothing seen yet
  const auto expected = [&] {
    const auto invocation = workload->next(0, pool);
    EXPECT_EQ(invocation->function, "cas");
    return pool.items_of(invocation->input)[0];
  };
  (void)run(*workload, {"write", "k0", Value::integer(100)}, ok(wire::RespValue::simple("OK")));
  EXPECT_EQ(expected(), Value::integer(100));
  (void)run(*workload, {"read", "k0", Value()}, ok(wire::RespValue::bulk("101")));
  EXPECT_EQ(expected(), Value::integer(101));
  const Value change = pool.list({Value::integer(101), Value::integer(102)});
  (void)run(*workload, {"cas", "k0", change}, ok(wire::RespValue::simple("OK")));
  EXPECT_EQ(expected(), Value::integer(102));
  (void)run(*workload, {"cas", "k0", change}, failed("CASMISMATCH 103"));
  EXPECT_EQ(expected(), Value::integer(103));
  // A write that may not have happened teaches nothing.
  (void)run(*workload, {"write", "k0", Value::integer(104)}, Reply());
  EXPECT_EQ(expected(), Value::integer(103));
}

TEST_F(RegisterWorkload, EveryKeyIsReadAtTheEndByAFewClients) {
  const auto workload = make(5, {});
  std::map<std::string, int> reads;
  while (const auto invocation = workload->final_read(0, pool)) {
    EXPECT_EQ(invocation->function, "read");
    ++reads[invocation->key];
  }
  EXPECT_EQ(reads.size(), 5U);
  for (const auto& [key, count] : reads) EXPECT_EQ(count, 3) << key;
}

// What is written once and never again is read at the end, a sample of it that has the last one.
TEST_F(RegisterWorkload, CreatedKeysAreWrittenOnceAndReadAtTheEnd) {
  for (const std::size_t count : {3U, 5000U, 300'000U}) {
    const auto workload = make(2, {{"create", 1}});
    std::map<std::string, int> written;
    for (std::size_t i = 0; i < count; ++i) {
      const auto invocation = workload->next(0, pool);
      EXPECT_EQ(invocation->function, "write");
      ++written[invocation->key];
    }
    const std::size_t created = std::min<std::size_t>(count, 262'144);
    std::map<std::string, int> reads;
    while (const auto invocation = workload->final_read(0, pool)) ++reads[invocation->key];
    EXPECT_EQ(reads.size(), 2 + std::min<std::size_t>(created, 1024));
    EXPECT_EQ(reads["once" + std::to_string(created - 1)], 3);
    for (const auto& [key, times] : written) {
      if (key.front() == 'k') continue;
      EXPECT_EQ(times, 1) << key;
    }
  }
}

TEST(WorkloadTable, IsSortedAndComplete) {
  EXPECT_TRUE(std::ranges::is_sorted(all_workloads(), {}, &WorkloadInfo::name));
  for (const WorkloadInfo& info : all_workloads()) {
    EXPECT_EQ(find_workload(info.name), &info);
    EXPECT_NE(info.make, nullptr);
    EXPECT_FALSE(info.default_mix.empty());
    EXPECT_FALSE(info.summary.empty());
  }
  EXPECT_EQ(find_workload("nothing"), nullptr);
}

TEST(Mix, ReadsWeightsAndRefusesTheRest) {
  const WorkloadInfo& info = *find_workload("register");
  const auto mix = parse_mix("read=50,write=0.5", info);
  ASSERT_TRUE(mix.has_value());
  EXPECT_EQ(mix->at("read"), 50);
  EXPECT_EQ(mix->at("write"), 0.5);
  EXPECT_FALSE(mix->contains("cas"));
  for (const std::string_view text :
       {"", "read", "read=x", "read=-1", "push=1", "read=1,,write=1"}) {
    SCOPED_TRACE(text);
    const auto refused = parse_mix(text, info);
    ASSERT_TRUE(refused.has_error());
    EXPECT_TRUE(is(refused.error(), Errc::usage));
    EXPECT_THAT(refused.error().message(),
                HasSubstr("functions of register: cas, create, read, write"));
  }
  EXPECT_THAT(parse_mix("read=0", info).error().message(), HasSubstr("add up to nothing"));
}

}  // namespace
}  // namespace sunder::workloads
