#include "core/files.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/error.h"
#include "core/sha256.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

class Files : public ::testing::Test {
 protected:
  Files() {
    char name[] = "/tmp/cosmos-files-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~Files() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST_F(Files, WriteAtomicallyReplacesAndLeavesNothingElse) {
  WriteFileAtomically(folder_ / "a", "one");
  WriteFileAtomically(folder_ / "a", "two");
  EXPECT_EQ(ReadFile(folder_ / "a"), "two");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

TEST_F(Files, MakeFoldersMakesParentsAndRefusesFiles) {
  MakeFolders(folder_ / "x/y/z");
  MakeFolders(folder_ / "x/y/z");
  EXPECT_TRUE(fs::is_directory(folder_ / "x/y/z"));
  WriteFile(folder_ / "file", "");
  EXPECT_THROW(MakeFolders(folder_ / "file"), Error);
  EXPECT_THROW(MakeFolders(folder_ / "file/below"), Error);
}

TEST_F(Files, LinkOrCopyReplacesAndSharesTheContent) {
  WriteFile(folder_ / "log", "a");
  WriteFile(folder_ / "copy", "old");
  LinkOrCopy(folder_ / "log", folder_ / "copy");
  LinkOrCopy(folder_ / "log", folder_ / "copy");
  AppendToFile(folder_ / "log", "b");
  EXPECT_EQ(ReadFile(folder_ / "copy"), "ab");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 2);
}

TEST_F(Files, SymlinkReplacesALink) {
  Symlink("one", folder_ / "link");
  Symlink("two", folder_ / "link");
  EXPECT_EQ(fs::read_symlink(folder_ / "link"), "two");
}

// A person may name one by mistake; a shell's <(command) is another file, which leads to a pipe.
TEST_F(Files, AFifoByNameIsRefusedAtOnce) {
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  try {
    ReadFileUpTo(folder_ / "fifo", 10);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "found a FIFO at '" + (folder_ / "fifo").string() + "', expected a file");
  }
  EXPECT_THROW(ReadFileUpTo("/dev/zero", 10), Error);
}

TEST_F(Files, WhatIsNoRegularFileIsNotOpenedAndHoldsNothingUp) {
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  WriteFile(folder_ / "file", "text");
  Symlink("file", folder_ / "link");
  Symlink("/dev/zero", folder_ / "device");
  MakeFolders(folder_ / "folder");
  for (const char* name : {"fifo", "link", "device", "folder", "missing"}) {
    EXPECT_FALSE(OpenRegular(folder_ / name)) << name;
    EXPECT_FALSE(OpenRegular(folder_ / name, O_WRONLY)) << name;
    EXPECT_THROW(ReadOwnFile(folder_ / name), Error) << name;
  }
  EXPECT_TRUE(OpenRegular(folder_ / "file"));
  EXPECT_TRUE(OpenRegular(folder_ / "link", O_RDONLY, kPrivate, Links::kFollow));
  EXPECT_FALSE(OpenRegular(folder_ / "device", O_RDONLY, kPrivate, Links::kFollow));
  EXPECT_THROW(AppendToFile(folder_ / "fifo", "x"), Error);
  EXPECT_THROW(WriteFile(folder_ / "fifo", "x"), Error);
  EXPECT_THROW(Sha256OfFile(folder_ / "fifo"), Error);
  EXPECT_EQ(ReadTail(folder_ / "fifo", 10), "");
  try {
    ReadOwnFile(folder_ / "fifo");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "found a FIFO at '" + (folder_ / "fifo").string() + "', expected a regular file");
  }
}

TEST_F(Files, OfRunsArePrivateAndThoseOfPeopleAreNot) {
  const mode_t before = ::umask(0);
  WriteFile(folder_ / "log", "");
  WriteFileAtomically(folder_ / "record", "");
  AppendToFile(folder_ / "series", "");
  WriteFile(folder_ / "metrics", "", kShared);
  MakePrivateFolder(folder_ / "city/logs");
  ::umask(before);
  const auto mode = [&](const char* name) { return static_cast<unsigned>(fs::status(folder_ / name).permissions()); };
  for (const char* name : {"log", "record", "series"}) EXPECT_EQ(mode(name), 0600u) << name;
  EXPECT_EQ(mode("metrics"), 0666u);
  EXPECT_EQ(mode("city/logs"), 0700u);
  EXPECT_EQ(mode("city"), 0777u);
}

TEST_F(Files, ErrorsNameThePathAndTheReason) {
  try {
    ReadFile(folder_ / "nothing");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    EXPECT_EQ(error.message(), "cannot read '" + (folder_ / "nothing").string() + "': No such file or directory");
  }
}

}  // namespace
}  // namespace cosmos
