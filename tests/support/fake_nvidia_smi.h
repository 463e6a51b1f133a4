#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace cosmos::testing {

// An nvidia-smi in a folder of programs, which answers the questions for fields in whichever order they are asked, as
// the real one does. What it says can change at any moment, also while somebody asks.
class FakeNvidiaSmi {
 public:
  using Values = std::map<std::string, std::string>;  // by the names of --help-query-gpu and --help-query-compute-apps

  // An idle GPU of its number, of which `changed` differs.
  static Values Gpu(int index, const Values& changed = {});

  // It says that there is one idle GPU. The folder must exist; the host's accounts can read it.
  explicit FakeNvidiaSmi(std::filesystem::path folder);

  void SetGpus(const std::vector<Values>& gpus) const;
  void SetGpus(int idle) const;
  // With gpu_uuid, pid, used_memory and process_name.
  void SetProcesses(const std::vector<Values>& processes) const;
  // What each question for fields says besides, on stderr, and its exit status.
  void SetErrors(const std::string& errors, int exit_status) const;
  // Lines of a shell that come before all else, such as `sleep 3600`.
  void SetFirst(const std::string& lines) const;
  // Each call with its words, a line each.
  std::vector<std::string> Calls() const;

 private:
  void Put(const std::string& name, const std::string& text) const;

  const std::filesystem::path folder_;
};

}  // namespace cosmos::testing
