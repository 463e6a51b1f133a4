#include "media/picture_source.h"

#include <gmock/gmock.h>
#include <signal.h>

#include <fstream>

#include "core/error.h"
#include "media/media_fixture.h"

namespace cosmos {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PictureSourceTest : public MediaFixture {
 protected:
  PictureQuery Query(const std::string& name, bool wants_pixels = false) const {
    return {Path(name), {}, wants_pixels};
  }
  // `WIDTHxHEIGHT`, or the problem.
  std::vector<std::string> Read(const std::vector<PictureQuery>& queries) {
    std::vector<std::string> found;
    source_.Read(queries, [&](std::size_t i, const PictureSource::Decoded& decoded) {
      EXPECT_EQ(i, found.size());
      const auto* problem = std::get_if<PictureProblem>(&decoded);
      const auto* picture = std::get_if<DecodedPicture>(&decoded);
      found.push_back(problem != nullptr ? problem->message
                                         : std::to_string(picture->width) + "x" + std::to_string(picture->height));
    });
    return found;
  }
  // Ends a program that this one started, as a crash would; no sanitizer can catch the signal.
  static void Crash() {
    std::ifstream children("/proc/self/task/" + std::to_string(::gettid()) + "/children");
    for (pid_t pid = 0; children >> pid;) ::kill(pid, SIGKILL);
  }

  PictureSource source_{cancel_};
};

TEST_F(PictureSourceTest, GivesPicturesInOrder) {
  std::vector<PictureQuery> queries;
  std::vector<std::string> sizes;
  for (int i = 1; i <= 20; ++i) {
    const std::string width = std::to_string(16 * i), name = "a" + width + ".png";
    Make(name, "color=red:s=" + width + "x16", {"-frames:v", "1"});
    queries.push_back(Query(name, i % 2 == 0));
    sizes.push_back(width + "x16");
  }
  EXPECT_EQ(Read(queries), sizes);
  EXPECT_EQ(Read(queries), sizes);
}

TEST_F(PictureSourceTest, HasThePixelsThatAreWanted) {
  Make("a b'%04d\n.png", "color=white:s=16x16", {"-frames:v", "1", "-update", "1"});
  source_.Read({Query("a b'%04d\n.png", true)}, [](std::size_t, const PictureSource::Decoded& decoded) {
    EXPECT_EQ(std::get<DecodedPicture>(decoded).pixels, std::string(16 * 16 * 3, '\xff'));
  });
}

TEST_F(PictureSourceTest, ACrashIsAProblemOfItsPictureAlone) {
  Make("a.png", "color=red:s=16x16", {"-frames:v", "1"});
  std::vector<std::string> found;
  source_.Read({Query("a.png"), Query("a.png"), Query("a.png"), Query("a.png")},
               [&](std::size_t i, const PictureSource::Decoded& decoded) {
                 const auto* problem = std::get_if<PictureProblem>(&decoded);
                 found.push_back(problem != nullptr ? problem->message : "good");
                 if (i == 0) Crash();
               });
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0], "good");
  EXPECT_THAT(found, ::testing::Contains(HasSubstr("the decoder ended with status 137")));
  EXPECT_EQ(found[3], "good");
}

TEST_F(PictureSourceTest, CanBeUsedAgainAfterItsReaderThrew) {
  Make("a.png", "color=red:s=16x16", {"-frames:v", "1"});
  const std::vector<PictureQuery> queries(3, Query("a.png"));
  EXPECT_THROW(source_.Read(queries, [](std::size_t, auto&&) { throw Error(ErrorCode::kIo, "enough"); }), Error);
  EXPECT_THAT(Read({Query("none.png"), Query("a.png")}), ElementsAre(HasSubstr("No such file"), "16x16"));
}

TEST_F(PictureSourceTest, StopsWhenCancelled) {
  cancel_.Cancel();
  EXPECT_THROW(Read({Query("a.png")}), Error);
}

TEST_F(PictureSourceTest, KnowsColourSpaces) {
  source_.CheckColourSpace("acescg");
  EXPECT_THROW(source_.CheckColourSpace("acescgg"), Error);
}

}  // namespace
}  // namespace cosmos
