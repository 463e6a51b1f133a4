// Frames that a stage of `prepare` makes videos of, here and on a host.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "support/remote_host.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr const char* kGrey = "color=black:s=64x48:r=6:d=1,format=gbrpf32le,geq=r=0.18:g=0.18:b=0.18";

class PrepareStageTest : public ::testing::Test {
 protected:
  // Six frames of one of ffmpeg's sources, from number 1001 on.
  void Render(const std::string& pattern, const std::string& source) const {
    fs::create_directories((sandbox_.folder() / pattern).parent_path());
    const Ended ended = sandbox_.Run({"ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", source,
                                      "-start_number", "1001", "file:" + pattern});
    ASSERT_EQ(ended.status, 0) << ended.err;
  }
  // `with` is that of the stage `prep`, and `rest` what stands behind it.
  void Workflow(const std::string& with, const std::string& rest = "") const {
    sandbox_.Write("w.yaml",
                   "version: 1\nname: w\nstages:\n  prep:\n    uses: prepare\n    with: " + with + "\n" + rest);
  }
  Ended RunAs(const std::string& run_id) const { return sandbox_.Engine({"run", "w.yaml", "--run-id", run_id}); }
  fs::path Made(const std::string& run_id, const std::string& name) const {
    return sandbox_.outputs() / "prep" / run_id / name;
  }
  json Manifest(const std::string& run_id) const { return json::parse(sandbox_.Read(Made(run_id, "manifest.json"))); }
  // The only stage's failure.
  std::string Failure(const std::string& run_id) const {
    const json run = sandbox_.Show(run_id);
    return run["failure_kind"].get<std::string>() + ": " + run["error_message"].get<std::string>();
  }

  Sandbox sandbox_;
};

TEST_F(PrepareStageTest, ItsVideosGoToTheNextStage) {
  Render("city/beauty.%04d.png", "testsrc2=s=64x48:r=6:d=1");
  Render("city/edge/lines.%04d.png", "testsrc=s=64x48:r=6:d=1");
  Workflow("{folder: city, fps: 12}",
           "  render:\n    uses: inference\n    needs: prep\n    with:\n      model: playblast\n      prompt: a city\n"
           "      input_video: ${{ stages.prep.outputs.color }}\n"
           "      controls: {edge: {video: '${{ stages.prep.outputs.edge }}'}}\n");
  ExpectSuccess(RunAs("rs_test"));
  const json run = sandbox_.Show("rs_test");
  EXPECT_EQ(run["stages"][0]["outputs"], (json{{"color", Made("rs_test", "color.mp4")},
                                               {"edge", Made("rs_test", "edge.mp4")},
                                               {"manifest", Made("rs_test", "manifest.json")}}));
  const json manifest = Manifest("rs_test");
  EXPECT_EQ(manifest["name"], "city");
  EXPECT_EQ(manifest["controls"]["color"]["fps"], "12");
  EXPECT_EQ(manifest["controls"]["edge"]["frames"], 6);
  EXPECT_THAT(sandbox_.Read("outputs/prep/logs/run_rs_test.log"), HasSubstr("color: encoding, 6 of 6 frames\n"));
  EXPECT_FALSE(fs::exists(sandbox_.folder() / "city/city")) << "what is made belongs to the run";
}

TEST_F(PrepareStageTest, FramesOfAStageBefore) {
  Render("city/beauty.%04d.png", "testsrc2=s=64x48:r=6:d=1");
  sandbox_.Write("w.yaml", R"(
version: 1
name: w
stages:
  render:
    uses: shell
    with: {run: 'cp -r city "$COSMOS_OUTPUT_DIR/frames"', outputs: {all: frames/, color: frames/beauty.####.png}}
  prep:
    uses: prepare
    needs: render
    with: {folder: "${{ stages.render.outputs.all }}", map: {seg: "${{ stages.render.outputs.color }}"}, frames: 1002-1004}
)");
  ExpectSuccess(RunAs("rs_test"));
  EXPECT_EQ(Manifest("rs_test")["controls"]["seg"]["frames"], 3);
}

TEST_F(PrepareStageTest, AColourSpaceOfOneControlChangesThatAlone) {
  Render("city/color.%04d.exr", kGrey);
  Render("city/vis.%04d.exr", kGrey);
  Workflow("{folder: city}");
  ExpectSuccess(RunAs("rs_plain"));
  Workflow("{folder: city, controls: {color: {colorspace: acescg}}}");
  ExpectSuccess(RunAs("rs_own"));
  Workflow("{folder: city, colorspace: acescg, controls: {color: {colorspace: raw}}}");
  ExpectSuccess(RunAs("rs_both"));
  const auto of = [&](const std::string& run_id, const std::string& control, const std::string& key) {
    return Manifest(run_id)["controls"][control][key];
  };
  EXPECT_EQ(of("rs_own", "color", "colorspace"), "acescg");
  EXPECT_EQ(of("rs_own", "vis", "colorspace"), "linear-srgb");
  EXPECT_EQ(of("rs_both", "color", "colorspace"), "raw");
  EXPECT_EQ(of("rs_both", "vis", "colorspace"), "acescg");
  EXPECT_EQ(of("rs_own", "vis", "sha256"), of("rs_plain", "vis", "sha256"));
  EXPECT_NE(of("rs_both", "color", "sha256"), of("rs_plain", "color", "sha256"));
}

TEST_F(PrepareStageTest, WhatIsWrongWithFramesIsTheReasonAndIsNotTriedAgain) {
  Render("city/color.%04d.png", "testsrc2=s=64x48:r=6:d=1");
  fs::remove(sandbox_.folder() / "city/color.1003.png");
  Workflow("{folder: city}", "    retry: {attempts: 3, backoff: 1ms}\n");
  EXPECT_EQ(RunAs("rs_test").status, 1);
  EXPECT_THAT(Failure("rs_test"), AllOf(HasSubstr("invalid_input: "),
                                        HasSubstr("color: frame 1003 is missing in color.####.png (1001-1006)")));
  EXPECT_EQ(sandbox_.Show("rs_test")["stages"][0]["attempt"], 1);
  Workflow("{folder: city, allow_gaps: hold}");
  ExpectSuccess(RunAs("rs_held"));
  EXPECT_EQ(Manifest("rs_held")["controls"]["color"]["held_frames"], json::parse("[[1003, 1003]]"));

  sandbox_.Write("city/color.1004.png", "this is no picture");
  EXPECT_EQ(RunAs("rs_damaged").status, 1);
  EXPECT_THAT(Failure("rs_damaged"), AllOf(HasSubstr("invalid_input: "), HasSubstr("color: frame 1004 is unreadable")));
  Workflow("{folder: city, colorspace: acescgg}");
  EXPECT_EQ(RunAs("rs_space").status, 1);
  EXPECT_THAT(Failure("rs_space"), AllOf(HasSubstr("invalid_input: "), HasSubstr("acescgg")));
}

TEST_F(PrepareStageTest, AControlThatWasNotFoundIsSaidOrReplaced) {
  Render("city/color.%04d.png", "testsrc2=s=64x48:r=6:d=1");
  const std::string use = "  use: {uses: noop, needs: prep, with: {outputs: {v: '${{ ";
  Workflow("{folder: city}", use + "stages.prep.outputs.depht }}'}}}\n");
  EXPECT_THAT(sandbox_.Engine({"validate", "w.yaml"}).err, HasSubstr("did you mean 'depth'?"));
  Workflow("{folder: city}", use + "stages.prep.outputs.depth }}'}}}\n");
  EXPECT_EQ(RunAs("rs_without").status, 1);
  EXPECT_THAT(Failure("rs_without"), HasSubstr("there is no 'stages.prep.outputs.depth'"));
  Workflow("{folder: city}", use + "default(stages.prep.outputs.depth, null) }}'}}}\n");
  ExpectSuccess(RunAs("rs_default"));
  EXPECT_EQ(sandbox_.Show("rs_default")["stages"][1]["outputs"]["v"], nullptr);
}

TEST_F(PrepareStageTest, ADryRunMakesNothing) {
  Render("city/color.%04d.png", "testsrc2=s=64x48:r=6:d=1");
  Workflow("{folder: city}");
  const Ended ended = sandbox_.Engine({"run", "w.yaml", "--dry-run"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_THAT(ended.out, AllOf(HasSubstr("program='cosmos-engine'"), HasSubstr("'--progress'")));
  EXPECT_FALSE(fs::exists(sandbox_.outputs() / "prep"));
  Workflow("{folder: nowhere}");
  EXPECT_EQ(sandbox_.Engine({"validate", "w.yaml"}).status, 2);
}

// An ffmpeg that waits until it may go on.
TEST_F(PrepareStageTest, AKilledEngineGoesOnWithTheJobThatIsThere) {
  Render("city/color.%04d.png", "testsrc2=s=64x48:r=6:d=1");
  const std::string path = std::getenv("PATH");
  sandbox_.Write("bin/ffmpeg", "#!/bin/sh\necho begun >>count\nuntil test -e go; do sleep 0.02; done\nPATH='" + path +
                                   "' exec ffmpeg \"$@\"\n");
  fs::permissions(sandbox_.folder() / "bin/ffmpeg", fs::perms::owner_all);
  Workflow("{folder: city}", "    env: {PATH: '" + (sandbox_.folder() / "bin").string() + ":" + path + "'}\n");
  const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_test"});
  Await("encoding", [&] { return sandbox_.Read("count") == "begun\n"; });
  ::kill(engine, SIGKILL);
  EXPECT_EQ(sandbox_.Wait(engine), 128 + SIGKILL);
  EXPECT_FALSE(fs::exists(Made("rs_test", "color.mp4")));
  sandbox_.Write("go", "");
  ExpectSuccess(sandbox_.Engine({"resume", "rs_test"}));
  EXPECT_EQ(sandbox_.Read("count"), "begun\n");
  EXPECT_EQ(sandbox_.Show("rs_test")["stages"][0]["attempt"], 1);
  EXPECT_TRUE(fs::exists(Made("rs_test", "color.mp4")));
}

class RemotePrepareStageTest : public PrepareStageTest {
 protected:
  // `prep` on the host, with the folder of the program in its PATH or without.
  void RemoteWorkflow(bool with_program) const {
    const std::string path = (with_program ? fs::path(Sandbox::program()).parent_path().string() + ":" : "");
    sandbox_.Write("w.yaml", host_.Workflow("stages:\n  prep:\n    uses: prepare\n    target: gpu1\n    env: {PATH: '" +
                                            path + "/usr/bin:/bin'}\n    with: {folder: city, map: {color: '" +
                                            (sandbox_.folder() / "city/a.####.png").string() + "'}}\n"));
  }

  RemoteHost host_;
};

TEST_F(RemotePrepareStageTest, RunsTheProgramThatIsInstalledThere) {
  Render("city/a.%04d.png", "testsrc2=s=64x48:r=6:d=1");
  RemoteWorkflow(true);
  ExpectSuccess(RunAs("rs_test"));
  EXPECT_EQ(Manifest("rs_test")["name"], "city");
  EXPECT_TRUE(fs::exists(Made("rs_test", "color.mp4")));
}

TEST_F(RemotePrepareStageTest, AHostWithoutTheProgramSaysWhatToDo) {
  Render("city/a.%04d.png", "testsrc2=s=64x48:r=6:d=1");
  RemoteWorkflow(false);
  EXPECT_EQ(RunAs("rs_test").status, 1);
  EXPECT_THAT(Failure("rs_test"), AllOf(HasSubstr("there is no cosmos-engine in the PATH"), HasSubstr("install it")));
}

}  // namespace
}  // namespace cosmos::testing
