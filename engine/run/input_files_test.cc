#include "run/input_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "core/error.h"
#include "core/files.h"
#include "core/sha256.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using ::testing::ElementsAre;
using ::testing::FieldsAre;
using ::testing::HasSubstr;

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

TEST_F(InputFilesTest, APatternIsItsFilesInAFolderOfTheirOwn) {
  for (const char* name : {"b.1.exr", "b.2.exr", "c.txt"}) WriteFile(root_ / "shot" / name, name);
  const InputFiles input = InputFilesOf(root_ / "shot/b.####.exr");
  EXPECT_TRUE(input.pattern);
  EXPECT_EQ(input.name, "b.####.exr");
  EXPECT_THAT(input.files, ElementsAre(FileIs(root_ / "shot/b.1.exr", "b.1.exr", Sha256("b.1.exr")),
                                       FileIs(root_ / "shot/b.2.exr", "b.2.exr", Sha256("b.2.exr"))));
  MakeFolders(root_ / "b");
  for (const char* name : {"b.1.exr", "b.2.exr"}) WriteFile(root_ / "b" / name, name);
  EXPECT_NE(InputFilesOf(root_ / "b").digest, input.digest);
  EXPECT_EQ(InputFilesOf(root_ / "b/*.exr").digest, input.digest);
}

TEST_F(InputFilesTest, AFileMayBeNamedLikeAPattern) {
  WriteFile(root_ / "shot/take#1.txt", "x");
  EXPECT_FALSE(InputFilesOf(root_ / "shot/take#1.txt").pattern);
  EXPECT_NO_THROW(DemandInput(root_ / "shot/take#1.txt"));
  EXPECT_THROW(DemandInput(root_ / "shot/take#.png"), Error);
}

TEST_F(InputFilesTest, WhatIsMissingIsSaid) {
  for (const char* name : {"b.1.exr", "b.2.exr", "b.4.exr"}) WriteFile(root_ / "shot" / name, "x");
  const auto message = [&](const std::string& path, const std::string& frames, bool gaps) -> std::string {
    try {
      CheckInput(root_ / path, frames.empty() ? FrameSet() : FrameSet::Parse(frames), gaps);
      return "";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
      return error.message();
    }
  };
  EXPECT_THAT(message("shot/b.#.exr", "", false), HasSubstr("frame 3 of 1-4 is missing"));
  EXPECT_EQ(message("shot/b.#.exr", "", true), "");
  EXPECT_EQ(message("shot/b.#.exr", "1,2,4", false), "");
  EXPECT_THAT(message("shot/b.#.exr", "1-5", false), HasSubstr("frames 3, 5 of 1-5 are missing"));
  EXPECT_THAT(message("shot/*.exr", "", false), HasSubstr("in b.#.exr"));
  EXPECT_THAT(message("shot/*.png", "", true), HasSubstr("has no files; found b, "));
  EXPECT_THAT(message("none", "", true), HasSubstr("does not exist"));
  EXPECT_EQ(message("shot/b", "", false), "") << "one file";
  EXPECT_THAT(message("shot/b", "1-5", false), HasSubstr("has frames, but is one file"));
  MakeFolders(root_ / "empty");
  EXPECT_THROW(InputFilesOf(root_ / "empty"), Error);
}

}  // namespace
}  // namespace cosmos
