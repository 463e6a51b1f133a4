#include "media/pictures/picture_format.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "core/files.h"
#include "media/media_fixture.h"

namespace cosmos {
namespace {

using ::testing::HasSubstr;

class PictureFormatTest : public MediaFixture {
 protected:
  std::string Of(const std::string& name, std::string_view content) const {
    WriteFile(Path(name), content);
    return OfFile(name);
  }
  // The format, or `message; hint`.
  std::string OfFile(const std::string& name) const {
    try {
      return FormatOf(Path(name));
    } catch (const Error& error) {
      return error.message() + "; " + error.hint();
    }
  }
};

TEST_F(PictureFormatTest, IsThatOfTheNameWhenTheFileBeginsSo) {
  using namespace std::string_view_literals;
  EXPECT_EQ(Of("a.png", "\x89PNG\r\n\x1a\n"), "png");
  EXPECT_EQ(Of("a.PNG", "\x89PNG\r\n\x1a\n"), "png");
  EXPECT_EQ(Of("a.jpeg", "\xff\xd8\xff\xe0"), "jpeg");
  EXPECT_EQ(Of("a.tif", "MM\0+"sv), "tiff");
  EXPECT_EQ(Of("a.tga", "\0\0\x02\0\0\0\0\0\0\0\0\0\x01\0\x01\0\x18\0"sv), "targa");
}

TEST_F(PictureFormatTest, NothingElseIsTaken) {
  EXPECT_EQ(Of("a.exr", "\x89PNG\r\n\x1a\n"),
            "found a file of the format PNG, expected one of the format that its name ends with; rename it after its "
            "format, or save it in the other one");
  EXPECT_THAT(Of("a.tga", "\xff\xd8\xff\xe0____________________"), HasSubstr("of the format JPEG"));
  for (const char* playlist :
       {"#EXTM3U\nhttp://example.com/a.ts\n", "ffconcat version 1.0\n", "<svg/>", "v1.%04d.exr"}) {
    for (const char* name : {"a.exr", "a.png", "a.tga", "a.jpg", "a.webp"}) {
      EXPECT_THAT(Of(name, playlist), HasSubstr("found no picture in it")) << name;
    }
  }
  EXPECT_THAT(Of("a.exr", ""), HasSubstr("found no picture in it"));
  EXPECT_THAT(Of("a.mp4", "x"), HasSubstr("found the extension '.mp4'"));
  EXPECT_EQ(OfFile("none.png"), "it cannot be opened: No such file or directory; look whether it is still there");
}

}  // namespace
}  // namespace cosmos
