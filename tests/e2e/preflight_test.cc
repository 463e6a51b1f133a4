// What is looked at before a run, with real hosts and containers that lack one thing each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "support/docker_daemon.h"
#include "support/fake_nvidia_smi.h"
#include "support/model_repo.h"
#include "support/processes.h"
#include "support/remote_host.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

void Clip(const fs::path& file, const std::string& size, int frames) {
  MustRun({"ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=r=24:s=" + size, "-frames:v",
           std::to_string(frames), "-pix_fmt", "yuv420p", file.string()});
}

const json& Findings(const json& report) { return report["preflight"]["findings"]; }

class PreflightTest : public ::testing::Test {
 protected:
  PreflightTest() : repo_(sandbox_.folder() / "repo", "1280x704", 5) {
    Clip(sandbox_.folder() / "in.mp4", "1280x704", 5);
    Clip(sandbox_.folder() / "depth.mp4", "640x352", 5);
  }
  void Render(const std::string& model = "cosmos-transfer1", const std::string& more = "") {
    sandbox_.Write("w.yaml", "version: 1\nname: w\nstages:\n  render: {uses: inference, with: {model: " + model + ", " +
                                 repo_.Parameters() +
                                 ", prompt: a city, input_video: in.mp4, controls: {edge: {}, depth: {video: "
                                 "depth.mp4}}" +
                                 more + "}}\n");
  }
  // The run is refused with such a message, and nothing is executed.
  void ExpectRefused(const std::string& message) {
    const Ended ended = sandbox_.Engine({"run", "w.yaml"});
    EXPECT_EQ(ended.status, 2) << ended.out << ended.err;
    EXPECT_THAT(ended.err, AllOf(HasSubstr(message), HasSubstr("nothing was executed")));
    EXPECT_THAT(sandbox_.EngineJson({"runs"})["runs"], IsEmpty());
    EXPECT_FALSE(fs::exists(sandbox_.outputs()));
  }

  Sandbox sandbox_;
  ModelRepo repo_;
};

TEST_F(PreflightTest, AGoodOnePasses) {
  Render();
  const Ended ended = sandbox_.Engine({"run", "w.yaml"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  const Ended checked = sandbox_.Engine({"run", "w.yaml", "--dry-run", "--check-targets"});
  EXPECT_EQ(checked.status, 0) << checked.out;
  EXPECT_THAT(checked.out, HasSubstr("as far as it can be told"));
}

TEST_F(PreflightTest, ControlsOfAnotherLengthOrShapeAreRefusedAllAtOnce) {
  Clip(sandbox_.folder() / "depth.mp4", "640x640", 4);
  Render();
  ExpectRefused(
      "stage 'render': controls.depth.video 'depth.mp4' has 4 frames, expected 5 as input_video 'in.mp4' has");
  ExpectRefused("'depth.mp4' has 640x640 pixels, expected the shape of input_video 'in.mp4', 1280x704");
  ExpectRefused("2 problems found");
  Render("cosmos-transfer2.5");
  ExpectRefused("has 4 frames, expected 5");
  EXPECT_EQ(sandbox_.Engine({"run", "w.yaml", "--no-preflight"}).status, 0);
}

TEST_F(PreflightTest, WhatDoesNotDecodeIsRefused) {
  fs::resize_file(sandbox_.folder() / "depth.mp4", fs::file_size(sandbox_.folder() / "depth.mp4") / 2);
  Render();
  ExpectRefused("stage 'render': controls.depth.video 'depth.mp4'");
  sandbox_.Write("u.yaml", "version: 1\nstages: {up: {uses: upscaling, with: {input: w.yaml}}}\n");
  const Ended ended = sandbox_.Engine({"run", "u.yaml"});
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.err, HasSubstr("stage 'up': input 'w.yaml': found no video in"));
}

TEST_F(PreflightTest, AShapeThatTheModelDistortsIsAWarning) {
  for (const char* file : {"in.mp4", "depth.mp4"}) Clip(sandbox_.folder() / file, "2048x858", 5);
  Render();
  const Ended ended = sandbox_.Engine({"run", "w.yaml"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("warning: stage 'render': input_video 'in.mp4' has 2048x858 pixels, and the model "
                                   "works in 1280x704, the nearest in shape: it distorts the picture by 31 %"));
}

TEST_F(PreflightTest, InstancesShareAFindingAndWhatTheRunBringsIsNotLookedAt) {
  Clip(sandbox_.folder() / "depth.mp4", "640x352", 4);
  sandbox_.Write(
      "w.yaml",
      "version: 1\nname: w\ntargets: {here: {local: {}, gpus: 1}}\nstages:\n"
      "  clip: {uses: shell, with: {run: 'true', outputs: {video: v.mp4}}}\n"
      "  render: {uses: inference, target: here, resources: {gpus: 1}, needs: clip, matrix: {seed: [1, 2, 3]}, "
      "with: {model: cosmos-transfer1, " +
          repo_.Parameters() +
          ", seed: \"${{ matrix.seed }}\", prompt: x, input_video: \"${{ stages.clip.outputs.video }}\", "
          "controls: {depth: {video: depth.mp4}, edge: {video: in.mp4}}}}\n");
  const Ended ended = sandbox_.Engine({"run", "w.yaml", "--dry-run", "--check-targets", "--format", "json"});
  EXPECT_EQ(ended.status, 2);
  const json findings = Findings(json::parse(ended.out));
  std::vector<std::string> here;
  for (const json& finding : findings) {
    if (finding["target"].is_null()) here.push_back(finding["severity"]);
  }
  EXPECT_THAT(here, ::testing::ElementsAre("info", "error"));
  EXPECT_THAT(findings[0]["message"].get<std::string>(), HasSubstr("known only when the run is there"));
  EXPECT_EQ(findings[1]["parameter"], "controls.depth.video");
}

TEST_F(PreflightTest, AGpuThatIsNotAskedForIsAWarning) {
  Render();
  const Ended ended = sandbox_.Engine({"run", "w.yaml"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("warning: stage 'render' on 'local': the job needs a GPU, and `resources.gpus` is "
                                   "not given (w.yaml:4:3): nothing keeps other stages off"));
}

TEST_F(PreflightTest, CheckTargetsIsForADryRun) {
  Render();
  const Ended ended = sandbox_.Engine({"run", "w.yaml", "--check-targets"});
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.err, HasSubstr("without --dry-run"));
}

TEST_F(PreflightTest, ALaterStageThatCanNeverHaveItsGpusFailsBeforeTheFirstRuns) {
  fs::create_directories(sandbox_.folder() / "bin");
  sandbox_.SetEnvironment("PATH=" + (sandbox_.folder() / "bin").string() + ":" + ::getenv("PATH"));
  const FakeNvidiaSmi nvidia(sandbox_.folder() / "bin");
  sandbox_.Write("w.yaml",
                 "version: 1\nname: w\nstages:\n  first: {uses: shell, with: {run: 'touch begun'}}\n"
                 "  wide: {uses: shell, needs: first, resources: {gpus: 2}, with: {run: 'true'}}\n");
  const auto refused = [&](const std::string& message) {
    const Ended ended = sandbox_.Engine({"run", "w.yaml"});
    EXPECT_EQ(ended.status, 2) << ended.out << ended.err;
    EXPECT_THAT(ended.err, HasSubstr("stage 'wide' on 'local': " + message));
    EXPECT_FALSE(fs::exists(sandbox_.folder() / "begun"));
  };
  refused("nvidia-smi lists 1 GPU, expected 2");
  nvidia.SetGpus({FakeNvidiaSmi::Gpu(0), FakeNvidiaSmi::Gpu(1, {{"temperature.gpu", "[GPU requires reset]"}})});
  refused("1 GPU works, expected 2: GPU 1: GPU requires reset");
  nvidia.SetGpus(1);
  nvidia.SetErrors("Unable to determine the device handle for GPU1: 0000:41:00.0: Unknown Error\n", 0);
  refused("1 GPU works, expected 2: GPU 1 (0000:41:00.0): Unknown Error");
  nvidia.SetErrors("", 0);
  nvidia.SetGpus(2);
  EXPECT_EQ(sandbox_.Engine({"run", "w.yaml"}).status, 0);
}

// A host with a folder of programs that stand before all others in its PATH.
class PreflightHostTest : public PreflightTest {
 protected:
  void SetUp() override {
    if (const std::string missing = SshServer::Missing(); !missing.empty()) GTEST_SKIP() << missing;
    fs::permissions(sandbox_.folder(), fs::perms(0755));  // the account's commands pass through it
    fs::create_directories(sandbox_.folder() / "bin");
    host_ = std::make_unique<RemoteHost>("SetEnv PATH=" + (sandbox_.folder() / "bin").string() +
                                         ":/usr/local/bin:/usr/bin:/bin");
    there_ = std::make_unique<ModelRepo>(host_->workdir() / "repo", "1280x704", 5);
    MustRun({"chown", "-R", std::to_string(host_->account().uid()), host_->workdir().string()});
    Nvidia("570.124.06", "81559", "81000");
  }
  void Nvidia(const std::string& driver, const std::string& total, const std::string& free) {
    FakeNvidiaSmi(sandbox_.folder() / "bin")
        .SetGpus({FakeNvidiaSmi::Gpu(
            0,
            {{"driver_version", driver}, {"memory.used", "[N/A]"}, {"memory.total", total}, {"memory.free", free}})});
  }
  void RenderThere(const std::string& model) {
    sandbox_.Write("w.yaml",
                   host_->Workflow("stages:\n  render: {uses: inference, target: gpu1, resources: {gpus: 1}, with: "
                                   "{model: " +
                                       model + ", " + there_->Parameters() +
                                       ", prompt: a city, input_video: in.mp4, controls: {edge: {}}}}\n",
                                   ", gpus: 1"));
  }
  void ExpectRefusedThere(const std::string& message) {
    ExpectRefused("stage 'render' on 'gpu1': " + message);
    EXPECT_FALSE(fs::exists(host_->workdir() / ".cosmos"));
  }

  std::unique_ptr<RemoteHost> host_;
  std::unique_ptr<ModelRepo> there_;
};

TEST_F(PreflightHostTest, AGoodHostPassesOnOneConnection) {
  RenderThere("cosmos-transfer1");
  const Ended checked = sandbox_.Engine({"run", "w.yaml", "--dry-run", "--check-targets", "--format", "json"});
  EXPECT_EQ(checked.status, 0) << checked.out << checked.err;
  EXPECT_EQ(json::parse(checked.out)["preflight"], json::parse(R"({"ok": true, "findings": [], "unreachable": []})"));
  EXPECT_FALSE(fs::exists(host_->workdir() / ".cosmos"));
  const Ended ended = sandbox_.Engine({"run", "w.yaml"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(host_->server().LoginCount(), 2);
}

TEST_F(PreflightHostTest, AMissingCheckpointIsNamed) {
  fs::remove(there_->folder() / "checkpoints/nvidia/Cosmos-Transfer1-7B/edge_control.pt");
  RenderThere("cosmos-transfer1");
  ExpectRefusedThere("there is no '" + there_->folder().string() +
                     "/checkpoints/nvidia/Cosmos-Transfer1-7B/edge_control.pt', and the job needs it; ");
}

TEST_F(PreflightHostTest, AGpuThatIsInUseAndADriverThatIsOld) {
  RenderThere("cosmos-transfer2.5");
  Nvidia("570.124.06", "81559", "20000");
  const Ended waits = sandbox_.Engine({"run", "w.yaml", "--dry-run", "--check-targets"});
  EXPECT_EQ(waits.status, 0);
  EXPECT_THAT(waits.out, HasSubstr("GPU 0 has 21.0 GB of memory free, expected 65.4 GB: the stage waits for it"));
  Nvidia("550.54.15", "81559", "81000");
  ExpectRefusedThere("NVIDIA's driver is 550.54.15, expected 570.124.06 or newer");
}

TEST_F(PreflightHostTest, RoomForWhatIsDownloadedIsLookedForUnlessItIsThere) {
  sandbox_.Write("bin/stat",
                 "#!/bin/sh\nif [ \"$1\" = -f ]; then echo '25000000 4096'; else exec /usr/bin/stat \"$@\"; fi\n");
  fs::permissions(sandbox_.folder() / "bin/stat", fs::perms(0755));
  const fs::path checkpoints = there_->folder() / "checkpoints";
  RenderThere("cosmos-transfer1");
  fs::rename(checkpoints, checkpoints.string() + ".away");
  ExpectRefusedThere("'" + checkpoints.string() +
                     "' is not there yet: 102.4 GB are free for it, expected about 300 GB");
  fs::rename(checkpoints.string() + ".away", checkpoints);
  EXPECT_EQ(sandbox_.Engine({"run", "w.yaml", "--dry-run", "--check-targets"}).status, 0);
  RenderThere("cosmos-transfer2.5");
  const json report = sandbox_.EngineJson({"run", "w.yaml", "--dry-run", "--check-targets"});
  EXPECT_THAT(Findings(report)[0]["message"].get<std::string>(),
              AllOf(HasSubstr("/.cache/huggingface/hub/models--nvidia--Cosmos-Transfer2.5-2B' is not there yet"),
                    HasSubstr("how much that is is not known, 102.4 GB are free")));
}

TEST_F(PreflightHostTest, WhatIsNotKnownIsAWarningAndTheRunGoesOn) {
  Nvidia("[N/A]", "[N/A]", "[N/A]");
  RenderThere("cosmos-transfer2.5");
  there_->SetClip("1280x704", 5);
  const Ended ended = sandbox_.Engine({"run", "w.yaml"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_THAT(ended.err, AllOf(HasSubstr("warning: stage 'render' on 'gpu1': how much memory is free on GPU 0"),
                               HasSubstr("driver is not known")));
}

TEST_F(PreflightHostTest, AHostThatDoesNotAnswerIsTold) {
  host_->proxy().SetRefuse(true);
  RenderThere("cosmos-transfer1");
  const Ended ended = sandbox_.Engine({"run", "w.yaml", "--dry-run", "--check-targets"});
  EXPECT_EQ(ended.status, 3) << ended.out << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("target 'gpu1': cannot connect to"));
  EXPECT_EQ(sandbox_.Engine({"run", "w.yaml"}).status, 3);
  EXPECT_FALSE(fs::exists(sandbox_.outputs()));
  fs::resize_file(sandbox_.folder() / "in.mp4", 100);
  EXPECT_EQ(sandbox_.Engine({"run", "w.yaml", "--dry-run", "--check-targets"}).status, 2);
}

TEST_F(PreflightTest, AnImageThatIsMissing) {
  for (const std::string& missing : {SshServer::Missing(), DockerDaemon::Missing()}) {
    if (!missing.empty()) GTEST_SKIP() << missing;
  }
  const DockerDaemon docker;
  RemoteHost host("SetEnv DOCKER_HOST=" + docker.Host(), docker.socket());
  const auto workflow = [&](const std::string& image, const std::string& more = ", resources: {gpus: 1}") {
    sandbox_.Write("w.yaml",
                   host.Workflow("stages:\n  render: {uses: inference, target: gpu1" + more +
                                     ", with: {model: cosmos-transfer1, repo: /inside, prompt: x, "
                                     "input_video: in.mp4, controls: {edge: {}}}}\n",
                                 ", gpus: 1, container: {image: \"" + image + "\", args: [--network, none]}"));
  };
  workflow("127.0.0.1:1/no-such-image:1");
  ExpectRefused("stage 'render' on 'gpu1': the image '127.0.0.1:1/no-such-image:1' is not there, and cannot be pulled");
  workflow("cosmos-test:latest");  // a docker without NVIDIA's toolkit
  ExpectRefused("stage 'render' on 'gpu1': docker cannot give containers GPUs: ");
  workflow("cosmos-test:latest", "");
  ExpectRefused(
      "stage 'render' on 'gpu1': the job needs a GPU, and `resources.gpus` is not given (w.yaml:6:3): its "
      "container gets none; add `resources: {gpus: 1}` to the stage");
  EXPECT_THAT(docker.Containers(), IsEmpty());
}

}  // namespace
}  // namespace cosmos::testing
