#include "media/media_process.h"

#include <gtest/gtest.h>

#include <thread>

#include "core/error.h"

namespace cosmos {
namespace {

using Feed = MediaProcess::Feed;

class MediaProcessTest : public ::testing::Test {
 protected:
  CancelToken cancel_;
};

TEST_F(MediaProcessTest, IsFedAndRead) {
  MediaProcess process({"sh", "-c", "cat; echo 'what is wrong' >&2; exit 3"}, Feed::kPipe, cancel_);
  EXPECT_TRUE(process.Write("one\ntwo\n"));
  std::string line;
  EXPECT_TRUE(process.ReadLine(&line));
  EXPECT_EQ(line, "one");
  EXPECT_EQ(process.Finish(), 3);
  EXPECT_EQ(process.Complaint(), "what is wrong");
}

TEST_F(MediaProcessTest, BytesStandBehindLines) {
  MediaProcess process({"sh", "-c", "printf 'line\nabcde'; head -c 1000000 /dev/zero"}, Feed::kNothing, cancel_);
  std::string line, bytes;
  EXPECT_TRUE(process.ReadLine(&line));
  EXPECT_TRUE(process.ReadBytes(3, &bytes));
  EXPECT_EQ(bytes, "abc");
  EXPECT_TRUE(process.ReadBytes(1'000'002, &bytes));
  EXPECT_EQ(bytes.substr(0, 2), "de");
  EXPECT_EQ(bytes.size(), 1'000'002u);
  EXPECT_FALSE(process.ReadBytes(1, &bytes));
}

TEST_F(MediaProcessTest, SaysThatNoMoreIsWanted) {
  MediaProcess process({"sh", "-c", "exit 1"}, Feed::kPipe, cancel_);
  const std::string much(1 << 20, 'x');
  bool wanted = true;
  for (int i = 0; i < 100 && wanted; ++i) wanted = process.Write(much);
  EXPECT_FALSE(wanted);
  EXPECT_EQ(process.Finish(), 1);
}

TEST_F(MediaProcessTest, AFullLogDoesNotBlockIt) {
  MediaProcess process({"sh", "-c", "head -c 1000000 /dev/zero >&2; echo done"}, Feed::kNothing, cancel_);
  std::string line;
  EXPECT_TRUE(process.ReadLine(&line));
  EXPECT_EQ(line, "done");
  EXPECT_EQ(process.Finish(), 0);
}

TEST_F(MediaProcessTest, IsEndedWhenCancelled) {
  MediaProcess process({"sleep", "1000"}, Feed::kPipe, cancel_);
  std::thread canceller([&] { cancel_.Cancel(); });
  std::string line;
  EXPECT_FALSE(process.ReadLine(&line));
  EXPECT_FALSE(process.Write("x"));
  EXPECT_EQ(process.Finish(), 128 + 9);
  canceller.join();
}

TEST_F(MediaProcessTest, IsEndedWithTheObject) {
  const MediaProcess process({"sleep", "1000"}, Feed::kNothing, cancel_);
}

TEST_F(MediaProcessTest, SaysThatThereIsNoSuchProgram) {
  try {
    const MediaProcess process({"no-such-program"}, Feed::kNothing, cancel_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "there is no no-such-program on this machine");
  }
}

}  // namespace
}  // namespace cosmos
