// The servers that tests use in place of GPU hosts do what their headers say, as the programs ssh, scp and docker see
// it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "support/docker_daemon.h"
#include "support/processes.h"
#include "support/ssh_server.h"
#include "support/tcp_proxy.h"
#include "support/test_account.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

std::vector<std::string> SshWords(const SshServer& server, const std::string& user, const std::string& command) {
  std::vector<std::string> words = {"ssh"};
  for (const std::string& word : server.ClientOptions()) words.push_back(word);
  words.insert(words.end(), {user + "@127.0.0.1", command});
  return words;
}

Ended Ssh(const SshServer& server, const std::string& user, const std::string& command) {
  return RunProgram(SshWords(server, user, command));
}

// A command that runs long and that no other test has.
std::string Sleep(int number) { return "sleep 3" + std::to_string(::getpid()) + std::to_string(number); }

bool Runs(const std::string& command) {
  for (const Process& process : AllProcesses()) {
    if (process.CommandLine() == command + " ") return true;
  }
  return false;
}

class SshServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = SshServer::Missing(); !missing.empty()) GTEST_SKIP() << missing;
  }
};

TEST_F(SshServerTest, LetsRootAndAnOrdinaryAccountIn) {
  SshServer server;
  EXPECT_EQ(server.LoginCount(), 0);
  EXPECT_EQ(Ssh(server, "root", "id -un").out, "root\n");
  std::string name;
  {
    const TestAccount account;
    name = account.name();
    EXPECT_EQ(Ssh(server, name, "id -un; pwd; exit 3").out, name + "\n" + account.home().string() + "\n");
    EXPECT_EQ(Ssh(server, name, "exit 3").status, 3);
    std::vector<std::string> copy = {"scp", "-q"};
    for (const std::string& word : server.ClientOptions()) copy.push_back(word);
    copy.insert(copy.end(), {server.known_hosts(), name + "@127.0.0.1:copied"});
    EXPECT_EQ(RunProgram(copy).status, 0);
    EXPECT_TRUE(fs::exists(account.home() / "copied"));
    EXPECT_EQ(server.LoginCount(), 4);
    Ssh(server, name, "setsid " + Sleep(1) + " >/dev/null 2>&1 &");
    Await("detached process", [] { return Runs(Sleep(1)); });
  }
  EXPECT_FALSE(Runs(Sleep(1)));
  EXPECT_FALSE(fs::exists("/home/" + name));
  EXPECT_THAT(Ssh(server, name, "true").err, HasSubstr("Permission denied"));
}

TEST_F(SshServerTest, ACutEndsTheConnectionAndNotWhatWasDetached) {
  std::vector<pid_t> left;
  {
    SshServer server;
    Ended held;
    std::thread client(
        [&] { held = Ssh(server, "root", "setsid " + Sleep(2) + " >/dev/null 2>&1 & echo begun; " + Sleep(3)); });
    Await("command", [] { return Runs(Sleep(2)) && Runs(Sleep(3)); });
    EXPECT_EQ(server.Connections(), 1);
    server.CutAll();
    client.join();
    EXPECT_EQ(held.status, 255);
    EXPECT_EQ(held.out, "begun\n");
    EXPECT_EQ(server.Connections(), 0);
    EXPECT_TRUE(Runs(Sleep(2)));
    EXPECT_EQ(Ssh(server, "root", "echo again").out, "again\n");
    left = server.Processes();
    EXPECT_FALSE(left.empty());
  }
  for (const Process& process : AllProcesses()) EXPECT_THAT(left, Not(Contains(process.pid)));
}

TEST_F(SshServerTest, StopsAndStartsOnItsPort) {
  SshServer server;
  Ended held;
  std::thread client([&] { held = Ssh(server, "root", "setsid " + Sleep(4) + " >/dev/null 2>&1 & " + Sleep(5)); });
  Await("command", [] { return Runs(Sleep(4)) && Runs(Sleep(5)); });
  server.Stop();
  client.join();
  EXPECT_EQ(held.status, 255);
  EXPECT_TRUE(Runs(Sleep(4)));
  EXPECT_FALSE(Runs(Sleep(5)));
  EXPECT_THAT(Ssh(server, "root", "true").err, HasSubstr("Connection refused"));
  server.Start();
  EXPECT_EQ(Ssh(server, "root", "echo again").out, "again\n");
}

TEST_F(SshServerTest, AnotherHostKeyIsNoticed) {
  SshServer server;
  const std::string old_key = server.host_key_fingerprint();
  EXPECT_THAT(old_key, StartsWith("SHA256:"));
  server.NewHostKey();
  EXPECT_NE(server.host_key_fingerprint(), old_key);
  const Ended refused = Ssh(server, "root", "true");
  EXPECT_EQ(refused.status, 255);
  EXPECT_THAT(refused.err, HasSubstr("REMOTE HOST IDENTIFICATION HAS CHANGED"));
  EXPECT_THAT(refused.err, HasSubstr(server.host_key_fingerprint()));
}

TEST_F(SshServerTest, CanBeReachedThroughAProxy) {
  SshServer server;
  TcpProxy proxy(server.port());
  std::vector<std::string> words = SshWords(server, "root", "echo through");
  words.insert(words.begin() + 1, {"-p", std::to_string(proxy.port())});
  EXPECT_THAT(RunProgram(words).err, HasSubstr("Host key verification failed"));
  server.TrustAt(proxy.port());
  EXPECT_EQ(RunProgram(words).out, "through\n");
  EXPECT_EQ(proxy.Connections(), 2);
}

TEST_F(SshServerTest, AllowsSoManySessions) {
  SshServerOptions options;
  options.max_sessions = 1;
  SshServer server(options);
  const std::string control = "ControlPath=" + (server.folder() / "control").string();
  const auto ssh = [&](std::vector<std::string> more, const std::string& command) {
    std::vector<std::string> words = SshWords(server, "root", command);
    words.insert(words.begin() + 1, more.begin(), more.end());
    return words;
  };
  BackgroundProgram first(ssh({"-o", "ControlMaster=yes", "-o", control}, Sleep(6)), server.folder() / "first");
  Await("first session", [] { return Runs(Sleep(6)); });
  // A connection of its own is what ssh would try next.
  const Ended second = RunProgram(ssh({"-o", control, "-o", "ProxyCommand=false"}, "true"));
  EXPECT_EQ(second.status, 255);
  EXPECT_THAT(second.err, HasSubstr("Session open refused by peer"));
  EXPECT_EQ(server.LoginCount(), 1);
}

TEST_F(SshServerTest, ItsClientsKeyCanHaveAPassphrase) {
  SshServerOptions options;
  options.passphrase = "open sesame";
  SshServer server(options);
  EXPECT_THAT(Ssh(server, "root", "true").err, HasSubstr("Permission denied"));
  MustRun({"ssh-keygen", "-q", "-p", "-P", "open sesame", "-N", "", "-f", server.identity()});
  EXPECT_EQ(Ssh(server, "root", "echo in").out, "in\n");
}

class DockerDaemonTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = DockerDaemon::Missing(); !missing.empty()) GTEST_SKIP() << missing;
  }
};

TEST_F(DockerDaemonTest, RunsContainersAndLeavesNothing) {
  fs::path folder;
  {
    DockerDaemon docker;
    folder = docker.folder();
    EXPECT_THAT(docker.Containers(), IsEmpty());
    const Ended run = docker.Docker({"run", "--network", "none", "--name", "first", "cosmos-test", "sh", "-c",
                                     "trap 'exit 5' TERM; printf '%s\n' said; exit 4"});
    EXPECT_EQ(run.out, "said\n") << run.err;
    EXPECT_EQ(run.status, 4);
    EXPECT_EQ(docker
                  .Docker({"run", "-d", "--network", "none", "--name", "second", "cosmos-test", "sh", "-c",
                           "exec " + Sleep(7)})
                  .status,
              0);
    EXPECT_THAT(docker.Containers(), ElementsAre("second", "first"));
    EXPECT_TRUE(Runs(Sleep(7)));
  }
  EXPECT_FALSE(Runs(Sleep(7)));
  EXPECT_FALSE(fs::exists(folder));
  for (const Process& process : AllProcesses()) EXPECT_THAT(process.CommandLine(), Not(HasSubstr(folder.string())));
  std::ostringstream mounts;
  mounts << std::ifstream("/proc/self/mountinfo").rdbuf();
  EXPECT_THAT(mounts.str(), Not(HasSubstr(folder.string())));
}

TEST_F(DockerDaemonTest, TwoAtOnceServeAnAccountThatComesOverSsh) {
  if (const std::string missing = SshServer::Missing(); !missing.empty()) GTEST_SKIP() << missing;
  DockerDaemon docker, other;
  const TestAccount account(docker.socket());
  SshServer server;
  other.OpenToAll();
  const auto over_ssh = [&](const DockerDaemon& daemon, const std::string& words) {
    return Ssh(server, account.name(), "docker -H " + daemon.Host() + " " + words);
  };
  const Ended run = over_ssh(docker, "run --network none --name mine cosmos-test echo from a container");
  EXPECT_EQ(run.out, "from a container\n") << run.err;
  EXPECT_EQ(over_ssh(other, "run --network none --name its cosmos-test echo from the other").out, "from the other\n");
  EXPECT_THAT(docker.Containers(), ElementsAre("mine"));
  EXPECT_THAT(other.Containers(), ElementsAre("its"));
}

}  // namespace
}  // namespace cosmos::testing
