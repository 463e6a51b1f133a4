#include "job/output_collector.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "core/command.h"
#include "core/error.h"
#include "core/files.h"
#include "core/sha256.h"
#include "target/local/local_target.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using namespace std::chrono_literals;

class OutputCollectorTest : public ::testing::Test {
 protected:
  OutputCollectorTest() {
    char name[] = "/tmp/cosmos-outputs-XXXXXX";
    root_ = ::mkdtemp(name);
    MakeFolders(out());
  }
  ~OutputCollectorTest() override { fs::remove_all(root_); }
  fs::path job() const { return root_ / "job"; }
  fs::path out() const { return job() / "out"; }
  fs::path local() const { return root_ / "local"; }

  Collection Collect(const std::vector<JobOutput>& outputs) {
    return OutputCollector(outputs, job(), local()).Collect(&target_, cancel_);
  }
  void MakeVideo(const fs::path& path) {
    ASSERT_EQ(RunCommand({"ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc=d=1:s=64x64:r=10",
                          "-pix_fmt", "yuv420p", path.string()},
                         1min, cancel_)
                  .exit_status,
              0);
  }

  fs::path root_;
  CancelToken cancel_;
  LocalTarget target_;
};

TEST_F(OutputCollectorTest, MovesOutputsIntoPlaceWithSizeAndDigest) {
  WriteFile(out() / "a.txt", "hello");
  const Collection collection = Collect({{"text", "a.txt", false, false}});
  ASSERT_FALSE(collection.failure);
  ASSERT_EQ(collection.outputs.size(), 1u);
  EXPECT_EQ(collection.outputs[0].path, local() / "a.txt");
  EXPECT_EQ(collection.outputs[0].size, 5);
  EXPECT_EQ(collection.outputs[0].sha256, Sha256("hello"));
  EXPECT_EQ(ReadFile(local() / "a.txt"), "hello");
}

TEST_F(OutputCollectorTest, GoesOnAfterACrashHalfWay) {
  WriteFile(out() / "a", "1");
  EXPECT_EQ(Collect({{"a", "a", false, false}, {"b", "b", false, false}}).failure.kind, FailureKind::kOutputMissing);
  WriteFile(out() / "b", "2");
  EXPECT_FALSE(Collect({{"a", "a", false, false}, {"b", "b", false, false}}).failure);
}

TEST_F(OutputCollectorTest, ALeftoverOfAnEarlierAttemptDoesNotCount) {
  MakeFolders(local());
  WriteFile(local() / "a", "old");
  const OutputCollector collector({{"a", "a", false, false}}, job(), local());
  collector.RemoveOld();
  EXPECT_EQ(collector.Collect(&target_, cancel_).failure.kind, FailureKind::kOutputMissing);
}

TEST_F(OutputCollectorTest, AnOptionalOutputMayBeMissing) {
  const Collection collection = Collect({{"a", "a", false, true}});
  EXPECT_FALSE(collection.failure);
  EXPECT_TRUE(collection.outputs.empty());
}

TEST_F(OutputCollectorTest, AVideoMustDecode) {
  MakeVideo(out() / "good.mp4");
  WriteFile(out() / "bad.mp4", "this is no video");
  WriteFile(out() / "cut.mp4", ReadFile(out() / "good.mp4").substr(0, 900));
  EXPECT_FALSE(Collect({{"v", "good.mp4", true, false}}).failure);
  EXPECT_EQ(Collect({{"v", "bad.mp4", true, false}}).failure.kind, FailureKind::kOutputInvalid);
  EXPECT_EQ(Collect({{"v", "cut.mp4", true, false}}).failure.kind, FailureKind::kOutputInvalid);
}

TEST_F(OutputCollectorTest, APathMayNotLeaveTheOutputFolder) {
  EXPECT_THROW(OutputCollector({{"a", "../job.sh", false, false}}, job(), local()), Error);
  EXPECT_THROW(OutputCollector({{"a", "", false, false}}, job(), local()), Error);
}

}  // namespace
}  // namespace cosmos
