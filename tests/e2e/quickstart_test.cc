#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/sandbox.h"

namespace cosmos::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Workflow() { return Sandbox::source() / "workflows/quickstart.yaml"; }

const json& StageOf(const json& run, const std::string& stage) {
  for (const json& candidate : run["stages"]) {
    if (candidate["stage"] == stage) return candidate;
  }
  throw std::runtime_error("no stage " + stage);
}

std::string SizeOf(const Sandbox& sandbox, const std::string& video) {
  return sandbox
      .Run({"ffprobe", "-v", "error", "-select_streams", "v:0", "-count_frames", "-show_entries",
            "stream=width,height,nb_read_frames", "-of", "csv=p=0", video})
      .out;
}

TEST(Quickstart, MakesBothVideosAndTheWholeStory) {
  const Sandbox sandbox;
  const Ended ended = sandbox.Engine({"run", Workflow()});
  ASSERT_EQ(ended.status, 0) << ended.out << ended.err;
  const json run = sandbox.Show();
  const std::string run_id = run["run_id"];
  EXPECT_EQ(run["status"], "succeeded");
  EXPECT_EQ(run["error_message"], nullptr);
  EXPECT_THAT(run["prompt_id"].get<std::string>(), StartsWith("ps_"));

  const std::string render = StageOf(run, "render")["outputs"]["video"];
  const std::string upscaled = StageOf(run, "upscale")["outputs"]["video"];
  EXPECT_EQ(SizeOf(sandbox, render), "640,360,72\n");
  EXPECT_EQ(SizeOf(sandbox, upscaled), "1920,1080,72\n");
  for (const json& artifact : StageOf(run, "render")["artifacts"]) {
    EXPECT_EQ(std::filesystem::file_size(artifact["path"].get<std::string>()), artifact["size"]);
    EXPECT_THAT(sandbox.Run({"sha256sum", artifact["path"]}).out, StartsWith(artifact["sha256"].get<std::string>()));
  }

  // The log files stand where they are documented to stand.
  EXPECT_THAT(sandbox.Read("outputs/quickstart/logs/run_" + run_id + ".log"), HasSubstr("not a generated video"));
  EXPECT_THAT(sandbox.Read("outputs/quickstart_upscaled/logs/run_" + run_id + ".log"), HasSubstr("640 x 360"));
  const std::string operation = StageOf(run, "enhance")["operation_id"];
  EXPECT_THAT(sandbox.Read("outputs/prompt_enhancement/logs/" + operation + ".log"), HasSubstr("enhanced prompt"));

  EXPECT_THAT(sandbox.Engine({"runs"}).out, HasSubstr(run_id));
  EXPECT_THAT(sandbox.Engine({"show", "last"}).out,
              HasSubstr(std::filesystem::path(upscaled).lexically_relative(sandbox.folder()).string()));
  EXPECT_THAT(sandbox.Engine({"logs", "last"}).out, HasSubstr("not a generated video"));
  EXPECT_THAT(sandbox.Engine({"events", "last"}).out, HasSubstr("run_finished"));
}

TEST(Quickstart, APromptOfShellCharactersIsKeptAndExecutesNothing) {
  const Sandbox sandbox;
  const std::string prompt =
      "it's a \"city\" $(touch pwned) `touch pwned` ${HOME} %{n}\nline two: \\ ; & | 🌃 ${{ params.x }}";
  const Ended ended = sandbox.Engine({"run", Workflow(), "-p", "prompt=" + prompt});
  ASSERT_EQ(ended.status, 0) << ended.out << ended.err;
  const json run = sandbox.Show();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(sandbox.folder())) {
    EXPECT_NE(entry.path().filename(), "pwned");
  }
  const std::string enhanced = StageOf(run, "enhance")["outputs"]["prompt"];
  EXPECT_EQ(StageOf(run, "enhance")["outputs"]["original_prompt"], prompt);
  EXPECT_THAT(enhanced, HasSubstr(prompt));
  EXPECT_EQ(json::parse(sandbox.Read(StageOf(run, "render")["outputs"]["record"].get<std::string>()))["prompt"],
            enhanced);
  const std::string video = StageOf(run, "render")["outputs"]["video"];
  EXPECT_THAT(sandbox.Run({"ffprobe", "-v", "error", "-show_entries", "format_tags", "-of", "json", video}).out,
              HasSubstr("touch pwned"));
}

TEST(Quickstart, ADryRunTellsThePlanAndExecutesNothing) {
  const Sandbox sandbox;
  const Ended ended = sandbox.Engine({"run", Workflow(), "--dry-run", "-p", "prompt=a quiet lake"});
  ASSERT_EQ(ended.status, 0) << ended.err;
  for (const char* part : {"clips", "a quiet lake", "${{ stages.enhance.outputs.prompt }}", "ffmpeg", "render"}) {
    EXPECT_THAT(ended.out, HasSubstr(part));
  }
  EXPECT_FALSE(std::filesystem::exists(sandbox.outputs()));
  EXPECT_FALSE(std::filesystem::exists(sandbox.folder() / "home"));
}

}  // namespace
}  // namespace cosmos::testing
