// The Cosmos models as a person runs them, with stand-ins for what cannot be had here (tests/stand_ins).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models_fixture.h"
#include "support/docker_daemon.h"
#include "support/remote_host.h"

namespace cosmos::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(ModelsTest, Transfer1LeavesAVideoItsSpecAndItsCommand) {
  const Ended ended = Run("cosmos-transfer1", Transfer("a city at night"));
  ASSERT_EQ(ended.status, 0) << ended.out << ended.err << sandbox_.Engine({"logs", "rs_test"}).out;
  const json outputs = Stage()["outputs"];
  EXPECT_THAT(outputs["video"].get<std::string>(), HasSubstr("output.mp4"));
  EXPECT_TRUE(outputs.contains("depth_control"));
  const json spec = json::parse(sandbox_.Read(Artifact("spec")));
  EXPECT_EQ(spec["prompt"], "a city at night");
  EXPECT_EQ(spec["depth"]["control_weight"], 0.5);
  EXPECT_THAT(sandbox_.Read(Artifact("command")), HasSubstr("torchrun --standalone"));
  EXPECT_EQ(sandbox_.Read(outputs["prompt_file"].get<std::string>()), "a city at night");
}

TEST_F(ModelsTest, TheOtherModelsRunToo) {
  EXPECT_EQ(Run("cosmos-transfer2.5", "keep_input_resolution: false, " + Transfer("a city")).status, 0)
      << sandbox_.Engine({"logs", "rs_test"}).out;
  sandbox_.Write("repo/cosmos_predict2/__init__.py", "");
  sandbox_.Write("p.yaml",
                 "version: 1\nname: p\nstages:\n  a: {uses: inference, with: {model: cosmos-predict2.5, prompt: x, "
                 "num_output_frames: 5, inference_type: video2world, input: in.mp4, " +
                     repo_.Parameters() + "}}\n");
  const Ended ended = sandbox_.Engine({"run", "p.yaml"});
  EXPECT_EQ(ended.status, 0) << ended.err << sandbox_.Engine({"logs", "last"}).out;
  repo_.SetClip("3840x2112", kFrames);
  sandbox_.Write("u.yaml",
                 "version: 1\nname: u\nstages:\n  a: {uses: upscaling, with: {backend: cosmos-4k, input: in.mp4, " +
                     repo_.Parameters() + "}}\n");
  const Ended upscaled = sandbox_.Engine({"run", "u.yaml"});
  EXPECT_EQ(upscaled.status, 0) << upscaled.err << sandbox_.Engine({"logs", "last"}).out;
}

// Both exit with 0 then, without a video.
TEST_F(ModelsTest, AGuardrailIsOneAlsoWhenTheModelExitsWithZero) {
  EXPECT_EQ(Run("cosmos-transfer1", Transfer("a forbidden city")).status, 1);
  EXPECT_EQ(Stage()["failure_kind"], "guardrail_blocked");
  EXPECT_THAT(sandbox_.Show("rs_test")["error_message"].get<std::string>(), HasSubstr("reword the prompt"));
  // What it was told is there to be looked at.
  EXPECT_THAT(sandbox_.Read(Artifact("spec")), HasSubstr("forbidden"));
}

TEST_F(ModelsTest, AGuardrailOf25IsOneAlsoWhenItKeepsGoing) {
  EXPECT_EQ(Run("cosmos-transfer2.5", "keep_going: true, " + Transfer("a forbidden city")).status, 1);
  EXPECT_EQ(Stage()["failure_kind"], "guardrail_blocked");
  EXPECT_THAT(sandbox_.Show("rs_test")["error_message"].get<std::string>(), HasSubstr("did not make its output"));
}

TEST_F(ModelsTest, AGuardrailOf25EndsTheModelUnlessToldOtherwise) {
  EXPECT_EQ(Run("cosmos-transfer2.5", Transfer("a forbidden city")).status, 1);
  EXPECT_EQ(Stage()["failure_kind"], "guardrail_blocked");
  EXPECT_THAT(sandbox_.Show("rs_test")["error_message"].get<std::string>(), HasSubstr("exited with status 1"));
}

TEST_F(ModelsTest, WantOfMemoryClimbsTheLadder) {
  sandbox_.SetEnvironment("STAND_IN_GPU_GB=30");
  const Ended ended = Run("cosmos-transfer1", Transfer("a city"), ", retry: {on_oom: [offload, more_gpus]}");
  ASSERT_EQ(ended.status, 0) << ended.err;
  EXPECT_THAT(Changes(), ElementsAre("offload", "more_gpus"));
  const json stages = sandbox_.Show("rs_test")["stages"];
  ASSERT_EQ(stages.size(), 3u);
  EXPECT_EQ(stages[0]["failure_kind"], "cuda_oom");
  EXPECT_EQ(stages[1]["failure_kind"], "cuda_oom");
  EXPECT_THAT(sandbox_.Read(Artifact("command", 0)), ::testing::Not(HasSubstr("--offload_diffusion_transformer")));
  EXPECT_THAT(sandbox_.Read(Artifact("command", 1)), HasSubstr("--offload_diffusion_transformer"));
  EXPECT_THAT(sandbox_.Read(Artifact("command", 1)), HasSubstr("--nproc_per_node=1"));
  EXPECT_THAT(sandbox_.Read(Artifact("command", 2)), HasSubstr("--nproc_per_node=2"));
}

TEST_F(ModelsTest, ALadderThatIsNotLongEnoughEnds) {
  sandbox_.SetEnvironment("STAND_IN_GPU_GB=1");
  EXPECT_EQ(Run("cosmos-transfer2.5", "keep_input_resolution: false, " + Transfer("a city"),
                ", retry: {attempts: 5, on_oom: [offload, fewer_frames]}")
                .status,
            1);
  EXPECT_THAT(Changes(), ElementsAre("offload", "fewer_frames"));
  EXPECT_EQ(sandbox_.Show("rs_test")["failure_kind"], "cuda_oom");
}

TEST_F(ModelsTest, AMissingCheckpointIsNamed) {
  EXPECT_EQ(Run("cosmos-transfer1", "checkpoint_dir: /models, " + Transfer("a city"), "", {"--no-preflight"}).status,
            1);
  EXPECT_EQ(Stage()["failure_kind"], "checkpoint_missing");
  EXPECT_THAT(sandbox_.Show("rs_test")["error_message"].get<std::string>(), HasSubstr("/models/nvidia/"));
}

TEST_F(ModelsTest, AVideoOfAnotherLengthOrSizeIsNone) {
  repo_.SetClip("1280x704", kFrames - 1);
  EXPECT_EQ(Run("cosmos-transfer1", Transfer("a city")).status, 1);
  EXPECT_EQ(Stage()["failure_kind"], "output_invalid");
  EXPECT_THAT(sandbox_.Show("rs_test")["error_message"].get<std::string>(), HasSubstr("4 frames, expected 5"));
  repo_.SetClip("960x704", kFrames);
  EXPECT_EQ(sandbox_.Engine({"retry", "rs_test"}).status, 1);
  EXPECT_THAT(sandbox_.Show("rs_test")["error_message"].get<std::string>(), HasSubstr("expected 1280x704"));
}

TEST_F(ModelsTest, AModelThatHangsIsEnded) {
  EXPECT_EQ(Run("cosmos-transfer1", Transfer("hang"), ", stall_timeout: 2s").status, 1);
  EXPECT_EQ(Stage()["failure_kind"], "stalled");
  EXPECT_THAT(sandbox_.JobProcesses(), IsEmpty());
}

TEST_F(ModelsTest, InAContainerOnAHost) {
  for (const std::string& missing : {SshServer::Missing(), DockerDaemon::Missing()}) {
    if (!missing.empty()) GTEST_SKIP() << missing;
  }
  const DockerDaemon docker;
  RemoteHost host("SetEnv DOCKER_HOST=" + docker.Host(), docker.socket());
  const ModelRepo there(host.workdir() / "repo", "1280x704", kFrames);
  MustRun({"chown", "-R", std::to_string(host.account().uid()), host.workdir().string()});
  sandbox_.Write("w.yaml",
                 host.Workflow("hooks: {log-streamer: {}}\nstages:\n  render: {uses: inference, target: gpu1, with: "
                               "{model: cosmos-transfer1, setup: 'PATH=$PWD/bin:$PATH', " +
                                   Transfer("it's a $(city)") + "}}\n",
                               ", container: {image: \"cosmos-test:latest\", workdir: " + there.folder().string() +
                                   ", args: [--network, none, --device, /dev/null]}"));  // for want of a GPU
  const Ended ended = sandbox_.Engine({"run", "w.yaml", "--run-id", "rs_test"});
  ASSERT_EQ(ended.status, 0) << ended.err << sandbox_.Engine({"logs", "rs_test"}).out;
  EXPECT_EQ(json::parse(sandbox_.Read(Artifact("spec")))["prompt"], "it's a $(city)");
  EXPECT_EQ(sandbox_.Read(Stage()["outputs"]["prompt_file"].get<std::string>()), "it's a $(city)");
  EXPECT_THAT(docker.Containers(), IsEmpty());
}

}  // namespace
}  // namespace cosmos::testing
