// The g++ 12 rule on small texts: what it must see and what it must leave alone.

#include "tests/tidy/coroutine_rule.hpp"

#include <gtest/gtest.h>

namespace sunder::tidy {
namespace {

struct Row {
  const char* name;
  const char* code;
};

class Flagged : public testing::TestWithParam<Row> {};

TEST_P(Flagged, IsAViolation) {
  const std::string body = std::string("void f() {\n") + GetParam().code + "\n}\n";
  const Violations found = check_coroutine_expressions(make_source("a.cpp", body));
  ASSERT_EQ(found.size(), 1U) << GetParam().code;
  EXPECT_EQ(found.front().line, 2U);
}

INSTANTIATE_TEST_SUITE_P(
    CoroutineRule,
    Flagged,
    testing::Values(
        Row{"Aggregate", "co_await send(Args{p, 1});"},
        Row{"BareBraces", "auto r = co_await send({p, 1});"},
        Row{"BracesBeforeTheAwait", "use(Args{p}, co_await receive());"},
        Row{"BracesAfterTheAwait", "use(co_await receive(), Args{p});"},
        Row{"AwaitInsideBraces", "auto x = Pair{co_await receive(), 1};"},
        Row{"CaptureInAwait", "co_await run([p] { return p; });"},
        Row{"CaptureWithParameters", "co_await run([&](int a) { return a; });"},
        Row{"CallOfACapturingLambda", "co_await [p]() { return make(p); }();"},
        Row{"LambdaWithTrailingType", "co_await [p]() -> awaitable<void> { g(); }();"},
        Row{"CaptureInSpawn", "co_spawn(ex, [p]() -> awaitable<void> { co_await g(p); }, token);"},
        Row{"BodyInSpawn", "co_spawn(ex, []() -> awaitable<void> { co_await g(); }, token);"},
        Row{"InACondition", "if (co_await send(Args{p})) return;"},
        Row{"InAReturn", "co_return co_await send({p});"},
        Row{"AfterATry", "try {} catch (const E& e) {} co_await send({p});"}),
    [](const auto& row) { return row.param.name; });

class Accepted : public testing::TestWithParam<Row> {};

TEST_P(Accepted, IsNoViolation) {
  const std::string body = std::string("void f() {\n") + GetParam().code + "\n}\n";
  EXPECT_TRUE(check_coroutine_expressions(make_source("a.cpp", body)).empty()) << GetParam().code;
}

INSTANTIATE_TEST_SUITE_P(
    CoroutineRule,
    Accepted,
    testing::Values(Row{"NamedValue", "Args args{p, 1};\nco_await send(std::move(args));"},
                    Row{"NamedLambda",
                        "auto body = [p]() -> T { co_await g(p); };\nco_await run(body);"},
                    Row{"BlockOfACondition", "if (co_await ready()) { Args a{1}; use(a); }"},
                    Row{"Loop", "while (co_await next()) {\n use({1});\n}"},
                    Row{"ElseAndTry",
                        "if (a) { b({1}); } else { co_await c(); }\ntry { co_await d(); } "
                        "catch (const E& e) { use({e}); }\nco_await g();"},
                    Row{"StructuredBinding", "const auto [error, size] = co_await read(buffer);"},
                    Row{"Subscript", "co_await handlers[i](x);"},
                    Row{"SubscriptInArguments", "co_await send(nodes[i], (x));"},
                    Row{"BracesInAString", "co_await send(\"{}\");"},
                    Row{"BracesInAComment", "co_await send(x);  // Args{1}"},
                    Row{"ReturnAfterACondition", "if (auto r = co_await f(); !r) return Args{p};"},
                    Row{"CaseOfASwitch", "switch (x) {\ncase 1: {\n co_await a();\n break;\n}\n}"},
                    Row{"BracesWithoutAwait", "use(Args{p}, [p] { return p; });"},
                    Row{"CaptureThenAwaitElsewhere", "auto g = [p] { return p; };\nco_await h();"}),
    [](const auto& row) { return row.param.name; });

TEST(CoroutineRule, LooksIntoMemberFunctionsAndLambdaBodies) {
  const char* code =
      "class A final : public B {\n"
      "  awaitable<void> run() override {\n"
      "    auto task = [this]() -> awaitable<void> {\n"
      "      co_await send({1});\n"
      "    };\n"
      "    co_await task();\n"
      "  }\n"
      "};\n";
  const Violations found = check_coroutine_expressions(make_source("a.cpp", code));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().line, 4U);
}

}  // namespace
}  // namespace sunder::tidy
