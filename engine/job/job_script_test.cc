#include "job/job_script.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <map>
#include <thread>

#include "core/cancel.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "target/local/local_target.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using namespace std::chrono_literals;

class JobScriptTest : public ::testing::Test {
 protected:
  JobScriptTest() {
    char name[] = "/tmp/cosmos-script-XXXXXX";
    root_ = ::mkdtemp(name);
    folder_ = root_ + "/it's a $(folder)/1";
    context_.run_id = "rs_1";
    context_.stage = "render";
    context_.prompt_name = "city";
    context_.prompt_id = "ps_1";
    command_.workdir = root_;
  }
  ~JobScriptTest() override { fs::remove_all(root_); }

  // Runs the job and gives its exit status; the log stands in log_.
  int Run(const Masker& masker = Masker()) {
    const JobScript script = MakeJobScript(context_, folder_, command_, masker);
    const JobHandle handle = target_.Submit({folder_, script.text, script.environment}).handle;
    JobState state;
    do {
      state = target_.Wait(handle, cancel_, 1h);
    } while (state.phase == JobState::Phase::kRunning);
    log_ = ReadFile(folder_ + "/run.log");
    return state.exit_status;
  }

  static void Await(const std::function<bool()>& holds) {
    for (int i = 0; i < 6000 && !holds(); ++i) std::this_thread::sleep_for(10ms);
  }

  std::string root_, folder_, log_;
  RunContext context_;
  JobCommand command_;
  CancelToken cancel_;
  LocalTarget target_;
};

TEST_F(JobScriptTest, WordsOfArgvArriveUntouched) {
  command_.argv = {"printf", "%s|", "a b", "it's", "$(touch pwned)", "`id`", "a\nb", "-n", "*", "😀"};
  EXPECT_EQ(Run(), 0);
  EXPECT_EQ(log_, "a b|it's|$(touch pwned)|`id`|a\nb|-n|*|😀|");
  EXPECT_FALSE(fs::exists(root_ + "/pwned"));
}

TEST_F(JobScriptTest, AScriptStopsAtItsFirstFailure) {
  command_.script = "echo one\nfalse\necho two";
  EXPECT_EQ(Run(), 1);
  EXPECT_EQ(log_, "one\n");
}

TEST_F(JobScriptTest, WhatACommandPutsInThePlaceOfItsFilesHoldsNothingUp) {
  for (const char* put : {"mkfifo", "ln -s /dev/zero", "ln -s /nowhere/at/all", "mkdir"}) {
    command_.script = "echo one\ncd \"$COSMOS_OUTPUT_DIR/..\"\nfor name in run.log exit_status; do rm -f $name; " +
                      std::string(put) + " $name; done\nexit 3";
    EXPECT_EQ(Run(), 3) << put;
    EXPECT_EQ(log_, "one\n") << put;
    fs::remove_all(folder_);
  }
}

TEST_F(JobScriptTest, AClaimThatIsNoFileIsOne) {
  MakeFolders(folder_);
  ASSERT_EQ(::mkfifo((folder_ + "/pid").c_str(), 0600), 0);
  command_.script = "echo never";
  const JobScript script = MakeJobScript(context_, folder_, command_, Masker());
  WriteFile(folder_ + "/job.sh", script.text);
  EXPECT_EQ(target_.Run("/bin/sh " + ShellQuote(folder_ + "/job.sh"), 10s).exit_status, 0);
  EXPECT_FALSE(fs::exists(folder_ + "/run.log"));
}

TEST_F(JobScriptTest, WhateverAScriptDoesAnExitStatusIsLeft) {
  for (const auto& [script, status] : std::map<std::string, int>{{"exit 7", 7},
                                                                 {"exec false", 1},
                                                                 {"if then", 2},
                                                                 {"trap 'exit 9' EXIT", 9},
                                                                 {"kill -9 $(sh -c 'echo $PPID')", 137},
                                                                 {"no-such-program", 127}}) {
    command_.script = script;
    EXPECT_EQ(Run(), status) << script << ": " << log_;
    fs::remove_all(folder_);
  }
}

TEST_F(JobScriptTest, TheEnvironmentSaysWhoseJobItIs) {
  command_.env = {{"MINE", "it's $HOME"}};
  command_.script =
      "echo \"$COSMOS_RUN_ID $COSMOS_STAGE $COSMOS_PROMPT_NAME $COSMOS_PROMPT_ID $MINE\"; pwd; "
      "test -d \"$COSMOS_OUTPUT_DIR\"";
  EXPECT_EQ(Run(), 0);
  EXPECT_EQ(log_, "rs_1 render city ps_1 it's $HOME\n" + root_ + "\n");
}

TEST_F(JobScriptTest, EveryProcessOfAJobTellsFromOutsideWhoseItIs) {
  command_.script = "tr '\\0' '\\n' </proc/$$/environ; tr '\\0' '\\n' </proc/$(sh -c 'echo $PPID')/environ";
  EXPECT_EQ(Run(), 0);
  std::size_t found = 0;
  for (size_t at = log_.find("COSMOS_RUN_ID=rs_1\n"); at != log_.npos; at = log_.find("COSMOS_RUN_ID=rs_1\n", at + 1)) {
    ++found;
  }
  EXPECT_EQ(found, 2u);  // the job's leader, and its child that carries the script out
}

TEST_F(JobScriptTest, AMissingWorkingFolderIsToldInTheLog) {
  command_.workdir = root_ + "/none";
  command_.script = "echo never";
  EXPECT_EQ(Run(), 126);
  EXPECT_NE(log_.find(root_ + "/none"), log_.npos);
}

TEST_F(JobScriptTest, SecretsReachTheCommandAndNoFile) {
  const Masker masker({"gold-token"});
  command_.env = {{"TOKEN", "gold-token"}, {"HEADER", "x gold-token\ny"}};
  command_.argv = {"sh", "-c", "test ${#TOKEN} = 10 && test \"${HEADER%?y}\" = \"x $TOKEN\""};
  EXPECT_EQ(Run(masker), 0);
  for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
    if (!entry.is_regular_file()) continue;
    EXPECT_EQ(ReadFile(entry.path()).find("gold-token"), std::string::npos) << entry;
  }
}

TEST_F(JobScriptTest, ASecretAnywhereButInTheEnvironmentIsRefused) {
  const auto refused = [&](const std::function<void(JobCommand*)>& put) {
    JobCommand command = command_;
    command.argv = {"true"};
    command.container = ContainerSpec();
    put(&command);
    try {
      MakeJobScript(context_, folder_, command, Masker({"gold-token"}));
    } catch (const Error& error) {
      EXPECT_EQ(error.message().find("gold"), std::string::npos);
      return error.message();
    }
    return std::string();
  };
  EXPECT_EQ(refused([](JobCommand* command) { command->env["TOKEN"] = "gold-token"; }), "");
  EXPECT_EQ(refused([](JobCommand* command) { command->argv.push_back("--token=gold-token"); }),
            "the command line of stage 'render' contains the value of a secret, which every user of the target (`ps`, "
            "`docker inspect`) could read");
  const std::vector<std::function<void(JobCommand*)>> places = {
      [](JobCommand* command) { command->script = "echo gold-token"; },
      [](JobCommand* command) { command->script = "echo Z29sZC10b2tlbg== | base64 -d"; },
      [](JobCommand* command) {
        command->files.push_back({"spec", "spec.json", "{\"t\": \"\\u0067old-token\"}"});
      },
      [](JobCommand* command) { command->workdir = "/home/gold-token"; },
      [](JobCommand* command) {
        command->container->args = {"--label", "a=gold-token"};
      },
      [](JobCommand* command) {
        command->container->args = {"--env", "TOKEN=gold-token"};
      },
      [](JobCommand* command) { command->container->entrypoint = "/bin/gold-token"; },
      [](JobCommand* command) { command->container->mounts = {"/data/gold-token:/data"}; },
      [](JobCommand* command) { command->container->image = "registry/gold-token"; }};
  for (std::size_t i = 0; i < places.size(); ++i) EXPECT_NE(refused(places[i]), "") << i;
}

TEST_F(JobScriptTest, FilesStandThereWhenTheCommandStarts) {
  const std::string text = "{\"prompt\": \"it's $(touch pwned) `id` %d \\\\n\"}\n\n";
  command_.files = {{"spec", "a folder/a b.json", text}};
  command_.script = "cat \"$COSMOS_OUTPUT_DIR/a folder/a b.json\"";
  EXPECT_EQ(Run(), 0);
  EXPECT_EQ(log_, text);
  EXPECT_FALSE(fs::exists(root_ + "/pwned"));
}

TEST_F(JobScriptTest, AFileStaysInItsFolderAndHoldsNoSecret) {
  command_.script = ":";
  for (const char* path : {"../x", "/tmp/x", "a/../../x", ""}) {
    command_.files = {{"spec", path, "text"}};
    EXPECT_THROW(MakeJobScript(context_, folder_, command_, Masker()), Error) << path;
  }
  command_.files = {{"spec", "x", "a gold-token"}};
  EXPECT_THROW(MakeJobScript(context_, folder_, command_, Masker({"gold-token"})), Error);
}

TEST_F(JobScriptTest, OutputThatIsOpenedByNameTruncatesNoLog) {
  for (const char* name : {"/dev/stderr", "/dev/stdout", "/proc/self/fd/1"}) {
    command_.script = std::string("echo one; echo two >") + name + "; echo three; exit 3";
    EXPECT_EQ(Run(), 3) << name;
    Await([&] { return ReadFile(folder_ + "/run.log") == "one\ntwo\nthree\n"; });
    EXPECT_EQ(ReadFile(folder_ + "/run.log"), "one\ntwo\nthree\n") << name;
    fs::remove_all(folder_);
  }
}

TEST_F(JobScriptTest, AProcessThatHoldsThePipeHoldsNoEnd) {
  command_.script = "echo one >/dev/stderr; sleep 1000 & exit 4";
  EXPECT_EQ(Run(), 4);
  EXPECT_TRUE(target_.Cancel(*target_.Find(folder_), 1h));
  EXPECT_EQ(ReadFile(folder_ + "/run.log"), "one\n");
}

TEST_F(JobScriptTest, ASignalToItselfEndsTheCommand) {
  for (const auto& [signal, number] : std::map<std::string, int>{{"TERM", 15}, {"HUP", 1}, {"INT", 2}, {"USR1", 10}}) {
    command_.script = "kill -s " + signal + " $$; echo survived";
    EXPECT_EQ(Run(), 128 + number) << signal;
    EXPECT_EQ(log_.find("survived"), log_.npos) << signal;
    fs::remove_all(folder_);
  }
}

TEST_F(JobScriptTest, AScriptLongerThanAnArgumentMayBeRuns) {
  command_.script = "n=1\n";
  while (command_.script.size() < 300'000) command_.script += ": a comment that takes room\n";
  command_.script += "exit 7";
  EXPECT_EQ(Run(), 7);
}

}  // namespace
}  // namespace cosmos
