#include "job/file_group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace cosmos {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Kind = FileGroup::Kind;
using Sizes = FileGroup::Sizes;

// Frames `name.NUMBER.exr` of 1 byte.
Sizes Frames(const std::string& frames, const std::string& name = "b") {
  Sizes sizes;
  const FrameSet set = FrameSet::Parse(frames);
  for (const std::int64_t frame : set.frames()) {
    sizes[name + "." + std::to_string(frame) + ".exr"] = 1;
  }
  return sizes;
}

std::string Problem(const FileGroup& group, const Sizes& files, FailureKind kind = FailureKind::kOutputMissing) {
  const Failure failure = group.ProblemOf(files);
  EXPECT_EQ(failure.kind, failure ? kind : FailureKind::kNone) << failure.message;
  return failure.message;
}

TEST(FileGroup, IsReadFromItsPath) {
  EXPECT_EQ(FileGroup::KindOf("frames/"), Kind::kFolder);
  EXPECT_EQ(FileGroup::KindOf("f/*.exr"), Kind::kWildcards);
  EXPECT_EQ(FileGroup::KindOf("f/b.%04d.exr"), Kind::kFrames);
  const FileGroup folder(Kind::kFolder, "./out//frames/");
  EXPECT_EQ(folder.path(), "out/frames");
  EXPECT_EQ(folder.folder(), "out/frames");
  EXPECT_TRUE(folder.Holds("a/b"));
  const FileGroup files(Kind::kWildcards, "f/*.exr");
  EXPECT_EQ(files.path(), "f/*.exr");
  EXPECT_EQ(files.folder(), "f");
  EXPECT_TRUE(files.Holds("a.exr"));
  EXPECT_FALSE(files.Holds("b/a.exr"));
  EXPECT_EQ(FileGroup(Kind::kFrames, "b.####.exr").folder(), "");
}

TEST(FileGroup, APathOfAnotherKindOrPlaceIsRefused) {
  EXPECT_THROW(FileGroup(Kind::kFrames, "f/*.exr"), Error);
  EXPECT_THROW(FileGroup(Kind::kFrames, "f/a.exr"), Error);
  EXPECT_THROW(FileGroup(Kind::kWildcards, "f/#.exr"), Error);
  EXPECT_THROW(FileGroup(Kind::kWildcards, "f*/a.exr"), Error);
  for (const char* path : {"", ".", "./", "../f", "a/../../f", ".."}) {
    EXPECT_THROW(FileGroup(Kind::kFolder, path), Error) << path;
  }
  EXPECT_THROW(FileGroup(Kind::kWildcards, "../*.exr"), Error);
  EXPECT_THROW(FileGroup(Kind::kFolder, "f/", FrameSet::Parse("1-5")), Error);
  EXPECT_THROW(FileGroup(Kind::kFrames, "#.exr", FrameSet::Parse("1-5"), true), Error);
}

TEST(FileGroup, NoFilesSayWhatIsThereInstead) {
  const FileGroup group(Kind::kWildcards, "*.exr");
  EXPECT_EQ(Problem(group, {}), "has no files; nothing else is there");
  const Failure failure = group.ProblemOf({}, {{"a.png", 1}, {"b.png", 1}, {"c.png", 1}, {"d\n.png", 1}});
  EXPECT_EQ(failure.message, "has no files; found a.png, b.png, c.png and 1 more there instead");
}

TEST(FileGroup, EmptyFilesAreNotFrames) {
  const Sizes files = {{"a.1.exr", 1}, {"a.2.exr", 0}, {"a.3.exr", 0}};
  EXPECT_EQ(Problem(FileGroup(Kind::kFrames, "a.#.exr"), files, FailureKind::kOutputInvalid),
            "has empty files: a.2.exr, a.3.exr");
  EXPECT_EQ(Problem(FileGroup(Kind::kWildcards, "*"), {{"x", 0}}, FailureKind::kOutputInvalid), "has an empty file: x");
  EXPECT_EQ(Problem(FileGroup(Kind::kFolder, "f/"), {{"done", 0}, {"a.1.exr", 1}}), "") << "a marker";
  EXPECT_NE(Problem(FileGroup(Kind::kFolder, "f/"), files, FailureKind::kOutputInvalid), "");
}

TEST(FileGroup, FramesOfAGivenRangeMustBeThere) {
  const FileGroup group(Kind::kFrames, "f/b.####.exr", FrameSet::Parse("1001-1100"));
  EXPECT_EQ(Problem(group, Frames("1001-1100")), "");
  EXPECT_EQ(Problem(group, Frames("990-1110")), "") << "more may be there";
  EXPECT_EQ(Problem(group, Frames("1001-1003,1007-1009,1011-1100")),
            "is not complete: frames 1004-1006, 1010 of 1001-1100 are missing");
  EXPECT_EQ(Problem(group, Frames("1001-1099")), "is not complete: frame 1100 of 1001-1100 is missing");
  EXPECT_EQ(Problem(FileGroup(Kind::kFrames, "b.#.exr", FrameSet::Parse("1-9x2")), Frames("1,3,5,7,9")), "");
  EXPECT_EQ(Problem(FileGroup(Kind::kFrames, "b.#.exr", FrameSet::Parse("-2-2")), Frames("-2,0-2")),
            "is not complete: frame -1 of -2-2 is missing");
}

TEST(FileGroup, ASequenceHasNoGapsUnlessToldSo) {
  EXPECT_EQ(Problem(FileGroup(Kind::kFrames, "b.#.exr"), Frames("5-9")), "");
  EXPECT_THAT(Problem(FileGroup(Kind::kFrames, "b.#.exr"), Frames("1-9x2")),
              AllOf(HasSubstr("frames 2-8x2 of 1-9 are missing"), HasSubstr("gaps: true")));
  EXPECT_EQ(Problem(FileGroup(Kind::kFrames, "b.#.exr", {}, true), Frames("1,7,30")), "");
  EXPECT_EQ(
      Problem(FileGroup(Kind::kFrames, "b.#.exr"), {{"b.1.exr", 1}, {"b.01.exr", 1}}, FailureKind::kOutputInvalid),
      "has two files for frame 1: b.01.exr, b.1.exr");
}

TEST(FileGroup, SequencesInFoldersHaveNoGapsInTheirSteps) {
  for (const FileGroup& group : {FileGroup(Kind::kFolder, "f/"), FileGroup(Kind::kWildcards, "f/*.exr")}) {
    EXPECT_EQ(Problem(group, Frames("1-9")), "");
    EXPECT_EQ(Problem(group, Frames("100-900x100")), "") << "every hundredth is rendered";
    Sizes two = Frames("1-4,6", "depth");
    two.merge(Frames("1-9", "beauty"));
    EXPECT_THAT(Problem(group, two), HasSubstr("frame 5 of 1-6 is missing in depth.#.exr"));
    EXPECT_EQ(Problem(group, {{"20261126.exr", 1}, {"notes.txt", 1}}), "");
  }
  EXPECT_EQ(Problem(FileGroup(Kind::kFolder, "f/", {}, true), Frames("1-4,6")), "");
  EXPECT_EQ(Problem(FileGroup(Kind::kFolder, "f/"), {{"run1.txt", 1}, {"run7.txt", 1}, {"run8.txt", 1}}), "")
      << "no pictures";
}

TEST(FileGroup, VeryWideGapsTakeNoMemory) {
  const Sizes files = {{"b.1.exr", 1}, {"b.3.exr", 1}, {"b.9999999999.exr", 1}};
  EXPECT_THAT(Problem(FileGroup(Kind::kFrames, "b.#.exr"), files), HasSubstr("only frames 1, 3, 9999999999 are there"));
}

TEST(FileGroup, NamesThatLeaveTheFolderAreRefused) {
  for (const char* name : {"a", "a/b.exr", "a b", "😀", "...", ".hidden", "-rf", "$(x)"}) {
    EXPECT_EQ(NameProblem(name), "") << name;
  }
  std::string deep = "a";
  for (int i = 0; i < 40; ++i) deep += "/a";
  for (const std::string& name : std::vector<std::string>{
           "", "/", "/etc/passwd", "..", "../a", "a/../b", "a/..", ".", "a/./b", "a//b", "a/", "a\nb", "a\x1b[2J",
           "a\x7f", std::string("a\0b", 3), std::string(256, 'a'), std::string(3000, 'a'), deep}) {
    EXPECT_NE(NameProblem(name), "") << name;
  }
}

}  // namespace
}  // namespace cosmos
