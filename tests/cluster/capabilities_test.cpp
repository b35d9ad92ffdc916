#include "harness/cluster/capabilities.hpp"

#include <algorithm>
#include <cstdio>

#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/cluster/in_universe.hpp"

namespace sunder::cluster {
namespace {

using tests::fork_as;
using tests::wait_for;

class CapabilitiesTest : public tests::InUniverse {};

const Capability* find(const std::vector<Capability>& all, const std::string& name) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const Capability& capability) {
    return capability.name == name;
  });
  return found == all.end() ? nullptr : &*found;
}

// Everything is either there, or comes with what was seen and what to do. Which of the optional
// ones are there is the machine's business; where these tests run the required ones are.
TEST_P(CapabilitiesTest, SayWhatWorksAndWhatToDo) {
  const pid_t child = fork_as(GetParam(), [] {
    const auto all = probe_capabilities();
    for (const Capability& capability : all) {
      std::printf("%-16s %s  %s%s%s\n",
                  capability.name.c_str(),
                  capability.works ? "yes" : "no ",
                  capability.detail.c_str(),
                  capability.remedy.empty() ? "" : " → ",
                  capability.remedy.c_str());
      if (capability.purpose.empty() || capability.detail.empty()) return 1;
      if (capability.works != capability.remedy.empty()) return 2;
      if (capability.required && !capability.works) return 3;
    }
    return find(all, "universe") != nullptr && find(all, "links") != nullptr ? 0 : 4;
  });
  EXPECT_EQ(wait_for(child), 0);
}

// In a chroot there can be no universe: said, with everything that depends on it, and nothing
// crashes.
TEST(Capabilities, SayThatThereIsNoUniverse) {
  if (::geteuid() != 0) GTEST_SKIP() << "chroot needs root";
  const tests::TemporaryFolder folder;
  const pid_t child = fork_as(tests::User::root, [&folder] {
    if (::chroot(folder.path().c_str()) != 0 || ::setresuid(65534, 65534, 65534) != 0) return 1;
    const auto all = probe_capabilities();
    const Capability* const universe = find(all, "universe");
    const Capability* const links = find(all, "links");
    if (universe == nullptr || universe->works || universe->detail.empty()) return 2;
    return links != nullptr && !links->works ? 0 : 3;
  });
  EXPECT_EQ(wait_for(child), 0);
}

INSTANTIATE_TEST_SUITE_P(Users,
                         CapabilitiesTest,
                         ::testing::ValuesIn(tests::users()),
                         tests::user_name);

}  // namespace
}  // namespace sunder::cluster
