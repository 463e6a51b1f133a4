#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "support/background_program.h"
#include "support/sandbox.h"

namespace cosmos::testing {

// A real dockerd of its own, with the image `cosmos-test:latest` (busybox, whose `sh` is the default command). It
// changes nothing of the machine's network, so that containers must run with `--network none`; several may run at once.
// Starts in the constructor. Needs root. Not thread-safe. The destructor ends every container, the daemon and its
// containerd, and removes the folder with all that is mounted in it.
class DockerDaemon {
 public:
  // Why no docker can run here; empty when it can.
  static std::string Missing();

  // Makes its folder below `below`. With `live_restore`, containers outlive the daemon. Throws std::runtime_error, with
  // the daemon's log, when it does not come up.
  explicit DockerDaemon(const std::filesystem::path& below = "/tmp", bool live_restore = false);
  ~DockerDaemon();
  DockerDaemon(const DockerDaemon&) = delete;
  DockerDaemon& operator=(const DockerDaemon&) = delete;

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path socket() const { return folder_ / "docker.sock"; }
  std::string Host() const { return "unix://" + socket().string(); }  // for DOCKER_HOST and `docker -H`
  pid_t pid() const { return dockerd_->pid(); }
  std::string Log() const;

  // Runs the docker client with the words; one that takes longer than the limit is killed.
  Ended Docker(const std::vector<std::string>& words, std::chrono::milliseconds limit = std::chrono::minutes(1)) const;
  // The names of all containers, those that have ended too; the newest first.
  std::vector<std::string> Containers() const;

  // Kills the daemon as a crash does, and starts it again on the same data.
  void Kill();
  void StartAgain();

  // The socket is root's and that of group `docker`, where the machine has one. Opens it to every account.
  void OpenToAll() const;

 private:
  bool Start(const std::string& storage_driver);
  void ImportImage() const;
  void Remove();
  void KillLeftovers() const;

  std::filesystem::path folder_;
  const bool live_restore_;
  std::string storage_driver_;  // that it came up with
  std::unique_ptr<BackgroundProgram> dockerd_;
};

}  // namespace cosmos::testing
