#include "support/processes.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace cosmos::testing {
namespace fs = std::filesystem;
namespace {

std::string ReadProc(pid_t pid, const char* file) {
  std::ostringstream text;
  text << std::ifstream("/proc/" + std::to_string(pid) + "/" + file, std::ios::binary).rdbuf();
  return text.str();
}

// A file without a name, so that output needs no thread that drains a pipe.
class Capture {
 public:
  Capture() : fd_(::memfd_create("output", MFD_CLOEXEC)) {}
  ~Capture() { ::close(fd_); }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  int fd() const { return fd_; }
  std::string Text() const {
    struct stat about = {};
    ::fstat(fd_, &about);
    std::string text(static_cast<size_t>(about.st_size), '\0');
    const ssize_t n = ::pread(fd_, text.data(), text.size(), 0);
    text.resize(n > 0 ? static_cast<size_t>(n) : 0);
    return text;
  }

 private:
  int fd_;
};

std::string Joined(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
  return line;
}

}  // namespace

std::string Process::CommandLine() const {
  std::string words = ReadProc(pid, "cmdline");
  std::replace(words.begin(), words.end(), '\0', ' ');
  return words;
}

std::string Process::Environment() const { return ReadProc(pid, "environ"); }

std::vector<Process> AllProcesses() {
  std::vector<Process> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    Process process;
    process.pid = ::atoi(entry.path().filename().c_str());
    struct stat about = {};
    if (process.pid <= 0 || ::stat(entry.path().c_str(), &about) != 0) continue;
    process.user = about.st_uid;
    // `pid (name) state ppid pgrp session …`, where the name may hold anything.
    const std::string line = ReadProc(process.pid, "stat");
    const size_t begin = line.find('('), end = line.rfind(')');
    if (begin == std::string::npos || end == std::string::npos) continue;
    process.name = line.substr(begin + 1, end - begin - 1);
    pid_t group = 0;
    std::istringstream rest(line.substr(end + 1));
    rest >> process.state >> process.parent >> group >> process.session;
    if (!process.Gone()) found.push_back(process);
  }
  return found;
}

std::vector<Process> DescendantsOf(pid_t ancestor, const std::vector<Process>& all) {
  std::vector<Process> found;
  for (const Process& process : all) {
    if (process.parent == ancestor) found.push_back(process);
  }
  for (size_t i = 0; i < found.size(); ++i) {
    for (const Process& process : all) {
      if (process.parent == found[i].pid) found.push_back(process);
    }
  }
  return found;
}

int DescriptorsOf(pid_t pid) {
  std::error_code gone;
  const std::filesystem::directory_iterator folder("/proc/" + std::to_string(pid) + "/fd", gone);
  return gone ? 0 : static_cast<int>(std::distance(begin(folder), end(folder)));
}

bool HasEnded(pid_t child) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0;
}

void KillAndAwait(const std::vector<pid_t>& pids) {
  if (pids.empty()) return;
  for (const pid_t pid : pids) ::kill(pid, SIGKILL);
  const auto one_of_them = [&](const Process& process) {
    return std::find(pids.begin(), pids.end(), process.pid) != pids.end();
  };
  // A process in an uninterruptible wait may outlast this; the test is not to hang for it.
  for (int i = 0; i < 1000; ++i) {
    const std::vector<Process> all = AllProcesses();
    if (std::none_of(all.begin(), all.end(), one_of_them)) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

Ended RunProgram(const std::vector<std::string>& words, std::chrono::milliseconds limit) {
  const Capture out, err;
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) return {126, "", std::string("fork: ") + ::strerror(errno)};
  if (pid == 0) {
    ::dup2(::open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
    ::dup2(out.fd(), 1);
    ::dup2(err.fd(), 2);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  pollfd wait = {handle, POLLIN, 0};
  if (::poll(&wait, 1, static_cast<int>(limit.count())) == 0) ::kill(pid, SIGKILL);
  ::close(handle);
  int status = 0;
  ::waitpid(pid, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), out.Text(), err.Text()};
}

std::string MustRun(const std::vector<std::string>& words) {
  const Ended ended = RunProgram(words);
  if (ended.status == 0) return ended.out;
  throw std::runtime_error("`" + Joined(words) + "` ended with status " + std::to_string(ended.status) + ": " +
                           ended.out + ended.err);
}

bool HasProgram(const std::string& name) {
  const char* path = ::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access((folder + "/" + name).c_str(), X_OK) == 0) return true;
  }
  return false;
}

fs::path MakeFolder(const fs::path& below, const std::string& prefix) {
  std::string name = (below / (prefix + "-XXXXXX")).string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error(name + ": " + ::strerror(errno));
  constexpr fs::perms kPass = fs::perms::group_exec | fs::perms::others_exec;
  for (const fs::path& folder : {below, fs::path(name)}) {
    if ((fs::status(folder).permissions() & kPass) != kPass) fs::permissions(folder, kPass, fs::perm_options::add);
  }
  return name;
}

}  // namespace cosmos::testing
