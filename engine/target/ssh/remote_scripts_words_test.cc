// Whatever folders, prompts and values are named, the scripts take them as they are, and execute nothing of them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/command.h"
#include "core/sha256.h"
#include "target/ssh/scripts_fixture.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class WordScriptsTest : public ScriptsTest {
 protected:
  void ExpectNothingExecuted() const {
    for (const auto& entry : fs::recursive_directory_iterator(root_)) {
      EXPECT_NE(entry.path().filename(), "PWNED") << entry.path();
    }
    EXPECT_FALSE(fs::exists("PWNED"));
  }
};

INSTANTIATE_TEST_SUITE_P(By, WordScriptsTest, Shells(), ShellName);

TEST_P(WordScriptsTest, AFolderOfAnyNameHoldsItsJob) {
  for (const std::string& word : kOddWords) {
    SCOPED_TRACE(word);
    folder_ = root_ + "/" + word + "/jobs/" + word;
    JobOrder order = Order("echo said");
    order.newest_log = root_ + "/outputs/" + word + "/run.log";
    const JobHandle handle = Submit(order);
    ASSERT_TRUE(fs::is_regular_file(folder_ + "/pid"));
    EXPECT_EQ(WaitForEnd(handle).exit_status, 0);
    EXPECT_EQ(ReadFile(order.newest_log), "said\n");
    EXPECT_TRUE(ParseHandle(folder_, Ask(FindScript(folder_))));
    EXPECT_EQ(ParseLogPiece(Ask(ReadLogScript(handle, 1, 3))).bytes, "aid");
    EXPECT_THAT(Ask(DigestOfLogScript(handle, -1)), StartsWith("5 " + Sha256("said\n")));
    EXPECT_EQ(Ask(CancelScript(handle, 1h)), "gone\n");
    HeldProgram follow(Words(FollowLogScript(handle, 0)));
    Await("followed log", [&] { return follow.Output() == "said\n"; });
    fs::remove(order.newest_log);
  }
  ExpectNothingExecuted();
}

TEST_P(WordScriptsTest, ALinkToTheNewestLogReplacesTheFormerOne) {
  JobOrder order = Order("echo 1");
  order.newest_log = root_ + "/outputs/run.log";
  WaitForEnd(Submit(order));
  folder_ += "2";
  JobOrder other = Order("echo 2");
  other.newest_log = order.newest_log;
  WaitForEnd(Submit(other));
  EXPECT_EQ(ReadFile(order.newest_log), "2\n");
}

TEST_P(WordScriptsTest, AValueOfTheEnvironmentArrivesAsItIs) {
  JobOrder order = Order("for i in $(seq " + std::to_string(kOddWords.size()) + "); do printenv ODD_$i; echo; done");
  std::string expected;
  for (std::size_t i = 0; i < kOddWords.size(); ++i) {
    order.environment["ODD_" + std::to_string(i + 1)] = kOddWords[i];
    expected += kOddWords[i] + "\n\n";
  }
  EXPECT_EQ(WaitForEnd(Submit(order)).exit_status, 0);
  EXPECT_EQ(ReadFile(folder_ + "/run.log"), expected);
  ExpectNothingExecuted();
}

TEST_P(WordScriptsTest, AJobsScriptArrivesAsItIs) {
  std::string words;
  for (const std::string& word : kOddWords) words += "# " + word + "\\ \n";
  JobOrder order = Order("exit 0\n: '" + std::string("it stays$(touch PWNED)\\\\n'\n\n"));
  order.script += "exit\n" + words + "\n\n";
  WaitForEnd(Submit(order));
  EXPECT_EQ(ReadFile(folder_ + "/job.sh"), order.script);
  ExpectNothingExecuted();
}

}  // namespace
}  // namespace cosmos
