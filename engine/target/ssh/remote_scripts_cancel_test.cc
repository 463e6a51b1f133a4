// How the scripts end a job, and tell of its end.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "target/ssh/scripts_fixture.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using Phase = JobState::Phase;

INSTANTIATE_TEST_SUITE_P(By, GnuScriptsTest, GnuShells(), ShellName);

std::size_t ProcessCount(const JobHandle& handle) { return ProcessesOfSession(static_cast<pid_t>(handle.pid)).size(); }

TEST_P(ScriptsTest, CancelEndsTheWholeGroupAndTheJobSaysHow) {
  const JobHandle handle = Submit(Order("sleep 1000 & sleep 1000 & sleep 1000"));
  Await("processes", [&] { return ProcessCount(handle) >= 4; });
  EXPECT_EQ(Ask(CancelScript(handle, 1h)), "gone\n");
  EXPECT_FALSE(Lives(handle));
  EXPECT_EQ(Poll(handle).exit_status, 128 + SIGTERM);
}

TEST_P(ScriptsTest, CancelReachesOtherGroupsOfTheSession) {
  const JobHandle handle = Submit(Order("bash -c 'set -m; sleep 1000 & wait'"));
  Await("process of another group", [&] {
    for (const ProcessInfo& process : ProcessesOfSession(static_cast<pid_t>(handle.pid))) {
      if (process.group != handle.pid) return true;
    }
    return false;
  });
  EXPECT_EQ(Ask(CancelScript(handle, 1h)), "gone\n");
  EXPECT_FALSE(Lives(handle));
}

TEST_P(ScriptsTest, CancelGivesTimeToEndInOrder) {
  const JobHandle handle = Submit(Order("trap 'sleep 0.5; echo saved; exit 5' TERM; echo >ready; sleep 1000 & wait"));
  Await("trap", [&] { return fs::exists(folder_ + "/ready"); });
  EXPECT_EQ(Ask(CancelScript(handle, 1h)), "gone\n");
  EXPECT_EQ(ReadFile(folder_ + "/run.log"), "saved\n");
  EXPECT_EQ(Poll(handle).exit_status, 5);
}

TEST_P(ScriptsTest, CancelKillsWhatIgnoresTerm) {
  const JobHandle handle = Submit(Order("trap '' TERM; echo >ready; while :; do sleep 1000; done"));
  Await("trap", [&] { return fs::exists(folder_ + "/ready"); });
  EXPECT_EQ(Ask(CancelScript(handle, 200ms)), "gone\n");
  EXPECT_FALSE(Lives(handle));
  EXPECT_EQ(Poll(handle).gone, FailureKind::kKilled);
}

TEST_P(ScriptsTest, CancelKillsWhatForksAllTheTime) {
  const JobHandle handle =
      Submit(Order("trap '' TERM; f() { while :; do sleep 0.02 & sleep 0.02; done; }; f & f & echo >ready; wait"));
  Await("loops", [&] { return fs::exists(folder_ + "/ready"); });
  EXPECT_EQ(Ask(CancelScript(handle, 0ms)), "gone\n");
  EXPECT_FALSE(Lives(handle));
}

TEST_P(ScriptsTest, CancelKnowsProcessesOfAnyName) {
  std::string body;
  for (const char* name : {"a) Z 1 1 1", "a\nb", "(", ") "}) {
    fs::copy_file("/bin/sleep", root_ + "/" + name);
    body += ShellQuote(root_ + "/" + name) + " 1000 & ";
  }
  const JobHandle handle = Submit(Order(body + "wait"));
  Await("processes", [&] { return ProcessCount(handle) >= 5; });
  EXPECT_EQ(Ask(CancelScript(handle, 1h)), "gone\n");
  EXPECT_FALSE(Lives(handle));
}

TEST_P(ScriptsTest, CancelEndsWhatAJobLeftBehind) {
  const JobHandle handle = Submit(Order("sleep 1000 & exit 0"));
  EXPECT_EQ(WaitForEnd(handle).exit_status, 0);
  Await("end of the leader", [&] { return !FindProcess(static_cast<pid_t>(handle.pid)); });
  EXPECT_TRUE(Lives(handle));
  EXPECT_EQ(Ask(CancelScript(handle, 1h)), "gone\n");
  EXPECT_FALSE(Lives(handle));
  EXPECT_EQ(Poll(handle).exit_status, 0);
  EXPECT_EQ(Ask(CancelScript(handle, 1h)), "gone\n");  // and once more
}

TEST_P(ScriptsTest, CancelNeverEndsALaterProcessOfTheSameNumber) {
  const JobHandle foreign = Foreign();
  JobHandle handle = foreign;
  handle.boot_id = "of another boot";
  EXPECT_EQ(Ask(CancelScript(handle, 0ms)), "gone\n");
  handle = foreign;
  --handle.pid_start_time;  // the job began before it
  EXPECT_EQ(Ask(CancelScript(handle, 0ms)), "gone\n");
  handle.pid_start_time += 2;  // and after it, as no job can
  EXPECT_EQ(Ask(CancelScript(handle, 0ms)), "gone\n");
  for (const std::int64_t nobody : {0, 1, -1}) {
    handle.pid = nobody;
    EXPECT_EQ(Ask(CancelScript(handle, 0ms)), "gone\n");
  }
  EXPECT_TRUE(Lives(foreign));
  EXPECT_EQ(Ask(CancelScript(foreign, 1h)), "gone\n");
  EXPECT_FALSE(Lives(foreign));
}

TEST_P(GnuScriptsTest, AWatchTellsWhenTheJobHasEnded) {
  const JobHandle handle = Submit(Order("until [ -e go ]; do sleep 0.02; done; exit 6"));
  HeldProgram watch(Words(WatchScript(handle)));
  std::this_thread::sleep_for(500ms);
  EXPECT_EQ(watch.Output(), "");
  EXPECT_FALSE(watch.HasEnded());
  WriteFile(folder_ + "/go", "");
  Await("word of the end", [&] { return watch.Output() == "6\n"; });
  watch.CloseInput();
  watch.Wait();
  Await("end of all that the watch started", [&] { return !watch.LeftSomething(); });
}

TEST_P(ScriptsTest, AWatchEndsWhenTheJobIsKilled) {
  const JobHandle handle = Submit(Order("sleep 1000"));
  HeldProgram watch(Words(WatchScript(handle)));
  for (const ProcessInfo& process : ProcessesOfSession(static_cast<pid_t>(handle.pid))) ::kill(process.pid, SIGKILL);
  Await("end of the watch", [&] {
    Reap(handle);
    return watch.HasEnded();
  });
  EXPECT_EQ(watch.Wait().output, "");
  Await("end of all that the watch started", [&] { return !watch.LeftSomething(); });
}

TEST_P(ScriptsTest, AWatchOfWhatIsNotThereEndsAtOnce) {
  const JobHandle foreign = Foreign();
  JobHandle handle = foreign;
  ++handle.pid_start_time;
  EXPECT_EQ(HeldProgram(Words(WatchScript(handle))).Wait().output, "");
  handle = foreign;
  handle.boot_id = "of another boot";
  EXPECT_EQ(HeldProgram(Words(WatchScript(handle))).Wait().output, "");
  handle = foreign;
  handle.folder = root_ + "/none";
  EXPECT_EQ(HeldProgram(Words(WatchScript(handle))).Wait().output, "");
}

TEST_P(GnuScriptsTest, AWatchEndsWithItsStdinAndLeavesNothing) {
  const JobHandle handle = Submit(Order("sleep 1000"));
  HeldProgram watch(Words(WatchScript(handle)));
  std::this_thread::sleep_for(200ms);
  EXPECT_TRUE(watch.LeftSomething());
  watch.CloseInput();
  watch.Wait();
  Await("end of all that the watch started", [&] { return !watch.LeftSomething(); });
  EXPECT_EQ(Poll(handle).phase, Phase::kRunning);
}

TEST_P(GnuScriptsTest, CancelEndsWhatLeftTheSession) {
  const JobHandle handle =
      Submit(Order("setsid sleep 1000 & setsid sh -c 'sleep 1000; :' & setsid -f sleep 1000; exit 0"));
  EXPECT_EQ(WaitForEnd(handle).exit_status, 0);
  const std::string variable = "COSMOS_OUTPUT_DIR=" + folder_ + "/out";
  const auto left = [&] {
    return ProcessesOfJob(static_cast<pid_t>(handle.pid), handle.pid_start_time, variable).size();
  };
  Await("processes", [&] { return left() >= 4; });
  EXPECT_EQ(Ask(CancelScript(handle, 1h)), "gone\n");
  EXPECT_EQ(left(), 0u);
}

// Looks may take long, as on a host with very many processes.
TEST_P(GnuScriptsTest, GraceIsCountedInTime) {
  MakeFolders(root_ + "/bin");
  WriteFile(root_ + "/bin/awk", "#!/bin/sh\necho look >>" + root_ + "/looks\nsleep 0.5\nexec /usr/bin/awk \"$@\"\n",
            0755);
  const JobHandle handle = Submit(Order("trap '' TERM; echo >ready; while :; do sleep 1000; done"));
  Await("trap", [&] { return fs::exists(folder_ + "/ready"); });
  EXPECT_EQ(Ask("PATH=" + root_ + "/bin:$PATH\n" + CancelScript(handle, 2s)), "gone\n");
  // At most one look in each half second of the grace, and what comes before and after it: forty if they were counted.
  EXPECT_LT(SplitLines(ReadFile(root_ + "/looks")).size(), 20u);
}

}  // namespace
}  // namespace cosmos
