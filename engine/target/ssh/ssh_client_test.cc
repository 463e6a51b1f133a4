// What ssh_config(5) comes to for a target. The expectations are ssh's manual; where ssh shows what it made of a value
// (`ssh -v`), it is asked.

#include "target/ssh/ssh_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <regex>

#include "core/command.h"
#include "core/error.h"
#include "core/text.h"
#include "target/ssh/account.h"

namespace cosmos {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class SshClientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (RunCommand({"ssh", "-V"}, std::chrono::minutes(1), cancel_).exit_status == 127) GTEST_SKIP() << "no ssh";
    std::string name = ::testing::TempDir() + "ssh-client-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    home_ = name;
    fs::create_directories(home_ / ".ssh");
    Set("HOME", home_.c_str());
    Set("SSH_AUTH_SOCK", "/run/agent");
    Set("COSMOS_TEST_FOLDER", "/keys");
  }
  void TearDown() override {
    for (const auto& [variable, value] : environment_) {
      value ? ::setenv(variable.c_str(), value->c_str(), 1) : ::unsetenv(variable.c_str());
    }
    if (!home_.empty()) fs::remove_all(home_);
  }

  void Set(const std::string& variable, const char* value) {
    const char* old = ::getenv(variable.c_str());
    environment_.try_emplace(variable, old == nullptr ? std::nullopt : std::optional<std::string>(old));
    ::setenv(variable.c_str(), value, 1);
  }
  void Config(const std::string& text, const std::string& name = "config") const {
    std::ofstream(home_ / ".ssh" / name) << text;
    fs::permissions(home_ / ".ssh" / name, fs::perms::owner_read | fs::perms::owner_write);
  }
  // With the home folder as HOME, so that expectations can be written down.
  std::string Shown(std::string text) const {
    for (std::size_t at; (at = text.find(home_.string())) != text.npos;)
      text.replace(at, home_.string().size(), "HOME");
    return text;
  }
  SshSettings Ask(const SshOptions& options) const {
    return SshClient().FindWay(options, cancel_).value_or(SshSettings());
  }
  SshSettings Ask(const std::string& host) const {
    SshOptions options;
    options.host = host;
    return Ask(options);
  }
  Error Complaint(const SshOptions& options) const {
    try {
      Ask(options);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "there was none";
    return Error(ErrorCode::kInternal, "");
  }
  Error Complaint(const std::string& host) const {
    SshOptions options;
    options.host = host;
    return Complaint(options);
  }

  fs::path home_;
  CancelToken cancel_;

 private:
  std::map<std::string, std::optional<std::string>> environment_;
};

std::string Text(const std::string& value) { return value; }
std::string Text(const std::vector<std::string>& values) { return Join(values, "|"); }
std::string Text(bool value) { return value ? "yes" : "no"; }

std::string Text(const SshSettings& s, const std::string& field) {
  const std::map<std::string, std::string> fields = {
      {"login", s.user + "@" + s.host + ":" + std::to_string(s.port)},
      {"alias", Text(s.host_key_alias)},
      {"family", Text(s.address_family)},
      {"bind", s.bind_address + s.bind_interface},
      {"timeout", std::to_string(std::chrono::duration_cast<std::chrono::seconds>(s.connect_timeout).count())},
      {"keys", Text(s.identities)},
      {"certificates", Text(s.certificates)},
      {"only", Text(s.identities_only)},
      {"agent", Text(s.agent)},
      {"public keys", Text(s.public_keys)},
      {"known", Text(s.known_hosts)},
      {"global", Text(s.global_known_hosts)},
      {"revoked", Text(s.revoked_host_keys)},
      {"new too", Text(s.host_keys == SshSettings::HostKeys::kNewToo)},
      {"hash", Text(s.hash_known_hosts)},
      {"loopback", Text(s.trusts_loopback)},
      {"proxy", Text(s.proxy_command)},
      {"jumps", Text(s.proxy_jumps)},
      {"ciphers", Text(s.ciphers)},
      {"compression", Text(s.compression)},
  };
  return fields.at(field);
}

struct Row {
  const char* config;
  const char* host;
  const char* field;
  const char* expected;
};

const Row kRows[] = {
    // Which lines count.
    {"User a\nUser b", "gpu", "login", "a@gpu:22"},
    {"Host gpu\n User a\nHost *\n User b\n Port 9", "gpu", "login", "a@gpu:9"},
    {"Host * !gpu\n User a\nHost *\n User b", "gpu", "login", "b@gpu:22"},
    {"Host * !gpu\n User a\nHost *\n User b", "cpu", "login", "a@cpu:22"},
    {"Host g?u cpu\n User a\nUser b", "gpu", "login", "a@gpu:22"},
    {"Match host gpu\n User a\nMatch all\n User b", "gpu", "login", "a@gpu:22"},
    {"Match host cpu\n User a\nMatch all\n User b", "gpu", "login", "b@gpu:22"},
    {"Match exec \"test %h = gpu\"\n User a\nMatch all\n User b", "gpu", "login", "a@gpu:22"},
    {"Match exec \"echo user c >&2; false\"\n User a\nMatch all\n User b", "gpu", "login", "b@gpu:22"},
    {"Match user a\n Port 7\nHost *\n User a", "gpu", "login", "a@gpu:22"},
    {"User a\nMatch user a\n Port 7", "gpu", "login", "a@gpu:7"},
    {"Match originalhost gpu\n HostName h\n User a\nMatch final host h\n Port 7", "gpu", "login", "a@h:7"},
    {"Match !host cpu\n User a", "gpu", "login", "a@gpu:22"},
    {"Include more\nUser b", "gpu", "login", "a@gpu:22"},
    {"Include more other", "gpu", "login", "a@gpu:99"},
    {"Include parts/*\nUser b", "gpu", "login", "p@gpu:22"},
    {"Include missing\nUser b", "gpu", "login", "b@gpu:22"},
    {"Host cpu\n Include more\nHost *\n User b", "gpu", "login", "b@gpu:22"},
    {"IgnoreUnknown Odd*\nOddThing yes\nUser b", "gpu", "login", "b@gpu:22"},
    {"user=b\nPORT = 7", "gpu", "login", "b@gpu:7"},
    // Names.
    {"User b\nHostName %h.example.com", "gpu", "login", "b@gpu.example.com:22"},
    {"User b\nHostName 10.0.0.%n", "7", "login", nullptr},
    {"User b\nHostName ::1", "gpu", "login", "b@::1:22"},
    {"User b\nHost GPU\n Port 7", "GPU", "login", "b@gpu:7"},
    {"HostKeyAlias farm", "gpu", "alias", "farm"},
    // Ways.
    {"AddressFamily inet6", "gpu", "family", "inet6"},
    {"User b", "gpu", "family", "any"},
    {"BindAddress 127.0.0.1", "gpu", "bind", "127.0.0.1"},
    {"BindInterface lo", "gpu", "bind", "lo"},
    {"ConnectTimeout 3", "gpu", "timeout", "3"},
    {"ConnectTimeout 1m", "gpu", "timeout", "60"},
    {"ConnectTimeout none", "gpu", "timeout", "0"},
    {"ProxyCommand nc %h %p '%n' %r %%", "gpu", "proxy", nullptr},
    {"User b\nHostName h\nPort 7\nProxyCommand nc %h %p '%n' %r %%", "gpu", "proxy", "nc h 7 'gpu' b %"},
    {"ProxyCommand none\nProxyCommand nc", "gpu", "proxy", ""},
    {"ProxyJump none\nProxyCommand nc", "gpu", "proxy", "nc"},
    {"Host gpu\n ProxyJump a,b", "gpu", "jumps", "a|b"},
    {"Host gpu\n ProxyJump me@[::1]:22,ssh://x@y:44", "gpu", "jumps", "me@[::1]:22|x@y:44"},
    {"Host gpu\n ProxyJump none\nHost *\n ProxyJump a", "gpu", "jumps", ""},
    {"Host gpu\n ProxyCommand nc\nHost *\n ProxyJump a", "gpu", "jumps", ""},
    // Keys.
    {"IdentityFile /a\nIdentityFile ~/b\nIdentityFile %d/c", "gpu", "keys", "/a|HOME/b|HOME/c"},
    {"User b\nHostName h\nPort 7\nIdentityFile /%r.%h.%p.%n.%%.%k", "gpu", "keys", "/b.h.7.gpu.%.gpu"},
    {"HostKeyAlias f\nIdentityFile /%k", "gpu", "keys", "/f"},
    {"IdentityFile /%n.%r", "me@gpu", "keys", "/gpu.me"},
    {"IdentityFile ${COSMOS_TEST_FOLDER}/a", "gpu", "keys", "/keys/a"},
    {"IdentityFile ${HOME}/a", "gpu", "keys", "HOME/a"},
    {"IdentityFile \"/a b/c\"", "gpu", "keys", "/a b/c"},
    {"IdentityFile none", "gpu", "keys", ""},
    {"IdentityFile ~root/a", "gpu", "keys", "/root/a"},
    {"Host gpu\n IdentityFile /a\nHost *\n IdentityFile /b", "gpu", "keys", "/a|/b"},
    {"CertificateFile ~/a-cert.pub", "gpu", "certificates", "HOME/a-cert.pub"},
    {"IdentitiesOnly yes", "gpu", "only", "yes"},
    {"User b", "gpu", "only", "no"},
    {"PubkeyAuthentication no", "gpu", "public keys", "no"},
    {"PubkeyAuthentication unbound", "gpu", "public keys", "yes"},
    {"User b", "gpu", "agent", "/run/agent"},
    {"IdentityAgent none", "gpu", "agent", ""},
    {"IdentityAgent SSH_AUTH_SOCK", "gpu", "agent", "/run/agent"},
    {"IdentityAgent $COSMOS_TEST_FOLDER", "gpu", "agent", "/keys"},
    {"IdentityAgent ${COSMOS_TEST_FOLDER}/s", "gpu", "agent", "/keys/s"},
    {"IdentityAgent $COSMOS_TEST_UNSET", "gpu", "agent", ""},
    {"IdentityAgent ~/s", "gpu", "agent", "HOME/s"},
    {"IdentityAgent \"/a b/s\"", "gpu", "agent", "/a b/s"},
    // Host keys.
    {"User b", "gpu", "known", "HOME/.ssh/known_hosts|HOME/.ssh/known_hosts2"},
    {"UserKnownHostsFile /a ~/b %d/c", "gpu", "known", "/a|HOME/b|HOME/c"},
    {"UserKnownHostsFile \"/a b\" /c", "gpu", "known", "/a b|/c"},
    {"UserKnownHostsFile none", "gpu", "known", ""},
    {"GlobalKnownHostsFile /a /b", "gpu", "global", "/a|/b"},
    {"RevokedHostKeys /a", "gpu", "revoked", "/a"},
    {"User b", "gpu", "new too", "no"},
    {"StrictHostKeyChecking yes", "gpu", "new too", "no"},
    {"StrictHostKeyChecking ask", "gpu", "new too", "no"},
    {"StrictHostKeyChecking accept-new", "gpu", "new too", "yes"},
    {"StrictHostKeyChecking no", "gpu", "new too", "yes"},
    {"StrictHostKeyChecking off", "gpu", "new too", "yes"},
    {"HashKnownHosts yes", "gpu", "hash", "yes"},
    {"NoHostAuthenticationForLocalhost yes", "gpu", "loopback", "yes"},
    // The rest.
    {"Ciphers aes256-ctr", "gpu", "ciphers", "aes256-ctr"},
    {"Compression yes", "gpu", "compression", "yes"},
    {"RequestTTY force\nRemoteCommand touch x\nForwardAgent yes\nUser b", "gpu", "login", "b@gpu:22"},
    {"SetEnv A=b\nSendEnv C\nLocalForward 1 a:1\nUser b", "gpu", "login", "b@gpu:22"},
    {"ControlMaster auto\nControlPath /x/%C\nUser b", "gpu", "login", "b@gpu:22"},
};

TEST_F(SshClientTest, EachConfigurationMeansWhatItMeansToSsh) {
  Config("User a", "more");
  Config("Port 99", "other");
  fs::create_directories(home_ / ".ssh/parts");
  Config("User p", "parts/one");
  for (const Row& row : kRows) {
    Config(std::string(row.config) + "\n");
    if (row.expected == nullptr) {
      // Without a user of the configuration, or with a token that its keyword does not have, it is not for a table.
      try {
        Ask(row.host);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::kInvalidInput) << row.config;
      }
      continue;
    }
    EXPECT_EQ(Shown(Text(Ask(row.host), row.field)), row.expected) << row.config;
  }
}

TEST_F(SshClientTest, KeysHaveTheNamesThatSshMakesOfThem) {
  Config(
      "User b\nHostName h\nPort 7\nProxyCommand false\nIdentityFile /u%u/%i/%L\nIdentityFile /%l\nIdentityFile /%%d%%\n"
      "IdentityFile \"/a b/%n\"\nIdentityFile ~/x\nIdentityFile %d/y\nIdentityFile /${COSMOS_TEST_FOLDER}/%k\n");
  std::vector<std::string> words = {"ssh", "-v", "-o", "BatchMode=yes", "-F", home_ / ".ssh/config", "gpu"};
  const std::string said = RunCommand(words, std::chrono::minutes(1), cancel_).output;
  const std::regex line("identity file (.*) type ");
  std::vector<std::string> keys;
  for (auto match = std::sregex_iterator(said.begin(), said.end(), line); match != std::sregex_iterator(); ++match) {
    std::string key = (*match)[1];
    if (key.size() > 5 && key.compare(key.size() - 5, 5, "-cert") == 0) continue;
    const std::string account = OwnAccount().home;
    if (key.rfind(account + "/", 0) == 0) key = home_.string() + key.substr(account.size());
    keys.push_back(key);
  }
  EXPECT_EQ(keys.size(), 7u) << said;
  EXPECT_EQ(Ask("gpu").identities, keys);
}

TEST_F(SshClientTest, WhatTheTargetSaysWins) {
  Config("Host gpu\n HostName h\n Port 7\n User b\n IdentityFile /b\n UserKnownHostsFile /k\n ProxyJump a\n");
  SshOptions options;
  options.host = "gpu";
  options.port = 8;
  options.user = "c";
  options.identity = "~/own %h ${HOME}";
  options.known_hosts = "~/known %h ${HOME}";
  options.proxy_jump = "x,me@[::1]:24";
  SshSettings settings = Ask(options);
  EXPECT_EQ(Text(settings, "login"), "c@h:8");
  EXPECT_EQ(Shown(Text(settings, "keys")), "HOME/own %h ${HOME}|/b");
  EXPECT_EQ(Shown(Text(settings, "known")), "HOME/known %h ${HOME}");
  EXPECT_EQ(Text(settings, "jumps"), "x|me@[::1]:24");
  options.proxy_jump = "none";
  settings = Ask(options);
  EXPECT_EQ(Text(settings, "jumps"), "");
  EXPECT_EQ(JumpCommand(settings), "");
}

TEST_F(SshClientTest, OnlyTheTargetsKeyAndThoseOfTheConfigurationAreTried) {
  SshOptions options;
  options.host = "gpu";
  options.identity = "/own";
  EXPECT_EQ(Text(Ask(options), "keys"), "/own");
  options.identity = "";
  EXPECT_THAT(Shown(Text(Ask(options), "keys")), HasSubstr("HOME/.ssh/id_ed25519"));
}

TEST_F(SshClientTest, AWrongLineIsShownAsSshShowsIt) {
  Config("User b\nNonsense yes\n");
  const Error error = Complaint("gpu");
  EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
  EXPECT_THAT(error.message(), HasSubstr("line 2"));
  EXPECT_THAT(error.message(), HasSubstr("nonsense"));
  EXPECT_THAT(error.hint(), HasSubstr("ssh -G gpu"));
}

TEST_F(SshClientTest, AFileThatOthersMayWriteIsRefusedAsSshRefusesIt) {
  Config("User b\n");
  fs::permissions(home_ / ".ssh/config", static_cast<fs::perms>(0666));
  EXPECT_THAT(Complaint("gpu").message(), HasSubstr("Bad owner or permissions"));
}

TEST_F(SshClientTest, AnUnknownTokenOrVariableIsNamed) {
  Config("IdentityFile /%z\n");
  EXPECT_THAT(Complaint("gpu").message(), HasSubstr("'%z' in `IdentityFile`"));
  Config("IdentityFile /${COSMOS_TEST_UNSET}\n");
  EXPECT_THAT(Complaint("gpu").message(), HasSubstr("COSMOS_TEST_UNSET"));
}

TEST_F(SshClientTest, AWayThatComesBackEndsWithAMessage) {
  Config("Host a\n ProxyJump b\nHost b\n ProxyJump c\nHost c\n ProxyJump a\nHost self\n ProxyJump self\n");
  EXPECT_THAT(Complaint("a").message(), HasSubstr("a -> b -> c -> a"));
  EXPECT_THAT(Complaint("self").message(), HasSubstr("self"));
  Config("Host *\n ProxyJump gate\n");
  EXPECT_THAT(Complaint("gpu").message(), HasSubstr("gate"));
  SshOptions options;
  options.host = "gpu";
  options.proxy_jump = "x";
  Config("Host x\n ProxyJump gpu\nHost gpu\n ProxyJump x\n");
  EXPECT_THAT(Complaint(options).message(), HasSubstr("gpu -> x -> gpu"));
}

TEST_F(SshClientTest, AWayOfCommandsThatComesBackEndsWithAMessage) {
  Config(
      "Host a\n ProxyCommand ssh -q -W %h:%p b\nHost b\n ProxyCommand exec /usr/bin/ssh -W '%h:%p' -p 24 me@c\n"
      "Host c\n ProxyJump a\nHost d\n ProxyCommand ssh -F other -W %h:%p d\nHost e\n ProxyCommand nc e\n"
      "Host f\n ProxyCommand ssh -oUser=x -W %h:%p f\n");
  EXPECT_THAT(Complaint("a").message(), HasSubstr("a -> b -> me@c:24 -> a"));
  EXPECT_THAT(Complaint("f").message(), HasSubstr("f -> f"));
  EXPECT_EQ(Text(Ask("d"), "proxy"), "ssh -F other -W d:22 d");
  EXPECT_EQ(Text(Ask("e"), "proxy"), "nc e");
}

TEST_F(SshClientTest, AWayOverSeveralHostsIsACommand) {
  Config("Host a\n ProxyJump b\n");
  SshOptions options;
  options.host = "gpu";
  options.proxy_jump = "a,c,me@[::1]:24";
  const SshSettings settings = Ask(options);
  const std::string command = JumpCommand(settings);
  EXPECT_THAT(command, HasSubstr("-J a,c "));
  EXPECT_THAT(command, HasSubstr("-W '[gpu]:22' -- 'ssh://me@[::1]:24'"));
}

TEST_F(SshClientTest, NamesThatAreNoneAreRefused) {
  for (const char* name : {"-oProxyCommand=x", "a b", "a;b", "a\nb", "$(x)", "a'b"}) {
    SshOptions options;
    options.host = name;
    EXPECT_THROW(CheckNames(options), Error) << name;
    options.host = "gpu";
    options.user = name;
    EXPECT_THROW(CheckNames(options), Error) << name;
    options.user = "";
    options.proxy_jump = std::string("a,") + name;
    EXPECT_THROW(CheckNames(options), Error) << name;
  }
  SshOptions options;
  options.host = "gpu";
  for (const char* jumps : {"", "none", "a", "a,b", "me@[::1]:22,b:1"}) {
    options.proxy_jump = jumps;
    CheckNames(options);
  }
  for (const char* jumps : {",", "a,,b", ",a", "a,"}) {
    options.proxy_jump = jumps;
    EXPECT_THROW(CheckNames(options), Error) << jumps;
  }
}

TEST_F(SshClientTest, AMatchThatHangsEndsWhenCancelled) {
  Config("Match exec \"touch ~/started; sleep 1000\"\n User a\n");
  cancel_.Cancel();
  EXPECT_EQ(Complaint("gpu").code(), ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace cosmos
