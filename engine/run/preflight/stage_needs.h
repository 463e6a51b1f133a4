#pragma once

#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace cosmos {

// What must be there for a stage's job to succeed, as its plugin says; see `needs` of cosmos_job_1 in
// sdk/include/cosmos/plugin.h. A value.
struct StageNeeds {
  struct Video {
    std::string parameter;
    std::string path;  // local; an expression when only the run brings it
  };

  struct Download {
    std::string folder;    // on the target; empty: `folder` of the needs
    std::string variable;  // of the job's environment, names another folder
    std::string path;      // below it, there once it was downloaded; empty: nothing is downloaded
    double gb = 0;         // 0: not known
  };

  std::string stage;
  std::string target;
  std::string uses;
  std::string where;  // the stage's file:line:column
  int gpus = 1;
  bool gpus_asked = true;                  // by `resources.gpus`
  bool waits_for_gpus = true;              // and it waits until they are free of other programs
  nlohmann::json container;                // null: none
  std::map<std::string, std::string> env;  // that the workflow gives the job; texts may hold expressions

  std::vector<Video> videos;
  bool alike = false;
  std::vector<std::array<int, 2>> sizes;
  std::string folder;
  std::vector<std::string> files;
  std::string files_hint;
  std::vector<std::string> programs;
  double gpu_memory_gb = 0;
  nlohmann::json history;  // the key of what was measured of jobs like it; null: none
  std::string driver;
  double disk_gb = 0;
  Download download;

  // The plugin's part. Throws nlohmann::json::exception when it has another shape.
  static StageNeeds FromJson(const nlohmann::json& needs);
  bool of_target() const {
    return gpus_asked || !container.is_null() || !files.empty() || !programs.empty() || gpu_memory_gb > 0 ||
           !driver.empty() || disk_gb > 0 || !download.path.empty();
  }
};

}  // namespace cosmos
