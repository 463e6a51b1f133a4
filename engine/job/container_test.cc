#include "job/container.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <sstream>

#include "core/command.h"
#include "core/files.h"
#include "core/text.h"
#include "job/job_script.h"
#include "target/local/local_target.h"
#include "target/local/process.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

class ContainerTest : public ::testing::Test {
 protected:
  ContainerTest() {
    char name[] = "/tmp/cosmos-container-XXXXXX";
    root_ = ::mkdtemp(name);
    context_.run_id = "rs_0123456789abcdef0123456789abcdef";
    context_.prompt_id = "ps_1";
    context_.prompt_name = "city";
    context_.stage = "render";
    context_.instance = "seed=7";
    context_.attempt = 2;
    spec_.image = "nvcr.io/me/cosmos:latest";
  }
  ~ContainerTest() override { fs::remove_all(root_); }

  // The words as a shell takes them, of which one is the time.
  std::vector<std::string> Words(const std::vector<std::string>& env = {},
                                 const std::string& workdir = "/shots") const {
    const CommandResult result = RunCommand({"env", "-C", root_, "HOME=/home/me", "sh", "-c",
                                             "print() { for word; do printf '%s\\n' \"$word\"; done; }\nprint " +
                                                 RunContainerWords(spec_, context_, workdir, env)},
                                            1min, cancel_);
    EXPECT_EQ(result.exit_status, 0) << result.output;
    std::vector<std::string> words = SplitLines(result.output);
    for (std::string& word : words) {
      if (word.rfind("start_time=", 0) != 0) continue;
      EXPECT_THAT(word, MatchesRegex("start_time=20[0-9-]{8}T[0-9:]{8}Z"));
      word = "start_time=NOW";
    }
    return words;
  }
  // What stands behind each `option`.
  std::vector<std::string> ValuesOf(const std::string& option, const std::vector<std::string>& env = {}) const {
    const std::vector<std::string> words = Words(env);
    std::vector<std::string> values;
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
      if (words[i] == option) values.push_back(words[i + 1]);
    }
    return values;
  }

  fs::path root_;
  RunContext context_;
  ContainerSpec spec_;
  CancelToken cancel_;
};

TEST_F(ContainerTest, ItsNameIsInFullAndNoOthers) {
  EXPECT_EQ(ContainerNameOf(context_), "cosmos_rs_0123456789abcdef0123456789abcdef_render.seed=7_2");
  context_.instance = "";
  context_.attempt = 1;
  EXPECT_EQ(ContainerNameOf(context_), "cosmos_rs_0123456789abcdef0123456789abcdef_render_1");
}

TEST_F(ContainerTest, AnImageAloneGivesTheFewestWords) {
  EXPECT_EQ(RunContainerWords(spec_, context_, "/home/me/cosmos", {"A", "B"}),
            "docker run --name 'cosmos_rs_0123456789abcdef0123456789abcdef_render.seed=7_2' "
            "--label 'run_id=rs_0123456789abcdef0123456789abcdef' --label 'prompt_id=ps_1' --label 'stage=render' "
            "--label 'instance=seed=7' --label 'attempt=2' --label \"start_time=$(date -u +%Y-%m-%dT%H:%M:%SZ)\" "
            "-v /home/me/cosmos:/home/me/cosmos -e A -e B -w /home/me/cosmos nvcr.io/me/cosmos:latest");
}

TEST_F(ContainerTest, EveryFieldHasItsWords) {
  spec_.engine = "podman";
  spec_.sudo = true;
  spec_.shm_size = "8g";
  spec_.ipc = "host";
  spec_.gpus = {0, 1};
  spec_.mounts = {"/data:/data:ro", "~/models:/models", "./cache:/cache", ".:/all"};
  spec_.workdir = "/workspace";
  spec_.args = {"--ulimit", "memlock=-1"};
  EXPECT_THAT(Words({"COSMOS_RUN_ID", "TOKEN"}),
              ElementsAre("sudo", "-n", "--preserve-env=COSMOS_RUN_ID,TOKEN", "podman", "run", "--name",
                          "cosmos_rs_0123456789abcdef0123456789abcdef_render.seed=7_2", "--label",
                          "run_id=rs_0123456789abcdef0123456789abcdef", "--label", "prompt_id=ps_1", "--label",
                          "stage=render", "--label", "instance=seed=7", "--label", "attempt=2", "--label",
                          "start_time=NOW", "--gpus", "\"device=0,1\"", "--ipc", "host", "--shm-size", "8g", "-v",
                          "/shots:/shots", "-v", "/data:/data:ro", "-v", "/home/me/models:/models", "-v",
                          "/shots/cache:/cache", "-v", "/shots:/all", "-e", "COSMOS_RUN_ID", "-e", "TOKEN", "-w",
                          "/workspace", "--ulimit", "memlock=-1", "nvcr.io/me/cosmos:latest"));
}

TEST_F(ContainerTest, GpusAreNamedOneByOne) {
  EXPECT_THAT(Words(), Not(Contains("--gpus")));
  spec_.gpus = {0};
  EXPECT_THAT(ValuesOf("--gpus"), ElementsAre("\"device=0\""));
  spec_.gpus = {0, 3, 2};
  EXPECT_THAT(ValuesOf("--gpus"), ElementsAre("\"device=0,3,2\""));
}

TEST_F(ContainerTest, WordsArriveAsTheyAre) {
  const std::vector<std::string> odd = {"a b", "it's", "$(touch PWNED)", "`touch PWNED`", ";touch PWNED", "*",
                                        "-rf", "\""};
  for (const std::string& word : odd) {
    SCOPED_TRACE(word);
    spec_.engine = word;
    spec_.image = word;
    spec_.shm_size = word;
    spec_.ipc = word;
    spec_.workdir = word;
    spec_.args = {word};
    spec_.mounts = {"~/" + word + ":/a", "./" + word + ":/b", "/" + word + ":/c", word + ":/d"};
    context_.prompt_id = word;
    const std::vector<std::string> words = Words();
    EXPECT_EQ(words.front(), word);
    EXPECT_EQ(words[words.size() - 2], word);
    EXPECT_EQ(words.back(), word);
    EXPECT_THAT(ValuesOf("--label"), Contains("prompt_id=" + word));
    for (const char* option : {"--shm-size", "--ipc", "-w"}) EXPECT_THAT(ValuesOf(option), ElementsAre(word)) << option;
    EXPECT_THAT(ValuesOf("-v"), ElementsAre("/shots:/shots", "/home/me/" + word + ":/a", "/shots/" + word + ":/b",
                                            "/" + word + ":/c", word + ":/d"));
  }
  EXPECT_FALSE(fs::exists(root_ / "PWNED"));
}

TEST_F(ContainerTest, AWorkdirWithBlanksIsMountedUnderItsOwnPath) {
  const std::vector<std::string> words = Words({}, "/home/me/it's mine");
  EXPECT_THAT(words, IsSupersetOf({"/home/me/it's mine:/home/me/it's mine", "/home/me/it's mine"}));
}

TEST_F(ContainerTest, IsReadFromTheWorkflow) {
  const ContainerSpec spec = ContainerSpec::FromJson(json::parse(R"json({
    "engine": "podman", "image": "me/x:1", "sudo": true, "shm_size": 1073741824, "ipc": "host",
    "mounts": ["~/a:/a"], "env": {"TEXT": "t", "NUMBER": 3, "YES": true}, "workdir": "/w", "args": ["--init"]})json"));
  EXPECT_EQ(spec.engine, "podman");
  EXPECT_EQ(spec.image, "me/x:1");
  EXPECT_TRUE(spec.sudo);
  EXPECT_EQ(spec.shm_size, "1073741824");
  EXPECT_EQ(spec.ipc, "host");
  EXPECT_THAT(spec.mounts, ElementsAre("~/a:/a"));
  EXPECT_EQ(spec.env, (std::map<std::string, std::string>{{"TEXT", "t"}, {"NUMBER", "3"}, {"YES", "true"}}));
  EXPECT_EQ(spec.workdir, "/w");
  EXPECT_THAT(spec.args, ElementsAre("--init"));
  const ContainerSpec least = ContainerSpec::FromJson({{"image", "x"}, {"shm_size", "8g"}});
  EXPECT_EQ(least.engine, "docker");
  EXPECT_EQ(least.shm_size, "8g");
  EXPECT_FALSE(least.sudo);
  EXPECT_TRUE(least.env.empty() && least.mounts.empty() && least.args.empty() && least.workdir.empty());
}

// A job's script in whose PATH a `docker` only writes down its words and the variables that it would take over.
class ContainerJobTest : public ContainerTest {
 protected:
  ContainerJobTest() {
    MakeFolders(root_ / "bin");
    WriteFile(root_ / "bin/docker",
              "#!/bin/sh\n[ \"$1\" = run ] || exit 1\nfor word; do printf '%s\\001' \"$word\"; done >words\n"
              "while [ $# -gt 0 ]; do [ \"$1\" != -e ] || printf '%s=%s\\n' \"$2\" \"$(printenv \"$2\")\"; shift; done "
              ">taken\nexit 4\n",
              0755);
    command_.workdir = root_.string();
    command_.container = spec_;
    command_.container->env = {{"OF_IMAGE", "1"}, {"BOTH", "image's"}};
    command_.env = {{"BOTH", "stage's"}};
  }

  int Run(const Masker& masker = Masker()) {
    JobScript script = MakeJobScript(context_, root_ / "job", command_, masker);
    script.environment["PATH"] = (root_ / "bin").string() + ":/usr/bin:/bin";
    text_ = script.text;
    const JobHandle handle = target_.Submit({root_ / "job", script.text, script.environment}).handle;
    JobState state;
    do {
      state = target_.Wait(handle, cancel_, 1h);
    } while (state.phase == JobState::Phase::kRunning);
    return state.exit_status;
  }
  // Behind the image.
  std::vector<std::string> Command() const {
    std::vector<std::string> words;
    std::istringstream all(ReadFile(root_ / "words"));
    for (std::string word; std::getline(all, word, '\1');) words.push_back(word);
    const auto image = std::find(words.begin(), words.end(), spec_.image);
    EXPECT_NE(image, words.end());
    words.erase(words.begin(), image == words.end() ? image : image + 1);
    return words;
  }

  JobCommand command_;
  LocalTarget target_;
  std::string text_;
};

TEST_F(ContainerJobTest, AnArgvRunsInTheContainer) {
  command_.argv = {"python", "it's", "$(touch PWNED)", "-n"};
  EXPECT_EQ(Run(), 4);  // the engine's exit status is the job's
  EXPECT_THAT(Command(), ElementsAre("/bin/sh", "-c", HasSubstr("/.cosmos-job"), "sh", BootId(), "python", "it's",
                                     "$(touch PWNED)", "-n"));
  EXPECT_FALSE(fs::exists(root_ / "PWNED"));
}

TEST_F(ContainerJobTest, AScriptRunsInTheContainersShell) {
  command_.script = "echo 'one'; false";
  EXPECT_EQ(Run(), 4);
  EXPECT_THAT(Command(), ElementsAre("/bin/sh", "-c", HasSubstr("/.cosmos-job"), "sh", BootId(), "/bin/sh", "-e", "-c",
                                     "echo 'one'; false"));
}

TEST_F(ContainerJobTest, ItsEnvironmentIsTakenOverByName) {
  command_.argv = {"true"};
  Run();
  EXPECT_THAT(SplitLines(ReadFile(root_ / "taken")),
              IsSupersetOf({std::string("OF_IMAGE=1"), std::string("BOTH=stage's"),
                            std::string("COSMOS_STAGE=render.seed=7"), "COSMOS_RUN_ID=" + context_.run_id,
                            "COSMOS_OUTPUT_DIR=" + (root_ / "job/out").string(), std::string("COSMOS_PROMPT_NAME=city"),
                            std::string("COSMOS_PROMPT_ID=ps_1"), std::string("COSMOS_ATTEMPT=2")}));
  EXPECT_THAT(ReadFile(root_ / "words"), Not(HasSubstr("stage's")));
}

TEST_F(ContainerJobTest, SecretsReachItByNameOnly) {
  command_.argv = {"true"};
  command_.env["TOKEN"] = "gold-token";
  command_.container->env["OF_IMAGE"] = "gold-token";
  Run(Masker({"gold-token"}));
  EXPECT_THAT(SplitLines(ReadFile(root_ / "taken")),
              IsSupersetOf({std::string("TOKEN=gold-token"), std::string("OF_IMAGE=gold-token")}));
  EXPECT_THAT(ReadFile(root_ / "words"), Not(HasSubstr("gold-token")));
  EXPECT_THAT(text_, Not(HasSubstr("gold-token")));
}

}  // namespace
}  // namespace cosmos
