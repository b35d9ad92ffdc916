// The documents that are code: generated pages equal what the program prints, README commands do
// what they say.
//
// REWRITE=1 writes the generated pages anew. README blocks of the kind ```console hold commands
// behind `$ `; each is run in order, in one empty folder, with the built programs on PATH; `# exit
// N` behind a command is its exit code (0 else).

#include <cstdlib>
#include <sstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "harness/base/file.hpp"
#include "tests/cluster/program.hpp"

namespace sunder::tests {
namespace {

namespace fs = std::filesystem;

class Docs : public InUniverse {
 protected:
  TemporaryFolder folder_;
};

void expect_page(const std::string& name, const std::string& content) {
  const fs::path path = fs::path(SUNDER_SOURCE_DIR) / "docs" / name;
  if (std::getenv("REWRITE") != nullptr) {
    ASSERT_TRUE(base::write_file(path, content).has_value());
  }
  EXPECT_EQ(base::read_file(path).value(), content)
      << "docs/" << name << " is generated: run this test with REWRITE=1 and read the difference";
}

TEST_P(Docs, ThePromiseCatalogueIsWhatTheProgramPrints) {
  const Ended list = run_sunder(GetParam(), folder_.path(), {"list", "--markdown"});
  ASSERT_EQ(list.status, 0) << list.err;
  expect_page("promises.md", list.out);
}

TEST_P(Docs, TheFaultCatalogueIsWhatTheProgramPrints) {
  const Ended list = run_sunder(GetParam(), folder_.path(), {"list", "faults", "--markdown"});
  ASSERT_EQ(list.status, 0) << list.err;
  expect_page("faults.md", list.out);
}

TEST_P(Docs, TheCommandReferenceIsWhatHelpPrints) {
  std::string page =
      "# Command reference\n\nGenerated from `sunder --help` and each command's own; a test "
      "compares.\n";
  const std::vector<std::vector<std::string>> commands{{},
                                                       {"run"},
                                                       {"campaign"},
                                                       {"prove"},
                                                       {"up"},
                                                       {"fault"},
                                                       {"heal"},
                                                       {"status"},
                                                       {"check"},
                                                       {"list"},
                                                       {"doctor"},
                                                       {"replay"},
                                                       {"report"}};
  for (const std::vector<std::string>& command : commands) {
    std::vector<std::string> arguments = command;
    arguments.emplace_back("--help");
    const Ended help = run_sunder(GetParam(), folder_.path(), arguments);
    ASSERT_EQ(help.status, 0) << help.err;
    page += "\n## sunder" + (command.empty() ? "" : " " + command[0]) + "\n\n```\n" + help.out;
    while (page.ends_with("\n\n")) page.pop_back();
    page += "```\n";
  }
  expect_page("commands.md", page);
}

struct Shown {
  std::string command;
  int status = 0;
};

// Commands of the README's console blocks.
std::vector<Shown> shown_commands() {
  std::istringstream readme(base::read_file(fs::path(SUNDER_SOURCE_DIR) / "README.md").value());
  std::vector<Shown> commands;
  bool console = false;
  for (std::string line; std::getline(readme, line);) {
    if (line.starts_with("```")) console = line == "```console";
    if (!console || !line.starts_with("$ ")) continue;
    Shown shown{.command = line.substr(2)};
    if (const std::size_t at = shown.command.find("# exit "); at != std::string::npos) {
      shown.status = std::stoi(shown.command.substr(at + 7));
    }
    commands.push_back(std::move(shown));
  }
  return commands;
}

TEST_P(Docs, TheReadmesCommandsDoWhatTheySay) {
  const std::vector<Shown> commands = shown_commands();
  ASSERT_GE(commands.size(), 4U) << "the README shows no commands";
  const std::string programs = fs::path(SUNDER_PROGRAM).parent_path().string();
  for (const Shown& shown : commands) {
    SCOPED_TRACE(shown.command);
    const pid_t child = fork_as(GetParam(), [&] {
      const std::string command = "cd '" + folder_.path().string() +
                                  "' && PATH=\"$PATH:" + programs + "\" && " + shown.command;
      return ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    });
    int status = wait_for(child);
    // Then it cannot judge what is about time, and says so.
    if (status == 2 && any_tells_of_overload(folder_.path())) status = 0;
    EXPECT_EQ(status, shown.status);
  }
}

INSTANTIATE_TEST_SUITE_P(Users, Docs, ::testing::ValuesIn(users()), user_name);

}  // namespace
}  // namespace sunder::tests
