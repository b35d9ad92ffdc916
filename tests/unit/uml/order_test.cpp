#include "harness/uml/order.hpp"

#include <gtest/gtest.h>

namespace sunder::uml {
namespace {

GuestOrder full_order() {
  GuestOrder order;
  order.command = {"/usr/bin/printf", "", "two words", "a=b\nline"};
  order.environment = {"PATH=/bin", "EMPTY=", "LINES_OF=one\ntwo=2\n"};
  order.directory = "/tmp/a b";
  order.output = {24, 80};
  order.error = {50, 132};
  order.files_max = 1'048'576;
  order.mask = 027;
  return order;
}

TEST(GuestOrder, ComesBackAsItWas) {
  const auto read = read_order(to_text(full_order()));
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(*read, full_order());
  EXPECT_EQ(read->output.columns, 80);
  EXPECT_EQ(read->input.rows, 0);
}

TEST(GuestOrder, CutAnywhereIsRefused) {
  const std::string text = to_text(full_order());
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto read = read_order(std::string_view(text).substr(0, size));
    // A cut between two fields is seen by what is missing, or costs only fields with defaults.
    const bool between = size > 0 && text[size - 1] == '\0';
    EXPECT_TRUE(between || read.has_error()) << size;
  }
}

TEST(GuestOrder, DamageIsRefused) {
  using namespace std::string_literals;
  for (const std::string& text : {"argument=/x\0directory=/\0meteor=1\0"s,
                                  "argument=/x\0directory=/\0files=many\0"s,
                                  "argument=/x\0directory=/\0output=24\0"s,
                                  "argument=/x\0directory\0"s,
                                  "argument=/x\0"s,
                                  "directory=/\0"s}) {
    EXPECT_TRUE(read_order(text).has_error()) << text;
  }
}

}  // namespace
}  // namespace sunder::uml
