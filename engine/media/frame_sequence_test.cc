#include "media/frame_sequence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace cosmos {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<ListedFile> Files(const std::vector<std::string>& paths) {
  std::vector<ListedFile> files;
  for (const std::string& path : paths) files.push_back({path, 1, 1});
  return files;
}

// The patterns of what is found in the files.
std::vector<std::string> Patterns(const std::vector<std::string>& paths) {
  std::vector<std::string> patterns;
  for (const FrameSequence& sequence : FindSequences(Files(paths)).sequences) patterns.push_back(sequence.Pattern());
  return patterns;
}

TEST(FindSequences, TheNumberStandsBeforeTheExtension) {
  EXPECT_THAT(Patterns({"color.0001.png"}), ElementsAre("color.####.png"));
  EXPECT_THAT(Patterns({"city_depth_v003.1001.exr"}), ElementsAre("city_depth_v003.####.exr"));
  EXPECT_THAT(Patterns({"seg/frame_0001.png", "seg/frame_0002.png"}), ElementsAre("seg/frame_####.png"));
  EXPECT_THAT(Patterns({"depth-0007.EXR"}), ElementsAre("depth-####.EXR"));
  EXPECT_THAT(Patterns({"Image0001.tif"}), ElementsAre("Image####.tif"));
  EXPECT_THAT(Patterns({"seg/0001.png"}), ElementsAre("seg/####.png"));
  EXPECT_THAT(Patterns({"it's 100% \"a:b\" .0001.png"}), ElementsAre("it's 100% \"a:b\" .####.png"));
}

TEST(FindSequences, AnyPaddingAndNone) {
  EXPECT_THAT(Patterns({"a.9.png", "a.10.png", "a.100.png"}), ElementsAre("a.#.png"));
  EXPECT_THAT(Patterns({"a.09.png", "a.10.png"}), ElementsAre("a.##.png"));
  EXPECT_THAT(Patterns({"a.9999.png", "a.0001.png", "a.10000.png"}), ElementsAre("a.####.png"));
  EXPECT_EQ(FindSequences(Files({"a.9.png", "a.10.png"})).sequences[0].Numbers(), FrameSet::Range(9, 10));
}

TEST(FindSequences, FolderNameAndExtensionMakeASequence) {
  EXPECT_THAT(Patterns({"a/x.1.png", "b/x.1.png", "b/x.1.exr", "b/y.1.exr"}),
              ElementsAre("a/x.#.png", "b/x.#.exr", "b/x.#.png", "b/y.#.exr"));
}

TEST(FindSequences, WhatIsNoFrameStandsApart) {
  const FoundFrames found = FindSequences(
      Files({"notes.txt", "turntable.png", ".hidden.0001.png", "a.0001.png.tmp", "b.20261124120000123.png"}));
  EXPECT_THAT(found.sequences, IsEmpty());
  EXPECT_THAT(found.others, ElementsAre("b.20261124120000123.png", "turntable.png"));
}

TEST(FindSequences, NumbersCanBeNegative) {
  const FoundFrames found = FindSequences(Files({"a.-0002.exr", "a.-0001.exr", "a.0000.exr", "a.0001.exr"}));
  ASSERT_EQ(found.sequences.size(), 1u);
  EXPECT_EQ(found.sequences[0].Pattern(), "a.####.exr");
  EXPECT_EQ(found.sequences[0].Numbers(), FrameSet::Range(-2, 1));
  EXPECT_THAT(Patterns({"depth_-1.exr", "seg/-5.png"}), ElementsAre("depth_#.exr", "seg/#.png"));
  // Here it separates.
  EXPECT_EQ(FindSequences(Files({"depth-0001.exr"})).sequences[0].Numbers(), FrameSet::Range(1, 1));
}

TEST(FindSequences, LettersOfTheExtensionDoNotMatter) {
  const FoundFrames found = FindSequences(Files({"a.0001.PNG", "a.0002.png", "a.0003.Png"}));
  ASSERT_EQ(found.sequences.size(), 1u);
  EXPECT_EQ(found.sequences[0].Pattern(), "a.####.PNG");
  EXPECT_EQ(found.sequences[0].frames.at(2).path, "a.0002.png");
  const auto by_pattern = FindByPattern("a.####.png", Files({"a.0001.PNG", "a.0002.png", "b.0002.png"}));
  ASSERT_TRUE(by_pattern);
  EXPECT_EQ(by_pattern->frames.size(), 2u);
  EXPECT_TRUE(IsSame(*by_pattern, found.sequences[0]));
}

TEST(FindSequences, ANumberThatIsThereTwiceIsTold) {
  const FoundFrames found = FindSequences(Files({"a.01.png", "a.1.png", "a.02.png"}));
  ASSERT_EQ(found.sequences.size(), 1u);
  EXPECT_EQ(found.sequences[0].frames.size(), 2u);
  EXPECT_THAT(found.sequences[0].duplicates, ElementsAre("a.1.png"));
}

TEST(FrameSequence, KnowsItsNumbers) {
  const FrameSequence sequence = FindSequences(Files({"a.3.png", "a.4.png", "a.8.png", "a.10.png"})).sequences[0];
  EXPECT_EQ(sequence.Numbers().ToString(), "3-4,8,10");
}

TEST(FindByPattern, TakesTheWaysInWhichProgramsWriteOne) {
  const auto files = Files({"d.0001.exr", "d.0002.exr", "d.0002.png", "e.0001.exr", "d.x.exr", "d..exr"});
  for (const char* pattern : {"d.%04d.exr", "d.%d.exr", "d.####.exr", "d.#.exr", "d.$F4.exr", "d.$F.exr"}) {
    const auto sequence = FindByPattern(pattern, files);
    ASSERT_TRUE(sequence) << pattern;
    EXPECT_EQ(sequence->frames.size(), 2u) << pattern;
    EXPECT_EQ(sequence->Pattern(), "d.####.exr") << pattern;
  }
  EXPECT_FALSE(FindByPattern("f.####.exr", files));
}

TEST(FindByPattern, NumbersCanBeNegative) {
  const auto files = Files({"d.-0002.exr", "d.0001.exr", "d.--001.exr", "d-0005.exr"});
  EXPECT_EQ(FindByPattern("d.####.exr", files)->Numbers().ToString(), "-2,1");
  EXPECT_EQ(FindByPattern("d-####.exr", files)->Numbers(), FrameSet::Range(5, 5));
  EXPECT_FALSE(FindByPattern("d####.exr", files));
}

TEST(FindByPattern, TheNumberMayStandAnywhere) {
  EXPECT_EQ(FindByPattern("sh####/d.exr", Files({"sh0001/d.exr", "sh0002/d.exr"}))->frames.size(), 2u);
  EXPECT_EQ(FindByPattern("100%.$F4.png", Files({"100%.0001.png"}))->frames.size(), 1u);
}

TEST(FindByPattern, IsAPicturesWithExactlyOnePlace) {
  EXPECT_THROW(FindByPattern("d.####", Files({"d.0001"})), Error);
  EXPECT_THROW(FindByPattern("d.####.txt", Files({"d.0001.txt"})), Error);
  EXPECT_THROW(FindByPattern("d.exr", {}), Error);
  EXPECT_THROW(FindByPattern("d.##.##.exr", {}), Error);
}

}  // namespace
}  // namespace cosmos
