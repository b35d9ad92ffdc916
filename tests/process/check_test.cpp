// `sunder check` as a user calls it: exit codes, what is printed, pages.

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/file.hpp"
#include "harness/history/text.hpp"
#include "tests/histories/support/generator.hpp"

namespace sunder {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

const fs::path kPublished = fs::path(SUNDER_SOURCE_DIR) / "tests/histories/published";
const std::string kEtcd = (kPublished / "porcupine/test_data/jepsen/etcd_000.log").string();
const std::string kEtcdFine = (kPublished / "porcupine/test_data/jepsen/etcd_002.log").string();

struct Ended {
  int status = -1;
  std::string out;  // both streams
};

// By the shell, so that pipes can be written.
Ended shell(const std::string& command) {
  Ended ended;
  const std::string whole =
      fmt::format("PATH={}:$PATH; {{ {}; }} 2>&1", SUNDER_BINARY_DIR, command);
  FILE* pipe = ::popen(whole.c_str(), "r");
  if (pipe == nullptr) return ended;
  std::array<char, 4096> buffer{};
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    ended.out.append(buffer.data(), count);
  }
  const int status = ::pclose(pipe);
  ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ended;
}

class CheckCommand : public testing::Test {
 protected:
  // Of this process alone: others run beside it.
  CheckCommand()
      : folder_(fs::path(testing::TempDir()) / fmt::format("sunder_check_test-{}", ::getpid())) {
    fs::create_directories(folder_);
  }

  ~CheckCommand() override { fs::remove_all(folder_); }

  std::string file(const std::string& name, std::string_view content) {
    const fs::path path = folder_ / name;
    EXPECT_TRUE(base::write_file(path, content).has_value());
    return path.string();
  }

  fs::path folder_;
};

TEST_F(CheckCommand, ChoosesTheModelAndSaysSo) {
  const Ended broken = shell("sunder check " + kEtcd);
  EXPECT_EQ(broken.status, 1) << broken.out;
  EXPECT_THAT(broken.out, HasSubstr("INVALID (porcupine-log, "));
  EXPECT_THAT(broken.out,
              HasSubstr("model register/linearizable was chosen, the strongest that knows"));
  const Ended fine = shell("sunder check " + kEtcdFine + " --model cas-register");
  EXPECT_EQ(fine.status, 0) << fine.out;
  EXPECT_THAT(fine.out, Not(HasSubstr("chosen")));
}

TEST_F(CheckCommand, CallsWhatNobodySawUndetermined) {
  const std::string empty = file("empty.log", "");
  const std::string unknown = file(
      "unknown.jsonl",
      "{\"process\":1,\"type\":\"invoke\",\"f\":\"read\"}\n{\"process\":1,\"type\":\"info\"}\n");
  for (const std::string& path : {empty, unknown}) {
    const Ended ended = shell("sunder check " + path);
    EXPECT_EQ(ended.status, 2) << ended.out;
    EXPECT_THAT(ended.out, HasSubstr("undetermined"));
    EXPECT_THAT(ended.out, HasSubstr("nothing observed"));
  }
}

TEST_F(CheckCommand, NamesThePlaceOfWhatItCannotRead) {
  const std::string bad = file("bad.edn", "{:type :invoke}\n{:type :done}\n");
  const Ended ended = shell("sunder check " + bad);
  EXPECT_EQ(ended.status, 65);
  EXPECT_THAT(ended.out, HasSubstr("bad.edn:2:1: expected :type of"));
  EXPECT_EQ(shell("sunder check /nonexistent").status, 65);
  EXPECT_EQ(shell("sunder check " + kEtcd + " --model nonsense").status, 64);
  EXPECT_EQ(shell("sunder check " + kEtcd + " --format nonsense").status, 64);
  EXPECT_EQ(shell("sunder check " + kEtcd + " --memory nonsense").status, 64);
  // A misspelt flag is named even where a file is missing, too.
  const Ended misspelt = shell("sunder check --nope 2>&1");
  EXPECT_EQ(misspelt.status, 64);
  EXPECT_THAT(misspelt.out, HasSubstr("not expected: --nope"));
}

// A number that nobody asked for is a misspelt one.
TEST_F(CheckCommand, TakesTheParametersOfTheModel) {
  const std::string lock =
      file("lock.jsonl",
           "{\"process\":1,\"type\":\"invoke\",\"f\":\"acquire\",\"value\":1}\n"
           "{\"process\":1,\"type\":\"ok\",\"f\":\"acquire\",\"value\":1}\n"
           "{\"process\":2,\"type\":\"invoke\",\"f\":\"acquire\",\"value\":1}\n"
           "{\"process\":2,\"type\":\"ok\",\"f\":\"acquire\",\"value\":1}\n");
  const std::string check = "sunder check " + lock + " --model semaphore";
  EXPECT_EQ(shell(check + " --parameter permits=2").status, 0);
  const Ended broken = shell(check + " --parameter permits=1");
  EXPECT_EQ(broken.status, 1);
  EXPECT_THAT(broken.out, HasSubstr("when p2's acquire of 1 ended, 2 permits were taken"));
  const Ended none = shell(check);
  EXPECT_EQ(none.status, 64);
  EXPECT_THAT(none.out, HasSubstr("--parameter: the model semaphore needs permits=N: how many"));
  const Ended misspelt = shell("sunder check " + kEtcd + " --parameter permit=2");
  EXPECT_EQ(misspelt.status, 64);
  EXPECT_THAT(misspelt.out, HasSubstr("takes no parameter permit; it takes delta_ms, k"));
  EXPECT_EQ(shell("sunder check " + kEtcd + " --parameter k=many").status, 64);
  EXPECT_EQ(shell("sunder check " + kEtcd + " --parameter k=nan").status, 64);
  const std::string stale = "sunder check " + kEtcd + " --model register/delta-atomicity";
  EXPECT_EQ(shell(stale + " --parameter delta_ms=1e300").status, 0);
  EXPECT_EQ(shell(stale + " --parameter delta_ms=-1").status, 1);
}

// Serializable is refuted and the history is not "valid": it has a place in the lattice.
TEST_F(CheckCommand, PlacesAHistoryWithoutCallingItValid) {
  const std::string skew =
      file("skew.jsonl",
           R"({"process":0,"type":"invoke","f":"txn","value":[["r","x",null],["w","y",1]]}
{"process":1,"type":"invoke","f":"txn","value":[["r","y",null],["w","x",1]]}
{"process":0,"type":"ok","f":"txn","value":[["r","x",null],["w","y",1]]}
{"process":1,"type":"ok","f":"txn","value":[["r","y",null],["w","x",1]]}
)");
  const Ended ended = shell("sunder check " + skew + " --model txn-rw --strongest");
  EXPECT_EQ(ended.status, 0);
  EXPECT_THAT(ended.out,
              HasSubstr("placed (jsonl, 2 operations, model txn-rw): strongest not refu"));
  EXPECT_THAT(ended.out, HasSubstr("not repeatable-read: write skew"));
}

// A level alone names no model: each file's own is found.
TEST_F(CheckCommand, FindsTheModelForALevel) {
  const std::string lost =
      file("lost.jsonl",
           R"({"process":0,"type":"invoke","f":"txn","value":[["r","x",null],["w","x",1]]}
{"process":1,"type":"invoke","f":"txn","value":[["r","x",null],["w","x",2]]}
{"process":0,"type":"ok","f":"txn","value":[["r","x",null],["w","x",1]]}
{"process":1,"type":"ok","f":"txn","value":[["r","x",null],["w","x",2]]}
)");
  const Ended broken = shell("sunder check " + lost + " --model snapshot-isolation");
  EXPECT_EQ(broken.status, 1);
  EXPECT_THAT(broken.out, HasSubstr("model txn-rw/snapshot-isolation"));
  EXPECT_EQ(shell("sunder check " + lost + " --model read-committed").status, 0);
  const Ended none = shell("sunder check " + lost + " --model pram 2>&1");
  EXPECT_EQ(none.status, 64);
  EXPECT_THAT(none.out, HasSubstr("no model with a level 'pram' knows every operation"));
}

TEST_F(CheckCommand, JudgesSeveralFilesAndTellsTheWorst) {
  const std::string bad = file("bad.edn", "{:type :done}\n");
  const Ended ended = shell(fmt::format("sunder check {} {} {} --json", kEtcdFine, bad, kEtcd));
  EXPECT_EQ(ended.status, 65);
  const std::size_t begin = ended.out.find("[{");
  ASSERT_NE(begin, std::string::npos) << ended.out;
  const boost::json::value documents = boost::json::parse(ended.out.substr(begin));
  ASSERT_EQ(documents.as_array().size(), 3U);
  const auto word = [&](std::size_t i, const char* name) {
    return std::string(documents.at(i).at(name).as_string());
  };
  EXPECT_EQ(word(0, "verdict"), "valid");
  EXPECT_EQ(word(1, "verdict"), "unreadable");
  EXPECT_EQ(word(2, "verdict"), "invalid");
  EXPECT_EQ(word(2, "format"), "porcupine-log");
  EXPECT_FALSE(documents.at(2).at("counterexamples").as_array().empty());
  EXPECT_EQ(shell(fmt::format("sunder check {} {}", kEtcdFine, kEtcd)).status, 1);
}

TEST_F(CheckCommand, ReadsStandardInputAndGzip) {
  const Ended piped = shell(fmt::format("cat {} | sunder check -", kEtcd));
  EXPECT_EQ(piped.status, 1) << piped.out;
  const Ended packed = shell(fmt::format("gzip -c {} | sunder check -", kEtcdFine));
  EXPECT_EQ(packed.status, 0) << packed.out;
}

// The page holds the few operations of the counter-example, not the history.
TEST_F(CheckCommand, DrawsASmallPageOfALongHistory) {
  test::RegisterOptions options;
  options.operations = 100'000;
  options.keys = 50;
  options.violation = true;
  const std::string long_one =
      file("long.jsonl", history::to_jsonl(test::register_history(options)));
  const std::string page = (folder_ / "page.html").string();
  const Ended ended = shell(fmt::format("sunder check {} {} --html {}", long_one, kEtcd, page));
  EXPECT_EQ(ended.status, 1) << ended.out;
  constexpr std::uintmax_t kBytesMax = 100'000;
  EXPECT_LT(fs::file_size(page), kBytesMax);
  EXPECT_THAT(base::read_file(page).value(), HasSubstr("judged as register"));
  EXPECT_TRUE(fs::exists(folder_ / "page-2.html"));
}

// Only a contradiction between transactions has a graph; of other files nothing is written.
TEST_F(CheckCommand, WritesTheGraphOfACycle) {
  const std::string skew =
      file("skew.edn",
           "{:process 0 :type :invoke :f :txn :value [[:append 1 1] [:r 2 nil]]}\n"
           "{:process 1 :type :invoke :f :txn :value [[:append 2 1] [:r 1 nil]]}\n"
           "{:process 0 :type :ok :f :txn :value [[:append 1 1] [:r 2 []]]}\n"
           "{:process 1 :type :ok :f :txn :value [[:append 2 1] [:r 1 []]]}\n"
           "{:process 0 :type :invoke :f :txn :value [[:r 1 nil] [:r 2 nil]]}\n"
           "{:process 0 :type :ok :f :txn :value [[:r 1 [1]] [:r 2 [1]]]}\n");
  const std::string graph = (folder_ / "graph.dot").string();
  const Ended ended = shell(fmt::format("sunder check {} {} --dot {}", skew, kEtcd, graph));
  EXPECT_EQ(ended.status, 1) << ended.out;
  EXPECT_THAT(ended.out, HasSubstr("–rw 2→"));
  EXPECT_THAT(base::read_file(graph).value(), HasSubstr("digraph"));
  EXPECT_FALSE(fs::exists(folder_ / "graph-2.dot"));
}

}  // namespace
}  // namespace sunder
