// The container is what counts, not its client, its entrypoint or its daemon's mood. A real dockerd.
#include <fstream>
#include <thread>

#include "faults_fixture.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class ContainerFaultTest : public FaultTest {
 protected:
  void MakeHost() override {
    docker_ = std::make_unique<DockerDaemon>();
    host_ = std::make_unique<RemoteHost>("SetEnv DOCKER_HOST=" + docker_->Host(), docker_->socket());
  }
  static std::string Target(const std::string& image = "cosmos-test:latest", const std::string& more = "") {
    return ", container: {image: \"" + image + "\", args: [--network, none]" + more + "}";
  }
  // The test image with an entrypoint: the text of a script, or a program and its arguments as JSON.
  void MakeImage(const std::string& name, const std::string& entrypoint, const std::string& script = "") const {
    std::string before;
    if (!script.empty()) {
      const fs::path file = sandbox_.folder() / "entrypoint.sh";
      std::ofstream(file) << script;
      fs::permissions(file, fs::perms::owner_all | fs::perms::group_all | fs::perms::others_all);
      ASSERT_EQ(docker_->Docker({"create", "--name", "making", "cosmos-test:latest", "true"}).status, 0);
      ASSERT_EQ(docker_->Docker({"cp", file.string(), "making:/entrypoint.sh"}).status, 0);
    } else {
      ASSERT_EQ(docker_->Docker({"create", "--name", "making", "cosmos-test:latest", "true"}).status, 0);
    }
    const Ended made = docker_->Docker({"commit", "-c", "ENTRYPOINT " + entrypoint, "making", name});
    ASSERT_EQ(made.status, 0) << made.err;
    docker_->Docker({"rm", "making"});
  }
  void AwaitContainer() const {
    Await("container", [this] { return docker_->Docker({"ps", "-q"}).out.size() > 10; });
  }
  void ExpectNothingLeft() const {
    EXPECT_THAT(docker_->Containers(), IsEmpty());
    host_->ExpectNothingLeft();
  }

  std::unique_ptr<DockerDaemon> docker_;
};

TEST_F(ContainerFaultTest, AnEntrypointThatSwallowsTheCommandIsAFailure) {
  MakeImage("swallow:1", "[\"/bin/echo\"]");
  MakeImage("background:1", "[\"/entrypoint.sh\"]", "#!/bin/sh\n\"$@\" &\nsleep 1\nexit 0\n");
  MakeImage("silent:1", "[\"/bin/true\"]");
  for (const char* image : {"swallow:1", "silent:1"}) {
    Stage("echo real work; exit 3", "", "", Target(image));
    EXPECT_EQ(RunIt().status, 1) << image;
    EXPECT_EQ(Show()["failure_kind"], "exit_code");
    EXPECT_THAT(Show()["error_message"].get<std::string>(),
                AllOf(HasSubstr("without executing the job's command"), HasSubstr("container.entrypoint: none")));
    EXPECT_EQ(Starts(), 0);
    sandbox_.Engine({"prune", "--keep-last", "0", "--yes"});
    fs::remove_all(host_->workdir() / ".cosmos/jobs");
  }
  Stage("sleep 1000", "", "", Target("background:1"));
  EXPECT_EQ(RunIt().status, 1);
  EXPECT_THAT(Show()["error_message"].get<std::string>(), HasSubstr("before the job's command did"));
  ExpectNothingLeft();
}

TEST_F(ContainerFaultTest, AnEntrypointThatSwallowsTheCommandIsFoundBefore) {
  MakeImage("swallow:1", "[\"/bin/echo\"]");
  MakeImage("silent:1", "[\"/bin/true\"]");
  MakeImage("setup:1", "[\"/entrypoint.sh\"]", "#!/bin/sh\necho banner\nexec \"$@\"\n");
  for (const char* image : {"swallow:1", "silent:1"}) {
    SCOPED_TRACE(image);
    Stage("true", "", "", Target(image));
    const Ended refused = sandbox_.Engine({"run", "w.yaml", "--run-id", kRun});
    EXPECT_EQ(refused.status, 2) << refused.out;
    EXPECT_THAT(refused.out + refused.err,
                AllOf(HasSubstr("does not execute the command that it gets"), HasSubstr("entrypoint: none")));
    EXPECT_EQ(Starts(), 0);
    const Ended checked = sandbox_.Engine({"targets", "check", "gpu1", "--workflow", "w.yaml"});
    EXPECT_NE(checked.status, 0) << checked.out << checked.err;
    EXPECT_THAT(checked.out, HasSubstr("does not execute the command"));
  }
  Stage("true", "", "", Target("setup:1"));
  ExpectSuccess(sandbox_.Engine({"targets", "check", "gpu1", "--workflow", "w.yaml"}));
  ExpectSuccess(sandbox_.Engine({"run", "w.yaml", "--run-id", kRun}));
  ExpectNothingLeft();
}

TEST_F(ContainerFaultTest, AnEntrypointThatExecutesTheCommandSetsItUp) {
  MakeImage("setup:1", "[\"/entrypoint.sh\"]", "#!/bin/sh\necho banner\nexport SET_UP=yes\nexec \"$@\"\n");
  MakeImage("child:1", "[\"/entrypoint.sh\"]", "#!/bin/sh\nexport SET_UP=yes\n\"$@\"\nexit 0\n");
  for (const char* image : {"setup:1", "child:1"}) {
    Stage("echo \"set up: $SET_UP\"; exit 3", "", "", Target(image));
    EXPECT_EQ(RunIt().status, 1) << image;  // also where the entrypoint itself ends well
    EXPECT_THAT(Show()["error_message"].get<std::string>(), HasSubstr("status 3"));
    EXPECT_THAT(LocalLog(), HasSubstr("set up: yes\n"));
    sandbox_.Engine({"prune", "--keep-last", "0", "--yes"});
    fs::remove_all(host_->workdir() / ".cosmos/jobs");
  }
  ExpectNothingLeft();
}

TEST_F(ContainerFaultTest, AnEntrypointIsDroppedOrReplaced) {
  MakeImage("swallow:1", "[\"/bin/echo\"]");
  MakeImage("two:1", "[\"/bin/false\"]", "#!/bin/sh\nexport SET_UP=other\nexec \"$@\"\n");
  Stage("echo \"set up: $SET_UP\"", "", "", Target("swallow:1", ", entrypoint: none"));
  ExpectSuccess(RunIt());
  EXPECT_EQ(LocalLog(), "set up: \n");
  sandbox_.Engine({"prune", "--keep-last", "0", "--yes"});
  fs::remove_all(host_->workdir() / ".cosmos/jobs");
  Stage("echo \"set up: $SET_UP\"", "", "", Target("two:1", ", entrypoint: /entrypoint.sh"));
  ExpectSuccess(RunIt());
  EXPECT_EQ(LocalLog(), "set up: other\n");
}

TEST_F(ContainerFaultTest, AClientThatIsKilledEndsNothing) {
  Stage("echo begun; until test -e go; do sleep 0.1; done; seq 1000; echo done >\"$COSMOS_OUTPUT_DIR/o\"",
        ", retry: {attempts: 3}", "o: o", Target());
  const pid_t engine = Begin();
  Await("first line", [&] { return LocalLog().find("begun\n") != std::string::npos; });
  ASSERT_EQ(sandbox_.Run({"pkill", "-KILL", "-u", host_->account().name(), "-f", "docker run"}).status, 0);
  std::this_thread::sleep_for(2s);
  std::ofstream(host_->workdir() / "go") << "";
  EXPECT_EQ(sandbox_.Wait(engine), 0) << sandbox_.Read("engine.out");
  EXPECT_EQ(Starts(), 1);
  EXPECT_EQ(Output("o"), "done\n");
  EXPECT_THAT(LocalLog(), AllOf(StartsWith("begun\n"), HasSubstr("\n999\n1000\n")));
  EXPECT_EQ(LocalLog(), sandbox_.Read(job() / "run.log"));
  ExpectNothingLeft();
}

class LiveRestoreTest : public ContainerFaultTest {
 protected:
  void MakeHost() override {
    docker_ = std::make_unique<DockerDaemon>("/tmp", true);
    host_ = std::make_unique<RemoteHost>("SetEnv DOCKER_HOST=" + docker_->Host(), docker_->socket());
  }
};

TEST_F(LiveRestoreTest, ADaemonThatIsKilledAndComesBackEndsNothing) {
  for (const bool quick : {true, false}) {
    SCOPED_TRACE(quick);
    Stage("echo begun; until test -e go; do sleep 0.1; done; seq 1000; echo done >\"$COSMOS_OUTPUT_DIR/o\"",
          ", retry: {attempts: 3}", "o: o", Target());
    const pid_t engine = Begin();
    Await("first line", [&] { return LocalLog().find("begun\n") != std::string::npos; });
    docker_->Kill();
    if (!quick) std::this_thread::sleep_for(3s);
    docker_->StartAgain();
    if (quick) std::this_thread::sleep_for(3s);
    std::ofstream(host_->workdir() / "go") << "";
    EXPECT_EQ(sandbox_.Wait(engine), 0) << sandbox_.Read("engine.out");
    EXPECT_EQ(Starts(), 1);
    EXPECT_EQ(Output("o"), "done\n");
    EXPECT_THAT(LocalLog(), HasSubstr("\n999\n1000\n"));
    ExpectNothingLeft();
    sandbox_.Engine({"prune", "--keep-last", "0", "--outputs", "--yes"});
    for (const char* name : {".cosmos/jobs", "go", "starts"}) fs::remove_all(host_->workdir() / name);
  }
}

TEST_F(ContainerFaultTest, ADaemonThatTakesItsContainersAlongIsTheirEnd) {
  Stage("echo begun; sleep 1000", "", "", Target());
  const pid_t engine = Begin();
  Await("first line", [&] { return LocalLog().find("begun\n") != std::string::npos; });
  docker_->Kill();
  docker_->StartAgain();
  EXPECT_EQ(sandbox_.Wait(engine), 1) << sandbox_.Read("engine.out");
  EXPECT_EQ(Show()["failure_kind"], "killed");
  ExpectNothingLeft();
}

TEST_F(ContainerFaultTest, ASignalThatAScriptSendsItselfEndsItInAContainerToo) {
  for (const std::string signal : {"TERM", "HUP", "INT", "USR1"}) {
    SCOPED_TRACE(signal);
    Workflow("stages: {a: {uses: shell, target: gpu1, with: {run: 'die() { echo error >&2; kill -s " + signal +
                 " $$; }; die; echo survived'}}}\n",
             Target());
    const std::string run = "rs_" + signal;
    EXPECT_EQ(sandbox_.Engine({"run", "w.yaml", "--run-id", run}).status, 1);
    const json shown = sandbox_.Show(run);
    EXPECT_EQ(shown["failure_kind"], "killed");
    EXPECT_THAT(shown["error_message"].get<std::string>(), HasSubstr("SIG" + signal));
  }
}

TEST_F(ContainerFaultTest, ATermReachesTheCommandAndItsChildren) {
  Stage(
      "trap \"wait; echo saved; exit 0\" TERM; (trap \"echo child; exit\" TERM; while :; do sleep 0.1; done) & echo "
      "begun; "
      "while :; do sleep 0.1; done",
      "", "", Target());
  const pid_t engine = Begin();
  Await("first line", [&] { return LocalLog().find("begun\n") != std::string::npos; });
  ::kill(engine, SIGINT);
  EXPECT_EQ(sandbox_.Wait(engine), 130);
  EXPECT_THAT(LocalLog(), AllOf(HasSubstr("saved\n"), HasSubstr("child\n")));
  ExpectNothingLeft();
}

TEST_F(ContainerFaultTest, FilesOfRootAreReadAndRemoved) {
  Stage(
      "umask 077; mkdir -p \"$COSMOS_OUTPUT_DIR/sub/x\"; echo secret >\"$COSMOS_OUTPUT_DIR/sub/x/f\"; chmod 000 "
      "\"$COSMOS_OUTPUT_DIR/sub/x/f\"",
      "", "o: sub/x/f", Target());
  ExpectSuccess(RunIt());
  EXPECT_EQ(Output("o"), "secret\n");
  EXPECT_EQ(sandbox_.Engine({"gc", "--yes"}).status, 0);
  EXPECT_FALSE(fs::exists(job()));
  ExpectNothingLeft();
}

// An engine that died in between did not see to it.
TEST_F(ContainerFaultTest, FilesOfRootThatAreLeftAreRemovedByTheContainerEngine) {
  Stage("true", "", "", Target());
  ExpectSuccess(RunIt());
  fs::create_directories(job() / "out/sub/x");
  std::ofstream(job() / "out/sub/x/f") << "of root";
  EXPECT_EQ(sandbox_.Engine({"gc", "--yes"}).status, 0);
  EXPECT_FALSE(fs::exists(job()));
}

TEST_F(ContainerFaultTest, AHangingContainerEngineDoesNotHoldATimeoutForLong) {
  Stage("echo begun; sleep 1000", ", timeout: 8s, retry: {attempts: 3}", "", Target());
  const pid_t engine = Begin();
  AwaitContainer();
  ::kill(docker_->pid(), SIGSTOP);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(sandbox_.Wait(engine), 1);
  const auto took = std::chrono::steady_clock::now() - begin;
  ::kill(docker_->pid(), SIGCONT);
  EXPECT_LT(took, 150s);  // two minutes for each of three questions it was
  EXPECT_EQ(Show()["failure_kind"], "timeout");
  EXPECT_THAT(Show()["error_message"].get<std::string>(), HasSubstr("not all that it started could be ended"));
  EXPECT_EQ(Show()["stages"].size(), 1u);  // not repeated beside what may still run
  EXPECT_EQ(Starts(), 1);
  docker_->Docker({"rm", "-f", std::string("cosmos_") + kRun + "_a_1"});
}

}  // namespace
}  // namespace cosmos::testing
