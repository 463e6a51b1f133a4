// What is found out about runs that failed, and that finding it out changes nothing of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>

#include "support/docker_daemon.h"
#include "support/processes.h"
#include "support/remote_host.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Items = std::map<std::string, json>;  // of a manifest, by name and, behind '@', target

constexpr const char* kSecret = "gold-token-4711";

class DiagnosticsTest : public ::testing::Test {
 protected:
  Ended Run(const std::string& run_id, int status = 1) const {
    const Ended ended = sandbox_.Engine({"run", "w.yaml", "--run-id", run_id});
    EXPECT_EQ(ended.status, status) << ended.out << ended.err;
    return ended;
  }
  fs::path FolderOf(const std::string& run_id) const {
    return sandbox_.outputs() / sandbox_.Show(run_id)["prompt_id"].get<std::string>() / "diagnostics" / run_id;
  }
  Items ItemsOf(const std::string& run_id) const {
    const json manifest = json::parse(sandbox_.Read(FolderOf(run_id) / "manifest.json"), nullptr, false);
    EXPECT_TRUE(manifest.is_object()) << FolderOf(run_id);
    return ItemsIn(manifest);
  }
  static Items ItemsIn(const json& object) {
    Items items;
    for (const json& item : object.value("items", json::array())) {
      const json target = item["target"];
      items[item["name"].get<std::string>() + (target.is_null() ? "" : "@" + target.get<std::string>())] = item;
    }
    return items;
  }
  std::string SummaryOf(const std::string& run_id) const { return sandbox_.Read(FolderOf(run_id) / "summary.md"); }
  // What a run is told to be, without what differs between runs by nature.
  json RecordOf(const std::string& run_id) const {
    std::string text = sandbox_.Show(run_id).dump();
    for (std::size_t at = text.find(run_id); at != text.npos; at = text.find(run_id))
      text.replace(at, run_id.size(), "X");
    json record = json::parse(text);
    for (const char* key : {"started_at", "ended_at", "diagnostics"}) record.erase(key);
    for (json& stage : record["stages"]) {
      if (stage["uses"] == "diagnostics") stage.erase("artifacts");
      for (const char* key : {"started_at", "ended_at", "operation_id", "job", "container"}) stage.erase(key);
    }
    return record;
  }
  std::vector<fs::path> FilesWith(const std::string& words, const fs::path& below) const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(below)) {
      if (entry.is_regular_file() && sandbox_.Read(entry.path()).find(words) != std::string::npos) {
        files.push_back(entry.path());
      }
    }
    return files;
  }

  Sandbox sandbox_;
};

TEST_F(DiagnosticsTest, AFailedRunIsLookedAtAndItsRecordStays) {
  const std::string stages =
      "stages:\n  ok: {uses: shell, with: {run: 'echo fine'}}\n"
      "  bad: {uses: shell, needs: ok, with: {run: 'echo before; exit 7'}}\n";
  sandbox_.Write("w.yaml", "version: 1\nname: w\ndiagnostics: false\n" + stages);
  EXPECT_THAT(Run("rs_without").out, Not(HasSubstr("summary.md")));
  EXPECT_FALSE(fs::exists(FolderOf("rs_without") / "summary.md"));
  EXPECT_TRUE(sandbox_.Show("rs_without")["diagnostics"].is_null());
  sandbox_.Write("w.yaml", "version: 1\nname: w\n" + stages);
  const Ended ended = Run("rs_with");
  const fs::path folder = FolderOf("rs_with");
  EXPECT_THAT(ended.out,
              HasSubstr("why it failed      " + fs::relative(folder, sandbox_.folder()).string() + "/summary.md"));
  EXPECT_EQ(RecordOf("rs_with"), RecordOf("rs_without"));
  EXPECT_EQ(sandbox_.Show("rs_with")["diagnostics"], folder.string());
  EXPECT_THAT(sandbox_.Engine({"show", "rs_with"}).out,
              HasSubstr("diagnosis " + fs::relative(folder, sandbox_.folder()).string()));
  for (const json& event : sandbox_.Journal("rs_with")) EXPECT_NE(event.value("stage", ""), "diagnostics");
  EXPECT_EQ(sandbox_.Journal("rs_with").back()["type"], "run_finished");
  EXPECT_THAT(SummaryOf("rs_with"), AllOf(HasSubstr("# Run rs_with failed: exit_code\n"),
                                          HasSubstr("stage 'bad' failed: the job exited with"), HasSubstr("\nbefore\n"),
                                          HasSubstr("`cosmos-engine retry rs_with`"),
                                          HasSubstr("(bad.attempt-1.host.txt): kept when the job failed")));
  for (const auto& [name, item] : ItemsOf("rs_with")) {
    if (item["target"].is_null()) {
      EXPECT_NE(item["status"], "failed") << item;
    }
  }
}

TEST_F(DiagnosticsTest, WhatSucceedsOrNeverBeginsIsNotLookedAt) {
  sandbox_.Write("w.yaml", "version: 1\nstages: {a: {uses: shell, with: {run: 'true'}}}\n");
  Run("rs_good", 0);
  EXPECT_FALSE(fs::exists(FolderOf("rs_good")));
  sandbox_.Write("w.yaml", "version: 1\nstages: {a: {uses: shell, with: {run: [5]}}}\n");
  Run("rs_wrong", 2);
  EXPECT_FALSE(fs::exists(sandbox_.outputs() / ".runs/rs_wrong"));
}

TEST_F(DiagnosticsTest, ARetryThatFailsAgainIsLookedAtAnew) {
  sandbox_.Write("w.yaml", "version: 1\nstages: {a: {uses: shell, with: {run: 'echo try $COSMOS_ATTEMPT; exit 1'}}}\n");
  Run("rs_test");
  EXPECT_EQ(sandbox_.Engine({"retry", "rs_test"}).status, 1);
  EXPECT_THAT(SummaryOf("rs_test"), AllOf(HasSubstr("stage `a`, attempt 2"), HasSubstr("\ntry 2\n")));
  EXPECT_FALSE(fs::exists(FolderOf("rs_test") / "a.attempt-1.log.txt"));
}

TEST_F(DiagnosticsTest, AnInterruptedRunIsCalledSoWithWhatToDo) {
  sandbox_.Write(
      "w.yaml",
      "version: 1\nstages: {a: {uses: shell, with: {run: ': >begun; until test -e go; do sleep 0.02; done'}}}\n");
  const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_test"});
  Await("the job", [&] { return fs::exists(sandbox_.folder() / "begun"); });
  ::kill(engine, SIGKILL);
  sandbox_.Wait(engine);
  EXPECT_EQ(sandbox_.Engine({"diagnostics", "rs_test"}).status, 0);
  EXPECT_THAT(SummaryOf("rs_test"),
              AllOf(HasSubstr("# Run rs_test was interrupted\n"), HasSubstr("`cosmos-engine resume rs_test`"),
                    HasSubstr("`cosmos-engine cancel rs_test`"), HasSubstr("`cosmos-engine targets check local`")));
  sandbox_.Write("go", "");
}

TEST_F(DiagnosticsTest, TheAdviceAboutMemoryIsForTheStage) {
  sandbox_.Write(
      "w.yaml",
      "version: 1\nstages: {a: {uses: shell, with: {run: 'echo RuntimeError: CUDA out of memory; exit 1'}}}\n");
  const Ended ended = Run("rs_test");
  EXPECT_EQ(sandbox_.Show("rs_test")["failure_kind"], "cuda_oom");
  EXPECT_THAT(ended.err, AllOf(HasSubstr("give the stage less to do"), Not(HasSubstr("on_oom"))));
  EXPECT_THAT(SummaryOf("rs_test"), Not(HasSubstr("on_oom")));
}

TEST_F(DiagnosticsTest, AHandlerThatTheUserWroteTakesItsPlace) {
  sandbox_.Write("w.yaml",
                 "version: 1\nstages: {a: {uses: shell, with: {run: 'exit 1'}}}\n"
                 "on_failure: [{uses: diagnostics, with: {time_limit: 5s}}]\n");
  Run("rs_test");
  const json run = sandbox_.Show("rs_test");
  EXPECT_EQ(run["failure_kind"], "exit_code");
  ASSERT_EQ(run["stages"].size(), 2u);
  EXPECT_EQ(run["stages"][1]["status"], "succeeded") << run["stages"][1];
  EXPECT_EQ(run["stages"][1]["outputs"]["folder"], FolderOf("rs_test").string());
  EXPECT_EQ(json::parse(sandbox_.Read(FolderOf("rs_test") / "manifest.json"))["time_limit"], 5);
  EXPECT_THAT(SummaryOf("rs_test"), HasSubstr("is running"));  // as a handler it is a part of the run
}

TEST_F(DiagnosticsTest, ADiagnosisThatCannotBeWrittenChangesNothing) {
  sandbox_.Write("w.yaml", "version: 1\nstages: {a: {uses: shell, with: {run: 'exit 7'}}}\n");
  Run("rs_first");
  const fs::path folder = FolderOf("rs_first").parent_path();
  fs::remove_all(folder);
  std::ofstream(folder) << "a file in its place";
  const Ended ended = Run("rs_test");
  EXPECT_THAT(ended.out, Not(HasSubstr("summary.md")));
  EXPECT_THAT(ended.err, AllOf(HasSubstr("the failed run could not be diagnosed: "), HasSubstr("Not a directory")));
  EXPECT_THAT(sandbox_.Show("rs_test")["error_message"].get<std::string>(), HasSubstr("status 7"));
  EXPECT_THAT(sandbox_.Read(sandbox_.run_folder("rs_test") / "engine.log"), HasSubstr("could not be diagnosed"));
  const Ended asked = sandbox_.Engine({"diagnostics", "rs_test"});
  EXPECT_EQ(asked.status, 3);
  EXPECT_THAT(asked.err, AllOf(HasSubstr("could not be diagnosed"), HasSubstr("Not a directory")));
}

TEST_F(DiagnosticsTest, TheCommandTellsOfRunsThatThereAreNot) {
  EXPECT_EQ(sandbox_.Engine({"diagnostics", "rs_none"}).status, 2);
  EXPECT_EQ(sandbox_.Engine({"diagnostics"}).status, 2);
  EXPECT_EQ(sandbox_.Engine({"diagnostics", "--help"}).status, 0);
}

TEST_F(DiagnosticsTest, SecretsStandNowhereAlsoWhenTheyAreNotThereAnyMore) {
  sandbox_.Write(
      "w.yaml",
      "version: 1\nsecrets: {access: {file: secret.txt}}\n"
      "stages: {a: {uses: shell, env: {ACCESS: '${{ secrets.access }}'}, with: {run: 'echo $ACCESS; exit 1'}}}\n");
  sandbox_.Write("secret.txt", std::string(kSecret) + "\n");
  sandbox_.SetEnvironment(std::string("INNOCENT=x") + kSecret + "y");
  Run("rs_test");
  EXPECT_THAT(FilesWith(kSecret, sandbox_.outputs()), IsEmpty());
  EXPECT_THAT(sandbox_.Read(FolderOf("rs_test") / "local.environment.txt"), HasSubstr("INNOCENT=x***y\n"));
  fs::remove(sandbox_.folder() / "secret.txt");
  ExpectSuccess(sandbox_.Engine({"diagnostics", "rs_test"}));
  EXPECT_THAT(FilesWith(kSecret, sandbox_.outputs()), IsEmpty());
  EXPECT_THAT(sandbox_.Read(FolderOf("rs_test") / "local.environment.txt"), HasSubstr("INNOCENT=(not shown)\n"));
}

TEST_F(DiagnosticsTest, WhereTheRunsFolderIsGoneItsRecordStillTells) {
  sandbox_.Write("w.yaml", "version: 1\nstages: {a: {uses: shell, with: {run: 'exit 1'}}}\n");
  Run("rs_test");
  fs::remove_all(sandbox_.run_folder("rs_test"));
  const Ended ended = sandbox_.Engine({"diagnostics", "rs_test"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("workflow: the run's folder does not tell it any more"));
  EXPECT_EQ(ItemsOf("rs_test").at("system@local")["status"], "collected");
}

class RemoteDiagnosticsTest : public DiagnosticsTest {
 protected:
  void SetUp() override {
    for (const std::string& missing : {SshServer::Missing(), DockerDaemon::Missing()}) {
      if (!missing.empty()) GTEST_SKIP() << missing;
    }
    programs_ = MakeFolder("/tmp", "diagnostics");
    docker_ = std::make_unique<DockerDaemon>();
    host_ = std::make_unique<RemoteHost>("SetEnv DOCKER_HOST=" + docker_->Host() + " PATH=" + programs_.string() +
                                             ":/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
                                         docker_->socket());
    // As on a host with a GPU, whose kernel lets itself be read.
    Program("nvidia-smi", "case $1 in --query-gpu*) echo '0, H100, GPU-a, 45, 0, 10, 81559, 0' ;; esac");
    Program("dmesg", "echo '[ 1.0] Linux'; echo \"[ $(cut -d ' ' -f 1 /proc/uptime)] NVRM: Xid (PCI:0000:01): 79\"");
  }
  void TearDown() override {
    if (!programs_.empty()) fs::remove_all(programs_);
  }
  // Of the host, before all others.
  void Program(const std::string& name, const std::string& body) const {
    const fs::path path = programs_ / name;
    std::ofstream(path) << "#!/bin/sh\n" + body + "\n";
    fs::permissions(path, fs::perms(0755));
  }
  void Workflow(const std::string& rest) const {
    sandbox_.Write("w.yaml",
                   host_->Workflow(rest, ", container: {image: \"cosmos-test:latest\", args: [--network, none]}"));
  }

  fs::path programs_;
  std::unique_ptr<DockerDaemon> docker_;
  std::unique_ptr<RemoteHost> host_;
};

TEST_F(RemoteDiagnosticsTest, AContainerOnAHostThatFailed) {
  sandbox_.SetEnvironment(std::string("MY_TOKEN=") + kSecret);
  Workflow(
      "secrets: {token: {env: MY_TOKEN}}\n"
      "stages: {a: {uses: shell, target: gpu1, env: {WORD: '${{ secrets.token }}'}, with: {run: 'echo the $WORD; exit "
      "3'}}}\n");
  Run("rs_test");
  const json run = sandbox_.Show("rs_test");
  EXPECT_EQ(run["failure_kind"], "exit_code");
  EXPECT_EQ(run["stages"].size(), 1u);
  EXPECT_EQ(sandbox_.Read("outputs/a/logs/run_rs_test.log"), "the ***\n");
  Items items = ItemsOf("rs_test");
  for (const char* name :
       {"gpu@gpu1", "kernel@gpu1", "system@gpu1", "environment@gpu1", "versions@gpu1", "containers@gpu1",
        "job folder a@gpu1", "job environment a@gpu1", "log a", "commands", "run", "workflow"}) {
    EXPECT_EQ(items[name].value("status", ""), "collected") << name << items[name];
  }
  EXPECT_EQ(items["container a@gpu1"].value("status", ""), "skipped") << items["container a@gpu1"];
  const fs::path folder = FolderOf("rs_test");
  EXPECT_THAT(sandbox_.Read(folder / "commands.txt"),
              AllOf(HasSubstr(" gpu1 submit ok - "), HasSubstr(" gpu1 wait "), HasSubstr("inspect")));
  EXPECT_THAT(SummaryOf("rs_test"), AllOf(HasSubstr("NVRM: Xid"), HasSubstr("(a.attempt-1.container.json)")));
  EXPECT_THAT(FilesWith(kSecret, sandbox_.outputs()), IsEmpty());
  EXPECT_THAT(FilesWith(sandbox_.Read(host_->server().identity()), sandbox_.outputs()), IsEmpty());
  EXPECT_THAT(docker_->Containers(), IsEmpty());
  host_->ExpectNothingLeft();
}

TEST_F(RemoteDiagnosticsTest, ARunThatGoesOnIsLookedAtWithItsContainer) {
  sandbox_.SetEnvironment(std::string("MY_TOKEN=") + kSecret);
  Workflow(
      "secrets: {token: {env: MY_TOKEN}}\n"
      "stages: {a: {uses: shell, target: gpu1, env: {WORD: '${{ secrets.token }}'}, with: {run: 'echo the $WORD; while "
      "! test -e done; do sleep 0.1; done'}}}\n");
  const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_test"});
  Await("log of the container", [&] {
    const std::string log = sandbox_.Read(host_->job("rs_test", "a") / "run.log");
    return log.find(kSecret) != log.npos && sandbox_.Show("rs_test")["stages"][0]["status"] == "running";
  });
  const json found = sandbox_.EngineJson({"diagnostics", "rs_test"});
  EXPECT_TRUE(found["problem"].is_null());
  Items items = ItemsIn(found);
  for (const char* name : {"container a@gpu1", "container log a@gpu1", "containers@gpu1", "job folder a@gpu1"}) {
    EXPECT_EQ(items[name].value("status", ""), "collected") << name << items[name];
  }
  EXPECT_THAT(FilesWith("the ***", FolderOf("rs_test")), Not(IsEmpty()));
  EXPECT_THAT(SummaryOf("rs_test"), HasSubstr("# Run rs_test is running"));
  EXPECT_EQ(sandbox_.Show("rs_test")["status"], "running");
  std::ofstream(host_->workdir() / "done") << "";
  EXPECT_EQ(sandbox_.Wait(engine), 0) << sandbox_.Read("engine.out");
  EXPECT_THAT(FilesWith(kSecret, sandbox_.outputs()), IsEmpty());
}

// Every program that a collector asks fails, hangs and prints garbage in turn.
TEST_F(RemoteDiagnosticsTest, WhateverAProgramDoesOnlyItsItemSuffers) {
  constexpr double kAll = 30;
  Workflow(
      "stages: {a: {uses: shell, target: gpu1, with: {run: 'echo before; exit 7'}}}\n"
      "on_failure: [{uses: diagnostics, with: {time_limit: 3s, total_time_limit: " +
      std::to_string(static_cast<int>(kAll)) + "s}}]\n");
  Run("rs_good");
  const json expected = RecordOf("rs_good");
  for (const auto& [name, item] : ItemsOf("rs_good")) EXPECT_NE(item["status"], "failed") << item;
  const std::map<std::string, std::string> modes = {{"fails", "echo 'it cannot be' >&2; exit 9"},
                                                    {"hangs", "exec sleep 1000"},
                                                    {"garbage", "head -c 300000 /dev/urandom; printf '\\0\\377\\n'"}};
  // The engine needs docker and ls for its own work, so only what a collector alone asks is met.
  const std::map<std::string, std::pair<std::string, std::string>> programs = {
      {"nvidia-smi", {"gpu@gpu1", ""}},
      {"dmesg", {"kernel@gpu1", ""}},
      {"df", {"system@gpu1", "[ \"$1\" = -P ] || exec /usr/bin/df \"$@\"\n"}},
      {"env", {"environment@gpu1", ""}},
      {"docker", {"containers@gpu1", "[ \"$1 $2 $3\" = 'ps -a --no-trunc' ] || exec /usr/bin/docker \"$@\"\n"}},
      {"ls", {"job folder a@gpu1", "[ \"$1\" = -laR ] || exec /usr/bin/ls \"$@\"\n"}},
      {"sed", {"job environment a@gpu1", "[ \"$1\" = -n ] || exec /usr/bin/sed \"$@\"\n"}},
      {"uname", {"versions@gpu1", ""}}};
  for (const char* name : {"sudo", "journalctl"}) Program(name, "exit 1");
  for (const auto& [mode, body] : modes) {
    for (const auto& [program, met] : programs) {
      SCOPED_TRACE(program + " " + mode);
      const std::string before = sandbox_.Read(programs_ / program);
      Program(program, met.second + body);
      const std::string run_id = "rs_" + program + "_" + mode;
      Run(run_id);
      json record = RecordOf(run_id);
      EXPECT_EQ(record, expected);
      Items items = ItemsOf(run_id);
      const json manifest = json::parse(sandbox_.Read(FolderOf(run_id) / "manifest.json"));
      EXPECT_LT(manifest["duration"].get<double>(), kAll + 5);
      EXPECT_EQ(items[met.first].value("status", ""), "failed") << items[met.first];
      EXPECT_THAT(items[met.first].value("reason", ""), Not(IsEmpty()));
      for (const auto& [name, item] : items) {
        if (name != met.first) {
          EXPECT_NE(item["status"], "failed") << item;
        }
      }
      EXPECT_EQ(sandbox_.Read("outputs/a/logs/run_" + run_id + ".log"), "before\n");
      fs::remove(programs_ / program);
      if (!before.empty()) Program(program, before.substr(before.find('\n') + 1));
    }
  }
  host_->ExpectNothingLeft();
}

TEST_F(RemoteDiagnosticsTest, AFullDiskOfTheHostIsToldAsOne) {
  const std::string workdir = host_->workdir().string();
  MustRun({"mkdir", workdir});
  MustRun({"mount", "-t", "tmpfs", "-o", "size=64k,mode=755,uid=" + std::to_string(host_->account().uid()), "tmpfs",
           workdir});
  RunProgram({"dd", "if=/dev/zero", "of=" + workdir + "/full", "bs=4k"});
  Workflow("stages: {a: {uses: shell, target: gpu1, with: {run: 'true'}}}\n");
  sandbox_.Engine({"run", "w.yaml", "--run-id", "rs_test", "--no-preflight"});
  RunProgram({"umount", "-l", workdir});
  const json run = sandbox_.Show("rs_test");
  EXPECT_EQ(run["failure_kind"], "disk_full") << run["error_message"];
  EXPECT_THAT(run["error_message"].get<std::string>(),
              AllOf(HasSubstr("target 'gpu1': "), HasSubstr("No space left on device"), HasSubstr("cosmos-engine gc")));
  EXPECT_THAT(SummaryOf("rs_test"), AllOf(HasSubstr("# Run rs_test failed: disk_full"),
                                          HasSubstr("100% of the disk of 'gpu1' at `" + workdir + "`")));
  EXPECT_THAT(sandbox_.Read(FolderOf("rs_test") / "commands.txt"), HasSubstr("submit error"));
}

TEST_F(RemoteDiagnosticsTest, AHostThatIsGoneIsNotWaitedFor) {
  Workflow("stages: {a: {uses: shell, target: gpu1, with: {run: 'exit 7'}}}\n");
  Run("rs_test");
  const json before = RecordOf("rs_test");
  host_->server().Stop();
  json found = sandbox_.EngineJson({"diagnostics", "rs_test"});
  EXPECT_LT(found["duration"].get<double>(), 60);
  Items items = ItemsIn(found);
  EXPECT_EQ(items["gpu@gpu1"].value("status", ""), "failed");
  EXPECT_EQ(items["log a"].value("status", ""), "skipped");  // it is empty
  EXPECT_EQ(items["workflow"].value("status", ""), "collected");
  EXPECT_EQ(RecordOf("rs_test"), before);
  host_->server().Start();
  host_->proxy().SetBlackHole(true);  // it accepts, and says nothing
  found = sandbox_.EngineJson({"diagnostics", "rs_test"});
  EXPECT_LT(found["duration"].get<double>(), 60 + 10);
  EXPECT_EQ(ItemsIn(found)["gpu@gpu1"].value("status", ""), "failed");
  EXPECT_THAT(SummaryOf("rs_test"), HasSubstr("GPUs and what uses them (target `gpu1`): failed: "));
}

}  // namespace
}  // namespace cosmos::testing
