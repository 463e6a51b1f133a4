#include "media/shot.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace cosmos {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class ShotTest : public ::testing::Test {
 protected:
  // Frames `prefix0001suffix` and so on.
  void Add(const std::string& prefix, const std::string& suffix, int first, int last) {
    for (int i = first; i <= last; ++i) AddFile(fmt::format("{}{:04}{}", prefix, i, suffix));
  }
  void AddFile(const std::string& path, std::int64_t size = 100) { files_.push_back({path, size, 1}); }
  void Remove(const std::string& path) {
    std::erase_if(files_, [&](const ListedFile& file) { return file.path == path; });
  }

  Shot Assemble() const { return AssembleShot(files_, options_); }
  // Errors begin with "E ", warnings with "W ".
  std::vector<std::string> Findings() const {
    std::vector<std::string> texts;
    for (const ShotFinding& finding : Assemble().findings) {
      texts.push_back((finding.error ? "E " : "W ") + ToText(finding));
    }
    return texts;
  }
  // `control=pattern first-last` each.
  std::vector<std::string> Controls() const {
    std::vector<std::string> texts;
    for (const ControlFrames& control : Assemble().controls) {
      texts.push_back(control.control + "=" + control.sequence.Pattern() + " " + control.numbers.ToString());
    }
    return texts;
  }

  std::vector<ListedFile> files_;
  ShotOptions options_;
};

TEST_F(ShotTest, AGoodShot) {
  Add("depth.", ".exr", 1001, 1010);
  Add("city_beauty_v003.", ".png", 1001, 1010);
  Add("seg/frame_", ".png", 1001, 1010);
  AddFile("city.hip");
  EXPECT_THAT(Findings(), IsEmpty());
  EXPECT_THAT(Controls(), ElementsAre("color=city_beauty_v003.####.png 1001-1010", "seg=seg/frame_####.png 1001-1010",
                                      "depth=depth.####.exr 1001-1010"));
}

TEST_F(ShotTest, GapsAreToldAsRanges) {
  Add("depth.", ".exr", 1, 20);
  for (const char* frame : {"depth.0003.exr", "depth.0007.exr", "depth.0008.exr"}) Remove(frame);
  EXPECT_THAT(Findings(),
              ElementsAre("E depth: frames 3, 7-8 are missing in depth.####.exr (1-20); render them, or repeat "
                          "the frame before each gap with --allow-gaps hold"));
  options_.hold_gaps = true;
  EXPECT_THAT(Findings(), ElementsAre("W depth: frames 3, 7-8 are missing: the one before is repeated"));
  const std::vector<std::string> files = Assemble().controls[0].Files();
  ASSERT_EQ(files.size(), 20u);
  EXPECT_EQ(files[2], "depth.0002.exr");
  EXPECT_EQ(files[7], "depth.0006.exr");
  EXPECT_EQ(files[8], "depth.0009.exr");
}

TEST_F(ShotTest, WhatIsMissingAtAnEndCannotBeHeld) {
  Add("depth.", ".exr", 5, 9);
  options_.hold_gaps = true;
  for (const char* frames : {"4-9", "5-10", "20-30"}) {
    options_.frames = FrameSet::Parse(frames);
    EXPECT_THAT(Findings(), ElementsAre(AllOf(StartsWith("E depth: frame"),
                                              HasSubstr("take frames that are there with --frames"))));
  }
}

TEST_F(ShotTest, EverySecondFrameIsTakenWhenAsked) {
  for (int frame = 1; frame < 100; frame += 2) AddFile("depth." + std::to_string(frame) + ".exr");
  Add("color.", ".png", 1, 100);
  EXPECT_THAT(Findings(), testing::Contains(
                              "E depth: frames 2-98x2 are missing in depth.#.exr (1-99); render them, repeat the frame "
                              "before each gap with --allow-gaps hold, or take what is there: --frames 1-99x2"));
  options_.frames = FrameSet::Parse("1-100x2");
  EXPECT_THAT(Findings(), IsEmpty());
  EXPECT_THAT(Controls(), ElementsAre("color=color.####.png 1-99x2", "depth=depth.#.exr 1-99x2"));
  EXPECT_EQ(Assemble().controls[0].Files().size(), 50u);
  EXPECT_EQ(Assemble().controls[0].Files()[1], "color.0003.png");
  options_.frames = FrameSet::Parse("1,5,11-15x2");
  EXPECT_THAT(Findings(), IsEmpty());
  options_.frames = FrameSet::Parse("1,5,10-12");
  EXPECT_THAT(Findings(), ElementsAre(HasSubstr("depth: frames 10, 12 are missing in depth.#.exr (1, 5, 10-12)")));
}

TEST_F(ShotTest, FramesFarApartAreRefusedAndFillNoMemory) {
  AddFile("depth.1.exr");
  AddFile("depth.900000000.exr");
  EXPECT_THROW(Assemble(), Error);
}

TEST_F(ShotTest, AStrayFrameIsTold) {
  Add("depth.", ".exr", 1001, 1010);
  AddFile("depth.0001.exr");
  EXPECT_THAT(Findings(), ElementsAre("E depth: frame 1 stands alone, far from the others (1001-1010): depth.0001.exr; "
                                      "remove it, or take only --frames 1001-1010"));
  options_.frames = FrameSet::Parse("1001-1010");
  EXPECT_THAT(Findings(), IsEmpty());
  EXPECT_THAT(Controls(), ElementsAre("depth=depth.####.exr 1001-1010"));
}

TEST_F(ShotTest, EmptyFilesAreTold) {
  Add("depth.", ".exr", 1, 5);
  Remove("depth.0002.exr");
  AddFile("depth.0002.exr", 0);
  EXPECT_THAT(Findings(), ElementsAre("E depth: frame 2 is empty (0 bytes) in depth.####.exr; render them again"));
}

TEST_F(ShotTest, UnknownSequencesAndPicturesAreLeftOut) {
  Add("depth.", ".exr", 1, 5);
  Add("normal.", ".exr", 1, 5);
  AddFile("turntable.png");
  EXPECT_THAT(Findings(), ElementsAre("W normal.####.exr (1-5) is of no control and left out; to use it, add --map "
                                      "CONTROL='normal.####.exr'",
                                      "W pictures without a frame number are left out: turntable.png"));
  EXPECT_THAT(Controls(), ElementsAre("depth=depth.####.exr 1-5"));
}

TEST_F(ShotTest, APictureOfAnotherKindAmongTheFramesIsLeftOut) {
  Add("depth.", ".exr", 1, 5);
  AddFile("depth.0001.png");
  EXPECT_THAT(Findings(),
              ElementsAre("W depth: depth.0001.png stands alone among frames of another kind and is left out"));
}

TEST_F(ShotTest, TwoSequencesForOneControlAreNamedWithTheWayOut) {
  Add("a/depth.", ".exr", 1, 5);
  Add("b/z.", ".exr", 1, 6);
  EXPECT_THAT(Findings(), ElementsAre("E depth: found 2 sequences: a/depth.####.exr (1-5), b/z.####.exr (1-6); say "
                                      "which one: --map depth='a/depth.####.exr'"));
  options_.patterns = {{"depth", "b/z.$F4.exr"}};
  EXPECT_THAT(Controls(), ElementsAre("depth=b/z.####.exr 1-6"));
  EXPECT_THAT(Findings(), ElementsAre(StartsWith("W depth: a/depth.####.exr (1-5) is left out")));
}

TEST_F(ShotTest, APatternSaysWhatASequenceIs) {
  Add("objects.", ".png", 1, 5);
  Add("depth_mask.", ".png", 1, 5);
  EXPECT_THAT(Findings(), ElementsAre(HasSubstr("its name says both depth and seg"), HasSubstr("of no control"),
                                      StartsWith("E found no control among the frames")));
  options_.patterns = {{"seg", "objects.%04d.png"}, {"depth", "depth_mask.####.png"}};
  EXPECT_THAT(Findings(), IsEmpty());
  options_.patterns = {{"seg", "object.%04d.png"}};
  EXPECT_THAT(Findings(), ::testing::Contains(HasSubstr("no file matches the pattern 'object.%04d.png'")));
  options_.patterns = {{"sge", "objects.%04d.png"}};
  EXPECT_THROW(Assemble(), Error);
}

TEST_F(ShotTest, DifferentFramesAreToldWithWhatAllHave) {
  Add("color.", ".png", 1001, 1010);
  Add("depth.", ".exr", 1003, 1012);
  EXPECT_THAT(Findings(), ElementsAre("E the controls have different frames: color 1001-1010 (10 frames), depth "
                                      "1003-1012 (10 frames); render what is missing, or take what all have: --frames "
                                      "1003-1010"));
  options_.frames = FrameSet::Parse("1003-1010");
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(ShotTest, FramesThatAreNumberedDifferentlyHaveNothingInCommon) {
  Add("color.", ".png", 1, 10);
  Add("depth.", ".exr", 1001, 1010);
  EXPECT_THAT(Findings(), ElementsAre(HasSubstr("number the frames of all controls alike")));
}

TEST_F(ShotTest, DoubledNumbersAreRefused) {
  Add("depth.", ".exr", 0, 3);
  AddFile("depth.1.exr");
  EXPECT_THAT(Findings(), ElementsAre("E depth: frames are there twice, with and without zeros in front: depth.1.exr; "
                                      "remove one of each"));
}

TEST_F(ShotTest, FramesCanHaveNegativeNumbers) {
  AddFile("depth.-0001.exr");
  Add("depth.", ".exr", 0, 3);
  EXPECT_THAT(Findings(), IsEmpty());
  EXPECT_THAT(Controls(), ElementsAre("depth=depth.####.exr -1-3"));
  EXPECT_EQ(Assemble().controls[0].Files()[0], "depth.-0001.exr");
}

TEST_F(ShotTest, EverythingIsToldAtOnce) {
  Add("color.", ".png", 1, 10);
  Add("depth.", ".exr", 1, 9);
  Remove("color.0005.png");
  Remove("depth.0003.exr");
  EXPECT_THAT(Findings(), ElementsAre(StartsWith("E color: frame 5"), StartsWith("E depth: frame 3"),
                                      StartsWith("E the controls have different frames")));
}

TEST_F(ShotTest, WithoutFramesSaysWhatIsExpected) {
  EXPECT_THAT(Findings(), ElementsAre(AllOf(StartsWith("E found no control"), HasSubstr("color, vis, seg"))));
}

}  // namespace
}  // namespace cosmos
