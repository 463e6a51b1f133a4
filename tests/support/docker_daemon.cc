#include "support/docker_daemon.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "support/processes.h"

namespace cosmos::testing {
namespace fs = std::filesystem;
namespace {

constexpr const char* kBusybox = "/bin/busybox";

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// Within a container this is what mostly fails.
bool MayMount() {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(::unshare(CLONE_NEWNS) == 0 ? 0 : 1);
  int status = 1;
  ::waitpid(pid, &status, 0);
  return status == 0;
}

// Whatever is mounted in the folder, the innermost first.
std::vector<std::string> MountsBelow(const fs::path& folder) {
  std::vector<std::string> found;
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string word;
    for (int i = 0; i < 5; ++i) words >> word;  // ID PARENT MAJOR:MINOR ROOT MOUNT_POINT
    if (word.rfind(folder.string() + "/", 0) == 0) found.insert(found.begin(), word);
  }
  return found;
}

}  // namespace

std::string DockerDaemon::Missing() {
  if (::geteuid() != 0) return "dockerd needs root";
  for (const char* program : {"dockerd", "containerd", "docker"}) {
    if (!HasProgram(program)) return std::string("there is no ") + program + " (package docker.io)";
  }
  if (::access(kBusybox, X_OK) != 0 || RunProgram({"ldd", kBusybox}).status == 0) {
    return "there is no static /bin/busybox (package busybox-static)";
  }
  if (!MayMount()) return "root may not mount here, which dockerd has to";
  if (::access("/sys/fs/cgroup/cgroup.controllers", R_OK) != 0 && ::access("/sys/fs/cgroup/devices", W_OK) != 0) {
    return "there are no control groups, which dockerd needs";
  }
  return "";
}

DockerDaemon::DockerDaemon(const fs::path& below, bool live_restore)
    : folder_(MakeFolder(below, "docker")), live_restore_(live_restore) {
  try {
    if (!Start("") && !Start("vfs")) throw std::runtime_error("dockerd does not answer: " + Log());
    ImportImage();
  } catch (...) {
    Remove();
    throw;
  }
}

DockerDaemon::~DockerDaemon() { Remove(); }

std::string DockerDaemon::Log() const {
  std::ostringstream text;
  text << std::ifstream(folder_ / "dockerd.log").rdbuf();
  return text.str();
}

bool DockerDaemon::Start(const std::string& storage_driver) {
  // The machine's own would be read otherwise.
  std::ofstream(folder_ / "daemon.json") << (live_restore_ ? "{\"live-restore\": true}\n" : "{}\n");
  storage_driver_ = storage_driver;
  std::vector<std::string> words = {"dockerd",
                                    "--config-file=" + (folder_ / "daemon.json").string(),
                                    "--data-root=" + (folder_ / "data").string(),
                                    "--exec-root=" + (folder_ / "exec").string(),
                                    "--pidfile=" + (folder_ / "dockerd.pid").string(),
                                    "--host=" + Host(),
                                    "--iptables=false",
                                    "--ip6tables=false",
                                    "--ip-forward=false",
                                    "--bridge=none"};
  if (!storage_driver.empty()) words.push_back("--storage-driver=" + storage_driver);
  dockerd_ = std::make_unique<BackgroundProgram>(words, folder_ / "dockerd.log");
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (dockerd_->Alive() && std::chrono::steady_clock::now() < end) {
    // The daemon binds its socket before it is ready to answer, and the client waits.
    std::error_code error;
    if (fs::exists(socket(), error) && Docker({"version"}).status == 0) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  dockerd_.reset();
  KillLeftovers();
  return false;
}

void DockerDaemon::ImportImage() const {
  const fs::path root = folder_ / "image";
  fs::create_directories(root / "bin");
  fs::create_directories(root / "tmp");
  fs::permissions(root / "tmp", fs::perms::all | fs::perms::sticky_bit);
  fs::copy_file(kBusybox, root / "bin/busybox");
  for (const std::string& applet : Lines(MustRun({kBusybox, "--list"}))) {
    if (applet != "busybox") fs::create_symlink("busybox", root / "bin" / applet);
  }
  const fs::path archive = folder_ / "image.tar";
  MustRun({"tar", "-C", root, "-cf", archive, "."});
  MustRun({"docker", "-H", Host(), "import", "--change", "CMD [\"sh\"]", archive, "cosmos-test:latest"});
}

Ended DockerDaemon::Docker(const std::vector<std::string>& words, std::chrono::milliseconds limit) const {
  std::vector<std::string> all = {"docker", "-H", Host()};
  all.insert(all.end(), words.begin(), words.end());
  return RunProgram(all, limit);
}

std::vector<std::string> DockerDaemon::Containers() const {
  return Lines(MustRun({"docker", "-H", Host(), "ps", "--all", "--format", "{{.Names}}"}));
}

void DockerDaemon::Kill() {
  dockerd_->Stop(SIGKILL, std::chrono::minutes(1));
  // On a real machine containerd is a service of its own; here it would keep the next daemon's from its data.
  pid_t containerd = 0;
  std::ifstream(folder_ / "exec/containerd/containerd.pid") >> containerd;
  if (containerd > 1) ::kill(containerd, SIGKILL);
  while (containerd > 1 && ::kill(containerd, 0) == 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

void DockerDaemon::StartAgain() {
  for (const char* name : {"dockerd.pid", "exec/containerd/containerd.pid", "exec/containerd/containerd.sock",
                           "exec/containerd/containerd.sock.ttrpc"}) {
    fs::remove(folder_ / name);
  }
  if (!Start(storage_driver_)) throw std::runtime_error("dockerd does not come back: " + Log());
}

void DockerDaemon::OpenToAll() const { fs::permissions(socket(), fs::perms(0666)); }

void DockerDaemon::Remove() {
  if (dockerd_ && dockerd_->Alive()) {
    std::vector<std::string> remove = {"rm", "--force", "--volumes"};
    const std::vector<std::string> ids = Lines(Docker({"ps", "--all", "--quiet"}, std::chrono::seconds(20)).out);
    remove.insert(remove.end(), ids.begin(), ids.end());
    if (!ids.empty()) Docker(remove, std::chrono::seconds(20));
    // Asked to end, it ends its containerd at once and then waits a second for nothing; that second is not granted.
    ::kill(dockerd_->pid(), SIGTERM);
    const auto has_child = [&] { return !DescendantsOf(dockerd_->pid(), AllProcesses()).empty(); };
    for (int i = 0; i < 1000 && has_child(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  dockerd_.reset();
  KillLeftovers();
  for (const std::string& mount : MountsBelow(folder_)) ::umount2(mount.c_str(), MNT_DETACH);
  std::error_code error;
  fs::remove_all(folder_, error);
}

// containerd and the shims, all of which name the folder, with what the shims run.
void DockerDaemon::KillLeftovers() const {
  const std::vector<Process> all = AllProcesses();
  std::vector<pid_t> pids;
  for (const Process& process : all) {
    const bool of_docker = process.name.rfind("containerd", 0) == 0 || process.name == "runc";
    if (!of_docker || process.CommandLine().find(folder_.string() + "/") == std::string::npos) continue;
    pids.push_back(process.pid);
    for (const Process& run : DescendantsOf(process.pid, all)) pids.push_back(run.pid);
  }
  KillAndAwait(pids);
}

}  // namespace cosmos::testing
