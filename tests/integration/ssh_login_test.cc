// How an SSH target comes to a host: keys of both sides, ~/.ssh/config, hosts in between, and hosts that are not there.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "ssh_target_fixture.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class SshLoginTest : public SshTargetTest {
 protected:
  // Why the host cannot be reached.
  Error Refusal(Duration longest = 1h) {
    try {
      target_->Reach(longest);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "it was reached";
    return Error(ErrorCode::kInternal, "");
  }
  // Carries out the commands of a hint, which stand between backticks.
  static void Follow(const std::string& hint) {
    std::size_t commands = 0;
    for (std::size_t begin = hint.find('`'); begin != hint.npos;) {
      const std::size_t end = hint.find('`', begin + 1);
      ASSERT_NE(end, hint.npos) << hint;
      MustRun({"sh", "-c", hint.substr(begin + 1, end - begin - 1)});
      ++commands;
      begin = hint.find('`', end + 1);
    }
    EXPECT_GT(commands, 0u) << hint;
  }
  // A program `ssh` that libssh and ssh itself find instead of the real one, with the server's client options.
  void PutSshInPath(const SshServer& server) {
    MakeFolders(folder_ / "bin");
    std::string options;
    for (const std::string& word : server.ClientOptions()) {
      const bool port = word.rfind("Port=", 0) == 0;
      options += " " + ShellQuote(port ? "LogLevel=ERROR" : word);
    }
    WriteFile(folder_ / "bin/ssh", "#!/bin/sh\nexec /usr/bin/ssh" + options + " \"$@\"\n", 0755);
    path_ = ::getenv("PATH");
    ::setenv("PATH", ((folder_ / "bin").string() + ":" + path_).c_str(), 1);
  }
  void TearDown() override {
    if (!path_.empty()) ::setenv("PATH", path_.c_str(), 1);
    SshTargetTest::TearDown();
  }
  std::vector<Process> OurChildren() const { return DescendantsOf(::getpid(), AllProcesses()); }

  std::string path_;
};

TEST_F(SshLoginTest, AKnownHostIsReached) {
  Serve();
  Connect().Reach(1h);
  EXPECT_EQ(target_->Fingerprint(), server_->host_key_fingerprint());
  Await("word of it", [&] { return changes() == "connected "; });  // told after those who wait are woken
  EXPECT_EQ(server_->LoginCount(), 1);
}

TEST_F(SshLoginTest, AnUnknownHostKeyIsRefusedUntilItIsAccepted) {
  Serve();
  SshOptions options = Options();
  options.known_hosts = folder_ / "known";
  Connect(options, there());
  const Error error = Refusal();
  EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
  EXPECT_THAT(error.message(), HasSubstr("[127.0.0.1]:" + std::to_string(server_->port())));
  EXPECT_THAT(error.message(), HasSubstr(server_->host_key_fingerprint()));
  EXPECT_THAT(error.message(), HasSubstr(options.known_hosts));
  EXPECT_EQ(server_->LoginCount(), 0);
  try {
    target_->Run("true", 1h);
    ADD_FAILURE() << "it was run";
  } catch (const Error& also) {
    EXPECT_EQ(also.message(), error.message());
  }
  Follow(error.hint());
  target_->Reach(1h);
  EXPECT_EQ(target_->Run("echo in", 1h).output, "in\n");
}

TEST_F(SshLoginTest, AChangedHostKeyIsRefusedUntilItIsAccepted) {
  Serve();
  server_->NewHostKey();
  Connect();
  const Error error = Refusal();
  EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
  EXPECT_THAT(error.message(), HasSubstr("is not the one in " + server_->known_hosts().string()));
  EXPECT_THAT(error.message(), HasSubstr(server_->host_key_fingerprint()));
  EXPECT_EQ(server_->LoginCount(), 0);
  Follow(error.hint());
  Connect().Reach(1h);
}

TEST_F(SshLoginTest, AKeyThatTheHostDoesNotKnowIsRefused) {
  Serve();
  MustRun({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder_ / "other"});
  SshOptions options = Options();
  options.identity = folder_ / "other";
  Connect(options, there());
  const Error error = Refusal();
  EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
  EXPECT_THAT(error.message(), HasSubstr("root@127.0.0.1"));
  EXPECT_THAT(error.hint(), HasSubstr("identity"));
  EXPECT_EQ(changes(), "");
}

TEST_F(SshLoginTest, AKeyThatIsNotThereIsTold) {
  Serve();
  SshOptions options = Options();
  options.identity = "~/no_key";
  Connect(options, there());
  const Error error = Refusal();
  EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
  EXPECT_THAT(error.message(), HasSubstr(home().string() + "/no_key"));
}

TEST_F(SshLoginTest, WithoutATerminalAnEncryptedKeyIsRefused) {
  SshServerOptions options;
  options.passphrase = "open sesame";
  Serve(options);
  const int standard_input = ::dup(STDIN_FILENO);
  ::dup2(::open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
  Connect();
  const Error error = Refusal();
  EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
  EXPECT_THAT(error.hint(), HasSubstr("ssh-add"));
  ::dup2(standard_input, STDIN_FILENO);
  ::close(standard_input);
}

TEST_F(SshLoginTest, AnEncryptedKeyMayComeFromTheAgent) {
  SshServerOptions options;
  options.passphrase = "open sesame";
  Serve(options);
  BackgroundProgram agent({"ssh-agent", "-D", "-a", folder_ / "agent"}, folder_ / "agent.log");
  Await("agent", [&] { return fs::exists(folder_ / "agent"); });
  ::setenv("SSH_AUTH_SOCK", (folder_ / "agent").c_str(), 1);
  fs::copy_file(server_->identity(), folder_ / "plain");
  fs::permissions(folder_ / "plain", fs::perms::owner_read | fs::perms::owner_write);
  MustRun({"ssh-keygen", "-q", "-p", "-P", "open sesame", "-N", "", "-f", folder_ / "plain"});
  MustRun({"ssh-add", "-q", folder_ / "plain"});
  SshOptions ssh = Options();
  ssh.identity = "";
  Connect(ssh, there());
  EXPECT_EQ(target_->Run("echo in", 1h).output, "in\n");
}

TEST_F(SshLoginTest, AnAliasOfTheUsersConfigIsUsed) {
  Serve();
  UseAccount();
  std::ofstream(home() / ".ssh/config") << "Host other\n  User nobody\nHost gpu*\n  HostName 127.0.0.1\n  Port "
                                        << server_->port() << "\n  User " << account_->name() << "\n  IdentityFile "
                                        << server_->identity().string() << "\n  UserKnownHostsFile "
                                        << server_->known_hosts().string() << "\n";
  Connect(SshOptionsOf("gpu7"));
  EXPECT_EQ(target_->Run("id -un", 1h).output, account_->name() + "\n");
  EXPECT_EQ(target_->Workdir(), account_->home().string() + "/cosmos-engine");
  // What the target itself says wins.
  Connect(SshOptionsOf({{"host", "gpu7"}, {"user", "root"}}));
  EXPECT_EQ(target_->Run("id -un", 1h).output, "root\n");
}

TEST_F(SshLoginTest, TheUsersKeysAndKnownHostsAreUsed) {
  Serve();
  fs::copy_file(server_->identity(), home() / ".ssh/id_ed25519");
  fs::copy_file(server_->known_hosts(), home() / ".ssh/known_hosts");
  Connect(SshOptionsOf({{"host", "127.0.0.1"}, {"port", server_->port()}, {"user", "root"}}), there());
  EXPECT_EQ(target_->Run("echo in", 1h).output, "in\n");
}

TEST_F(SshLoginTest, AProxyCommandOfTheConfigIsUsedAndEnds) {
  SshServer between;
  Serve();
  std::string command = "ssh";
  for (const std::string& word : between.ClientOptions()) command += " " + ShellQuote(word);
  std::ofstream(home() / ".ssh/config") << "Host gpu\n  HostName 127.0.0.1\n  Port " << server_->port()
                                        << "\n  ProxyCommand " << command << " -W %h:%p root@127.0.0.1\n";
  SshOptions options = Options();
  options.host = "gpu";
  options.port = 0;
  Connect(options, there());
  EXPECT_EQ(target_->Run("echo through", 1h).output, "through\n");
  EXPECT_EQ(between.LoginCount(), 1);
  EXPECT_EQ(server_->LoginCount(), 1);
  target_.reset();
  Await("end of the proxy command", [&] { return between.Connections() == 0; });
}

TEST_F(SshLoginTest, AProxyJumpOfTheConfigIsUsed) {
  SshServer between;
  Serve();
  PutSshInPath(between);
  std::ofstream(home() / ".ssh/config") << "Host gpu\n  HostName 127.0.0.1\n  Port " << server_->port()
                                        << "\n  ProxyJump root@127.0.0.1:" << between.port() << "\n";
  SshOptions options = Options();
  options.host = "gpu";
  options.port = 0;
  Connect(options, there());
  EXPECT_EQ(target_->Run("echo through", 1h).output, "through\n");
  EXPECT_EQ(between.LoginCount(), 1);
}

TEST_F(SshLoginTest, AProxyJumpOfTheTargetIsUsed) {
  SshServer between;
  Serve();
  PutSshInPath(between);
  SshOptions options = Options();
  options.proxy_jump = "root@127.0.0.1:" + std::to_string(between.port());
  Connect(options, there());
  EXPECT_EQ(target_->Run("echo through", 1min).output, "through\n");
  EXPECT_EQ(between.LoginCount(), 1);
}

// What libssh would replace, and what an URI would.
TEST_F(SshLoginTest, AFifoInPlaceOfKnownHostsHoldsNothingUp) {
  Serve();
  SshOptions options = Options();
  options.known_hosts = folder_ / "fifo";
  ASSERT_EQ(::mkfifo(options.known_hosts.c_str(), 0600), 0);
  Connect(options, there());
  EXPECT_EQ(Refusal(10ms).code(), ErrorCode::kInvalidInput);
}

TEST_F(SshLoginTest, APercentSignIsItselfInPathsAndJumps) {
  Serve();
  MakeFolders(folder_ / "bin");
  WriteFile(folder_ / "bin/ssh",
            "#!/bin/sh\nfor word; do :; done; echo \"$word\" >" + (folder_ / "asked").string() + "\n", 0755);
  path_ = ::getenv("PATH");
  ::setenv("PATH", ((folder_ / "bin").string() + ":" + path_).c_str(), 1);
  SshOptions options = Options();
  options.proxy_jump = "me%d@a%host%%b:22";
  Connect(options, there());
  EXPECT_EQ(Refusal(10ms).code(), ErrorCode::kConnectionLost);
  EXPECT_EQ(ReadFile(folder_ / "asked"), "ssh://me%25d@a%25host%25%25b:22\n");
  for (const char* name : {"%d", "100%", "%%h"}) {
    MakeFolders(folder_ / name);
    options = Options();
    fs::copy_file(server_->identity(), folder_ / name / "key%u");
    fs::copy_file(server_->known_hosts(), folder_ / name / "known%h");
    options.identity = folder_ / name / "key%u";
    options.known_hosts = folder_ / name / "known%h";
    Connect(options, there());
    EXPECT_EQ(target_->Run("echo in", 1h).output, "in\n") << name;
  }
}

TEST_F(SshLoginTest, AKeyThatOthersCanReadIsRefused) {
  Serve();
  fs::copy_file(server_->identity(), folder_ / "open");
  SshOptions options = Options();
  options.identity = folder_ / "open";
  for (const unsigned mode : {0644u, 0640u, 0604u, 0602u}) {
    fs::permissions(folder_ / "open", static_cast<fs::perms>(mode));
    Connect(options, there());
    const Error error = Refusal();
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
    EXPECT_THAT(error.message(), HasSubstr("open has mode 06"));
    EXPECT_EQ(server_->LoginCount(), 0);
  }
  const std::string hint = Refusal().hint();
  Follow(hint.substr(0, hint.find(';')));
  Connect(options, there());
  EXPECT_EQ(target_->Run("echo in", 1h).output, "in\n");
}

TEST_F(SshLoginTest, AKeyOfTheUserThatOthersCanReadIsRefused) {
  Serve();
  fs::copy_file(server_->identity(), home() / ".ssh/id_ed25519");
  fs::copy_file(server_->identity(), folder_ / "of config");
  fs::copy_file(server_->known_hosts(), home() / ".ssh/known_hosts");
  const SshOptions options = SshOptionsOf({{"host", "127.0.0.1"}, {"port", server_->port()}, {"user", "root"}});
  fs::permissions(home() / ".ssh/id_ed25519", static_cast<fs::perms>(0644));
  Connect(options, there());
  EXPECT_THAT(Refusal().message(), HasSubstr(".ssh/id_ed25519 has mode 0644"));
  fs::permissions(home() / ".ssh/id_ed25519", static_cast<fs::perms>(0600));
  fs::permissions(folder_ / "of config", static_cast<fs::perms>(0640));
  std::ofstream(home() / ".ssh/config") << "IdentityFile \"" << (folder_ / "of config").string() << "\"\n";
  Connect(options, there());
  EXPECT_THAT(Refusal().message(), HasSubstr("of config has mode 0640"));
}

TEST_F(SshLoginTest, ANameThatAShellWouldObeyIsRefused) {
  Serve();
  for (const char* name : {"a';touch PWNED;'", "-oProxyCommand=touch PWNED", "a b", "$(touch PWNED)", "a\nb"}) {
    SshOptions options = Options();
    options.host = name;
    options.proxy_jump = "127.0.0.1";
    Connect(options, there());
    EXPECT_THAT(Refusal(10ms).message(), HasSubstr("as `host:` of a target")) << name;
    options = Options();
    options.proxy_jump = name;
    Connect(options, there());
    EXPECT_THAT(Refusal(10ms).message(), HasSubstr("as `proxy_jump:` of a target")) << name;
  }
  EXPECT_FALSE(fs::exists("PWNED"));
}

TEST_F(SshLoginTest, AHostThatIsDownIsToldAndWaitedForAsLongAsAsked) {
  Serve();
  server_->Stop();
  Connect();
  const Error error = Refusal(10ms);
  EXPECT_EQ(error.code(), ErrorCode::kConnectionLost);
  Await("word of it", [&] { return changes() == "lost "; });
  std::jthread starter([&] { server_->Start(); });
  target_->Reach(1h);
  starter.join();
  Await("word of it", [&] { return changes() == "lost connected "; });
}

TEST_F(SshLoginTest, WhoReachesForAHostCanBeStopped) {
  Serve();
  server_->Stop();
  Connect();
  std::jthread stopper([&] {
    Await("first try", [&] { return changes() == "lost "; });
    cancel_.Cancel();
  });
  EXPECT_EQ(Refusal(1h).code(), ErrorCode::kConnectionLost);
  stopper.join();
}

TEST_F(SshLoginTest, ANameThatNobodyHasIsTold) {
  Serve();
  SshOptions options = Options();
  options.host = "no-such-host.invalid";
  Connect(options, there());
  const Error error = Refusal(10ms);
  EXPECT_EQ(error.code(), ErrorCode::kConnectionLost);
}

}  // namespace
}  // namespace cosmos::testing
