#include "harness/uml/modules.hpp"

#include <algorithm>
#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sunder::uml {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// As depmod writes it: what is needed most comes last in a line.
constexpr std::string_view kDependencies =
    "kernel/net/802/stp.ko: kernel/net/llc/llc.ko\n"
    "kernel/net/llc/llc.ko:\n"
    "kernel/net/bridge/bridge.ko: kernel/net/802/stp.ko kernel/net/llc/llc.ko\n"
    "kernel/drivers/net/veth.ko:\n"
    "kernel/lib/crc-ccitt.ko:\n";

std::vector<std::string> order_of(std::vector<std::string_view> wanted) {
  return load_order(kDependencies, wanted);
}

TEST(Modules, ComeAfterWhatTheyNeed) {
  EXPECT_THAT(
      order_of({"bridge"}),
      ElementsAre("kernel/net/llc/llc.ko", "kernel/net/802/stp.ko", "kernel/net/bridge/bridge.ko"));
}

TEST(Modules, AreLoadedOnce) {
  EXPECT_THAT(order_of({"stp", "veth", "bridge", "stp"}),
              ElementsAre("kernel/net/llc/llc.ko",
                          "kernel/net/802/stp.ko",
                          "kernel/drivers/net/veth.ko",
                          "kernel/net/bridge/bridge.ko"));
}

TEST(Modules, ADashIsAnUnderscore) {
  EXPECT_THAT(order_of({"crc_ccitt"}), ElementsAre("kernel/lib/crc-ccitt.ko"));
}

TEST(Modules, UnknownOnesAreLeftOut) {
  EXPECT_THAT(order_of({"meteor"}), IsEmpty());
  EXPECT_THAT(load_order("", wanted_modules()), IsEmpty());
  EXPECT_THAT(load_order("no colon\n\n", wanted_modules()), IsEmpty());
}

TEST(Modules, WantedOnesAreSortedAndUnique) {
  const auto wanted = wanted_modules();
  EXPECT_TRUE(std::ranges::is_sorted(wanted));
  EXPECT_EQ(std::ranges::adjacent_find(wanted), wanted.end());
}

}  // namespace
}  // namespace sunder::uml
