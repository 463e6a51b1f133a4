// How the scripts read, follow and compare a job's log.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/sha256.h"
#include "target/ssh/scripts_fixture.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class LogScriptsTest : public ScriptsTest {
 protected:
  LogScriptsTest() {
    handle_.folder = folder_;
    handle_.boot_id = kNoBootId;
    MakeFolders(folder_);
  }
  std::string log() const { return folder_ + "/run.log"; }
  LogPiece Read(std::int64_t offset, std::size_t limit) const {
    return ParseLogPiece(Ask(ReadLogScript(handle_, offset, limit)));
  }

  JobHandle handle_;
};

class FollowScriptsTest : public LogScriptsTest {};  // needs GNU's tail

INSTANTIATE_TEST_SUITE_P(By, LogScriptsTest, Shells(), ShellName);
INSTANTIATE_TEST_SUITE_P(By, FollowScriptsTest, GnuShells(), ShellName);

TEST_P(LogScriptsTest, WhatIsNoFileIsNotThereAndHoldsNothingUp) {
  WriteFile(root_ + "/elsewhere", "1 2 3\n");
  for (const bool fifo : {true, false}) {
    for (const char* name : {"run.log", "pid", "exit_status", "exit_status.reserved"}) {
      const std::string path = folder_ + "/" + name;
      fs::remove(path);
      ASSERT_EQ(fifo ? ::mkfifo(path.c_str(), 0600) : ::symlink("../../../elsewhere", path.c_str()), 0);
    }
    EXPECT_EQ(Read(0, 100).bytes, "");
    EXPECT_EQ(Ask(DigestOfLogScript(handle_, -1)), "0\n");
    EXPECT_EQ(Ask(FindScript(folder_)), "");
    EXPECT_EQ(Poll(handle_).gone, FailureKind::kKilled);
  }
}

TEST_P(LogScriptsTest, PiecesOfALogHaveItsBytesSizeAndFile) {
  const std::string text("one\0two\nthree\n\xff\r end", 21);
  WriteFile(log(), text);
  const LogPiece all = Read(0, 1000);
  EXPECT_EQ(all.bytes, text);
  EXPECT_EQ(all.size, 21);
  struct stat info {};
  ASSERT_EQ(::stat(log().c_str(), &info), 0);
  EXPECT_EQ(all.file, std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino));
  for (std::int64_t offset = 0; offset <= 21; ++offset) {
    EXPECT_EQ(Read(offset, 5).bytes, text.substr(static_cast<std::size_t>(offset), 5)) << offset;
  }
  EXPECT_EQ(Read(3, 0).bytes, "");
  EXPECT_EQ(Read(3, 0).size, 21);
  EXPECT_EQ(Read(100, 5).bytes, "");  // it was truncated, which the size tells
  EXPECT_EQ(Read(100, 5).size, 21);
}

TEST_P(LogScriptsTest, ALongLogIsReadFromItsMiddle) {
  std::string text;
  for (int i = 0; text.size() < 3'000'000; ++i) text += "line " + std::to_string(i) + "\n";
  WriteFile(log(), text);
  EXPECT_EQ(Read(1'234'567, 1'000'000).bytes, text.substr(1'234'567, 1'000'000));
}

TEST_P(LogScriptsTest, AnotherFileInItsPlaceHasAnotherName) {
  WriteFile(log(), "first");
  const std::string before = Read(0, 100).file;
  WriteFile(folder_ + "/next", "second");
  fs::rename(folder_ + "/next", log());
  EXPECT_EQ(Read(0, 100).bytes, "second");
  EXPECT_NE(Read(0, 100).file, before);
  fs::rename(log(), folder_ + "/elsewhere");
}

TEST_P(LogScriptsTest, AMissingLogHasNoFile) {
  EXPECT_EQ(Read(0, 100).size, 0);
  EXPECT_EQ(Read(0, 100).file, "");
  EXPECT_EQ(Read(7, 100).bytes, "");
  WriteFile(log(), "");
  EXPECT_EQ(Read(0, 100).size, 0);
  EXPECT_NE(Read(0, 100).file, "");
  fs::remove_all(folder_);
  EXPECT_EQ(Read(0, 100).file, "");
}

TEST_P(LogScriptsTest, ADigestIsThatOfABeginning) {
  const auto digest = [&](int size) { return Ask(DigestOfLogScript(handle_, size)); };
  EXPECT_EQ(digest(-1), "0\n");
  const std::string text("ab\0cd\nef", 8);
  WriteFile(log(), text);
  EXPECT_THAT(digest(-1), StartsWith("8 " + Sha256(text) + " "));
  EXPECT_THAT(digest(8), StartsWith("8 " + Sha256(text) + " "));
  EXPECT_THAT(digest(5), StartsWith("5 " + Sha256(text.substr(0, 5)) + " "));
  EXPECT_THAT(digest(0), StartsWith("0 " + Sha256("") + " "));
  EXPECT_THAT(digest(100), StartsWith("8 " + Sha256(text) + " "));  // which is shorter than asked for
}

TEST_P(FollowScriptsTest, AFollowerGetsEachByteFromItsOffsetOn) {
  WriteFile(log(), std::string("first\0\n", 7));
  HeldProgram follow(Words(FollowLogScript(handle_, 3)));
  Await("what is there", [&] { return follow.Output() == std::string("st\0\n", 4); });
  std::string expected("st\0\n", 4);
  for (const std::string more : {"a", "half a li", "ne\n", "\n\n"}) {
    AppendToFile(log(), more);
    expected += more;
    Await("what was written: " + more, [&] { return follow.Output() == expected; });
  }
  EXPECT_FALSE(FollowSawChange(follow.Errors())) << follow.Errors();
  follow.CloseInput();
  follow.Wait();
  Await("end of all that it started", [&] { return !follow.LeftSomething(); });
}

TEST_P(FollowScriptsTest, AFollowerIsToldOfATruncatedLog) {
  WriteFile(log(), "a long first content\n");
  HeldProgram follow(Words(FollowLogScript(handle_, 0)));
  Await("what is there", [&] { return !follow.Output().empty(); });
  WriteFile(log(), "new\n");
  Await("word of it", [&] { return FollowSawChange(follow.Errors()); });
}

TEST_P(FollowScriptsTest, AFollowerIsToldOfAReplacedLog) {
  WriteFile(log(), "first\n");
  HeldProgram follow(Words(FollowLogScript(handle_, 0)));
  Await("what is there", [&] { return !follow.Output().empty(); });
  WriteFile(folder_ + "/next", "a longer second content\n");
  fs::rename(folder_ + "/next", log());
  Await("word of it", [&] { return FollowSawChange(follow.Errors()); });
}

TEST_P(FollowScriptsTest, AFollowerIsToldOfALogThatComesAnew) {
  WriteFile(log(), "first\n");
  HeldProgram follow(Words(FollowLogScript(handle_, 0)));
  Await("what is there", [&] { return !follow.Output().empty(); });
  fs::remove(log());
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  WriteFile(log(), "second\n");
  Await("word of it", [&] { return FollowSawChange(follow.Errors()); });
}

TEST(LogScripts, PiecesAreReadAndNothingElse) {
  const LogPiece piece = ParseLogPiece(std::string("21 8:77\nab\0\ncd", 14));
  EXPECT_EQ(piece.size, 21);
  EXPECT_EQ(piece.file, "8:77");
  EXPECT_EQ(piece.bytes, std::string("ab\0\ncd", 6));
  EXPECT_EQ(ParseLogPiece("0 \n").file, "");
  for (const std::string garbage : {"", "21 8:77", "\n", " \nbytes", "x 8:77\nbytes", "stat: cannot stat\n"}) {
    try {
      ParseLogPiece(garbage);
      ADD_FAILURE() << "took '" << garbage << "'";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
    }
  }
}

TEST(LogScripts, OnlyWhatTailSaysOfAChangeIsOne) {
  EXPECT_TRUE(FollowSawChange("tail: run.log: file truncated\n"));
  EXPECT_TRUE(FollowSawChange("noise\ntail: 'run.log' has been replaced;  following new file\n"));
  EXPECT_TRUE(FollowSawChange("tail: 'run.log' has appeared;  following new file\n"));
  EXPECT_FALSE(FollowSawChange(""));
  EXPECT_FALSE(FollowSawChange("notice: file truncated elsewhere\n"));
  EXPECT_FALSE(FollowSawChange("Welcome to the host\ntail: cannot open 'run.log' for reading: No such file\n"));
}

}  // namespace
}  // namespace cosmos
