#include "harness/wire/resp.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "harness/base/random.hpp"

namespace sunder::wire {
namespace {

using Arguments = std::vector<std::string>;

std::string encoded(const RespValue& value) {
  std::string out;
  encode(value, out);
  return out;
}

// All requests in `bytes`, fed in pieces of `piece` bytes; a protocol error ends the list with
// {"<error>"}.
std::vector<Arguments> requests_of(std::string_view bytes,
                                   std::size_t piece,
                                   RespLimits limits = {}) {
  RespParser parser(limits);
  std::vector<Arguments> requests;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    parser.feed(bytes.substr(at, piece));
    Arguments arguments;
    while (true) {
      const Result<bool> taken = parser.next_request(arguments);
      if (taken.has_error()) {
        requests.push_back({"<error>"});
        return requests;
      }
      if (!*taken) break;
      requests.push_back(arguments);
    }
  }
  return requests;
}

TEST(RespRequests, AreTheSameHoweverTheBytesAreSplit) {
  const std::string bytes =
      "*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$4\r\na\r\nb\r\n"
      "PING\r\n\r\n  set  y 'two words' \"q\\\"q\"\n*0\r\n*-1\r\n*1\r\n$0\r\n\r\n";
  const std::vector<Arguments> expected = {
      {"SET", "x", "a\r\nb"}, {"PING"}, {"set", "y", "two words", "q\"q"}, {""}};
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    SCOPED_TRACE(piece);
    EXPECT_EQ(requests_of(bytes, piece), expected);
  }
}

TEST(RespRequests, RefuseWhatIsNotARequest) {
  for (const char* const bytes : {"*1\r\n:5\r\n",
                                  "*1\r\n*1\r\n$1\r\nx\r\n",
                                  "*x\r\n",
                                  "*-2\r\n",
                                  "*1\r\n$-2\r\n",
                                  "*1\r\n$1\r\nxyz\r\n",
                                  "*1\n$1\r\nx\r\n",
                                  "*99999999999999999999\r\n",
                                  "*1\r\n$-1\r\n",
                                  "say 'never closed\r\n"}) {
    SCOPED_TRACE(bytes);
    const std::vector<Arguments> requests = requests_of(bytes, 1);
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_EQ(requests[0], Arguments{"<error>"});
  }
}

TEST(RespLimits, BoundWhatAPeerCanMakeUsHold) {
  struct Row {
    const char* name;
    RespLimits limits;
    std::string fits;
    std::string exceeds;
  };

  const Row rows[] = {
      {"arguments", {.arguments = 2}, "*2\r\n$1\r\na\r\n$1\r\nb\r\n", "*3\r\n"},
      {"inline arguments", {.arguments = 2}, "a b\r\n", "a b c\r\n"},
      {"bulk bytes", {.bulk_bytes = 3}, "*1\r\n$3\r\nabc\r\n", "*1\r\n$4\r\n"},
      {"inline bytes", {.inline_bytes = 4}, "abc\r\n", "abcdef"},
      {"total bytes",
       {.total_bytes = 4},
       "*2\r\n$2\r\nab\r\n$2\r\ncd\r\n",
       "*2\r\n$2\r\nab\r\n$3\r\n"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto fitting = requests_of(row.fits, 1, row.limits);
    ASSERT_EQ(fitting.size(), 1U);
    EXPECT_NE(fitting[0], Arguments{"<error>"});
    EXPECT_EQ(requests_of(row.exceeds, 1, row.limits), std::vector<Arguments>{{"<error>"}});
  }
}

TEST(RespLimits, BoundTheDepthAndTheItemsOfAValue) {
  RespParser shallow(RespLimits{.depth = 2});
  shallow.feed("*1\r\n*1\r\n:1\r\n*1\r\n*1\r\n*1\r\n:1\r\n");
  RespValue value;
  ASSERT_TRUE(shallow.next_value(value).value());
  EXPECT_TRUE(shallow.next_value(value).has_error());

  RespParser narrow(RespLimits{.arguments = 3});
  narrow.feed("*2\r\n*3\r\n:1\r\n:2\r\n:3\r\n:4\r\n");
  EXPECT_TRUE(narrow.next_value(value).has_error());
}

TEST(RespValues, ReadEveryKind) {
  RespParser parser;
  parser.feed("+OK\r\n-ERR no\r\n:-7\r\n$-1\r\n*-1\r\n*0\r\n*2\r\n$1\r\na\r\n*1\r\n:1\r\n");
  const std::vector<RespValue> expected = {
      RespValue::simple("OK"),
      RespValue::error("ERR no"),
      RespValue::number(-7),
      RespValue::null(),
      RespValue::null(),
      RespValue::array({}),
      RespValue::array({RespValue::bulk("a"), RespValue::array({RespValue::number(1)})})};
  for (const RespValue& sought : expected) {
    RespValue value;
    ASSERT_TRUE(parser.next_value(value).value());
    EXPECT_EQ(value, sought);
  }
  EXPECT_EQ(parser.pending(), 0U);
}

TEST(RespValues, KeepLineBreaksOutOfErrorLines) {
  EXPECT_EQ(encoded(RespValue::error("ERR a\r\nb")), "-ERR a  b\r\n");
}

RespValue random_value(base::Random& random, int depth) {
  std::string text;
  for (std::uint64_t i = random.below(20); i > 0; --i) {
    text.push_back(static_cast<char>(random.below(256)));
  }
  switch (random.below(depth > 0 ? 6 : 5)) {
    case 0:
      return RespValue::simple("line " + std::to_string(random.below(100)));
    case 1:
      return RespValue::error("ERR " + std::to_string(random.below(100)));
    case 2:
      return RespValue::number(random.between(-1000, 1000));
    case 3:
      return RespValue::null();
    case 4:
      return RespValue::bulk(std::move(text));
    default:
      std::vector<RespValue> items;
      for (std::uint64_t i = random.below(5); i > 0; --i) {
        items.push_back(random_value(random, depth - 1));
      }
      return RespValue::array(std::move(items));
  }
}

TEST(RespProperties, ValuesSurviveEncodingInPiecesOfAnySize) {
  EXPECT_TRUE(rc::check("values round-trip", [](std::uint64_t seed) {
    base::Random random(seed);
    const RespValue value = random_value(random, 4);
    const std::string bytes = encoded(value);
    RespParser parser;
    RespValue read;
    for (std::size_t at = 0; at < bytes.size();) {
      const auto piece = static_cast<std::size_t>(random.between(1, 9));
      RC_ASSERT(!parser.next_value(read).value());
      parser.feed(std::string_view(bytes).substr(at, piece));
      at += piece;
    }
    RC_ASSERT(parser.next_value(read).value());
    RC_ASSERT(read == value);
    RC_ASSERT(parser.pending() == 0U);
  }));
}

TEST(RespProperties, RequestsSurviveEncoding) {
  EXPECT_TRUE(rc::check("requests round-trip", [](const std::vector<std::string>& arguments) {
    RC_PRE(!arguments.empty());
    const std::vector<Arguments> expected = {arguments};
    RC_ASSERT(requests_of(encode_request(arguments), 3) == expected);
  }));
}

// Mutated valid input: the parser must answer or refuse, in bounded memory, however broken the
// bytes are; and the split must not matter.
TEST(RespProperties, GarbageIsAnsweredTheSameWayHoweverItIsSplit) {
  EXPECT_TRUE(rc::check("garbage", [](std::uint64_t seed) {
    base::Random random(seed);
    std::string bytes =
        encode_request({"SET", "key", "value"}) + "PING\r\n" + encode_request({"GET", "k"});
    constexpr std::string_view kInteresting = "*$:+-\r\n0123456789 '\"";
    for (std::uint64_t i = random.below(6); i > 0; --i) {
      const auto at = static_cast<std::size_t>(random.below(bytes.size()));
      bytes[at] = kInteresting[static_cast<std::size_t>(random.below(kInteresting.size()))];
    }
    RC_ASSERT(requests_of(bytes, 1) == requests_of(bytes, bytes.size()));
  }));
}

}  // namespace
}  // namespace sunder::wire
