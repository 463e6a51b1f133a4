// JSON and YAML that others wrote is read in one place each, which limits its size and depth, and nobody compares a
// text of any length with a regular expression.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Those who may.
const std::set<std::string> kJson = {"sdk/include/cosmos/parse_json.hpp"};
const std::set<std::string> kYaml = {"engine/workflow/yaml_document.cc"};
const std::set<std::string> kRegex = {
    "engine/workflow/schema_pattern.cc",      "engine/workflow/schema_pattern.h",  // which has the limit
    "engine/workflow/schema_explainer.cc",    "engine/workflow/schema_explainer.h",
    "plugins/inference/command_model.cc",        // cuts the lines that it reads
    "plugins/prompt_enhancement/upsampler.cc"};  // likewise

bool IsOfTests(const std::string& path) {
  return std::regex_match(path, std::regex(".*(_test\\.cc|_fixture\\.h|_test_support\\.h|/testing/.*)"));
}

std::vector<std::string> ProblemsIn(const std::string& path, const std::string& text) {
  // A schema that stands in the source is nobody else's.
  static const std::regex kParsesJson(R"re(.*\b[Jj]son::(parse\((?!R")|accept|sax_parse|from_\w+\().*)re");
  static const std::regex kParsesYaml(R"re(.*(\bYAML::(Load|Parser)).*)re");
  static const std::regex kMatches(R"re(.*(std::s?regex|#include <regex>).*)re");
  static const std::regex kComment(R"(^\s*//.*)");
  std::vector<std::string> problems;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_match(line, kComment)) continue;
    const auto add = [&](const std::string& fix) { problems.push_back(path + ": " + fix + ", found: " + line); };
    if (kJson.count(path) == 0 && std::regex_match(line, kParsesJson)) add("expected ParseJson or TryParseJson");
    if (kYaml.count(path) == 0 && std::regex_match(line, kParsesYaml)) add("expected YamlDocument::Parse");
    if (kRegex.count(path) == 0 && std::regex_match(line, kMatches)) add("expected no regular expression");
  }
  return problems;
}

TEST(Parsers, AreTheOnesWithLimits) {
  const fs::path tree = SOURCE_TREE;
  const std::set<std::string> sources = {".h", ".hpp", ".c", ".cc"};
  int files = 0;
  for (const char* folder : {"engine", "plugins", "sdk"}) {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(tree / folder)) {
      const std::string path = fs::relative(entry.path(), tree);
      if (!entry.is_regular_file() || sources.count(entry.path().extension()) == 0 || IsOfTests(path)) continue;
      ++files;
      std::ostringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      for (const std::string& problem : ProblemsIn(path, text.str())) ADD_FAILURE() << problem;
    }
  }
  EXPECT_GT(files, 100) << "the tree was not found below " << tree;
}

TEST(Parsers, AreFoundInTheirSpellings) {
  for (const char* line :
       {"  const json a = json::parse(text);", "  nlohmann::json::parse(text, nullptr, false)", "  Json::accept(text)",
        "  YAML::Load(text)", "#include <regex>", "  std::sregex_iterator i"}) {
    EXPECT_THAT(ProblemsIn("engine/run/a.cc", line), SizeIs(1)) << line;
  }
  EXPECT_THAT(ProblemsIn("plugins/a/a.cc", "  Json::parse(R\"json({\n  // json::parse(text)\n  ParseJson(text)"),
              IsEmpty());
}

}  // namespace
