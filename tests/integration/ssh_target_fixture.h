#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/cancel.h"
#include "core/error.h"
#include "core/files.h"
#include "core/masker.h"
#include "core/text.h"
#include "job/job_script.h"
#include "support/processes.h"
#include "support/sandbox.h"
#include "support/ssh_server.h"
#include "support/tcp_proxy.h"
#include "support/test_account.h"
#include "target/ssh/ssh_target.h"

namespace cosmos::testing {

// An SshTarget before a real sshd, in a home folder of its own, so that nothing of the user's SSH settings counts.
class SshTargetTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = SshServer::Missing(); !missing.empty()) GTEST_SKIP() << missing;
    folder_ = MakeFolder("/tmp", "ssh-target");
    for (const char* name : {"HOME", "SSH_AUTH_SOCK"}) {
      const char* value = ::getenv(name);
      environment_[name] = value == nullptr ? std::nullopt : std::optional<std::string>(value);
    }
    std::filesystem::create_directories(home() / ".ssh");
    ::setenv("HOME", home().c_str(), 1);
    ::unsetenv("SSH_AUTH_SOCK");
  }
  void TearDown() override {
    if (folder_.empty()) return;
    target_.reset();
    proxy_.reset();
    server_.reset();
    account_.reset();
    for (const auto& [name, value] : environment_) {
      value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
    }
    std::filesystem::remove_all(folder_);
  }

  std::filesystem::path home() const { return folder_ / "home"; }
  // Where things stand on the host.
  std::string there() const { return account_ ? account_->home() / "work" : folder_ / "host"; }

  SshServer& Serve(const SshServerOptions& options = {}) {
    server_ = std::make_unique<SshServer>(options);
    return *server_;
  }
  // Puts a faulty link before the server.
  TcpProxy& PutProxy() {
    proxy_ = std::make_unique<TcpProxy>(server_->port());
    server_->TrustAt(proxy_->port());
    return *proxy_;
  }
  SshOptions Options(const std::string& user = "root") const {
    SshOptions options;
    options.host = "127.0.0.1";
    options.port = proxy_ ? proxy_->port() : server_->port();
    options.user = user;
    options.identity = server_->identity();
    options.known_hosts = server_->known_hosts();
    return options;
  }
  SshTarget& Connect(const SshOptions& options, const std::string& workdir = "") {
    target_ = std::make_unique<SshTarget>(options, workdir, &cancel_, [this](const ConnectionChange& change) {
      const std::lock_guard lock(mutex_);
      changes_ += change.kind == ConnectionChange::Kind::kConnected     ? "connected "
                  : change.kind == ConnectionChange::Kind::kReconnected ? "reconnected "
                                                                        : "lost ";
    });
    return *target_;
  }
  SshTarget& Connect() { return Connect(Options(account_ ? account_->name() : "root"), there()); }
  // From now on as an ordinary account, whose login shell starts at once, as root's may not.
  void UseAccount() { account_ = std::make_unique<TestAccount>(); }
  // What the target's observer was told.
  std::string changes() {
    const std::lock_guard lock(mutex_);
    return changes_;
  }

  // A job as the engine starts it, in a folder of its name on the host.
  JobOrder Order(const std::string& name, const std::string& script) const { return OrderIn(there(), name, script); }
  static JobOrder OrderIn(const std::string& workdir, const std::string& name, const std::string& script) {
    RunContext context;
    context.run_id = "rs_1";
    context.stage = "render";
    JobCommand command;
    command.script = script;
    command.workdir = workdir;
    const std::string folder = workdir + "/jobs/" + name;
    const JobScript job = MakeJobScript(context, folder, command, Masker());
    return {folder, job.text, job.environment};
  }
  JobState WaitForEnd(const JobHandle& handle) {
    const CancelToken never;
    JobState state;
    do {
      state = target_->Wait(handle, never, std::chrono::hours(1));
    } while (state.phase == JobState::Phase::kRunning);
    return state;
  }
  // The job's log, as a follower gets it that goes on after whatever ended its following.
  std::string FollowToTheEnd(const JobHandle& handle, std::size_t size, std::vector<FollowEnd>* ends = nullptr) {
    std::string log;
    CancelToken stop;
    while (log.size() < size) {
      const FollowEnd end =
          target_->FollowLog(handle, static_cast<std::int64_t>(log.size()), stop, [&](std::string_view bytes) {
            log += bytes;
            if (log.size() >= size) stop.Cancel();
          });
      if (ends != nullptr) ends->push_back(end);
      if (end == FollowEnd::kBusy) {
        log += target_->ReadLog(handle, static_cast<std::int64_t>(log.size()), 1 << 20).bytes;
        stop.WaitFor(std::chrono::milliseconds(20));
      }
    }
    return log;
  }
  // The commands that still run on the host, but for those of jobs.
  std::vector<std::string> CommandsThere() const {
    std::vector<std::string> commands;
    for (const Process& process : AllProcesses()) {
      const std::vector<pid_t> ours = server_->Processes();
      const bool of_server = std::find(ours.begin(), ours.end(), process.pid) != ours.end();
      if (of_server && process.Environment().find("COSMOS_RUN_ID=") == std::string::npos) {
        commands.push_back(process.CommandLine());
      }
    }
    return commands;
  }

  std::filesystem::path folder_;
  std::unique_ptr<SshServer> server_;
  std::unique_ptr<TcpProxy> proxy_;
  std::unique_ptr<TestAccount> account_;
  CancelToken cancel_;
  std::unique_ptr<SshTarget> target_;

 private:
  std::map<std::string, std::optional<std::string>> environment_;
  std::mutex mutex_;  // guards changes_
  std::string changes_;
};

// The files below a folder, relative to it.
inline std::vector<std::string> Names(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_directory()) names.push_back(entry.path().lexically_relative(folder));
  }
  return names;
}

// `n` bytes that differ from those of every other seed.
inline std::string Bytes(std::size_t n, unsigned seed) {
  std::string bytes(n, '\0');
  std::uint64_t state = 88172645463325252u + seed;
  for (char& byte : bytes) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    byte = static_cast<char>(state);
  }
  return bytes;
}

}  // namespace cosmos::testing
