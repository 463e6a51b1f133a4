// The stage `prompt-enhancement` with its back ends, as a user runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>

#include "common/http_server_fixture.h"
#include "support/remote_host.h"
#include "support/sandbox.h"

namespace cosmos::testing {
namespace {

using nlohmann::json;
using plugins::HttpServer;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kKey = "sk-gold-4711";

// `more` goes on with the parameters.
std::string OpenAiWorkflow(const HttpServer& server, const std::string& more = "") {
  return R"(version: 1
name: w
secrets: {KEY: {env: API_KEY}}
hooks: {recorder: {file: seen.txt}}
stages:
  enhance:
    uses: prompt-enhancement
    with:
      backend: openai
      prompt: rain
      base_url: )" +
         server.url() + R"(/v1
      model: m
      api_key: ${{ secrets.KEY }}
)" + more +
         R"(
  use: {uses: shell, needs: enhance, with: {argv: [echo, "${{ stages.enhance.outputs.prompt }}"]}}
)";
}

class EnhancementTest : public ::testing::Test {
 protected:
  EnhancementTest() {
    sandbox_.SetEnvironment(std::string("API_KEY=") + kKey);
    sandbox_.SetEnvironment("no_proxy=*");  // on loopback, whatever proxy the tests run behind
  }

  void Answer(const std::string& prompt) {
    const json message = {{"role", "assistant"}, {"content", prompt}};
    http_.Add({200, json{{"choices", {{{"message", message}, {"finish_reason", "stop"}}}}}.dump(), {}});
  }

  // Every file of the sandbox that holds the key: logs, records, journal, database.
  std::vector<std::string> Leaks() const {
    std::vector<std::string> leaks;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(sandbox_.folder())) {
      if (entry.is_regular_file() && sandbox_.Read(entry.path()).find(kKey) != std::string::npos) {
        leaks.push_back(entry.path());
      }
    }
    return leaks;
  }

  Sandbox sandbox_;
  HttpServer http_;
};

TEST_F(EnhancementTest, AModelBehindAnApiIsAskedAndTheKeyStandsNowhere) {
  http_.Add({429, std::string("slow down, ") + kKey, {{"Retry-After", "1"}}});
  Answer(std::string("a rainy street, ") + kKey);
  sandbox_.Write("w.yaml", OpenAiWorkflow(http_));
  const Ended ended = sandbox_.Engine({"run", "w.yaml", "--verbose"});
  ASSERT_EQ(ended.status, 0) << ended.out << ended.err;
  EXPECT_EQ(http_.requests().at(1).headers.at("authorization"), std::string("Bearer ") + kKey);

  const json enhance = sandbox_.Show()["stages"][0];
  EXPECT_EQ(enhance["outputs"]["prompt"], "a rainy street, ***");
  EXPECT_EQ(enhance["outputs"]["original_prompt"], "rain");
  EXPECT_NE(enhance["outputs"]["prompt_id"], enhance["outputs"]["original_prompt_id"]);
  const std::string operation = enhance["operation_id"];
  EXPECT_THAT(sandbox_.Read("outputs/prompt_enhancement/logs/" + operation + ".log"),
              AllOf(HasSubstr("HTTP status 429: slow down, ***; trying again in 1 s"), HasSubstr("a rainy street")));
  EXPECT_EQ(json::parse(sandbox_.Read(enhance["outputs"]["record"].get<std::string>()))["model"], "m");

  std::string said = ended.out + ended.err;
  for (const char* command : {"show", "events", "logs"}) said += sandbox_.Engine({command, "last"}).out;
  EXPECT_THAT(said, Not(HasSubstr(kKey)));
  EXPECT_THAT(Leaks(), IsEmpty());
}

TEST_F(EnhancementTest, AFailureTellsTheServersWordsAndNotTheKey) {
  http_.Add({401, json{{"error", {{"message", std::string("Incorrect API key: ") + kKey}}}}.dump(), {}});
  sandbox_.Write("w.yaml", OpenAiWorkflow(http_));
  const Ended ended = sandbox_.Engine({"run", "w.yaml"});
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.out, AllOf(HasSubstr("401: Incorrect API key: ***; check api_key"), Not(HasSubstr(kKey))));
  EXPECT_THAT(Leaks(), IsEmpty());
}

TEST_F(EnhancementTest, AFallbackGoesOnAndSaysSo) {
  http_.Add({401, "no", {}});
  sandbox_.Write("w.yaml", OpenAiWorkflow(http_, "      fallback: original\n"));
  ASSERT_EQ(sandbox_.Engine({"run", "w.yaml"}).status, 0);
  const json run = sandbox_.Show();
  EXPECT_EQ(run["stages"][0]["outputs"]["enhanced"], false);
  EXPECT_THAT(run["stages"][0]["outputs"]["failure"].get<std::string>(), HasSubstr("HTTP status 401: no"));
  EXPECT_EQ(sandbox_.Read(run["stages"][1]["log_path"].get<std::string>()), "rain\n");
}

TEST_F(EnhancementTest, MistakesAreFoundBeforeAnythingIsSent) {
  sandbox_.Write("w.yaml", R"(version: 1
name: w
stages:
  a: {uses: prompt-enhancement, with: {prompt: x, model: m}}
  b:
    uses: prompt-enhancement
    with: {prompt: x, backend: openai, model: m, base_url: "http://me:pw@host/v1", camera: none}
  c: {uses: prompt-enhancement, with: {prompt: x, backend: openai, model: m, base_url: "http://host/v1", api_key: sk-gold-4711}}
  d: {uses: prompt-enhancement, with: {prompt: x, backend: cosmos-upsampler}}
)");
  const Ended ended = sandbox_.Engine({"validate", "w.yaml"});
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(
      ended.err,
      AllOf(HasSubstr("w.yaml:4:51: 'model' is no key of backend 'template'; remove it; it is one of backend openai"),
            HasSubstr("w.yaml:7:60: 'with.base_url' of stage 'b'"),
            HasSubstr("w.yaml:7:84: 'camera' is no key of backend 'openai'"),
            HasSubstr("'with.api_key' of stage 'c': found a text, expected a secret"),
            HasSubstr("missing key 'video' in 'with' of stage 'd'"), Not(HasSubstr(kKey))));
}

TEST_F(EnhancementTest, CtrlCEndsAWaitAndARequest) {
  for (const bool never : {false, true}) {
    http_.Add({429, "", {{"Retry-After", "100000"}}, never, false});
    sandbox_.Write("w.yaml",
                   OpenAiWorkflow(http_, "      max_wait: 1d\n      timeout: 1d\n      fallback: original\n"));
    const std::size_t before = http_.requests().size();
    const pid_t engine = sandbox_.StartEngine({"run", "w.yaml"});
    http_.AwaitRequests(before + 1);
    ::kill(engine, SIGINT);
    EXPECT_EQ(sandbox_.Wait(engine), 130);
    EXPECT_EQ(sandbox_.Show()["status"], "cancelled");
  }
}

// cosmos-transfer1's upsampler, as far as the engine sees it; it waits for the file `go`.
constexpr const char* kTorchrun = R"(#!/bin/sh
echo 'INFO 11-24 10:00:00 [config.py:1] loading'
printf 'Upsampled prompt: heavy %s,\nsecond line\n' "$6"
echo "$TMPDIR" >tmpdir
echo begun >>begun
until test -e go; do sleep 0.02; done
echo 'INFO 11-24 10:00:09 [core.py:1] Shutting down.'
)";

class UpsamplerRunTest : public EnhancementTest {
 protected:
  // Starts a run and waits until its job works.
  pid_t StartWaiting() {
    sandbox_.Write("bin/torchrun", kTorchrun);
    std::filesystem::permissions(sandbox_.folder() / "bin/torchrun", std::filesystem::perms::owner_all);
    sandbox_.SetEnvironment("PATH=" + (sandbox_.folder() / "bin").string() + ":" + ::getenv("PATH"));
    sandbox_.Write("in.mp4", "a video");
    sandbox_.Write("w.yaml", R"(version: 1
name: w
stages:
  enhance:
    uses: prompt-enhancement
    with: {backend: cosmos-upsampler, prompt: rain, video: in.mp4, fallback: original}
)");
    const pid_t engine = sandbox_.StartEngine({"run", "w.yaml"});
    Await("job", [&] { return sandbox_.Read("begun") == "begun\n"; });
    return engine;
  }
};

TEST_F(UpsamplerRunTest, TheJobOutlivesTheEngine) {
  const pid_t engine = StartWaiting();
  ::kill(engine, SIGKILL);
  sandbox_.Wait(engine);
  sandbox_.Write("go", "");
  Await("end of the job", [&] { return sandbox_.JobProcesses().empty(); });
  const Ended ended = sandbox_.Engine({"resume", "last"});
  ASSERT_EQ(ended.status, 0) << ended.out << ended.err;

  const json stage = sandbox_.Show()["stages"][0];
  EXPECT_EQ(stage["outputs"]["prompt"], "heavy rain,\nsecond line");
  EXPECT_EQ(sandbox_.Read("begun"), "begun\n");
  const std::string operation = stage["operation_id"];
  EXPECT_THAT(sandbox_.Read("outputs/prompt_enhancement/logs/" + operation + ".log"),
              AllOf(HasSubstr("Upsampled prompt: heavy rain,"), HasSubstr("Shutting down.")));
}

TEST_F(UpsamplerRunTest, TheJobEndsWithACancelledRunAndLeavesNothing) {
  const pid_t engine = StartWaiting();
  ::kill(engine, SIGINT);
  EXPECT_EQ(sandbox_.Wait(engine), 130);
  EXPECT_EQ(sandbox_.Show()["stages"][0]["status"], "cancelled");
  EXPECT_THAT(sandbox_.JobProcesses(), IsEmpty());
  std::string folder = sandbox_.Read("tmpdir");
  folder.pop_back();
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST_F(EnhancementTest, TheUpsamplerRunsOnAHost) {
  if (const std::string missing = SshServer::Missing(); !missing.empty()) GTEST_SKIP() << missing;
  RemoteHost host;
  const std::filesystem::path repo = host.account().home() / "it's the repo";
  std::filesystem::create_directories(repo / "bin");
  std::ofstream(repo / "bin/torchrun") << "#!/bin/sh\npwd\ntest -f \"$8\" || { echo no video; exit 1; }\n"
                                       << "printf 'Upsampled prompt: heavy %s\\n' \"$6\"\n";
  std::filesystem::permissions(repo / "bin/torchrun", std::filesystem::perms(0755));
  sandbox_.Write("in put.mp4", "a video");
  sandbox_.Write("w.yaml", host.Workflow(R"yaml(
stages:
  enhance:
    uses: prompt-enhancement
    target: gpu1
    with:
      backend: cosmos-upsampler
      prompt: "it's $(touch pwned)"
      video: in put.mp4
      repo: ~/it's the repo
      setup: PATH="$PWD/bin:$PATH"
)yaml"));
  const Ended ended = sandbox_.Engine({"run", "w.yaml"});
  ASSERT_EQ(ended.status, 0) << ended.out << ended.err;
  const json stage = sandbox_.Show()["stages"][0];
  EXPECT_EQ(stage["outputs"]["prompt"], "heavy it's $(touch pwned)");
  EXPECT_EQ(sandbox_.Read(stage["log_path"].get<std::string>()),
            repo.string() + "\nUpsampled prompt: heavy it's $(touch pwned)\n");
  EXPECT_FALSE(std::filesystem::exists(repo / "pwned"));
  host.ExpectNothingLeft();
}

}  // namespace
}  // namespace cosmos::testing
