#include "target/ssh/workdir_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "target/ssh/scripts_fixture.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class WorkdirScriptTest : public ScriptsTest {
 protected:
  std::string Refused(const std::string& folder) const {
    std::string reason;
    for (const bool make : {false, true}) {
      const Said said = Run(WorkdirScript(folder, {make, false}));
      EXPECT_EQ(said.status, kUnsafeWorkdir) << said.output << said.errors;
      EXPECT_EQ(Run(WorkdirScript(folder, {make, true})).status, 0);
      reason = said.output;
    }
    return reason;
  }
  std::string Folder(const std::string& name, unsigned mode, unsigned owner = ::getuid()) const {
    const std::string path = fs::canonical(root_).string() + "/" + name;
    MakeFolders(path);
    EXPECT_EQ(::chown(path.c_str(), owner, owner), 0);
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
  }
  std::vector<std::string> Tree() const {
    std::vector<std::string> tree;
    for (const auto& entry : fs::recursive_directory_iterator(root_)) tree.push_back(entry.path());
    return tree;
  }
};

INSTANTIATE_TEST_SUITE_P(By, WorkdirScriptTest, Shells(), ShellName);

TEST_P(WorkdirScriptTest, AWorkdirIsMadeAndPrintedAbsolute) {
  const std::string home = fs::canonical(root_).string() + "/home";
  EXPECT_EQ(Ask(WorkdirScript("~")), home + "\n");
  EXPECT_EQ(Ask(WorkdirScript("~/a/b")), home + "/a/b\n");
  EXPECT_EQ(Ask(WorkdirScript("c")), home + "/c\n");
  EXPECT_EQ(Ask(WorkdirScript("~nobody/d")), home + "/~nobody/d\n");
  EXPECT_EQ(Ask(WorkdirScript(root_ + "/e/../f")), fs::canonical(root_).string() + "/f\n");
  for (const std::string& word : kOddWords) {
    SCOPED_TRACE(word);
    EXPECT_EQ(Ask(WorkdirScript("~/" + word, {false, false})), home + "/" + word + "\n");
    EXPECT_EQ(Ask(WorkdirScript("~/" + word)), home + "/" + word + "\n");
    EXPECT_TRUE(fs::is_directory(home + "/" + word));
    EXPECT_EQ(Ask(WorkdirScript("~/" + word + "/x", {false, false})), home + "/" + word + "/x\n");
    EXPECT_EQ(Ask(WorkdirScript(root_ + "/" + word)), fs::canonical(root_).string() + "/" + word + "\n");
  }
  WriteFile(root_ + "/file", "");
  EXPECT_NE(Run(WorkdirScript(root_ + "/file/g")).status, 0);
  EXPECT_FALSE(fs::exists(root_ + "/PWNED"));
}

TEST_P(WorkdirScriptTest, LookingChangesNothing) {
  const std::string real = fs::canonical(root_).string();
  EXPECT_EQ(Ask(WorkdirScript("~/a//b/", {false, false})), real + "/home/a/b\n");
  EXPECT_EQ(Ask(WorkdirScript("/", {false, false})), "/\n");
  EXPECT_EQ(Ask(WorkdirScript("/nowhere/at/all", {false, false})), "/nowhere/at/all\n");
  EXPECT_THAT(Tree(), IsEmpty());
}

TEST_P(WorkdirScriptTest, WhatTheEngineKeepsThereIsTheAccountsAlone) {
  const std::string folder = Folder("work", 0755);
  Folder("work/.cosmos", 0755);
  Ask(WorkdirScript(folder));
  EXPECT_EQ(static_cast<unsigned>(fs::status(folder + "/.cosmos").permissions()), 0700u);
  EXPECT_EQ(static_cast<unsigned>(fs::status(folder).permissions()), 0755u);
}

TEST_P(WorkdirScriptTest, AFolderThatOthersMayWriteIsRefused) {
  EXPECT_THAT(Refused(Folder("open", 0777)), HasSubstr("/open' can be written by other users (mode 777)"));
  Folder("above", 0757);
  EXPECT_THAT(Refused(Folder("above/it", 0755)), HasSubstr("/above' can be written by other users (mode 757)"));
  EXPECT_THAT(Refused(root_ + "/above/new"), HasSubstr("/above' can be written"));
  Folder("sticky", 01777);
  EXPECT_EQ(Run(WorkdirScript(Folder("sticky/mine", 0755))).status, 0);
  fs::create_symlink(root_ + "/open", root_ + "/link");
  EXPECT_THAT(Refused(root_ + "/link"), HasSubstr("/open' can be written"));
}

TEST_P(WorkdirScriptTest, AFolderOfAnotherUserIsRefused) {
  if (::getuid() != 0) GTEST_SKIP() << "only root may give a folder to another user";
  EXPECT_THAT(Refused(Folder("theirs", 0755, 1)), HasSubstr("/theirs' belongs to the user daemon, expected"));
  Folder("parent", 0755, 1);
  EXPECT_THAT(Refused(Folder("parent/mine", 0755)), HasSubstr("/parent' belongs to the user daemon"));
  Folder("sticky", 01777);
  Folder("sticky/.cosmos", 0777, 1);
  const Said said = Run(WorkdirScript(root_ + "/sticky"));
  EXPECT_EQ(said.status, kUnsafeWorkdir);
  EXPECT_THAT(said.output, HasSubstr("/sticky/.cosmos' is not a folder of root"));
}

TEST_P(WorkdirScriptTest, TheGroupThatIsTheAccountsOwnMayWrite) {
  if (::getuid() != 0) GTEST_SKIP() << "only root may give a folder to a group";
  const std::string own = Folder("own", 0775), team = Folder("team", 02775);
  EXPECT_EQ(Run(WorkdirScript(own)).status, 0);
  ASSERT_EQ(::chown(team.c_str(), 0, 1), 0);
  ASSERT_EQ(::chmod(team.c_str(), 02775), 0);
  EXPECT_THAT(Refused(team), HasSubstr("(mode 2775)"));
}

}  // namespace
}  // namespace cosmos
