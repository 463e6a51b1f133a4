// What the engine leaves on a host, and what others of that host can do with it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <memory>

#include "support/remote_host.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class HostGuardTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = SshServer::Missing(); !missing.empty()) GTEST_SKIP() << missing;
    host_ = std::make_unique<RemoteHost>();
  }
  // Every file of the account and of the sandbox, with its mode and time.
  std::map<std::string, std::string> Tree() const {
    std::map<std::string, std::string> tree;
    for (const fs::path& root : {host_->account().home(), sandbox_.folder(), fs::path("/tmp/cosmos-guard")}) {
      std::error_code error;
      for (const auto& entry : fs::recursive_directory_iterator(root, error)) {
        struct stat info {};
        ::lstat(entry.path().c_str(), &info);
        if (entry.path().string().rfind((sandbox_.folder() / "home").string(), 0) == 0) continue;  // the engine's own
        tree[entry.path()] = std::to_string(info.st_mode) + " " + std::to_string(info.st_mtim.tv_nsec);
      }
    }
    return tree;
  }
  std::string With(const std::string& workdir, const std::string& more = "") const {
    std::string target = host_->Target();
    return "version: 1\nname: w\ntargets:\n  gpu1: " +
           target.replace(target.find("workdir: "), target.npos, "workdir: " + workdir + more + "}") +
           "\nstages: {a: {uses: shell, target: gpu1, with: {run: 'echo ran'}}}\n";
  }

  Sandbox sandbox_;
  std::unique_ptr<RemoteHost> host_;
};

TEST_F(HostGuardTest, ACheckChangesNothing) {
  const std::string known = sandbox_.Read(host_->server().known_hosts());
  sandbox_.Write("w.yaml", With("~/new/work"));
  sandbox_.Engine({"targets", "check", "gpu1", "--workflow", "w.yaml"});  // makes what the shell's start files make
  const auto before = Tree();
  const Ended check = sandbox_.Engine({"targets", "check", "gpu1", "--workflow", "w.yaml"});
  EXPECT_EQ(check.status, 0) << check.out << check.err;
  EXPECT_THAT(check.out, HasSubstr("/new/work does not exist yet"));
  const Ended run = sandbox_.Engine({"run", "w.yaml", "--dry-run", "--check-targets"});
  EXPECT_EQ(run.status, 0) << run.out << run.err;
  EXPECT_EQ(Tree(), before);
  EXPECT_EQ(sandbox_.Read(host_->server().known_hosts()), known);
}

TEST_F(HostGuardTest, ACheckSendsNoVariableThatIsNotDeclared) {
  sandbox_.SetEnvironment("AWS_SECRET_ACCESS_KEY=gold-key");
  sandbox_.SetEnvironment("DATABASE_URL=gold-url");
  for (const char* name : {"AWS_SECRET_ACCESS_KEY", "DATABASE_URL"}) {
    sandbox_.Write("w.yaml", With(std::string("\"/tmp/cosmos-guard/${{ env.") + name + " }}\""));
    const Ended ended = sandbox_.Engine({"run", "w.yaml", "--dry-run", "--check-targets"});
    EXPECT_EQ(ended.status, 2);
    EXPECT_THAT(ended.err, HasSubstr(name));
    const Ended check = sandbox_.Engine({"targets", "check", "gpu1", "--workflow", "w.yaml"});
    EXPECT_EQ(check.status, 2);
    EXPECT_THAT(ended.err + ended.out + check.err + check.out, ::testing::Not(HasSubstr("gold")));
  }
  EXPECT_EQ(host_->server().LoginCount(), 0);
  sandbox_.SetEnvironment("SHOW=city");
  sandbox_.Write("w.yaml", "uses_env: [SHOW]\n" + With("\"~/${{ env.SHOW }}\""));
  EXPECT_EQ(sandbox_.Engine({"run", "w.yaml"}).status, 0);
  EXPECT_TRUE(fs::exists(host_->account().home() / "city/.cosmos"));
}

TEST_F(HostGuardTest, AWorkdirThatOthersCanWriteIsRefusedUnlessItIsShared) {
  const fs::path open = sandbox_.folder() / "open";
  fs::permissions(sandbox_.folder(), fs::perms(0755));
  fs::create_directories(open);
  ASSERT_EQ(::chown(open.c_str(), host_->account().uid(), host_->account().uid()), 0);
  fs::permissions(open, fs::perms(0777));
  sandbox_.Write("w.yaml", With(open));
  const Ended ended = sandbox_.Engine({"run", "w.yaml"});
  EXPECT_NE(ended.status, 0);
  EXPECT_THAT(ended.out + ended.err,
              AllOf(HasSubstr("can be written by other users (mode 777)"), HasSubstr("chmod go-w")));
  EXPECT_TRUE(fs::is_empty(open));
  EXPECT_THAT(sandbox_.Engine({"targets", "check", "gpu1", "--workflow", "w.yaml"}).out, HasSubstr("is not safe"));
  sandbox_.Write("w.yaml", With(open, ", shared_workdir: true"));
  const Ended shared = sandbox_.Engine({"run", "w.yaml"});
  EXPECT_EQ(shared.status, 0) << shared.out << shared.err;
}

TEST_F(HostGuardTest, WhatIsUploadedAndKeptIsTheAccountsAlone) {
  sandbox_.Write("in.txt", "private\n");
  fs::permissions(sandbox_.folder() / "in.txt", fs::perms(0644));
  sandbox_.Write("w.yaml", host_->Workflow("stages: {a: {uses: file-copy, target: gpu1, with: {input: in.txt}}}\n"));
  const Ended ended = sandbox_.Engine({"run", "w.yaml"});
  ASSERT_EQ(ended.status, 0) << ended.out << ended.err;
  std::vector<std::string> open;
  std::size_t files = 0;
  const auto look = [&](const fs::path& path) {
    struct stat info {};
    ::lstat(path.c_str(), &info);
    ++files;
    const std::string name = path.filename();  // what the job makes is as the account has it, in a folder of its own
    const bool of_job = path.string().find("/out") != std::string::npos || name == "pid" || name == "exit_status";
    if ((info.st_mode & 077) != 0 && !S_ISLNK(info.st_mode) && !of_job) open.push_back(path);
  };
  look(host_->workdir() / ".cosmos");
  for (const auto& entry : fs::recursive_directory_iterator(host_->workdir() / ".cosmos")) look(entry.path());
  EXPECT_THAT(open, IsEmpty());
  EXPECT_GT(files, 8u);
}

}  // namespace
}  // namespace cosmos::testing
