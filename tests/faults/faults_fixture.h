#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "support/docker_daemon.h"
#include "support/processes.h"
#include "support/remote_host.h"

namespace cosmos::testing {

// A file system of its own in memory, of a size that can be changed. It belongs to whoever owns `folder`, or the folder
// above it if it has to be made. Needs root; unmounted by the destructor.
class SmallDisk {
 public:
  SmallDisk(const std::filesystem::path& folder, const std::string& size) : folder_(folder) {
    const bool made = std::filesystem::create_directories(folder);
    struct stat owner {};
    ::stat((made ? folder.parent_path() : folder).c_str(), &owner);
    const std::string options =
        "mode=0755,uid=" + std::to_string(owner.st_uid) + ",gid=" + std::to_string(owner.st_gid) + ",size=" + size;
    if (::mount("tmpfs", folder.c_str(), "tmpfs", 0, options.c_str()) != 0) {
      throw std::runtime_error("cannot mount a tmpfs at " + folder.string());
    }
  }
  ~SmallDisk() { ::umount2(folder_.c_str(), MNT_DETACH); }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  // Until there is no room for a single byte, and again.
  void Fill() const {
    std::ofstream filler(folder_ / kFiller, std::ios::app);
    for (const std::size_t size : {std::size_t{1} << 16, std::size_t{1}}) {
      while (filler << std::string(size, 'x') << std::flush) {
      }
      filler.clear();
    }
  }
  void Free() const { std::filesystem::remove(folder_ / kFiller); }
  void Resize(const std::string& size) const {
    ASSERT_EQ(::mount("tmpfs", folder_.c_str(), "tmpfs", MS_REMOUNT, ("size=" + size).c_str()), 0);
  }

 private:
  static constexpr const char* kFiller = "filler";
  const std::filesystem::path folder_;
};

// Runs of the real program on a real host, in which something breaks. Each job writes a line to the file `starts` in
// the host's workdir, so that it is known how often it started.
class FaultTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = SshServer::Missing(); !missing.empty()) GTEST_SKIP() << missing;
    MakeHost();
  }
  virtual void MakeHost() { host_ = std::make_unique<RemoteHost>(); }

  static constexpr const char* kRun = "rs_fault";

  void Workflow(const std::string& rest, const std::string& target_more = "") const {
    sandbox_.Write("w.yaml", host_->Workflow(rest, target_more));
  }
  // One stage `a` on the host. `more` is added to it, such as ", timeout: 3s"; the script stands in single quotes.
  void Stage(const std::string& script, const std::string& more = "", const std::string& outputs = "",
             const std::string& target_more = "") const {
    Workflow("stages: {a: {uses: shell, target: gpu1" + more + ", with: {run: 'echo x >>\"" + starts().string() +
                 "\"\n\n      " + script + "'" + (outputs.empty() ? "" : ", outputs: {" + outputs + "}") + "}}}\n",
             target_more);
  }
  Ended RunIt() const { return sandbox_.Engine({"run", "w.yaml", "--run-id", kRun, "--no-preflight"}); }
  Ended Resume() const { return sandbox_.Engine({"resume", kRun}); }
  pid_t Begin() { return sandbox_.StartEngine({"run", "w.yaml", "--run-id", kRun, "--no-preflight"}); }
  void Kill(pid_t engine) {
    ::kill(engine, SIGKILL);
    sandbox_.Wait(engine);
  }
  nlohmann::json Show() const { return sandbox_.Show(kRun); }
  // As `runs` shows it: interrupted when no engine has it.
  std::string StatusOfRun() const {
    const std::string status = Show()["status"];
    const bool interrupted = sandbox_.Engine({"show", kRun}).out.find("interrupted") != std::string::npos;
    return interrupted ? "interrupted" : status;
  }

  std::filesystem::path starts() const { return host_->workdir() / "starts"; }
  int Starts() const {
    const std::string lines = sandbox_.Read(starts());
    return static_cast<int>(std::count(lines.begin(), lines.end(), '\n'));
  }
  std::filesystem::path job() const { return host_->job(kRun, "a"); }
  void AwaitStart() const {
    Await("start of the job", [this] { return Starts() > 0; });
  }
  void AwaitEndOnHost() const {
    Await("end of the job", [this] { return sandbox_.Read(job() / "exit_status").find('\n') != std::string::npos; });
  }
  std::string LocalLog() const { return sandbox_.Read(std::string("outputs/a/logs/run_") + kRun + ".log"); }
  std::string Output(const std::string& name) const {
    return sandbox_.Read(Show()["stages"][0]["outputs"][name].get<std::string>());
  }

  Sandbox sandbox_;
  std::unique_ptr<RemoteHost> host_;
};

inline bool IsRunning(const std::string& command_line) {
  const std::vector<Process> all = AllProcesses();
  return std::any_of(all.begin(), all.end(),
                     [&](const Process& process) { return process.CommandLine() == command_line + " "; });
}

}  // namespace cosmos::testing
