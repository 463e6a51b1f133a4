// `targets`: what is listed, and what `check` finds wrong with hosts that are wrong in one way each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
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
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kConfig = "config/cosmos-engine/config.yaml";

class TargetsTest : public ::testing::Test {
 protected:
  Sandbox sandbox_;
};

TEST_F(TargetsTest, ListsThisMachineThoseOfTheConfigurationAndOfAWorkflow) {
  const json nothing = sandbox_.EngineJson({"targets"})["targets"];
  ASSERT_EQ(nothing.size(), 1u);
  EXPECT_EQ(nothing[0], json::parse(R"({"name": "local", "kind": "local", "host": null, "workdir": ".", "gpus": null,
                                        "container": null, "where": null})"));
  sandbox_.Write(kConfig,
                 "targets:\n"
                 "  gpu1: {ssh: {host: gpu.example.com, user: ubuntu, port: 2222}, workdir: /data, gpus: 2,\n"
                 "         container: {image: 'cosmos:1'}}\n"
                 "  gpu2: {ssh: studio}\n");
  sandbox_.Write("w.yaml", "version: 1\ntargets: {gpu2: {local: , gpus: 1}}\nstages: {a: {uses: noop}}\n");
  const json all = sandbox_.EngineJson({"targets", "--workflow", "w.yaml"})["targets"];
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0]["host"], "ubuntu@gpu.example.com:2222");
  EXPECT_EQ(all[0]["workdir"], "/data");
  EXPECT_EQ(all[0]["gpus"], 2);
  EXPECT_EQ(all[0]["container"], "cosmos:1");
  EXPECT_EQ(all[1]["kind"], "local");
  EXPECT_EQ(all[1]["where"], "w.yaml:2:11");
  const json configured = sandbox_.EngineJson({"targets"})["targets"];
  EXPECT_EQ(configured[1]["host"], "studio");
  EXPECT_EQ(configured[1]["workdir"], "~/cosmos-engine");
  EXPECT_EQ(configured[1]["where"], (sandbox_.folder() / kConfig).string() + ":4:3");
  const std::string text = sandbox_.Engine({"targets"}).out;
  EXPECT_THAT(text, StartsWith("TARGET  KIND   HOST                         WORKDIR"));
  EXPECT_THAT(text, HasSubstr("gpu1    ssh    ubuntu@gpu.example.com:2222  /data            2     cosmos:1"));
  EXPECT_THAT(text, HasSubstr("always there"));
}

// As an account whose home is where `ssh` itself looks.
TEST_F(TargetsTest, AHostOfTheAccountsOwnSshConfigIsReached) {
  if (const std::string missing = SshServer::Missing(); !missing.empty()) GTEST_SKIP() << missing;
  RemoteHost host;
  const fs::path home = host.account().home();
  const std::string& name = host.account().name();
  MustRun({"install", "-d", "-m", "0700", "-o", name, home / ".ssh"});
  MustRun({"install", "-m", "0600", "-o", name, host.server().identity(), home / ".ssh/farm_key"});
  MustRun({"install", "-m", "0600", "-o", name, host.server().known_hosts(), home / ".ssh/known_hosts"});
  sandbox_.Write("config", "Match originalhost farm\n  HostName 127.0.0.1\n  Port " +
                               std::to_string(host.server().port()) + "\n  User " + name +
                               "\n  IdentityFile ~/.ssh/%n_key\n");
  MustRun({"install", "-m", "0600", "-o", name, sandbox_.folder() / "config", home / ".ssh/config"});
  sandbox_.Write("config.yaml", "targets: {gpu1: {ssh: farm}}\n");
  MustRun({"install", "-D", "-m", "0644", "-o", name, sandbox_.folder() / "config.yaml",
           home / ".config/cosmos-engine/config.yaml"});
  const Ended checked = sandbox_.Run({"runuser", "-l", name, "-c", sandbox_.program() + " targets check gpu1"});
  EXPECT_THAT(checked.out, HasSubstr("logged in as " + name)) << checked.err;
}

TEST_F(TargetsTest, RefusesWhatIsWrong) {
  sandbox_.Write(kConfig, "targets: {gpu1: {ssh: a}}\n");
  const Ended unknown = sandbox_.Engine({"targets", "check", "gpu2"});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_THAT(unknown.err, AllOf(HasSubstr("there is no target 'gpu2'"), HasSubstr("did you mean 'gpu1'?")));
  EXPECT_THAT(sandbox_.Engine({"targets", "check"}).err, HasSubstr("NAME is missing"));
  EXPECT_THAT(sandbox_.Engine({"targets", "chekc"}).err, HasSubstr("did you mean 'check'?"));
  EXPECT_THAT(sandbox_.Engine({"targets", "-p", "x=1"}).err, HasSubstr("add --workflow FILE"));
  EXPECT_THAT(sandbox_.Engine({"targets", "--workflow", "none.yaml"}).err, HasSubstr("the workflow cannot be read"));
  sandbox_.Write(kConfig, "targets: {gpu1: {shh: a}}\n");
  const Ended wrong = sandbox_.Engine({"targets"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.err, HasSubstr("config.yaml:1:18: unknown key 'shh' in target 'gpu1'; did you mean 'ssh'?"));
}

TEST_F(TargetsTest, ChecksThisMachine) {
  fs::create_directories(sandbox_.folder() / "bin");
  sandbox_.SetEnvironment("PATH=" + (sandbox_.folder() / "bin").string() + ":" + ::getenv("PATH"));
  sandbox_.Write(kConfig, "targets: {here: {local: , workdir: made/here}, no: {local: , workdir: bin/tool/no}}\n");
  const json checks = sandbox_.EngineJson({"targets", "check", "here"})["checks"];
  EXPECT_EQ(checks[0]["message"], "this machine, as root");
  EXPECT_EQ(checks[1]["name"], "workdir");
  EXPECT_EQ(checks[1]["message"],
            (sandbox_.folder() / "made/here").string() + " does not exist yet; the first job creates it");
  EXPECT_FALSE(fs::exists(sandbox_.folder() / "made"));
  sandbox_.Write("bin/tool", "");
  const Ended no = sandbox_.Engine({"targets", "check", "no"});
  EXPECT_EQ(no.status, 3);
  EXPECT_THAT(no.out, AllOf(HasSubstr("failed  workdir     cannot write into"), HasSubstr("bin/tool: Not a directory"),
                            HasSubstr("target 'no' cannot be used: 1 check failed")));
}

// A host with a folder of programs that stand before all others in its PATH.
class TargetCheckTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = SshServer::Missing(); !missing.empty()) GTEST_SKIP() << missing;
    fs::permissions(sandbox_.folder(), fs::perms(0755));  // the account's commands pass through it
    fs::create_directories(bin());
    Start(bin().string() + ":/usr/local/bin:/usr/bin:/bin");
  }
  fs::path bin() const { return sandbox_.folder() / "bin"; }
  void Start(const std::string& path, const std::string& more = "", const fs::path& docker_socket = {}) {
    host_.reset();
    host_ = std::make_unique<RemoteHost>("SetEnv PATH=" + path + more, docker_socket);
  }
  // A program on the host, by its script.
  void Program(const std::string& name, const std::string& script) const {
    sandbox_.Write("bin/" + name, "#!/bin/sh\n" + script + "\n");
    fs::permissions(bin() / name, fs::perms(0755));
  }
  void Nvidia(int gpus) const {
    std::string script;
    for (int i = 0; i < gpus; ++i) {
      script += "echo 'GPU " + std::to_string(i) + ": NVIDIA H100 80GB HBM3 (UUID: GPU-" + std::to_string(i) + ")'\n";
    }
    Program("nvidia-smi", script);
  }

  // Checks the target with this more of it, and keeps what was found.
  void Check(int status, const std::string& more = "") { CheckTarget(status, host_->Target(more)); }
  void CheckTarget(int status, const std::string& target) {
    sandbox_.Write(kConfig, "targets:\n  gpu1: " + target + "\n");
    const Ended ended = sandbox_.Engine({"targets", "check", "gpu1", "--format", "json"});
    EXPECT_EQ(ended.status, status) << ended.out << ended.err;
    report_ = json::parse(ended.out);
    EXPECT_EQ(report_["target"], "gpu1");
    EXPECT_EQ(report_["ok"], status == 0);
  }
  void Expect(const std::string& name, const std::string& result, const std::string& message,
              const std::string& hint = "") const {
    for (const json& check : report_["checks"]) {
      if (check["name"] != name) continue;
      EXPECT_EQ(check["result"], result) << check;
      EXPECT_THAT(check["message"].get<std::string>(), HasSubstr(message));
      EXPECT_THAT(check["hint"].get<std::string>(), HasSubstr(hint));
      return;
    }
    ADD_FAILURE() << "there is no check " << name << " in " << report_;
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const json& check : report_["checks"]) names.push_back(check["name"]);
    return names;
  }

  Sandbox sandbox_;
  std::unique_ptr<RemoteHost> host_;
  json report_;
};

TEST_F(TargetCheckTest, FindsAGoodHostGoodAndLeavesNothingThere) {
  Nvidia(2);
  Check(0, ", gpus: 2");
  EXPECT_THAT(Names(), ElementsAre("connection", "host_key", "clock", "workdir", "disk", "tools", "gpus", "container"));
  Expect("connection", "ok", ", logged in as " + host_->account().name());
  Expect("host_key", "ok", host_->server().host_key_fingerprint());
  Expect("clock", "ok", " s or less off");
  Expect("workdir", "ok", host_->workdir().string() + " does not exist yet");
  Expect("tools", "ok", "");
  Expect("gpus", "ok", "2 × NVIDIA H100 80GB HBM3");
  EXPECT_FALSE(fs::exists(host_->workdir()));
  EXPECT_EQ(host_->server().LoginCount(), 1);
  Await("end of the connection", [&] { return host_->server().Connections() == 0; });
  const Ended text = sandbox_.Engine({"targets", "check", "gpu1"});
  EXPECT_THAT(text.out, HasSubstr("ok      gpus        2 × NVIDIA H100 80GB HBM3\n"));
  EXPECT_THAT(text.out, HasSubstr("target 'gpu1' can be used\n"));
}

TEST_F(TargetCheckTest, AHostThatDoesNotAnswer) {
  host_->proxy().SetRefuse(true);
  Check(3);
  EXPECT_THAT(Names(), ElementsAre("connection"));
  Expect("connection", "failed", "cannot connect to " + host_->account().name() + "@127.0.0.1:", "the host is up");
  EXPECT_THAT(sandbox_.Engine({"targets", "check", "gpu1"}).out, HasSubstr("cannot be used: 1 check failed"));
}

TEST_F(TargetCheckTest, AnUnknownAndAnotherHostKey) {
  host_->server().NewHostKey();
  Check(3);
  EXPECT_THAT(Names(), ElementsAre("connection"));
  Expect("connection", "failed", host_->server().host_key_fingerprint(), "ssh-keygen -R");
  fs::resize_file(host_->server().known_hosts(), 0);
  Check(3);
  Expect("connection", "failed", "is not known", "ssh-keyscan -p ");
}

TEST_F(TargetCheckTest, AUserWhoIsNotLetIn) {
  std::string target = host_->Target();
  const std::string user = "user: " + host_->account().name();
  target.replace(target.find(user), user.size(), "user: nobody_of_that_name");
  CheckTarget(3, target);
  Expect("connection", "failed", "refuses the login nobody_of_that_name@127.0.0.1", "identity:");
}

TEST_F(TargetCheckTest, AWorkingFolderThatCannotBeMadeOrWrittenTo) {
  const auto with_workdir = [&](const std::string& workdir) {
    std::string target = host_->Target();
    return target.replace(target.find("workdir: "), target.npos, "workdir: " + workdir + "}");
  };
  CheckTarget(3, with_workdir("/root/mine"));
  Expect("workdir", "failed", "Permission denied", "correct `workdir:`");
  EXPECT_THAT(Names(), ElementsAre("connection", "host_key", "workdir", "clock", "tools", "gpus", "container"));
  const fs::path of_root = sandbox_.folder() / "of_root";
  fs::create_directories(of_root);
  CheckTarget(3, with_workdir(of_root));
  Expect("workdir", "failed", "cannot write into " + of_root.string(), "a folder of " + host_->account().name());
  EXPECT_TRUE(fs::is_empty(of_root));
}

TEST_F(TargetCheckTest, GpusThatAreNotWhatTheTargetSays) {
  Check(0);
  Expect("gpus", "warning", "there is no nvidia-smi");
  Check(3, ", gpus: 1");
  Expect("gpus", "failed", "there is no nvidia-smi, expected 1 (`gpus:`)", "driver");
  Nvidia(2);
  Check(3, ", gpus: 4");
  Expect("gpus", "failed", "2 × NVIDIA H100 80GB HBM3, expected 4", "`gpus:`");
  Check(0, ", gpus: 1");
  Expect("gpus", "warning", "expected 1", "write `gpus: 2`");
  Program("nvidia-smi", "echo 'NVIDIA-SMI has failed because it could not communicate with the driver'; exit 9");
  Check(3, ", gpus: 1");
  Expect("gpus", "failed", "NVIDIA-SMI has failed because", "driver");
}

TEST_F(TargetCheckTest, AClockThatIsWrongAndADiskThatIsFull) {
  Program("date", "echo $(($(/bin/date +%s) - 7200)).$(/bin/date +%N)");
  Program("stat", "if [ \"$1\" = -f ]; then echo '3000000 4096'; else /usr/bin/stat \"$@\"; fi");
  Check(0);
  Expect("clock", "warning", "s behind this machine's, expected at most 2 s", "set-ntp");
  Expect("disk", "warning", "12.3 GB free in " + host_->workdir().string() + ", expected at least 20 GB", "gc");
}

TEST_F(TargetCheckTest, ToolsThatAreMissing) {
  for (const char* tool : {"bash", "sh", "cat", "chmod", "cut", "date", "head", "id", "ln", "mkdir", "mv", "rm",
                           "sleep", "stat", "tail", "tee", "timeout", "sha256sum"}) {
    fs::create_symlink(fs::path("/bin") / tool, bin() / tool);
  }
  Start(bin());
  Check(3, ", container: {image: x}");
  Expect("tools", "failed", "missing: setsid; jobs", "util-linux");
  Expect("container", "failed", "docker", "install docker there");
  Expect("image", "info", "x cannot be looked for");
  Check(3, ", container: {image: x, engine: podman, sudo: true}");
  Expect("container", "failed", "`sudo podman version` fails", "install sudo there");
  fs::remove(bin() / "timeout");
  Check(3);
  EXPECT_THAT(Names(), ElementsAre("connection", "host_key", "tools"));
  Expect("tools", "failed", "timeout", "GNU coreutils");
}

TEST_F(TargetCheckTest, AnEngineThatMayNotBeCalled) {
  Program("sudo", "echo 'sudo: a password is required' >&2; exit 1");
  Program("docker", "echo; echo 'Cannot connect to the Docker daemon at unix:///x. Is it running?' >&2; exit 1");
  Check(3, ", container: {image: x, sudo: true}");
  Expect("container", "failed", "`sudo docker version` fails: sudo: a password is required", "NOPASSWD");
  Check(3, ", container: {image: x}");
  Expect("container", "failed", "Cannot connect to the Docker daemon", "systemctl start docker");
  Check(0);
  Expect("container", "info", "none can be used, and the target has no `container:`");
}

TEST_F(TargetCheckTest, ARealContainerEngine) {
  if (const std::string missing = DockerDaemon::Missing(); !missing.empty()) GTEST_SKIP() << missing;
  const DockerDaemon docker;
  Start(bin().string() + ":/usr/local/bin:/usr/bin:/bin", " DOCKER_HOST=" + docker.Host());
  fs::permissions(docker.socket(), fs::perms(0660));
  Check(3, ", container: {image: 'cosmos-test:latest'}");
  Expect("container", "failed", "ermission denied", "group `docker`");
  docker.OpenToAll();
  Check(0, ", container: {image: 'cosmos-test:latest'}");
  Expect("container", "ok", "docker ");
  Expect("container", "ok", " can be used");
  Expect("image", "ok", "cosmos-test:latest is there");
  Check(0, ", container: {image: 'cosmos-test:other'}");
  Expect("image", "warning", "cosmos-test:other is not there; it will be pulled", "pull it beforehand");
  Check(0);
  Expect("container", "info", "could be used; the target has no `container:`");
  // A docker without NVIDIA's toolkit: only a try tells.
  Nvidia(1);
  Check(3, ", gpus: 1, container: {image: 'cosmos-test:latest'}");
  Expect("container_gpus", "failed", "docker cannot give containers GPUs: ", "container toolkit");
  Check(0, ", gpus: 1, container: {image: 'cosmos-test:other'}");
  Expect("container_gpus", "warning", "nothing of NVIDIA's container toolkit was found");
  EXPECT_TRUE(docker.Containers().empty());
}

TEST_F(TargetCheckTest, AConnectionThatBreaksUnderWayIsNotWaitedFor) {
  Program("nvidia-smi", ": >" + (bin() / "asked").string() + "; sleep 100");
  fs::permissions(bin(), fs::perms(0777));
  sandbox_.Write(kConfig, "targets:\n  gpu1: " + host_->Target() + "\n");
  const pid_t engine = sandbox_.StartEngine({"targets", "check", "gpu1"});
  Await("question", [&] { return fs::exists(bin() / "asked"); });
  host_->proxy().SetRefuse(true);
  host_->proxy().CutAll();
  Await("end of the check", [&] { return !sandbox_.Read("engine.out").empty(); });
  EXPECT_EQ(sandbox_.Wait(engine), 3);
  EXPECT_THAT(sandbox_.Read("engine.out"), AllOf(HasSubstr("failed  connection"), Not(HasSubstr("resume"))));
}

}  // namespace
}  // namespace cosmos::testing
