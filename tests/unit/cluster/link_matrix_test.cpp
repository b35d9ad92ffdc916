#include <gtest/gtest.h>

#include "harness/cluster/cluster.hpp"
#include "harness/cluster/universe.hpp"

namespace sunder::cluster {
namespace {

TEST(LinkMatrix, FoldsToTheStrongestCut) {
  const LinkState healthy;
  const LinkState cut{.blackhole = true};
  EXPECT_EQ(fold(healthy, healthy), healthy);
  EXPECT_EQ(fold(healthy, cut), cut);
  EXPECT_EQ(fold(cut, healthy), cut);
  EXPECT_EQ(fold(cut, cut), cut);
}

TEST(LinkMatrix, FoldsLinkByLink) {
  LinkMatrix a(3);
  LinkMatrix b(3);
  a.at(0, 1).blackhole = true;
  b.at(1, 0).blackhole = true;
  const LinkMatrix both = fold(a, b);
  EXPECT_FALSE(both.at(0, 1).healthy());
  EXPECT_FALSE(both.at(1, 0).healthy());
  EXPECT_TRUE(both.at(0, 2).healthy());
  EXPECT_EQ(fold(a, LinkMatrix(3)), a);
}

TEST(LinkMatrixDeathTest, RefusesMatricesOfDifferentSizes) {
  EXPECT_DEATH((void)fold(LinkMatrix(2), LinkMatrix(3)), "assertion failed");
}

TEST(Universe, NamesEverybodyInItsHosts) {
  EXPECT_EQ(hosts_of(2, 1), "127.0.0.1 localhost\n10.0.0.1 n1\n10.0.0.2 n2\n10.0.1.1 c1\n");
}

}  // namespace
}  // namespace sunder::cluster
