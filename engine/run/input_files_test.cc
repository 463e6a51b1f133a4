#include "run/input_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "core/files.h"
#include "core/sha256.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using ::testing::ElementsAre;
using ::testing::FieldsAre;

auto FileIs(const fs::path& path, const std::string& below, const std::string& sha256) {
  return FieldsAre(path, below, sha256);
}

class InputFilesTest : public ::testing::Test {
 protected:
  InputFilesTest() {
    char name[] = "/tmp/cosmos-inputs-XXXXXX";
    root_ = ::mkdtemp(name);
    MakeFolders(root_ / "shot/sub");
    WriteFile(root_ / "shot/b", "two");
    WriteFile(root_ / "shot/sub/a", "one");
  }
  ~InputFilesTest() override { fs::remove_all(root_); }

  fs::path root_;
};

TEST_F(InputFilesTest, AFileIsItself) {
  const InputFiles input = InputFilesOf(root_ / "shot/b");
  EXPECT_EQ(input.name, "b");
  EXPECT_EQ(input.digest, Sha256("two"));
  EXPECT_THAT(input.files, ElementsAre(FileIs(root_ / "shot/b", "", Sha256("two"))));
}

TEST_F(InputFilesTest, AFolderIsItsFilesWithTheirPlaces) {
  const InputFiles input = InputFilesOf(root_ / "shot");
  EXPECT_EQ(input.name, "shot");
  EXPECT_THAT(input.files, ElementsAre(FileIs(root_ / "shot/b", "b", Sha256("two")),
                                       FileIs(root_ / "shot/sub/a", "sub/a", Sha256("one"))));
  EXPECT_EQ(InputFilesOf(root_ / "shot/").name, "shot");
  EXPECT_EQ(InputFilesOf(root_ / "shot/").digest, input.digest);
}

TEST_F(InputFilesTest, TheDigestOfAFolderFollowsContentAndNames) {
  const std::string before = InputFilesOf(root_ / "shot").digest;
  WriteFile(root_ / "shot/b", "three");
  const std::string changed = InputFilesOf(root_ / "shot").digest;
  fs::rename(root_ / "shot/b", root_ / "shot/c");
  const std::string renamed = InputFilesOf(root_ / "shot").digest;
  EXPECT_NE(before, changed);
  EXPECT_NE(changed, renamed);
}

}  // namespace
}  // namespace cosmos
