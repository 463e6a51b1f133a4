#include "media/ffmpeg_log.h"

#include <gtest/gtest.h>

namespace cosmos {
namespace {

TEST(FirstComplaint, IsTheFirstLineThatSaysSomething) {
  EXPECT_EQ(FirstComplaint("\nframe=12\nout_time_us=3\n[png @ 0x55e6b018f280] chunk too big\nlater\n"),
            "chunk too big");
  EXPECT_EQ(FirstComplaint("A=b.mp4: No such file or directory"), "A=b.mp4: No such file or directory");
  EXPECT_EQ(FirstComplaint("[odd"), "[odd");
  EXPECT_EQ(FirstComplaint("progress=end\n"), "");
}

}  // namespace
}  // namespace cosmos
