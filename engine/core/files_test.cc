#include "core/files.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "core/error.h"

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
