// Every command line of the documents is tried, in a folder that has what they speak of.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <regex>
#include <sstream>

#include "documents/markdown.h"
#include "support/processes.h"
#include "support/sandbox.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;

// The command of a line, such as `build/bin/cosmos-engine show last   # the newest run`: what follows the program's
// name. Empty for other lines.
std::string CommandOf(const std::string& line) {
  static const std::regex kCommand("^(?:\\$ )?(?:build/bin/)?cosmos-engine (.+?)(?:  +#.*)?$");
  std::smatch match;
  return std::regex_match(line, match, kCommand) ? match[1].str() : "";
}

// With something of the sandbox in place of what the documents leave open.
std::string Filled(std::string command) {
  const std::pair<const char*, const char*> kOpen[] = {{"\\bRUN_ID\\b", "last"},
                                                       {"\\bSTAGE\\b", "render"},
                                                       {"\\bNAME\\b", "gpu1"},
                                                       {"\\bID\\b|\\bPLUGIN\\b|\\bmy-stage\\b", "noop"},
                                                       {"\\b(FILE|WORKFLOW)(\\.\\.\\.)?", "render.yaml"},
                                                       {"\\bOUTPUT_DIR\\b|\\bDIR\\b", "outputs"},
                                                       {"\\bCOMMAND\\b", "run"},
                                                       {"\\bN\\b", "1"},
                                                       {"[\\[\\]]|…", ""}};
  for (const auto& [open, filling] : kOpen) command = std::regex_replace(command, std::regex(open), filling);
  return command;
}

// Runs are planned only: what they do is tried in tests of their own.
std::string Tried(const std::string& command) {
  const std::string filled = Filled(command);
  return filled.rfind("run ", 0) == 0 && filled.find("--dry-run") == filled.npos ? filled + " --dry-run" : filled;
}

bool IsMisused(const Ended& ended) {
  static const std::regex kMisuse(
      "error: (unknown option|there is no (command|option)|[A-Z_]+ is missing|the option --\\S+ was given more|found "
      ".* "
      "(too many|after --)|the (required )?argument|option '|unrecognised)");
  return ended.status == 2 && std::regex_search(ended.err, kMisuse);
}

// Lines of blocks that do not succeed here.
const std::map<std::string, int> kStatuses = {
    {"resume last", 2},           // the run has ended
    {"show last --plot", 2},      // it had no GPUs
    {"prune --keep-days 30", 2},  // there is no terminal to ask on
    {"prepare render/city --map 'color=r.####.exr' --map 'depth=r.####.exr' --layer diffuse --layer "
     "depth=ViewLayer.Depth",
     2}};  // there are no EXR files with layers

class CommandLinesTest : public ::testing::Test {
 protected:
  CommandLinesTest() {
    sandbox_.SetEnvironment("COSMOS_PLUGIN_PATH=");
    sandbox_.Write("config/cosmos-engine/config.yaml", "targets: {gpu1: {local: {}}}\n");
    sandbox_.Write(".config/cosmos-engine/here", "");
    sandbox_.Write("textfile/here", "");
    for (const char* video : {"in.mp4", "shot.mp4", "color.mp4", "depth.mp4"}) Draw("testsrc2=s=160x88:r=12", 6, video);
    for (const char* frames : {"color.%04d.png", "masks/objects.%04d.png", "z.%04d.exr", "lines.%04d.png"}) {
      Draw("testsrc2=s=64x64:r=24", 2, std::string("render/city/") + frames);
    }
    CopyWorkflows();
    sandbox_.Write("render.yaml", R"(
version: 1
name: city
stages:
  render:
    uses: inference
    with: {model: playblast, prompt: a city, input_video: in.mp4, controls: {edge: {weight: 0.3}}}
)");
    const Ended ended = sandbox_.Engine({"run", "render.yaml", "--quiet"});
    EXPECT_EQ(ended.status, 0) << ended.err;
  }

  void Draw(const std::string& source, int frames, const std::string& file) const {
    fs::create_directories((sandbox_.folder() / file).parent_path());
    MustRun({"ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", source, "-frames:v",
             std::to_string(frames), (sandbox_.folder() / file).string()});
  }
  // With targets of this machine: nothing is asked of hosts.
  void CopyWorkflows() const {
    for (const auto& file : fs::directory_iterator(Sandbox::source() / "workflows")) {
      const std::string text = sandbox_.Read(file.path());
      const std::string local = std::regex_replace(text, std::regex("ssh: \\{[^}]*\\}"), "local: {}");
      sandbox_.Write("workflows/" + file.path().filename().string(), local);
      EXPECT_EQ(local.find("ssh:"), local.npos) << file.path();
    }
  }
  Ended Try(const std::string& command) const { return sandbox_.EngineInShell(Tried(command)); }

  Sandbox sandbox_;
};

TEST_F(CommandLinesTest, ThoseOfBlocksSucceed) {
  int tried = 0;
  for (const std::string& page : Pages(Sandbox::source())) {
    for (const Fence& fence : FencesOf(page, sandbox_.Read(Sandbox::source() / page))) {
      std::istringstream lines(fence.text);
      for (std::string line; std::getline(lines, line);) {
        const std::string command = CommandOf(line);
        if (command.empty()) continue;
        const auto status = kStatuses.find(command);
        const Ended ended = Try(command);
        EXPECT_EQ(ended.status, status == kStatuses.end() ? 0 : status->second) << fence.Place() << ": " << line << "\n"
                                                                                << ended.err;
        EXPECT_FALSE(IsMisused(ended)) << fence.Place() << ": " << line << "\n" << ended.err;
        ++tried;
      }
    }
  }
  EXPECT_GT(tried, 15);
}

TEST_F(CommandLinesTest, ThoseInTheTextAreUnderstood) {
  int tried = 0;
  for (const std::string& page : Pages(Sandbox::source())) {
    for (const Place& span : CodeSpansOf(page, sandbox_.Read(Sandbox::source() / page))) {
      std::string command = CommandOf(span.text);
      if (command.empty()) continue;
      if (command.find(' ') == command.npos) command = "help " + command;  // the command is meant, and no line
      const Ended ended = Try(command);
      EXPECT_FALSE(IsMisused(ended)) << span.page << ":" << span.line << ": " << span.text << "\n" << ended.err;
      ++tried;
    }
  }
  EXPECT_GT(tried, 40);
}

TEST_F(CommandLinesTest, ThoseOfTheShippedWorkflowsAreUnderstood) {
  int tried = 0;
  for (const auto& file : fs::directory_iterator(sandbox_.folder() / "workflows")) {
    std::istringstream lines(sandbox_.Read(file.path()));
    for (std::string line; std::getline(lines, line);) {
      const std::string command = CommandOf(std::regex_replace(line, std::regex("^# +"), ""));
      if (command.empty()) continue;
      const Ended ended = Try(command);
      EXPECT_FALSE(IsMisused(ended)) << file.path() << ": " << line << "\n" << ended.err;
      const bool must_succeed = command.rfind("run ", 0) == 0;
      EXPECT_TRUE(ended.status == 0 || !must_succeed) << file.path() << ": " << line << "\n" << ended.err;
      ++tried;
    }
  }
  EXPECT_GE(tried, 10);
}

TEST_F(CommandLinesTest, AWrongOneIsFound) {
  for (const char* wrong : {"run render.yaml --bogus", "shwo last", "show", "show last a b", "--bogus show last",
                            "logs last -n", "run render.yaml --jobs x"}) {
    EXPECT_TRUE(IsMisused(Try(wrong))) << wrong << ": " << Try(wrong).err;
  }
}

}  // namespace
}  // namespace cosmos::testing
