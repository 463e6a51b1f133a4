#include "job/video_expectation.h"

#include <gtest/gtest.h>

#include "media/media_fixture.h"

namespace cosmos {
namespace {

class VideoExpectationTest : public MediaFixture {
 protected:
  std::string Problem(const nlohmann::json& expect, int width, int height, std::int64_t frames) const {
    VideoFacts made;
    made.width = width;
    made.height = height;
    made.frames = frames;
    return ExpectationProblem(VideoExpectation::FromJson(expect), made, CancelToken());
  }
};

TEST_F(VideoExpectationTest, NothingExpectedIsAnything) {
  EXPECT_TRUE(VideoExpectation::FromJson(nlohmann::json::object()).empty());
  EXPECT_EQ(Problem(nlohmann::json::object(), 1, 2, 3), "");
}

TEST_F(VideoExpectationTest, CountsFrames) {
  EXPECT_EQ(Problem({{"frames", 77}}, 64, 48, 77), "");
  EXPECT_EQ(Problem({{"frames", 77}}, 64, 48, 76), "it has 76 frames, expected 77");
  const std::string ten = Make("ten.mp4", "testsrc2=s=64x48:r=10:d=1"),
                    eight = Make("8.mp4", "testsrc2=s=64x48:r=8:d=1");
  EXPECT_EQ(Problem({{"as_long_as", {ten, eight}}}, 64, 48, 8), "");
  EXPECT_EQ(Problem({{"as_long_as", {ten, eight}}}, 64, 48, 10), "it has 10 frames, expected 8");
  EXPECT_EQ(Problem({{"as_long_as", {ten}}, {"frames", 5}}, 64, 48, 5), "");
  EXPECT_EQ(Problem({{"as_long_as", {ten}}, {"frames", 50}}, 64, 48, 10), "");
}

TEST_F(VideoExpectationTest, ComparesSizes) {
  const std::string wide = Make("wide.mp4", "testsrc2=s=640x360:r=2:d=1");
  EXPECT_EQ(Problem({{"size_of", wide}}, 640, 360, 2), "");
  EXPECT_EQ(Problem({{"size_of", wide}}, 640, 352, 2), "it has 640x352 pixels, expected 640x360");
  const nlohmann::json nearest = {{"size_of", wide}, {"sizes", {{960, 960}, {1280, 704}, {704, 1280}}}};
  EXPECT_EQ(Problem(nearest, 1280, 704, 2), "");
  EXPECT_EQ(Problem(nearest, 960, 960, 2), "it has 960x960 pixels, expected 1280x704");
}

}  // namespace
}  // namespace cosmos
