// docs/environment.md has every environment variable that the program reads or sets, and no other.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "documents/markdown.h"
#include "support/sandbox.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::IsEmpty;
using Names = std::set<std::string>;

// Functions of a file that look a variable up, beside getenv. Those of a file without any look up what users name.
const std::map<std::string, std::string> kLookups = {{"engine/cli/console.cc", "Variable"},
                                                     {"engine/cli/state_home.cc", "Environment|OwnFolder"},
                                                     {"engine/plugin/catalogue.cc", "Environment"},
                                                     {"engine/target/ssh/ssh_settings.cc", "variable"},
                                                     {"engine/target/ssh/ssh_tokens.cc", ""},
                                                     {"engine/workflow/check.cc", ""},
                                                     {"engine/run/secrets.cc", ""},
                                                     {"engine/run/run_state.cc", ""}};

std::string ReadFile(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// The sources below the folders, by their path in the tree; no tests, and nothing that only tests need.
std::map<std::string, std::string> Sources(std::initializer_list<const char*> folders) {
  const std::regex of_tests(".*(_test\\.cc|_fixture\\.h|_support\\.h|/testing/.*)");
  std::map<std::string, std::string> sources;
  for (const char* folder : folders) {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(Sandbox::source() / folder)) {
      const std::string path = fs::relative(entry.path(), Sandbox::source());
      if (entry.is_regular_file() && !std::regex_match(path, of_tests)) sources[path] = ReadFile(entry.path());
    }
  }
  return sources;
}

Names AllOf(const std::string& text, const std::string& pattern) {
  Names found;
  const std::regex regex(pattern);
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at) found.insert((*at)[1]);
  return found;
}

// What the program reads, by the calls in its sources.
Names Read() {
  Names read;
  for (const auto& [path, text] : Sources({"engine", "plugins", "sdk"})) {
    read.merge(AllOf(text, "getenv\\(\"(\\w+)\"\\)"));
    if (!std::regex_search(text, std::regex("getenv\\((?!\")"))) continue;
    const auto lookup = kLookups.find(path);
    if (lookup == kLookups.end()) {
      ADD_FAILURE() << path << " looks up variables that are not named there; add it to kLookups";
    } else if (!lookup->second.empty()) {
      read.merge(AllOf(text, "\\b(?:" + lookup->second + ")\\(\"([A-Z_]+)\""));
      read.merge(AllOf(text, "name : \\{\"([A-Z_]+)\""));  // a list of them
      read.merge(AllOf(text, ", \"(LC_CTYPE|LANG)\""));
    }
  }
  return read;
}

// What it sets for jobs.
Names Set() {
  Names set;
  for (const auto& [path, text] : Sources({"engine", "plugins"})) {
    set.merge(AllOf(text, "\\benv\\[\"([A-Z_]+)\""));
    if (path.rfind("plugins/", 0) == 0) set.merge(AllOf(text, "export ([A-Z][A-Z_]+)"));
    set.merge(AllOf(text, "\\{\"([A-Z_]{3,})\", (?:Text|Format|std::to_string)\\("));
  }
  return set;
}

// Every variable of ours that a text of the sources names. One that is made of a name and more ends with '_'.
Names Ours() {
  Names ours;
  for (const auto& [path, text] : Sources({"engine", "plugins", "sdk/include", "tools", ".ci"})) {
    ours.merge(AllOf(text, "[\"$]\\{?(COSMOS_[A-Z0-9_]+)"));
  }
  return ours;
}

class EnvironmentPageTest : public ::testing::Test {
 protected:
  Names NamesBelow(const std::string& heading) const {
    Names names;
    for (const auto& row : RowsBelow(heading, page_)) {
      for (const std::string& name : CodeIn(row[0])) names.insert(name);
    }
    EXPECT_FALSE(names.empty()) << heading;
    return names;
  }
  static Names Without(Names names, const Names& others) {
    for (const std::string& name : others) names.erase(name);
    return names;
  }

  const std::string page_ = ReadFile(Sandbox::source() / "docs/environment.md");
};

TEST_F(EnvironmentPageTest, HasAllThatIsRead) {
  const Names documented = NamesBelow("## Read by cosmos-engine");
  EXPECT_THAT(Without(Read(), documented), IsEmpty()) << "are read and not documented";
  EXPECT_THAT(Without(documented, Read()), IsEmpty()) << "are documented and not read";
}

TEST_F(EnvironmentPageTest, HasAllThatJobsGet) {
  const Names documented = NamesBelow("## Set for jobs");
  const Names others = {"INPUT_", "LC_ALL"};  // INPUT_NAME; for the scripts of a diagnosis
  EXPECT_THAT(Without(Without(Set(), documented), others), IsEmpty()) << "are set and not documented";
  EXPECT_THAT(Without(Without(documented, Set()), {"INPUT_NAME", "COSMOS_INPUT_NAME"}), IsEmpty())
      << "are documented and not set";
}

TEST_F(EnvironmentPageTest, NamesEveryVariableOfOurs) {
  const Names ours = Ours();
  EXPECT_THAT(ours, Contains("COSMOS_BUILD"));
  const auto is_named = [&](const std::string& text, const std::string& name) {
    return std::regex_search(text, std::regex("`" + name + (name.back() == '_' ? "[A-Z]+`" : "`")));
  };
  for (const std::string& name : ours) EXPECT_TRUE(is_named(page_, name)) << name;
  for (const std::string& name : AllOf(page_, "`(COSMOS_[A-Z_]+)`")) {
    const bool is_made = ours.count(name.substr(0, name.rfind('_') + 1)) > 0;
    EXPECT_TRUE(is_made || ours.count(name) > 0) << name << " is documented, and nothing names it";
  }
}

}  // namespace
}  // namespace cosmos::testing
