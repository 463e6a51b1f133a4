// `gc`: what runs that have ended left on hosts goes, and nothing else does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>

#include "support/docker_daemon.h"
#include "support/processes.h"
#include "support/remote_host.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr const char* kConfig = "config/cosmos-engine/config.yaml";

// A command that runs long and that no other test has.
std::string Sleep(int number) {
  const int test = ::testing::UnitTest::GetInstance()->current_test_info()->line();
  return "sleep 4" + std::to_string(::getpid()) + std::to_string(test) + std::to_string(number);
}

bool Runs(const std::string& command) {
  const std::vector<Process> all = AllProcesses();
  return std::any_of(all.begin(), all.end(),
                     [&](const Process& process) { return process.CommandLine() == command + " "; });
}

// Items as `KIND RUN_ID STATE`, with `, removed` or `, left` behind those that were to be removed.
std::vector<std::string> Words(const json& items) {
  std::vector<std::string> words;
  for (const json& item : items) {
    const std::string run_id = item["run_id"].is_null() ? "-" : item["run_id"].get<std::string>();
    words.push_back(item["kind"].get<std::string>() + " " + run_id + " " + item["state"].get<std::string>() +
                    (item["removed"].get<bool>() ? ", removed" : ""));
  }
  return words;
}

class GcTest : public ::testing::Test {
 protected:
  // Run ids differ from those of tests beside, which may have processes on this machine.
  std::string Id(const std::string& name) const { return "rs_gc_" + name + "_" + std::to_string(::getpid()); }

  // What `gc WORDS` finds on the target; it must end with `status`.
  json Gc(std::vector<std::string> words, int status = 0, const std::string& target = "gpu1") const {
    words.insert(words.begin(), "gc");
    words.insert(words.end(), {"--format", "json"});
    const Ended ended = sandbox_.Engine(words);
    EXPECT_EQ(ended.status, status) << ended.out << ended.err;
    const json targets = json::parse(ended.out)["targets"];
    for (const json& one : targets) {
      if (one["target"] == target) return one;
    }
    ADD_FAILURE() << "there is no target " << target << " in " << targets;
    return {};
  }
  // On this machine other tests have processes, of other databases.
  std::vector<std::string> LocalItemsOf(const std::string& run_id, const std::vector<std::string>& words) const {
    json items = json::array();
    const json target = Gc(words, 0, "local");
    for (const json& item : target["items"]) {
      if (item["run_id"] == run_id) items.push_back(item);
    }
    return Words(items);
  }

  void Run(const std::string& run_id, int status = 0) const {
    const Ended ended = sandbox_.Engine({"run", "w.yaml", "--run-id", run_id});
    EXPECT_EQ(ended.status, status) << ended.out << ended.err;
  }
  // A run that has ended, and a process in a session of its own that says that it is of the run's job: the end of an
  // attempt leaves none, but that of an older version did.
  void RunAndLeave(const std::string& run_id, const std::string& command) const {
    sandbox_.Write("w.yaml", "version: 1\nstages: {a: {uses: shell, with: {run: \"true\"}}}\n");
    Run(run_id);
    const std::string out = (sandbox_.run_folder(run_id) / "jobs/a/1/out").string();
    const Ended ended = sandbox_.Run(
        {"sh", "-c",
         "COSMOS_RUN_ID=" + run_id + " COSMOS_OUTPUT_DIR=" + out + " setsid sh -c \"$0\" </dev/null >/dev/null 2>&1 &",
         command});
    EXPECT_EQ(ended.status, 0) << ended.err;
  }
  // A run whose one job has begun its command.
  pid_t Begin(const std::string& run_id, const std::string& command) {
    const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", run_id});
    Await("job of " + run_id, [&] { return Runs(command); });
    Await("record of " + run_id, [&] { return sandbox_.Show(run_id)["stages"][0]["status"] == "running"; });
    return engine;
  }
  pid_t BeginAndInterrupt(const std::string& run_id, const std::string& command) {
    const pid_t engine = Begin(run_id, command);
    ::kill(engine, SIGKILL);
    sandbox_.Wait(engine);
    return engine;
  }
  void Workflow(const std::string& stage) const {
    sandbox_.Write("w.yaml", "version: 1\nstages: {a: {uses: shell, with: {run: '" + stage + "'}}}\n");
  }

  Sandbox sandbox_;
};

TEST_F(GcTest, NothingIsRemovedWithoutConsent) {
  const Ended unasked = sandbox_.Engine({"gc"});
  EXPECT_EQ(unasked.status, 2);
  EXPECT_THAT(unasked.err, AllOf(HasSubstr("nothing was removed"), HasSubstr("add --yes"), HasSubstr("--dry-run")));
  const Ended unknown = sandbox_.Engine({"gc", "--dry-run", "--target", "loca"});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_THAT(unknown.err, AllOf(HasSubstr("there is no target 'loca'"), HasSubstr("did you mean 'local'?")));
}

TEST_F(GcTest, OnThisMachineLeftoversOfEndedRunsGo) {
  const std::string ended = Id("ended"), active = Id("active"), interrupted = Id("interrupted");
  RunAndLeave(ended, Sleep(1) + " & env -i " + Sleep(2) + " & wait");
  Await("what is left", [&] { return Runs(Sleep(1)) && Runs(Sleep(2)); });
  // Of a run of the same name in another database.
  BackgroundProgram stranger(
      {"env", "COSMOS_RUN_ID=" + ended, "COSMOS_OUTPUT_DIR=/elsewhere/" + ended, "sleep", Sleep(3).substr(6)},
      sandbox_.folder() / "stranger.log");
  Await("stranger", [&] { return Runs(Sleep(3)); });
  Workflow(Sleep(4));
  const pid_t engine = Begin(active, Sleep(4));
  Workflow(Sleep(5));
  BeginAndInterrupt(interrupted, Sleep(5));

  EXPECT_THAT(LocalItemsOf(ended, {"--dry-run"}),
              ElementsAre("processes " + ended + " removable", "processes " + ended + " kept"));
  EXPECT_TRUE(Runs(Sleep(1)) && Runs(Sleep(2)));
  EXPECT_THAT(LocalItemsOf(active, {"--dry-run"}), ElementsAre("processes " + active + " kept"));
  EXPECT_THAT(LocalItemsOf(ended, {"--yes"}),
              ElementsAre("processes " + ended + " removable, removed", "processes " + ended + " kept"));
  EXPECT_FALSE(Runs(Sleep(1)) || Runs(Sleep(2)));
  EXPECT_TRUE(Runs(Sleep(3)) && Runs(Sleep(4)) && Runs(Sleep(5)));
  EXPECT_THAT(LocalItemsOf(interrupted, {"--yes"}), ElementsAre("processes " + interrupted + " kept"));
  EXPECT_TRUE(fs::exists(sandbox_.run_folder(ended) / "jobs/a/1/run.log"));
  EXPECT_THAT(sandbox_.Engine({"gc", "--dry-run"}).out,
              AllOf(HasSubstr("its run is active"), HasSubstr("its run was interrupted: resume or cancel it")));
  ::kill(engine, SIGINT);
  EXPECT_EQ(sandbox_.Wait(engine), 130);
}

TEST_F(GcTest, WhatIgnoresTermIsKilled) {
  const std::string run_id = Id("deaf");
  RunAndLeave(run_id, "trap : TERM; while :; do " + Sleep(1) + "; done");
  Await("what is left", [&] { return Runs(Sleep(1)); });
  EXPECT_THAT(LocalItemsOf(run_id, {"--yes"}), ElementsAre("processes " + run_id + " removable, removed"));
  EXPECT_FALSE(Runs(Sleep(1)));
}

TEST_F(GcTest, ATerminalIsAsked) {
  const std::string run_id = Id("asked");
  RunAndLeave(run_id, Sleep(1) + " & wait");
  Await("what is left", [&] { return Runs(Sleep(1)); });
  const auto answer = [&](const std::string& text, const std::string& more = "") {
    const fs::path engine = fs::read_symlink("/proc/self/exe").parent_path() / "cosmos-engine";
    return sandbox_.Run(
        {"sh", "-c", "echo " + text + " | script -qec '" + engine.string() + " gc" + more + "' /dev/null"});
  };
  EXPECT_THAT(answer("y", " | cat").out, HasSubstr("nothing was removed"));  // nobody would see the question
  EXPECT_TRUE(Runs(Sleep(1)));
  const Ended no = answer("n");
  EXPECT_EQ(no.status, 0);
  EXPECT_THAT(no.out, HasSubstr("remove it? [y/N] "));
  EXPECT_TRUE(Runs(Sleep(1)));
  EXPECT_THAT(answer("y").out, HasSubstr("removed 1 of 1, 0 B freed"));
  EXPECT_FALSE(Runs(Sleep(1)));
}

class RemoteGcTest : public GcTest {
 protected:
  void SetUp() override {
    if (const std::string missing = SshServer::Missing(); !missing.empty()) GTEST_SKIP() << missing;
    host_ = std::make_unique<RemoteHost>();
    Configure();
  }
  void Configure(const std::string& more = "") const {
    sandbox_.Write(kConfig, "targets:\n  gpu1: " + host_->Target(more) + "\n");
  }
  void RemoteWorkflow(const std::string& stage) const {
    sandbox_.Write("w.yaml", "version: 1\nstages: {a: {uses: shell, target: gpu1, with: {run: '" + stage + "'}}}\n");
  }
  // As the account on the host.
  void OnHost(const std::string& command) const {
    std::vector<std::string> words = {"ssh"};
    for (const std::string& word : host_->server().ClientOptions()) words.push_back(word);
    words.insert(words.end(), {host_->account().name() + "@127.0.0.1", command});
    MustRun(words);
  }
  fs::path folder(const std::string& name) const { return host_->workdir() / ".cosmos" / name; }
  bool Exists(const std::string& name) const { return fs::exists(folder(name)); }

  std::unique_ptr<RemoteHost> host_;
};

TEST_F(RemoteGcTest, RemovesWhatEndedRunsLeftAndKeepsAllElse) {
  const std::string ended = Id("ended"), failed = Id("failed"), active = Id("active"), open = Id("open"),
                    foreign = Id("foreign");
  RemoteWorkflow("true");
  Run(ended);
  OnHost("COSMOS_RUN_ID=" + ended + " COSMOS_OUTPUT_DIR=" + folder("jobs/" + ended + "/a/1/out").string() + " setsid " +
         Sleep(1) + " >/dev/null 2>&1 &");
  RemoteWorkflow("exit 3");
  Run(failed, 1);
  RemoteWorkflow(Sleep(2));
  const pid_t engine = Begin(active, Sleep(2));
  RemoteWorkflow(Sleep(3));
  BeginAndInterrupt(open, Sleep(3));
  OnHost("cd work/.cosmos && mkdir -p inputs/abc && echo x >inputs/abc/x");
  const json before = Gc({"--dry-run"});
  EXPECT_THAT(Words(before["items"]), ::testing::Contains("inputs - kept"));
  EXPECT_THAT(before.dump(), AllOf(HasSubstr(" has not ended and may need them"), HasSubstr("its run is active")));
  OnHost("mkdir work/.cosmos/jobs/" + foreign + "\nCOSMOS_RUN_ID=" + foreign + " setsid " + Sleep(4) +
         " >/dev/null 2>&1 &\nsetsid " + Sleep(5) + " >/dev/null 2>&1 &");
  Await("all of it", [&] { return Runs(Sleep(1)) && Runs(Sleep(4)) && Runs(Sleep(5)); });

  const std::vector<std::string> kept = {"folder " + active + " kept",
                                         "processes " + active + " kept",
                                         "folder " + open + " kept",
                                         "processes " + open + " kept",
                                         "folder " + foreign + " kept",
                                         "processes " + foreign + " kept",
                                         "inputs - kept"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), kept.begin(), kept.end());
    return ::testing::UnorderedElementsAreArray(more);
  };
  const json listed = Gc({"--dry-run"});
  EXPECT_THAT(Words(listed["items"]), with({"folder " + ended + " removable", "processes " + ended + " removable",
                                            "folder " + failed + " removable"}));
  EXPECT_TRUE(listed["reachable"].get<bool>());
  for (const json& item : listed["items"]) {
    if (item["kind"] == "folder" && item["run_id"] == ended) {
      EXPECT_EQ(item["name"], folder("jobs/" + ended).string());
      EXPECT_GT(item["size"].get<int>(), 0);
    }
    if (item["run_id"] == foreign) {
      EXPECT_EQ(item["reason"], "not of this database");
    }
    if (item["run_id"] == active) {
      EXPECT_EQ(item["reason"], "its run is active");
    }
  }
  EXPECT_TRUE(Exists("jobs/" + ended) && Exists("jobs/" + failed) && Runs(Sleep(1)));

  EXPECT_THAT(Words(Gc({"--yes"})["items"]),
              with({"folder " + ended + " removable, removed", "processes " + ended + " removable, removed",
                    "folder " + failed + " removable, removed"}));
  EXPECT_FALSE(Exists("jobs/" + ended) || Exists("jobs/" + failed) || Runs(Sleep(1)));
  for (const std::string& run_id : {active, open, foreign}) EXPECT_TRUE(Exists("jobs/" + run_id)) << run_id;
  for (int i : {2, 3, 4, 5}) EXPECT_TRUE(Runs(Sleep(i))) << i;
  EXPECT_TRUE(Exists("inputs/abc/x"));

  // The runs end, each in its way, and the stranger leaves.
  ::kill(engine, SIGINT);
  EXPECT_EQ(sandbox_.Wait(engine), 130);
  EXPECT_EQ(sandbox_.Engine({"cancel", open}).status, 0);
  EXPECT_THAT(Words(Gc({"--dry-run"})["items"]),
              UnorderedElementsAre("folder " + active + " removable", "folder " + open + " removable",
                                   "folder " + foreign + " kept", "processes " + foreign + " kept", "inputs - kept"));
  fs::remove_all(folder("jobs/" + foreign));
  EXPECT_THAT(Words(Gc({"--yes"})["items"]),
              UnorderedElementsAre("folder " + active + " removable, removed", "folder " + open + " removable, removed",
                                   "processes " + foreign + " kept", "inputs - removable, removed"));
  EXPECT_TRUE(fs::is_empty(folder("jobs")) && fs::is_empty(folder("inputs")));
  EXPECT_TRUE(Runs(Sleep(4)) && Runs(Sleep(5)));
  const Ended again = sandbox_.Engine({"gc", "--yes", "--target", "gpu1"});
  EXPECT_EQ(again.status, 0);
  EXPECT_THAT(again.out, HasSubstr("nothing to remove"));
}

TEST_F(RemoteGcTest, FindsTargetsThatOnlyRunsStillKnow) {
  const std::string run_id = Id("old");
  RemoteWorkflow("true");
  Run(run_id);
  sandbox_.Write(kConfig, "targets: {other: {local: }}\n");
  EXPECT_THAT(Words(Gc({"--dry-run", "--target", "gpu1"})["items"]), ElementsAre("folder " + run_id + " removable"));
  // Under another name it is still the same place.
  sandbox_.Write("targets.yaml", "version: 1\ntargets: {gpu7: " + host_->Target() + "}\nstages: {a: {uses: noop}}\n");
  const std::vector<std::string> words = {"--yes", "--target", "gpu1", "--workflow", "targets.yaml"};
  EXPECT_THAT(Words(Gc(words, 0, "gpu7")["items"]), ElementsAre("folder " + run_id + " removable, removed"));
  fs::remove_all(sandbox_.run_folder(run_id));
  const Ended gone = sandbox_.Engine({"gc", "--dry-run", "--target", "gpu1"});
  EXPECT_EQ(gone.status, 2);
  EXPECT_THAT(gone.err, HasSubstr("there is no target 'gpu1', and no run was on one"));
}

TEST_F(RemoteGcTest, AHostThatCannotBeReachedIsLeftOut) {
  const std::string run_id = Id("here");
  RunAndLeave(run_id, Sleep(1) + " & wait");
  Await("what is left", [&] { return Runs(Sleep(1)); });
  host_->proxy().SetRefuse(true);
  const json target = Gc({"--yes"}, 3);
  EXPECT_FALSE(target["reachable"].get<bool>());
  EXPECT_THAT(target["problem"].get<std::string>(), HasSubstr("cannot connect"));
  EXPECT_THAT(target["items"], IsEmpty());
  EXPECT_FALSE(Runs(Sleep(1)));
  const Ended text = sandbox_.Engine({"gc", "--dry-run"});
  EXPECT_EQ(text.status, 3);
  EXPECT_THAT(text.err, HasSubstr("target 'gpu1': left out: cannot connect"));
  EXPECT_EQ(sandbox_.Engine({"gc", "--dry-run", "--target", "local"}).status, 0);
}

TEST_F(RemoteGcTest, SaysWhatCouldNotBeRemoved) {
  const std::string run_id = Id("rooted");
  RemoteWorkflow("true");
  Run(run_id);
  fs::create_directories(folder("jobs/" + run_id + "/of_root"));
  std::ofstream(folder("jobs/" + run_id + "/of_root/x")) << "x";
  const json items = Gc({"--yes"}, 3)["items"];
  EXPECT_THAT(Words(items), ElementsAre("folder " + run_id + " removable"));
  EXPECT_THAT(items[0]["reason"].get<std::string>(),
              AllOf(HasSubstr("could not be removed: "), HasSubstr("Permission denied")));
  const Ended text = sandbox_.Engine({"gc", "--yes"});
  EXPECT_EQ(text.status, 3);
  EXPECT_THAT(text.err, HasSubstr("could not be removed: "));
  EXPECT_THAT(text.out, HasSubstr("removed 0 of 1"));
}

TEST_F(RemoteGcTest, MakesNothingOnAHostThatNoRunWasOn) {
  EXPECT_THAT(Gc({"--yes"})["items"], IsEmpty());
  EXPECT_FALSE(fs::exists(host_->workdir()));
}

class ContainerGcTest : public RemoteGcTest {
 protected:
  void SetUp() override {
    for (const std::string& missing : {SshServer::Missing(), DockerDaemon::Missing()}) {
      if (!missing.empty()) GTEST_SKIP() << missing;
    }
    docker_ = std::make_unique<DockerDaemon>();
    host_ = std::make_unique<RemoteHost>("SetEnv DOCKER_HOST=" + docker_->Host(), docker_->socket());
    Configure(", container: {image: \"cosmos-test:latest\", args: [--network, none]}");
  }
  void Container(const std::string& name, const std::string& run_id, const std::string& command) const {
    std::vector<std::string> words = {"run", "-d", "--network", "none", "--name", name};
    if (!run_id.empty()) words.insert(words.end(), {"--label", "run_id=" + run_id});
    words.insert(words.end(), {"-e", "COSMOS_RUN_ID=" + run_id, "cosmos-test:latest", "sh", "-c", command});
    const Ended ended = docker_->Docker(words);
    ASSERT_EQ(ended.status, 0) << ended.err;
  }

  std::unique_ptr<DockerDaemon> docker_;
};

TEST_F(ContainerGcTest, RemovesContainersOfEndedRunsAndNoOthers) {
  const std::string ended = Id("ended"), active = Id("active"), foreign = Id("foreign");
  RemoteWorkflow("true");
  Run(ended);
  RemoteWorkflow("trap \"exit 1\" TERM; " + Sleep(1) + " & wait");
  const pid_t engine = Begin(active, Sleep(1));
  const std::string runs = "trap exit TERM; while :; do sleep 0.1; done";
  Container("cosmos_" + ended + "_b_1", ended, runs);
  Container("cosmos_" + ended + "_c_1", ended, "true");
  Container("cosmos_" + ended + "_a_1", ended, runs);  // the run's own was another one, and is gone
  Container("cosmos_" + foreign + "_a_1", foreign, runs);
  Container("cosmos_" + ended + "_d_1", "", runs);
  Container("mine", ended, runs);
  Container("cosmos_" + ended + "x_a_1", ended, runs);

  const json listed = Gc({"--dry-run"})["items"];
  EXPECT_THAT(Words(listed),
              UnorderedElementsAre("container " + ended + " removable", "container " + ended + " removable",
                                   "container " + ended + " kept", "container " + active + " kept",
                                   "container " + foreign + " kept", "folder " + ended + " removable",
                                   "folder " + active + " kept", "processes " + active + " kept"));
  EXPECT_EQ(docker_->Containers().size(), 8u);
  std::vector<std::string> names;
  for (const json& item : listed) {
    if (item["kind"] == "container") names.push_back(item["name"]);
  }
  EXPECT_THAT(names,
              ::testing::IsSupersetOf({"cosmos_" + ended + "_b_1 (running)", "cosmos_" + ended + "_c_1 (ended)"}));

  Gc({"--yes"});
  EXPECT_THAT(docker_->Containers(), UnorderedElementsAre("cosmos_" + active + "_a_1", "cosmos_" + ended + "_a_1",
                                                          "cosmos_" + foreign + "_a_1", "cosmos_" + ended + "_d_1",
                                                          "mine", "cosmos_" + ended + "x_a_1"));
  EXPECT_TRUE(Runs(Sleep(1)));
  ::kill(engine, SIGINT);
  EXPECT_EQ(sandbox_.Wait(engine), 130);
}

TEST_F(ContainerGcTest, RemovesThoseOnThisMachineToo) {
  sandbox_.SetEnvironment("DOCKER_HOST=" + docker_->Host());
  sandbox_.Write(kConfig, "targets: {here: {local: , container: {image: \"cosmos-test:latest\"}}}\n");
  const std::string run_id = Id("here");
  Workflow("true");
  Run(run_id);
  Container("cosmos_" + run_id + "_a_1", run_id, "trap exit TERM; while :; do sleep 0.1; done");
  json items = Gc({"--yes"}, 0, "here")["items"];
  items.erase(std::remove_if(items.begin(), items.end(), [&](const json& item) { return item["run_id"] != run_id; }),
              items.end());
  EXPECT_THAT(Words(items), ElementsAre("container " + run_id + " removable, removed"));
  EXPECT_THAT(docker_->Containers(), IsEmpty());
}

TEST_F(ContainerGcTest, AnEngineThatDoesNotAnswerIsToldOf) {
  const std::string run_id = Id("ended");
  RemoteWorkflow("true");
  Run(run_id);
  docker_.reset();
  const json target = Gc({"--yes"}, 3);
  EXPECT_THAT(Words(target["items"]), ElementsAre("folder " + run_id + " removable, removed"));
  EXPECT_THAT(target["problem"].get<std::string>(), HasSubstr("ocker daemon"));
  EXPECT_THAT(target["hint"].get<std::string>(), HasSubstr("cosmos-engine targets check gpu1"));
}

}  // namespace
}  // namespace cosmos::testing
