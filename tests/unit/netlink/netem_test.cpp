// The encoding of netem's options and the tables of its delays: against the format, against what tc
// sends, and there and back.

#include "harness/netlink/netem.hpp"

#include <cmath>
#include <cstring>
#include <numeric>
#include <string>

#include <gtest/gtest.h>
#include <linux/pkt_sched.h>
#include <rapidcheck.h>

namespace sunder::netlink {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

Netem parsed(const Netem& options) {
  const auto back = parse_netem(netem(options).options);
  EXPECT_TRUE(back.has_value());
  return back.value_or(Netem{});
}

double any_share() {
  return *rc::gen::inRange<std::uint32_t>(0, 1'000'001) / 1e6;
}

TEST(Netem, ReadsBackWhatItEncodes) {
  EXPECT_TRUE(rc::check("there and back", [] {
    Netem options;
    options.delay = nanoseconds(*rc::gen::inRange<std::int64_t>(0, 20'000'000'000));
    options.jitter = nanoseconds(*rc::gen::inRange<std::int64_t>(0, 20'000'000'000));
    options.loss = any_share();
    options.duplicate = any_share();
    options.reorder = any_share();
    options.gap = options.reorder > 0 ? *rc::gen::inRange(1U, 9U) : 0;
    options.corrupt = any_share();
    options.rate = *rc::gen::inRange<std::uint64_t>(0, 20'000'000'000);
    options.limit = *rc::gen::arbitrary<std::uint32_t>();
    options.seed = *rc::gen::arbitrary<std::uint64_t>();
    options.correlations = {any_share(), any_share(), any_share(), any_share(), any_share()};
    if (*rc::gen::arbitrary<bool>()) {
      options.burst = BurstLoss{any_share(), any_share()};
      options.loss = 0;
    }
    const Netem back = parsed(options);
    // Probabilities have 32 bits.
    const auto near = [](double a, double b) { return std::abs(a - b) < 1e-9; };
    RC_ASSERT(back.delay == options.delay);
    RC_ASSERT(back.jitter == options.jitter);
    RC_ASSERT(near(back.loss, options.loss));
    RC_ASSERT(back.burst.has_value() == options.burst.has_value());
    if (options.burst) {
      RC_ASSERT(near(back.burst->enter, options.burst->enter));
      RC_ASSERT(near(back.burst->leave, options.burst->leave));
    }
    RC_ASSERT(near(back.duplicate, options.duplicate));
    RC_ASSERT(near(back.reorder, options.reorder));
    RC_ASSERT(back.gap == options.gap);
    RC_ASSERT(near(back.corrupt, options.corrupt));
    RC_ASSERT(back.rate == options.rate);
    RC_ASSERT(back.limit == options.limit);
    RC_ASSERT(back.seed == options.seed);
    RC_ASSERT(near(back.correlations.delay, options.correlations.delay));
    RC_ASSERT(near(back.correlations.loss, options.correlations.loss));
    RC_ASSERT(near(back.correlations.duplicate, options.correlations.duplicate));
    RC_ASSERT(near(back.correlations.reorder, options.correlations.reorder));
    RC_ASSERT(near(back.correlations.corrupt, options.correlations.corrupt));
  }));
}

// Attributes at their offsets, so that zeros are seen to be sent: a change would leave alone what
// it does not mention.
TEST(Netem, SendsZerosToo) {
  const std::vector<std::byte> bytes = netem({}).options;
  std::size_t position = sizeof(tc_netem_qopt);
  std::vector<std::pair<int, std::size_t>> found;
  while (position < bytes.size()) {
    std::uint16_t length = 0;
    std::uint16_t type = 0;
    std::memcpy(&length, bytes.data() + position, sizeof length);
    std::memcpy(&type, bytes.data() + position + 2, sizeof type);
    ASSERT_GE(length, 4U);
    found.emplace_back(type, length - 4U);
    position += (length + 3U) & ~3U;
  }
  EXPECT_EQ(position, bytes.size());
  const std::vector<std::pair<int, std::size_t>> all{{TCA_NETEM_LATENCY64, 8},
                                                     {TCA_NETEM_JITTER64, 8},
                                                     {TCA_NETEM_CORR, 12},
                                                     {TCA_NETEM_REORDER, 8},
                                                     {TCA_NETEM_CORRUPT, 8},
                                                     {TCA_NETEM_RATE, 16}};
  EXPECT_EQ(found, all);
}

TEST(Netem, SendsATableWithEveryJitterAndNoneWithout) {
  const std::size_t plain = netem({}).options.size();
  Netem options;
  options.table = normal_delays();
  EXPECT_EQ(netem(options).options.size(), plain);
  options.jitter = milliseconds(1);
  EXPECT_EQ(netem(options).options.size(), plain + 4 + 2 * normal_delays()->size());
  options.table = nullptr;
  EXPECT_EQ(netem(options).options.size(), plain + 4 + 2 * uniform_delays()->size());
}

TEST(Netem, TakesAGapForReordering) {
  EXPECT_EQ(parsed({.reorder = 0.25}).gap, 1U);
  EXPECT_EQ(parsed({.gap = 5}).gap, 0U);
}

TEST(Netem, SaturatesTheNarrowFieldsOfLongTimesAndHighRates) {
  Netem options;
  options.delay = std::chrono::hours(1);
  options.rate = 10'000'000'000;
  const std::vector<std::byte> bytes = netem(options).options;
  tc_netem_qopt fixed{};
  std::memcpy(&fixed, bytes.data(), sizeof fixed);
  EXPECT_EQ(fixed.latency, 0xffffffffU);
  EXPECT_EQ(parsed(options).delay, std::chrono::hours(1));
  EXPECT_EQ(parsed(options).rate, 10'000'000'000U);
}

TEST(Netem, ParsesNothingElse) {
  EXPECT_FALSE(parse_netem({}).has_value());
  EXPECT_FALSE(parse_netem(pfifo(3).options).has_value());
}

TEST(BurstLoss, LosesTheShareInBurstsOfTheLength) {
  EXPECT_TRUE(rc::check("stationary share and mean length", [] {
    const double share = *rc::gen::inRange(1, 1000) / 1000.0;
    const double length = *rc::gen::inRange(10, 500) / 10.0;
    const BurstLoss burst = burst_loss(share, length);
    RC_ASSERT(burst.enter > 0);
    RC_ASSERT(burst.enter <= 1 + 1e-12);
    RC_ASSERT(burst.leave <= 1);
    RC_ASSERT(std::abs(burst.enter / (burst.enter + burst.leave) - share) < 1e-9);
    // Longer only where so many losses cannot come in bursts so short.
    RC_ASSERT(1 / burst.leave >= length - 1e-9);
    if (share / (1 - share) < length) RC_ASSERT(std::abs(1 / burst.leave - length) < 1e-6);
  }));
}

double mean(const DelayTable& table) {
  const double sum = std::accumulate(table->begin(), table->end(), 0.0);
  return sum / static_cast<double>(table->size()) / kDelay_table_unit;
}

double deviation(const DelayTable& table) {
  double squares = 0;
  for (const std::int16_t entry : *table) squares += static_cast<double>(entry) * entry;
  return std::sqrt(squares / static_cast<double>(table->size())) / kDelay_table_unit;
}

TEST(DelayTable, HasTheMomentsOfItsDistribution) {
  EXPECT_NEAR(mean(uniform_delays()), 0, 1e-3);
  EXPECT_NEAR(deviation(uniform_delays()), 1 / std::sqrt(3.0), 1e-3);
  EXPECT_NEAR(mean(normal_delays()), 0, 1e-3);
  EXPECT_NEAR(deviation(normal_delays()), 1, 0.01);
  // The tail above four jitters is cut off, which takes from both.
  EXPECT_NEAR(mean(pareto_delays()), 0, 0.08);
  EXPECT_NEAR(deviation(pareto_delays()), 0.85, 0.15);
}

// Entries of iproute2's own tables (normal.dist, pareto.dist of 4096 entries) at the quantiles of
// ours.
TEST(DelayTable, AgreesWithIproute2) {
  const std::vector<std::int16_t>& normal = *normal_delays();
  EXPECT_NEAR(normal[512], 0, 20);
  EXPECT_NEAR(normal[861], 8192, 40);  // one standard deviation: the 0.8413 quantile
  EXPECT_NEAR(normal[162], -8192, 40);
  const std::vector<std::int16_t>& pareto = *pareto_delays();
  EXPECT_NEAR(pareto.front(), -5460, 3);
  EXPECT_EQ(pareto.back(), 32767);
  const std::vector<std::int16_t>& both = *pareto_normal_delays();
  EXPECT_TRUE(std::ranges::is_sorted(both));
  EXPECT_NEAR(both[100], 0.25 * normal[100] + 0.75 * pareto[100], 2);
}

TEST(DelayTable, ReadsIproute2sFormat) {
  const auto table = parse_delay_table("# the shape of our uplink\n -5 0\t7 # half\n32767\n");
  ASSERT_TRUE(table.has_value()) << table.error().message();
  EXPECT_EQ(**table, (std::vector<std::int16_t>{-5, 0, 7, 32767}));
}

TEST(DelayTable, RefusesWhatIsNone) {
  struct Row {
    std::string text;
    const char* words;
  };

  std::string many;
  for (int i = 0; i <= NETEM_DIST_MAX; ++i) many += "1 ";
  for (const Row& row : {Row{"", "has 0 entries"},
                         Row{"# nothing\n", "has 0 entries"},
                         Row{"1 2 x3", "'x3' is not a whole number"},
                         Row{"1.5", "'1.5' is not"},
                         Row{"40000", "'40000' is not"},
                         Row{many, "has 16385 entries"}}) {
    const auto table = parse_delay_table(row.text);
    ASSERT_TRUE(table.has_error()) << row.words;
    EXPECT_NE(table.error().message().find(row.words), std::string::npos)
        << table.error().message();
    EXPECT_TRUE(base::is(table.error(), Errc::unreadable_input));
  }
}

}  // namespace
}  // namespace sunder::netlink
