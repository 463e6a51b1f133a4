// Logins by way of the user's ssh_config(5) and known_hosts: what ssh would do there is done.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "ssh_target_fixture.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

class SshConfigTest : public SshTargetTest {
 protected:
  // The server as the host `gpu` of the configuration, after `lines`, which win.
  void WriteConfig(const std::string& lines, const std::string& after = "") const {
    const std::string text = lines + "\nHost gpu\n  HostName 127.0.0.1\n  Port " + std::to_string(server_->port()) +
                             "\n  User root\nHost *\n  IdentityFile " + server_->identity().string() +
                             "\n  UserKnownHostsFile " + server_->known_hosts().string() + "\n" + after;
    WriteFile(home() / ".ssh/config", text, 0600);
  }
  // Says how the login went: "in", or why not.
  std::string LogIn(const SshOptions& options) {
    Connect(options, there());
    try {
      target_->Reach(10ms);
    } catch (const Error& error) {
      return error.message();
    }
    return target_->Run("echo in", 1h).output;
  }
  std::string LogIn(bool learns = false) {
    SshOptions options = SshOptionsOf("gpu");
    options.learns = learns;
    return LogIn(options);
  }
  std::string Entry() const { return "[127.0.0.1]:" + std::to_string(server_->port()); }
  // TYPE BASE64 of the server's key.
  std::string HostKeyText() const {
    std::istringstream words(ReadFile(server_->folder() / "host_key.pub"));
    std::string type, base64;
    words >> type >> base64;
    return type + " " + base64;
  }
  std::string Write(const std::string& name, const std::string& text) const {
    WriteFile(folder_ / name, text, 0600);
    return folder_ / name;
  }
  std::string NewKey(const std::string& name, const std::string& passphrase = "") const {
    MustRun({"ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", folder_ / name});
    return folder_ / name;
  }
  // An agent with these keys, at a socket of this name.
  std::unique_ptr<BackgroundProgram> StartAgent(const std::string& name, const std::vector<std::string>& keys) const {
    const std::string socket = folder_ / name;
    auto agent = std::make_unique<BackgroundProgram>(std::vector<std::string>{"ssh-agent", "-D", "-a", socket},
                                                     folder_ / (name + ".log"));
    Await("agent", [&] { return fs::exists(socket); });
    for (const std::string& key : keys) {
      MustRun({"env", "SSH_AUTH_SOCK=" + socket, "ssh-add", "-q", key});
    }
    return agent;
  }
};

TEST_F(SshConfigTest, ARevokedHostKeyIsRefused) {
  Serve();
  WriteConfig("");
  ASSERT_EQ(LogIn(), "in\n");
  std::ofstream(server_->known_hosts(), std::ios::app) << "@revoked * " << HostKeyText() << "\n";
  const std::string refusal = LogIn(true);
  EXPECT_THAT(refusal, HasSubstr("is revoked by " + server_->known_hosts().string() + ":2"));
  WriteConfig("StrictHostKeyChecking no\n");
  EXPECT_EQ(LogIn(true), refusal);
  EXPECT_EQ(server_->LoginCount(), 1);
}

TEST_F(SshConfigTest, AHostKeyOfRevokedHostKeysIsRefused) {
  Serve();
  WriteConfig("RevokedHostKeys " + Write("revoked", HostKeyText() + "\n") + "\n");
  EXPECT_THAT(LogIn(), HasSubstr("is revoked by " + (folder_ / "revoked").string()));
  EXPECT_EQ(server_->LoginCount(), 0);
}

TEST_F(SshConfigTest, AnAuthorityAloneIsRefusedWithTheReason) {
  Serve();
  WriteConfig("UserKnownHostsFile " + Write("known", "@cert-authority * " + HostKeyText() + "\n") + "\n");
  EXPECT_THAT(LogIn(), HasSubstr("host certificates are not supported"));
  EXPECT_EQ(server_->LoginCount(), 0);
}

TEST_F(SshConfigTest, AcceptNewKeepsANewKeyAndRefusesAChangedOne) {
  Serve();
  const fs::path known = folder_ / "new/known_hosts";
  for (const bool hashed : {false, true}) {
    fs::remove_all(known.parent_path());
    WriteConfig("StrictHostKeyChecking accept-new\nUserKnownHostsFile " + known.string() + "\nHashKnownHosts " +
                (hashed ? "yes" : "no") + "\n");
    EXPECT_EQ(LogIn(false), "in\n");
    EXPECT_FALSE(fs::exists(known)) << "a check keeps no key";
    EXPECT_EQ(LogIn(true), "in\n");
    EXPECT_EQ(ReadFile(known).find(Entry()) == std::string::npos, hashed);
    // As ssh finds it.
    EXPECT_THAT(MustRun({"ssh-keygen", "-F", Entry(), "-f", known}), HasSubstr(HostKeyText()));
    EXPECT_EQ(LogIn(true), "in\n");
    EXPECT_EQ(SplitLines(ReadFile(known)).size(), 1u);
  }
  server_->NewHostKey();
  EXPECT_THAT(LogIn(true), HasSubstr("is not the one in " + known.string()));
  WriteConfig("StrictHostKeyChecking no\nUserKnownHostsFile " + known.string() + "\n");
  EXPECT_THAT(LogIn(true), HasSubstr("is not the one in " + known.string()));
}

TEST_F(SshConfigTest, HostKeysAreFoundInEveryFileAndForm) {
  Serve();
  const std::string entry = Entry() + " " + HostKeyText();
  const std::string none = Write("none", "# nothing\n");
  Write("second", entry + "\n");
  Write("crlf", "# made on Windows\r\n" + entry + " comment\r\n");
  Write("no_port", "127.0.0.1 " + HostKeyText() + "\n");
  Write("several", "other,[127.0.0.*]:*,!cpu " + HostKeyText() + "\n");
  Write("rsa_first", Entry() + " ssh-rsa AAAAB3NzaC1yc2E=\n" + entry + "\n");
  Write("hashed", entry + "\n");
  MustRun({"ssh-keygen", "-q", "-H", "-f", folder_ / "hashed"});
  for (const char* name : {"second", "crlf", "no_port", "several", "rsa_first", "hashed"}) {
    WriteConfig("UserKnownHostsFile " + none + " " + (folder_ / name).string() + "\n");
    EXPECT_EQ(LogIn(), "in\n") << name;
    WriteConfig("UserKnownHostsFile " + none + "\nGlobalKnownHostsFile " + (folder_ / name).string() + "\n");
    EXPECT_EQ(LogIn(), "in\n") << name;
  }
  Write("negated", "[*]:*,!" + Entry() + " " + HostKeyText() + "\n");
  WriteConfig("UserKnownHostsFile " + none + " " + (folder_ / "negated").string() + "\n");
  EXPECT_THAT(LogIn(), HasSubstr("is not known: " + none + " and "));
}

TEST_F(SshConfigTest, AHostKeyAliasIsWhatIsLookedUp) {
  Serve();
  WriteConfig("HostKeyAlias farm\n");
  EXPECT_THAT(LogIn(), HasSubstr("the host farm is not known"));
  WriteConfig("HostKeyAlias farm\nUserKnownHostsFile " + Write("known", "farm " + HostKeyText() + "\n") + "\n");
  EXPECT_EQ(LogIn(), "in\n");
}

TEST_F(SshConfigTest, KeysAreTriedInTheirOrderWithTokensAndMissingOnesArePassedOver) {
  Serve();
  fs::copy_file(server_->identity(), home() / "gpu.root.key");
  const std::string other = NewKey("other");
  std::string config = "Host gpu\n  IdentityFile ~/missing\n  IdentityFile " + other +
                       "\n  IdentityFile %d/%n.%r.key\n  HostName 127.0.0.1\n  User root\n  Port " +
                       std::to_string(server_->port()) + "\n  UserKnownHostsFile " + server_->known_hosts().string() +
                       "\n";
  WriteFile(home() / ".ssh/config", config, 0600);
  EXPECT_EQ(LogIn(), "in\n");
  // One that others can read is passed over, too.
  fs::permissions(other, static_cast<fs::perms>(0644));
  EXPECT_EQ(LogIn(), "in\n");
  fs::remove(home() / "gpu.root.key");
  EXPECT_THAT(LogIn(), HasSubstr(other + " has mode 0644"));
}

TEST_F(SshConfigTest, OfManyKeysOfAnAgentThoseOfTheConfigAreShownFirst) {
  SshServerOptions options;
  options.config = "MaxAuthTries 2\n";
  Serve(options);
  std::vector<std::string> keys;
  for (int i = 0; i < 5; ++i) keys.push_back(NewKey("key" + std::to_string(i)));
  keys.push_back(server_->identity());
  const auto agent = StartAgent("agent", keys);
  ::setenv("SSH_AUTH_SOCK", (folder_ / "agent").c_str(), 1);
  WriteConfig("");
  EXPECT_EQ(LogIn(), "in\n");
  WriteConfig("IdentitiesOnly yes\n");
  EXPECT_EQ(LogIn(), "in\n");
  // The public half alone says which key of the agent it is.
  fs::copy_file(server_->identity().string() + ".pub", folder_ / "half.pub");
  WriteConfig("IdentitiesOnly yes\n");
  SshOptions half = SshOptionsOf("gpu");
  half.identity = folder_ / "half.pub";
  EXPECT_EQ(LogIn(half), "in\n");
}

TEST_F(SshConfigTest, WithIdentitiesOnlyNoOtherKeyOfTheAgentIsShown) {
  Serve();
  const auto agent = StartAgent("agent", {server_->identity()});
  ::setenv("SSH_AUTH_SOCK", (folder_ / "agent").c_str(), 1);
  const std::string other = NewKey("other");
  const std::string config = "Host gpu\n  HostName 127.0.0.1\n  User root\n  Port " + std::to_string(server_->port()) +
                             "\n  IdentityFile " + other + "\n  UserKnownHostsFile " + server_->known_hosts().string();
  WriteFile(home() / ".ssh/config", config + "\n", 0600);
  EXPECT_EQ(LogIn(), "in\n");
  WriteFile(home() / ".ssh/config", config + "\n  IdentitiesOnly yes\n", 0600);
  EXPECT_THAT(LogIn(), HasSubstr(other + ": refused"));
}

TEST_F(SshConfigTest, TheAgentIsTheOneThatTheConfigNames) {
  Serve();
  const auto agent = StartAgent("agent", {server_->identity()});
  const std::string socket = folder_ / "agent";
  const std::string before = "IdentitiesOnly no\nHost gpu\n  IdentityFile none\n  IdentityAgent ";
  const std::string config = "\n  HostName 127.0.0.1\n  User root\n  Port " + std::to_string(server_->port()) +
                             "\n  UserKnownHostsFile " + server_->known_hosts().string() + "\n";
  const auto log_in = [&](const std::string& value) {
    WriteFile(home() / ".ssh/config", before + value + config, 0600);
    return LogIn();
  };
  EXPECT_EQ(log_in(socket), "in\n");
  EXPECT_THAT(log_in("SSH_AUTH_SOCK"), HasSubstr("there is no key to try"));
  ::setenv("SSH_AUTH_SOCK", socket.c_str(), 1);
  EXPECT_EQ(log_in("SSH_AUTH_SOCK"), "in\n");
  EXPECT_EQ(log_in("$SSH_AUTH_SOCK"), "in\n");
  EXPECT_EQ(log_in("${SSH_AUTH_SOCK}"), "in\n");
  EXPECT_THAT(log_in("none"), HasSubstr("there is no key to try"));
  EXPECT_THAT(log_in(folder_ / "nothing"), HasSubstr("there is no key to try"));
}

TEST_F(SshConfigTest, AnEncryptedKeyThatAnAgentHasIsNotAskedFor) {
  SshServerOptions options;
  options.passphrase = "open sesame";
  Serve(options);
  fs::copy_file(server_->identity(), folder_ / "plain");
  MustRun({"ssh-keygen", "-q", "-p", "-P", "open sesame", "-N", "", "-f", folder_ / "plain"});
  fs::remove(server_->identity().string() + ".pub");  // its public half is in the file itself
  const auto agent = StartAgent("agent", {folder_ / "plain"});
  ::setenv("SSH_AUTH_SOCK", (folder_ / "agent").c_str(), 1);
  WriteConfig("IdentitiesOnly yes\n");
  EXPECT_EQ(LogIn(), "in\n");
}

TEST_F(SshConfigTest, ACertificateOfAKeyIsShown) {
  const std::string authority = NewKey("authority");
  SshServerOptions options;
  options.config = "TrustedUserCAKeys " + authority + ".pub\n";
  Serve(options);
  const std::string key = NewKey("certified");
  MustRun({"ssh-keygen", "-q", "-s", authority, "-I", "id", "-n", "root", key + ".pub"});
  const std::string config = "Host gpu\n  HostName 127.0.0.1\n  User root\n  Port " + std::to_string(server_->port()) +
                             "\n  IdentityFile " + key + "\n  UserKnownHostsFile " + server_->known_hosts().string() +
                             "\n";
  WriteFile(home() / ".ssh/config", config, 0600);
  EXPECT_EQ(LogIn(), "in\n");
  fs::rename(key + "-cert.pub", folder_ / "elsewhere-cert.pub");
  EXPECT_THAT(LogIn(), HasSubstr("no key that it accepts"));
  WriteFile(home() / ".ssh/config", config + "  CertificateFile " + (folder_ / "elsewhere-cert.pub").string() + "\n",
            0600);
  EXPECT_EQ(LogIn(), "in\n");
}

TEST_F(SshConfigTest, MatchAndIncludeCount) {
  Serve();
  const std::string right = "  IdentityFile " + server_->identity().string() + "\n  UserKnownHostsFile " +
                            server_->known_hosts().string() + "\n  User root\n  HostName 127.0.0.1\n  Port " +
                            std::to_string(server_->port()) + "\n";
  WriteFile(home() / ".ssh/parts", right, 0600);
  for (const char* way : {"Include parts\n", "Match originalhost gpu exec \"test %n = gpu\"\n  Include parts\n",
                          "Host * !cpu\n  Include parts\n", "Host gpu\nInclude parts\n"}) {
    WriteFile(home() / ".ssh/config", way, 0600);
    EXPECT_EQ(LogIn(), "in\n") << way;
  }
}

TEST_F(SshConfigTest, LinesThatAreForTerminalsHaveNoEffect) {
  Serve();
  const std::string mark = folder_ / "mark";
  WriteConfig("RemoteCommand touch " + mark + "\nRequestTTY force\nLocalForward 1 127.0.0.1:1\nForwardAgent yes\n" +
              "PermitLocalCommand yes\nLocalCommand touch " + mark + "\nSetEnv A=b\nVisualHostKey yes\n" +
              "ControlMaster auto\nControlPath " + (folder_ / "control").string() + "\n");
  EXPECT_EQ(LogIn(), "in\n");
  EXPECT_FALSE(fs::exists(mark));
  EXPECT_FALSE(fs::exists(folder_ / "control"));
}

TEST_F(SshConfigTest, AlgorithmsThatLibsshDoesNotKnowAreLeftOut) {
  Serve();
  WriteConfig(
      "Ciphers aes256-ctr\nMACs umac-128@openssh.com,hmac-sha2-512\nHostKeyAlgorithms ssh-ed25519\n"
      "KexAlgorithms sntrup761x25519-sha512@openssh.com,curve25519-sha256\n"
      "PubkeyAcceptedAlgorithms sk-ssh-ed25519@openssh.com,ssh-ed25519\n");
  EXPECT_EQ(LogIn(), "in\n");
  WriteConfig("KexAlgorithms sntrup761x25519-sha512@openssh.com\n");
  EXPECT_EQ(LogIn(), "in\n");
  WriteConfig("Compression yes\n");
  EXPECT_EQ(LogIn(), "in\n");
}

TEST_F(SshConfigTest, TheConnectionComesFromTheAddressThatTheConfigNames) {
  Serve();
  WriteConfig("BindAddress 127.0.0.9\n");
  EXPECT_EQ(LogIn(), "in\n");
  EXPECT_THAT(server_->Log(), HasSubstr("from 127.0.0.9"));
  WriteConfig("BindInterface lo\n");
  EXPECT_EQ(LogIn(), "in\n");
  WriteConfig("AddressFamily inet6\n");
  EXPECT_THAT(LogIn(), HasSubstr("cannot connect to gpu"));
  WriteConfig("BindInterface none0\n");
  EXPECT_THAT(LogIn(), HasSubstr("none0"));
}

TEST_F(SshConfigTest, AProxyCommandGetsItsTokens) {
  Serve();
  WriteConfig("ProxyCommand echo '%h %n %p %r %%' >" + (folder_ / "tokens").string() + "; exec nc %h %p\n");
  LogIn();
  EXPECT_EQ(ReadFile(folder_ / "tokens"), "127.0.0.1 gpu " + std::to_string(server_->port()) + " root %\n");
}

TEST_F(SshConfigTest, AWayOverTwoHostsOfTheConfigIsTaken) {
  SshServer first, second;
  Serve();
  const auto host = [](const std::string& name, const SshServer& server) {
    return "Host " + name + "\n  HostName 127.0.0.1\n  User root\n  Port " + std::to_string(server.port()) +
           "\n  IdentityFile " + server.identity().string() + "\n  UserKnownHostsFile " +
           server.known_hosts().string() + "\n";
  };
  const std::string hosts = host("a", first) + host("b", second);
  WriteConfig(hosts);
  SshOptions options = SshOptionsOf("gpu");
  options.proxy_jump = "a,b";
  EXPECT_EQ(LogIn(options), "in\n");
  EXPECT_EQ(first.LoginCount(), 1);
  EXPECT_EQ(second.LoginCount(), 1);
  WriteConfig(hosts + "Host gpu\n  ProxyJump a,b\n");
  EXPECT_EQ(LogIn(), "in\n");
  EXPECT_EQ(first.LoginCount(), 2);
  EXPECT_EQ(second.LoginCount(), 2);
  // `none` goes past that of the configuration.
  options.proxy_jump = "none";
  EXPECT_EQ(LogIn(options), "in\n");
  EXPECT_EQ(second.LoginCount(), 2);
  // A host of the way may have a way of its own.
  WriteConfig(hosts + "Host b\n  ProxyJump a\nHost gpu\n  ProxyJump b\n");
  EXPECT_EQ(LogIn(), "in\n");
  EXPECT_EQ(first.LoginCount(), 3);
  EXPECT_EQ(second.LoginCount(), 3);
}

TEST_F(SshConfigTest, AWayThatComesBackStartsNoProcess) {
  Serve();
  WriteConfig("Host a\n  ProxyJump b\nHost b\n  ProxyJump a\nHost gpu\n  ProxyJump a\n");
  EXPECT_THAT(LogIn(), HasSubstr("gpu -> a -> b -> a"));
  WriteConfig("Host gpu\n  ProxyJump gpu\n");
  EXPECT_THAT(LogIn(), HasSubstr("gpu"));
  for (const Process& process : DescendantsOf(::getpid(), AllProcesses())) EXPECT_NE(process.name, "ssh");
}

TEST_F(SshConfigTest, AConfigThatSshRefusesIsShown) {
  Serve();
  WriteConfig("Nonsense yes\n");
  Connect(SshOptionsOf("gpu"), there());
  try {
    target_->Reach(10ms);
    ADD_FAILURE() << "it was reached";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
    EXPECT_THAT(error.message(), HasSubstr("config: line 1: Bad configuration option"));
  }
}

TEST_F(SshConfigTest, WithoutTheProgramSshLibsshReadsTheConfig) {
  Serve();
  WriteConfig("");
  MakeFolders(folder_ / "empty");
  const std::string path = ::getenv("PATH");
  ::setenv("PATH", (folder_ / "empty").c_str(), 1);
  EXPECT_EQ(LogIn(), "in\n");
  ::setenv("PATH", path.c_str(), 1);
}

TEST_F(SshConfigTest, ReconnectionsAskSshNoMore) {
  Serve();
  WriteConfig("Match exec \"echo asked >>" + (folder_ / "asked").string() + "\"\n  User root\n");
  EXPECT_EQ(LogIn(), "in\n");
  const std::string asked = ReadFile(folder_ / "asked");
  server_->CutAll();
  Await("reconnection", [&] { return target_->Run("echo in", 1h).output == "in\n"; });
  EXPECT_EQ(ReadFile(folder_ / "asked"), asked);
}

}  // namespace
}  // namespace cosmos::testing
