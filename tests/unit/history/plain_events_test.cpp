// Plain events take a fast way through the readers of JSON and EDN: it must mean the same as the
// general parsers do.

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "harness/base/random.hpp"
#include "harness/history/text.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/history_texts.hpp"
#include "tests/histories/support/list_generator.hpp"

namespace sunder::history {
namespace {

// The readers of plain events and the general parsers read the same. A field with a map in it is
// not plain.
TEST(PlainEvents, MeanTheSameToTheGeneralParsers) {
  const auto text_of = [](std::string_view text) {
    const auto result = read_history(text, "h");
    return result.has_value() ? to_jsonl(result->history) : result.error().context;
  };
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    test::SmallOptions options;
    options.seed = seed;
    options.texts = seed % 3 == 0;
    const bool transactions = seed % 4 == 0;
    const std::string plain =
        to_jsonl(transactions ? test::small_list_history(seed) : test::small_history(options));
    std::string general;
    std::string edn;
    std::string general_edn;
    for (const char character : plain) {
      if (character == '}') general += ",\"later\":{}";
      if (character == '}') general_edn += ", :later {}";
      general += character;
      if (character == ':') continue;
      edn += character;
      general_edn += character;
    }
    ASSERT_EQ(text_of(plain), text_of(general)) << plain;
    // "f":"read" becomes :f "read", and so on.
    const auto keywords = [](std::string& text) {
      for (const std::string_view name :
           {"index", "time", "process", "type", "f", "key", "value", "error", "actual", "output"}) {
        const std::string quoted = fmt::format("\"{}\"", name);
        const std::string keyword = fmt::format(":{} ", name);
        for (auto at = text.find(quoted); at != std::string::npos; at = text.find(quoted, at)) {
          text.replace(at, quoted.size(), keyword);
        }
      }
      for (const std::string_view type : {"invoke", "ok", "fail", "info"}) {
        const std::string quoted = fmt::format(":type \"{}\"", type);
        const std::string keyword = fmt::format(":type :{}", type);
        for (auto at = text.find(quoted); at != std::string::npos; at = text.find(quoted, at)) {
          text.replace(at, quoted.size(), keyword);
        }
      }
      for (auto at = text.find("null"); at != std::string::npos; at = text.find("null", at)) {
        text.replace(at, 4, "nil");
      }
    };
    keywords(edn);
    keywords(general_edn);
    ASSERT_EQ(text_of(edn), text_of(general_edn)) << edn;
    ASSERT_NE(text_of(edn).find("\"type\""), std::string::npos) << text_of(edn) << edn;
  }
}

// With one to three of its bytes changed or missing; the last stays.
std::string damaged(std::string_view event, base::Random& random) {
  constexpr std::string_view kBytes = "{}[]()\":;,#\\^\t\n 019-+.eNab\xff\x01";
  std::string text(event);
  const std::uint64_t edits = 1 + random.below(3);
  for (std::uint64_t edit = 0; edit < edits; ++edit) {
    const auto at = static_cast<std::size_t>(random.below(text.size() - 1));
    if (random.chance(0.3)) {
      text.erase(at, std::min<std::size_t>(1 + random.below(3), text.size() - 1 - at));
    } else {
      text.at(at) = kBytes[static_cast<std::size_t>(random.below(kBytes.size()))];
    }
  }
  return text;
}

// Whatever happens to a plain event: it is read as the general parser reads it, or refused as it
// refuses it. A map as first field sends an event to the general parser.
TEST(PlainEvents, MeanTheSameHoweverDamaged) {
  struct Form {
    std::string_view text;
    std::string_view general;  // the same, not plain
    Format format = Format::jsonl;
    bool repeats = false;  // what the event before it asked, with answers
  };

  const std::vector<Form> forms{
      {R"("index":0,"time":15,"process":7,"type":"invoke","f":"txn","value":[["r","12",null],)"
       R"(["w","x",-4],["append","longer-key",12345678]]})"
       "\n",
       R"({"later":{},)"},
      {R"("process":7,"type":"ok","f":"txn","value":[["r",12,[4,15,[6]]],["w","x",-4],)"
       R"(["append",7,8],["r",9,null]]})"
       "\n",
       R"({"later":{},)",
       Format::jsonl,
       true},
      {":process 7, :type :ok, :f :txn, :value [[:r 12 [4 15 [6]]] [:w \"x\" -4] "
       "[:append 7 8] [:r 9 nil]]}\n",
       "{:later {} ",
       Format::edn,
       true},
      {R"("process":7,"type":"ok","f":"read","key":"k","value":[1,[true,"abcdefgh"],3],"node":"n1"})"
       "\n",
       R"({"later":{},)"},
      {":index 0, :time 15, :process 7, :type :invoke, :f :txn, :value [[:r 12 nil] [:w x -4] "
       "[:append \"longer-key\" 12345678]]}\n",
       "{:later {} ",
       Format::edn},
      {":process 7 :type :ok :f :read :key k :value (1 [true :abcdefgh] 3) :error :timed-out}\n",
       "{:later {} ",
       Format::edn}};
  base::Random random(17);
  std::size_t read = 0;
  for (int i = 0; i < 40'000; ++i) {
    const Form& form = forms[static_cast<std::size_t>(random.below(forms.size()))];
    const std::string text = damaged(form.text, random);
    // A completion without its invocation is refused: the event before it is the same for both.
    const bool edn = form.format == Format::edn;
    const std::string before = edn ? "{:process 7 :type :invoke :f :read :value {}}\n"
                                   : R"({"process":7,"type":"invoke","f":"read","value":{}})"
                                     "\n";
    const std::string asked =
        edn ? "{:process 7, :type :invoke, :f :txn, :value [[:r 12 nil] [:w \"x\" -4] "
              "[:append 7 8] [:r 9 nil]]}\n"
            : R"({"process":7,"type":"invoke","f":"txn","value":[["r",12,null],["w","x",-4],)"
              R"(["append",7,8],["r",9,null]]})"
              "\n";
    const bool completes = form.text.find("invoke") == std::string_view::npos;
    const std::string first = form.repeats ? asked : completes ? before : "";
    const auto plain = read_history(first + "{" + text, "h", form.format);
    const auto general = read_history(first + std::string(form.general) + text, "h", form.format);
    ASSERT_EQ(plain.has_value(), general.has_value()) << text;
    if (!plain.has_value()) continue;
    ++read;
    ASSERT_EQ(to_jsonl(plain->history), to_jsonl(general->history)) << text;
  }
  EXPECT_GT(read, 8000U);
}

// What transactions read is the same value wherever it is the same list, and an answer takes no
// room for what was asked. That holds for the plainest parts and for others.
TEST(PlainEvents, KnowAListAgainInAnyTransaction) {
  struct Form {
    std::string_view asked;
    std::string_view first;
    std::string_view second;
  };

  const std::vector<Form> forms{{R"([["append",1,7],["r",2,null]])",
                                 R"([["append",1,7],["r",2,[3,14,[5]]]])",
                                 R"([["r",8,[3,14,[5]]],["r",9,[3,14]]])"},
                                {R"([ ["append",1,7], ["r",2,null] ])",
                                 R"([["append" , 1,7],["r", 2,[3,14,[5]] ]])",
                                 R"([["r",8, [3, 14, [5]]],["r",9,[ 3,14] ]])"},
                                {R"([["append","1",7],["r",true,null]])",
                                 R"([["append","1",7],["r",true,[3,14,[5]]]])",
                                 R"([["r","8",[3,14,[5]]],["r",null,[3,14]]])"}};
  const auto line = [](bool edn, std::string_view type, std::string_view value) {
    std::string text = fmt::format(R"({{"process":1,"type":"{}","f":"txn","value":{}}})"
                                   "\n",
                                   type,
                                   value);
    if (!edn) return text;
    for (const std::string_view word : {"process", "type", "f", "value"}) {
      text.replace(
          text.find(fmt::format("\"{}\":", word)), word.size() + 3, fmt::format(":{} ", word));
    }
    for (const std::string_view word : {"append", "r", "invoke", "ok", "txn"}) {
      const std::string quoted = fmt::format("\"{}\"", word);
      for (auto at = text.find(quoted); at != std::string::npos; at = text.find(quoted)) {
        text.replace(at, quoted.size(), fmt::format(":{}", word));
      }
    }
    for (auto at = text.find("null"); at != std::string::npos; at = text.find("null")) {
      text.replace(at, 4, "nil");
    }
    std::ranges::replace(text, ',', ' ');
    return text;
  };
  for (const bool edn : {false, true}) {
    for (const Form& form : forms) {
      const std::string text = line(edn, "invoke", form.asked) + line(edn, "ok", form.first) +
                               line(edn, "invoke", form.asked) + line(edn, "ok", form.second) +
                               line(edn, "invoke", form.first) + line(edn, "ok", form.first);
      SCOPED_TRACE(text);
      const auto result = read_history(text, "h", edn ? Format::edn : Format::jsonl);
      ASSERT_TRUE(result.has_value()) << result.error().context;
      const auto& pool = result->history.pool();
      const auto& operations = result->history.operations();
      ASSERT_EQ(operations.size(), 3U);
      const auto part = [&pool](Value transaction, std::size_t number) {
        return pool.items_of(transaction)[number];
      };
      const auto found = [&](const Operation& operation, std::size_t number) {
        return pool.items_of(part(operation.output, number))[2];
      };
      EXPECT_EQ(found(operations[0], 1), found(operations[1], 0));
      EXPECT_NE(found(operations[1], 0), found(operations[1], 1));
      EXPECT_EQ(pool.describe(found(operations[1], 0)), "[3 14 [5]]");
      EXPECT_EQ(part(operations[0].input, 0), part(operations[0].output, 0));
      EXPECT_EQ(operations[0].input, operations[0].output);
      EXPECT_EQ(operations[2].input, operations[2].output);
      EXPECT_NE(operations[1].input, operations[1].output);
      EXPECT_TRUE(pool.items_of(part(operations[1].input, 1))[2].is_nil());
    }
  }
}

// What an answer adds is put where it was asked for only if that is all that it adds, and only by
// the answer that counts.
TEST(PlainEvents, KeepWhatWasAskedUnlessItWasAnswered) {
  struct Case {
    std::string_view answer;  // the fields behind "f"
    std::string_view input;   // of process 1, then
    std::string_view output;
  };

  constexpr std::string_view kAsked = R"([["r" "x" nil] ["w" "y" 1]])";
  constexpr std::string_view kAnswered = R"([["r" "x" 5] ["w" "y" 1]])";
  const std::vector<Case> cases{
      {R"("process":1,"type":"ok","value":[["r","x",5],["w","y",1]])", kAnswered, kAnswered},
      {R"("process":1,"type":"ok","value":[["r","x",5],["w","y",2]])",
       kAsked,
       R"([["r" "x" 5] ["w" "y" 2]])"},
      {R"("process":1,"type":"ok","value":[["r","x",5]])", kAsked, R"([["r" "x" 5]])"},
      {R"("process":1,"type":"info","value":[["r","x",5],["w","y",1]])", kAsked, "?"},
      {R"("process":1,"type":"fail","value":[["r","x",5],["w","y",1]])", kAsked, "?"},
      {R"("process":1,"value":[["r","x",5],["w","y",1]],"type":"ok")", kAnswered, kAnswered},
      {R"("process":1,"type":"ok","value":[["r","x",5],["w","y",1]],"type":"info")", kAsked, "?"},
      {R"("process":1,"type":"ok","value":[["r","x",5],["w","y",1]],"process":2)", kAsked, "?"},
      {R"("process":1,"type":"ok","value":[["r","x",5],["w","y",1]],"value":[["r","x",6]])",
       kAsked,
       R"([["r" "x" 6]])"}};
  // Whether the invocations, the answer, are plain; and whether they are EDN.
  for (int form = 0; form < 8; ++form) {
    const auto event = [form](bool plain, std::string_view fields) {
      const std::string json =
          fmt::format("{{{}\"f\":\"txn\",{}}}\n", plain ? "" : R"("later":{},)", fields);
      return (form & 4) != 0 ? test::to_edn(json) : json;
    };
    for (const Case& made : cases) {
      std::string text;
      for (const int process : {1, 2}) {
        text += event((form & 1) == 0,
                      fmt::format(R"("process":{},"type":"invoke",)"
                                  R"("value":[["r","x",null],["w","y",1]])",
                                  process));
      }
      text += event((form & 2) == 0, made.answer);
      SCOPED_TRACE(text);
      const auto result = read_history(text, "h", (form & 4) != 0 ? Format::edn : Format::jsonl);
      ASSERT_TRUE(result.has_value()) << result.error().context;
      const auto& pool = result->history.pool();
      const auto& operations = result->history.operations();
      EXPECT_EQ(pool.describe(operations[0].input), made.input);
      EXPECT_EQ(pool.describe(operations[0].output), made.output);
      const bool others = operations[1].outcome == Outcome::ok;
      EXPECT_EQ(pool.describe(operations[1].input), others ? kAnswered : kAsked);
    }
  }
}

}  // namespace
}  // namespace sunder::history
