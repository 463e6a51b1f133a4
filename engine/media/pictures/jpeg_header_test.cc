#include "media/pictures/jpeg_header.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "core/files.h"
#include "media/media_fixture.h"

namespace cosmos {
namespace {

using namespace std::string_view_literals;
using ::testing::HasSubstr;

class JpegHeaderTest : public MediaFixture {
 protected:
  std::string ProblemOf(std::string_view content) const {
    WriteFile(Path("a.jpg"), content);
    try {
      CheckJpegHeader(Path("a.jpg"));
    } catch (const Error& error) {
      return error.message();
    }
    return "";
  }
};

TEST_F(JpegHeaderTest, ItsSizeIsHeldToTheLimits) {
  Make("good.jpg", "testsrc2=s=64x48", {"-frames:v", "1"});
  EXPECT_EQ(ProblemOf(ReadFile(Path("good.jpg"))), "");
  // A thumbnail within a segment does not count; a progressive frame of 60,000 x 60,000 does.
  EXPECT_THAT(ProblemOf("\xff\xd8\xff\xe1\0\x06\xff\xc0\0\0\xff\xff\xc2\0\x11\x08\xea\x60\xea\x60\x03"sv),
              HasSubstr("found 60000 x 60000 pixels"));
}

TEST_F(JpegHeaderTest, DamageIsLeftToTheReader) {
  for (const std::string_view content :
       {""sv, "\xff"sv, "\xff\xd8"sv, "\xff\xd8\xff\xe0"sv, "\xff\xd8\xff\xe0\0\0"sv,
        "\xff\xd8\xff\xc0\0\x11\x08\xea"sv, "\xff\xd8\xff\xe0\xff\xff"sv, "\xff\xd8\xff\xda"sv, "\xff\xd8xyz"sv}) {
    EXPECT_EQ(ProblemOf(content), "");
  }
}

}  // namespace
}  // namespace cosmos
