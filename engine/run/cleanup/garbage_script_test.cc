#include "run/cleanup/garbage_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "core/command.h"
#include "core/files.h"
#include "core/text.h"
#include "target/local/process.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kId = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

bool Always(const FoundProcess&) { return true; }

std::vector<std::int64_t> PidsToEnd(const Leftovers& found, const std::string& run_id) {
  std::vector<std::int64_t> pids;
  for (const FoundProcess& process : ProcessesToEnd(found, run_id, Always)) pids.push_back(process.pid);
  return pids;
}

TEST(ParseLeftoversTest, ReadsWhatTheScriptsPrint) {
  const std::string id = kId;
  const Leftovers found =
      ParseLeftovers("container 1 " + id + " true rs_a /cosmos_rs_a_render.x_2\n" + "container 0 " + id +
                         " false rs_b cosmos_rs_b_a_1\n" +
                         "workdir 0 /home/a b\nfolder 0 12 rs_a\nstrange 0\ninputs 0 3\nown 77\n"
                         "env 5 COSMOS_RUN_ID=rs_a\nenv 5 COSMOS_OUTPUT_DIR=/w x/out\n"
                         "process 5 4 1234 my (odd) name\nproblem 0 \nproblem 0 no daemon\nend of it\n",
                     2, 1);
  EXPECT_TRUE(found.whole);
  ASSERT_EQ(found.containers.size(), 2u);
  EXPECT_EQ(found.containers[0].engine, 1u);
  EXPECT_EQ(found.containers[0].id, id);
  EXPECT_TRUE(found.containers[0].running);
  EXPECT_EQ(found.containers[0].name, "cosmos_rs_a_render.x_2");
  EXPECT_FALSE(found.containers[1].running);
  EXPECT_EQ(found.workdirs.at(0), "/home/a b");
  EXPECT_EQ(found.folders[0].size, 12 * 1024);
  EXPECT_EQ(found.folders[0].run_id, "rs_a");
  EXPECT_THAT(found.strange, ElementsAre(0u));
  EXPECT_EQ(found.inputs.at(0), 3 * 1024);
  EXPECT_THAT(found.own_sessions, ElementsAre(77));
  EXPECT_EQ(found.processes[0].pid, 5);
  EXPECT_EQ(found.processes[0].session, 4);
  EXPECT_EQ(found.processes[0].start_time, 1234);
  EXPECT_EQ(found.processes[0].name, "my (odd) name");
  EXPECT_EQ(found.processes[0].run_id, "rs_a");
  EXPECT_EQ(found.processes[0].output_dir, "/w x/out");
  EXPECT_THAT(found.problems, ElementsAre("no daemon"));
}

TEST(ParseLeftoversTest, BelievesNothingThatCouldDoHarm) {
  const std::string id = kId;
  const std::vector<std::string> lines = {
      "container 0 $(reboot) true rs_a /cosmos_rs_a_a_1",    // an id that is none
      "container 0 " + id + " true rs_b /cosmos_rs_a_a_1",   // a name and a label that differ
      "container 0 " + id + " true rs_a /cosmos_rs_ab",      // the name of another run
      "container 0 " + id + " true ../x /cosmos_../x_a_1",   // a run_id that is none
      "container 9 " + id + " true rs_a /cosmos_rs_a_a_1",   // nobody asked that engine
      "container -1 " + id + " true rs_a /cosmos_rs_a_a_1",  //
      "folder 9 1 rs_a",
      "inputs 9 1",
      "folder 0 1 ..",
      "folder 0 1 a;b",
      "folder 0 1 ",
      "env 6 COSMOS_RUN_ID=$(x)",
      "env 6",
      "process 6 6 1 sh",
  };
  const Leftovers found = ParseLeftovers(Join(lines, "\n") + "\n", 1, 1);
  EXPECT_FALSE(found.whole);
  EXPECT_THAT(found.containers, IsEmpty());
  EXPECT_THAT(found.folders, IsEmpty());
  EXPECT_THAT(found.inputs, IsEmpty());
  EXPECT_THAT(found.strange, ElementsAre(0u));
  EXPECT_EQ(found.processes[0].run_id, "");
}

TEST(ProcessesToEndTest, AreARunsOwnWithTheirSessions) {
  Leftovers found;
  found.processes = {
      {10, 10, 1, "sh", "rs_a", ""},
      {11, 10, 1, "python", "", ""},  // a job, and a child that cleared its environment
      {20, 19, 1, "sleep", "rs_a", ""},
      {21, 19, 1, "sleep", "", ""},  // a session whose leader has ended
      {30, 30, 1, "bash", "", ""},
      {31, 30, 1, "sh", "rs_a", ""},             // started by hand in somebody's shell
      {40, 40, 1, "sh", "rs_b", ""},             // another run's
      {50, 10, 1, "sh", "rs_b", ""},             // started by the job, and of another run
      {60, 60, 1, "cosmos-engine", "rs_a", ""},  // who looks
      {1, 1, 1, "init", "rs_a", ""},
  };
  found.own_sessions = {60};
  EXPECT_THAT(PidsToEnd(found, "rs_a"), ElementsAre(10, 11, 20, 21, 31));
  EXPECT_THAT(PidsToEnd(found, "rs_b"), ElementsAre(40, 50));
  EXPECT_THAT(PidsToEnd(found, "rs_c"), IsEmpty());
  EXPECT_THAT(ProcessesToEnd(found, "rs_a", [](const FoundProcess&) { return false; }), IsEmpty());
}

// The scripts, as this machine's shell executes them.
class GarbageScriptTest : public ::testing::Test {
 protected:
  GarbageScriptTest() {
    char name[] = "/tmp/cosmos garbage-XXXXXX";
    root_ = ::mkdtemp(name);
    workdir_ = root_ / "work's dir";
    MakeFolders(workdir_ / ".cosmos/jobs");
  }
  ~GarbageScriptTest() override { fs::remove_all(root_); }

  void Write(const std::string& path) const {
    MakeFolders((workdir_ / ".cosmos" / path).parent_path());
    WriteFile(workdir_ / ".cosmos" / path, "x");
  }
  bool Exists(const std::string& path) const { return fs::exists(workdir_ / ".cosmos" / path); }
  static CommandResult Execute(const std::string& script) {
    return RunCommand({"/bin/sh", "-c", script}, std::chrono::minutes(1), CancelToken());
  }
  Leftovers Look() const {
    const std::vector<std::string> workdirs = {"/nowhere", workdir_.string()};
    return ParseLeftovers(Execute(LookScript({}, workdirs)).output, 0, workdirs.size());
  }

  fs::path root_;
  fs::path workdir_;
};

TEST_F(GarbageScriptTest, FindFoldersAndInputsAndMakeNone) {
  Leftovers found = Look();
  EXPECT_TRUE(found.whole);
  EXPECT_THAT(found.folders, IsEmpty());
  EXPECT_THAT(found.inputs, IsEmpty());
  Write("jobs/rs_a/render/1/run.log");
  Write("jobs/-rf/x");
  Write("inputs/.abc/x");
  found = Look();
  EXPECT_THAT(found.folders, SizeIs(2));
  EXPECT_EQ(found.folders[0].workdir, 1u);
  EXPECT_GT(found.folders[0].size, 0);
  EXPECT_GT(found.inputs.at(1), 0);
  EXPECT_EQ(found.workdirs.at(1), workdir_.string());
  EXPECT_THAT(found.strange, IsEmpty());
  Write("jobs/a file");
  EXPECT_THAT(Look().strange, ElementsAre(1u));
  fs::remove(workdir_ / ".cosmos/jobs/a file");
  fs::create_directory_symlink(root_, workdir_ / ".cosmos/jobs/rs_link");
  EXPECT_THAT(Look().strange, ElementsAre(1u));
  EXPECT_THAT(Look().folders, SizeIs(2));
  EXPECT_FALSE(fs::exists("/nowhere"));
}

TEST_F(GarbageScriptTest, RemoveOneFolderAndNothingBesideOrBehindIt) {
  Write("jobs/rs_a/render/1/run.log");
  Write("jobs/rs_ab/x");
  Write("jobs/-rf/x");
  Write("kept");
  fs::create_directory_symlink(workdir_ / ".cosmos/jobs/rs_ab", workdir_ / ".cosmos/jobs/rs_a/link");
  EXPECT_EQ(Execute(RemoveFolderScript(workdir_, "rs_a")).exit_status, 0);
  EXPECT_FALSE(Exists("jobs/rs_a"));
  EXPECT_TRUE(Exists("jobs/rs_ab/x"));
  EXPECT_EQ(Execute(RemoveFolderScript(workdir_, "-rf")).exit_status, 0);
  EXPECT_FALSE(Exists("jobs/-rf"));
  EXPECT_TRUE(Exists("kept"));
  fs::remove_all(workdir_ / ".cosmos");
  MakeFolders(root_ / "rs_a");
  EXPECT_NE(RunCommand({"/bin/sh", "-c", "cd '" + root_.string() + "'\n" + RemoveFolderScript(workdir_, "rs_a")},
                       std::chrono::minutes(1), CancelToken())
                .exit_status,
            0);
  EXPECT_TRUE(fs::exists(root_ / "rs_a"));
}

TEST_F(GarbageScriptTest, RemoveAllInputs) {
  Write("inputs/abc/x y");
  Write("inputs/.hidden");
  Write("jobs/rs_a/x");
  EXPECT_EQ(Execute(RemoveInputsScript(workdir_)).exit_status, 0);
  EXPECT_TRUE(fs::is_empty(workdir_ / ".cosmos/inputs"));
  EXPECT_TRUE(Exists("jobs/rs_a/x"));
}

TEST_F(GarbageScriptTest, FindAProcessByItsEnvironmentAndSignalItAlone) {
  const std::string run_id = "rs_garbage_" + std::to_string(::getpid());
  const pid_t child = ::fork();
  if (child == 0) {
    ::setsid();
    const std::string variable = "COSMOS_RUN_ID=" + run_id;
    // A value that looks like another process.
    ::execl("/usr/bin/env", "env", "A=x\n/proc/1/environ", "COSMOS_OUTPUT_DIR=/o\nenv 1 COSMOS_RUN_ID=rs_x",
            variable.c_str(), "sleep", "1000", nullptr);
    ::_exit(127);
  }
  std::vector<FoundProcess> found;
  for (int i = 0; i < 1000 && found.empty(); ++i) {
    ::usleep(10000);
    found = ProcessesToEnd(ParseLeftovers(Execute(ProcessesScript()).output), run_id, Always);
  }
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].pid, child);
  EXPECT_EQ(found[0].session, child);
  EXPECT_EQ(found[0].name, "sleep");
  EXPECT_EQ(found[0].start_time, FindProcess(child)->start_time);
  EXPECT_EQ(found[0].output_dir, "/o?env 1 COSMOS_RUN_ID=rs_x");
  FoundProcess earlier = found[0];
  --earlier.start_time;
  Execute(SignalScript("KILL", {earlier}));
  EXPECT_EQ(::waitpid(child, nullptr, WNOHANG), 0);
  Execute(SignalScript("TERM", found));
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

TEST_F(GarbageScriptTest, FindSomeProcessesOfARunThatHasMany) {
  const std::string variable = "COSMOS_RUN_ID=rs_many_" + std::to_string(::getpid());
  const pid_t child = ::fork();
  if (child == 0) {
    ::setsid();
    ::execl("/usr/bin/env", "env", variable.c_str(), "sh", "-c",
            "i=0; while [ $i -lt 40 ]; do sleep 1000 & i=$((i + 1)); done; wait", nullptr);
    ::_exit(127);
  }
  std::vector<FoundProcess> found;
  for (int i = 0; i < 1000 && found.size() < 20; ++i) {
    ::usleep(10000);
    const Leftovers leftovers = ParseLeftovers(Execute(RunProcessesScript()).output);
    EXPECT_TRUE(leftovers.whole);
    found.clear();
    for (const FoundProcess& process : leftovers.processes) {
      EXPECT_FALSE(process.run_id.empty());  // of other programs nothing is said
      if ("COSMOS_RUN_ID=" + process.run_id == variable) found.push_back(process);
    }
  }
  EXPECT_EQ(found.size(), 20u);
  EXPECT_TRUE(!found.empty() && found[0].session == child);
  ::kill(-child, SIGKILL);
  EXPECT_EQ(::waitpid(child, nullptr, 0), child);
}

}  // namespace
}  // namespace cosmos
