// Every command of ffmpeg and ffprobe is made by sdk/include/cosmos/media_input.hpp, which limits what a file can make
// them do.

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

constexpr const char* kMaker = "sdk/include/cosmos/media_input.hpp";

bool IsOfTests(const std::string& path) {
  return std::regex_match(path, std::regex(".*(_test\\.cc|_fixture\\.h|/testing/.*)"));
}

// The lines of a source that start ffmpeg or ffprobe.
std::vector<std::string> CommandsIn(const std::string& text) {
  static const std::regex kComment(R"(^\s*//.*)");
  static const std::regex kCommand(R"re(.*("ff(mpeg|probe)"|\bff(mpeg|probe) +(-|\\?"?\$)).*)re");
  std::vector<std::string> found;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!std::regex_match(line, kComment) && std::regex_match(line, kCommand)) found.push_back(line);
  }
  return found;
}

TEST(MediaCommands, AreMadeInOnePlace) {
  const fs::path tree = SOURCE_TREE;
  const std::set<std::string> sources = {".h", ".hpp", ".c", ".cc", ".in", ".sh", ".py"};
  int files = 0;
  for (const char* folder : {"engine", "plugins", "sdk"}) {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(tree / folder)) {
      const std::string path = fs::relative(entry.path(), tree);
      if (!entry.is_regular_file() || sources.count(entry.path().extension()) == 0) continue;
      if (path == kMaker || IsOfTests(path)) continue;
      ++files;
      std::ostringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      for (const std::string& line : CommandsIn(text.str())) {
        ADD_FAILURE() << path << ": expected a command made by <cosmos/media_input.hpp>, found: " << line;
      }
    }
  }
  EXPECT_GT(files, 100) << "the tree was not found below " << tree;
}

TEST(MediaCommands, AreFoundInTheirSpellings) {
  EXPECT_THAT(CommandsIn("  Run({\"ffmpeg\", \"-nostdin\"});\n"), SizeIs(1));
  EXPECT_THAT(CommandsIn("  script += \"ffprobe -v error $1\";\n"), SizeIs(1));
  EXPECT_THAT(CommandsIn("  facts=$(ffprobe \"$1\")\n"), SizeIs(1));
  EXPECT_THAT(CommandsIn("  // ffmpeg -i FILE\n  \"install ffmpeg \"\n  {\"ffmpeg: not found\"}\n"), IsEmpty());
}

}  // namespace
