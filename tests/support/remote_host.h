#pragma once

#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <string>
#include <vector>

#include "support/sandbox.h"
#include "support/ssh_server.h"
#include "support/tcp_proxy.h"
#include "support/test_account.h"

namespace cosmos::testing {

// A sandbox with a host of its own beside it: a real sshd, an ordinary account, and a proxy on the way that can break.
// The host is the target `gpu1`, whose workdir is `work` in the account's home.
class RemoteHost {
 public:
  // `passphrase` is that of the key with which one logs in.
  explicit RemoteHost(const std::string& sshd_config = "", const std::filesystem::path& docker_socket = {},
                      const std::string& passphrase = "")
      : account_(docker_socket), server_({"/tmp", 10, passphrase, sshd_config}), proxy_(server_.port()) {
    server_.TrustAt(proxy_.port());
  }

  // The target in YAML, on one line. `more` is added to it, such as ", gpus: 2".
  std::string Target(const std::string& more = "") const {
    return "{ssh: {host: 127.0.0.1, port: " + std::to_string(proxy_.port()) + ", user: " + account_.name() +
           ", identity: " + server_.identity().string() + ", known_hosts: " + server_.known_hosts().string() +
           "}, workdir: " + workdir().string() + more + "}";
  }
  // A workflow with the target and the given rest.
  std::string Workflow(const std::string& rest, const std::string& more = "") const {
    return "version: 1\nname: w\ntargets:\n  gpu1: " + Target(more) + "\n" + rest;
  }

  std::filesystem::path workdir() const { return account_.home() / "work"; }
  std::filesystem::path job(const std::string& run_id, const std::string& stage, int attempt = 1) const {
    return workdir() / ".cosmos/jobs" / run_id / stage / std::to_string(attempt);
  }
  TestAccount& account() { return account_; }
  SshServer& server() { return server_; }
  TcpProxy& proxy() { return proxy_; }

  // What jobs and commands of the engine still run on the host.
  std::vector<pid_t> Processes() const { return server_.Processes(); }
  // Nothing may stay. What the engine held there ends when its connection does, of which the host may hear a moment
  // after the engine's end.
  void ExpectNothingLeft() const {
    Await("end of everything on the host", [this] { return Processes().empty(); });
  }

 private:
  TestAccount account_;
  SshServer server_;
  TcpProxy proxy_;
};

// What the program prints for `words`, which must succeed.
inline void ExpectSuccess(const Ended& ended) { EXPECT_EQ(ended.status, 0) << ended.out << ended.err; }

}  // namespace cosmos::testing
