#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "common/video_fixture.h"

namespace cosmos::plugins {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// The models of the stage, as far as they can be looked at without a GPU: what they would run.
class ModelsTest : public VideoFixture {
 protected:
  Json Preview(const Json& parameters) {
    const Result result = host_.Preview(plugin_, parameters);
    EXPECT_EQ(result.status, COSMOS_OK) << result.text;
    return result.json;
  }
  std::string Refusal(const Json& parameters) {
    const Result result = host_.Preview(plugin_, parameters);
    EXPECT_EQ(result.status, COSMOS_FAILED) << result.text;
    return result.json.value("kind", "") + ": " + result.json.value("message", "");
  }
  static Json SpecOf(const Json& job) { return Json::parse(job.at("files").at("spec").at("text").get<std::string>()); }
  static std::string CommandOf(const Json& job) { return job.at("files").at("command").at("text"); }

  static Json Transfer1(const Json& more = Json::object()) {
    Json parameters = {{"model", "cosmos-transfer1"},
                       {"prompt", "a city"},
                       {"input_video", "in.mp4"},
                       {"controls", {{"edge", Json::object()}}}};
    parameters.update(more);
    return parameters;
  }
  static Json Transfer25(const Json& more = Json::object()) {
    Json parameters = Transfer1(more);
    parameters["model"] = "cosmos-transfer2.5";
    return parameters;
  }

  const cosmos_plugin_entry_t& plugin_ = sdk::testing::LoadPlugin(PLUGIN_FILE);
};

TEST_F(ModelsTest, AWeightOfZeroLeavesTheControlOut) {
  const Json controls = {{"edge", {{"weight", 0.3}}}, {"depth", {{"weight", 0}}}};
  for (const Json& parameters : {Transfer1({{"controls", controls}}), Transfer25({{"controls", controls}})}) {
    const Json spec = SpecOf(Preview(parameters));
    EXPECT_TRUE(spec.contains("edge"));
    EXPECT_FALSE(spec.contains("depth"));
  }
}

TEST_F(ModelsTest, RefusesWhatTheSchemaCannotTell) {
  EXPECT_THAT(Refusal(Transfer1({{"controls", {{"edge", {{"weight", 0}}}}}})),
              HasSubstr("invalid_input: cosmos-transfer1: all controls have weight 0"));
  EXPECT_THAT(Refusal(Transfer25({{"controls", {{"edge", {{"weight", 0}}}}}})),
              HasSubstr("all controls have weight 0"));
  EXPECT_THAT(Refusal(Transfer1({{"distilled", true}, {"controls", {{"vis", Json::object()}}}})),
              HasSubstr("the distilled model has no checkpoint for 'vis'"));
  EXPECT_THAT(Refusal(Transfer1({{"distilled", true}, {"av_sample", true}})), HasSubstr("no distilled driving model"));
  EXPECT_THAT(Refusal(Transfer25({{"image_context", "a.png"}, {"controls", {{"vis", Json::object()}}}})),
              HasSubstr("only one of them"));
}

TEST_F(ModelsTest, TorchrunStartsAProcessForEachGpu) {
  host_.context["gpus"] = 4;
  const std::string command = CommandOf(Preview(Transfer1()));
  EXPECT_THAT(command, HasSubstr("--nproc_per_node=4 "));
  EXPECT_THAT(command, HasSubstr("--num_gpus 4 "));
  EXPECT_THAT(CommandOf(Preview(Transfer1({{"launcher", "python"}}))), HasSubstr("--num_gpus 1 "));
}

TEST_F(ModelsTest, StepsAgainstWantOfMemoryChangeTheCommand) {
  host_.context["oom_steps"] = {"offload"};
  EXPECT_THAT(CommandOf(Preview(Transfer1())), HasSubstr("--offload_diffusion_transformer --offload_prompt_upsampler"));
  EXPECT_THAT(CommandOf(Preview(Transfer25())), HasSubstr("--offload-guardrail-models"));
  EXPECT_EQ(SpecOf(Preview(Transfer25()))["num_video_frames_per_chunk"], 93);
  host_.context["oom_steps"] = {"offload", "fewer_frames"};
  EXPECT_EQ(SpecOf(Preview(Transfer25()))["num_video_frames_per_chunk"], 45);
  const Json predict = {{"model", "cosmos-predict2.5"}, {"prompt", "x"}};
  const Json job = Preview(predict);
  EXPECT_EQ(SpecOf(job)["num_output_frames"], 37);
  EXPECT_EQ(job.at("outputs").at("video").at("expect").at("frames"), 37);
}

TEST_F(ModelsTest, SaysWhatTheVideoMustBeLike) {
  const Json transfer1 =
      Preview(Transfer1({{"controls", {{"edge", Json::object()}, {"seg", {{"video", "seg.mp4"}}}}}}));
  const Json expect = transfer1.at("outputs").at("video").at("expect");
  EXPECT_EQ(expect.at("as_long_as"), (Json{"in.mp4", "seg.mp4"}));
  EXPECT_EQ(expect.at("size_of"), "in.mp4");
  EXPECT_THAT(expect.at("sizes"), Contains(Json{1280, 704}));
  EXPECT_TRUE(transfer1.at("outputs").contains("edge_control"));
  EXPECT_FALSE(transfer1.at("outputs").contains("seg_control"));
  EXPECT_EQ(Preview(Transfer25({{"max_frames", 50}})).at("outputs").at("video").at("expect").at("frames"), 50);
  EXPECT_EQ(Preview(Transfer25({{"show_input", true}})).at("outputs").at("video").at("expect").at("size_of"), "");
  EXPECT_EQ(Preview(Transfer25({{"max_frames", 1}})).at("outputs").at("video").at("path"), "output.jpg");
}

TEST_F(ModelsTest, SaysWhatMustBeThere) {
  const Json controls = {{"edge", {{"video", "edge.mp4"}}},
                         {"vis", Json::object()},
                         {"depth", {{"weight", 0}, {"video", "depth.mp4"}}},
                         {"seg", {{"checkpoint", "mine/seg.pt"}}}};
  const Json needs = Preview(Transfer1({{"controls", controls}, {"repo", "/repo"}})).at("needs");
  EXPECT_EQ(needs.at("videos"), Json::parse(R"([{"parameter": "input_video", "path": "in.mp4"},
                                                {"parameter": "controls.edge.video", "path": "edge.mp4"}])"));
  EXPECT_EQ(needs.at("alike"), true);
  EXPECT_EQ(needs.at("history").at("video").at("as_long_as"), (Json{"in.mp4", "edge.mp4"}));
  EXPECT_EQ(needs.at("folder"), "/repo");
  EXPECT_THAT(needs.at("files").get<std::vector<std::string>>(),
              ElementsAre("cosmos_transfer1/diffusion/inference/transfer.py",
                          "checkpoints/nvidia/Cosmos-Transfer1-7B/base_model.pt",
                          "checkpoints/nvidia/Cosmos-Transfer1-7B/vis_control.pt",
                          "checkpoints/nvidia/Cosmos-Transfer1-7B/edge_control.pt",
                          "checkpoints/nvidia/Cosmos-Tokenize1-CV8x8x8-720p", "checkpoints/nvidia/Cosmos-Guardrail1",
                          "checkpoints/google-t5/t5-11b", "mine/seg.pt"));
  EXPECT_THAT(needs.at("programs").get<std::vector<std::string>>(), ElementsAre("torchrun"));
  EXPECT_EQ(needs.at("download"), Json::parse(R"({"folder": "", "variable": "", "path": "checkpoints", "gb": 300})"));
  // Where `setup` says what is to be found, only it knows.
  const Json other = Preview(Transfer25({{"setup", ". .venv/bin/activate"}})).at("needs");
  EXPECT_EQ(other.at("programs"), Json::array());
  EXPECT_EQ(other.at("driver"), "570.124.06");
  EXPECT_EQ(other.at("gpu_memory_gb"), 65.4);
  const auto kept = [&](const Json& parameters) -> std::string {
    const Json download = Preview(parameters).at("needs").at("download");
    EXPECT_EQ(download.at("folder"), "~/.cache/huggingface");
    EXPECT_EQ(download.at("variable"), "HF_HOME");
    return download.at("path");
  };
  EXPECT_EQ(kept(Transfer25()), "hub/models--nvidia--Cosmos-Transfer2.5-2B");
  EXPECT_EQ(kept(Transfer25({{"distilled", true}})), "hub/models--nvidia--Cosmos-Experimental");
  EXPECT_EQ(kept(Transfer25({{"checkpoint_path", "mine.pt"}})), "hub/models--nvidia--Cosmos-Reason1-7B");
  const Json predict = {{"model", "cosmos-predict2.5"}, {"prompt", "x"}, {"checkpoint", "14B/post-trained"}};
  EXPECT_EQ(kept(predict), "hub/models--nvidia--Cosmos-Predict2.5-14B");
  EXPECT_EQ(Preview(predict).at("needs").at("driver"), "570.124.06");
}

TEST_F(ModelsTest, AHostilePromptIsTextAndNothingElse) {
  const std::string prompt = "it's $(touch pwned) `id` \"x\" \\ \n ${HOME} ; rm -rf /";
  const Json job = Preview(Transfer1({{"prompt", prompt}, {"repo", "/tmp/it's a $(repo)"}}));
  EXPECT_EQ(SpecOf(job)["prompt"], prompt);
  EXPECT_THAT(job.at("script"), Not(HasSubstr("pwned")));
  EXPECT_THAT(job.at("script"), HasSubstr("cd '/tmp/it'\\''s a $(repo)'\n"));
}

TEST_F(ModelsTest, AServersJobIsAskedForByCurl) {
  const Json job = Preview({{"model", "cosmos-predict2.5"},
                            {"prompt", "it's"},
                            {"launcher", "http"},
                            {"server", "http://localhost:1/"},
                            {"inference_type", "image2world"},
                            {"input", "a,b;c.png"},
                            {"resolution", "704,1280"}});
  EXPECT_EQ(SpecOf(job), (Json{{"prompt", "it's"},
                               {"seed", "0"},
                               {"guidance_scale", "7"},
                               {"num_inference_steps", "35"},
                               {"num_frames", "77"},
                               {"width", "1280"},
                               {"height", "704"},
                               {"input_reference", "a,b;c.png"}}));
  EXPECT_THAT(CommandOf(job), HasSubstr("'prompt=it'\\''s'"));
}

TEST_F(ModelsTest, ACommandFindsItsInputsAndTellsItsProgress) {
  std::ofstream(Path("mask.txt")) << "a mask";
  const Json parameters = {{"model", "command"},
                           {"prompt", "it's $(rain)"},
                           {"seed", 7},
                           {"inputs", {{"mask", Path("mask.txt")}}},
                           {"outputs", {{"text", "out.txt"}}},
                           {"progress", "step (\\d+) of (\\d+)"},
                           {"run",
                            "echo 'step 1 of 4'; echo 'step 3 of 4'; echo \"$PROMPT|$SEED|$(cat \"$INPUT_MASK\")\" "
                            ">\"$COSMOS_OUTPUT_DIR/out.txt\""}};
  host_.piece = 3;
  const Result result = host_.Run(plugin_, parameters);
  ASSERT_EQ(result.status, COSMOS_OK) << result.text << host_.job_log();
  std::string line;
  std::ifstream file(result.json.at("text").get<std::string>());
  std::getline(file, line);
  EXPECT_EQ(line, "it's $(rain)|7|a mask");
  ASSERT_EQ(host_.progress.size(), 2u);
  EXPECT_EQ(host_.progress[1].done, 3);
  EXPECT_EQ(host_.progress[1].total, 4);
  EXPECT_THAT(Refusal({{"model", "command"}, {"run", "x"}, {"progress", "("}}), HasSubstr("no regular expression"));
}

TEST_F(ModelsTest, ACommandThatSaysNothingIsAsFarAsItWasTheLastTime) {
  const Json parameters = {{"model", "command"}, {"outputs", Json::object()}, {"run", "echo begun"}};
  ASSERT_EQ(host_.Run(plugin_, parameters).status, COSMOS_OK);
  EXPECT_TRUE(host_.progress.empty());
  std::vector<Json>& kept = host_.history[R"({"model":"command","run":"echo begun"})"];
  ASSERT_EQ(kept.size(), 1u);
  kept[0]["phases"]["running"] = 1e6;  // seconds
  ASSERT_EQ(host_.Run(plugin_, parameters).status, COSMOS_OK);
  ASSERT_FALSE(host_.progress.empty());
  EXPECT_EQ(host_.progress.front().total, 100);
  EXPECT_NEAR(host_.progress.front().eta, 1e6, 1e4);
}

}  // namespace
}  // namespace cosmos::plugins
