// Shortest cycles against brute force on small random graphs with helpers.
//
// Every case is a function of its seed, which a failure prints with the graph. SUNDER_CASES sets
// the number of cases (10,000 by default).

#include "checkers/graph.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/histories/support/draws.hpp"
#include "tests/histories/support/generator.hpp"
#include "tests/histories/support/random_histories.hpp"

namespace sunder::checkers {
namespace {

constexpr ArcKinds kBlack = 1;
constexpr ArcKinds kWhite = 2;

struct Drawn {
  Digraph graph{0};
  std::uint32_t nodes = 0;
};

// Helpers lead to nodes, and to later helpers.
Drawn draw(std::uint64_t seed) {
  test::Draws draws(seed);
  const auto below = [&](std::uint32_t limit) {
    return static_cast<std::uint32_t>(draws.below(limit));
  };
  Drawn drawn;
  drawn.nodes = 2 + below(4);
  drawn.graph = Digraph(drawn.nodes);
  const std::uint32_t helpers = below(3);
  for (std::uint32_t i = 0; i < helpers; ++i) (void)drawn.graph.add_helper();
  const std::uint32_t all = drawn.nodes + helpers;
  for (std::uint32_t i = below(2 * all); i > 0; --i) {
    const ArcKinds kinds = below(2) == 0 ? kBlack : kWhite;
    drawn.graph.add(below(drawn.nodes), below(all), kinds);
  }
  for (std::uint32_t helper = drawn.nodes; helper < all; ++helper) {
    for (std::uint32_t i = below(4); i > 0; --i) {
      const std::uint32_t to = below(2) == 0 ? below(drawn.nodes) : helper + below(all - helper);
      drawn.graph.add(helper, to, kPass);
    }
  }
  drawn.graph.finish();
  return drawn;
}

// Which nodes each can step to by an arc of some kinds, through helpers.
std::vector<std::vector<bool>> steps_of(const Drawn& drawn, ArcKinds kinds) {
  std::vector<std::vector<bool>> steps(drawn.nodes, std::vector<bool>(drawn.nodes, false));
  for (std::uint32_t node = 0; node < drawn.nodes; ++node) {
    std::vector<std::uint32_t> reached;
    for (const Digraph::Arc arc : drawn.graph.arcs(node)) {
      if ((arc.kinds & kinds) != 0) reached.push_back(arc.to);
    }
    for (std::size_t i = 0; i < reached.size() && i < 1000; ++i) {
      if (reached[i] < drawn.nodes) {
        steps[node][reached[i]] = reached[i] != node;
      } else {
        for (const Digraph::Arc arc : drawn.graph.arcs(reached[i])) reached.push_back(arc.to);
      }
    }
  }
  return steps;
}

// The length of a shortest closed walk of one step of the first kinds and others of the path's.
std::optional<std::size_t> shortest(const Drawn& drawn, const CycleQuery& query) {
  const auto first = steps_of(drawn, query.first);
  const auto path = steps_of(drawn, query.path);
  std::optional<std::size_t> best;
  for (std::uint32_t root = 0; root < drawn.nodes; ++root) {
    std::vector<bool> at = first[root];
    for (std::size_t length = 1; length <= drawn.nodes; ++length) {
      if (at[root]) {
        best = std::min(best.value_or(length), length);
        break;
      }
      std::vector<bool> next(drawn.nodes, false);
      for (std::uint32_t node = 0; node < drawn.nodes; ++node) {
        for (std::uint32_t to = 0; at[node] && to < drawn.nodes; ++to) {
          if (path[node][to]) next[to] = true;
        }
      }
      at = next;
    }
  }
  return best;
}

// What is wrong with an answer; empty: nothing.
std::string fault_of(const Drawn& drawn,
                     const CycleQuery& query,
                     std::optional<std::size_t> expected,
                     const std::optional<std::vector<Step>>& found) {
  if (found.has_value() != expected.has_value()) {
    return expected ? "a cycle was not found" : "there is no cycle";
  }
  if (!found) return {};
  if (found->size() != *expected) {
    return fmt::format("a cycle of {} instead of {} steps", found->size(), *expected);
  }
  if ((found->front().kinds & query.first) == 0) return "the first step is of another kind";
  for (std::size_t i = 0; i < found->size(); ++i) {
    const Step& step = (*found)[i];
    if (!steps_of(drawn, step.kinds)[step.from][step.to]) return "a step that is none";
    if (step.to != (*found)[(i + 1) % found->size()].from) return "steps that do not meet";
    if (i > 0 && (step.kinds & query.path) == 0) return "a later step is of another kind";
  }
  return {};
}

std::string text_of(const Drawn& drawn) {
  std::string text = fmt::format("{} nodes and helpers after them;", drawn.nodes);
  for (std::uint32_t from = 0; from < drawn.graph.size(); ++from) {
    for (const Digraph::Arc arc : drawn.graph.arcs(from)) {
      text += fmt::format(" {}>{} ({})", from, arc.to, arc.kinds);
    }
  }
  return text;
}

TEST(Graph, ShortestCyclesAgreeWithBruteForce) {
  constexpr std::array kQueries{CycleQuery{.first = kBlack, .path = kBlack},
                                CycleQuery{.first = kBlack, .path = kWhite},
                                CycleQuery{.first = kWhite, .path = kBlack | kWhite}};
  std::array<std::uint64_t, 2> counts{};
  const std::uint64_t cases = test::case_count();
  const auto judge = [&](std::uint64_t seed) -> std::string {
    const Drawn drawn = draw(seed);
    for (const CycleQuery& query : kQueries) {
      const auto expected = shortest(drawn, query);
      const Components within = components(drawn.graph, query.first | query.path);
      ++counts[expected ? 1 : 0];
      const std::string wrong =
          fault_of(drawn, query, expected, shortest_cycle(drawn.graph, within, query));
      if (!wrong.empty()) return wrong + "\n" + text_of(drawn);
    }
    return {};
  };
  if (!test::check_seeds(cases, judge)) return;
  EXPECT_GT(counts[0], cases / 10);
  EXPECT_GT(counts[1], cases / 10);
}

// Both read a list without what the other appended, and many others appended to it, too: so many
// that the ways lead through one helper, from which each also gets to itself.
TEST(Graph, TheWayBackMayLeadThroughTheHelperThatLeadsOn) {
  Digraph graph(2);
  const std::uint32_t helper = graph.add_helper();
  for (const std::uint32_t node : {0U, 1U}) {
    graph.add(node, helper, kBlack);
    graph.add(helper, node, kPass);
  }
  graph.finish();
  const Components within = components(graph, kBlack);
  const auto cycle = shortest_cycle(graph, within, {.first = kBlack, .path = kBlack});
  ASSERT_TRUE(cycle.has_value());
  EXPECT_EQ(cycle->size(), 2U);
}

}  // namespace
}  // namespace sunder::checkers
