#include "prompt_enhancement/upsampler.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "testing/fake_host.h"

namespace cosmos::plugins {
namespace {

namespace fs = std::filesystem;
using sdk::Json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(UpsampledPrompt, IsWhatStandsBehindTheMarker) {
  EXPECT_EQ(UpsampledPrompt("Upsampled prompt: a street\n"), "a street");
  EXPECT_EQ(UpsampledPrompt("INFO 11-24 10:00:00 [llm.py:1] x\nUpsampled prompt: a street, no line end"),
            "a street, no line end");
  EXPECT_EQ(UpsampledPrompt("Upsampled prompt: first\r\n\nthird: Upsampled prompt: x\n"),
            "first\r\n\nthird: Upsampled prompt: x");
  EXPECT_EQ(UpsampledPrompt("not at the start: Upsampled prompt: a\nUpsampled prompt: b\n"), "b");
  EXPECT_EQ(UpsampledPrompt("Upsampled prompt: \n"), "");
  EXPECT_EQ(UpsampledPrompt(""), std::nullopt);
  EXPECT_EQ(UpsampledPrompt("the Upsampled prompt: a\n"), std::nullopt);
}

TEST(UpsampledPrompt, EndsWhereALibrarySpeaks) {
  for (const char* line : {"INFO 11-24 10:00:00 [core.py:1] Shutting down",
                           "[rank0]:[W1124 10:00:00.1 P.cpp:1] destroy", "W1124 10:00:00.000 7 torch/x.py:1] warning",
                           "(EngineCore_0 pid=7) INFO bye", "[11-24 10:00:00|INFO|cosmos_transfer1/x.py:1:main] bye"}) {
    EXPECT_EQ(UpsampledPrompt(std::string("Upsampled prompt: one\ntwo\n") + line + "\n"), "one\ntwo") << line;
  }
  EXPECT_EQ(UpsampledPrompt("Upsampled prompt: INFO on a sign, [rank0]: too\n"), "INFO on a sign, [rank0]: too");
}

// torchrun, which gives its processes the variables that the script wants.
constexpr const char* kTorchrun = R"sh(#!/bin/sh
processes=
while :; do
  case $1 in
    --standalone|--nnodes=1) ;;
    --nproc_per_node=*) processes=${1#*=} ;;
    -*) echo "torchrun: error: unrecognized arguments: $1" >&2; exit 2 ;;
    *) break ;;
  esac
  shift
done
[ "$processes" = 1 ] || { echo "the upsampler takes one process" >&2; exit 2; }
script=$1; shift
[ -f "$script" ] || { echo "python: can't open file '$PWD/$script': [Errno 2] No such file or directory" >&2; exit 2; }
RANK=0 LOCAL_RANK=0 WORLD_SIZE=1 exec sh "$script" "$@"
)sh";

// The script of cosmos-transfer1, as strict as the real one about what it is given, and with the words it prints.
constexpr const char* kScript = R"sh(
usage() {
  echo "usage: upsampler_pipeline.py [-h] [--prompt PROMPT] --input_video INPUT_VIDEO [--checkpoint_dir CHECKPOINT_DIR] [--offload_prompt_upsampler]" >&2
  echo "upsampler_pipeline.py: error: $1" >&2
  exit 2
}
[ -n "${RANK-}" ] || { echo "KeyError: 'RANK'" >&2; exit 1; }
prompt= input_video= checkpoint_dir=checkpoints
while [ $# -gt 0 ]; do
  option=${1%%=*}
  case $option in --prompt|--input_video|--checkpoint_dir) ;; *) usage "unrecognized arguments: $1" ;; esac
  case $1 in
    *=*) value=${1#*=} ;;
    *) [ $# -gt 1 ] || usage "argument $option: expected one argument"
       case $2 in -*) usage "argument $option: expected one argument" ;; esac
       value=$2; shift ;;
  esac
  shift
  case $option in --prompt) prompt=$value ;; --input_video) input_video=$value ;; *) checkpoint_dir=$value ;; esac
done
[ -n "$input_video" ] || usage "the following arguments are required: --input_video"
[ "$VLLM_WORKER_MULTIPROC_METHOD" = spawn ] || { echo "RuntimeError: Cannot re-initialize CUDA in forked subprocess." >&2; exit 1; }
case ":$PYTHONPATH:" in *":$PWD:"*) ;; *) echo "ModuleNotFoundError: No module named 'cosmos_transfer1'" >&2; exit 1 ;; esac
[ -d "$checkpoint_dir" ] || { echo "ValueError: Invalid repository ID or local directory specified: '$checkpoint_dir'" >&2; exit 1; }
[ -f "$input_video" ] || { echo "[ERROR:0] cap.cpp: can't open $input_video" >&2; exit 1; }
echo x >"$TMPDIR/frame_1.png"
echo "$TMPDIR" >tmpdir
printf 'INFO 11-24 10:00:00 [config.py:1] This model supports multiple tasks.\n'
printf 'Loading safetensors checkpoint shards:  50%% | 1/2\r' >&2
if [ -f fails ]; then cat fails >&2; exit 1; fi
if [ -f silent ]; then exit 0; fi
printf 'Upsampled prompt: %s\n' "${answer-heavy rain, $prompt}"
printf '[rank0]:[W1124 10:00:09.1 ProcessGroupNCCL.cpp:1250] Warning: process group has NOT been destroyed\n' >&2
printf 'INFO 11-24 10:00:09 [core.py:1] Shutting down.\n'
)sh";

class UpsamplerTest : public ::testing::Test {
 protected:
  UpsamplerTest() {
    Write("bin/torchrun", kTorchrun);
    ::chmod((host_.folder() / "bin/torchrun").c_str(), 0755);
    Write("the repo/cosmos_transfer1/auxiliary/upsampler/inference/upsampler_pipeline.py", kScript);
    fs::create_directories(repo() / "checkpoints");
    Write("in.mp4", "a video");
    path_ = ::getenv("PATH");
    ::setenv("PATH", ((host_.folder() / "bin").string() + ":" + path_).c_str(), 1);
  }
  ~UpsamplerTest() override { ::setenv("PATH", path_.c_str(), 1); }

  fs::path repo() const { return host_.folder() / "the repo"; }

  void Write(const std::string& name, const std::string& text) const {
    fs::create_directories((host_.folder() / name).parent_path());
    std::ofstream(host_.folder() / name) << text;
  }

  Json Parameters(const Json& more = Json::object()) const {
    Json parameters = {{"backend", "cosmos-upsampler"},
                       {"prompt", "rain"},
                       {"video", (host_.folder() / "in.mp4").string()},
                       {"repo", repo().string()}};
    parameters.update(more);
    return parameters;
  }

  sdk::testing::FakeHost host_;
  const cosmos_plugin_entry_t& plugin_ = sdk::testing::LoadPlugin(PLUGIN_FILE);
  std::string path_;
};

TEST_F(UpsamplerTest, RunsTheModelAsOneJobAndReadsItsPrompt) {
  host_.piece = 3;
  const auto result = host_.Run(plugin_, Parameters());
  ASSERT_EQ(result.status, COSMOS_OK) << result.text << host_.job_log();
  EXPECT_EQ(result.json.at("prompt"), "heavy rain, rain");
  EXPECT_EQ(result.json.at("enhanced"), true);
  EXPECT_EQ(host_.specs.size(), 1u);
  EXPECT_THAT(host_.specs[0].at("files").at("command").at("text").get<std::string>(), HasSubstr("torchrun "));
  EXPECT_THAT(host_.prompts,
              ElementsAre(Json{{"text", "rain"}, {"negative_prompt", ""}, {"parent", ""}},
                          Json{{"text", "heavy rain, rain"}, {"negative_prompt", ""}, {"parent", "ps_1"}}));
  const Json record = Json::parse(std::ifstream(result.json.at("record").get<std::string>()));
  EXPECT_EQ(record.at("backend"), "cosmos-upsampler");
  // The log has both outputs.
  EXPECT_THAT(host_.job_log(), AllOf(HasSubstr("Upsampled prompt: heavy rain"), HasSubstr("Loading safetensors"),
                                     HasSubstr("Shutting down.")));
}

TEST_F(UpsamplerTest, TakesPromptsOfAnyCharactersAndLines) {
  for (const char* prompt : {"-rain", "--input_video", "it's $(touch PWNED) `x` \"y\" \\ %s *",
                             "two\nlines\n\nand more", "\xF0\x9F\x8C\xA7 =a=b"}) {
    const auto result = host_.Run(plugin_, Parameters({{"prompt", prompt}}));
    ASSERT_EQ(result.status, COSMOS_OK) << result.text << host_.job_log();
    EXPECT_EQ(result.json.at("prompt"), std::string("heavy rain, ") + prompt);
  }
  for (const auto& entry : fs::recursive_directory_iterator(host_.folder())) {
    EXPECT_NE(entry.path().filename(), "PWNED");
  }
}

TEST_F(UpsamplerTest, IsSetUpAsItsMachineNeedsIt) {
  fs::rename(host_.folder() / "bin", host_.folder() / "venv");
  const std::string setup = "PATH=" + (host_.folder() / "venv").string() + ":$PATH";
  EXPECT_EQ(host_.Run(plugin_, Parameters({{"setup", setup}})).status, COSMOS_OK) << host_.job_log();
}

TEST_F(UpsamplerTest, LeavesNoTemporaryFilesBehind) {
  host_.Run(plugin_, Parameters());
  std::string folder;
  std::getline(std::ifstream(repo() / "tmpdir"), folder);
  ASSERT_FALSE(folder.empty());
  EXPECT_FALSE(fs::exists(folder));
}

TEST_F(UpsamplerTest, FailsAsTheModelDoesAndSaysWhatHelps) {
  const auto failure = [&](const std::string& words) {
    Write("the repo/fails", words + "\n");
    const auto result = host_.Run(plugin_, Parameters());
    EXPECT_EQ(result.status, COSMOS_FAILED);
    return result.json.at("kind").get<std::string>() + ": " + result.json.at("message").get<std::string>();
  };
  EXPECT_EQ(failure("Traceback: something else"), "exit_code: the job ended with 1");
  EXPECT_THAT(failure("ValueError: The decoder prompt (length 4685) is longer than the maximum model length of 4096."),
              AllOf(HasSubstr("exit_code: "), HasSubstr("give a video of fewer pixels")));
  fs::remove(repo() / "fails");

  auto result = host_.Run(plugin_, Parameters({{"checkpoint_dir", "elsewhere"}}));
  EXPECT_EQ(result.json.at("kind"), "checkpoint_missing");
  Write("elsewhere/file", "");
  result = host_.Run(plugin_, Parameters({{"repo", (host_.folder() / "elsewhere").string()}}));
  EXPECT_THAT(result.json.at("message"), HasSubstr("give its folder as repo"));
  result = host_.Run(plugin_, Parameters({{"repo", "/nowhere"}}));
  EXPECT_EQ(result.json.at("kind"), "exit_code");
}

TEST_F(UpsamplerTest, NeedsAPromptAndNotOnlyAnExitStatus) {
  ::setenv("answer", "", 1);
  auto result = host_.Run(plugin_, Parameters());
  ::unsetenv("answer");
  EXPECT_EQ(result.json.at("kind"), "output_invalid");
  EXPECT_THAT(result.json.at("message"), HasSubstr("an empty prompt"));
  Write("the repo/silent", "");
  result = host_.Run(plugin_, Parameters());
  EXPECT_EQ(result.json.at("kind"), "output_missing");
  EXPECT_THAT(result.json.at("message"), HasSubstr("no line that begins with 'Upsampled prompt:'"));
}

TEST_F(UpsamplerTest, FallsBackWhenTheModelFailsAndNotWhenItWasEnded) {
  Write("the repo/fails", "Traceback: something\n");
  const Json parameters = Parameters({{"fallback", "original"}});
  auto result = host_.Run(plugin_, parameters);
  ASSERT_EQ(result.status, COSMOS_OK) << result.text;
  EXPECT_EQ(result.json.at("prompt"), "rain");
  EXPECT_EQ(result.json.at("enhanced"), false);
  EXPECT_EQ(result.json.at("failure"), "the job ended with 1");

  host_.job_status = COSMOS_FAILED;
  host_.job_result = R"({"kind": "cuda_oom", "message": "the GPU's memory was not enough"})";
  EXPECT_EQ(host_.Run(plugin_, parameters).json.at("failure"), "the GPU's memory was not enough");
  EXPECT_EQ(host_.Run(plugin_, Parameters()).json.at("kind"), "cuda_oom");
  host_.job_result = R"({"kind": "timeout", "message": "the stage's time was over"})";
  result = host_.Run(plugin_, parameters);
  EXPECT_EQ(result.status, COSMOS_FAILED);
  EXPECT_EQ(result.json.at("kind"), "timeout");
  host_.job_status = COSMOS_CANCELLED;
  EXPECT_EQ(host_.Run(plugin_, parameters).status, COSMOS_CANCELLED);
}

TEST_F(UpsamplerTest, ADryRunShowsTheJob) {
  const auto preview = host_.Preview(plugin_, Parameters());
  host_.Run(plugin_, Parameters());
  EXPECT_EQ(preview.json, host_.specs.at(0));
  const auto unknown = host_.Preview(plugin_, Parameters({{"prompt", "${{ stages.a.outputs.prompt }}"}}));
  EXPECT_THAT(unknown.json.at("script").get<std::string>(), HasSubstr("'${{ stages.a.outputs.prompt }}'"));
}

TEST_F(UpsamplerTest, TheOtherBackEndsNeedNoJobs) {
  host_.missing_services = {"cosmos.job/1"};
  EXPECT_EQ(host_.Run(plugin_, {{"prompt", "rain"}}).status, COSMOS_OK);
  const Json description = sdk::testing::Describe(plugin_);
  EXPECT_THAT(description.at("requires"), Not(::testing::Contains("cosmos.job/1")));
  EXPECT_THAT(description.at("optional"), ::testing::Contains("cosmos.job/1"));
}

}  // namespace
}  // namespace cosmos::plugins
