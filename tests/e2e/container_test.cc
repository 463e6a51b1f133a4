// Jobs in containers on a host that is reached by SSH: a real dockerd with an image made from busybox.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>

#include "support/docker_daemon.h"
#include "support/remote_host.h"

namespace cosmos::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kContainer = ", container: {image: \"cosmos-test:latest\", args: [--network, none]}";

class ContainerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const std::string& missing : {SshServer::Missing(), DockerDaemon::Missing()}) {
      if (!missing.empty()) GTEST_SKIP() << missing;
    }
    docker_ = std::make_unique<DockerDaemon>();
    host_ = std::make_unique<RemoteHost>("SetEnv DOCKER_HOST=" + docker_->Host(), docker_->socket());
  }
  void Workflow(const std::string& rest) { sandbox_.Write("w.yaml", host_->Workflow(rest, kContainer)); }
  Ended RunIt() { return sandbox_.Engine({"run", "w.yaml", "--run-id", "rs_test"}); }
  std::string LocalLog(const std::string& stage) { return sandbox_.Read("outputs/" + stage + "/logs/run_rs_test.log"); }
  void ExpectNothingLeft() {
    EXPECT_THAT(docker_->Containers(), IsEmpty());
    host_->ExpectNothingLeft();
  }
  json Inspect(const std::string& name) { return json::parse(docker_->Docker({"inspect", name}).out)[0]; }

  Sandbox sandbox_;
  std::unique_ptr<DockerDaemon> docker_;
  std::unique_ptr<RemoteHost> host_;
};

TEST_F(ContainerTest, ThreeStagesLeaveLogsOutputsRecordsAndNothingElse) {
  Workflow(
      "hooks: {log-streamer: {}}\n"
      "stages:\n"
      "  make: {uses: shell, target: gpu1, env: {GREETING: \"it's $HOME; \\\"quoted\\\"\"}, with: {run: 'echo "
      "\"$GREETING\"; "
      "test -e /.dockerenv && echo inside; echo data >\"$COSMOS_OUTPUT_DIR/o\"', outputs: {o: o}}}\n"
      "  change: {uses: file-copy, needs: make, target: gpu1, with: {input: \"${{ stages.make.outputs.o }}\"}}\n"
      "  look: {uses: shell, needs: change, target: gpu1, with: {argv: [sh, -c, 'seq 20000; echo \"$COSMOS_RUN_ID\" "
      ">&2']}}\n"
      "  facts: {uses: container-facts, needs: look}\n");
  const Ended ended = RunIt();
  EXPECT_EQ(ended.status, 0) << ended.out << ended.err << LocalLog("make");
  EXPECT_EQ(LocalLog("make"), "it's $HOME; \"quoted\"\ninside\n");
  EXPECT_THAT(LocalLog("look"), HasSubstr("20000\n"));
  EXPECT_THAT(LocalLog("look"), HasSubstr("rs_test\n"));
  for (const std::string stage : {"make", "change", "look"}) {
    EXPECT_EQ(LocalLog(stage), sandbox_.Read(host_->job("rs_test", stage) / "run.log"));
  }
  const json run = sandbox_.Show("rs_test");
  EXPECT_EQ(sandbox_.Read(run["stages"][1]["outputs"]["copy"].get<std::string>()), "data\n");
  const json container = run["stages"][0]["container"];
  EXPECT_EQ(container["name"], "cosmos_rs_test_make_1");
  EXPECT_EQ(container["status"], "removed");
  EXPECT_EQ(container["exit_status"], 0);
  EXPECT_EQ(container["id"].get<std::string>().size(), 64u);
  const json facts = run["stages"][3]["outputs"]["containers"];
  ASSERT_EQ(facts.size(), 3u);
  EXPECT_EQ(facts[0], container);
  EXPECT_THAT(sandbox_.Engine({"show", "rs_test"}).out,
              HasSubstr("cosmos_rs_test_make_1  cosmos-test:latest, removed"));
  EXPECT_EQ(host_->server().LoginCount(), 1);
  ExpectNothingLeft();
}

TEST_F(ContainerTest, IsNamedInFullAndLabelledWhileItRuns) {
  Workflow(
      "stages: {render: {uses: shell, target: gpu1, matrix: {seed: [7]}, with: {run: 'echo begun; sleep 1000'}}}\n");
  const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_test"});
  Await("container", [&] { return docker_->Docker({"ps", "-q"}).out.size() > 10; });
  const json labels = Inspect("cosmos_rs_test_render.7_1")["Config"]["Labels"];
  EXPECT_EQ(labels["run_id"], "rs_test");
  EXPECT_EQ(labels["stage"], "render");
  EXPECT_EQ(labels["instance"], "7");
  EXPECT_EQ(labels["attempt"], "1");
  EXPECT_EQ(labels["prompt_id"], sandbox_.Show("rs_test")["prompt_id"]);
  EXPECT_THAT(labels["start_time"].get<std::string>(), ::testing::MatchesRegex("20..-..-..T..:..:..Z"));
  ::kill(engine, SIGINT);
  EXPECT_EQ(sandbox_.Wait(engine), 130);
  ExpectNothingLeft();
}

TEST_F(ContainerTest, ATimeoutEndsItBeforeTheRunIsFailedAndLeavesADiagnosis) {
  Workflow(
      "stages: {a: {uses: shell, target: gpu1, timeout: 3s, with: {run: 'trap \"\" TERM; echo begun; while :; do sleep "
      "1; "
      "done'}}}\n");
  EXPECT_EQ(RunIt().status, 1);
  const json run = sandbox_.Show("rs_test");
  EXPECT_EQ(run["failure_kind"], "timeout");
  EXPECT_EQ(LocalLog("a"), "begun\n");
  const std::string diagnosis = sandbox_.Read(sandbox_.outputs() / run["prompt_id"].get<std::string>() /
                                              "diagnostics/rs_test/a.attempt-1.container.json");
  EXPECT_THAT(diagnosis, HasSubstr("\"/cosmos_rs_test_a_1\""));
  ExpectNothingLeft();
}

TEST_F(ContainerTest, OneKilledFromOutsideIsKilled) {
  Workflow("stages: {a: {uses: shell, target: gpu1, with: {run: 'echo begun; sleep 1000'}}}\n");
  const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_test"});
  Await("container", [&] { return docker_->Docker({"ps", "-q"}).out.size() > 10; });
  docker_->Docker({"kill", "cosmos_rs_test_a_1"});
  EXPECT_EQ(sandbox_.Wait(engine), 1);
  const json run = sandbox_.Show("rs_test");
  EXPECT_EQ(run["failure_kind"], "killed");
  EXPECT_EQ(run["stages"][0]["container"]["exit_status"], 137);
  ExpectNothingLeft();
}

TEST_F(ContainerTest, ResumeAttachesToOneThatRuns) {
  Workflow(
      "hooks: {log-streamer: {}}\n"
      "stages: {a: {uses: shell, target: gpu1, with: {run: 'echo begun; until test -e go; do sleep 0.1; done; echo "
      "ended'}}}\n");
  pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_test"});
  Await("first line", [&] { return LocalLog("a") == "begun\n"; });
  ::kill(engine, SIGKILL);
  sandbox_.Wait(engine);
  const std::string id = Inspect("cosmos_rs_test_a_1")["Id"];
  engine = sandbox_.StartEngine({"resume", "rs_test"});
  Await("attachment", [&] { return sandbox_.Read("engine.out").find("attached") != std::string::npos; });
  std::ofstream(host_->workdir() / "go") << "";
  EXPECT_EQ(sandbox_.Wait(engine), 0);
  EXPECT_EQ(LocalLog("a"), "begun\nended\n");
  EXPECT_EQ(sandbox_.Show("rs_test")["stages"][0]["container"]["id"], id);
  ExpectNothingLeft();
}

TEST_F(ContainerTest, CancelWithoutAnEngineEndsIt) {
  Workflow("stages: {a: {uses: shell, target: gpu1, with: {run: 'echo begun; sleep 1000'}}}\n");
  const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_test"});
  Await("container", [&] { return docker_->Docker({"ps", "-q"}).out.size() > 10; });
  ::kill(engine, SIGKILL);
  sandbox_.Wait(engine);
  EXPECT_EQ(sandbox_.EngineJson({"cancel", "rs_test"})["outcome"], "cancelled");
  EXPECT_EQ(docker_->Docker({"ps", "-q"}).out, "");
  EXPECT_THAT(docker_->Containers(), ElementsAre("cosmos_rs_test_a_1"));  // with its log, until gc
  host_->ExpectNothingLeft();
}

TEST_F(ContainerTest, AnImageThatIsNotThereIsTold) {
  sandbox_.Write("w.yaml", host_->Workflow("stages: {a: {uses: shell, target: gpu1, with: {run: 'echo x'}}}\n",
                                           ", container: {image: \"no-such-image:1\", args: [--pull, never]}"));
  const Ended refused = RunIt();
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err + refused.out, HasSubstr("no-such-image:1"));
  EXPECT_EQ(sandbox_.Engine({"run", "w.yaml", "--run-id", "rs_test", "--no-preflight"}).status, 1);
  const json run = sandbox_.Show("rs_test");
  EXPECT_THAT(run["error_message"].get<std::string>(), HasSubstr("image 'no-such-image:1' could not be started"));
  EXPECT_THAT(LocalLog("a"), HasSubstr("no-such-image"));
  ExpectNothingLeft();
}

TEST_F(ContainerTest, SecretsReachItAndStandInNoFileAndOnNoCommandLine) {
  sandbox_.SetEnvironment("TOKEN=gold-1234567890");
  Workflow(
      "secrets: {token: {env: TOKEN}}\n"
      "stages: {a: {uses: shell, target: gpu1, env: {T: \"${{ secrets.token }}\"}, with: {run: 'test ${#T} = 15; echo "
      "\"got $T\"; sleep 1'}}}\n");
  const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_two"});
  EXPECT_EQ(sandbox_.Wait(engine), 0) << sandbox_.Read("engine.out");
  EXPECT_EQ(sandbox_.Read("outputs/a/logs/run_rs_two.log"), "got ***\n");
  EXPECT_EQ(sandbox_.Run({"grep", "-r", "gold-1234567890", sandbox_.outputs().string()}).status, 1);
  EXPECT_EQ(sandbox_.Read(host_->job("rs_two", "a") / "job.sh").find("gold"), std::string::npos);
  ExpectNothingLeft();
}

}  // namespace
}  // namespace cosmos::testing
