#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace cosmos::testing {

// What a run of a program came to.
struct Ended {
  int status = -1;  // exit status, or 128 + the signal that ended it
  std::string out;
  std::string err;
};

// A folder of its own in which the real program runs as a user would run it: with its own state, its own current folder
// and the test plugins at hand. Everything that was started is ended, and the folder removed, by the destructor.
class Sandbox {
 public:
  Sandbox();
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path outputs() const { return folder_ / "outputs"; }
  std::filesystem::path run_folder(const std::string& run_id) const { return outputs() / ".runs" / run_id; }
  static std::filesystem::path source();  // of the project
  static std::string program();           // cosmos-engine

  // More for the environment of what is started from now on; NAME=VALUE.
  void SetEnvironment(const std::string& variable) { environment_.push_back(variable); }
  void Write(const std::string& name, const std::string& text) const;
  std::string Read(const std::filesystem::path& path) const;  // "" when there is no such file

  // Runs `cosmos-engine` with the words, to its end.
  Ended Engine(const std::vector<std::string>& words) const;
  // Runs `cosmos-engine WORDS` as a line of a shell.
  Ended EngineInShell(const std::string& words) const;
  // The same as Engine, which must succeed and print one JSON object.
  nlohmann::json EngineJson(std::vector<std::string> words) const;
  // Starts it and returns; its output goes to the file `engine.out` in the folder.
  pid_t StartEngine(const std::vector<std::string>& words);
  // The same for any program.
  pid_t StartProgram(const std::vector<std::string>& words);
  // Kills what was started, with all that it started itself.
  void Kill(pid_t pid);
  // Waits for what StartEngine started; its status as in Ended.
  int Wait(pid_t pid);
  // Any program.
  Ended Run(const std::vector<std::string>& words) const;

  // The processes of jobs that belong to this sandbox: those with an output folder in it in their environment.
  std::vector<pid_t> JobProcesses() const;

  nlohmann::json Show(const std::string& run_id = "last") const { return EngineJson({"show", run_id}); }
  // The status of each attempt of the newest run, by `stage.instance#attempt`; without the number for the first one.
  std::map<std::string, std::string> Statuses() const;
  std::vector<nlohmann::json> Journal(const std::string& run_id) const;

 private:
  pid_t Spawn(const std::vector<std::string>& words, int out, int err) const;

  std::filesystem::path folder_;
  std::vector<std::string> environment_;
  std::vector<pid_t> started_;
};

// Waits until `holds`, and fails the test when that takes minutes: a bound for broken code, not for slow machines.
void Await(const std::string& what, const std::function<bool()>& holds);

}  // namespace cosmos::testing
