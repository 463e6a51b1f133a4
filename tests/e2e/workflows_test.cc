// The workflows that a user starts from.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "support/processes.h"
#include "support/sandbox.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class WorkflowsTest : public ::testing::Test {
 protected:
  WorkflowsTest() {
    MustRun({"ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=160x88:r=12", "-frames:v", "6",
             (sandbox_.folder() / "in.mp4").string()});
  }
  static std::string Workflow(const std::string& name) { return Sandbox::source() / "workflows" / name; }
  std::string Probe(const std::string& file, const std::string& entries) {
    return sandbox_
        .Run({"ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=" + entries, "-of", "csv=p=0", file})
        .out;
  }

  Sandbox sandbox_;
};

TEST_F(WorkflowsTest, AllAreSoundWithAVideoAndAPrompt) {
  int workflows = 0;
  for (const auto& file : fs::directory_iterator(Sandbox::source() / "workflows")) {
    const std::string text = sandbox_.Read(file.path());
    std::vector<std::string> words = {"validate", file.path()};
    for (const std::string param : {"video=in.mp4", "depth=in.mp4", "prompt=a city"}) {
      const std::string declared = "\n  " + param.substr(0, param.find('=')) + ": {";
      if (text.find(declared) != text.npos) words.insert(words.end(), {"-p", param});
    }
    const Ended ended = sandbox_.Engine(words);
    EXPECT_EQ(ended.status, 0) << ended.err;
    EXPECT_THAT(text, StartsWith("# ")) << file.path() << " tells nothing of itself";
    ++workflows;
  }
  EXPECT_GE(workflows, 7);
}

TEST_F(WorkflowsTest, TheWedgeIsAPlanForAModelToo) {
  const Ended ended = sandbox_.Engine(
      {"validate", Workflow("wedge.yaml"), "-p", "video=in.mp4", "-p", "model=cosmos-transfer1", "-p", "gpus=1"});
  EXPECT_EQ(ended.status, 0) << ended.err;
}

TEST_F(WorkflowsTest, TheWedgeEndsInAContactSheetOfAllItsVideos) {
  const Ended ended = sandbox_.Engine(
      {"run", Workflow("wedge.yaml"), "-p", "video=in.mp4", "-p", "weights=0,0.5", "-p", "seeds=1,2,3"});
  ASSERT_EQ(ended.status, 0) << ended.out << ended.err << sandbox_.Engine({"logs", "last", "sheet"}).out;
  const json stages = sandbox_.Show()["stages"];
  ASSERT_EQ(stages.size(), 9u);  // the clip and its one stage, skipped; six renders; the sheet
  EXPECT_EQ(stages[0]["status"], "skipped");
  const std::string sheet = stages[8]["outputs"]["sheet"];
  // Three columns of 480 and two rows of 264 and the label's 32, with 8 around each.
  EXPECT_EQ(Probe(sheet, "codec_name,width,height,nb_read_frames"), "png,1472,616,1\n");
  EXPECT_EQ(sandbox_.Run({"ffmpeg", "-v", "error", "-xerror", "-i", sheet, "-f", "null", "-"}).err, "");
  // The cells differ: the labels alone do.
  const auto cell = [&](int column, int row) {
    return sandbox_
        .Run({"ffmpeg", "-nostdin", "-v", "error", "-i", sheet, "-vf",
              "crop=480:296:" + std::to_string(8 + column * 488) + ":" + std::to_string(8 + row * 304), "-f", "md5",
              "-"})
        .out;
  };
  std::set<std::string> cells;
  for (int column = 0; column < 3; ++column) {
    for (int row = 0; row < 2; ++row) cells.insert(cell(column, row));
  }
  EXPECT_EQ(cells.size(), 6u);
}

TEST_F(WorkflowsTest, TheWedgeDrawsAShotWhenItGetsNone) {
  const Ended ended = sandbox_.Engine({"run", Workflow("wedge.yaml"), "-p", "weights=1", "-p", "seeds=1"});
  ASSERT_EQ(ended.status, 0) << ended.out << ended.err;
  EXPECT_EQ(Probe(sandbox_.Show()["stages"][2]["outputs"]["video"], "width,height,nb_read_frames"), "640,360,72\n");
  EXPECT_THAT(sandbox_.Engine({"show", "last"}).out, HasSubstr("seed      1\n"));
}

TEST_F(WorkflowsTest, AFileIsUpscaled) {
  const Ended ended = sandbox_.Engine({"run", Workflow("upscale_file.yaml"), "-p", "video=in.mp4", "-p", "scale=2"});
  ASSERT_EQ(ended.status, 0) << ended.out << ended.err;
  const std::string video = sandbox_.Show()["stages"][0]["outputs"]["video"];
  EXPECT_THAT(video, HasSubstr("upscale-file_upscaled"));
  EXPECT_EQ(Probe(video, "width,height,nb_read_frames"), "320,176,6\n");
}

}  // namespace
}  // namespace cosmos::testing
