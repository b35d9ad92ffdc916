// Roles in schedules become nodes; shapes, families and parameters stay what they are.

#include "nemesis/roles.hpp"

#include <gtest/gtest.h>

namespace sunder::nemesis {
namespace {

const std::vector<std::string> kRoles{"order", "inventory", "payment"};

TEST(Roles, BecomeNodesWhereTargetsStand) {
  EXPECT_EQ(name_nodes("kill:inventory@compensating+1s", kRoles), "kill:n2@compensating+1s");
  EXPECT_EQ(name_nodes("partition:inventory>order@2s+1s;flap=1s", kRoles),
            "partition:n2>n1@2s+1s;flap=1s");
  EXPECT_EQ(name_nodes("partition:order+payment/inventory, pause:payment", kRoles),
            "partition:n1+n3/n2, pause:n3");
  EXPECT_EQ(name_nodes("partition:c1<>order@1s", kRoles), "partition:c1<>n1@1s");
}

TEST(Roles, LeaveOtherWordsAlone) {
  for (const char* text :
       {"partition,kill,pause", "kill:all@order+1s", "none", "kill:orders", ""}) {
    EXPECT_EQ(name_nodes(text, kRoles), text);
  }
  EXPECT_EQ(name_nodes("kill:order", {}), "kill:order");
}

}  // namespace
}  // namespace sunder::nemesis
