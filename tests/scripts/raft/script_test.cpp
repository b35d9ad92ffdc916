// Runs the scripts of tests/scripts/raft: commands to a simulated cluster, and the trace they must
// give.
//
// A script is a sequence of blocks: commands, a line ----, the expected trace up to an empty line.
// REWRITE=1 writes the traces anew. Lines that begin with # are comments. Commands are the rows of
// kHandlers. A script that names a sabotage must end with a violation; the same commands without it
// must end without one.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/file.hpp"
#include "tests/unit/raft/simulation.hpp"

namespace sunder::nodes::raft {
namespace {

using Words = std::vector<std::string>;

struct Script {
  std::unique_ptr<Simulation> simulation;
  Sabotage sabotage = Sabotage::none;  // the one named by the script
  bool honest = false;                 // leave it off
};

// "n2" or "2"; a script's mistake ends the test.
NodeId node_of(const std::string& word) {
  const std::string digits = word.starts_with("n") ? word.substr(1) : word;
  return static_cast<NodeId>(std::stoul(digits));
}

Simulation::Link link_of(const std::string& word) {
  const std::size_t arrow = word.find("->");
  if (arrow == std::string::npos) throw std::invalid_argument("not a link: " + word);
  return {node_of(word.substr(0, arrow)), node_of(word.substr(arrow + 2))};
}

std::size_t count_of(const Words& words, std::size_t position, std::size_t otherwise) {
  return position < words.size() ? std::stoul(words[position]) : otherwise;
}

// cluster 3 [members=N] [sabotage=NAME] [seed=N] [batch=ENTRIES]
void cluster(Script& script, const Words& words) {
  SimulationOptions options{.nodes = node_of(words.at(1)), .trace = true};
  for (std::size_t i = 2; i < words.size(); ++i) {
    if (words[i].starts_with("sabotage=")) {
      script.sabotage = sabotage_named(words[i].substr(9)).value();
      if (!script.honest) options.sabotage = script.sabotage;
    } else if (words[i].starts_with("members=")) {
      options.members = node_of(words[i].substr(8));
    } else if (words[i].starts_with("seed=")) {
      options.seed = std::stoull(words[i].substr(5));
    } else if (words[i].starts_with("batch=")) {
      options.message_entries_max = std::stoull(words[i].substr(6));
    } else {
      throw std::invalid_argument("cluster: " + words[i]);
    }
  }
  script.simulation = std::make_unique<Simulation>(options);
}

// tick n1 [count] · tick n1 until pre-candidate|candidate|leader|follower
void tick(Script& script, const Words& words) {
  const NodeId node = node_of(words.at(1));
  constexpr std::size_t kTicksMax = 60;
  if (words.size() > 3 && words[2] == "until") {
    for (std::size_t i = 0; i < kTicksMax; ++i) {
      if (name_of(script.simulation->core(node).role()) == words[3]) return;
      script.simulation->tick(node);
    }
    return script.simulation->note("gave up");
  }
  for (std::size_t i = 0; i < count_of(words, 2, 1); ++i) script.simulation->tick(node);
}

// elect n1: the others forget their leader, then n1 alone ticks until it leads; everything is
// delivered.
void elect(Script& script, const Words& words) {
  const NodeId node = node_of(words.at(1));
  constexpr std::size_t kForgetTicks = 10;
  for (NodeId other = 1; other <= script.simulation->node_count(); ++other) {
    if (other == node || !script.simulation->is_up(other)) continue;
    if (script.simulation->core(other).role() == Role::leader) continue;
    if (script.simulation->core(other).leader() == kNobody) continue;
    for (std::size_t i = 0; i < kForgetTicks; ++i) script.simulation->tick(other);
  }
  constexpr std::size_t kTicksMax = 60;
  for (std::size_t i = 0; i < kTicksMax; ++i) {
    if (script.simulation->core(node).role() == Role::leader) return;
    script.simulation->tick(node);
    script.simulation->deliver_all();
  }
  script.simulation->note("gave up");
}

// run 10: everybody ticks, everything is delivered, ten times.
void run(Script& script, const Words& words) {
  script.simulation->run(count_of(words, 1, 1));
}

void stabilize(Script& script, const Words& /*words*/) {
  script.simulation->deliver_all();
}

// propose n1 x y z
void propose(Script& script, const Words& words) {
  for (std::size_t i = 2; i < words.size(); ++i) {
    script.simulation->propose(node_of(words.at(1)), words[i]);
  }
}

// read n1 r1
void read(Script& script, const Words& words) {
  script.simulation->read(node_of(words.at(1)), words.at(2));
}

// deliver 1->2 [count|last|all]
void deliver(Script& script, const Words& words) {
  const Simulation::Link link = link_of(words.at(1));
  const auto size = [&] {
    const auto queue = script.simulation->links().find(link);
    return queue == script.simulation->links().end() ? 0 : queue->second.size();
  };
  const bool last = words.size() > 2 && words[2] == "last";
  const bool all = words.size() > 2 && words[2] == "all";
  const std::size_t count = last ? 1 : all ? size() : count_of(words, 2, 1);
  for (std::size_t i = 0; i < count; ++i) {
    if (size() == 0) return script.simulation->note("nothing to deliver");
    const std::size_t position = last ? size() - 1 : 0;
    script.simulation->note(describe(script.simulation->links().at(link)[position]));
    script.simulation->deliver(link, position);
  }
}

// drop 1->2 [count|all]
void drop(Script& script, const Words& words) {
  const bool all = words.size() > 2 && words[2] == "all";
  const std::size_t count = all ? SIZE_MAX : count_of(words, 2, 1);
  for (std::size_t i = 0; i < count; ++i) {
    if (!script.simulation->drop(link_of(words.at(1)))) return;
  }
}

void duplicate(Script& script, const Words& words) {
  if (!script.simulation->duplicate(link_of(words.at(1)))) script.simulation->note("nothing there");
}

void messages(Script& script, const Words& /*words*/) {
  for (const auto& [link, queue] : script.simulation->links()) {
    for (const Message& message : queue) script.simulation->note(describe(message));
  }
}

// partition 1 2 | 3 4 5: what is sent across from now on is lost.
void partition(Script& script, const Words& words) {
  const auto bar = std::find(words.begin(), words.end(), "|");
  for (auto left = words.begin() + 1; left != bar; ++left) {
    for (auto right = bar + 1; right < words.end(); ++right) {
      script.simulation->cut({node_of(*left), node_of(*right)});
      script.simulation->cut({node_of(*right), node_of(*left)});
    }
  }
}

void cut(Script& script, const Words& words) {
  script.simulation->cut(link_of(words.at(1)));
}

void heal(Script& script, const Words& /*words*/) {
  script.simulation->heal();
}

void crash(Script& script, const Words& words) {
  for (std::size_t i = 1; i < words.size(); ++i) script.simulation->crash(node_of(words[i]));
}

void restart(Script& script, const Words& words) {
  for (std::size_t i = 1; i < words.size(); ++i) script.simulation->restart(node_of(words[i]));
}

// hold n1: its writes wait for `sync n1` (one) or `release n1` (all).
void hold(Script& script, const Words& words) {
  script.simulation->hold_disk(node_of(words.at(1)));
}

void release(Script& script, const Words& words) {
  script.simulation->release_disk(node_of(words.at(1)));
}

void sync(Script& script, const Words& words) {
  if (!script.simulation->sync(node_of(words.at(1)))) script.simulation->note("nothing waits");
}

void snapshot(Script& script, const Words& words) {
  script.simulation->take_snapshot(node_of(words.at(1)));
}

// transfer n1 n2
void transfer(Script& script, const Words& words) {
  script.simulation->transfer(node_of(words.at(1)), node_of(words.at(2)));
}

// add n1 n4: asks n1 to make n4 a member · remove n1 n2
void add(Script& script, const Words& words) {
  script.simulation->change_member(node_of(words.at(1)), node_of(words.at(2)), true);
}

void remove(Script& script, const Words& words) {
  script.simulation->change_member(node_of(words.at(1)), node_of(words.at(2)), false);
}

// state [n1 …]
void state(Script& script, const Words& words) {
  for (NodeId node = 1; node <= script.simulation->node_count(); ++node) {
    const bool named =
        std::find(words.begin(), words.end(), fmt::format("n{}", node)) != words.end();
    if (words.size() == 1 || named) script.simulation->note(script.simulation->describe(node));
  }
}

// clock n1 -1000: moves the node's realtime clock by so many steps of the simulation.
void clock(Script& script, const Words& words) {
  script.simulation->move_clock(node_of(words.at(1)), std::stoll(words.at(2)));
}

// quiet: drops the trace so far.
void quiet(Script& script, const Words& /*words*/) {
  (void)script.simulation->take_trace();
}

void check(Script& script, const Words& /*words*/) {
  const auto violations = script.simulation->violations();
  if (violations.empty()) script.simulation->note("no violation");
  for (const std::string& violation : violations) script.simulation->note(violation);
}

struct Handler {
  std::string_view name;
  void (*handle)(Script&, const Words&);
};

constexpr Handler kHandlers[] = {
    {"add", add},
    {"remove", remove},
    {"check", check},
    {"clock", clock},
    {"cluster", cluster},
    {"crash", crash},
    {"cut", cut},
    {"deliver", deliver},
    {"drop", drop},
    {"duplicate", duplicate},
    {"elect", elect},
    {"heal", heal},
    {"hold", hold},
    {"messages", messages},
    {"partition", partition},
    {"propose", propose},
    {"quiet", quiet},
    {"read", read},
    {"release", release},
    {"restart", restart},
    {"run", run},
    {"snapshot", snapshot},
    {"stabilize", stabilize},
    {"state", state},
    {"sync", sync},
    {"tick", tick},
    {"transfer", transfer},
};

void execute(Script& script, const std::string& line) {
  Words words;
  std::istringstream stream(line);
  for (std::string word; stream >> word;) words.push_back(word);
  if (words.empty() || words[0].starts_with("#")) return;
  const auto handler = std::ranges::find(kHandlers, words[0], &Handler::name);
  if (handler == std::end(kHandlers)) throw std::invalid_argument("no such command: " + line);
  if (words[0] != "cluster" && !script.simulation)
    throw std::invalid_argument("cluster comes first");
  handler->handle(script, words);
}

struct Block {
  std::string commands;  // with comments, as written
  std::string expected;
};

std::vector<Block> parse(const std::string& text) {
  std::vector<Block> blocks(1);
  bool in_expected = false;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (in_expected && line.empty()) {
      blocks.emplace_back();
      in_expected = false;
    } else if (!in_expected && line == "----") {
      in_expected = true;
    } else {
      (in_expected ? blocks.back().expected : blocks.back().commands) += line + "\n";
    }
  }
  if (blocks.back().commands.empty()) blocks.pop_back();
  return blocks;
}

// Runs the blocks and returns their traces.
std::vector<std::string> traces_of(Script& script, const std::vector<Block>& blocks) {
  std::vector<std::string> traces;
  for (const Block& block : blocks) {
    std::istringstream stream(block.commands);
    for (std::string line; std::getline(stream, line);) execute(script, line);
    std::string trace;
    for (const std::string& line : script.simulation->take_trace()) trace += line + "\n";
    traces.push_back(trace.empty() ? "nothing\n" : trace);
  }
  return traces;
}

std::vector<std::string> script_files() {
  std::vector<std::string> names;
  const std::filesystem::path folder = std::string(SUNDER_SOURCE_DIR) + "/tests/scripts/raft";
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    const bool is_script = file.path().extension() == ".txt" && file.path().stem() != "CMakeLists";
    if (is_script) names.push_back(file.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class RaftScript : public ::testing::TestWithParam<std::string> {};

TEST_P(RaftScript, GivesItsTrace) {
  const std::filesystem::path path =
      fmt::format("{}/tests/scripts/raft/{}.txt", SUNDER_SOURCE_DIR, GetParam());
  const auto text = base::read_file(path);
  ASSERT_TRUE(text.has_value());
  const std::vector<Block> blocks = parse(*text);
  Script script;
  const std::vector<std::string> traces = traces_of(script, blocks);
  if (std::getenv("REWRITE") != nullptr) {
    std::string rewritten;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      rewritten += fmt::format("{}{}----\n{}", i == 0 ? "" : "\n", blocks[i].commands, traces[i]);
    }
    ASSERT_TRUE(base::write_file(path, rewritten).has_value());
  } else {
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      EXPECT_EQ(blocks[i].expected, traces[i]) << "after:\n" << blocks[i].commands;
    }
  }
  EXPECT_EQ(script.simulation->violations().empty(), script.sabotage == Sabotage::none);
  if (script.sabotage == Sabotage::none) return;
  Script honest{.simulation = nullptr, .honest = true};
  (void)traces_of(honest, blocks);
  honest.simulation->settle_and_check();
  EXPECT_THAT(honest.simulation->violations(), ::testing::IsEmpty()) << "without the sabotage";
}

std::string script_name(const ::testing::TestParamInfo<std::string>& row) {
  std::string name = row.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Scripts, RaftScript, ::testing::ValuesIn(script_files()), script_name);

}  // namespace
}  // namespace sunder::nodes::raft
