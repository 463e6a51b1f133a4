// A shot that goes into a new version each time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "support/processes.h"
#include "support/sandbox.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr const char* kWorkflow = R"yaml(version: 1
params: {seed: {type: integer, default: 1}}
stages:
  version: &version
    uses: publish
    with: &shot {folder: "shows/{show}/{shot}/{version}", show: city, shot: sh020}
  render:
    uses: inference
    needs: version
    with:
      model: playblast
      prompt: a city
      input_video: in.mp4
      seed: ${{ params.seed }}
      shot: ${{ stages.version.outputs.label }}
  deliver:
    uses: publish
    needs: render
    with:
      <<: *shot
      version: ${{ stages.version.outputs.version }}
      files: {"{shot}_{version}.mp4": "${{ stages.render.outputs.video }}"}
)yaml";

TEST(PublishTest, EachRunGetsAVersionAndNoneIsOverwritten) {
  Sandbox sandbox;
  MustRun({"ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=160x88:r=12", "-frames:v", "6",
           (sandbox.folder() / "in.mp4").string()});
  sandbox.Write("w.yaml", kWorkflow);
  const fs::path shots = sandbox.folder() / "shows/city/sh020";
  EXPECT_EQ(sandbox.Engine({"run", "w.yaml", "--dry-run"}).status, 0);
  EXPECT_FALSE(fs::exists(shots));
  for (const char* seed : {"seed=1", "seed=2"}) {
    const Ended ended = sandbox.Engine({"run", "w.yaml", "-p", seed});
    ASSERT_EQ(ended.status, 0) << ended.err;
  }
  const std::string first = sandbox.Read(shots / "v001/sh020_v001.mp4");
  EXPECT_FALSE(first.empty());
  EXPECT_NE(sandbox.Read(shots / "v002/sh020_v002.mp4"), first);
  // A retry keeps the version; a change of a delivered file is refused.
  EXPECT_EQ(sandbox.Engine({"retry", "last", "--from", "deliver"}).status, 0);
  EXPECT_FALSE(fs::exists(shots / "v003"));
  std::string taken = kWorkflow;
  taken.replace(taken.find("${{ stages.version.outputs.version }}"), 37, "1");
  sandbox.Write("taken.yaml", taken);
  const Ended refused = sandbox.Engine({"run", "taken.yaml", "-p", "seed=3"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("a version is never overwritten"));
  EXPECT_EQ(sandbox.Read(shots / "v001/sh020_v001.mp4"), first);
}

}  // namespace
}  // namespace cosmos::testing
