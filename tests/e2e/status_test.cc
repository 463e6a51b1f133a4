// `status`: what goes on, told within a second, whoever asks and whatever hangs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>

#include "support/processes.h"
#include "support/remote_host.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kConfig = "config/cosmos-engine/config.yaml";

class StatusTest : public ::testing::Test {
 protected:
  StatusTest() {
    sandbox_.Write(kConfig, "targets: {gpu1: " + host_.Target(", gpus: 2") + "}\n");
    const fs::path bin = host_.account().home() / "bin";
    fs::create_directory(bin);
    calls_ = host_.account().home() / "calls";
    std::ofstream(bin / "nvidia-smi") << "#!/bin/sh\necho \"$1\" >>" << calls_.string()
                                      << "\ncase $1 in\n--query-gpu=*)\n"
                                      << "echo '0, GPU-0, 00000000:4F:00.0, 550.54.15, 37, 900, 81559, 79942, "
                                         "34, 71.34, 1980, 2619, Disabled, NVIDIA H100 80GB HBM3'\n"
                                      << "echo '1, GPU-1, 00000000:52:00.0, 550.54.15, [N/A], [N/A], [N/A], "
                                         "[N/A], 30, [N/A], 345, 2619, [N/A], NVIDIA H100 80GB HBM3'\n"
                                      << ";;\nesac\n";
    MustRun({"chmod", "-R", "a+rx", bin.string()});
    std::ofstream(host_.account().home() / ".bashrc") << "PATH=" << bin.string() << ":$PATH\n";
    MustRun({"chown", "-R", host_.account().name(), host_.account().home().string()});
  }
  ~StatusTest() override {
    for (const pid_t pid : sandbox_.JobProcesses()) ::kill(pid, SIGKILL);
  }

  // Run ids differ from those of tests beside, which may have processes on this machine.
  std::string Id(const std::string& name) const { return "rs_status_" + name + "_" + std::to_string(::getpid()); }
  json Status(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {"status"};
    words.insert(words.end(), more.begin(), more.end());
    return sandbox_.EngineJson(words);
  }
  static json Named(const json& list, const char* key, const std::string& value) {
    for (const json& item : list) {
      if (item[key] == value) return item;
    }
    ADD_FAILURE() << "no " << value << " in " << list.dump(2);
    return json();
  }
  // How often nvidia-smi was asked for GPUs.
  std::ptrdiff_t Questions() const {
    const std::string calls = sandbox_.Read(calls_);
    std::ptrdiff_t count = 0;
    for (std::size_t at = calls.find("--query-gpu"); at != calls.npos; at = calls.find("--query-gpu", at + 1)) ++count;
    return count;
  }
  // Until what was asked is too old to be taken over.
  static void LetAnswersAge() { std::this_thread::sleep_for(std::chrono::milliseconds(2100)); }

  Sandbox sandbox_;
  RemoteHost host_;
  fs::path calls_;
};

TEST_F(StatusTest, TellsOfGpusAndWhoHasThem) {
  sandbox_.Write("w.yaml", R"(
version: 1
name: w
stages:
  render: {uses: shell, target: gpu1, resources: {gpus: 1}, with: {run: ': >begun; until test -e go; do sleep 0.02; done'}}
  gate: {uses: shell, target: gpu1, with: {run: 'until test -e begun; do sleep 0.02; done'}}
  wide: {uses: shell, needs: gate, target: gpu1, resources: {gpus: 2}, with: {run: 'true'}}
)");
  const std::string id = Id("a");
  const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--no-preflight", "--run-id", id});
  Await("job and queue", [&] {
    const json runs = Status()["runs"];
    return runs.size() == 1 && runs[0]["queued"].size() == 1 && runs[0]["stages"].size() == 1 &&
           runs[0]["stages"][0]["status"] == "running";
  });
  LetAnswersAge();
  const json report = Status();
  const json target = Named(report["targets"], "name", "gpu1");
  EXPECT_EQ(target["reachable"], true) << target.dump(2);
  EXPECT_EQ(target["driver"], "550.54.15");
  ASSERT_EQ(target["gpus"].size(), 2u);
  EXPECT_EQ(target["gpus"][0]["memory_used"], 900 * 1048576);
  EXPECT_EQ(target["gpus"][0]["utilization"], 0.37);
  EXPECT_EQ(target["gpus"][0]["holder"]["run_id"], id);
  EXPECT_EQ(target["gpus"][0]["holder"]["stage"], "render");
  EXPECT_TRUE(target["gpus"][1]["memory_used"].is_null());
  EXPECT_TRUE(target["gpus"][1]["holder"].is_null());
  ASSERT_EQ(target["jobs"].size(), 1u);
  EXPECT_EQ(target["jobs"][0]["found"], true);
  const json run = report["runs"][0];
  EXPECT_EQ(run["state"], "running");
  ASSERT_EQ(run["queued"].size(), 1u);
  EXPECT_EQ(run["queued"][0]["stage"], "wide");
  EXPECT_THAT(report["orphans"], IsEmpty());
  const std::string text = sandbox_.Engine({"status"}).out;
  EXPECT_THAT(
      text,
      HasSubstr(
          "GPU 0  NVIDIA H100 80GB HBM3  ████░░░░░░  37 %  memory ░░░░░░░░░░ 0.9 of 85.5 GB  34 °C  71 W  render of"));
  EXPECT_THAT(text, HasSubstr("queued: waits for 2 GPUs of 'gpu1': GPU 0 is held by stage 'render'"));
  std::ofstream(host_.workdir() / "go") << "";
  EXPECT_EQ(sandbox_.Wait(engine), 0) << sandbox_.Read("engine.out");
  EXPECT_THAT(Status()["runs"], IsEmpty());
}

TEST_F(StatusTest, HoweverManyAskTheHostIsAskedOnce) {
  std::vector<pid_t> engines;
  for (int i = 0; i < 20; ++i) engines.push_back(sandbox_.StartEngine({"status"}));
  for (const pid_t engine : engines) EXPECT_EQ(sandbox_.Wait(engine), 0);
  // The last may have come when the first one's answer was too old; not each of them, by far.
  EXPECT_GE(Questions(), 1);
  EXPECT_LE(Questions(), 2);
  const std::ptrdiff_t asked = Questions();
  LetAnswersAge();
  Status();
  EXPECT_EQ(Questions(), asked + 1);
  EXPECT_EQ(Status()["targets"].size(), 2u);
  EXPECT_EQ(Questions(), asked + 1);
}

TEST_F(StatusTest, AHostThatDoesNotAnswerIsToldOfAsItWas) {
  ASSERT_EQ(Named(Status()["targets"], "name", "gpu1")["reachable"], true);
  host_.proxy().SetBlackHole(true);
  LetAnswersAge();
  const json silent = Named(Status()["targets"], "name", "gpu1");
  EXPECT_EQ(silent["reachable"], false);
  EXPECT_THAT(silent["problem"].get<std::string>(), HasSubstr("has not answered yet"));
  EXPECT_EQ(silent["gpus"].size(), 2u);
  EXPECT_GT(silent["age"], 2.0);
  EXPECT_THAT(sandbox_.Engine({"status"}).out, HasSubstr("no answer"));
  host_.proxy().SetBlackHole(false);
  host_.proxy().SetRefuse(true);
  LetAnswersAge();
  Await("the refusal", [&] {
    const json problem = Named(Status()["targets"], "name", "gpu1")["problem"];  // none: a late answer came
    return problem.is_string() && problem.get<std::string>().find("cannot connect") == 0;
  });
  host_.proxy().SetRefuse(false);
  LetAnswersAge();
  Await("an answer", [&] { return Named(Status()["targets"], "name", "gpu1")["reachable"] == true; });
}

TEST_F(StatusTest, TellsZombiesFromRunsThatWereInterruptedAndWhatTheyLeft) {
  sandbox_.Write("w.yaml", R"(
version: 1
name: w
stages:
  render: {uses: shell, target: gpu1, with: {run: 'until test -e go; do sleep 0.02; done'}}
)");
  const std::string id = Id("z");
  const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", id});
  Await("job", [&] {
    const json runs = Status()["runs"];
    return runs.size() == 1 && runs[0]["stages"].size() == 1 && runs[0]["stages"][0]["status"] == "running";
  });
  ::kill(engine, SIGKILL);
  sandbox_.Wait(engine);
  LetAnswersAge();
  EXPECT_EQ(Status()["runs"][0]["state"], "interrupted");
  EXPECT_THAT(Status()["orphans"], IsEmpty());
  std::ofstream(host_.workdir() / "go") << "";
  Await("end of the job", [&] {
    LetAnswersAge();
    return Status()["runs"][0]["state"] == "zombie";
  });
  EXPECT_THAT(sandbox_.Engine({"status"}).out, HasSubstr("its engine and its jobs are gone: `cosmos-engine resume`"));
  EXPECT_EQ(sandbox_.Engine({"resume", id}).status, 0);
  EXPECT_THAT(Status()["runs"], IsEmpty());
}

TEST_F(StatusTest, TellsOfWhatARunThatHasEndedLeft) {
  sandbox_.Write("w.yaml", R"(
version: 1
name: w
stages: {render: {uses: shell, target: gpu1, with: {run: 'true'}}}
)");
  ASSERT_EQ(sandbox_.Engine({"run", "w.yaml", "--run-id", Id("o")}).status, 0);
  // The end of an attempt leaves nothing, but that of an older version did.
  std::vector<std::string> ssh = {"ssh"};
  for (const std::string& word : host_.server().ClientOptions()) ssh.push_back(word);
  ssh.insert(ssh.end(), {host_.account().name() + "@127.0.0.1",
                         "cd work; COSMOS_RUN_ID=" + Id("o") +
                             " COSMOS_OUTPUT_DIR=" + (host_.job(Id("o"), "render") / "out").string() +
                             " setsid sh -c 'until test -e go; do sleep 0.02; done' </dev/null >/dev/null 2>&1 &"});
  MustRun(ssh);
  LetAnswersAge();
  const json orphan = Named(Status()["orphans"], "target", "gpu1");  // which is this machine, too
  EXPECT_EQ(orphan["kind"], "processes");
  EXPECT_EQ(orphan["run_id"], Id("o"));
  EXPECT_THAT(sandbox_.Engine({"status"}).out, HasSubstr("`cosmos-engine gc` removes it"));
  std::ofstream(host_.workdir() / "go") << "";
}

TEST_F(StatusTest, SaysWhatIsWrongWithItsWords) {
  const Ended target = sandbox_.Engine({"status", "--target", "gpu2"});
  EXPECT_EQ(target.status, 2);
  EXPECT_THAT(target.err, HasSubstr("there is no target 'gpu2'"));
  EXPECT_THAT(target.err, HasSubstr("did you mean 'gpu1'?"));
  const Ended watch = sandbox_.Engine({"status", "--watch"});
  EXPECT_EQ(watch.status, 2);
  EXPECT_THAT(watch.err, HasSubstr("--watch draws on a terminal"));
  EXPECT_EQ(Status({"--target", "local"})["targets"].size(), 1u);
}

TEST_F(StatusTest, AnAnswerThatComesLateIsThereForTheNextCall) {
  host_.proxy().SetDelay(std::chrono::milliseconds(300));  // a login takes several ways there and back
  EXPECT_THAT(Named(Status()["targets"], "name", "gpu1")["gpus"], IsEmpty());
  Await("the late answer", [&] {
    const json target = Named(Status()["targets"], "name", "gpu1");
    return target["gpus"].size() == 2 && target["age"].is_number();
  });
}

TEST_F(StatusTest, AContainerEngineThatHangsHidesNeitherGpusNorJobs) {
  const fs::path docker = host_.account().home() / "bin/docker";
  std::ofstream(docker) << "#!/bin/sh\nsleep 20\n";
  MustRun({"chmod", "a+rx", docker.string()});
  sandbox_.Write(kConfig, "targets: {gpu1: " + host_.Target(", gpus: 2, container: {image: x}") + "}\n");
  json target;
  Await("GPUs", [&] {
    target = Named(Status()["targets"], "name", "gpu1");
    return target["reachable"] == true && target["gpus"].size() == 2;
  });
  EXPECT_THAT(target["problem"].get<std::string>(), HasSubstr("no answer about its containers yet"));
}

TEST_F(StatusTest, ARunKnowsItsOwnTargetWhateverElseHasItsName) {
  sandbox_.Write("w.yaml", R"(
version: 1
name: w
stages:
  render: {uses: shell, target: gpu1, with: {run: 'until test -e go; do sleep 0.02; done'}}
)");
  const std::string id = Id("n");
  const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", id});
  Await("job", [&] {
    const json runs = Status()["runs"];
    return runs.size() == 1 && runs[0]["stages"].size() == 1 && runs[0]["stages"][0]["status"] == "running";
  });
  ::kill(engine, SIGKILL);
  sandbox_.Wait(engine);
  RemoteHost other;
  sandbox_.Write(kConfig, "targets: {gpu1: " + other.Target() + "}\n");
  json report;
  Await("both hosts", [&] {
    LetAnswersAge();
    report = Status();
    return report["targets"].size() == 3 && report["targets"][2]["reachable"] == true &&
           report["targets"][2]["jobs"].size() == 1 && report["targets"][2]["jobs"][0]["found"] == true;
  });
  EXPECT_EQ(report["runs"][0]["state"], "interrupted");
  for (int i = 0; i < 2; ++i) EXPECT_THAT(report["targets"][i]["jobs"], IsEmpty()) << report["targets"][i];
  std::ofstream(host_.workdir() / "go") << "";
}

TEST_F(StatusTest, WhoLogsInAnotherWayGetsAnswersOfTheirOwn) {
  std::string other = host_.Target();
  const std::size_t identity = other.find("identity: ") + 10;
  other.replace(identity, other.find_first_of(",}", identity) - identity, "/no/such/key");
  sandbox_.Write(kConfig, "targets: {gpu1: " + host_.Target() + ", gpu2: " + other + "}\n");
  json report;
  Await("both answers", [&] {
    report = Status();
    return Named(report["targets"], "name", "gpu1")["reachable"] == true &&
           Named(report["targets"], "name", "gpu2")["problem"].is_string();
  });
  EXPECT_EQ(Named(report["targets"], "name", "gpu2")["reachable"], false);
  EXPECT_THAT(Named(report["targets"], "name", "gpu2")["gpus"], IsEmpty());
}

TEST_F(StatusTest, ALostConnectionIsShownWithItsAge) {
  sandbox_.Write("w.yaml", R"(
version: 1
name: w
stages:
  render: {uses: shell, target: gpu1, with: {run: 'until test -e go; do sleep 0.02; done'}}
)");
  const std::string id = Id("l");
  const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", id});
  Await("job", [&] {
    const json runs = Status()["runs"];
    return runs.size() == 1 && runs[0]["stages"].size() == 1 && runs[0]["stages"][0]["status"] == "running";
  });
  EXPECT_THAT(sandbox_.Show(id)["lost_connections"], IsEmpty());
  host_.proxy().SetRefuse(true);
  host_.proxy().CutAll();
  Await("the loss", [&] { return sandbox_.Show(id)["lost_connections"].size() == 1; });
  EXPECT_EQ(sandbox_.Show(id)["lost_connections"][0]["target"], "gpu1");
  EXPECT_THAT(sandbox_.Engine({"show", id}).out, HasSubstr("lost      connection to 'gpu1' "));
  EXPECT_THAT(sandbox_.Engine({"status"}).out, HasSubstr("lost connection to 'gpu1' "));
  host_.proxy().SetRefuse(false);
  std::ofstream(host_.workdir() / "go") << "";
  EXPECT_EQ(sandbox_.Wait(engine), 0) << sandbox_.Read("engine.out");
}

TEST_F(StatusTest, ShowsMigDevicesAndGpusThatDoNotWork) {
  std::ofstream(host_.account().home() / "bin/nvidia-smi")
      << "#!/bin/sh\ncase $1 in\n--query-gpu=*)\n"
         "echo '0, GPU-0, 00000000:4F:00.0, 550.54.15, [N/A], 900, 40960, 40000, 34, 71, 1980, 1215, Enabled, A100'\n"
         "echo '1, GPU-1, 00000000:52:00.0, 550.54.15, [N/A], 0, 40960, 40000, [GPU requires reset], 71, 0, 0, "
         "Disabled, A100'\n;;\n"
         "-L) echo 'GPU 0: A100 (UUID: GPU-0)'; echo '  MIG 3g.20gb     Device  0: (UUID: MIG-c)' ;;\nesac\n";
  json target;
  Await("an answer", [&] {
    target = Named(Status()["targets"], "name", "gpu1");
    return target["gpus"].size() == 2;
  });
  EXPECT_EQ(target["gpus"][0]["mig_devices"][0]["profile"], "3g.20gb");
  EXPECT_EQ(target["gpus"][1]["fault"], "GPU requires reset");
  const std::string text = sandbox_.Engine({"status"}).out;
  EXPECT_THAT(text, HasSubstr("    MIG 3g.20gb    MIG-c\n"));
  EXPECT_THAT(text, HasSubstr("does not work: GPU requires reset\n"));
}

}  // namespace
}  // namespace cosmos::testing
