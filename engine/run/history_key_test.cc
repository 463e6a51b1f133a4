#include "run/history_key.h"

#include <gtest/gtest.h>

#include "media/media_fixture.h"

namespace cosmos {
namespace {

using nlohmann::json;

class HistoryKeyTest : public MediaFixture {
 protected:
  static json Key(json key, const std::string& gpu = "H100") {
    return json::parse(HistoryKey(std::move(key), "inference", 2, gpu, "farm", CancelToken()));
  }
};

TEST_F(HistoryKeyTest, HasTheGpuOrElseTheTarget) {
  EXPECT_EQ(Key({{"steps", 35}}), (json{{"steps", 35}, {"uses", "inference"}, {"gpus", 2}, {"gpu", "H100"}}));
  EXPECT_EQ(Key({{"steps", 35}}, ""), (json{{"steps", 35}, {"uses", "inference"}, {"gpus", 2}, {"target", "farm"}}));
}

TEST_F(HistoryKeyTest, HasFramesAndSizeInPlaceOfTheVideosThatDecideThem) {
  const std::string wide = Make("wide.mp4", "testsrc2=s=640x360:r=10:d=1");
  const std::string other = Make("other.mp4", "testsrc2=s=320x180:r=8:d=1");
  const json sizes = {{960, 960}, {1280, 704}};
  EXPECT_EQ(Key({{"video", {{"as_long_as", {wide, other}}, {"size_of", wide}, {"sizes", sizes}}}})["video"],
            (json{{"frames", 8}, {"width", 1280}, {"height", 704}}));
  EXPECT_EQ(Key({{"video", {{"as_long_as", {wide}}, {"frames", 5}}}})["video"],
            (json{{"frames", 5}, {"width", 0}, {"height", 0}}));
}

TEST_F(HistoryKeyTest, AVideoThatCannotBeReadTellsNothing) {
  EXPECT_EQ(Key({{"video", {{"as_long_as", {"no such.mp4"}}, {"size_of", "no such.mp4"}}}})["video"],
            (json{{"frames", 0}, {"width", 0}, {"height", 0}}));
  EXPECT_THROW(Key({{"video", {{"as_long_as", 7}}}}), json::exception);
}

}  // namespace
}  // namespace cosmos
