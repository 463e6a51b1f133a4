#include "target/ssh/remote_scripts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/text.h"
#include "target/ssh/scripts_fixture.h"

// Jobs by script: started once, found again, and how they are. See also remote_scripts_cancel_test.cc,
// remote_scripts_log_test.cc and remote_scripts_words_test.cc.
namespace cosmos {
namespace fs = std::filesystem;
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using Phase = JobState::Phase;

INSTANTIATE_TEST_SUITE_P(By, ScriptsTest, Shells(), ShellName);

TEST_P(ScriptsTest, ASubmittedJobRunsInASessionOfItsOwnToItsExitStatus) {
  JobOrder order = Order("echo out; echo err >&2; printf '%s\\n' \"$TOKEN\"; exit 3");
  order.environment = {{"TOKEN", "gold"}};
  order.newest_log = root_ + "/outputs/city/run.log";
  std::string said;
  const JobHandle handle = Submit(order, &said);
  EXPECT_EQ(said, "new");
  EXPECT_EQ(handle.folder, folder_);
  EXPECT_EQ(handle.boot_id, BootId());
  const JobState state = WaitForEnd(handle);
  EXPECT_EQ(state.exit_status, 3);
  EXPECT_EQ(state.gone, FailureKind::kNone);
  EXPECT_EQ(ReadFile(folder_ + "/run.log"), "out\nerr\ngold\n");
  EXPECT_EQ(ReadFile(folder_ + "/job.sh"), order.script);
  EXPECT_EQ(fs::read_symlink(order.newest_log), folder_ + "/run.log");
  EXPECT_TRUE(fs::is_directory(folder_ + "/out"));
  const fs::perms open = fs::perms::group_all | fs::perms::others_all;
  EXPECT_EQ(fs::status(folder_).permissions() & open, fs::perms::none);
}

TEST_P(ScriptsTest, AJobOutlivesTheScriptAndLeadsItsSession) {
  const JobHandle handle = Submit(Order("sleep 1000"));
  const auto process = FindProcess(static_cast<pid_t>(handle.pid));
  ASSERT_TRUE(process);
  EXPECT_EQ(process->session, handle.pid);
  EXPECT_EQ(process->group, handle.pid);
  EXPECT_EQ(process->start_time, handle.pid_start_time);
  EXPECT_EQ(Poll(handle).phase, Phase::kRunning);
}

TEST_P(ScriptsTest, AJobIsStartedOnce) {
  const JobOrder order = Order("echo x >>count; sleep 0.3");
  std::string said;
  const JobHandle first = Submit(order);
  for (int i = 0; i < 2; ++i) {  // while it runs, and after its end
    const JobHandle again = Submit(order, &said);
    EXPECT_EQ(said, "attached");
    EXPECT_EQ(again.pid, first.pid);
    EXPECT_EQ(again.pid_start_time, first.pid_start_time);
    EXPECT_EQ(WaitForEnd(first).exit_status, 0);
  }
  EXPECT_EQ(ReadFile(folder_ + "/count"), "x\n");
}

TEST_P(ScriptsTest, OfTwoThatSubmitAtOnceOneStartsTheJob) {
  for (int round = 0; round < 10; ++round) {
    folder_ = root_ + "/jobs/" + std::to_string(round);
    const JobOrder order = Order("echo x >>count; sleep 0.1");
    HeldProgram one(Words(SubmitScript(order))), other(Words(SubmitScript(order)));
    std::string first = one.Wait().output, second = other.Wait().output;
    if (first.rfind("attached", 0) == 0) first.swap(second);
    ASSERT_EQ(first.rfind("new ", 0), 0u) << first;
    ASSERT_EQ(second.rfind("attached ", 0), 0u) << second;
    EXPECT_EQ(first.substr(4), second.substr(9));
    const auto handle = ParseHandle(folder_, first.substr(4));
    ASSERT_TRUE(handle);
    Keep(*handle);
    EXPECT_EQ(WaitForEnd(*handle).exit_status, 0);
    EXPECT_EQ(ReadFile(folder_ + "/count"), "x\n");
  }
}

TEST_P(ScriptsTest, ASubmissionThatDiedBeforeTheStartIsFinished) {
  MakeFolders(folder_ + "/out");
  WriteFile(folder_ + "/job.sh", "half of a scr");
  WriteFile(folder_ + "/pid", "");
  fs::remove(folder_ + "/pid");
  std::string said;
  EXPECT_EQ(WaitForEnd(Submit(Order("exit 4"), &said)).exit_status, 4);
  EXPECT_EQ(said, "new");
}

// Between its start and the look at its handle.
TEST_P(GnuScriptsTest, AJobWhoseFolderGoesAtOnceIsReportedAndCanBeEnded) {
  JobOrder order = Order("sleep 1000");
  order.script = "rm -rf " + ShellQuote(folder_) + "; exec sleep 1000\n";
  order.environment["COSMOS_OUTPUT_DIR"] = folder_ + "/out";
  const Said said = Run("sleep() { command sleep 0.001; }\n" + SubmitScript(order));
  EXPECT_EQ(said.status, 3) << said.output;
  EXPECT_THAT(said.errors, HasSubstr("the folder of the job is gone"));
  const std::string variable = "COSMOS_OUTPUT_DIR=" + folder_ + "/out";
  EXPECT_EQ(ProcessesOfJob(-1, 0, variable).size(), 1u);
  EXPECT_EQ(Ask(CancelScript({folder_, 0, 0, kNoBootId, ""}, 1h)), "gone\n");
  EXPECT_TRUE(ProcessesOfJob(-1, 0, variable).empty());
}

TEST_P(ScriptsTest, AFolderOfAnotherOwnerIsNotAttachedTo) {
  JobOrder order = Order("echo x >>count");
  order.owner = "mine";
  EXPECT_EQ(WaitForEnd(Submit(order)).exit_status, 0);
  std::string said;
  Submit(order, &said);
  EXPECT_EQ(said, "attached");
  for (const char* owner : {"another", "", "min", "mine "}) {
    order.owner = owner;
    EXPECT_EQ(Ask(SubmitScript(order)), "foreign\n") << owner;
  }
  EXPECT_EQ(ReadFile(folder_ + "/count"), "x\n");
}

// An engine that is killed while it submits leaves what a later one completes.
TEST_P(ScriptsTest, AnOwnerThatWasNotWrittenIsNobodys) {
  MakeFolders(folder_);
  WriteFile(folder_ + "/owner", "");
  JobOrder order = Order("exit 3");
  order.owner = "mine";
  EXPECT_EQ(WaitForEnd(Submit(order)).exit_status, 3);
  EXPECT_EQ(ReadFile(folder_ + "/owner"), "mine\n");
}

TEST_P(ScriptsTest, WithoutAnOwnerTheScriptTells) {
  JobOrder order = Order("echo x >>count");
  EXPECT_EQ(WaitForEnd(Submit(order)).exit_status, 0);
  JobOrder other = Order("echo y >>count");
  EXPECT_EQ(Ask(SubmitScript(other)), "foreign\n");
  other.resumed = true;  // the run knows that it is its own, of an older version
  std::string said;
  Submit(other, &said);
  EXPECT_EQ(said, "attached");
  EXPECT_EQ(ReadFile(folder_ + "/count"), "x\n");
}

TEST_P(ScriptsTest, AnExitStatusInItsReservedPlaceCounts) {
  const JobHandle handle = Submit(Order("exit 3"));
  EXPECT_EQ(WaitForEnd(handle).exit_status, 3);
  fs::remove(folder_ + "/exit_status");
  WriteFile(folder_ + "/exit_status.reserved", "7 unfinished   \n");
  EXPECT_EQ(Poll(handle).exit_status, 7);
  EXPECT_EQ(Poll(handle).note, "unfinished");
}

TEST_P(ScriptsTest, AHostWithoutABootIdKnowsItsJobs) {
  const std::string hidden = "mount --bind /dev/null /proc/sys/kernel/random/boot_id";
  const auto ask = [&](const std::string& script) {
    std::vector<std::string> words = Words(script);
    words.insert(words.begin(), {"unshare", "-m", "sh", "-c", hidden + " && exec \"$0\" \"$@\""});
    HeldProgram program(words);
    program.CloseInput();
    const Said said = program.Wait();
    EXPECT_EQ(said.status, 0) << said.errors;
    return said.output;
  };
  JobOrder order = Order("until [ -e go ]; do sleep 0.05; done; exit 5");
  order.script = "boot=-\n" + order.script;
  order.script.replace(order.script.find("read -r boot"), 12, ": read -r boot");
  const std::string said = ask(SubmitScript(order));
  const auto handle = ParseHandle(folder_, said.substr(said.find(' ')));
  ASSERT_TRUE(handle) << said;
  EXPECT_EQ(handle->boot_id, kNoBootId);
  Keep(*handle);
  EXPECT_EQ(ParseState(ask(PollScript(*handle))).phase, Phase::kRunning);
  WriteFile(folder_ + "/go", "");
  Await("end", [&] { return ParseState(ask(PollScript(*handle))).phase == Phase::kEnded; });
  EXPECT_EQ(ParseState(ask(PollScript(*handle))).exit_status, 5);
  EXPECT_EQ(ask(CancelScript(*handle, 1s)), "gone\n");
}

TEST_P(ScriptsTest, WhatKeepsAJobFromBeingSubmittedIsSaid) {
  WriteFile(root_ + "/jobs", "a file where a folder must be");
  const Said said = Run(SubmitScript(Order("true")));
  EXPECT_NE(said.status, 0);
  EXPECT_EQ(said.output, "");
  EXPECT_THAT(said.errors, HasSubstr("/jobs"));
}

TEST_P(ScriptsTest, AJobIsFoundByItsFolder) {
  EXPECT_EQ(Ask(FindScript(folder_)), "");
  const JobHandle handle = Submit(Order("true"));
  const auto found = ParseHandle(folder_, Ask(FindScript(folder_)));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->folder, folder_);
  EXPECT_EQ(found->pid, handle.pid);
  EXPECT_EQ(found->pid_start_time, handle.pid_start_time);
  EXPECT_EQ(found->boot_id, handle.boot_id);
  WriteFile(folder_ + "/pid", "123 456 boo");  // not yet whole
  EXPECT_EQ(Ask(FindScript(folder_)), "");
}

TEST_P(ScriptsTest, AnExitStatusCountsOnceItIsWhole) {
  JobHandle handle = Foreign();  // a job without one
  MakeFolders(folder_);
  EXPECT_EQ(Poll(handle).phase, Phase::kRunning);
  WriteFile(folder_ + "/exit_status", "1");
  EXPECT_EQ(Poll(handle).phase, Phase::kRunning);
  WriteFile(folder_ + "/exit_status", "17\n");
  EXPECT_EQ(Poll(handle).exit_status, 17);
  handle.boot_id = "of another boot";  // it ended before
  EXPECT_EQ(Poll(handle).exit_status, 17);
  EXPECT_EQ(Poll(handle).gone, FailureKind::kNone);
}

TEST_P(ScriptsTest, AJobThatLeftNoExitStatusWasKilledOrItsHostRestarted) {
  JobHandle handle = Submit(Order("sleep 1000"));
  WriteFile(folder_ + "/exit_status", "0");
  for (const ProcessInfo& process : ProcessesOfSession(static_cast<pid_t>(handle.pid))) ::kill(process.pid, SIGKILL);
  JobState state = WaitForEnd(handle);  // it is a zombie now
  EXPECT_EQ(state.gone, FailureKind::kKilled);
  EXPECT_EQ(state.exit_status, -1);
  Await("reaped job", [&] { return ::waitpid(static_cast<pid_t>(handle.pid), nullptr, WNOHANG) < 0; });
  EXPECT_EQ(Poll(handle).gone, FailureKind::kKilled);
  handle.boot_id = "of another boot";
  state = Poll(handle);
  EXPECT_EQ(state.phase, Phase::kEnded);
  EXPECT_EQ(state.gone, FailureKind::kHostRebooted);
}

TEST_P(ScriptsTest, ALaterProcessOfTheSameNumberIsNotTheJob) {
  JobHandle handle = Foreign();
  ++handle.pid_start_time;
  EXPECT_EQ(Poll(handle).gone, FailureKind::kKilled);
  handle.pid_start_time -= 2;
  EXPECT_EQ(Poll(handle).gone, FailureKind::kKilled);
  handle.pid = 0;  // it never wrote it
  EXPECT_EQ(Poll(handle).gone, FailureKind::kKilled);
}

TEST(RemoteScripts, StatesAreReadAndNothingElse) {
  EXPECT_EQ(ParseState("running 250\n").phase, Phase::kRunning);
  EXPECT_EQ(ParseState("running 250\n").ran, 2500ms);
  EXPECT_EQ(ParseState("running -3\n").ran, std::nullopt);
  EXPECT_EQ(ParseState("running 2888888888888888\n").ran, std::nullopt);
  EXPECT_EQ(ParseState("ended 0 unexecuted\n").note, "unexecuted");
  EXPECT_EQ(ParseState("ended 7 unfinished     \n").note, "unfinished");
  EXPECT_EQ(ParseState("ended 7             \n").exit_status, 7);
  EXPECT_EQ(ParseState("ended 0\n").exit_status, 0);
  EXPECT_EQ(ParseState("ended 137\n").exit_status, 137);
  EXPECT_EQ(ParseState("rebooted\n").gone, FailureKind::kHostRebooted);
  EXPECT_EQ(ParseState("killed\n").gone, FailureKind::kKilled);
  for (const char* garbage :
       {"", "\n", "running", "running\n", "running x\n", "Running 1\n", "running 1\nkilled\n", "ended\n", "ended \n",
        "ended x\n", "ended 0", "ended 0 1\n", "ended 0x\n", "killed", "sh: ended 0\n", "ended 0\nkilled\n"}) {
    try {
      ParseState(garbage);
      ADD_FAILURE() << "took '" << garbage << "'";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
      EXPECT_THAT(error.message(), HasSubstr(Excerpt(garbage)));
    }
  }
}

TEST(RemoteScripts, HandlesAreReadAndNothingElse) {
  const auto handle = ParseHandle("/jobs/1", "12 3456 2f3b-b1\n");
  ASSERT_TRUE(handle);
  EXPECT_EQ(handle->folder, "/jobs/1");
  EXPECT_EQ(handle->pid, 12);
  EXPECT_EQ(handle->pid_start_time, 3456);
  EXPECT_EQ(handle->boot_id, "2f3b-b1");
  for (const char* garbage : {"", "\n", "12\n", "12 13\n", "x 13 b\n", "12 x b\n", "sh: 1: no\n", "-1 0 b\n", "1 0 b\n",
                              "12 -3 b\n", "99999999999 3 b\n", "12 3 $(id)\n", "12 3 \x1b[2J\n"}) {
    EXPECT_FALSE(ParseHandle("/jobs/1", garbage)) << garbage;
  }
}

}  // namespace
}  // namespace cosmos
