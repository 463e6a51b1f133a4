#include "support/sandbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <thread>

namespace cosmos::testing {
namespace fs = std::filesystem;
namespace {

std::string ReadWhole(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

int StatusOf(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

}  // namespace

Sandbox::Sandbox() {
  char name[] = "/tmp/cosmos-e2e-XXXXXX";
  folder_ = ::mkdtemp(name);
  environment_ = {"COSMOS_HOME=" + (folder_ / "home").string(), "HOME=" + folder_.string(),
                  "XDG_CONFIG_HOME=" + (folder_ / "config").string(), "COSMOS_PLUGIN_PATH=" COSMOS_TEST_PLUGINS,
                  "TZ=UTC"};
}

Sandbox::~Sandbox() {
  for (const pid_t pid : started_) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  for (const pid_t pid : JobProcesses()) ::kill(pid, SIGKILL);
  std::error_code error;
  fs::remove_all(folder_, error);
}

fs::path Sandbox::source() { return COSMOS_SOURCE; }

std::string Sandbox::program() { return COSMOS_PROGRAM; }

void Sandbox::Write(const std::string& name, const std::string& text) const {
  fs::create_directories((folder_ / name).parent_path());
  std::ofstream(folder_ / name, std::ios::binary) << text;
}

std::string Sandbox::Read(const fs::path& path) const { return ReadWhole(path.is_absolute() ? path : folder_ / path); }

pid_t Sandbox::Spawn(const std::vector<std::string>& words, int out, int err) const {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::dup2(::open("/dev/null", O_RDONLY), 0);
  ::dup2(out, 1);
  ::dup2(err, 2);
  if (::chdir(folder_.c_str()) != 0) ::_exit(126);
  for (const std::string& variable : environment_) ::putenv(const_cast<char*>(variable.c_str()));
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  ::_exit(127);
}

Ended Sandbox::Run(const std::vector<std::string>& words) const {
  int out[2], err[2];
  EXPECT_EQ(::pipe2(out, O_CLOEXEC), 0);
  EXPECT_EQ(::pipe2(err, O_CLOEXEC), 0);
  const pid_t pid = Spawn(words, out[1], err[1]);
  ::close(out[1]);
  ::close(err[1]);
  Ended ended;
  pollfd wait[] = {{out[0], POLLIN, 0}, {err[0], POLLIN, 0}};
  for (int open = 2; open > 0;) {
    ::poll(wait, 2, -1);
    for (int i = 0; i < 2; ++i) {
      if (wait[i].fd < 0 || wait[i].revents == 0) continue;
      char buffer[65536];
      const ssize_t n = ::read(wait[i].fd, buffer, sizeof buffer);
      if (n > 0) {
        (i == 0 ? ended.out : ended.err).append(buffer, static_cast<size_t>(n));
      } else {
        ::close(wait[i].fd);
        wait[i].fd = -1;
        --open;
      }
    }
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  ended.status = StatusOf(status);
  return ended;
}

Ended Sandbox::Engine(const std::vector<std::string>& words) const {
  std::vector<std::string> all = {COSMOS_PROGRAM};
  all.insert(all.end(), words.begin(), words.end());
  return Run(all);
}

Ended Sandbox::EngineInShell(const std::string& words) const {
  return Run({"sh", "-c", "'" COSMOS_PROGRAM "' " + words});
}

nlohmann::json Sandbox::EngineJson(std::vector<std::string> words) const {
  words.insert(words.end(), {"--format", "json"});
  const Ended ended = Engine(words);
  EXPECT_EQ(ended.status, 0) << ended.out << ended.err;
  nlohmann::json value = nlohmann::json::parse(ended.out, nullptr, false);
  EXPECT_TRUE(value.is_object()) << ended.out;
  return value;
}

pid_t Sandbox::StartEngine(const std::vector<std::string>& words) {
  std::vector<std::string> all = {COSMOS_PROGRAM};
  all.insert(all.end(), words.begin(), words.end());
  return StartProgram(all);
}

pid_t Sandbox::StartProgram(const std::vector<std::string>& words) {
  const int out = ::open((folder_ / "engine.out").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  const pid_t pid = Spawn(words, out, out);
  ::close(out);
  started_.push_back(pid);
  return pid;
}

void Sandbox::Kill(pid_t pid) {
  const auto children = [](pid_t parent) {
    return ReadWhole("/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent) + "/children");
  };
  std::istringstream list(children(pid));
  for (pid_t child; list >> child;) Kill(child);
  ::kill(pid, SIGKILL);
  if (std::find(started_.begin(), started_.end(), pid) != started_.end()) Wait(pid);
}

int Sandbox::Wait(pid_t pid) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  std::erase(started_, pid);
  return StatusOf(status);
}

std::vector<nlohmann::json> Sandbox::Journal(const std::string& run_id) const {
  std::vector<nlohmann::json> events;
  std::istringstream lines(Read(run_folder(run_id) / "events.jsonl"));
  for (std::string line; std::getline(lines, line);) events.push_back(nlohmann::json::parse(line));
  return events;
}

void Await(const std::string& what, const std::function<bool()>& holds) {
  for (int i = 0; i < 12000; ++i) {
    if (holds()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  FAIL() << "in two minutes there was no " << what;
}

std::vector<pid_t> Sandbox::JobProcesses() const {
  std::vector<pid_t> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const pid_t pid = ::atoi(entry.path().filename().c_str());
    if (pid <= 0) continue;
    const std::string environment = ReadWhole(entry.path() / "environ");
    if (environment.find("COSMOS_OUTPUT_DIR=" + folder_.string() + "/") != std::string::npos) found.push_back(pid);
  }
  return found;
}

std::map<std::string, std::string> Sandbox::Statuses() const {
  std::map<std::string, std::string> statuses;
  const nlohmann::json run = Show();
  for (const nlohmann::json& stage : run["stages"]) {
    std::string key = stage["stage"];
    if (stage["instance"].is_string()) key += "." + stage["instance"].get<std::string>();
    if (stage["attempt"] != 1) key += "#" + stage["attempt"].dump();
    statuses[key] = stage["status"];
  }
  return statuses;
}

}  // namespace cosmos::testing
